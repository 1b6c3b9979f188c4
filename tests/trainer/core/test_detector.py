"""The face detector on the demo clip's faces, at every size and shape of frame; and cascade files that do not load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.live.helpers import assert_one_clear_sentence
from trainer.core.detector import CASCADE_NAME, DetectorError, HaarDetector
from trainer.core.thorough import LOOKS, PROFILE, Look, ThoroughDetector

if TYPE_CHECKING:
    from tests.live.helpers import DemoFrame

CASCADE = Path(cv2.data.haarcascades) / CASCADE_NAME
SIZES = [(320, 240), (640, 480), (1280, 960), (1440, 1080), (321, 241), (641, 479), (1023, 767)]


@pytest.fixture(scope="module")
def detector() -> HaarDetector:
    return HaarDetector()


def assert_found(boxes: np.ndarray, faces: list[tuple[float, float, float]]) -> None:
    """Each face (centre and side, in frame pixels) has exactly one box about it, and there is no other box."""
    assert boxes.dtype == np.float32 and boxes.shape == (len(faces), 4)
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    for cx, cy, side in faces:
        distances = np.hypot(*(centres - [cx, cy]).T)
        nearest = int(distances.argmin())
        assert distances[nearest] < 0.15 * side
        assert boxes[nearest, 2:] == pytest.approx([side, side], rel=0.35)
    assert (np.diff(boxes[:, 2]) <= 0).all(), "largest first"


@pytest.mark.parametrize(("width", "height"), SIZES, ids=str)
@pytest.mark.parametrize("number", [0, 500], ids=["one face", "two faces"])
def test_boxes_are_in_frame_pixels_at_every_size(
    detector: HaarDetector, demo: dict[int, DemoFrame], width: int, height: int, number: int
) -> None:
    frame = cv2.resize(demo[number].image_bgr, (width, height))
    sx, sy = width / 640, height / 480
    faces = [(f["cx"] * sx, f["cy"] * sy, f["width_px"] * sx) for f in demo[number].faces]
    assert_found(detector.detect(frame, fine=True), faces)


def test_full_hd(detector: HaarDetector, demo: dict[int, DemoFrame]) -> None:
    frame = np.full((1080, 1920, 3), 90, np.uint8)
    frame[:, 240:1680] = cv2.resize(demo[0].image_bgr, (1440, 1080))
    face = demo[0].faces[0]
    assert_found(
        detector.detect(frame, fine=True), [(face["cx"] * 2.25 + 240, face["cy"] * 2.25, face["width_px"] * 2.25)]
    )


@pytest.mark.parametrize("scale", [1.0, 1.51, 3.0])
def test_portrait_orientation(detector: HaarDetector, demo: dict[int, DemoFrame], scale: float) -> None:
    frame = np.vstack([np.full((160, 360, 3), 120, np.uint8), demo[0].image_bgr[:, 140:500]])  # 360 x 640
    frame = cv2.resize(frame, None, fx=scale, fy=scale)
    assert frame.shape[0] > frame.shape[1]
    assert_found(detector.detect(frame, fine=True), [(180 * scale, 378 * scale, 150 * scale)])


def test_a_fine_look_finds_smaller_faces(detector: HaarDetector, demo: dict[int, DemoFrame]) -> None:
    frame = np.full((1080, 1920, 3), 120, np.uint8)
    frame[300:780, 700:1340] = demo[0].image_bgr
    face = demo[0].faces[0]
    assert len(detector.detect(frame)) == 0
    assert_found(detector.detect(frame, fine=True), [(face["cx"] + 700, face["cy"] + 300, face["width_px"])])


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("is_fine", [False, True])
def test_a_flat_picture_has_no_face(detector: HaarDetector, value: int, is_fine: bool) -> None:
    boxes = detector.detect(np.full((480, 640, 3), value, np.uint8), fine=is_fine)
    assert boxes.shape == (0, 4) and boxes.dtype == np.float32


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (2000, 1), (7, 5), (23, 23)], ids=str)
def test_a_picture_too_small_for_a_face_has_none(detector: HaarDetector, shape: tuple[int, int]) -> None:
    assert detector.detect(np.full((*shape, 3), 90, np.uint8), fine=True).shape == (0, 4)


def test_the_frame_is_not_written(detector: HaarDetector, demo: dict[int, DemoFrame]) -> None:
    small = cv2.resize(demo[0].image_bgr, (320, 240))  # the size at which the detector makes no copy
    before = small.copy()
    small.setflags(write=False)
    assert len(detector.detect(small)) == 1
    np.testing.assert_array_equal(small, before)


# --- the thorough search


@pytest.fixture(scope="module")
def thorough() -> ThoroughDetector:
    return ThoroughDetector()


def best_overlap(boxes: np.ndarray, cx: float, cy: float, side: float) -> float:
    """Intersection over union of the box that fits a face best."""
    start = np.maximum(boxes[:, :2], [cx - side / 2, cy - side / 2])
    stop = np.minimum(boxes[:, :2] + boxes[:, 2:], [cx + side / 2, cy + side / 2])
    common = np.maximum(stop - start, 0).prod(axis=1)
    return float((common / (boxes[:, 2:].prod(axis=1) + side**2 - common)).max())


@pytest.mark.parametrize(("number", "scale"), [(0, 0.5), (40, 1.0), (240, 1.0), (500, 1.0), (500, 2.3)])
def test_a_thorough_search_has_a_box_about_every_face(
    thorough: ThoroughDetector, demo: dict[int, DemoFrame], number: int, scale: float
) -> None:
    frame = cv2.resize(demo[number].image_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    boxes = thorough.detect(frame)
    assert boxes.dtype == np.float32 and boxes.shape[1] == 4
    for face in demo[number].faces:
        if face["visible"] > 0.95:
            assert best_overlap(boxes, face["cx"] * scale, face["cy"] * scale, face["width_px"] * scale) > 0.5


FRONTAL_LOOKS = [look for look in LOOKS if look.cascade_name != PROFILE]


@pytest.mark.parametrize(
    "look", FRONTAL_LOOKS, ids=lambda look: f"{look.cascade_name[12:-4]} {look.side_px} {look.tilt_deg:g}"
)
def test_every_look_gives_boxes_in_frame_pixels(demo: dict[int, DemoFrame], look: Look) -> None:
    """Each look alone finds the portrait that it is for: upright, tilted, or small in a large picture."""
    size = 65 / 1.6 / 150 if look.largest_face_px else 1.0
    portrait = cv2.resize(demo[0].image_bgr[40:400, 140:500], None, fx=size, fy=size, interpolation=cv2.INTER_AREA)
    side = len(portrait)
    centre = np.array([180.0, 178.0]) * size
    turn = cv2.getRotationMatrix2D(tuple(centre), -look.tilt_deg, 1)
    portrait = cv2.warpAffine(portrait, turn, (side, side), borderMode=cv2.BORDER_REPLICATE)
    frame = np.full((900, 1200, 3) if look.largest_face_px else (400, 520, 3), (140, 125, 110), np.uint8)
    frame[30 : 30 + side, 90 : 90 + side] = portrait
    detector = ThoroughDetector([look])
    boxes = detector.detect(frame)
    assert best_overlap(boxes, 90 + centre[0], 30 + centre[1], 150 * size) > 0.5
    assert look.largest_face_px == 0 or len(detector.detect(frame, fine=False)) == 0


def test_the_profile_looks_mirror_each_other(demo: dict[int, DemoFrame]) -> None:
    plain, mirrored = (ThoroughDetector([look]) for look in LOOKS if look.cascade_name == PROFILE)
    rng = np.random.default_rng(0)
    frames = [demo[0].image_bgr, demo[500].image_bgr, rng.integers(0, 255, (480, 640, 3), dtype=np.uint8)]
    found = 0
    for frame in frames:
        width = frame.shape[1]
        boxes = plain.detect(np.ascontiguousarray(frame[:, ::-1]))
        boxes[:, 0] = width - boxes[:, 0] - boxes[:, 2]
        np.testing.assert_allclose(mirrored.detect(frame), boxes, atol=1e-3)
        found += len(boxes)
    assert found > 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (23, 23), (11, 900)], ids=str)
def test_a_thorough_search_of_hardly_anything_finds_nothing(thorough: ThoroughDetector, shape: tuple[int, int]) -> None:
    for picture in (np.full((*shape, 3), 90, np.uint8), np.full(shape, 90, np.uint8)):
        boxes = thorough.detect(picture)
        assert boxes.shape == (0, 4) and boxes.dtype == np.float32


def test_a_thorough_search_does_not_write(thorough: ThoroughDetector, demo: dict[int, DemoFrame]) -> None:
    frame = demo[0].image_bgr.copy()
    frame.setflags(write=False)
    thorough.detect(frame)
    np.testing.assert_array_equal(frame, demo[0].image_bgr)


# --- cascade files


def damage_by_kind() -> dict[str, bytes]:
    real = CASCADE.read_bytes()
    middle = len(real) // 2
    return {
        "empty": b"",
        "text": b"this is no cascade\n" * 100,
        "other XML": b'<?xml version="1.0"?>\n<opencv_storage><cascade>no</cascade></opencv_storage>\n',
        "a web page": b"<!DOCTYPE html><html><body>404 not found</body></html>",
        "cut off": real[:middle],
        "cut off early": real[:2000],
        "a hole of zeros": real[:middle] + bytes(4096) + real[middle + 4096 :],
        "overwritten": real[:middle] + bytes(range(256)) * 16 + real[middle + 4096 :],
        "lines missing": real[:middle] + real[middle + 50_000 :],
    }


DAMAGE = damage_by_kind()


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_cascade_that_does_not_load_is_one_sentence(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "my cascade.xml"
    path.write_bytes(DAMAGE[kind])
    with pytest.raises(DetectorError) as caught:
        HaarDetector(path)
    assert_one_clear_sentence(caught.value, str(path), "damaged")


def test_a_missing_cascade_is_one_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.xml", tmp_path):
        with pytest.raises(DetectorError) as caught:
            HaarDetector(path)
        assert_one_clear_sentence(caught.value, str(path), "missing")


def test_a_cascade_of_ones_own_is_used(tmp_path: Path, demo: dict[int, DemoFrame]) -> None:
    path = tmp_path / "cascade with a blank.xml"
    path.write_bytes(CASCADE.read_bytes())
    assert len(HaarDetector(str(path)).detect(demo[0].image_bgr, fine=True)) == 1
    path.write_bytes((CASCADE.parent / "haarcascade_smile.xml").read_bytes())
    smiles = HaarDetector(path).detect(demo[0].image_bgr, fine=True)
    assert not np.array_equal(smiles, HaarDetector().detect(demo[0].image_bgr, fine=True))
