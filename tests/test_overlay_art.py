"""The shipped overlays sit where they belong on the model face, and the model face's keypoints lie on its features."""

from __future__ import annotations

import json
import runpy
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from fkd_desktop.overlays.library import OverlayLibrary
from tests.overlays.helpers import alpha_of
from trainer.core.keypoints import FLIP_ORDER, LEFT_EYE, RIGHT_EYE, inter_ocular_distance
from trainer.core.predictor import Predictor

ASSETS = Path(__file__).parents[1] / "assets"
OVERLAYS = ASSETS / "overlays"
NAMES = sorted(folder.name for folder in OVERLAYS.iterdir())
DESCRIPTIONS = {name: tomllib.loads((OVERLAYS / name / "overlay.toml").read_text(encoding="utf-8")) for name in NAMES}
PICTURES = [(name, index) for name in NAMES for index in range(len(DESCRIPTIONS[name]["pictures"]))]
EXPECTED = {
    # name: German title, z-order, number key
    "dog": ("Hund", 60, "7"),
    "hat": ("Hut", 40, "6"),
    "moustache": ("Schnurrbart", 60, "5"),
    "party-mask": ("Partymaske", 50, "8"),
    "sunglasses": ("Sonnenbrille", 50, "4"),
    "sunglasses-heart": ("Herzbrille", 50, None),
    "sunglasses-round": ("Runde Sonnenbrille", 50, None),
}
MODEL = json.loads((ASSETS / "faces" / "model.json").read_text(encoding="utf-8"))
POINTS = np.array(MODEL["keypoints_px"])
SIDE_PX = MODEL["width"]
EYES = POINTS[list(RIGHT_EYE)].mean(axis=0), POINTS[list(LEFT_EYE)].mean(axis=0)
EYE_DISTANCE_PX = float(np.linalg.norm(EYES[1] - EYES[0]))
NOSE_TIP, CHIN, UPPER_LIP, LOWER_LIP = POINTS[30], POINTS[8], POINTS[51], POINTS[57]


def picture_rgba(name: str, index: int) -> np.ndarray:
    """(H, W, 4) straight RGBA in the picture's own pixels."""
    path = OVERLAYS / name / DESCRIPTIONS[name]["pictures"][index]["image"]
    if path.suffix == ".svg":
        renderer = QSvgRenderer(str(path))
        assert renderer.isValid()
        image = QImage(renderer.defaultSize(), QImage.Format.Format_RGBA8888_Premultiplied)
        image.fill(0)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        renderer.render(painter, QRectF(image.rect()))
        painter.end()
    else:
        image = QImage(str(path))
        assert not image.isNull()
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return rows[:, : image.width()].copy()


@pytest.fixture(scope="module")
def library(qapp: QApplication) -> OverlayLibrary:
    return OverlayLibrary()


class Worn:
    """How much of each pixel an overlay hides when a face wears it."""

    def __init__(self, library: OverlayLibrary, name: str, points: np.ndarray = POINTS) -> None:
        self.alpha = alpha_of(points.astype(np.float32), layer=library.layer(name), width=SIDE_PX, height=SIDE_PX)
        rows, columns = np.nonzero(self.alpha > 0.5)
        self.left, self.right, self.top, self.bottom = columns.min(), columns.max(), rows.min(), rows.max()

    def at(self, point: np.ndarray) -> float:
        x, y = np.rint(point).astype(int)
        return float(self.alpha[y - 1 : y + 2, x - 1 : x + 2].mean())


def turned(points: np.ndarray, angle_deg: float) -> np.ndarray:
    """Return the points of the face turned in the picture, about the nose, clockwise."""
    angle = np.radians(angle_deg)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (points - NOSE_TIP) @ matrix + NOSE_TIP


# --- files ---


def test_every_overlay_is_there_and_loads(library: OverlayLibrary) -> None:
    assert set(NAMES) == set(EXPECTED)
    assert library.broken == ()
    for name in NAMES:
        assert library.layer(name).name == name


@pytest.mark.parametrize("name", NAMES)
def test_titles_order_and_key_are_as_agreed(name: str) -> None:
    description = DESCRIPTIONS[name]
    assert description["format"] == 2
    assert (description["names"]["de"], description["order"], description.get("key")) == EXPECTED[name]


