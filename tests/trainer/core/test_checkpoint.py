import io
import json
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.trainer.tiny import small_disk
from trainer.core.checkpoint import load_checkpoint, save_checkpoint
from trainer.core.models import NETWORKS, build_network
from trainer.core.names import NETWORK_NAMES
from trainer.core.predictor import Predictor
from trainer.core.weights_file import CheckpointError, read_header

STORY = {"epoch": 7, "validation": {"nme_mean": 0.05}, "config": {"seed": 1, "model": "compact"}}


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return build_network("compact")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weights.safetensors"


@pytest.fixture
def refuses(is_one_sentence) -> Callable[..., str]:
    """Expect a file to be refused with one sentence that names it; return the sentence."""

    def check(path: Path) -> str:
        with pytest.raises(CheckpointError) as caught:
            load_checkpoint(path)
        assert str(path) in str(caught.value)
        assert is_one_sentence(caught.value)
        with pytest.raises(CheckpointError) as live:  # which looks at the header first, without torch
            Predictor.load(path, device="cpu", converted_dir=path.parent / "cache")
        assert str(live.value) == str(caught.value)
        return str(caught.value)

    return check


@pytest.fixture
def resave(network, path: Path) -> Callable[..., Path]:
    """Write the network after a change to its tensors or to the header's metadata."""

    def write(change: Callable[[dict[str, torch.Tensor]], object] = lambda state: None, **metadata: str) -> Path:
        state = {key: value.clone() for key, value in network.state_dict().items()}
        change(state)
        header = {"format": "fkd-keypoints", "format_version": "1", "network": "compact", "info": "{}"} | metadata
        save_file(state, path, header)
        return path

    return write


# --- round trips ---


def test_what_was_saved_is_loaded(network, path: Path) -> None:
    save_checkpoint(path, network, name="compact", info=STORY)
    checkpoint = load_checkpoint(path)
    assert checkpoint.name == "compact"
    assert checkpoint.info == STORY
    assert not checkpoint.network.training
    saved, loaded = network.state_dict(), checkpoint.network.state_dict()
    assert list(saved) == list(loaded)
    for key, value in saved.items():
        assert loaded[key].dtype == value.dtype
        assert torch.equal(loaded[key], value), key


def test_a_loaded_network_can_be_trained_and_saved_again(network, path: Path) -> None:
    save_checkpoint(path, network, name="compact")
    loaded = load_checkpoint(path).network.train()
    assert all(parameter.requires_grad for parameter in loaded.parameters())
    loaded(torch.rand(2, 1, 96, 96)).points.sum().backward()
    save_checkpoint(path, loaded, name="compact")
    load_checkpoint(path)


def test_half_precision_halves_the_file_and_keeps_the_keypoints(network, path: Path) -> None:
    save_checkpoint(path, network, name="compact")
    full_size = path.stat().st_size
    save_checkpoint(path, network, name="compact", half=True)
    assert path.stat().st_size < 0.55 * full_size
    loaded = load_checkpoint(path).network
    assert all(parameter.dtype == torch.float32 for parameter in loaded.parameters())
    crops = torch.rand(3, 1, 96, 96)
    with torch.inference_mode():
        full_px, half_px = 96 * network.eval()(crops).points, 96 * loaded(crops).points
    assert not torch.equal(full_px, half_px)
    torch.testing.assert_close(half_px, full_px, atol=0.05, rtol=0)


def test_saving_leaves_the_network_as_it_was(network, path: Path) -> None:
    before = {key: value.clone() for key, value in network.state_dict().items()}
    save_checkpoint(path, network, name="compact", half=True)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())


def test_a_channels_last_network_is_saved_too(network, path: Path) -> None:
    save_checkpoint(path, build_network("compact").to(memory_format=torch.channels_last), name="compact")
    load_checkpoint(path)


@pytest.mark.parametrize("network_name", ["simple"])
def test_the_baseline_is_kept_as_well(network_name: str, path: Path) -> None:
    save_checkpoint(path, build_network(network_name), name=network_name, half=True)
    assert load_checkpoint(path).name == network_name


