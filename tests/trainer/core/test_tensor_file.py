from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save

from trainer.core.models import build_network
from trainer.core.tensor_file import write_tensors

METADATA = {"info": '{"name": "é"}'}  # one entry: the library puts more in any order


@pytest.mark.parametrize("half", [False, True])
def test_the_file_is_the_librarys_byte_for_byte(tmp_path: Path, half: bool) -> None:
    network = build_network("compact").to(memory_format=torch.channels_last)
    state = {
        key: value.half() if half and value.is_floating_point() else value
        for key, value in network.state_dict().items()
    }
    write_tensors(tmp_path / "file", state, METADATA)
    in_order = {key: value.contiguous() for key, value in state.items()}
    assert (tmp_path / "file").read_bytes() == save(in_order, METADATA)


def test_tensors_of_any_size_come_back(tmp_path: Path) -> None:
    tensors = {
        "none": torch.zeros(0, 3),
        "one": torch.tensor(7),
        "turned": torch.rand(5, 4).t(),
        "odd": torch.rand(3, dtype=torch.float32).half(),
    }
    write_tensors(tmp_path / "file", tensors, {})
    back = load_file(tmp_path / "file")
    assert back.keys() == tensors.keys()
    assert all(torch.equal(back[name], tensors[name]) for name in tensors)


def test_another_type_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="float64"):
        write_tensors(tmp_path / "file", {"a": torch.zeros(1, dtype=torch.float64)}, {})
    assert list(tmp_path.iterdir()) == []
