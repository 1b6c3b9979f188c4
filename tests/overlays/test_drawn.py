"""The drawn layers that came later: the mesh, and the axes of the head."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QTranslator
from PySide6.QtGui import QColor

from fkd_desktop.live.head_pose import estimate
from fkd_desktop.overlays import OverlayLibrary, render
from fkd_desktop.overlays.face_mesh import MeshLayer, mesh_edges
from fkd_desktop.overlays.outline import FRONT_MM, forehead
from fkd_desktop.overlays.pose import PoseLayer
from tests.overlays.helpers import GREY, face_points, paint_into, painted, result_of, turned_face
from tests.overlays.test_layers import is_colour
from trainer.core.keypoints import FLIP_ORDER

pytestmark = pytest.mark.usefixtures("qapp")

RED, GREEN, BLUE = QColor("#ff5f6b"), QColor("#6fdc6f"), QColor("#4fa3ff")
NAMES = [info.name for info in OverlayLibrary().infos]


# --- mesh


def test_the_mesh_covers_the_face_with_triangles() -> None:
    edges = mesh_edges()
    assert len(set(edges)) == len(edges)
    assert {point for edge in edges for point in edge} == set(range(68 + 11))
    faces = 68 + 11
    on_hull = len(cv2.convexHull(np.concatenate([FRONT_MM, forehead(FRONT_MM.astype(np.float32))]).astype(np.float32)))
    assert abs(len(edges) - (3 * faces - 3 - on_hull)) <= 1, "a triangulation has so many edges (Euler)"


def test_the_mesh_is_nearly_symmetric() -> None:
    order = [*FLIP_ORDER.tolist(), *range(78, 67, -1)]
    edges = {frozenset(edge) for edge in mesh_edges()}
    mirrored = {frozenset(order[point] for point in edge) for edge in edges}
    assert len(edges & mirrored) > 0.9 * len(edges)


@pytest.mark.parametrize("yaw_deg", [0, 35])
def test_mesh_lines_run_along_its_edges(yaw_deg: float) -> None:
    face = turned_face(320, 220, 300, yaw_deg=yaw_deg)
    mask = painted(result_of(face), MeshLayer())
    points = np.concatenate([face, forehead(face)])
    for start, stop in mesh_edges():
        x, y = points[[start, stop]].mean(axis=0).round().astype(int)
        assert mask[y - 1 : y + 2, x - 1 : x + 2].any(), f"there is no line from {start} to {stop}"
    assert mask.mean() < 0.12


# --- head pose


def colour_centre(image: np.ndarray, colour: QColor) -> np.ndarray:
    return np.argwhere(is_colour(image, colour))[:, ::-1].mean(axis=0)


@pytest.mark.parametrize(("yaw_deg", "pitch_deg"), [(0, 0), (30, 0), (-30, 15), (0, -25)])
def test_the_axes_are_those_of_the_head(yaw_deg: float, pitch_deg: float) -> None:
    face = turned_face(320, 220, 260, yaw_deg=yaw_deg, pitch_deg=pitch_deg)
    image = render(result_of(face), [PoseLayer()])
    pose = estimate(face)
    assert pose is not None
    for end, colour in zip(pose.axes_px, (RED, GREEN, BLUE), strict=True):
        x, y = (end + 0.5).astype(int)
        seen = [is_colour(image[y - 2 : y + 3, x - 2 : x + 3], other).any() for other in (colour, BLUE)]
        assert any(seen), "what points to the viewer may hide the end of another"
    assert colour_centre(image, RED)[0] > pose.origin_px[0] + 10 * np.cos(np.radians(yaw_deg))
    assert colour_centre(image, GREEN)[1] > pose.origin_px[1]


def plate_of(image: np.ndarray) -> np.ndarray:
    return is_colour(image, QColor("#d9e4ee"), tolerance=6)


@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize("place", [(320, 220), (60, 220), (600, 220), (320, 460), (320, -60)], ids=str)
def test_the_angles_are_told_inside_the_frame(place: tuple[float, float], is_mirrored: bool) -> None:
    whole = plate_of(paint_into(result_of(turned_face()), [PoseLayer()], width=640, height=480)).sum()
    image = paint_into(result_of(turned_face(*place)), [PoseLayer()], width=640, height=480, mirrored=is_mirrored)
    assert whole > 1500
    assert plate_of(image).sum() > 0.9 * whole


def test_the_angles_can_be_translated_and_are_whole_numbers() -> None:
    shown: list[str] = []

    class Spy(QTranslator):
        def translate(self, context: str, text: str, _note: str = "", _n: int = -1) -> str | None:
            if context == "Overlays":
                shown.append(text)
            return None

    spy = Spy()
    QCoreApplication.installTranslator(spy)
    try:
        render(result_of(turned_face()), [PoseLayer()])
    finally:
        QCoreApplication.removeTranslator(spy)
    assert shown and all("{0}" in text and "{2}" in text for text in shown)
    still = [render(result_of(turned_face(yaw_deg=yaw)), [PoseLayer()]) for yaw in (10, 10.01)]
    changed = np.abs(still[0].astype(int) - still[1]).max(axis=2) > 8
    assert not (changed & plate_of(still[0])).any(), "numbers that flicker cannot be read"


def test_points_that_are_no_face_have_no_axes() -> None:
    disorder = np.random.default_rng(0).uniform(0, 400, (68, 2)).astype(np.float32)
    for face in (disorder, np.full((68, 2), 100, np.float32)):
        assert (render(result_of(face), [PoseLayer()]) == GREY).all()


# --- all overlays


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [0, 1, 8])
def test_no_overlay_writes_the_frame_or_the_faces(name: str, count: int) -> None:
    faces = [face_points(130 + 230 * (k % 4), 150 + 260 * (k // 4), 180) for k in range(count)]
    result = result_of(*faces, width=1000, height=600)
    arrays = (result.frame_bgr, result.boxes_xywh, result.ids, result.keypoints_px, result.confidences)
    for array in arrays:
        array.setflags(write=False)
    before = [array.copy() for array in arrays]
    image = render(result, [OverlayLibrary().layer(name)])
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert image.shape == (600, 1000, 3)
    if count == 0:
        np.testing.assert_array_equal(image, result.frame_bgr)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("numbers", "boxes", "pose")])
def test_a_mirrored_overlay_is_the_overlay_mirrored(name: str) -> None:
    result = result_of(face_points(260, 240, 230, tilt_rad=0.3))
    texture = cv2.GaussianBlur(np.random.default_rng(2).integers(0, 256, (480, 640, 3), dtype=np.uint8), (0, 0), 5)
    result.frame_bgr[:] = cv2.normalize(texture, None, 0, 255, cv2.NORM_MINMAX)
    layer = OverlayLibrary().layer(name)
    plain = paint_into(result, [layer], width=640, height=480).astype(int)
    mirrored = paint_into(result, [layer], width=640, height=480, mirrored=True).astype(int)
    assert (np.abs(mirrored[:, ::-1] - plain).max(axis=2) > 40).mean() < 0.002
    assert np.abs(plain - result.frame_bgr).max() > 60


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", [1, 5, 3000])
@pytest.mark.parametrize("place", [(-400, 240), (2000, 2000), (0, 0), (320, 240)], ids=str)
def test_no_overlay_minds_place_or_size_of_a_face(name: str, side: float, place: tuple[float, float]) -> None:
    layer = OverlayLibrary().layer(name)
    assert render(result_of(face_points(*place, side)), [layer]).shape == (480, 640, 3)


@pytest.mark.parametrize("name", NAMES)
def test_a_still_face_gives_the_same_pixels_in_every_frame(name: str) -> None:
    layer = OverlayLibrary().layer(name)
    result = result_of(turned_face(yaw_deg=17.3), turned_face(120, 120, 60))
    first = render(result, [layer])
    np.testing.assert_array_equal(render(result, [layer]), first)
    np.testing.assert_array_equal(render(result, [OverlayLibrary().layer(name)]), first)