@pytest.mark.parametrize("name", NAMES)
def test_folder_is_small_and_holds_nothing_else(name: str) -> None:
    used = {"overlay.toml", *(picture["image"] for picture in DESCRIPTIONS[name]["pictures"])}
    files = list((OVERLAYS / name).iterdir())
    assert {file.name for file in files} == used
    assert max(file.stat().st_size for file in files) < 300_000


@pytest.mark.parametrize(("name", "index"), PICTURES)
def test_picture_is_not_cut_off_and_fills_its_sheet(qapp: QApplication, name: str, index: int) -> None:
    alpha = picture_rgba(name, index)[..., 3]
    border = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
    assert border.max() <= 4
    rows, columns = np.nonzero(alpha > 128)
    assert np.ptp(columns) > 0.6 * alpha.shape[1] and np.ptp(rows) > 0.6 * alpha.shape[0]
    assert 0.1 < (alpha > 128).mean() < 0.9


@pytest.mark.parametrize(("name", "index"), PICTURES)
def test_edges_have_no_halo(qapp: QApplication, name: str, index: int) -> None:
    """Faint and transparent pixels have the edge's own colour, so scaling cannot mix in another one."""
    if DESCRIPTIONS[name]["pictures"][index]["image"].endswith(".svg"):
        return  # drawn at the size that is needed
    rgba = picture_rgba(name, index)
    colour, alpha = rgba[..., :3], rgba[..., 3:]
    window = np.ones((9, 9), np.uint8)
    lightest = cv2.dilate(np.where(alpha > 60, colour, 0), window).astype(int)
    darkest = cv2.erode(np.where(alpha > 60, colour, 255), window).astype(int)
    beside = (alpha[..., 0] < 50) & (cv2.dilate(alpha[..., 0], np.ones((3, 3), np.uint8)) > 60)
    assert beside.sum() > 100
    assert (colour[beside] <= lightest[beside] + 8).mean() > 0.98
    assert (colour[beside] >= darkest[beside] - 8).mean() > 0.95  # some of it is the shadow's


@pytest.mark.parametrize(("name", "index"), PICTURES)
def test_anchors_lie_in_the_picture_and_fit_the_model_face(qapp: QApplication, name: str, index: int) -> None:
    """All were drawn on that face: one scale and one shift put every anchor onto its keypoints."""
    height, width = picture_rgba(name, index).shape[:2]
    anchors = DESCRIPTIONS[name]["pictures"][index]["anchors"]
    image_px = np.array([anchor["image_px"] for anchor in anchors])
    assert ((image_px > 0) & (image_px < (width, height))).all() or name in {"hat", "dog"}
    target = np.array([POINTS[anchor["keypoints"]].mean(axis=0) for anchor in anchors])
    source, goal = image_px - image_px.mean(axis=0), target - target.mean(axis=0)
    scale = (source * goal).sum() / np.square(source).sum()
    assert np.abs(scale * source - goal).max() < 0.5
    sides = [tuple(sorted(FLIP_ORDER[anchor["keypoints"]])) for anchor in anchors]
    assert sorted(sides) == sorted(tuple(sorted(anchor["keypoints"])) for anchor in anchors), "held from one side only"


def test_heart_glasses_are_self_contained_and_as_their_script_draws_them(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ASSETS / "scripts")
    text = (OVERLAYS / "sunglasses-heart" / "sunglasses-heart.svg").read_text(encoding="utf-8")
    assert "href" not in text and "<image" not in text and "<text" not in text and "filter" not in text
    assert text == runpy.run_path(str(ASSETS / "scripts" / "make_more_glasses.py"))["svg_hearts"]()


# --- where they sit ---


@pytest.mark.parametrize("name", ["sunglasses", "sunglasses-round", "sunglasses-heart"])
def test_glasses_hide_the_eyes_and_end_at_the_temples(library: OverlayLibrary, name: str) -> None:
    worn = Worn(library, name)
    assert min(worn.at(POINTS[i]) for i in (*RIGHT_EYE, *LEFT_EYE)) > 0.6
    assert worn.at(NOSE_TIP) < 0.05 and worn.at(UPPER_LIP) < 0.05
    assert 1.9 < (worn.right - worn.left) / EYE_DISTANCE_PX < 2.45
    assert abs((worn.left + worn.right) / 2 - NOSE_TIP[0]) < 2
    assert POINTS[19, 1] - 0.15 * EYE_DISTANCE_PX < worn.top and worn.bottom < NOSE_TIP[1]


