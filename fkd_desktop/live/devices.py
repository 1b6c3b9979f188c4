"""Where the network can run here, and how quick it is there."""

from __future__ import annotations

import logging
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fkd_desktop.errors import NetworkError
from fkd_desktop.live.network import load_predictor
from trainer.core.devices import available_devices

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from trainer.core.names import DeviceName

_log = logging.getLogger(__name__)

ROUNDS: Final = 12
BOX_XYWH: Final = (220.0, 120.0, 200.0, 200.0)


@dataclass(frozen=True)
class DeviceSpeed:
    """A device that works.

    Attributes
    ----------
    device
        Its name, as `trainer.core.names.DEVICE_NAMES` has it.
    ms_per_frame
        Median time of crop and network for one face in a 640 x 480 frame.
    engine_name
        What computes the network there, as users read it.
    """

    device: DeviceName
    ms_per_frame: float
    engine_name: str


def measure_devices(
    weights: Path | None = None, *, should_stop: Callable[[], bool] = lambda: False
) -> tuple[DeviceSpeed, ...]:
    """Try every device there is with the network; leave out those that fail. Takes about a second each.

    Parameters
    ----------
    weights
        A safetensors file; None for the shipped weights.
    should_stop
        Asked between two rounds.

    Raises
    ------
    NetworkError
        If the weights cannot be used at all.
    """
    frame_bgr = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    speeds = []
    for device in available_devices():
        if should_stop():
            break
        try:
            predictor = load_predictor(weights, device=device)
            times_ms = []
            for _ in range(ROUNDS):
                start_s = time.perf_counter()
                predictor.predict(frame_bgr, [BOX_XYWH])
                times_ms.append(1000 * (time.perf_counter() - start_s))
                if should_stop():
                    break
        except (NetworkError, RuntimeError) as error:
            if device == "cpu":
                raise
            _log.warning("%s is not offered: %s", device, error)
            continue
        speeds.append(DeviceSpeed(device, statistics.median(times_ms), predictor.engine_name))
    return tuple(speeds)
