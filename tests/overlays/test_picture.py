"""Pictures that are tied to keypoints: the sunglasses follow the eyes, and a bad description is one sentence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage

from fkd_desktop.overlays import render
from fkd_desktop.overlays.loading import load_overlay
from tests.overlays.helpers import alpha_of, face_points, paint_into, painted, result_of
from trainer.core.keypoints import LEFT_EYE, RIGHT_EYE
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from pathlib import Path

    from fkd_desktop.overlays import Layer

pytestmark = pytest.mark.usefixtures("qapp")

DESCRIPTION = """
format = 1
name = "Test picture"
image = "picture.png"
[[anchors]]
image_px = [30, 20]
keypoints = [36, 37, 38, 39, 40, 41]
[[anchors]]
image_px = [70, 20]
keypoints = [42, 43, 44, 45, 46, 47]
"""
THIRD_ANCHOR = """
[[anchors]]
image_px = [50, 45]
keypoints = [30]
"""


@pytest.fixture
def glasses() -> Layer:
    return load_overlay("sunglasses", assets_dir() / "overlays" / "sunglasses")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An overlay: an opaque red picture of 100 x 50 px without any margin."""
    folder = tmp_path / "my overlay"
    folder.mkdir()
    image = QImage(100, 50, QImage.Format.Format_ARGB32)
    image.fill(QColor(255, 0, 0))
    assert image.save(str(folder / "picture.png"))
    (folder / "overlay.toml").write_text(DESCRIPTION, encoding="utf-8")
    return folder


def eyes_at(right: complex, left: complex, *, nose: complex = 0) -> np.ndarray:
    """Keypoints of which only the eyes' means (and the nose's tip) matter."""
    points = face_points()
    points[list(RIGHT_EYE)] += np.array([right.real, right.imag]) - points[list(RIGHT_EYE)].mean(axis=0)
    points[list(LEFT_EYE)] += np.array([left.real, left.imag]) - points[list(LEFT_EYE)].mean(axis=0)
    points[30] = nose.real, nose.imag
    return points.astype(np.float32)


def share_of_hard_edges(alpha: np.ndarray) -> float:
    """Of all the places where a row or column goes from bare to covered, how many do so from one pixel to the next."""
    steps = []
    for before, after in ((alpha[:, :-1], alpha[:, 1:]), (alpha[:-1], alpha[1:])):
        crosses = (before < 0.4) != (after < 0.4)
        steps.append(np.abs(after - before)[crosses])
    return float((np.concatenate(steps) > 0.85 * alpha.max()).mean())


# --- placement


@pytest.mark.parametrize("angle_deg", [0, 30, -75, 180])
@pytest.mark.parametrize("scale", [0.3, 1, 4.2])
@pytest.mark.parametrize("anchors", [DESCRIPTION, DESCRIPTION + THIRD_ANCHOR], ids=["two anchors", "three anchors"])
def test_placement_is_the_similarity_of_the_anchors(folder: Path, angle_deg: float, scale: float, anchors: str) -> None:
    (folder / "overlay.toml").write_text(anchors)
    turn = scale * complex(math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg)))
    shift = 200 + 100j
    # A keypoint lies on its pixel's centre: half a pixel beyond the pixel's own corner.
    right, left, nose = (turn * z + shift - (0.5 + 0.5j) for z in (30 + 20j, 70 + 20j, 50 + 45j))
    placement = load_overlay("test", folder).placements(eyes_at(right, left, nose=nose))[0]
    found = [placement.m11(), placement.m12(), placement.m21(), placement.m22(), placement.dx(), placement.dy()]
    expected = [turn.real, turn.imag, -turn.imag, turn.real, shift.real, shift.imag]
    assert found == pytest.approx(expected, abs=2e-3)