def test_moustache_lies_between_nose_and_mouth(library: OverlayLibrary) -> None:
    worn = Worn(library, "moustache")
    between = (POINTS[33] + UPPER_LIP) / 2
    for shift in (-0.3, -0.15, 0.15, 0.3):
        assert worn.at(between + np.array([shift * EYE_DISTANCE_PX, 2])) > 0.9
    assert worn.at(NOSE_TIP) < 0.05 and worn.at(LOWER_LIP) < 0.05
    assert worn.top > POINTS[30, 1] and worn.bottom < LOWER_LIP[1]
    assert 1.1 < (worn.right - worn.left) / EYE_DISTANCE_PX < 1.7


def test_hat_sits_on_the_head_above_the_brows(library: OverlayLibrary) -> None:
    worn = Worn(library, "hat")
    assert max(worn.at(POINTS[i]) for i in range(27, 68)) < 0.1
    assert max(worn.at(POINTS[i]) for i in range(27)) < 0.45, "more than the brim's shadow"
    brows = POINTS[17:27, 1].min()
    assert brows - 0.35 * EYE_DISTANCE_PX < worn.bottom < brows, "the brim lies on the forehead"
    for share in (-0.4, 0.0, 0.4):
        assert worn.at(np.array([NOSE_TIP[0] + share * EYE_DISTANCE_PX, brows - 0.9 * EYE_DISTANCE_PX])) > 0.95
    assert worn.left < POINTS[0, 0] and worn.right > POINTS[16, 0], "wider than the face"
    assert worn.top > 0, "the model picture has room for it"


@pytest.mark.parametrize("angle_deg", [-25, 25])
def test_hat_tilts_with_the_head(library: OverlayLibrary, angle_deg: float) -> None:
    points = turned(POINTS, angle_deg)
    worn = Worn(library, "hat", points)
    forehead = (POINTS[21] + POINTS[22]) / 2 - [0, 1.0 * EYE_DISTANCE_PX]
    assert worn.at(turned(forehead[None], angle_deg)[0]) > 0.95
    assert max(worn.at(point) for point in points[27:]) < 0.1


def test_dog_has_ears_a_nose_and_a_tongue(library: OverlayLibrary) -> None:
    worn = Worn(library, "dog")
    assert worn.at(NOSE_TIP) > 0.95
    assert worn.at(LOWER_LIP) > 0.95 and worn.at((LOWER_LIP + CHIN) / 2) > 0.95
    assert max(worn.at(POINTS[i]) for i in (*RIGHT_EYE, *LEFT_EYE, *range(17, 27), 8)) < 0.1
    count, _, stats, centres = cv2.connectedComponentsWithStats((worn.alpha > 0.5).astype(np.uint8))
    large = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] > 400]
    ears = sorted(centres[i][0] for i in large if centres[i][1] < POINTS[19, 1])
    assert len(large) == 3 and len(ears) == 2, "two ears, and the snout with the tongue"
    assert abs(ears[0] + ears[1] - 2 * NOSE_TIP[0]) < 4
    assert ears[0] < POINTS[17, 0] and ears[1] > POINTS[26, 0]


def test_dog_nose_stays_on_the_nose_when_the_head_turns(library: OverlayLibrary) -> None:
    points = POINTS.copy()
    points[27:36, 0] += np.linspace(4, 22, 9)  # the nose is nearer to the camera, so it moves farther
    worn = Worn(library, "dog", points)
    assert worn.at(points[30]) > 0.95 and worn.at(points[33]) > 0.95


def test_mask_leaves_the_eyes_open(library: OverlayLibrary) -> None:
    worn = Worn(library, "party-mask")
    assert max(worn.at(POINTS[i]) for i in (*RIGHT_EYE, *LEFT_EYE)) < 0.2
    assert min(worn.at(POINTS[i]) for i in (*range(17, 27), 27, 28)) > 0.95
    assert max(worn.at(POINTS[i]) for i in (30, *range(48, 68), *range(3, 14))) < 0.05
    assert 2.2 < (worn.right - worn.left) / EYE_DISTANCE_PX < 3.0


