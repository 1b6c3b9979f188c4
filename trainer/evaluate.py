"""Judging weights the way they are used: through `Predictor`, from whole images and face boxes.

Each image is read once for all the weights that are compared, and a network sees the faces of several images at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from trainer import metrics
from trainer.core.detector import HaarDetector
from trainer.core.errors import FkdError
from trainer.core.keypoints import NUM_KEYPOINTS
from trainer.core.preprocess import box_from_keypoints
from trainer.dataset import read_image

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from trainer.core.detector import Detector
    from trainer.core.predictor import Predictor
    from trainer.dataset import Sample

BoxesFrom = Literal["truth", "haar"]

FACES_A_BATCH: Final = 32
MATCH_IOU: Final = 0.4
"""Least overlap (intersection over union) of a detection with the labelled face's box for the face to count as found.
On the published test split it hardly matters where the line is: for 671 of 697 faces the best detection overlaps by
more than 0.5, for 25 there is none at all."""


class EvaluationError(FkdError):
    """Weights cannot be judged as asked; the message says why."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How one network did on N labelled faces.

    Attributes
    ----------
    points_px
        (N, 68, 2) float32 in pixels of each picture; NaN for a face that was not found.
    nmes
        (N,) float32 as of `metrics.nme`; NaN for a face that was not found.
    score
        The figures over all of them.
    nme_by_part
        Mean NME of each of `metrics.JUDGED_PARTS`, over the faces found.
    bias
        Mean offset to the right and downwards, over the faces found: see `metrics.bias`.
    """

    points_px: NDArray[np.float32]
    nmes: NDArray[np.float32]
    score: metrics.Score
    nme_by_part: Mapping[str, float]
    bias: tuple[float, float]

    @property
    def missed(self) -> NDArray[np.int64]:
        """Numbers of the faces that were not found."""
        return np.flatnonzero(np.isnan(self.nmes))

    def worst(self, count: int) -> NDArray[np.int64]:
        """Numbers of the faces with the largest errors, worst first, of those that were found."""
        found = np.flatnonzero(~np.isnan(self.nmes))
        return found[np.argsort(-self.nmes[found], kind="stable")][:count]


@dataclass(frozen=True, eq=False)
class Predictions:
    """What several networks said of the same N labelled faces.

    Attributes
    ----------
    points_px
        For each network (N, 68, 2) float32 in pixels of each picture; NaN for a face that was not found.
    other_detections
        Boxes of the detector that fit no labelled face, over all pictures.
    """

    points_px: tuple[NDArray[np.float32], ...]
    other_detections: int


def evaluate(predictor: Predictor, samples: Sequence[Sample]) -> metrics.Score:
    """Score a predictor with boxes from the true keypoints.

    Raises
    ------
    DatasetError
        If an image cannot be read.
    ValueError
        If there are no samples.
    """
    return judge(predict([predictor], samples).points_px[0], truth_of(samples)).score


def truth_of(samples: Sequence[Sample]) -> NDArray[np.float32]:
    """(N, 68, 2) labels of N samples, in pixels of each picture."""
    return np.stack([s.keypoints_px for s in samples]) if samples else np.empty((0, NUM_KEYPOINTS, 2), np.float32)


def judge(points_px: NDArray[np.float32], truth_px: NDArray[np.float32]) -> Evaluation:
    """Compare predictions with labels.

    Parameters
    ----------
    points_px
        (N, 68, 2); NaN for a face that was not found.
    truth_px
        (N, 68, 2).

    Raises
    ------
    ValueError
        For no faces at all.
    """
    is_found = ~np.isnan(points_px).any(axis=(1, 2))
    found, truth = points_px[is_found], truth_px[is_found]
    nmes = np.full(len(points_px), np.nan, np.float32)
    nmes[is_found] = metrics.nme(found, truth)
    nan = float("nan")
    return Evaluation(
        points_px,
        nmes,
        metrics.score(nmes[is_found], missed=int((~is_found).sum())),
        metrics.nme_by_part(found, truth) if len(found) else dict.fromkeys(metrics.JUDGED_PARTS, nan),
        metrics.bias(found, truth) if len(found) else (nan, nan),
    )


def predict(
    predictors: Sequence[Predictor],
    samples: Sequence[Sample],
    *,
    boxes: BoxesFrom = "truth",
    detector: Detector | None = None,
    on_progress: Callable[[int], object] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Predictions:
    """Find the keypoints of every labelled face with every network.

    Parameters
    ----------
    predictors, samples
        The networks and the faces.
    boxes
        "truth": the box that a good detector would give, made from the labels. "haar": the detector looks at the whole
        picture, and a labelled face gets the detection that fits it best (`MATCH_IOU`), or none.
    detector
        Another one than Haar's.
    on_progress
        Told how many more faces are done.
    should_stop
        Asked before each image; the faces of those that were not read count as not found.

    Raises
    ------
    DatasetError
        If an image cannot be read.
    DetectorError
        If the detector cannot work.
    """
    if boxes == "haar" and detector is None:
        detector = HaarDetector()
    batches = [_Batch(predictor, len(samples)) for predictor in predictors]
    other_detections = 0
    for path, numbers in _by_image(samples).items():
        if should_stop():
            break
        image = read_image(path)
        boxes_xywh = box_from_keypoints(truth_of([samples[number] for number in numbers]))
        found = np.array(numbers)
        if detector is not None:
            detections = detector.detect(image, fine=True)
            match = match_boxes(boxes_xywh, detections)
            other_detections += len(detections) - int((match >= 0).sum())
            boxes_xywh, found = detections[match[match >= 0]], found[match >= 0]
        for batch in batches:
            batch.add(image, boxes_xywh, found)
        on_progress(len(numbers))
    for batch in batches:
        batch.flush()
    return Predictions(tuple(batch.points_px for batch in batches), other_detections)


def match_boxes(truth_xywh: NDArray[np.float32], found_xywh: NDArray[np.float32]) -> NDArray[np.int64]:
    """Assign detections to labelled faces, best overlap first.

    Parameters
    ----------
    truth_xywh, found_xywh
        (N, 4) and (M, 4) boxes.

    Returns
    -------
    (N,) the number of each face's detection, which is no other face's; -1 for a face that has none.
    """
    first, second = truth_xywh[:, None], found_xywh[None]
    corner = np.maximum(first[..., :2], second[..., :2])
    opposite = np.minimum(first[..., :2] + first[..., 2:], second[..., :2] + second[..., 2:])
    common = np.clip(opposite - corner, 0, None).prod(axis=-1)
    overlap = common / (first[..., 2:].prod(axis=-1) + second[..., 2:].prod(axis=-1) - common)  # (N, M)
    match = np.full(len(truth_xywh), -1)
    while overlap.size and overlap.max() >= MATCH_IOU:
        face, detection = np.unravel_index(overlap.argmax(), overlap.shape)
        match[face] = detection
        overlap[face], overlap[:, detection] = 0, 0
    return match


def _by_image(samples: Sequence[Sample]) -> dict[Path, list[int]]:
    """Numbers of the samples of each image, in the order in which the images first come."""
    numbers: dict[Path, list[int]] = {}
    for number, sample in enumerate(samples):
        numbers.setdefault(sample.image_path, []).append(number)
    return numbers


class _Batch:
    """Crops that wait until it is worth running a network, and the keypoints of those before."""

    def __init__(self, predictor: Predictor, count: int) -> None:
        self.points_px = np.full((count, NUM_KEYPOINTS, 2), np.nan, np.float32)
        self._predictor = predictor
        self._empty()

    def _empty(self) -> None:
        self._crops: list[NDArray[np.uint8]] = []
        self._squares: list[NDArray[np.float32]] = []
        self._numbers: list[int] = []

    def add(self, image: NDArray[np.uint8], boxes_xywh: NDArray[np.float32], numbers: NDArray[np.int64]) -> None:
        squares = self._predictor.squares(boxes_xywh)
        self._crops.append(self._predictor.crops(image, squares))
        self._squares.append(squares)
        self._numbers.extend(numbers.tolist())
        if len(self._numbers) >= FACES_A_BATCH:
            self.flush()

    def flush(self) -> None:
        if self._numbers:
            found = self._predictor.predict_crops(np.concatenate(self._crops), np.concatenate(self._squares))
            self.points_px[self._numbers] = found.points_px
        self._empty()