def test_placement_of_anchors_that_do_not_fit_is_the_best_compromise(folder: Path) -> None:
    (folder / "overlay.toml").write_text(DESCRIPTION + THIRD_ANCHOR)
    layer = load_overlay("test", folder)
    sources = np.array([[30, 20], [70, 20], [50, 45]])
    points = eyes_at(100 + 100j, 180 + 110j, nose=150 + 190j)
    targets = np.array([[100, 100], [180, 110], [150, 190]]) + 0.5

    def misfit(a: complex, b: complex) -> float:
        placed = (sources[:, 0] + 1j * sources[:, 1]) * a + b
        return float(np.square(np.abs(placed - targets[:, 0] - 1j * targets[:, 1])).sum())

    best = layer.placements(points)[0]
    a, b = complex(best.m11(), best.m12()), complex(best.dx(), best.dy())
    assert misfit(a, b) > 1
    for change in (0.01, -0.01, 0.01j, -0.01j):
        assert misfit(a + change, b) > misfit(a, b)
        assert misfit(a, b + 10 * change) > misfit(a, b)


def test_the_picture_covers_the_pixels_that_its_placement_says(folder: Path) -> None:
    result = result_of(eyes_at(129.5 + 119.5j, 169.5 + 119.5j))  # picture pixel (0, 0) on frame pixel (100, 100)
    mask = painted(result, load_overlay("test", folder))
    assert mask[100:150, 100:200].all()
    assert mask.sum() == 50 * 100
    np.testing.assert_array_equal(render(result, [load_overlay("test", folder)])[125, 150], [0, 0, 255])


# --- sunglasses


def test_sunglasses_cover_the_eyes_and_little_else(glasses: Layer) -> None:
    face = face_points(320, 240, 200)
    mask = painted(result_of(face), glasses)
    for x, y in face[[*RIGHT_EYE, *LEFT_EYE]].round().astype(int):
        assert mask[y, x]
    assert mask.sum() < 0.4 * 200 * 200
    for x, y in face[[8, 33, 57]].round().astype(int):  # chin, nose, lip
        assert not mask[y, x]


@pytest.mark.parametrize("shift", [(37, 21), (-60, 5), (0.5, 0.25)], ids=str)
def test_sunglasses_move_with_the_eyes(glasses: Layer, shift: tuple[float, float]) -> None:
    face = face_points(320, 240, 160)
    moved = alpha_of(face + np.float32(shift), layer=glasses)
    still = alpha_of(face, layer=glasses)
    rows, columns = np.indices(still.shape)
    for axis, grid in enumerate((columns, rows)):
        way = (moved * grid).sum() / moved.sum() - (still * grid).sum() / still.sum()
        assert way == pytest.approx(shift[axis], abs=0.05)


def test_sunglasses_only_move_by_whole_pixels_unchanged(glasses: Layer) -> None:
    face = face_points(320, 240, 160)
    still, moved = render(result_of(face), [glasses]), render(result_of(face + np.float32([37, 21])), [glasses])
    np.testing.assert_allclose(moved[21:, 37:].astype(int), still[:-21, :-37], atol=3)


@pytest.mark.parametrize("scale", [0.25, 0.5, 2.0])
def test_sunglasses_grow_with_the_face(glasses: Layer, scale: float) -> None:
    area = [alpha_of(face_points(320, 240, side), layer=glasses).sum() for side in (160, 160 * scale)]
    assert area[1] / area[0] == pytest.approx(scale**2, rel=0.04)


@pytest.mark.parametrize("angle_deg", [-60, -20, 15, 90])
def test_sunglasses_turn_with_the_eyes(glasses: Layer, angle_deg: float) -> None:
    face = face_points(320, 240, 200, tilt_rad=math.radians(angle_deg))
    across = face[list(LEFT_EYE)].mean(axis=0) - face[list(RIGHT_EYE)].mean(axis=0)
    assert math.degrees(math.atan2(across[1], across[0])) == pytest.approx(angle_deg, abs=0.1)
    where = np.argwhere(alpha_of(face, layer=glasses) > 0.5)[:, ::-1].astype(float)
    long_axis = np.linalg.eigh(np.cov(where.T))[1][:, 1]
    turned = math.degrees(math.atan2(long_axis[1], long_axis[0]))
    assert (turned - angle_deg + 90) % 180 - 90 == pytest.approx(0, abs=1)


