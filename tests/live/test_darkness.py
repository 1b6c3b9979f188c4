"""When a camera's picture is black enough, and for long enough, for a hint."""

from __future__ import annotations

import numpy as np
import pytest

from fkd_desktop.live.darkness import DARK_S, DarknessWatch, is_black
from tests.live.helpers import DemoFrame

BLACK = np.zeros((480, 640, 3), np.uint8)
GREY = np.full((480, 640, 3), 60, np.uint8)


def covered() -> np.ndarray:
    """A covered sensor, with the noise that its driver makes of nothing."""
    noise = np.random.default_rng(7).normal(6, 5, (480, 640, 3))
    return np.clip(noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("frame", [BLACK, covered(), np.zeros((1, 1, 3), np.uint8)])
def test_black(frame: np.ndarray) -> None:
    assert is_black(frame)


def test_a_dim_room_and_a_face_in_the_light_of_a_screen_are_not_black(demo: dict[int, DemoFrame]) -> None:
    assert not is_black(GREY)
    dim = (demo[0].image_bgr * 0.2).astype(np.uint8)
    assert not is_black(dim)
    lit = BLACK.copy()
    lit[200:280, 300:380] = 80
    assert not is_black(lit)


def test_it_is_told_once_after_a_while_and_once_when_it_ends() -> None:
    watch = DarknessWatch()
    told = [t / 10 for t in range(50) if watch.look(BLACK, t / 10)]
    assert told == [pytest.approx(DARK_S)]
    assert watch.is_dark
    assert watch.look(GREY, 5.0)
    assert not watch.is_dark
    assert not watch.look(GREY, 5.1)


def test_a_flicker_is_not_told() -> None:
    watch = DarknessWatch()
    assert not any(watch.look(GREY if t % 10 == 0 else BLACK, t / 10) for t in range(100))
