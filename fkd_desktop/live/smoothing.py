"""One-Euro filter for keypoints: still on a still face, quick on a moving one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from trainer.core.keypoints import NUM_KEYPOINTS

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
    """Smooths the keypoints of any number of faces, all in one go.

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
    faces
        How many there are at first.
    """

    def __init__(self, settings: SmoothingSettings | None, *, faces: int = 1) -> None:
        self.settings = settings
        self._times_s = np.full(faces, -np.inf)
        self._points = np.zeros((faces, NUM_KEYPOINTS, 2), np.float32)
        self._raw, self._velocity = self._points.copy(), self._points.copy()

    def __len__(self) -> int:
        return len(self._times_s)

    def keep(self, faces: NDArray[np.bool_] | NDArray[np.int64]) -> None:
        """Forget all but these faces; they take their order from the numbers given."""
        self._times_s, self._points = self._times_s[faces], self._points[faces]
        self._raw, self._velocity = self._raw[faces], self._velocity[faces]

    def add(self, faces: int) -> None:
        """Make room for new faces, behind the others."""
        new = OneEuroFilter(self.settings, faces=faces)
        self._times_s = np.concatenate([self._times_s, new._times_s])
        self._points = np.concatenate([self._points, new._points])
        self._raw = np.concatenate([self._raw, new._raw])
        self._velocity = np.concatenate([self._velocity, new._velocity])

    def __call__(
        self,
        points_px: NDArray[np.float32],
        *,
        timestamp_s: float,
        faces_px: NDArray[np.float32],
        measured: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.float32]:
        """Filter the next measurements.

        Parameters
        ----------
        points_px
            (N, 68, 2) in frame pixels.
        timestamp_s
            Their time; a face's filter restarts where it did not advance.
        faces_px
            (N,) sizes of the faces, to measure speed in.
        measured
            (N,) bool: whose points are measurements; the others stay as they are. None for all.

        Returns
        -------
        (N, 68, 2) float32, not to be written.
        """
        steps_s = timestamp_s - self._times_s
        is_new = ~((steps_s > 0) & np.isfinite(steps_s))
        times_s = np.full(len(self), timestamp_s)
        points, velocity = self._filtered(points_px, np.where(is_new, 1.0, steps_s), np.maximum(faces_px, 1.0))
        if is_new.any():
            points = np.where(is_new[:, None, None], points_px, points)
            velocity[is_new] = 0
        raw = points_px
        if measured is not None and not measured.all():
            rows = measured[:, None, None]
            times_s = np.where(measured, times_s, self._times_s)
            points, raw = np.where(rows, points, self._points), np.where(rows, raw, self._raw)
            velocity = np.where(rows, velocity, self._velocity)
        self._times_s, self._points, self._raw, self._velocity = times_s, points, raw, velocity
        return points

    def _filtered(
        self, points_px: NDArray[np.float32], steps_s: NDArray[np.float64], faces_px: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Points and velocities of all faces, as if each had been seen `steps_s` ago."""
        settings = self.settings
        velocity = (points_px - self._raw) / _column(steps_s * faces_px)
        # Without settings the speed is still kept up to date, so that smoothing can begin at any time.
        speed_cutoff_hz = settings.speed_cutoff_hz if settings else SmoothingSettings.speed_cutoff_hz
        velocity -= self._velocity
        velocity *= _column(1.0 / (1.0 + 1.0 / (2.0 * np.pi * speed_cutoff_hz * steps_s)))
        velocity += self._velocity
        if settings is None:
            return points_px, velocity
        point_speed = np.sqrt(np.square(velocity).sum(axis=-1, keepdims=True))
        face_speed = _rigid_speeds(points_px / _column(faces_px), velocity)[:, None, None]
        speed = np.maximum(np.maximum(point_speed, face_speed) - np.float32(settings.dead_speed), 0)
        cutoff_hz = settings.min_cutoff_hz + settings.speed_gain * speed
        blend = 1.0 / (1.0 + 1.0 / (2.0 * np.pi * cutoff_hz * _column(steps_s)))
        smoothed = self._points + blend * (points_px - self._points)
        return smoothed.astype(np.float32, copy=False), velocity


def _column(values: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """(N,) numbers as (N, 1, 1) float32, to go with (N, 68, 2) points."""
    return values.astype(np.float32)[:, None, None]


def _rigid_speeds(points: NDArray[np.float32], velocity: NDArray[np.float32]) -> NDArray[np.float32]:
    """RMS speed of each face's points if it only shifts, turns and grows, in the way nearest to its (68, 2) speeds."""
    mean = velocity.mean(axis=1, keepdims=True)
    places, speeds = points - points.mean(axis=1, keepdims=True), velocity - mean
    size = np.square(places).sum(axis=(1, 2))
    growth = (places * speeds).sum(axis=(1, 2))
    turn = (places[..., 0] * speeds[..., 1] - places[..., 1] * speeds[..., 0]).sum(axis=1)
    similar = (np.square(growth) + np.square(turn)) / (np.maximum(size, 1e-12) * points.shape[1])
    return np.asarray(np.sqrt(np.square(mean).sum(axis=(1, 2)) + similar), np.float32)
