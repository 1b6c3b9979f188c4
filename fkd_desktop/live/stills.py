"""All faces of one picture: each find of a thorough search is confirmed by the network, from several sides.

What tells faces from textures is agreement. The network is sure of many a pebble, but in a crop that is a little
smaller or mirrored it sees that pebble's face elsewhere: `benchmarks.stills` has the figures behind the limits here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fkd_desktop.live.head_pose import estimate
from fkd_desktop.live.tracker import distinct
from trainer.core.keypoints import FLIP_ORDER, NUM_KEYPOINTS
from trainer.core.predictor import Keypoints
from trainer.core.preprocess import box_from_keypoints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trainer.core.predictor import Predictor


@dataclass(frozen=True)
class StillSettings:
    """What counts as a face in a picture.

    Attributes
    ----------
    accept_confidence
        The network's least confidence over all looks.
    hopeless_confidence
        From the second round on, a candidate below this is dropped.
    max_rounds
        A candidate's box moves to where the network sees the face, this often at most; one that is still on its way
        then is no face.
    settled_shift
        How far a settled candidate's box moved or grew in its last round, over its side.
    max_way
        Furthest that a face lies from its candidate, over the candidate's side.
    max_disagreement
        See `Seen.disagreement`.
    max_misfit
        See `HeadPose.misfit`.
    least_contrast
        Standard deviation of a crop's grey levels.
    least_side_px
        Side of the smallest box.
    same_face_overlap
        Intersection over union from which two finds are one face.
    max_faces
        More are not returned; the most confident ones are.
    """

    accept_confidence: float = 0.97
    hopeless_confidence: float = 0.1
    max_rounds: int = 6
    settled_shift: float = 0.05
    max_way: float = 1.2
    max_disagreement: float = 0.0135
    max_misfit: float = 0.25
    least_contrast: float = 5.0
    least_side_px: float = 12.0
    same_face_overlap: float = 0.35
    max_faces: int = 256


LOOK_SCALES: Final = (0.94, 1.0, 1.06)
"""A settled face is looked at in boxes of these sizes and in their mirror images; its keypoints are the mean."""

_NEARLY_THE_SAME: Final = 0.75
_BATCH: Final = 32


def find_faces(
    frame_bgr: NDArray[np.uint8],
    candidates_xywh: NDArray[np.float32],
    predictor: Predictor,
    settings: StillSettings | None = None,
) -> Keypoints:
    """Find the faces that boxes may hold.

    Parameters
    ----------
    frame_bgr
        (H, W, 3) BGR uint8.
    candidates_xywh
        (N, 4) boxes, as `ThoroughDetector` gives them: several may lie on one face, and most may lie on none.
    predictor
        The network. One that cannot tell how sure it is is believed as far as shape and agreement go.

    Returns
    -------
    Each face once, from the left to the right.
    """
    settings = settings or StillSettings()
    seen = examine(frame_bgr, candidates_xywh, predictor, settings)
    is_face = (seen.disagreement <= settings.max_disagreement) & (seen.least_confidence >= settings.accept_confidence)
    is_face &= np.array([_misfit(points) <= settings.max_misfit for points in seen.points_px], bool)
    best = np.flatnonzero(is_face)[np.argsort(-seen.confidence[is_face], kind="stable")]
    keep = best[distinct(box_from_keypoints(seen.points_px[best]), settings.same_face_overlap)][: settings.max_faces]
    keep = keep[np.argsort(seen.points_px[keep].mean(axis=1)[:, 0], kind="stable")]
    return Keypoints(seen.points_px[keep], seen.confidence[keep])


@dataclass(frozen=True, eq=False)
class Seen:
    """What the looks at N boxes say, faces and others.

    Attributes
    ----------
    points_px
        (N, 68, 2) float32: mean of the looks.
    confidence, least_confidence
        (N,) float32: the network's, mean and least of the looks.
    disagreement
        (N,) float32: RMS distance of the looks' keypoints from their mean, over the side of the box.
    """

    points_px: NDArray[np.float32]
    confidence: NDArray[np.float32]
    least_confidence: NDArray[np.float32]
    disagreement: NDArray[np.float32]


def examine(
    frame_bgr: NDArray[np.uint8],
    candidates_xywh: NDArray[np.float32],
    predictor: Predictor,
    settings: StillSettings | None = None,
) -> Seen:
    """Let candidates settle, and look at each from several sides; the first half of `find_faces`."""
    settings = settings or StillSettings()
    candidates = candidates_xywh[distinct(candidates_xywh, _NEARLY_THE_SAME)]
    boxes = _settle(frame_bgr, candidates, predictor, settings)
    boxes = boxes[distinct(boxes, _NEARLY_THE_SAME)]
    sizes = [_scaled(boxes, scale) for scale in LOOK_SCALES]
    looks = [_predict(frame_bgr, size, predictor, settings, mirrored=side) for size in sizes for side in (False, True)]
    points = np.stack([look.points_px for look in looks])
    confidence = np.stack([look.confidence for look in looks])
    mean = points.mean(axis=0)
    disagreement = np.sqrt(np.square(points - mean).sum(axis=-1).mean(axis=(0, 2))) / boxes[:, 2]
    return Seen(mean, confidence.mean(axis=0), confidence.min(axis=0), disagreement)


def _misfit(points_px: NDArray[np.float32]) -> float:
    pose = estimate(points_px)
    return np.inf if pose is None else pose.misfit


def _settle(
    frame: NDArray[np.uint8], starts: NDArray[np.float32], predictor: Predictor, settings: StillSettings
) -> NDArray[np.float32]:
    """Move boxes to where the network sees faces, until they rest: (M, 4) of those that do."""
    boxes = starts
    settled = [np.empty((0, 4), np.float32)]
    for round_number in range(settings.max_rounds):
        if len(boxes) == 0:
            break
        found = _predict(frame, boxes, predictor, settings)
        moved = box_from_keypoints(found.points_px)
        step = np.hstack([_centres(moved) - _centres(boxes), moved[:, 2:3] - boxes[:, 2:3]])
        rests = np.abs(step).max(axis=1) <= settings.settled_shift * moved[:, 2]
        way = np.abs(_centres(moved) - _centres(starts)).max(axis=1) / starts[:, 2]
        is_possible = (way <= settings.max_way) & (moved[:, 2] >= settings.least_side_px)
        if round_number > 0:  # the first look is at a detector's box, which may be far off
            is_possible &= found.confidence >= settings.hopeless_confidence
        settled.append(moved[rests & is_possible & (found.confidence >= settings.hopeless_confidence)])
        goes_on = is_possible & ~rests
        boxes, starts = moved[goes_on], starts[goes_on]
    return np.concatenate(settled)


def _predict(
    frame: NDArray[np.uint8],
    boxes: NDArray[np.float32],
    predictor: Predictor,
    settings: StillSettings,
    *,
    mirrored: bool = False,
) -> Keypoints:
    """Run the network in bounded batches; crops without contrast have no confidence."""
    squares = predictor.squares(boxes)
    points = np.empty((len(boxes), NUM_KEYPOINTS, 2), np.float32)
    confidence = np.empty(len(boxes), np.float32)
    for start in range(0, len(boxes), _BATCH):
        part = slice(start, start + _BATCH)
        crops = predictor.crops(frame, squares[part])
        seen = np.ascontiguousarray(crops[..., ::-1]) if mirrored else crops
        found = predictor.predict_crops(seen, squares[part])
        points[part] = found.points_px
        confidence[part] = np.where(crops.std(axis=(1, 2, 3)) < settings.least_contrast, 0, found.confidence)
    if mirrored:
        points = points[:, FLIP_ORDER]
        points[..., 0] = 2 * squares[:, :1] + squares[:, 2:] - 1 - points[..., 0]
    return Keypoints(points, confidence)


def _centres(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(boxes[:, :2] + boxes[:, 2:] / 2, np.float32)


def _scaled(boxes: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    sides = boxes[:, 2:] * np.float32(scale)
    return np.hstack([_centres(boxes) - sides / 2, sides], dtype=np.float32)
