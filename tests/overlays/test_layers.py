"""What each layer paints, where, in which colour; mirrored, and at every scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QColor

from fkd_desktop.overlays import BoxesLayer, KeypointsLayer, NumbersLayer
from fkd_desktop.overlays.layers import FACE_COLOURS, PART_COLOURS
from tests.overlays.helpers import GREY, LAYER_NAMES, face_points, make_layers, paint_into, painted, render, result_of
from trainer.core.keypoints import EDGES, FACE_PARTS
from trainer.core.preprocess import box_from_keypoints

pytestmark = pytest.mark.usefixtures("qapp")

LARGE_FACE = face_points(320, 230, 380)


def bgr(colour: QColor) -> np.ndarray:
    return np.array([colour.blue(), colour.green(), colour.red()])


def is_colour(image: np.ndarray, colour: QColor, *, tolerance: int = 12) -> np.ndarray:
    """(H, W) bool: where an image has a colour."""
    return np.abs(image.astype(int) - bgr(colour)).max(axis=2) <= tolerance


def part_of(keypoint: int) -> str:
    return next(name for name, part in FACE_PARTS.items() if keypoint in part.indices)


# --- keypoints


def test_each_keypoint_has_the_colour_of_its_part() -> None:
    image = render(result_of(LARGE_FACE), [KeypointsLayer()])
    for keypoint, (x, y) in enumerate(LARGE_FACE.round().astype(int)):
        pixel = image[y : y + 1, x : x + 1]
        assert is_colour(pixel, PART_COLOURS[part_of(keypoint)]).all(), f"keypoint {keypoint} is {pixel[0, 0]}"


def test_a_keypoint_is_painted_about_the_centre_of_its_pixel() -> None:
    """Half a pixel off would be seen by nobody and be wrong all the same."""
    result = replace(result_of(np.full((68, 2), (300, 400), np.float32)), boxes_xywh=np.float32([[200, 300, 200, 200]]))
    mask = np.abs(render(result, [KeypointsLayer()]).astype(float) - GREY).sum(axis=2)
    rows, columns = np.indices(mask.shape)
    assert (mask * columns).sum() / mask.sum() == pytest.approx(300, abs=0.05)
    assert (mask * rows).sum() / mask.sum() == pytest.approx(400, abs=0.05)


def test_every_edge_has_a_line_and_none_runs_from_the_nose_to_the_nostril() -> None:
    mask = painted(result_of(LARGE_FACE), KeypointsLayer())
    for start, stop in EDGES:
        x, y = LARGE_FACE[[start, stop]].mean(axis=0).round().astype(int)
        assert mask[y, x], f"there is no line from {start} to {stop}"
    tip, nostril = LARGE_FACE[30], LARGE_FACE[31]
    x, y = (tip + 0.5 * (nostril - tip)).round().astype(int)
    assert not mask[y, x]


def test_only_the_face_is_painted() -> None:
    mask = painted(result_of(LARGE_FACE), KeypointsLayer())
    rows, columns = np.nonzero(mask)
    assert columns.min() > LARGE_FACE[:, 0].min() - 8 and columns.max() < LARGE_FACE[:, 0].max() + 8
    assert rows.min() > LARGE_FACE[:, 1].min() - 8 and rows.max() < LARGE_FACE[:, 1].max() + 8
    assert mask.mean() < 0.1


def test_small_faces_get_finer_marks() -> None:
    """The points of a small face must not run together."""
    side = 60
    face = face_points(100, 100, side)
    mask = painted(result_of(face, width=200, height=200), KeypointsLayer())
    assert mask.sum() < 0.45 * side * side


@pytest.mark.parametrize("count", [1, 2, 8])
def test_every_face_gets_its_points(count: int) -> None:
    faces = [face_points(130 + 230 * (k % 4), 150 + 260 * (k // 4), 180) for k in range(count)]
    image = render(result_of(*faces, width=1000, height=600), [KeypointsLayer()])
    for face in faces:
        x, y = face[8].round().astype(int)
        assert is_colour(image[y : y + 1, x : x + 1], PART_COLOURS["jaw"]).all()


# --- numbers


def test_every_keypoint_has_a_number_beside_it() -> None:
    mask = painted(result_of(LARGE_FACE), NumbersLayer())
    for keypoint, (x, y) in enumerate(LARGE_FACE.round().astype(int)):
        assert mask[y - 6 : y + 7, x - 8 : x + 9].any(), f"keypoint {keypoint} has no number"


def test_numbers_are_different_and_in_the_colour_of_the_part() -> None:
    face = np.zeros((68, 2), np.float32)  # all in a grid, each far from the others
    face[:, 0], face[:, 1] = 40 + 60 * (np.arange(68) % 10), 40 + 60 * (np.arange(68) // 10)
    result = replace(result_of(face), boxes_xywh=np.float32([[0, 0, 640, 480]]))
    image = render(result, [NumbersLayer()])
    patches = [image[int(y) - 20 : int(y) + 21, int(x) - 20 : int(x) + 21] for x, y in face]
    for i, patch in enumerate(patches):
        assert is_colour(patch, PART_COLOURS[part_of(i)].lighter(125), tolerance=60).sum() > 3
        assert not any(np.array_equal(patch, other) for other in patches[:i])


# --- boxes


def test_a_box_is_drawn_along_the_face_box_in_the_colour_of_its_number() -> None:
    result = result_of(face_points(200, 260, 150), face_points(440, 260, 150))
    image = render(result, [BoxesLayer()])
    for (x, y, w, h), number in zip(result.boxes_xywh, result.ids, strict=True):
        colour = FACE_COLOURS[int(number) % len(FACE_COLOURS)]
        for px, py in ((x, y + h / 2), (x + w, y + h / 2), (x + w / 2, y + h)):
            spot = image[round(float(py)) - 2 : round(float(py)) + 2, round(float(px)) - 2 : round(float(px)) + 2]
            assert is_colour(spot, colour, tolerance=30).any()
        inside = image[int(y) + 20 : int(y + h) - 20, int(x) + 20 : int(x + w) - 20]
        assert (inside == GREY).all()


def label_of(result: object) -> np.ndarray:
    """The plate above the first face's box."""
    x, y = result.boxes_xywh[0, :2].round().astype(int)
    return render(result, [BoxesLayer()])[y - 26 : y - 2, x - 2 : x + 110]


