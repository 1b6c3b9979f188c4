"""One-Euro filter for keypoints: still on a still face, quick on a moving one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class SmoothingLevel(Enum):
    """How strongly keypoints are smoothed, in a user's words."""

    OFF = auto()
    LOW = auto()
    HIGH = auto()

    @property
    def settings(self) -> SmoothingSettings | None:
        """The filter's settings; None where every measurement is shown as it is."""
        return _SETTINGS[self]


@dataclass(frozen=True)
class SmoothingSettings:
    """How strongly keypoints are smoothed; the values are those of `SmoothingLevel.LOW`.

    Attributes
    ----------
    min_cutoff_hz
        Cut-off on a still face: lower is steadier.
    speed_gain
        Cut-off gained, in Hz, for each face width a second of speed above the dead speed: higher lags less.
    dead_speed
        Speed, in face widths a second, that a still face's noise seems to have, and which therefore gains nothing. A
        face that really moves so slowly stays behind by at most dead_speed / (2 pi min_cutoff_hz) of its width.
    speed_cutoff_hz
        Cut-off of the speed estimate itself.
    """

    min_cutoff_hz: float = 1.2
    speed_gain: float = 90.0
    dead_speed: float = 0.05
    speed_cutoff_hz: float = 3.0


_SETTINGS: Final = {
    SmoothingLevel.OFF: None,
    SmoothingLevel.LOW: SmoothingSettings(),
    SmoothingLevel.HIGH: SmoothingSettings(min_cutoff_hz=0.6, speed_gain=60.0, dead_speed=0.06),
}


class OneEuroFilter:
    """Smooths the keypoints of one face.

    G. Casiez, N. Roussel and D. Vogel, "1€ filter: a simple speed-based low-pass filter for noisy input in interactive
    systems", CHI 2012, https://gery.casiez.net/1euro/. Speed is measured in face widths a second, so a face far away is
    smoothed like one nearby, and it is that of the point or of the whole face, whichever is more: when the head moves,
    turns or comes nearer, no point is left behind. Unlike in the paper, the cut-off grows only from a dead speed on:
    the speed of a still face is noise, and following it undoes half of the smoothing (docs/decisions/0011).

    Parameters
    ----------
    settings
        How strongly; None passes measurements on. The attribute may be set between two of them: the filter goes on from
        where it is.
    """

    def __init__(self, settings: SmoothingSettings | None) -> None:
        self.settings = settings
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
        settings = self.settings
        if self._time_s is None or timestamp_s <= self._time_s:
            self._time_s, self._points, self._raw = timestamp_s, points_px, points_px
            self._velocity = np.zeros_like(points_px)
            return points_px
        step_s = timestamp_s - self._time_s
        velocity = (points_px - self._raw) / (step_s * max(face_px, 1.0))
        # Without settings the speed is still kept up to date, so that smoothing can begin at any time.
        speed_cutoff_hz = settings.speed_cutoff_hz if settings else SmoothingSettings.speed_cutoff_hz
        self._velocity = self._velocity + _blend(speed_cutoff_hz, step_s) * (velocity - self._velocity)
        smoothed = points_px
        if settings is not None:
            point_speed = np.sqrt(np.square(self._velocity).sum(axis=-1, keepdims=True))
            face_speed = _rigid_speed(points_px / max(face_px, 1.0), self._velocity)
            speed = np.maximum(np.maximum(point_speed, face_speed) - settings.dead_speed, 0)
            cutoff_hz = settings.min_cutoff_hz + settings.speed_gain * speed
            smoothed = self._points + _blend(cutoff_hz, step_s) * (points_px - self._points)
        self._time_s, self._raw, self._points = timestamp_s, points_px, smoothed.astype(np.float32, copy=False)
        return self._points


def _rigid_speed(points: NDArray[np.float32], velocity: NDArray[np.float32]) -> float:
    """RMS speed of the points if the face only shifts, turns and grows, in the way nearest to their (68, 2) speeds."""
    mean = velocity.mean(axis=0)
    (x, y), (u, v) = (points - points.mean(axis=0)).T, (velocity - mean).T
    size = float(x @ x + y @ y)
    growth, turn = float(x @ u + y @ v), float(x @ v - y @ u)
    return math.sqrt(float(mean @ mean) + (growth**2 + turn**2) / (max(size, 1e-12) * len(points)))


def _blend(cutoff_hz: float | NDArray[np.float32], step_s: float) -> float | NDArray[np.float32]:
    """Share of the new value in an exponential filter of this cut-off."""
    return 1.0 / (1.0 + 1.0 / (2.0 * math.pi * cutoff_hz * step_s))
