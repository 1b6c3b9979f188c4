"""Frames in, faces out: the shipped weights on the demo clip, for any number of faces and every kind of frame."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from fkd_desktop.live.pipeline import Pipeline, to_bgr
from fkd_desktop.live.search import Looks, SearchAtOnce
from fkd_desktop.live.smoothing import OneEuroFilter, SmoothingLevel
from fkd_desktop.live.sources import VideoSource
from tests.live.helpers import face_points
from trainer.core.detector import HaarDetector
from trainer.core.keypoints import FLIP_ORDER, LEFT_EYE, RIGHT_EYE, inter_ocular_distance
from trainer.core.predictor import Keypoints
from trainer.core.preprocess import box_from_keypoints
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from fkd_desktop.live.result import FrameResult
    from tests.live.helpers import DemoFrame
    from trainer.core.predictor import Predictor

WEBCAM_CLIP = Path(__file__).parents[3] / "shared" / "data" / "clips" / "webcam.mp4"
STEP_S = 1 / 30


@dataclass(frozen=True)
class Sighting:
    """What the pipeline said where a face of the clip's ground truth is."""

    frame: int
    truth: dict[str, Any]
    number: int | None
    offset: float = 0.0
    width_ratio: float = 1.0
    angle_error_deg: float = 0.0


def centres(result: FrameResult) -> np.ndarray:
    return result.boxes_xywh[:, :2] + result.boxes_xywh[:, 2:] / 2


def angles_deg(result: FrameResult) -> np.ndarray:
    across = result.keypoints_px[:, LEFT_EYE].mean(axis=1) - result.keypoints_px[:, RIGHT_EYE].mean(axis=1)
    return np.degrees(np.arctan2(across[:, 1], across[:, 0]))


def sight(frame: int, truth: dict[str, Any], result: FrameResult) -> Sighting:
    distances = np.hypot(*(centres(result) - [truth["cx"], truth["cy"]]).T) / truth["width_px"]
    if len(distances) == 0 or distances.min() > 0.5:
        return Sighting(frame, truth, None)
    i = int(distances.argmin())
    return Sighting(
        frame,
        truth,
        int(result.ids[i]),
        offset=float(distances[i]),
        width_ratio=float(result.boxes_xywh[i, 2] / truth["width_px"]),
        angle_error_deg=float(abs(angles_deg(result)[i] - truth["angle_deg"])),
    )


@pytest.fixture(scope="module")
def whole_clip(predictor: Predictor) -> tuple[list[Sighting], int]:
    """Work through the demo clip once: a sighting for each face that is in it, and how many faces were imagined."""
    truth = json.loads((assets_dir() / "demo" / "demo_truth.json").read_text(encoding="utf-8"))["frames"]
    pipeline = Pipeline(predictor)
    source = VideoSource(assets_dir() / "demo" / "demo.mp4")
    source.open()
    sightings, imagined = [], 0
    for number, faces in enumerate(truth):
        frame = source.read()
        assert frame is not None
        result = pipeline.process(frame.image_bgr, frame.timestamp_s)
        seen = [sight(number, face, result) for face in faces]
        sightings += [s for s in seen if s.truth["visible"] >= 0.95]
        # A face that has just left lingers at the edge: what counts is one in the midst where nobody is.
        half = result.boxes_xywh[:, 2:] / 2
        in_the_midst = ((centres(result) > half) & (centres(result) < [640, 480] - half)).all(axis=1)
        imagined += max(0, int(in_the_midst.sum()) - len(faces))
    source.close()
    return sightings, imagined


def test_faces_of_the_clip_are_found_where_they_are(whole_clip: tuple[list[Sighting], int]) -> None:
    sightings, imagined = whole_clip
    found = [s for s in sightings if s.number is not None]
    assert len(sightings) > 600
    assert len(found) >= 0.95 * len(sightings)
    assert max(s.offset for s in found) < 0.15
    assert all(0.85 < s.width_ratio < 1.3 for s in found)
    assert np.percentile([s.angle_error_deg for s in found], 99) < 4
    assert imagined == 0