def test_the_label_tells_number_and_confidence() -> None:
    result = result_of(face_points(320, 260, 200))
    label = label_of(result)
    plate = is_colour(label, FACE_COLOURS[1])
    assert plate.sum() > 400
    ink = (label.astype(int).max(axis=2) < 90) & (np.cumsum(plate, axis=1) > 0)
    assert ink.sum() > 60, "there is no text on the plate"
    assert np.array_equal(label, label_of(result)), "or the next comparisons say nothing"
    another_face = label_of(replace(result, ids=np.array([1 + len(FACE_COLOURS)])))  # a number of the same colour
    less_sure = label_of(replace(result, confidences=np.float32([0.41])))
    as_sure = label_of(replace(result, confidences=np.float32([0.9701])))
    assert not np.array_equal(label, another_face)
    assert not np.array_equal(label, less_sure)
    assert np.array_equal(label, as_sure)


@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize(
    ("cx", "cy"), [(320, 60), (20, 240), (620, 240), (10, 10), (630, 10), (320, 700), (320, -500), (-900, 240)], ids=str
)
def test_the_label_of_a_face_that_reaches_out_of_the_frame_stays_in_it(cx: float, cy: float, is_mirrored: bool) -> None:
    def coloured(*centre: float) -> int:
        result = result_of(face_points(*centre, 150))
        image = paint_into(result, [BoxesLayer()], width=640, height=480, mirrored=is_mirrored)
        return int(is_colour(image, FACE_COLOURS[1]).sum())

    whole_plate = coloured(320, -1000)  # of this face nothing else is in the frame
    assert whole_plate > 600
    assert coloured(cx, cy) >= 0.98 * whole_plate


def test_eight_faces_have_eight_colours() -> None:
    assert len({colour.name() for colour in FACE_COLOURS}) == len(FACE_COLOURS) >= 8


# --- scale and mirror


@pytest.mark.parametrize("layer", [KeypointsLayer(), NumbersLayer(), BoxesLayer()], ids=lambda v: v.name)
def test_marks_keep_their_size_on_the_screen(layer: object) -> None:
    """A frame shown at half its size gets the marks of one that has half the size."""
    large = result_of(face_points(640, 480, 400), width=1280, height=960)
    small = result_of(face_points(640, 480, 400) / 2 - 0.25, width=640, height=480)
    shrunk = paint_into(large, [layer], width=640, height=480)
    plain = paint_into(small, [layer], width=640, height=480)
    difference = np.abs(shrunk.astype(int) - plain).max(axis=2)
    assert (difference > 60).mean() < 0.002
    assert (plain != GREY).any()