def test_mask_bends_with_the_face(library: OverlayLibrary) -> None:
    """A brow that is raised lifts its side of the mask; the rest and the eye holes stay."""
    raised = POINTS.copy()
    lift_px = 0.15 * EYE_DISTANCE_PX
    raised[22:27, 1] -= lift_px
    before, after = Worn(library, "party-mask"), Worn(library, "party-mask", raised)

    def upper_edge(worn: Worn, x: float) -> int:
        return int(np.nonzero(worn.alpha[:, round(x)] > 0.5)[0].min())

    left_x, right_x = POINTS[19, 0], POINTS[24, 0]
    assert upper_edge(before, right_x) - upper_edge(after, right_x) > 0.6 * lift_px
    assert abs(upper_edge(before, left_x) - upper_edge(after, left_x)) < 0.45 * lift_px
    assert max(after.at(POINTS[i]) for i in (*RIGHT_EYE, *LEFT_EYE)) < 0.2


def test_mask_holes_stay_open_when_the_eyes_close(library: OverlayLibrary) -> None:
    closed = POINTS.copy()
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        closed[upper, 1] = closed[lower, 1] - 1
    open_px, closed_px = (
        int((Worn(library, "party-mask", p).alpha < 0.2)[_eye_rows()].sum()) for p in (POINTS, closed)
    )
    assert closed_px > 0.9 * open_px


def _eye_rows() -> slice:
    return slice(int(EYES[0][1] - 0.25 * EYE_DISTANCE_PX), int(EYES[0][1] + 0.25 * EYE_DISTANCE_PX))


# --- the model face ---


@pytest.fixture(scope="module")
def model_bgr() -> np.ndarray:
    picture = cv2.imread(str(ASSETS / "faces" / MODEL["image"]))
    assert picture is not None
    return picture


def test_model_face_and_its_points_belong_together(model_bgr: np.ndarray) -> None:
    assert MODEL["format"] == 1
    assert model_bgr.shape == (MODEL["height"], MODEL["width"], 3)
    assert POINTS.shape == (68, 2) and (POINTS > 0).all() and (SIDE_PX > POINTS).all()
    mirrored = POINTS[FLIP_ORDER]
    assert np.allclose(POINTS[:, 0] + mirrored[:, 0], SIDE_PX - 1, atol=0.05), "not in the middle, or not symmetric"
    assert np.allclose(POINTS[:, 1], mirrored[:, 1], atol=0.01)


def test_model_face_has_its_features_at_the_points(model_bgr: np.ndarray) -> None:
    lab = cv2.cvtColor(model_bgr, cv2.COLOR_BGR2LAB).astype(float)

    def seen(point: np.ndarray) -> np.ndarray:
        x, y = np.rint(point).astype(int)
        return lab[y - 2 : y + 3, x - 2 : x + 3].mean(axis=(0, 1))

    cheek = seen((POINTS[2] + POINTS[31]) / 2)
    for eye in EYES:
        assert seen(eye)[0] < cheek[0] - 60, "the pupil"
    for brow in (*range(18, 21), *range(23, 26)):
        assert seen(POINTS[brow])[0] < cheek[0] - 60
    assert seen((POINTS[62] + POINTS[66]) / 2)[0] < cheek[0] - 50, "between the lips"
    inside, outside = POINTS[2:15] + 0.08 * (NOSE_TIP - POINTS[2:15]), POINTS[2:15] - 0.08 * (NOSE_TIP - POINTS[2:15])
    for one, other in zip(inside, outside, strict=True):
        assert np.linalg.norm(seen(one) - seen(other)) > 15, "the jaw's edge lies between"


def test_network_finds_the_same_points(model_bgr: np.ndarray) -> None:
    low, high = POINTS[17:].min(axis=0), POINTS.max(axis=0)
    centre, side = (low + high) / 2, 1.15 * (high - low).max()
    found = Predictor.load(device="cpu").predict(model_bgr, [[*(centre - side / 2), side, side]])
    assert found.confidence[0] > 0.9
    error = np.linalg.norm(found.points_px[0] - POINTS, axis=1).mean() / inter_ocular_distance(POINTS)
    assert error < 0.05
