"""Painting a result: the frame itself is exact, at every size, and the layers lie where the frame does."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from fkd_desktop.live.result import FrameResult
from fkd_desktop.overlays import BoxesLayer, KeypointsLayer, frame_image, paint_result, render
from fkd_desktop.overlays.layers import PART_COLOURS
from fkd_desktop.overlays.render import scaled_image
from tests.overlays.helpers import face_points, make_layers, paint_into, result_of

pytestmark = pytest.mark.usefixtures("qapp")

SIZES = [(1, 1), (3, 5), (240, 320), (241, 321), (479, 641), (480, 640), (1080, 1920), (1920, 1080)]


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_without_faces_the_frame_comes_out_exactly(height: int, width: int) -> None:
    frame = noise(height, width)
    image = render(FrameResult(frame, 0.0), make_layers().values())
    np.testing.assert_array_equal(image, frame)
    assert image.dtype == np.uint8 and image.flags.c_contiguous
    assert not np.shares_memory(image, frame)


def test_without_layers_the_frame_comes_out_exactly() -> None:
    result = result_of(face_points())
    np.testing.assert_array_equal(render(result, []), result.frame_bgr)


def test_pixels_far_from_a_face_are_untouched() -> None:
    frame = noise(480, 640)
    result = result_of(face_points(150, 300, 150))
    result = FrameResult(frame, 0.0, result.boxes_xywh, result.ids, result.keypoints_px, result.confidences)
    image = render(result, make_layers().values())
    np.testing.assert_array_equal(image[:, 400:], frame[:, 400:])
    assert (image[:, :300] != frame[:, :300]).any()


def test_a_frame_becomes_an_image_without_a_copy() -> None:
    frame = noise(7, 5)
    image = frame_image(frame)
    assert (image.width(), image.height(), image.bytesPerLine()) == (5, 7, 15)
    before = image.pixelColor(2, 3)
    assert [before.blue(), before.green(), before.red()] == frame[3, 2].tolist()
    frame[3, 2] = 255 - frame[3, 2]
    assert image.pixelColor(2, 3).blue() == frame[3, 2, 0]


def test_a_frame_that_must_not_be_written_can_be_painted() -> None:
    result = result_of(face_points())
    result.frame_bgr.setflags(write=False)
    assert (render(result, [KeypointsLayer()]) != result.frame_bgr).any()


@pytest.mark.parametrize(("width", "height"), [(320, 240), (640, 480), (1000, 750), (333, 471)])
@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_layers_lie_where_the_frame_does(width: int, height: int, ratio: float) -> None:
    face = face_points(320, 240, 300)
    image = paint_into(result_of(face), [KeypointsLayer()], width=width, height=height, ratio=ratio)
    colour = PART_COLOURS["jaw"]
    x, y = (face[8] + 0.5) * [width / 640 * ratio, height / 480 * ratio]
    spot = image[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2].astype(int)
    assert (np.abs(spot - [colour.blue(), colour.green(), colour.red()]).max(axis=2) < 30).any()


def test_a_mirrored_frame_is_the_frame_mirrored() -> None:
    result = FrameResult(noise(48, 64), 0.0)
    mirrored = paint_into(result, [], width=64, height=48, mirrored=True)
    np.testing.assert_array_equal(mirrored, result.frame_bgr[:, ::-1])


@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize(("width", "height"), [(320, 240), (640, 480), (100, 75), (33, 47), (1, 1), (1280, 960)])
def test_a_scaled_frame_is_the_frame_scaled(width: int, height: int, is_mirrored: bool) -> None:
    rows, columns = np.indices((480, 640))
    frame = np.stack([columns * 255 // 639, rows * 255 // 479, 255 - columns * 255 // 639], axis=2).astype(np.uint8)
    image = paint_into(FrameResult(frame, 0.0), [], width=width, height=height, mirrored=is_mirrored)
    x = (np.arange(width) + 0.5) / width
    expected = 255 * (1 - x if is_mirrored else x)
    np.testing.assert_allclose(image[height // 2, :, 0], expected, atol=4)
    np.testing.assert_allclose(image[height // 2, :, 2], 255 - expected, atol=4)
    np.testing.assert_allclose(image[:, width // 2, 1], 255 * (np.arange(height) + 0.5) / height, atol=4)


@pytest.mark.parametrize("shrink", [2, 3, 4, 7])
def test_a_frame_that_is_made_small_does_not_shimmer(shrink: int) -> None:
    """What a small pixel shows is the mean of all that it covers, not one pixel of it."""
    frame = noise(shrink * 40, shrink * 60)
    image = paint_into(FrameResult(frame, 0.0), [], width=60, height=40)
    mean = frame.reshape(40, shrink, 60, shrink, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(image, mean, atol=1.01)


def test_a_painted_frame_outlives_its_array() -> None:
    """The scaled copy belongs to the image alone."""
    image = scaled_image(noise(48, 64), (640, 480))
    before = image.copy()
    others = [np.full((480, 640, 4), i, np.uint8) for i in range(20)]  # would take its place in memory
    assert image == before
    assert len(others) == 20


def test_nothing_is_painted_beside_the_target() -> None:
    image = QImage(300, 300, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    target = QRectF(100, 100, 100, 100)
    paint_result(painter, target, result_of(face_points(640, 480, 400)), make_layers().values())
    assert not painter.hasClipping(), "the painter is left as it was"
    assert painter.transform().isIdentity()
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(300, 300, 4)[:, :, :3]
    assert (pixels[100:200, 100:200] != 0).mean() > 0.9, "all of it is painted; overlays have black parts"
    outside = pixels.copy()
    outside[100:200, 100:200] = 0
    assert not outside.any()


# --- a part of it


@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize("scale", [0.2, 0.5, 0.7, 1.0, 1.3, 4.0, 9.5])
@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_a_part_looks_like_the_same_part_of_the_whole(scale: float, ratio: float, is_mirrored: bool) -> None:
    rng = np.random.default_rng(5)
    frame = np.kron(rng.integers(0, 256, (30, 40, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    result = FrameResult(np.ascontiguousarray(frame), 0.0)
    width, height = round(320 * scale), round(240 * scale)
    whole = paint_into(result, [], width=width, height=height, ratio=ratio, mirrored=is_mirrored)
    visible = QRectF(0.3 * width, 0.25 * height, 0.4 * width, 0.5 * height)
    part = paint_into(result, [], width=width, height=height, ratio=ratio, mirrored=is_mirrored, visible=visible)
    rows = slice(int(0.25 * height * ratio) + 2, int(0.75 * height * ratio) - 2)
    columns = slice(int(0.3 * width * ratio) + 2, int(0.7 * width * ratio) - 2)
    assert np.abs(part[rows, columns].astype(int) - whole[rows, columns]).mean() < 6, (
        "or it is another part, or not in its place"
    )
    assert not part[: rows.start - 5].any() and not part[:, : columns.start - 5].any(), "the rest is not painted"


def test_a_part_keeps_its_pixels_when_it_is_moved() -> None:
    """What is dragged about by whole pixels must not shimmer."""
    result = FrameResult(noise(480, 640), 0.0)
    for scale in (0.4, 1.7, 3.0):
        size = (round(640 * scale), round(480 * scale))
        views = [paint_into(result, [], width=size[0], height=size[1], visible=QRectF(x, 20, 60, 50)) for x in (40, 51)]
        np.testing.assert_allclose(views[0][22:68, 53:98].astype(int), views[1][22:68, 53:98], atol=1)


def test_layers_of_a_part_are_those_of_the_whole() -> None:
    result = result_of(face_points(320, 240, 300))
    layers = list(make_layers().values())
    whole = paint_into(result, layers, width=1280, height=960)
    part = paint_into(result, layers, width=1280, height=960, visible=QRectF(400, 300, 500, 400))
    np.testing.assert_allclose(part[302:698, 402:898].astype(int), whole[302:698, 402:898], atol=4)
    assert not part[:300].any() and not part[700:].any()


@pytest.mark.parametrize("visible", [QRectF(700, 0, 10, 10), QRectF(-50, -50, 20, 20), QRectF()], ids=str)
def test_nothing_of_it_may_be_visible(visible: QRectF) -> None:
    result = result_of(face_points())
    assert not paint_into(result, make_layers().values(), width=640, height=480, visible=visible).any()


def test_a_part_of_a_huge_picture_costs_what_is_seen_of_it() -> None:
    result = FrameResult(np.zeros((20_000, 20_000, 3), np.uint8), 0.0)  # never touched but for the part
    image = QImage(400, 300, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    start_s = time.perf_counter()
    paint_result(painter, QRectF(-9000, -9000, 20_000, 20_000), result, [], visible=QRectF(0, 0, 400, 300))
    took_s = time.perf_counter() - start_s
    painter.end()
    assert took_s < 0.2  # scaling all of it takes a second or more


def test_marks_on_a_large_picture_are_larger() -> None:
    small, large = (result_of(face_points(300, 300, 300), width=w, height=500) for w in (640, 3840))
    marks = [(render(result, [BoxesLayer()]) != result.frame_bgr).any(axis=2).sum() for result in (small, large)]
    assert 1.7 * marks[0] < marks[1] < 3 * marks[0]
