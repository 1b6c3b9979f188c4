"""Loading the network for live use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from fkd_desktop.errors import NetworkError
from trainer.core.checkpoint import CheckpointError
from trainer.core.predictor import DeviceError, Predictor

if TYPE_CHECKING:
    from pathlib import Path


def load_predictor(weights: Path | None = None, *, device: str = "auto") -> Predictor:
    """Load a network and make it ready for the first frame. Importing this module imports torch, which takes seconds.

    Torch computes in one thread from then on: for a network this small a second one gains little, and as soon as
    another process computes, two threads that wait for each other are several times slower than one.

    Parameters
    ----------
    weights
        A safetensors file; None for the shipped weights.
    device
        See `trainer.core.names.DEVICE_NAMES`.

    Raises
    ------
    NetworkError
        If the weights or the device cannot be used.
    """
    torch.set_num_threads(1)
    try:
        predictor = Predictor.load(weights, device=device)
    except (CheckpointError, DeviceError) as error:
        raise NetworkError(str(error)) from error
    predictor.warm_up()
    return predictor
