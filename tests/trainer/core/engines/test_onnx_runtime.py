"""ONNX Runtime says what PyTorch says, and where it does not, it is not used."""

import json
import os
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

from trainer.core.checkpoint import load_checkpoint, save_checkpoint
from trainer.core.detector import HaarDetector
from trainer.core.engines import onnx_runtime
from trainer.core.engines.agreement import (
    TOLERANCE_LOGIT,
    TOLERANCE_PX,
    is_close,
    largest_difference,
    sample_crops,
)
from trainer.core.engines.eager import PyTorchEngine
from trainer.core.engines.onnx_file import PlainNetwork, onnx_bytes
from trainer.core.engines.onnx_runtime import PROOF, OnnxRuntimeEngine, OnnxRuntimeError
from trainer.core.models import build_network
from trainer.core.predictor import Predictor
from trainer.core.resources import assets_dir, default_onnx_path, default_weights_path
from trainer.core.weights_file import digest

ROOT = Path(__file__).resolve().parents[4]
WEBCAM_CLIP = ROOT.parent / "shared" / "data" / "clips" / "webcam.mp4"
SIZE_PX = 96


@pytest.fixture(scope="module")
def engine() -> OnnxRuntimeEngine:
    return OnnxRuntimeEngine(default_onnx_path().read_bytes())


@pytest.fixture(scope="module")
def eager() -> PyTorchEngine:
    return PyTorchEngine(load_checkpoint(default_weights_path()).network, device="cpu")


def logit(confidence: np.ndarray) -> np.ndarray:
    """Clipped where float32 has no numbers left between a confidence and 1."""
    inside = np.clip(confidence.astype(np.float64), 1e-4, 1 - 1e-4)
    return np.log(inside / (1 - inside)).astype(np.float32)


def assert_same(found: tuple[np.ndarray, np.ndarray], wanted: tuple[np.ndarray, np.ndarray]) -> None:
    assert found[0].dtype == found[1].dtype == np.float32
    assert largest_difference(wanted[0], found[0]) * SIZE_PX <= TOLERANCE_PX
    assert largest_difference(logit(wanted[1]), logit(found[1])) <= TOLERANCE_LOGIT


def frames(path: Path, every: int) -> Iterator[np.ndarray]:
    capture = cv2.VideoCapture(str(path))
    number = 0
    while (read := capture.read())[0]:
        if number % every == 0:
            yield read[1]
        number += 1
    capture.release()


def face_crops(path: Path, every: int) -> np.ndarray:
    """What a network sees of a clip's faces, as the detector frames them."""
    predictor, detector = Predictor.load(device="cpu"), HaarDetector()
    crops = [predictor.crops(frame, predictor.squares(detector.detect(frame))) for frame in frames(path, every)]
    return np.concatenate(crops)


def test_the_shipped_file_belongs_to_the_shipped_weights(engine: OnnxRuntimeEngine) -> None:
    assert engine.told["weights_sha256"] == digest(default_weights_path()), "run assets/scripts/make_weights.py"
    assert engine.told["network"] == "compact"
    assert (engine.spec.size_px, engine.spec.crop_per_box) == (96, 1.25)
    assert engine.spec == load_checkpoint(default_weights_path()).network.input_spec


def test_faces_of_the_demo_clip(engine: OnnxRuntimeEngine, eager: PyTorchEngine) -> None:
    crops = face_crops(assets_dir() / "demo" / "demo.mp4", every=40)
    assert len(crops) > 8
    assert_same(engine(crops), eager(crops))


@pytest.mark.skipif(
    not WEBCAM_CLIP.is_file(), reason="needs ../shared/data/clips/webcam.mp4, which only developers have"
)
def test_faces_of_a_webcam(engine: OnnxRuntimeEngine, eager: PyTorchEngine) -> None:
    crops = face_crops(WEBCAM_CLIP, every=25)
    assert len(crops) > 5
    assert_same(engine(crops), eager(crops))


def test_every_size_of_batch(engine: OnnxRuntimeEngine, eager: PyTorchEngine) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (33, 1, SIZE_PX, SIZE_PX), np.uint8)
    crops[::3] = np.stack([cv2.GaussianBlur(crop[0], (0, 0), 3)[None] for crop in crops[::3]])
    wanted = eager(crops)
    for count in (*range(1, 34), 1, 7):  # and down again
        assert_same(engine(crops[:count]), (wanted[0][:count], wanted[1][:count]))


def test_crops_of_any_layout(engine: OnnxRuntimeEngine) -> None:
    crops = sample_crops(SIZE_PX)
    wanted = engine(crops)
    crops.setflags(write=False)
    for same in (crops, np.asfortranarray(crops), np.repeat(crops, 2, axis=0)[::2]):
        np.testing.assert_array_equal(engine(same)[0], wanted[0])


def test_extreme_logits_are_no_warning(engine: OnnxRuntimeEngine, monkeypatch) -> None:
    logits = np.float32([-1e4, -100, 0, 100, 1e4])
    monkeypatch.setattr(engine, "_run", lambda crops: (np.zeros((5, 68, 2), np.float32), logits))
    np.testing.assert_allclose(engine(sample_crops(SIZE_PX))[1], [0, 0, 0.5, 1, 1], atol=1e-7)