@pytest.mark.parametrize("side", [40, 160, 400])
def test_sunglasses_have_smooth_edges_and_translucent_lenses(glasses: Layer, side: float) -> None:
    face = face_points(320, 240, side, tilt_rad=0.3)
    alpha = alpha_of(face, layer=glasses)
    pupil = face[list(RIGHT_EYE)].mean(axis=0).round().astype(int)
    assert 0.75 < alpha[pupil[1], pupil[0]] < 0.99, "what is behind a lens shines through"
    assert share_of_hard_edges(alpha) < 0.32


def test_a_picture_without_a_margin_has_smooth_edges_too(folder: Path) -> None:
    alpha = alpha_of(eyes_at(200 + 200j, 270 + 240j), layer=load_overlay("test", folder))
    assert alpha.max() == 1
    assert share_of_hard_edges(alpha) < 0.32


@pytest.mark.parametrize(
    ("cx", "cy"), [(-20, 240), (0, 0), (640, 480), (655, 100), (320, 500), (320, 12)], ids=str
)  # fmt: skip
def test_sunglasses_partly_outside_the_frame_are_cut_off_there(glasses: Layer, cx: float, cy: float) -> None:
    margin = 200
    face = face_points(cx, cy, 160)
    whole = alpha_of(face + np.float32(margin), layer=glasses, width=640 + 2 * margin, height=480 + 2 * margin)
    cut = alpha_of(face, layer=glasses)
    np.testing.assert_allclose(cut, whole[margin:-margin, margin:-margin], atol=0.02)
    assert 0 < cut.sum() < 0.95 * whole.sum()


def test_sunglasses_far_outside_the_frame_are_not_seen(glasses: Layer) -> None:
    assert not painted(result_of(face_points(-500, 240), face_points(320, 9000)), glasses).any()


def test_every_face_wears_them(glasses: Layer) -> None:
    faces = [face_points(120 + 240 * (k % 4), 150 + 250 * (k // 4), 100 + 10 * k) for k in range(8)]
    together = alpha_of(*faces, layer=glasses, width=1000, height=600)
    alone = [alpha_of(face, layer=glasses, width=1000, height=600) for face in faces]
    np.testing.assert_allclose(together, np.sum(alone, axis=0), atol=0.02)
    assert all(alpha.sum() > 1000 for alpha in alone)


@pytest.mark.parametrize("side", [0.01, 1, 3, 8])
def test_a_face_of_a_few_pixels_is_no_problem(glasses: Layer, side: float) -> None:
    assert painted(result_of(face_points(320, 240, side)), glasses).sum() < 100


def test_a_face_whose_eyes_coincide_is_no_problem(glasses: Layer) -> None:
    assert painted(result_of(np.full((68, 2), 100, np.float32)), glasses).sum() < 10


@pytest.mark.parametrize(("scale", "least_contrast"), [(1.0, 200), (2.0, 120), (0.9, 60)])
def test_pictures_are_as_sharp_as_they_can_be(folder: Path, scale: float, least_contrast: int) -> None:
    """Columns of black and white, one pixel wide."""
    stripes = QImage(100, 50, QImage.Format.Format_RGB32)
    for x in range(100):
        for y in range(50):
            stripes.setPixelColor(x, y, QColor("white" if x % 2 else "black"))
    assert stripes.save(str(folder / "picture.png"))
    corner = 100 + 100j
    right, left = (scale * z + corner - (0.5 + 0.5j) for z in (30 + 20j, 70 + 20j))
    image = render(result_of(eyes_at(right, left)), [load_overlay("test", folder)])
    row = image[round(100 + 25 * scale), 102 : round(98 + 100 * scale)].max(axis=1).astype(int)
    assert row.max() - row.min() >= least_contrast


def test_on_a_dense_display_it_is_as_sharp_as_on_a_large_one(glasses: Layer) -> None:
    result = result_of(face_points(320, 240, 200))
    dense = paint_into(result, [glasses], width=320, height=240, ratio=2.0)
    large = paint_into(result, [glasses], width=640, height=480)
    np.testing.assert_allclose(dense.astype(int), large, atol=2)