@pytest.mark.parametrize("name", ["keypoints", "sunglasses"])
def test_pictures_and_points_are_mirrored(name: str) -> None:
    layer = make_layers()[name]
    face = face_points(200, 200, 250, tilt_rad=0.3)
    result = result_of(face)
    result.frame_bgr[:, :100] = 200
    plain = paint_into(result, [layer], width=640, height=480)
    mirrored = paint_into(result, [layer], width=640, height=480, mirrored=True)
    difference = np.abs(mirrored[:, ::-1].astype(int) - plain).max(axis=2)
    assert (difference > 40).mean() < 0.001
    assert np.abs(mirrored.astype(int) - plain).max() > 90


def test_numbers_are_readable_in_a_mirror() -> None:
    face = face_points(200, 200, 250)
    result = result_of(face)
    plain = paint_into(result, [NumbersLayer()], width=640, height=480).astype(int)
    mirrored = paint_into(result, [NumbersLayer()], width=640, height=480, mirrored=True).astype(int)
    for keypoint in (2, 5, 14):  # of the jaw: no other number is near; none reads the same from behind
        x, y = face[keypoint].round().astype(int)
        seen_x = 640 - 1 - x
        patch = plain[y - 7 : y + 8, x - 9 : x + 10]
        there = [
            np.abs(mirrored[y + dy - 7 : y + dy + 8, seen_x + dx - 9 : seen_x + dx + 10] - patch).mean()
            for dx in (-1, 0, 1)
            for dy in (-1, 0, 1)
        ]
        backwards = np.abs(mirrored[y - 7 : y + 8, seen_x - 9 : seen_x + 10][:, ::-1] - patch).mean()
        assert min(there) < 0.5 * backwards, f"number {keypoint} is mirrored"


def test_labels_are_readable_in_a_mirror() -> None:
    result = result_of(face_points(320, 260, 200))  # in the middle: a mirror leaves the box where it is
    plain = paint_into(result, [BoxesLayer()], width=640, height=480).astype(int)
    mirrored = paint_into(result, [BoxesLayer()], width=640, height=480, mirrored=True).astype(int)
    assert (np.abs(mirrored - plain).max(axis=2) > 60).mean() < 0.001
    assert (np.abs(mirrored[:, ::-1] - plain).max(axis=2) > 60).mean() > 0.003


# --- all of them


def test_every_layer_has_its_name_and_a_title() -> None:
    assert all(layer.name == name and layer.title for name, layer in make_layers().items())
    assert set(PART_COLOURS) == set(FACE_PARTS)


@pytest.mark.parametrize("name", LAYER_NAMES)
@pytest.mark.parametrize("count", [0, 1, 8])
def test_no_layer_writes_the_frame_or_the_faces(name: str, count: int) -> None:
    faces = [face_points(130 + 230 * (k % 4), 150 + 260 * (k // 4), 180) for k in range(count)]
    result = result_of(*faces, width=1000, height=600)
    arrays = (result.frame_bgr, result.boxes_xywh, result.ids, result.keypoints_px, result.confidences)
    before = [array.copy() for array in arrays]
    changed = render(result, [make_layers()[name]])
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert (changed != result.frame_bgr).any() == (count > 0)
    assert not np.shares_memory(changed, result.frame_bgr)


@pytest.mark.parametrize("name", LAYER_NAMES)
@pytest.mark.parametrize("place", [(-400, 240), (320, -400), (2000, 2000), (0, 0), (640, 480)], ids=str)
def test_no_layer_minds_a_face_outside_the_frame(name: str, place: tuple[float, float]) -> None:
    image = render(result_of(face_points(*place, 300)), [make_layers()[name]])
    assert image.shape == (480, 640, 3)


@pytest.mark.parametrize("name", LAYER_NAMES)
@pytest.mark.parametrize("side", [1, 5, 3000])
def test_no_layer_minds_the_size_of_a_face(name: str, side: float) -> None:
    face = face_points(320, 240, side)
    assert box_from_keypoints(face)[2] == pytest.approx(side, rel=0.01)
    assert render(result_of(face), [make_layers()[name]]).shape == (480, 640, 3)


def test_a_layer_leaves_the_painter_as_it_was() -> None:
    """The second layer is painted like the first, whatever the first did to pen, font or coordinates."""
    result = result_of(LARGE_FACE)
    layers = make_layers()
    for name in LAYER_NAMES:
        alone = render(result, [layers[name]])
        nothing = [_Bare() for _ in range(2)]
        np.testing.assert_array_equal(render(result, [nothing[0], layers[name], nothing[1]]), alone)


class _Bare:
    """Leaves everything about the painter in disorder, and paints nothing."""

    name = title = "bare"

    def paint(self, painter: object, _result: object, _context: object) -> None:
        painter.setPen(QColor("red"))
        painter.setBrush(QColor("red"))
        painter.setOpacity(0.3)
        painter.translate(50, 50)
        painter.rotate(10)
