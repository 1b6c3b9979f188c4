"""Which mode is asked for."""

from __future__ import annotations

import pytest

from fkd_desktop.live.sources.modes import (
    CameraMode,
    choices,
    choose,
    choose_automatically,
    format_mode,
    parse_mode,
)

HD = CameraMode(1280, 720, 30)


def test_compressed_pictures_where_they_come_quicker() -> None:
    """Users of webcamoid got 5 frames a second for want of this (its issue 707)."""
    modes = [CameraMode(1280, 720, 10, "YUYV"), CameraMode(1280, 720, 30, "MJPG")]
    assert choose(modes, HD) == CameraMode(1280, 720, 30, "MJPG")


def test_uncompressed_pictures_where_they_are_as_quick() -> None:
    modes = [CameraMode(1280, 720, 30, "MJPG"), CameraMode(1280, 720, 29.97, "YUYV")]
    assert choose(modes, HD) == CameraMode(1280, 720, 29.97, "YUYV")


def test_a_format_that_is_wished_for() -> None:
    modes = [CameraMode(1280, 720, 30, "MJPG"), CameraMode(1280, 720, 10, "YUYV")]
    assert choose(modes, CameraMode(1280, 720, 30, "YUYV")) == modes[1]
    assert choose(modes, CameraMode(1280, 720, 30, "NV12")) == modes[0]


def test_the_nearest_size_and_rate() -> None:
    modes = [CameraMode(640, 480, 30, "MJPG"), CameraMode(1920, 1080, 30, "MJPG"), CameraMode(1920, 1080, 15, "MJPG")]
    assert choose(modes, CameraMode(1600, 1200, 20)) == CameraMode(1920, 1080, 15, "MJPG")
    assert choose([], HD) is None


def test_automatic_prefers_a_smaller_picture_to_a_jerky_one() -> None:
    modes = [CameraMode(1280, 720, 10, "YUYV"), CameraMode(640, 480, 30, "YUYV"), CameraMode(160, 120, 30, "YUYV")]
    assert choose_automatically(modes) == modes[1]
    assert choose_automatically(modes[:1]) == modes[0]
    assert choose_automatically([]) is None


def test_each_size_and_rate_is_one_choice() -> None:
    modes = [CameraMode(640, 480, 30, "MJPG"), CameraMode(1280, 720, 30, "MJPG"), CameraMode(640, 480, 30, "YUYV")]
    assert choices(modes) == (CameraMode(1280, 720, 30, "MJPG"), CameraMode(640, 480, 30, "YUYV"))


@pytest.mark.parametrize("mode", [HD, CameraMode(640, 480, 29.97), CameraMode(640, 480, 7.5, "YUYV")])
def test_a_wish_can_be_written_and_read(mode: CameraMode) -> None:
    assert parse_mode(format_mode(mode)) == mode


def test_a_dark_room() -> None:
    assert HD.is_far_above(15)
    assert not HD.is_far_above(25)
    assert not HD.is_far_above(0), "nothing was measured yet"
    assert not CameraMode(640, 480, 0).is_far_above(10), "nothing was told"
