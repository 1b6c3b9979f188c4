"""Loading the network for live use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from fkd_desktop.errors import NetworkError
from fkd_desktop.live.network import load_predictor
from tests.live.helpers import assert_one_clear_sentence

if TYPE_CHECKING:
    from pathlib import Path


def test_the_shipped_network_is_loaded_and_computes_in_one_thread() -> None:
    torch.set_num_threads(2)
    predictor = load_predictor(device="cpu")
    assert predictor.network_name == "compact" and predictor.device == "cpu"
    assert torch.get_num_threads() == 1


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
