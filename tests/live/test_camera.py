"""Cameras: the ones that are not there, for real, and a driver that misbehaves."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from fkd_desktop.errors import SourceError, SourceProblem
from fkd_desktop.live.sources import (
    CameraSource,
    as_frame,
    cameras,
    make_source,
)
from fkd_desktop.live.sources.cameras import CameraInfo, CameraName
from fkd_desktop.live.sources.modes import CameraMode
from tests.live.helpers import (
    FakeCapture,
    assert_one_clear_sentence,
    picture,
    read_all,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_camera_that_does_not_exist() -> None:
    """The real thing: no machine has a hundred cameras."""
    with pytest.raises(SourceError) as caught:
        read_all(make_source("camera:97"))
    assert_one_clear_sentence(caught.value, "camera 97")


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or Path("/dev/video0").exists(), reason="there is a camera here"
)
def test_no_camera_at_all() -> None:
    with pytest.raises(SourceError) as caught:
        read_all(make_source("camera:0"))
    assert_one_clear_sentence(caught.value, "there is no camera 0", "plug one in")


@pytest.mark.parametrize("text", ["", "x", "-1", "0.5", "front camera", "²"])
def test_a_camera_without_a_number(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        make_source(f"camera:{text}")
    assert_one_clear_sentence(caught.value, f"camera:{text}", "camera:0")


def test_a_camera_that_is_taken(camera: Callable[[FakeCapture], None]) -> None:
    capture = FakeCapture([], is_open=False)
    camera(capture)
    source = make_source("camera:3")
    with pytest.raises(SourceError) as caught:
        source.open()
    assert_one_clear_sentence(caught.value, "Camera 3", "other programs")
    assert capture.released == 1


@pytest.mark.parametrize("found", [(), (CameraInfo("x", "Other", 0),)])
def test_a_number_that_the_system_does_not_list(
    camera: Callable[[FakeCapture], None], monkeypatch: pytest.MonkeyPatch, found: tuple[CameraInfo, ...]
) -> None:
    camera(FakeCapture([picture()]))
    monkeypatch.setattr(cameras, "list_cameras", lambda: found)
    with pytest.raises(SourceError) as caught:
        make_source("camera:1").open()
    assert caught.value.problem is SourceProblem.MISSING
    assert_one_clear_sentence(caught.value, "there is no camera 1", "plug one in")


def test_a_camera_is_asked_for_compressed_pictures_before_size_and_rate(camera: Callable[[FakeCapture], None]) -> None:
    capture = FakeCapture([picture()])
    camera(capture)
    source = CameraSource(CameraName(index=0, mode=CameraMode(640, 480, 25)))
    assert source.is_live
    source.open()
    assert capture.settings == [
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        (cv2.CAP_PROP_FRAME_WIDTH, 640),
        (cv2.CAP_PROP_FRAME_HEIGHT, 480),
        (cv2.CAP_PROP_FPS, 25),
        (cv2.CAP_PROP_BUFFERSIZE, 1),
    ]


def test_a_camera_may_miss_some_pictures_and_change_its_size(camera: Callable[[FakeCapture], None]) -> None:
    camera(FakeCapture([picture(), None, None, picture(31, 41), np.zeros((0, 0, 3), np.uint8), picture()[:, :, 0]]))
    source = make_source("camera:0")
    source.open()
    shapes = [frame.image_bgr.shape for frame in (source.read() for _ in range(3)) if frame is not None]
    assert shapes == [(50, 60, 3), (31, 41, 3), (50, 60, 3)]


def test_what_is_no_picture_is_left_out_and_counted(camera: Callable[[FakeCapture], None]) -> None:
    class Odd(FakeCapture):
        def retrieve(self) -> tuple[bool, np.ndarray | None]:
            if len(self.images) == 1:
                raise cv2.error("an assertion failed")
            return super().retrieve()

    shapes = ((50, 60, 2), (50, 60, 5), (2, 50, 60, 3))
    camera(Odd([*(np.zeros(shape, np.uint8) for shape in shapes), picture().astype(np.float32), picture(), picture()]))
    source = make_source("camera:0")
    source.open()
    frame = source.read()
    assert frame is not None and frame.image_bgr.shape == (50, 60, 3)
    assert source.damaged == 5


def test_a_camera_that_was_unplugged(camera: Callable[[FakeCapture], None]) -> None:
    capture = FakeCapture([picture()])
    camera(capture)
    source = make_source("camera:0")
    source.open()
    assert source.read() is not None
    with pytest.raises(SourceError) as caught:
        source.read()
    assert_one_clear_sentence(caught.value, "Camera 0", "plugged in")
    source.close()
    assert capture.released == 1


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (np.full((4, 6), 9, np.uint8), 9),
        (np.full((4, 6, 1), 9, np.uint8), 9),
        (np.full((4, 6, 4), 9, np.uint8), 9),
        (np.full((4, 6, 3), 9 << 8, np.uint16), 9),
        (np.asfortranarray(np.full((4, 6, 3), 9, np.uint8)), 9),
    ],
    ids=["grey", "one channel", "alpha", "16-bit", "another order in memory"],
)
def test_whatever_a_driver_sends_becomes_bgr(image: np.ndarray, expected: int) -> None:
    frame = as_frame(image)
    assert frame.shape == (4, 6, 3) and frame.dtype == np.uint8 and frame.flags.c_contiguous
    assert (frame == expected).all()
