from pathlib import Path

import cv2
import numpy as np
import pytest

from trainer import metrics
from trainer.core.checkpoint import Checkpoint
from trainer.core.models import build_network
from trainer.core.predictor import Predictor
from trainer.core.preprocess import box_from_keypoints
from trainer.dataset import DatasetError, Sample, read_image
from trainer.evaluate import FACES_A_BATCH, evaluate, judge, match_boxes, predict, truth_of
from trainer.readers import read_samples


class FixedDetector:
    """Finds the same boxes in every picture."""

    def __init__(self, boxes: object) -> None:
        self.boxes = np.float32(boxes).reshape(-1, 4)
        self.calls: list[tuple[tuple[int, ...], bool]] = []

    def detect(self, frame_bgr: np.ndarray, *, fine: bool = False) -> np.ndarray:
        self.calls.append((frame_bgr.shape, fine))
        return self.boxes


@pytest.fixture(scope="module")
def predictor(compact_weights: Path) -> Predictor:
    return Predictor.load(compact_weights, device="cpu")


@pytest.fixture(scope="module")
def other(trained_run) -> Predictor:
    return Predictor.load(trained_run.folder / "best.safetensors", device="cpu")


@pytest.fixture
def samples(tiny_data: Path) -> list[Sample]:
    return read_samples(tiny_data, "training")


@pytest.fixture
def crowd(drawn, tmp_path: Path) -> list[Sample]:
    """One picture with three faces of which the labels name two, the second one first."""
    image = np.full((200, 600, 3), 60, np.uint8)
    faces = [drawn.points(x=x, y=90, width=80) for x in (100, 300, 500)]
    for points in faces:
        drawn.paint(image, points)
    path = tmp_path / "crowd.png"
    path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
    return [Sample(path, faces[1], "b"), Sample(path, faces[0], "a")]


def test_faces_in_batches_are_those_one_by_one(predictor, other, samples) -> None:
    """Of several networks at once, with a batch that is full and one that is not."""
    samples = [*samples, *samples[:5]]
    assert FACES_A_BATCH < len(samples) < 2 * FACES_A_BATCH
    done: list[int] = []
    found = predict([predictor, other], samples, on_progress=done.append)
    assert sum(done) == len(samples)
    assert found.other_detections == 0
    for network, points_px in zip((predictor, other), found.points_px, strict=True):
        one_by_one = [
            network.predict(read_image(s.image_path), box_from_keypoints(s.keypoints_px[None])).points_px[0]
            for s in samples
        ]
        np.testing.assert_allclose(points_px, one_by_one, atol=1e-3)


def test_networks_of_different_inputs_see_their_own_crops(predictor, samples) -> None:
    simple = Predictor.of(Checkpoint(build_network("simple"), "simple"), device="cpu")
    both = predict([simple, predictor], samples[:3]).points_px
    np.testing.assert_array_equal(both[0], predict([simple], samples[:3]).points_px[0])
    np.testing.assert_array_equal(both[1], predict([predictor], samples[:3]).points_px[0])


def test_judging_keeps_the_figures_of_every_face(drawn) -> None:
    truth = np.stack([drawn.points(width=100)] * 4)
    points = truth + np.float32([[[6.4, 0]], [[0, 0]], [[np.nan, np.nan]], [[0, -12.8]]])  # the eyes are 64 apart
    result = judge(points, truth)
    np.testing.assert_allclose(result.nmes, [0.1, 0, np.nan, 0.2], atol=1e-6)
    assert result.missed.tolist() == [2]
    assert result.worst(2).tolist() == [3, 0]
    assert result.worst(9).tolist() == [3, 0, 1]
    assert result.score == metrics.score(result.nmes[[0, 1, 3]], missed=1)
    assert result.nme_by_part == pytest.approx(dict.fromkeys(metrics.JUDGED_PARTS, 0.1), abs=1e-6)
    assert result.bias == pytest.approx((0.1 / 3, -0.2 / 3), abs=1e-6)


def test_a_network_that_finds_nothing_has_no_error_but_fails(drawn) -> None:
    truth = drawn.points(width=100)[None]
    result = judge(np.full_like(truth, np.nan), truth)
    assert result.score.failure_rate == 1
    assert np.isnan([result.score.nme_mean, *result.bias, *result.nme_by_part.values()]).all()
    assert len(result.worst(5)) == 0


def test_evaluation_is_the_score_of_the_judgement(predictor, samples) -> None:
    points = predict([predictor], samples).points_px[0]
    assert evaluate(predictor, samples) == judge(points, truth_of(samples)).score


def test_nothing_can_be_said_of_no_faces(predictor) -> None:
    with pytest.raises(ValueError, match="no faces"):
        evaluate(predictor, [])


def test_an_image_that_is_gone_is_named(predictor, samples, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"gone\.jpg"):
        evaluate(predictor, [Sample(tmp_path / "gone.jpg", samples[0].keypoints_px, "x")])


# --- boxes of a detector ---


def test_detections_stand_in_for_the_boxes_of_the_labels(predictor, crowd) -> None:
    """Found in one look at the picture, whatever the order of its labels; the third face is nobody's."""
    boxes = box_from_keypoints(truth_of(crowd))
    nudged = boxes + np.float32([3, -2, 4, 4])
    detector = FixedDetector([nudged[1], nudged[0], [460, 40, 90, 90]])
    found = predict([predictor], crowd, boxes="haar", detector=detector)
    assert detector.calls == [((200, 600, 3), True)]
    assert found.other_detections == 1
    image = read_image(crowd[0].image_path)
    np.testing.assert_allclose(found.points_px[0], predictor.predict(image, nudged).points_px, atol=1e-3)


def test_a_face_without_a_detection_is_missed(predictor, crowd) -> None:
    boxes = box_from_keypoints(truth_of(crowd))
    found = predict([predictor], crowd, boxes="haar", detector=FixedDetector([boxes[0], boxes[0] + [0, 150, 0, 0]]))
    assert judge(found.points_px[0], truth_of(crowd)).missed.tolist() == [1]
    assert found.other_detections == 1
    nothing = predict([predictor], crowd, boxes="haar", detector=FixedDetector([]))
    assert np.isnan(nothing.points_px[0]).all()
    assert nothing.other_detections == 0


def test_the_real_detector_finds_faces_of_the_real_data(predictor, youtube_faces: Path) -> None:
    samples = read_samples(youtube_faces, "test")[::60]
    result = judge(predict([predictor], samples, boxes="haar").points_px[0], truth_of(samples))
    assert len(result.missed) <= 2


def test_each_detection_goes_to_one_face() -> None:
    faces = np.float32([[0, 0, 100, 100], [30, 0, 100, 100], [500, 500, 10, 10]])
    detections = np.float32([[20, 0, 100, 100], [5, 0, 100, 100], [400, 0, 50, 50]])
    assert match_boxes(faces, detections).tolist() == [1, 0, -1]
    assert match_boxes(faces, detections[:1]).tolist() == [-1, 0, -1]
    assert match_boxes(faces, np.empty((0, 4), np.float32)).tolist() == [-1, -1, -1]


@pytest.mark.parametrize(
    ("box", "fits"), [([0, 0, 100, 100], True), ([0, 0, 60, 60], False), ([45, 0, 100, 100], False)]
)
def test_a_detection_must_overlap_enough(box: list[float], fits: bool) -> None:
    match = match_boxes(np.float32([[0, 0, 100, 100]]), np.float32([box]))
    assert match.tolist() == [0 if fits else -1]
