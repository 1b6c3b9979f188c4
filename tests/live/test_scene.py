"""Telling cuts from motion, noise and light."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fkd_desktop.live.scene import LEAST_PAUSE_S, SceneWatch


def room(seed: int, *, height: int = 240, width: int = 320) -> np.ndarray:
    blots = np.random.default_rng(seed).uniform(20, 230, (6, 8, 3)).astype(np.float32)
    return np.clip(cv2.resize(blots, (width, height), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)


def watching(*frames: np.ndarray, step_s: float = 1.0) -> list[bool]:
    watch = SceneWatch()
    return [watch.is_cut(frame, k * step_s) for k, frame in enumerate(frames)]


def test_another_scene_is_a_cut_and_the_first_is_none() -> None:
    assert watching(room(1), room(1), room(2), room(2), room(3)) == [False, False, True, False, True]


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (17, 9), (1080, 1920)], ids=str)
def test_every_size_of_frame(size: tuple[int, int]) -> None:
    height, width = size
    assert watching(*[room(1, height=height, width=width)] * 3) == [False] * 3


def test_light_is_no_cut() -> None:
    bright = room(1)
    dark, dim = (bright * 0.02).astype(np.uint8), (bright * 0.4).astype(np.uint8)
    assert watching(bright, dim, bright, dark, bright, np.zeros_like(bright), bright) == [False] * 7


def test_noise_and_motion_are_no_cuts() -> None:
    noise = np.random.default_rng(0).normal(0, 12, (10, 240, 320, 3))
    frames = [np.clip(np.roll(room(1), 6 * k, axis=1) + noise[k], 0, 255).astype(np.uint8) for k in range(10)]
    assert watching(*frames) == [False] * 10


def test_a_flickering_source_is_not_looked_at_all_the_time() -> None:
    step_s = LEAST_PAUSE_S / 4.5
    cuts = watching(*[room(k % 2) for k in range(40)], step_s=step_s)
    assert 1 < sum(cuts) <= 40 * step_s / LEAST_PAUSE_S


def test_after_a_reset_nothing_is_known() -> None:
    watch = SceneWatch()
    watch.is_cut(room(1), 0.0)
    watch.reset()
    assert not watch.is_cut(room(2), 1.0)
