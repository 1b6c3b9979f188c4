"""All faces of a picture, and nothing that is none: photographs, the demo clip, textures, and every kind of picture."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from fkd_desktop.live.pipeline import Pipeline
from fkd_desktop.live.stills import StillSettings, find_faces
from trainer.core.keypoints import FLIP_ORDER, LEFT_EYE, RIGHT_EYE, inter_ocular_distance
from trainer.core.preprocess import box_from_keypoints
from trainer.core.thorough import ThoroughDetector

if TYPE_CHECKING:
    from fkd_desktop.live.result import FrameResult
    from tests.live.helpers import DemoFrame
    from trainer.core.predictor import Predictor

IMAGES = Path(__file__).parents[3] / "shared" / "data" / "images"
needs_photographs = pytest.mark.skipif(
    not IMAGES.is_dir(), reason="needs ../shared/data/images, which only developers have"
)

# Where the eyes are, in pixels of the picture, read off by eye: the right one and the left one of each face.
PHOTOGRAPHS = {
    "the_beatles.jpg": [
        [(785, 812), (905, 800)],
        [(1552, 800), (1668, 805)],
        [(2258, 832), (2390, 836)],
        [(3048, 858), (3198, 862)],
    ],
    "obamas.jpg": [[(227, 142), (303, 145)], [(415, 206), (485, 210)]],
    "mona_lisa.jpg": [[(73, 64), (92, 64)]],
}


@pytest.fixture(scope="module")
def pipeline(predictor: Predictor) -> Pipeline:
    return Pipeline(predictor)


def eyes(result: FrameResult) -> np.ndarray:
    """(N, 2, 2): middles of the right and the left eye."""
    points = result.keypoints_px
    return np.stack([points[:, RIGHT_EYE].mean(axis=1), points[:, LEFT_EYE].mean(axis=1)], axis=1)


def assert_plausible(result: FrameResult) -> None:
    """Each face is above its chin, has its nose between its eyes and its mouth, and a box that holds it."""
    for points, box in zip(result.keypoints_px, result.boxes_xywh, strict=True):
        eye_height = points[36:48, 1].mean()
        assert eye_height < points[30, 1] < points[48:68, 1].mean() < points[8, 1]
        assert points[36, 0] < points[30, 0] < points[45, 0]
        np.testing.assert_allclose(box, box_from_keypoints(points), atol=1e-3)
    assert result.keypoints_px.dtype == result.boxes_xywh.dtype == result.confidences.dtype == np.float32
    assert result.ids.dtype == np.int64 and list(result.ids) == list(range(1, len(result) + 1))
    assert (np.diff(result.keypoints_px[:, :, 0].mean(axis=1)) > 0).all(), "from the left to the right"
    assert (result.confidences > 0.9).all()


@needs_photographs
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_every_face_of_a_photograph_and_no_other(pipeline: Pipeline, name: str) -> None:
    image = cv2.imread(str(IMAGES / name))
    start_s = time.perf_counter()
    result = pipeline.process_still(image, 0.0)
    assert time.perf_counter() - start_s < 20  # 1.6 s on an idle core
    truth = np.float32(PHOTOGRAPHS[name])
    assert len(result) == len(truth)
    assert_plausible(result)
    error = np.linalg.norm(eyes(result) - truth, axis=-1) / inter_ocular_distance(result.keypoints_px)[:, None]
    assert error.max() < 0.15


@needs_photographs
@pytest.mark.parametrize("name", ["obamas.jpg", "mona_lisa.jpg"])
def test_a_mirrored_photograph_has_the_mirrored_faces(pipeline: Pipeline, name: str) -> None:
    image = cv2.imread(str(IMAGES / name))
    straight = pipeline.process_still(image, 0.0)
    mirrored = pipeline.process_still(np.ascontiguousarray(image[:, ::-1]), 0.0)
    expected = straight.keypoints_px[::-1][:, FLIP_ORDER] * np.float32([-1, 1]) + np.float32([image.shape[1] - 1, 0])
    assert mirrored.keypoints_px.shape == expected.shape
    error = np.linalg.norm(mirrored.keypoints_px - expected, axis=-1).mean(axis=1)
    assert (error < 0.03 * inter_ocular_distance(expected)).all()


@pytest.mark.parametrize("number", [0, 40, 240, 500])
def test_faces_of_the_demo_clip(pipeline: Pipeline, demo: dict[int, DemoFrame], number: int) -> None:
    result = pipeline.process_still(demo[number].image_bgr, 7.5)
    faces = sorted((f for f in demo[number].faces if f["visible"] > 0.95), key=lambda f: f["cx"])
    assert len(result) == len(faces) and result.timestamp_s == 7.5
    centres = result.boxes_xywh[:, :2] + result.boxes_xywh[:, 2:] / 2
    for face, centre, box in zip(faces, centres, result.boxes_xywh, strict=True):
        assert np.hypot(*(centre - [face["cx"], face["cy"]])) < 0.15 * face["width_px"]
        assert box[2] == pytest.approx(face["width_px"], rel=0.3)
    assert result.times.detect_ms > 0 and result.times.network_ms > 0


def test_the_same_picture_gives_the_same_faces(pipeline: Pipeline, demo: dict[int, DemoFrame]) -> None:
    first = pipeline.process_still(demo[500].image_bgr, 0.0)
    pipeline.process(demo[0].image_bgr, 1.0)
    again = pipeline.process_still(demo[500].image_bgr, 0.0)
    np.testing.assert_array_equal(first.keypoints_px, again.keypoints_px)
    np.testing.assert_array_equal(first.ids, again.ids)


def test_frames_after_a_picture_start_afresh(pipeline: Pipeline, demo: dict[int, DemoFrame]) -> None:
    pipeline.process(demo[0].image_bgr, 0.0)
    pipeline.process_still(demo[500].image_bgr, 0.01)
    after = pipeline.process(demo[240].image_bgr, 0.02)
    fresh = Pipeline(pipeline.predictor).process(demo[240].image_bgr, 0.02)
    np.testing.assert_allclose(after.keypoints_px, fresh.keypoints_px, atol=0.01)


@pytest.mark.parametrize("tilt_deg", [-40, -20, 25, 40])
def test_tilted_faces(pipeline: Pipeline, portrait: np.ndarray, tilt_deg: float) -> None:
    turn = cv2.getRotationMatrix2D((180, 178), -tilt_deg, 1)  # OpenCV counts counter-clockwise
    result = pipeline.process_still(cv2.warpAffine(portrait, turn, (360, 360), borderMode=cv2.BORDER_REPLICATE), 0.0)
    assert len(result) == 1
    across = np.diff(eyes(result)[0], axis=0)[0]
    assert np.degrees(np.arctan2(across[1], across[0])) == pytest.approx(tilt_deg, abs=6)


def test_many_faces_of_all_sizes(pipeline: Pipeline, portrait: np.ndarray) -> None:
    canvas = np.full((1200, 1800, 3), (140, 125, 110), np.uint8)
    left, sides = 0, [900, 400, 200, 110, 80]  # of the portraits; the faces' boxes are 5/12 of that
    for side in sides:
        canvas[40 : 40 + side, left : left + side] = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
        left += side + 20
    result = pipeline.process_still(canvas, 0.0)
    assert len(result) == len(sides)
    assert result.boxes_xywh[:, 2] == pytest.approx(np.float32(sides) * 150 / 360, rel=0.25)
    assert_plausible(result)


# --- pictures without a face


def drawn_scene() -> np.ndarray:
    """A house, a sun and a tree: round and square things, some in pairs."""
    image = np.full((480, 640, 3), (230, 200, 150), np.uint8)
    image[330:] = (60, 160, 70)
    cv2.rectangle(image, (120, 200), (320, 400), (90, 110, 190), -1)
    for x in (150, 240):
        cv2.rectangle(image, (x, 240), (x + 45, 285), (200, 230, 240), -1)
    cv2.rectangle(image, (195, 320), (245, 400), (40, 60, 90), -1)
    cv2.fillPoly(image, [np.int32([[100, 200], [220, 110], [340, 200]])], (50, 60, 160))
    cv2.circle(image, (540, 80), 45, (60, 220, 250), -1)
    cv2.circle(image, (480, 300), 60, (50, 130, 40), -1)
    return image


def without_faces() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 255, (480, 640, 3), dtype=np.uint8)
    rows, columns = np.mgrid[:480, :640]
    pebbles = np.full((480, 640), 70, np.uint8)
    for _ in range(700):
        at, size = (
            (int(rng.integers(640)), int(rng.integers(480))),
            (int(rng.integers(5, 30)), int(rng.integers(5, 30))),
        )
        cv2.ellipse(pebbles, at, size, float(rng.integers(180)), 0, 360, int(rng.integers(60, 230)), -1)
    text = np.full((480, 640), 250, np.uint8)
    for y in range(20, 480, 24):
        cv2.putText(text, "The quick brown fox jumps over it all", (8, y), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 20, 2)

    def coloured(grey: np.ndarray) -> np.ndarray:
        return cv2.cvtColor(grey.astype(np.uint8), cv2.COLOR_GRAY2BGR)

    blobs = [cv2.GaussianBlur(rng.normal(0, 1, (480, 640)), (0, 0), sigma) for sigma in (2, 6, 15)]
    clouds = {f"clouds {i}": coloured(cv2.normalize(b, None, 0, 255, cv2.NORM_MINMAX)) for i, b in enumerate(blobs)}
    return {
        "black": np.zeros((480, 640, 3), np.uint8),
        "noise": noise,
        "soft noise": cv2.GaussianBlur(noise, (0, 0), 2),
        "checks": coloured(255 * ((rows // 40 + columns // 40) % 2)),
        "rings": coloured(127 + 120 * np.sin(np.hypot(rows - 240, columns - 320) / 9)),
        "pebbles": coloured(pebbles),
        "text": coloured(text),
        "a drawn scene": drawn_scene(),
        **clouds,
    }


PICTURES = without_faces()


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_without_a_face_has_none(pipeline: Pipeline, name: str) -> None:
    assert len(pipeline.process_still(PICTURES[name], 0.0)) == 0


def test_a_face_upside_down_or_in_pieces_is_none(pipeline: Pipeline, portrait: np.ndarray) -> None:
    shuffled = np.vstack([portrait[260:], portrait[100:260], portrait[:100]])
    pieces = np.hstack([shuffled[:, 180:], shuffled[:, :180]])
    for picture in (portrait[::-1], pieces):
        assert len(pipeline.process_still(np.ascontiguousarray(picture), 0.0)) == 0


# --- every kind of picture


def test_grey_pictures_and_pictures_with_alpha(pipeline: Pipeline, portrait: np.ndarray) -> None:
    grey = cv2.cvtColor(portrait, cv2.COLOR_BGR2GRAY)
    kinds = [portrait, grey, grey[:, :, None], np.dstack([portrait, grey])]
    results = [pipeline.process_still(picture, 0.0) for picture in kinds]
    for result in results:
        assert len(result) == 1 and result.frame_bgr.shape == portrait.shape
        np.testing.assert_allclose(result.keypoints_px, results[0].keypoints_px, atol=2)


@pytest.mark.parametrize("shape", [(1, 1), (2, 900), (900, 1), (20, 20), (12_000, 30), (40, 9000)], ids=str)
def test_tiny_and_narrow_pictures_are_no_trouble(pipeline: Pipeline, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    assert len(pipeline.process_still(noise, 0.0)) == 0


def test_a_face_in_a_panorama(pipeline: Pipeline, portrait: np.ndarray) -> None:
    panorama = np.full((200, 6000, 3), (140, 125, 110), np.uint8)
    panorama[:, 4000:4200] = cv2.resize(portrait, (200, 200), interpolation=cv2.INTER_AREA)
    result = pipeline.process_still(panorama, 0.0)
    assert len(result) == 1
    assert result.keypoints_px[0, :, 0].mean() == pytest.approx(4100, abs=10)


def test_a_small_face_in_a_small_picture(pipeline: Pipeline, portrait: np.ndarray) -> None:
    assert len(pipeline.process_still(cv2.resize(portrait, (60, 60), interpolation=cv2.INTER_AREA), 0.0)) == 1


def test_sixty_megapixels_are_looked_at_in_bounded_time(pipeline: Pipeline, portrait: np.ndarray) -> None:
    huge = np.full((6000, 10_000, 3), (140, 125, 110), np.uint8)
    huge[1000:5500, 2000:6500] = cv2.resize(portrait, (4500, 4500))
    huge.setflags(write=False)
    start_s = time.perf_counter()
    result = pipeline.process_still(huge, 0.0)
    assert time.perf_counter() - start_s < 30
    assert np.shares_memory(result.frame_bgr, huge)
    assert len(result) == 1
    assert result.boxes_xywh[0, 2] == pytest.approx(4500 * 150 / 360, rel=0.15)


def test_what_is_no_picture_is_refused(pipeline: Pipeline) -> None:
    with pytest.raises(ValueError, match="expected an image"):
        pipeline.process_still(np.zeros((5, 5, 2), np.uint8), 0.0)


# --- the parts


def test_candidates_far_off_come_to_the_face_and_count_once(predictor: Predictor, demo: dict[int, DemoFrame]) -> None:
    frame, face = demo[0].image_bgr, demo[0].faces[0]
    side = face["width_px"]
    box = np.float32([face["cx"] - side / 2, face["cy"] - side / 2, side, side])
    about = box + side * np.float32(
        [[0, 0, 0, 0], [0.2, 0.1, 0, 0], [-0.15, -0.15, 0.3, 0.3], [0.15, 0.15, -0.3, -0.3]]
    )
    found = find_faces(frame, about, predictor)
    assert len(found) == 1
    alone = find_faces(frame, about[:1], predictor)
    assert np.linalg.norm(found.points_px - alone.points_px, axis=-1).max() < 0.03 * side


def test_no_candidates_are_no_faces(predictor: Predictor, portrait: np.ndarray) -> None:
    found = find_faces(portrait, np.empty((0, 4), np.float32), predictor)
    assert found.points_px.shape == (0, 68, 2) and found.confidence.shape == (0,)


def test_the_limit_keeps_the_most_confident(predictor: Predictor, demo: dict[int, DemoFrame]) -> None:
    frame = demo[500].image_bgr
    boxes = ThoroughDetector().detect(frame)
    both = find_faces(frame, boxes, predictor)
    one = find_faces(frame, boxes, predictor, StillSettings(max_faces=1))
    assert (len(both), len(one)) == (2, 1)
    np.testing.assert_array_equal(one.points_px[0], both.points_px[int(both.confidence.argmax())])