def test_a_header_of_any_length_is_read(network, path: Path) -> None:
    """The file begins with the header's length, whose first byte may be that of a pickle: once in 32 files it is."""
    for padding in range(0, 264, 8):
        save_checkpoint(path, network, name="compact", info={"note": "x" * padding})
        if path.read_bytes().startswith(b"\x80"):
            break
    else:
        pytest.fail("no header had the length that was looked for")
    assert load_checkpoint(path).info["note"] == "x" * padding


def test_loaded_weights_do_not_change_with_their_file(network, path: Path) -> None:
    """The file may be written over while its network runs in the window."""
    save_checkpoint(path, network, name="compact")
    loaded = load_checkpoint(path).network
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 4)
        file.write(bytes(path.stat().st_size // 2))
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in loaded.state_dict().items())


def test_loading_draws_no_random_numbers(compact_weights: Path) -> None:
    """Fresh weights that are thrown away at once would cost time, and change what a seed gives."""
    before = torch.get_rng_state()
    load_checkpoint(compact_weights)
    assert torch.equal(torch.get_rng_state(), before)


# --- every fault has its sentence ---


def test_a_missing_file(path: Path, refuses) -> None:
    assert "there is no weights file" in refuses(path)


def test_a_folder(tmp_path: Path, refuses) -> None:
    assert "folder" in refuses(tmp_path)


def test_a_file_that_may_not_be_read(network, path: Path, refuses) -> None:
    save_checkpoint(path, network, name="compact")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    assert "permissions" in refuses(path)


@pytest.mark.parametrize("share", [0.0, 1e-6, 1e-3, 0.5, 0.999999])
def test_a_truncated_file(network, path: Path, refuses, share: float) -> None:
    save_checkpoint(path, network, name="compact")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "damaged" in refuses(path)


def test_a_file_with_something_behind_it(network, path: Path, refuses) -> None:
    save_checkpoint(path, network, name="compact")
    path.write_bytes(path.read_bytes() + b"more")
    assert "damaged" in refuses(path)


@pytest.mark.parametrize(
    "content",
    [
        b"GIF89a" * 100,
        bytes(1000),
        b"\xff" * 1000,
        b"<html>404</html>" * 20,
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 16) + b'{"a": {"dtype":}',
        struct.pack("<Q", 2**62) + b"{" * 100,
    ],
    ids=["gif", "zeros", "ones", "html", "empty header", "broken header", "absurd length"],
)
def test_a_file_of_something_else(content: bytes, path: Path, refuses) -> None:
    path.write_bytes(content)
    assert any(word in refuses(path) for word in ("damaged", "some other program"))


class Bomb:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.mark,))


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_bare_pickle_is_told_and_never_opened(path: Path, tmp_path: Path, refuses, protocol: int) -> None:
    path.write_bytes(pickle.dumps(Bomb(tmp_path / "exploded"), protocol=protocol))
    assert "pickle" in refuses(path)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("new_format", [True, False])
def test_a_torch_pickle_is_told_and_never_opened(path: Path, tmp_path: Path, refuses, new_format: bool) -> None:
    buffer = io.BytesIO()
    torch.save({"bomb": Bomb(tmp_path / "exploded")}, buffer, _use_new_zipfile_serialization=new_format)
    path.write_bytes(buffer.getvalue())
    assert "pickle" in refuses(path)
    assert not (tmp_path / "exploded").exists()


def test_weights_of_another_program(network, path: Path, refuses) -> None:
    save_file({"weight": torch.zeros(3)}, path)
    assert "some other program" in refuses(path)
    save_file({"weight": torch.zeros(3)}, path, {"format": "pt"})
    assert "some other program" in refuses(path)


@pytest.mark.parametrize("version", ["2", "10", "", "one", "1" * 5000, "-1"])
def test_another_format_version(resave, path: Path, refuses, version: str) -> None:
    if len(version) < 100:
        assert repr(version) in refuses(resave(format_version=version))
    else:
        with pytest.raises(CheckpointError):
            load_checkpoint(resave(format_version=version))


def test_an_unknown_network(resave, refuses) -> None:
    assert "'resnet'" in refuses(resave(network="resnet"))


def test_weights_of_another_network_than_they_say(resave, refuses) -> None:
    assert "simple" in refuses(resave(network="simple"))


