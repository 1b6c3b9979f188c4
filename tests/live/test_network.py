"""Loading the network for live use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from fkd_desktop.errors import NetworkError
from fkd_desktop.live.network import converted_dir, load_predictor
from tests.live.helpers import assert_one_clear_sentence
from trainer.core.checkpoint import save_checkpoint
from trainer.core.devices import available_devices
from trainer.core.models import build_network

ROOT = Path(__file__).resolve().parents[2]
ANNOTATES = """
import sys
from fkd_desktop.live.network import load_predictor
from fkd_desktop.live.pipeline import Pipeline
from fkd_desktop.live.session import LiveSession
from fkd_desktop.live.sources import make_source
source = make_source("demo")
source.open()
pipeline = Pipeline(load_predictor())
faces = 0
for _ in range(30):
    frame = source.read()
    faces += len(pipeline.process(frame.image_bgr, frame.timestamp_s))
print(faces > 20, pipeline.predictor.engine_name, "torch" in sys.modules, "onnx" in sys.modules)
"""


def test_the_shipped_network_is_loaded_and_computes_in_one_thread() -> None:
    torch.set_num_threads(2)
    predictor = load_predictor(device="cpu")
    assert predictor.network_name == "compact" and predictor.device == "cpu"
    assert torch.get_num_threads() == 1


@pytest.mark.skipif(available_devices() != ("cpu",), reason="this machine has a GPU, which torch is imported for")
def test_frames_are_annotated_before_torch_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", ANNOTATES], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("True ONNX Runtime False False\n", "")


def test_torch_that_comes_later_computes_in_one_thread(tmp_path: Path) -> None:
    program = """
import sys
from fkd_desktop.live.network import load_predictor
from trainer.core.engines.onnx_runtime import OnnxRuntimeEngine
predictor = load_predictor(device="cpu")
print("torch" in sys.modules)
def die(*_):
    raise RuntimeError("no more")
OnnxRuntimeEngine._run = die
predictor.predict(__import__("numpy").zeros((64, 64, 3), "uint8"), [[16, 16, 32, 32]])
print(predictor.engine_name, sys.modules["torch"].get_num_threads())
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\nPyTorch 1\n"


def test_own_weights_are_converted_once_into_the_cache(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_checkpoint(path, build_network("compact"), name="compact")
    assert not converted_dir().exists()
    for _ in range(2):
        torch.set_num_threads(2)
        assert load_predictor(path, device="cpu").engine_name == "ONNX Runtime"
        assert torch.get_num_threads() == 1
        assert [kept.suffix for kept in converted_dir().iterdir()] == [".onnx"]
    assert load_predictor(path, device="cpu", engine="pytorch").engine_name == "PyTorch"


def test_weights_that_cannot_be_used_are_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "my weights.safetensors"
    for content in (None, b"", b"no weights at all"):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(NetworkError) as caught:
            load_predictor(path, device="cpu")
        assert_one_clear_sentence(caught.value, str(path))


@pytest.mark.parametrize("device", ["tpu", "mps" if not torch.backends.mps.is_available() else "tpu"])
def test_a_device_that_is_not_there_is_one_sentence(device: str) -> None:
    with pytest.raises(NetworkError, match=device):
        load_predictor(device=device)