def test_a_face_keeps_its_number_as_long_as_it_is_in_the_picture(whole_clip: tuple[list[Sighting], int]) -> None:
    found = [s for s in whole_clip[0] if s.number is not None]
    numbers = {}
    for person, start, stop in ((0, 0, 400), (0, 400, 600), (1, 400, 600)):  # person 0 leaves and comes back
        seen = {s.number for s in found if s.truth["id"] == person and start <= s.frame < stop}
        assert len(seen) == 1, f"person {person} had the numbers {seen}"
        numbers[person, start] = seen.pop()
    assert len(set(numbers.values())) == 3


# --- how many faces


def eight_faces(portrait: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A Full-HD picture of eight faces of different sizes, and (8, 3) centres and sides of their boxes."""
    canvas = np.full((1080, 1920, 3), (140, 125, 110), np.uint8)
    faces = []
    for i in range(8):
        scale = 1.33 - 0.02 * i
        side = round(360 * scale)
        left, top = 480 * (i % 4), 540 * (i // 4)
        picture = portrait if i % 2 else portrait[:, ::-1]
        canvas[top : top + side, left : left + side] = cv2.resize(picture, (side, side))
        faces.append((left + 180 * scale, top + 178 * scale, 150 * scale))
    return canvas, np.array(faces)


def test_eight_faces_are_one_call_of_the_network(
    predictor: Predictor, portrait: np.ndarray, network_calls: list[int]
) -> None:
    canvas, faces = eight_faces(portrait)
    pipeline = Pipeline(predictor)
    for k in range(5):
        result = pipeline.process(canvas, k * STEP_S)
        assert len(result) == 8
    assert len(network_calls) == 5, "one a frame"
    assert network_calls[-1] == 8, "and in the end of the faces only, not of what was taken for some"
    for cx, cy, side in faces:
        assert np.hypot(*(centres(result) - [cx, cy]).T).min() < 0.1 * side
    assert sorted(result.ids) == list(range(1, 9))


class TwoFaced:
    """A network that sees the same face in each crop, and in the mirror image one that lies elsewhere."""

    def __init__(self, predictor: Predictor, *, apart: float, mirrored_confidence: float) -> None:
        self.squares, self.crops = predictor.squares, predictor.crops
        self.apart, self.mirrored_confidence = apart, mirrored_confidence

    def predict_crops(self, crops: np.ndarray, squares: np.ndarray) -> Keypoints:
        sides, middle = squares[:, 2], squares[:, :2] + squares[:, 2:] / 2
        points = np.array([face_points(*m, side / 1.25) for m, side in zip(middle, sides, strict=True)], np.float32)
        confidence = np.full(len(crops), 0.99, np.float32)
        if len(crops) == 2:  # the only candidate, and its mirror image
            points[1] = points[1, FLIP_ORDER] * [-1, 1] + [2 * middle[1, 0] - 1, 0]
            points[1, :, 0] += self.apart * sides[1]
            confidence[1] = self.mirrored_confidence
        return Keypoints(points, confidence)


@pytest.mark.parametrize(
    ("apart", "mirrored_confidence", "is_face"),
    [(0.0, 0.99, True), (0.019, 0.99, True), (0.021, 0.99, False), (0.0, 0.89, False)],
    ids=["agrees", "nearly agrees", "disagrees", "is unsure"],
)
def test_a_new_face_is_one_in_the_mirror_too(
    predictor: Predictor, demo: dict[int, DemoFrame], apart: float, mirrored_confidence: float, is_face: bool
) -> None:
    network = TwoFaced(predictor, apart=apart, mirrored_confidence=mirrored_confidence)
    pipeline = Pipeline(network, search=SearchAtOnce(Looks(HaarDetector())))  # type: ignore[arg-type]
    assert len(pipeline.process(demo[0].image_bgr, 0.0)) == is_face


def test_no_face_is_no_call_of_the_network(predictor: Predictor, network_calls: list[int]) -> None:
    result = Pipeline(predictor).process(np.full((480, 640, 3), 128, np.uint8), 0.0)
    assert len(result) == 0
    assert result.boxes_xywh.shape == (0, 4) and result.boxes_xywh.dtype == np.float32
    assert result.keypoints_px.shape == (0, 68, 2) and result.keypoints_px.dtype == np.float32
    assert result.ids.shape == result.confidences.shape == (0,)
    assert network_calls == []


def test_two_faces_are_one_call_of_the_network(
    predictor: Predictor, demo: dict[int, DemoFrame], network_calls: list[int]
) -> None:
    result = Pipeline(predictor, search=SearchAtOnce(Looks(HaarDetector()))).process(demo[500].image_bgr, 0.0)
    assert network_calls == [4], "each with its mirror image, for they are new"
    assert result.keypoints_px.shape == (2, 68, 2) and result.keypoints_px.dtype == np.float32
    assert result.ids.dtype == np.int64 and result.confidences.dtype == np.float32
    assert ((result.confidences >= 0.6) & (result.confidences <= 1)).all()
    assert result.times.network_ms > 0 and result.times.detect_ms > 0
    assert result.times.total_ms < 5000


def test_a_frame_that_comes_again_is_looked_at_again(predictor: Predictor, demo: dict[int, DemoFrame]) -> None:
    """A paused picture, for another network: where the one before saw no face, this one may."""

    class Blind:
        squares, crops = predictor.squares, predictor.crops

        def predict_crops(self, crops: np.ndarray, squares: np.ndarray) -> Keypoints:
            found = predictor.predict_crops(crops, squares)
            return Keypoints(found.points_px, np.zeros_like(found.confidence))

    pipeline = Pipeline(Blind())  # type: ignore[arg-type]
    assert len(pipeline.process(demo[0].image_bgr, 1.0)) == 0
    pipeline.predictor = predictor
    assert len(pipeline.process(demo[0].image_bgr, 1.0)) == 1


def test_the_detector_is_not_asked_for_every_frame(predictor: Predictor, demo: dict[int, DemoFrame]) -> None:
    class CountingDetector:
        calls = 0

        def detect(self, _frame: np.ndarray, *, fine: bool = False, known_xywh: np.ndarray | None = None) -> np.ndarray:
            self.calls += 1
            face = demo[0].faces[0]
            side = face["width_px"]
            return np.float32([[face["cx"] - side / 2, face["cy"] - side / 2, side, side]])

    detector = CountingDetector()
    pipeline = Pipeline(predictor, search=SearchAtOnce(Looks(detector)))
    for k in range(30):
        assert len(pipeline.process(demo[0].image_bgr, k * STEP_S)) == 1
    assert 1 < detector.calls <= 3
    detector.calls = 0
    for k in range(30, 60):
        pipeline.process(np.zeros_like(demo[0].image_bgr), k * STEP_S)  # the face is gone
    assert detector.calls > 8


# --- every kind of frame


@pytest.mark.parametrize(
    ("width", "height"),
    [(320, 240), (640, 480), (1280, 720), (1920, 1080), (321, 241), (1279, 721), (480, 640), (1080, 1920), (333, 777)],
)
def test_every_size_of_frame(predictor: Predictor, portrait: np.ndarray, width: int, height: int) -> None:
    frame = np.full((height, width, 3), (140, 125, 110), np.uint8)
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    frame[top : top + side, left : left + side] = cv2.resize(portrait, (side, side))
    result = Pipeline(predictor).process(frame, 0.0)
    assert len(result) == 1
    scale = side / 360
    assert np.hypot(*(centres(result)[0] - [left + 180 * scale, top + 178 * scale])) < 0.1 * 150 * scale
    assert abs(angles_deg(result)[0]) < 3


def test_grey_frames_and_frames_with_alpha(predictor: Predictor, demo: dict[int, DemoFrame]) -> None:
    bgr = demo[0].image_bgr
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    kinds = [bgr, grey, grey[:, :, None], np.dstack([bgr, np.full(bgr.shape[:2], 7, np.uint8)]), np.asfortranarray(bgr)]
    results = [Pipeline(predictor).process(frame, 0.0) for frame in kinds]
    for result in results:
        assert result.frame_bgr.shape == bgr.shape and result.frame_bgr.flags.c_contiguous
        np.testing.assert_allclose(result.keypoints_px, results[0].keypoints_px, atol=2)
    np.testing.assert_array_equal(results[1].frame_bgr, np.dstack([grey] * 3))
    np.testing.assert_array_equal(results[3].frame_bgr, bgr)


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 3, 3), (1, 500, 3), (17, 9)], ids=str)
def test_tiny_frames_have_no_face(predictor: Predictor, shape: tuple[int, ...]) -> None:
    result = Pipeline(predictor).process(np.full(shape, 90, np.uint8), 0.0)
    assert len(result) == 0
    assert result.frame_bgr.shape == (*shape[:2], 3)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((0, 5, 3), np.uint8), ((5, 5, 2), np.uint8), ((5, 5, 3), np.float32), ((5,), np.uint8)],
    ids=["empty", "two channels", "floating point", "one dimension"],
)
def test_what_is_no_frame_is_refused(predictor: Predictor, shape: tuple[int, ...], dtype: type) -> None:
    with pytest.raises(ValueError, match="expected an image"):
        Pipeline(predictor).process(np.zeros(shape, dtype), 0.0)


def test_bgr_frames_are_passed_on_without_a_copy() -> None:
    frame = np.zeros((4, 6, 3), np.uint8)
    assert np.shares_memory(to_bgr(frame), frame)


def test_frames_are_not_written(predictor: Predictor, demo: dict[int, DemoFrame]) -> None:
    frame = demo[500].image_bgr.copy()
    pipeline = Pipeline(predictor)
    frame.setflags(write=False)
    for k in range(3):
        result = pipeline.process(frame, k * STEP_S)
    np.testing.assert_array_equal(frame, demo[500].image_bgr)
    assert np.shares_memory(result.frame_bgr, frame)


# --- one frame after the other


def test_results_belong_to_their_own_frames(predictor: Predictor, portrait: np.ndarray) -> None:
    """Each result keeps its frame and the keypoints found in it, whatever comes afterwards."""
    pipeline = Pipeline(predictor)
    results = []
    for k in range(5):
        frame = np.full((400, 500, 3), 128, np.uint8)
        frame[20:380, 20 + 10 * k : 380 + 10 * k] = portrait
        results.append(pipeline.process(frame, k * STEP_S))
    for k, result in enumerate(results):
        assert result.timestamp_s == k * STEP_S
        np.testing.assert_array_equal(result.frame_bgr[20:380, 20 + 10 * k : 380 + 10 * k], portrait)
        assert centres(result)[0, 0] == pytest.approx(200 + 10 * k, abs=6)
    assert {int(r.ids[0]) for r in results} == {1}


def test_a_change_of_size_in_mid_stream_starts_afresh(predictor: Predictor, demo: dict[int, DemoFrame]) -> None:
    pipeline = Pipeline(predictor)
    large = demo[0].image_bgr
    small = cv2.resize(large, (321, 241))
    first = pipeline.process(large, 0.0)
    second = pipeline.process(small, STEP_S)  # before the next detection is due: it is made all the same
    third = pipeline.process(large, 2 * STEP_S)
    assert [len(r) for r in (first, second, third)] == [1, 1, 1]
    np.testing.assert_allclose(2 * centres(second), centres(first), atol=8)
    np.testing.assert_allclose(third.keypoints_px, first.keypoints_px, atol=0.01)  # nothing is left to smooth with
    assert len({int(r.ids[0]) for r in (first, second, third)}) == 3


def test_a_time_that_falls_starts_afresh(predictor: Predictor, demo: dict[int, DemoFrame]) -> None:
    pipeline = Pipeline(predictor)
    first = pipeline.process(demo[0].image_bgr, 100.0)
    again = pipeline.process(demo[240].image_bgr, 0.0)
    fresh = Pipeline(predictor).process(demo[240].image_bgr, 0.0)
    np.testing.assert_allclose(again.keypoints_px, fresh.keypoints_px, atol=0.01)
    assert first.ids[0] != again.ids[0]


def test_a_time_that_stands_is_the_same_face(predictor: Predictor, demo: dict[int, DemoFrame]) -> None:
    pipeline = Pipeline(predictor)
    results = [pipeline.process(demo[0].image_bgr, 5.0) for _ in range(3)]
    assert [list(r.ids) for r in results] == [[1]] * 3


@pytest.mark.parametrize("background", ["a flat wall", "a covered lens", "a space suit"])
def test_a_face_that_leaves_is_lost_and_one_that_comes_is_found(
    predictor: Predictor, demo: dict[int, DemoFrame], portrait: np.ndarray, background: str
) -> None:
    pipeline = Pipeline(predictor)
    dark_noise = np.random.default_rng(0).normal(3, 1, portrait.shape)
    empty = {
        "a flat wall": np.full_like(portrait, 128),
        "a covered lens": np.clip(dark_noise, 0, 255).astype(np.uint8),
        "a space suit": cv2.resize(demo[0].image_bgr[330:480, 100:300], (360, 360)),
    }[background]
    counts = [len(pipeline.process(empty if 10 <= k < 30 else portrait, k * STEP_S)) for k in range(45)]
    assert counts[:10] == [1] * 10
    assert counts[17:30] == [0] * 13
    assert counts[33:] == [1] * 12


def test_another_network_takes_over_the_faces(predictor: Predictor, demo: dict[int, DemoFrame]) -> None:
    pipeline = Pipeline(predictor)
    first = pipeline.process(demo[0].image_bgr, 0.0)
    pipeline.predictor = type(predictor).load(device="cpu")
    second = pipeline.process(demo[0].image_bgr, STEP_S)
    assert list(first.ids) == list(second.ids) == [1]


# --- smoothing, on a real recording


def second_difference(points: np.ndarray) -> float:
    step = np.linalg.norm(points[:-2] - 2 * points[1:-1] + points[2:], axis=-1)
    return float(np.median(step / inter_ocular_distance(points)[1:-1, None]))


@pytest.mark.skipif(
    not WEBCAM_CLIP.is_file(), reason="needs ../shared/data/clips/webcam.mp4, which only developers have"
)
def test_a_real_face_trembles_three_times_less_and_lags_a_frame_at_most(predictor: Predictor) -> None:
    usual, unsmoothed = Pipeline(predictor), Pipeline(predictor)
    unsmoothed.smoothing = SmoothingLevel.OFF
    filters = {level: OneEuroFilter(level.settings) for level in (SmoothingLevel.LOW, SmoothingLevel.HIGH)}
    raw_points: list[np.ndarray] = []
    smooth_points: dict[SmoothingLevel, list[np.ndarray]] = {level: [] for level in filters}
    source = VideoSource(WEBCAM_CLIP)
    source.open()
    while (frame := source.read()) is not None:
        result = unsmoothed.process(frame.image_bgr, frame.timestamp_s)
        assert list(result.ids) == [1]
        raw_points.append(result.keypoints_px[0])
        for level, one_euro in filters.items():
            [smoothed] = one_euro(result.keypoints_px, timestamp_s=frame.timestamp_s, faces_px=result.boxes_xywh[:, 2])
            smooth_points[level].append(smoothed)
        if len(raw_points) <= 30:  # what the pipeline shows is that, and LOW is its default
            shown = usual.process(frame.image_bgr, frame.timestamp_s).keypoints_px[0]
            np.testing.assert_allclose(shown, smooth_points[SmoothingLevel.LOW][-1], atol=1e-3)
    source.close()
    raw = np.array(raw_points)
    for level, least in ((SmoothingLevel.LOW, 3.3), (SmoothingLevel.HIGH, 6.0)):
        smooth = np.array(smooth_points[level])
        assert second_difference(raw) >= least * second_difference(smooth)

        def correlation(lag: int, smooth: np.ndarray = smooth) -> float:
            now, before = smooth.mean(axis=1)[5:], raw.mean(axis=1)[5 - lag : len(raw) - lag]
            return float(np.mean([np.corrcoef(now[:, axis], before[:, axis])[0, 1] for axis in (0, 1)]))

        assert max(range(6), key=correlation) == 0  # nearer to no frame than to one


def test_nothing_swims_on_a_still_picture(predictor: Predictor, demo: dict[int, DemoFrame]) -> None:
    """A still camera's noise moves no keypoint by more than a small part of a pixel."""
    rng = np.random.default_rng(0)
    pipeline = Pipeline(predictor)
    seen = []
    for k in range(60):
        noise = rng.normal(0, 3, demo[0].image_bgr.shape)
        result = pipeline.process(np.clip(demo[0].image_bgr + noise, 0, 255).astype(np.uint8), k * STEP_S)
        seen.append(result.keypoints_px[0])
        np.testing.assert_allclose(result.boxes_xywh, box_from_keypoints(result.keypoints_px))
    assert np.array(seen)[15:].std(axis=0).max() < 0.15