def test_a_missing_tensor(resave, refuses) -> None:
    assert "lacks face.bias" in refuses(resave(lambda state: state.pop("face.bias")))


def test_an_unknown_tensor(resave, refuses) -> None:
    assert "extra" in refuses(resave(lambda state: state.update(extra=torch.zeros(1))))


def test_another_shape(resave, refuses) -> None:
    sentence = refuses(resave(lambda state: state.update({"face.weight": torch.zeros(1, 64)})))
    assert "face.weight" in sentence
    assert "(1, 64)" in sentence
    assert "(1, 96)" in sentence


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_values_that_are_not_numbers(resave, refuses, value: float) -> None:
    assert "cells.bias" in refuses(resave(lambda state: state["cells.bias"].__setitem__(5, value)))


@pytest.mark.parametrize("dtype", [torch.int32, torch.float64, torch.uint8])
def test_weights_of_another_type(resave, refuses, dtype: torch.dtype) -> None:
    sentence = refuses(resave(lambda state: state.update({"face.bias": torch.zeros(1, dtype=dtype)})))
    assert "face.bias" in sentence
    assert str(dtype) in sentence


def test_a_counter_of_another_type(resave, refuses) -> None:
    key = "top.norm.num_batches_tracked"
    assert key in refuses(resave(lambda state: state.update({key: torch.tensor(1.5)})))


@pytest.mark.parametrize("info", ["{", "[" * 100_000, '{"a": ' + "9" * 5000 + "}"], ids=["cut", "deep", "long number"])
def test_a_damaged_story(resave, refuses, info: str) -> None:
    assert "damaged header" in refuses(resave(info=info))


@pytest.mark.parametrize("info", ["[]", "3", "null"])
def test_a_story_that_is_no_story_is_left_out(resave, info: str) -> None:
    assert load_checkpoint(resave(info=info)).info == {}


def test_a_file_whose_tensors_overlap(network, path: Path, refuses) -> None:
    """Both tensors claim the same bytes of the file."""
    content = save_to_bytes(network, path)
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    header["face.bias"]["data_offsets"] = [0, 4]
    rewritten = json.dumps(header, separators=(",", ":")).encode().ljust(length)[:length]
    path.write_bytes(content[:8] + rewritten + content[8 + length :])
    assert "damaged" in refuses(path)


def save_to_bytes(network, path: Path) -> bytes:
    save_checkpoint(path, network, name="compact")
    return path.read_bytes()


# --- writing ---


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_full_disk_leaves_the_old_weights(network, path: Path) -> None:
    old = save_to_bytes(network, path)
    with small_disk() as limit, pytest.raises(OSError, match="too large"):
        limit(100_000)
        save_checkpoint(path, build_network("compact"), name="compact")
    assert path.read_bytes() == old
    assert names_in(path.parent) == [path.name]


def test_the_file_is_plain_safetensors(network, path: Path) -> None:
    save_checkpoint(path, network, name="compact")
    assert set(load_file(path)) == set(network.state_dict())


# --- the header alone, without torch ---


def test_the_header_says_what_the_checkpoint_says(network, path: Path) -> None:
    save_checkpoint(path, network, name="compact", info=STORY)
    assert read_header(path) == ("compact", STORY)
    assert tuple(NETWORK_NAMES) == tuple(NETWORKS)


def test_the_header_is_refused_in_the_same_words(resave, path: Path, tmp_path: Path) -> None:
    def told(read: Callable[[Path], object], path: Path) -> str:
        with pytest.raises(CheckpointError) as caught:
            read(path)
        return str(caught.value)

    pickled = tmp_path / "pickled.pt"
    torch.save({"weights": torch.zeros(3)}, pickled)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(resave().read_bytes()[:-1])
    empty = tmp_path / "empty.safetensors"
    empty.touch()
    for bad in (tmp_path / "gone", tmp_path, pickled, cut, empty):
        assert told(read_header, bad) == told(load_checkpoint, bad)
    for metadata in ({"format": "other"}, {"format_version": "2"}, {"network": "resnet"}, {"info": "["}):
        assert told(read_header, resave(**metadata)) == told(load_checkpoint, path)
