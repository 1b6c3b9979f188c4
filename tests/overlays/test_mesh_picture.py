"""Pictures that lean, bend, mix and are mirrored: every anchor on its keypoints, no seam, no hole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PySide6.QtGui import QImage

from fkd_desktop.errors import OverlayError
from fkd_desktop.live.head_pose import MODEL_MM
from fkd_desktop.overlays import render
from fkd_desktop.overlays.loading import load_overlay
from tests.live.helpers import assert_one_clear_sentence
from tests.overlays.folders import TWO_ANCHORS, ramp, toml, write_overlay
from tests.overlays.helpers import GREY, face_points, paint_into, painted, result_of, turned_face

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("qapp")

WIDTH, HEIGHT = 300, 360
MASK_POINTS = (0, 2, 4, 6, 8, 10, 12, 14, 16, 17, 19, 21, 22, 24, 26, 30, 36, 39, 42, 45, 48, 54)


def place(keypoint: int) -> tuple[float, float]:
    """Where a keypoint of the mean face is on a picture of 300 x 360 px."""
    x, y = MODEL_MM[keypoint, :2] * 1.5 + (150, 130)
    return round(float(x), 2), round(float(y), 2)


def anchored(keypoints: Sequence[int], picture: str = "") -> str:
    return toml(*((place(keypoint), (keypoint,)) for keypoint in keypoints), picture=picture)


def ramp_at(image: np.ndarray, x: float, y: float) -> tuple[float, float]:
    """The place on the ramp picture whose colour is there."""
    column, row = int(x), int(y)
    _, green, red = image[row, column].astype(float)
    return red / 255 * WIDTH, green / 255 * HEIGHT


@pytest.mark.parametrize("pose", [(0, 0), (25, 0), (-30, 10), (0, -25)])
def test_every_anchor_of_a_mesh_lies_on_its_keypoint(tmp_path: Path, pose: tuple[float, float]) -> None:
    layer = load_overlay("m", write_overlay(tmp_path / "m", anchored(MASK_POINTS), colour=ramp(WIDTH, HEIGHT)))
    face = turned_face(320, 200, 260, yaw_deg=pose[0], pitch_deg=pose[1])
    image = render(result_of(face), [layer])
    for keypoint in (19, 24, 30, 39, 42, 48, 54, 8):
        x, y = face[keypoint] + 0.5
        assert ramp_at(image, x, y) == pytest.approx(place(keypoint), abs=8), f"keypoint {keypoint}"


def test_a_mesh_of_a_face_that_only_moves_is_the_picture_moved(tmp_path: Path) -> None:
    """Piecewise or not: where all anchors agree on a similarity, both paint the same."""
    mesh = load_overlay("a", write_overlay(tmp_path / "a", anchored(MASK_POINTS), colour=ramp(WIDTH, HEIGHT)))
    whole = load_overlay(
        "b", write_overlay(tmp_path / "b", anchored(MASK_POINTS, 'fit = "similarity"'), colour=ramp(WIDTH, HEIGHT))
    )
    face = turned_face(300.3, 180.6, 230)
    one, other = render(result_of(face), [mesh]).astype(int), render(result_of(face), [whole]).astype(int)
    assert (np.abs(one - other).max(axis=2) > 6).mean() < 0.002


@pytest.mark.parametrize("yaw_deg", [0, 20, -35, 50])
@pytest.mark.parametrize("scale", [1.0, 1.37])
def test_a_mesh_has_no_seams_and_no_holes(tmp_path: Path, yaw_deg: float, scale: float) -> None:
    """An opaque white picture: any pixel inside that is not white is a seam."""
    layer = load_overlay("m", write_overlay(tmp_path / "m", anchored(MASK_POINTS), colour="white", size=(300, 360)))
    face = turned_face(300, 180, 250, yaw_deg=yaw_deg)
    image = paint_into(result_of(face), [layer], width=round(640 * scale), height=round(480 * scale))
    white = (image.min(axis=2) > 250).astype(np.uint8)
    number, _, sizes, _ = cv2.connectedComponentsWithStats(1 - white, connectivity=4)
    assert number == 2, f"besides what is around the picture there are holes of {sorted(sizes[1:, -1])} px"
    assert cv2.connectedComponents(white)[0] == 2, "it is in pieces"
    assert white.sum() > 0.3 * (250 * scale) ** 2


def test_a_translucent_mesh_is_equally_translucent_everywhere(tmp_path: Path) -> None:
    """Triangles that overlapped would show as darker lines."""
    image = QImage(WIDTH, HEIGHT, QImage.Format.Format_ARGB32)
    image.fill(0x80FFFFFF)
    layer = load_overlay("m", write_overlay(tmp_path / "m", anchored(MASK_POINTS), colour=image))
    painted_image = render(result_of(turned_face(320, 200, 260, yaw_deg=10)), [layer]).astype(int)
    touched = painted_image.max(axis=2) > GREY + 20
    expected = GREY + (255 - GREY) * 128 / 255
    inner = cv2.erode(touched.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    assert inner.sum() > 40_000
    assert np.abs(painted_image[inner] - expected).max() <= 2


def test_the_edge_of_a_mesh_does_not_show_the_other_side_of_the_picture(tmp_path: Path) -> None:
    layer = load_overlay("m", write_overlay(tmp_path / "m", anchored(MASK_POINTS), colour=ramp(WIDTH, HEIGHT)))
    face = turned_face(320, 200, 260)
    image = render(result_of(face), [layer]).astype(int)
    rows, columns = np.nonzero(np.abs(image - GREY).max(axis=2) > 3)
    per_mm = 260 / 160 / 1.5
    assert columns.min() == pytest.approx(320 - 150 * per_mm, abs=2.5)
    assert columns.max() == pytest.approx(320 + 150 * per_mm, abs=2.5)
    assert rows.min() == pytest.approx(200 - 130 * per_mm, abs=2.5)
    row = round(200 + 60 * per_mm)
    line = image[row, columns.min() + 3 : columns.max() - 3, 2]
    assert (np.diff(line) >= -2).all(), "red rises from the left edge to the right one"


@pytest.mark.parametrize("anchors", [2, 3, 4, len(MASK_POINTS)])
@pytest.mark.parametrize(
    "face",
    [
        np.full((68, 2), 100, np.float32),
        np.full((68, 2), np.nan, np.float32),
        np.column_stack([np.arange(68), np.full(68, 50)]).astype(np.float32),
        np.random.default_rng(0).uniform(0, 400, (68, 2)).astype(np.float32),
        (face_points() * 1e7).astype(np.float32),
        turned_face(yaw_deg=90),
        turned_face(yaw_deg=180),
    ],
    ids=["one place", "nowhere", "a line", "disorder", "far away", "profile", "from behind"],
)
def test_no_picture_minds_keypoints_that_make_no_sense(tmp_path: Path, anchors: int, face: np.ndarray) -> None:
    keypoints = {2: (36, 45), 3: (36, 45, 8), 4: (17, 26, 11, 5)}.get(anchors, MASK_POINTS)
    layer = load_overlay("m", write_overlay(tmp_path / "m", anchored(keypoints), colour=ramp(WIDTH, HEIGHT)))
    good = turned_face(320, 200, 150)
    result = result_of(good, good)
    result.keypoints_px[0] = face
    image = render(result, [layer])
    alone = render(result.only([2]), [layer])
    changed = np.abs(alone.astype(int) - GREY).max(axis=2) > 8
    assert changed.any()
    assert (image[changed] != GREY).any(axis=1).all(), "the other face has its picture all the same"


def test_four_anchors_lean_with_the_face(tmp_path: Path) -> None:
    keypoints = (17, 26, 11, 5)
    layer = load_overlay("p", write_overlay(tmp_path / "p", anchored(keypoints), colour=ramp(WIDTH, HEIGHT)))
    face = turned_face(320, 200, 260, yaw_deg=20)
    image = render(result_of(face), [layer])
    for keypoint in keypoints:
        x, y = face[keypoint] + 0.5
        assert ramp_at(image, x, y) == pytest.approx(place(keypoint), abs=6)


# --- mixing


@pytest.mark.parametrize(
    ("blend", "expected"),
    [
        ("normal", 200),
        ("multiply", 90 * 200 / 255),
        ("screen", 255 - 165 * 55 / 255),
        ("overlay", 2 * 90 * 200 / 255),
        ("soft-light", None),
    ],
)
def test_a_picture_mixes_with_what_lies_under_it(tmp_path: Path, blend: str, expected: float | None) -> None:
    image = QImage(100, 50, QImage.Format.Format_ARGB32)
    image.fill(0xFFC8C8C8)
    text = toml(*TWO_ANCHORS, picture=f'blend = "{blend}"')
    layer = load_overlay("x", write_overlay(tmp_path / "x", text, colour=image))
    face = face_points(320, 240, 300)
    colour = render(result_of(face), [layer])[int(face[27, 1]), int(face[27, 0])].astype(float)
    if expected is None:
        assert (colour > 90).all() and (colour < 200).all()
    else:
        np.testing.assert_allclose(colour, expected, atol=2)


def test_a_picture_has_its_own_opacity(tmp_path: Path) -> None:
    layer = load_overlay("x", write_overlay(tmp_path / "x", toml(*TWO_ANCHORS, picture="opacity = 0.25")))
    face = face_points(320, 240, 300)
    colour = render(result_of(face), [layer])[int(face[27, 1]), int(face[27, 0])].astype(float)
    np.testing.assert_allclose(colour, [0.75 * 90, 0.75 * 90, 0.25 * 255 + 0.75 * 90], atol=2)


@pytest.mark.parametrize("kind", ["similarity", "mesh"])
def test_a_mirrored_picture_is_painted_on_both_halves(tmp_path: Path, kind: str) -> None:
    picture = QImage(60, 60, QImage.Format.Format_ARGB32)
    picture.fill(0xFFFF0000)
    for x in range(30, 60):
        for y in range(60):
            picture.setPixel(x, y, 0xFF00FF00)
    anchors = (((10.0, 10.0), (36,)), ((50.0, 10.0), (39,)), ((30.0, 55.0), (41,)))
    text = toml(*anchors, picture=f'mirror = true\nfit = "{kind}"')
    layer = load_overlay("x", write_overlay(tmp_path / "x", text, colour=picture))
    face = turned_face(320, 240, 400)
    image = render(result_of(face), [layer]).astype(int)
    assert np.abs(image[:, 1:320] - image[:, 639:320:-1]).max(axis=2).mean() < 1
    for outer, inner in ((36, 39), (45, 42)):
        middle = (face[outer] + face[inner]) / 2
        towards_outer = (0.7 * face[outer] + 0.3 * face[inner]).astype(int)
        towards_inner = (0.3 * face[outer] + 0.7 * face[inner]).astype(int)
        assert image[towards_outer[1] + 2, towards_outer[0], 2] > 200, f"{middle}: red is outside"
        assert image[towards_inner[1] + 2, towards_inner[0], 1] > 200, f"{middle}: green is inside"


def test_pictures_are_painted_in_their_order(tmp_path: Path) -> None:
    text = toml(*TWO_ANCHORS) + toml(*TWO_ANCHORS).partition("\n\n")[2].replace("picture.png", "second.png")
    folder = write_overlay(tmp_path / "x", text)
    second = QImage(100, 50, QImage.Format.Format_ARGB32)
    second.fill(0xFF0000FF)
    assert second.save(str(folder / "second.png"))
    layer = load_overlay("x", folder)
    face = face_points(320, 240, 300)
    np.testing.assert_array_equal(render(result_of(face), [layer])[int(face[27, 1]), int(face[27, 0])], [255, 0, 0])


def test_a_mesh_anchor_outside_the_picture_is_one_sentence(tmp_path: Path) -> None:
    anchors = [((10.0 + 9 * k, 20.0 + k * k), (k,)) for k in range(5)]
    folder = write_overlay(tmp_path / "x", toml(*anchors, ((101.0, 20.0), (7,))))
    with pytest.raises(OverlayError) as caught:
        load_overlay("x", folder)
    assert_one_clear_sentence(caught.value, str(folder / "picture.png"), "(101, 20)")


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = write_overlay(tmp_path / "x", toml(*TWO_ANCHORS))
    (folder / "picture.png").rename(tmp_path / "picture.png")
    (folder / "picture.png").symlink_to(tmp_path / "picture.png")
    with pytest.raises(OverlayError, match="outside its own folder"):
        load_overlay("x", folder)


def test_painting_a_still_face_again_gives_the_same_pixels(tmp_path: Path) -> None:
    layer = load_overlay("m", write_overlay(tmp_path / "m", anchored(MASK_POINTS), colour=ramp(WIDTH, HEIGHT)))
    result = result_of(turned_face(yaw_deg=13.7))
    first = render(result, [layer])
    assert painted(result, layer).any()
    for _ in range(3):
        np.testing.assert_array_equal(render(result, [layer]), first)
