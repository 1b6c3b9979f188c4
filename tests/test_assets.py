"""The shipped pictures and the demo clip are what the application and the other tests take them for."""

from __future__ import annotations

import json
import struct
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest

ASSETS = Path(__file__).parents[1] / "assets"
ICON_SIZES_PX = (16, 24, 32, 48, 64, 128, 256, 512)
RIGHT_EYE, LEFT_EYE = list(range(36, 42)), list(range(42, 48))


def read_bgra(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None, f"{path} cannot be read"
    assert image.ndim == 3 and image.shape[2] == 4, f"{path} has no alpha channel"
    return image


# --- icons ---


@pytest.mark.parametrize("size_px", ICON_SIZES_PX)
def test_icon_is_a_rounded_square_on_a_transparent_ground(size_px: int) -> None:
    icon = read_bgra(ASSETS / "icons" / f"fkd-desktop-{size_px}.png")
    assert icon.shape == (size_px, size_px, 4)
    alpha = icon[..., 3]
    assert alpha[size_px // 2, size_px // 2] == 255
    for corner in (alpha[0, 0], alpha[0, -1], alpha[-1, 0], alpha[-1, -1]):
        assert corner < 40


@pytest.mark.parametrize("size_px", ICON_SIZES_PX)
def test_icon_drawing_stands_out_at_every_size(size_px: int) -> None:
    icon = read_bgra(ASSETS / "icons" / f"fkd-desktop-{size_px}.png")
    luma = cv2.cvtColor(icon[..., :3], cv2.COLOR_BGR2GRAY)[icon[..., 3] == 255]
    assert np.percentile(luma, 97) - np.median(luma) > 70


def test_ico_lists_png_entries_that_lie_inside_the_file() -> None:
    data = (ASSETS / "icons" / "fkd-desktop.ico").read_bytes()
    reserved, kind, count = struct.unpack_from("<HHH", data)
    assert (reserved, kind) == (0, 1)
    sides = set()
    for index in range(count):
        width, _, _, _, _, bits, length, offset = struct.unpack_from("<BBBBHHII", data, 6 + 16 * index)
        assert bits == 32
        picture = cv2.imdecode(np.frombuffer(data[offset : offset + length], np.uint8), cv2.IMREAD_UNCHANGED)
        assert picture is not None and picture.shape[1] == (width or 256)
        sides.add(width or 256)
    assert {16, 32, 48, 256} <= sides


def test_svg_is_self_contained() -> None:
    text = (ASSETS / "icons" / "fkd-desktop.svg").read_text(encoding="utf-8")
    assert text.startswith("<svg")
    assert "href" not in text and "<image" not in text


# --- sunglasses ---


@pytest.fixture(scope="module")
def glasses() -> np.ndarray:
    return read_bgra(ASSETS / "overlays" / "sunglasses" / "sunglasses.png")


def test_sunglasses_have_a_thin_transparent_margin(glasses: np.ndarray) -> None:
    height, width = glasses.shape[:2]
    assert 900 <= width <= 1200 and 2 < width / height < 4
    rows, columns = np.nonzero(glasses[..., 3])
    for margin in (rows.min(), columns.min(), height - 1 - rows.max(), width - 1 - columns.max()):
        assert 2 <= margin <= 24


def test_sunglasses_have_smooth_edges_and_translucent_lenses(glasses: np.ndarray) -> None:
    alpha = glasses[..., 3].astype(np.float64) / 255
    lens = (alpha > 0.8) & (alpha < 0.97)
    edge = (alpha > 0.02) & (alpha < 0.8)
    assert 0.2 < lens.mean() < 0.6
    outline = cv2.morphologyEx((alpha > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    # An anti-aliased edge has about one partly transparent pixel for each two of the (two pixels wide) outline.
    assert edge.sum() > 0.3 * outline.sum()


def test_sunglasses_have_no_halo(glasses: np.ndarray) -> None:
    """Under transparent pixels lies the edge's own dark grey, so scaling cannot mix in another colour."""
    alpha, colour = glasses[..., 3], glasses[..., :3].astype(int)
    hidden = colour[alpha < 128]
    assert hidden.max() < 110
    assert (hidden.max(axis=1) - hidden.min(axis=1)).max() < 24


def test_sunglasses_anchors_fit_a_face(glasses: np.ndarray) -> None:
    with (ASSETS / "overlays" / "sunglasses" / "overlay.toml").open("rb") as file:
        overlay = tomllib.load(file)
    (picture,) = overlay["pictures"]
    assert overlay["format"] == 2 and picture["image"] == "sunglasses.png"
    left, right = picture["anchors"]
    assert (left["keypoints"], right["keypoints"]) == (RIGHT_EYE, LEFT_EYE)
    height, width = glasses.shape[:2]
    for anchor in (left, right):
        x, y = anchor["image_px"]
        assert 0 < x < width and 0.3 * height < y < 0.6 * height
        assert 0.8 * 255 < glasses[round(y), round(x), 3] < 0.97 * 255, "the pupil is not behind a lens"
    pupil_distance_px = right["image_px"][0] - left["image_px"][0]
    columns = np.nonzero(glasses[..., 3])[1]
    assert 2.0 <= (columns.max() - columns.min()) / pupil_distance_px <= 2.2


# --- demo clip ---


@pytest.fixture(scope="module")
def truth() -> dict:
    return json.loads((ASSETS / "demo" / "demo_truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def clip(truth: dict) -> tuple[int, dict[int, np.ndarray]]:
    """Return how many frames decode, and every twentieth of them."""
    capture = cv2.VideoCapture(str(ASSETS / "demo" / "demo.mp4"))
    assert capture.isOpened()
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(truth["fps"])
    count, sample = 0, {}
    try:
        while True:
            read, frame = capture.read()
            if not read:
                break
            assert frame.shape == (truth["height"], truth["width"], 3)
            if count % 20 == 0:
                sample[count] = frame
            count += 1
    finally:
        capture.release()
    return count, sample


def test_demo_clip_decodes_fully(clip: tuple[int, dict[int, np.ndarray]], truth: dict) -> None:
    count, _ = clip
    assert (truth["width"], truth["height"], truth["fps"]) == (640, 480, 30)
    assert count == len(truth["frames"]) == 600
    assert (ASSETS / "demo" / "demo.mp4").stat().st_size < 1_500_000


def test_demo_truth_has_what_the_clip_promises(truth: dict) -> None:
    frames = truth["frames"]
    whole = [face for faces in frames for face in faces if face["visible"] >= 0.99]
    assert min(face["width_px"] for face in whole) < 100 and max(face["width_px"] for face in whole) > 220
    assert min(face["angle_deg"] for face in whole) < -20 and max(face["angle_deg"] for face in whole) > 20
    assert {len(faces) for faces in frames} == {0, 1, 2}
    first, last = frames[0][0], frames[-1][0]
    assert abs(first["cx"] - last["cx"]) < 3 and abs(first["width_px"] - last["width_px"]) < 3


def test_demo_faces_are_where_the_truth_says(clip: tuple[int, dict[int, np.ndarray]], truth: dict) -> None:
    cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"))
    expected = found = 0
    for index, frame in clip[1].items():
        grey = cv2.cvtColor(cv2.resize(frame, (320, 240), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
        boxes = 2 * np.asarray(cascade.detectMultiScale(grey, scaleFactor=1.2, minNeighbors=4)).reshape(-1, 4)
        centres = boxes[:, :2] + boxes[:, 2:] / 2
        for face in truth["frames"][index]:
            if abs(face["angle_deg"]) < 12 and face["visible"] >= 0.99:
                expected += 1
                distances = np.hypot(centres[:, 0] - face["cx"], centres[:, 1] - face["cy"])
                found += bool((distances < 0.25 * face["width_px"]).any())
    assert expected >= 20
    assert found >= 0.95 * expected