def test_a_network_without_confidence_is_always_sure() -> None:
    plain = PlainNetwork(build_network("simple"))
    told = {**plain.story("simple"), **plain.proof()}
    engine = OnnxRuntimeEngine(onnx_bytes(plain, told))
    points, confidence = engine(sample_crops(224)[:3])
    assert points.shape == (3, 68, 2)
    assert confidence.tolist() == [1, 1, 1]


def test_sample_crops_are_the_same_on_every_machine() -> None:
    """The shipped file tells the network's answers to them, so they may never change."""
    crops = sample_crops(SIZE_PX)
    assert crops.shape == (5, 1, 96, 96)
    assert [zlib.crc32(crop.tobytes()) for crop in crops] == [2384497226, 2003982368, 3397420263, 242450114, 3095166731]


def changed(change) -> bytes:
    model = onnx.load_model(default_onnx_path())
    told = {entry.key: entry.value for entry in model.metadata_props}
    change(model, told)
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, told)
    return model.SerializeToString()


def tell_other_points(_model, told) -> None:
    proof = json.loads(told[PROOF])
    proof["points"][2][30][0] += 1.1 * TOLERANCE_PX / SIZE_PX
    told[PROOF] = json.dumps(proof)


def tell_other_logits(_model, told) -> None:
    proof = json.loads(told[PROOF])
    proof["face_logit"][0] += 1.1 * TOLERANCE_LOGIT
    told[PROOF] = json.dumps(proof)


def damage_weights(model, _told) -> None:
    largest = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    largest.raw_data = bytes(len(largest.raw_data))


def forget_the_proof(_model, told) -> None:
    del told[PROOF]


def test_a_file_as_it_should_be_is_taken() -> None:
    OnnxRuntimeEngine(changed(lambda model, told: None))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (tell_other_points, "0.055 px off"),
        (tell_other_logits, "face logit 0.011"),
        (damage_weights, "px off"),
        (forget_the_proof, "proof"),
        (lambda model, told: told.update(input_size_px="ninety"), "ninety"),
        (lambda model, told: told.update({PROOF: "["}), "cannot be used"),
        (lambda model, told: model.graph.node.pop(), "cannot be used"),
    ],
)
def test_a_file_that_says_something_else_is_refused(change, said: str) -> None:
    with pytest.raises(OnnxRuntimeError, match=said):
        OnnxRuntimeEngine(changed(change))


@pytest.mark.parametrize("content", [b"", b"no network", default_onnx_path().read_bytes()[:1_000_000]])
def test_what_is_no_network_is_refused_in_one_line_and_silently(content: bytes, capfd) -> None:
    with pytest.raises(OnnxRuntimeError) as caught:
        OnnxRuntimeEngine(content)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_an_engine_that_breaks_raises_what_sessions_catch(capfd) -> None:
    engine = OnnxRuntimeEngine(default_onnx_path().read_bytes())
    with pytest.raises(RuntimeError, match="ONNX Runtime failed"):
        engine(np.zeros((1, 1, 95, 96), np.uint8))
    assert capfd.readouterr().err == ""
    assert len(engine(sample_crops(SIZE_PX))[0]) == 5, "and can go on"


def test_a_missing_package_is_told(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(OnnxRuntimeError, match="cannot be imported"):
        OnnxRuntimeEngine(default_onnx_path().read_bytes())


def test_usage_reports_are_off_before_it_is_imported() -> None:
    program = """
import builtins, os
real = builtins.__import__
def watch(name, *rest, **more):
    if name == "onnxruntime" and not seen:
        seen.append(os.environ.get("ORT_DISABLE_TELEMETRY"))
    return real(name, *rest, **more)
seen = []
builtins.__import__ = watch
from trainer.core.predictor import Predictor
print(Predictor.load(device="cpu").engine_name, seen)
"""
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, env=environment
    )
    assert (done.stdout, done.stderr) == ("ONNX Runtime ['1']\n", "")
    assert onnx_runtime.import_onnxruntime().__name__ == "onnxruntime"


def test_the_tolerance_is_for_numbers_alone() -> None:
    assert is_close(TOLERANCE_PX, TOLERANCE_LOGIT)
    assert not is_close(TOLERANCE_PX * 1.01, 0)
    assert not is_close(0, TOLERANCE_LOGIT * 1.01)
    assert not is_close(float("nan"), 0)
    assert largest_difference(np.zeros((2, 3), np.float32), np.zeros((3, 2), np.float32)) == float("inf")
    assert largest_difference(np.zeros(2, np.float32), np.float32([0, np.nan])) == float("inf")


@pytest.mark.parametrize(("name", "half"), [("compact", True), ("large", False)])
def test_weights_of_every_kind_convert(tmp_path: Path, name: str, half: bool) -> None:
    path = tmp_path / "own.safetensors"
    save_checkpoint(path, build_network(name), name=name, half=half)
    crops = sample_crops(SIZE_PX)
    found = Predictor.load(path, device="cpu", engine="onnxruntime")
    assert found.engine_name == "ONNX Runtime"
    squares = np.tile(np.float32([48, 48, 96]), (5, 1))
    wanted = Predictor.load(path, device="cpu", engine="pytorch").predict_crops(crops, squares)
    np.testing.assert_allclose(found.predict_crops(crops, squares).points_px, wanted.points_px, atol=TOLERANCE_PX)
