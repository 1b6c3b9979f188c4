"""The One-Euro filter of one face, one formula a line: what `fkd_desktop.live.smoothing` has to agree with."""

from __future__ import annotations

import math

import numpy as np

from fkd_desktop.live.smoothing import SmoothingSettings


class PlainOneEuro:
    def __init__(self, settings: SmoothingSettings | None) -> None:
        self.settings = settings
        self.time_s: float | None = None

    def __call__(self, points_px: np.ndarray, *, timestamp_s: float, face_px: float) -> np.ndarray:
        points_px = points_px.astype(np.float64)
        if self.time_s is None or timestamp_s <= self.time_s:
            self.time_s, self.points, self.raw, self.velocity = timestamp_s, points_px, points_px, 0 * points_px
            return points_px
        settings = self.settings or SmoothingSettings()
        step_s = timestamp_s - self.time_s
        velocity = (points_px - self.raw) / (step_s * max(face_px, 1.0))
        self.velocity = self.velocity + blend(settings.speed_cutoff_hz, step_s) * (velocity - self.velocity)
        point_speed = np.linalg.norm(self.velocity, axis=-1, keepdims=True)
        speed = np.maximum(point_speed, rigid_speed(points_px / max(face_px, 1.0), self.velocity))
        cutoff_hz = settings.min_cutoff_hz + settings.speed_gain * np.maximum(speed - settings.dead_speed, 0)
        smoothed = self.points + blend(cutoff_hz, step_s) * (points_px - self.points)
        self.time_s, self.raw = timestamp_s, points_px
        self.points = points_px if self.settings is None else smoothed
        return self.points


def rigid_speed(points: np.ndarray, velocity: np.ndarray) -> float:
    """RMS speed of the similarity motion (shift, turn, growth) that fits the velocities best, by least squares."""
    x, y = (points - points.mean(axis=0)).T
    nothing, one = np.zeros_like(x), np.ones_like(x)
    motion = np.concatenate([np.stack([one, nothing, x, -y], axis=1), np.stack([nothing, one, y, x], axis=1)])
    fitted = motion @ np.linalg.lstsq(motion, velocity.T.ravel(), rcond=None)[0]
    return math.sqrt(float(np.square(fitted).sum()) / len(points))


def blend(cutoff_hz: float | np.ndarray, step_s: float) -> float | np.ndarray:
    return 1.0 / (1.0 + 1.0 / (2.0 * math.pi * cutoff_hz * step_s))
