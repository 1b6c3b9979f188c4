"""One-Euro filter for keypoints: still on a still face, quick on a moving one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class SmoothingLevel(Enum):
    """How strongly keypoints are smoothed, in a user's words."""

    OFF = auto()
    LOW = auto()
    HIGH = auto()


@dataclass(frozen=True)
class SmoothingSettings:
    """How strongly keypoints are smoothed.

    Attributes
    ----------
    min_cutoff_hz
        Cut-off on a still face: lower is steadier.
    speed_gain
        Cut-off gained, in Hz, for each face width a second of speed: higher lags less.
    speed_cutoff_hz
        Cut-off of the speed estimate itself.
    """

    min_cutoff_hz: float = 0.6
    speed_gain: float = 25.0
    speed_cutoff_hz: float = 3.0


class OneEuroFilter:
    """Smooths the keypoints of one face.

    G. Casiez, N. Roussel and D. Vogel, "1€ filter: a simple speed-based low-pass filter for noisy input in interactive
    systems", CHI 2012, https://gery.casiez.net/1euro/. Speed is measured in face widths a second, so a face far away is
    smoothed like one nearby, and it is that of the point or of the whole face, whichever is more: when the head moves,
    no point is left behind.
    """

    def __init__(self, settings: SmoothingSettings | None = None) -> None:
        self._settings = settings or SmoothingSettings()
        self._time_s: float | None = None
        self._points: NDArray[np.float32] = np.empty(0, np.float32)
        self._raw: NDArray[np.float32] = np.empty(0, np.float32)
        self._velocity: NDArray[np.float32] = np.empty(0, np.float32)

    def __call__(self, points_px: NDArray[np.float32], *, timestamp_s: float, face_px: float) -> NDArray[np.float32]:
        """Filter the next measurement.

        Parameters
        ----------
        points_px
            (68, 2) in frame pixels.
        timestamp_s
            Its time; a time that did not advance restarts the filter.
        face_px
            Size of the face, to measure speed in.

        Returns
        -------
        (68, 2) float32.
        """
        if self._time_s is None or timestamp_s <= self._time_s:
            self._time_s, self._points, self._raw = timestamp_s, points_px, points_px
            self._velocity = np.zeros_like(points_px)
            return points_px
        step_s = timestamp_s - self._time_s
        velocity = (points_px - self._raw) / (step_s * max(face_px, 1.0))
        self._velocity = self._velocity + _blend(self._settings.speed_cutoff_hz, step_s) * (velocity - self._velocity)
        point_speed = np.linalg.norm(self._velocity, axis=-1, keepdims=True)
        face_speed = np.linalg.norm(self._velocity.mean(axis=0))
        cutoff_hz = self._settings.min_cutoff_hz + self._settings.speed_gain * np.maximum(point_speed, face_speed)
        smoothed = self._points + _blend(cutoff_hz, step_s) * (points_px - self._points)
        self._time_s, self._raw, self._points = timestamp_s, points_px, smoothed.astype(np.float32)
        return self._points


def _blend(cutoff_hz: float | NDArray[np.float32], step_s: float) -> float | NDArray[np.float32]:
    """Share of the new value in an exponential filter of this cut-off."""
    return 1.0 / (1.0 + 1.0 / (2.0 * math.pi * cutoff_hz * step_s))
