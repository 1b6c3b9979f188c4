"""Headers of real weights files, whole and damaged; `load_checkpoint` is the judge of what may be refused."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.numpy import save
from torch import zeros

from trainer.core.checkpoint import FORMAT, FORMAT_VERSION, CheckpointError, load_checkpoint, save_checkpoint
from trainer.core.models import NETWORKS, build_network
from trainer.core.names import NETWORK_NAMES
from trainer.core.resources import default_weights_path
from trainer.weights_header import WeightsError, read_weights_header


def with_header(path: Path, tmp_path: Path, **metadata: str) -> Path:
    """Write a copy of a weights file whose metadata say something else."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] |= metadata
    text = json.dumps(header).encode()
    changed = tmp_path / "changed.safetensors"
    changed.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])
    return changed


def test_it_says_what_the_checkpoint_says(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_checkpoint(path, build_network("large"), name="large", info={"epoch": 3, "config": {"seed": 7}})
    header = read_weights_header(path)
    assert (header.network, header.info) == ("large", {"epoch": 3, "config": {"seed": 7}})
    assert header.config == {"seed": 7}
    checkpoint = load_checkpoint(path)
    assert (checkpoint.name, checkpoint.info) == (header.network, header.info)


def test_the_shipped_weights_are_read_without_torch() -> None:
    program = (
        "import sys; from trainer.weights_header import read_weights_header;"
        f"print(read_weights_header({str(default_weights_path())!r}).network, 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.split() == ["compact", "False"]


def test_a_file_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_checkpoint(path, build_network("compact"), name="compact")
    assert read_weights_header(path).network == "compact"
    save_checkpoint(path, build_network("large"), name="large")
    assert read_weights_header(path).network == "large"


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "text": lambda _: b"these are my weights",
    "pickle": lambda _: pickle.dumps({"weight": list(range(100))}),
    "cut": lambda content: content[:-1],
    "cut in the header": lambda content: content[:500],
    "longer": lambda content: content + b"\0",
    "endless header": lambda content: (1 << 60).to_bytes(8, "little") + content[8:],
    "a list": lambda _: (2).to_bytes(8, "little") + b"[]",
    "deep": lambda _: (50_000).to_bytes(8, "little") + b"[" * 50_000,
    "of another program": lambda _: save({"weight": zeros(2).numpy()}),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused(damage: str, compact_weights: Path, tmp_path: Path, is_one_sentence) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(DAMAGES[damage](compact_weights.read_bytes()))
    assert_refused(path, is_one_sentence)


@pytest.mark.parametrize(("name", "protocol"), [("a.safetensors", 2), ("a.safetensors", 5), ("a.pt", 0), ("a.PTH", 4)])
def test_a_pickle_is_refused_with_how_to_convert_it(name: str, protocol: int, tmp_path: Path, is_one_sentence) -> None:
    path = tmp_path / name
    path.write_bytes(pickle.dumps({"weight": list(range(100))}, protocol=protocol))
    assert_refused(path, is_one_sentence)
    for read, error in ((load_checkpoint, CheckpointError), (read_weights_header, WeightsError)):
        with pytest.raises(error, match=r"pickle.*convert it.*torch.load.*save_checkpoint"):
            read(path)


@pytest.mark.parametrize("end", ["true", "1.5", '"a"', "null", "[]"])
def test_an_end_that_is_no_number_is_refused(end: str, tmp_path: Path, is_one_sentence) -> None:
    text = f'{{"a": {{"dtype": "F32", "shape": [1], "data_offsets": [0, {end}]}}}}'.encode()
    (tmp_path / "bad.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + b"\0")
    assert_refused(tmp_path / "bad.safetensors", is_one_sentence)


def test_a_name_of_a_tensor_stays_on_its_line(tmp_path: Path, is_one_sentence) -> None:
    header = b'{"first\\nsecond\\u0007": {"dtype": "F32", "shape": [1], "data_offsets": [1, 0]}}'
    (tmp_path / "bad.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(tmp_path / "bad.safetensors")
    assert is_one_sentence(caught.value) and str(caught.value).isprintable()


@pytest.mark.parametrize(
    "metadata",
    [{"format": "fkd-training-state"}, {"format_version": "2"}, {"network": "resnet"}, {"info": "{"}],
    ids=lambda metadata: next(iter(metadata)),
)
def test_what_this_program_does_not_know_is_refused(
    metadata: dict[str, str], compact_weights: Path, tmp_path: Path, is_one_sentence
) -> None:
    assert_refused(with_header(compact_weights, tmp_path, **metadata), is_one_sentence)


def test_what_is_no_file_is_refused(compact_weights: Path, tmp_path: Path, is_one_sentence) -> None:
    for path in (tmp_path, tmp_path / "missing.safetensors", compact_weights / "beyond.safetensors"):
        assert_refused(path, is_one_sentence)


def assert_refused(path: Path, is_one_sentence) -> None:
    with pytest.raises(CheckpointError):  # nor may it be loaded
        load_checkpoint(path)
    with pytest.raises(WeightsError) as caught:
        read_weights_header(path)
    assert is_one_sentence(caught.value)
    assert path.name in str(caught.value)


def test_info_that_is_no_object_is_none(compact_weights: Path, tmp_path: Path) -> None:
    header = read_weights_header(with_header(compact_weights, tmp_path, info='["config"]'))
    assert header.info == header.config == {}
    assert read_weights_header(with_header(compact_weights, tmp_path, info='{"config": 3}')).config == {}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="everything can be read here")
def test_a_file_that_may_not_be_read_is_refused(compact_weights: Path, tmp_path: Path) -> None:
    path = tmp_path / "secret.safetensors"
    path.write_bytes(compact_weights.read_bytes())
    path.chmod(0)
    with pytest.raises(WeightsError, match="cannot be read"):
        read_weights_header(path)


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 5000])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(WeightsError):
        read_weights_header(name)


def test_it_expects_what_checkpoints_write() -> None:
    from trainer import weights_header

    assert (FORMAT, str(FORMAT_VERSION)) == weights_header._FORMAT
    assert set(NETWORK_NAMES) == set(NETWORKS)
