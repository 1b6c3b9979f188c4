"""Which face is which from frame to frame, where to look next, and when to look for new ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fkd_desktop.live.smoothing import OneEuroFilter, SmoothingLevel
from trainer.core.keypoints import NUM_KEYPOINTS
from trainer.core.preprocess import box_from_keypoints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trainer.core.predictor import Keypoints


@dataclass(frozen=True)
class TrackerSettings:
    """When a face counts as found, as lost, and when to look for more.

    Attributes
    ----------
    accept_confidence
        A detection becomes a track from this confidence on.
    hopeful_confidence
        A candidate above this that lies a little off is looked at again where its own keypoints lie.
    tries
        How often a candidate is looked at before it is dropped.
    prove_s
        For this long a new track needs the confidence of a detection in every frame, and does not linger.
    keep_confidence
        Afterwards it lives on its own keypoints from this confidence on.
    linger_s
        A track below that is shown where it last was, for this long, before it is lost.
    detect_every_s
        Look for new faces this often while there are tracks.
    detect_without_faces_s
        The same while there are none.
    search_after_loss_s
        For this long after a loss, look as if there were none.
    same_face_overlap
        Intersection over union with a track from which a detection is the same face.
    twin_overlap
        The same between two tracks, of which the older then stays.
    max_faces
        More are not tracked.
    max_candidates
        More of a look's finds are not looked at; the largest are.
    """

    accept_confidence: float = 0.9
    hopeful_confidence: float = 0.05
    tries: int = 3
    prove_s: float = 0.3
    keep_confidence: float = 0.35
    linger_s: float = 0.2
    detect_every_s: float = 0.5
    detect_without_faces_s: float = 0.06
    search_after_loss_s: float = 1.0
    same_face_overlap: float = 0.3
    twin_overlap: float = 0.5
    max_faces: int = 32
    max_candidates: int = 16


class Tracker:
    """Keeps the tracks of one source, and candidates for more: these have the number 0 and are not shown.

    Times are the frames' own: it does not matter how fast frames are processed. All faces are treated in one go, so
    that many cost hardly more than one.

    Attributes
    ----------
    ids
        (N,) int64 numbers of the faces, ascending; candidates come last.
    boxes_xywh
        (N, 4) float32: where to look for each in the next frame.
    keypoints_px
        (N, 68, 2) float32, smoothed.
    confidences
        (N,) float32 of the last frame.
    seen_s
        (N,) float64: when each was last seen; -inf for candidates.
    """

    def __init__(self, settings: TrackerSettings | None = None, smoothing: SmoothingLevel = SmoothingLevel.LOW) -> None:
        self._settings = settings or TrackerSettings()
        self._smoothing = smoothing
        self._next_id = 1
        self.reset()

    def reset(self) -> None:
        """Forget all faces: the next frame is of something else. Numbers go on, so no two faces share one."""
        self.ids = np.empty(0, np.int64)
        self.boxes_xywh = np.empty((0, 4), np.float32)
        self.keypoints_px = np.empty((0, NUM_KEYPOINTS, 2), np.float32)
        self.confidences = np.empty(0, np.float32)
        self.seen_s = np.empty(0, np.float64)
        self._tries_left = np.empty(0, np.int64)
        self._born_s = np.empty(0, np.float64)
        self._smoother = OneEuroFilter(self._smoothing.settings, faces=0)
        self._looked_s: float | None = None
        self._lost_s = -np.inf

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def smoothing(self) -> SmoothingLevel:
        """How strongly keypoints are smoothed. Set between two frames, it holds for faces that are there, too."""
        return self._smoothing

    @smoothing.setter
    def smoothing(self, level: SmoothingLevel) -> None:
        self._smoothing = level
        self._smoother.settings = level.settings

    def doubt(self) -> None:
        """Make candidates of all faces: the scene may be another one, in which they have to be found again."""
        count = len(self)
        self.ids, self.confidences = np.zeros(count, np.int64), np.zeros(count, np.float32)
        self.seen_s, self._born_s = np.full(count, -np.inf), np.full(count, np.inf)
        self._tries_left = np.full(count, self._settings.tries)
        self._smoother = OneEuroFilter(self._smoothing.settings, faces=count)
        self._looked_s, self._lost_s = None, -np.inf

    @property
    def faces(self) -> int:
        """How many are no candidates: the first rows of all arrays."""
        return int(np.count_nonzero(self.ids))

    def wants_look(self, timestamp_s: float) -> bool:
        """Whether it is time to look for faces."""
        if self._looked_s is None:
            return True
        settings = self._settings
        is_urgent = self.faces == 0 or timestamp_s - self._lost_s < settings.search_after_loss_s
        pause_s = settings.detect_without_faces_s if is_urgent else settings.detect_every_s
        return timestamp_s - self._looked_s >= pause_s

    def looked(self, timestamp_s: float) -> None:
        """Note that a look for faces in the frame of this time has begun."""
        self._looked_s = timestamp_s

    def add_candidates(self, boxes_xywh: NDArray[np.float32]) -> None:
        """Make candidates of the boxes that no track covers; they live if the network confirms them."""
        settings = self._settings
        first = len(self)
        boxes = self.boxes_xywh
        for box in boxes_xywh:
            if (
                len(boxes) < min(settings.max_faces, first + settings.max_candidates)
                and not (overlaps(boxes, box[None]) >= settings.same_face_overlap).any()
            ):
                boxes = np.concatenate([boxes, box[None]])
        new = len(boxes) - first
        if new == 0:
            return
        self.boxes_xywh = boxes
        self.ids = np.concatenate([self.ids, np.zeros(new, np.int64)])
        self.keypoints_px = np.concatenate([self.keypoints_px, np.zeros((new, NUM_KEYPOINTS, 2), np.float32)])
        self.confidences = np.concatenate([self.confidences, np.zeros(new, np.float32)])
        self.seen_s = np.concatenate([self.seen_s, np.full(new, -np.inf)])
        self._tries_left = np.concatenate([self._tries_left, np.full(new, settings.tries)])
        self._born_s = np.concatenate([self._born_s, np.full(new, np.inf)])
        self._smoother.add(new)

    def update(self, found: Keypoints, timestamp_s: float) -> None:
        """Take in the keypoints of `boxes_xywh`, in the same order; drop what is no face or lost.

        Raises
        ------
        ValueError
            For keypoints of another number of boxes.
        """
        if len(found) != len(self):
            raise ValueError(f"expected keypoints of {len(self)} boxes, got {len(found)}")
        if len(self) == 0:
            return
        settings = self._settings
        boxes = box_from_keypoints(found.points_px)
        is_new = self.ids == 0
        way, is_plausible = _moved(boxes, self.boxes_xywh)
        is_proven = timestamp_s - self._born_s > settings.prove_s
        needed = np.where(is_proven, settings.keep_confidence, settings.accept_confidence)
        is_seen = is_plausible & (found.confidence >= needed)
        self.keypoints_px = self._smoother(
            found.points_px, timestamp_s=timestamp_s, faces_px=boxes[:, 2], measured=is_seen
        )
        self.confidences = found.confidence
        self._tries_left = self._tries_left - 1
        is_hopeful = is_new & ~is_seen & (self._tries_left > 0) & is_plausible
        is_hopeful &= found.confidence >= settings.hopeful_confidence
        moves = is_hopeful | (is_seen & (is_new | (way > SAME_CROP)))
        self.boxes_xywh = np.where(moves[:, None], boxes, self.boxes_xywh)
        self.seen_s = np.where(is_seen, timestamp_s, self.seen_s)
        lives = is_seen | is_hopeful | (is_proven & (timestamp_s - self.seen_s <= settings.linger_s))
        if not (lives | is_new).all():
            self._lost_s = timestamp_s
        accepted = is_new & is_seen
        self._born_s = np.where(accepted, timestamp_s, self._born_s)
        if accepted.any():
            count = int(accepted.sum())
            self.ids = self.ids.copy()  # results hold what there was
            self.ids[accepted] = np.arange(self._next_id, self._next_id + count)
            self._next_id += count
        self._keep(lives)

    def _keep(self, lives: NDArray[np.bool_]) -> None:
        """Drop dead tracks, and of two that have come to lie on one face the younger."""
        rows = np.flatnonzero(lives)
        if len(rows) > 1:
            order = np.argsort(np.where(self.ids[rows] == 0, np.iinfo(np.int64).max, self.ids[rows]), kind="stable")
            rows = rows[order]
            rows = rows[distinct(self.boxes_xywh[rows], self._settings.twin_overlap)]
        if len(rows) == len(self) and (rows == np.arange(len(self))).all():
            return
        self.ids, self.boxes_xywh, self.keypoints_px = self.ids[rows], self.boxes_xywh[rows], self.keypoints_px[rows]
        self.confidences, self.seen_s = self.confidences[rows], self.seen_s[rows]
        self._tries_left, self._born_s = self._tries_left[rows], self._born_s[rows]
        self._smoother.keep(rows)


MAX_GROWTH: Final = 1.6
MAX_SHIFT: Final = 0.6


SAME_CROP: Final = 0.03
"""A face that has moved and grown by less than this, over its side, is looked for in the same crop as before: another
crop moves the network's keypoints a little, which shows as trembling."""


def _moved(boxes: NDArray[np.float32], previous: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """How far (N,) boxes moved or grew, over their sides before, and whether (N,) faces can have done so in a frame."""
    sides = previous[:, 2]
    shift = np.abs(boxes[:, :2] - previous[:, :2] + (boxes[:, 2:] - previous[:, 2:]) / 2).max(axis=1) / sides
    growth = boxes[:, 2] / sides
    is_plausible = (growth >= 1 / MAX_GROWTH) & (growth <= MAX_GROWTH) & (shift <= MAX_SHIFT)
    return np.maximum(shift, np.abs(growth - 1)), is_plausible


def overlaps(boxes_xywh: NDArray[np.float32], others_xywh: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of (N, 4) boxes with (M, 4) others: (N, M) float32."""
    sizes, other_sizes = boxes_xywh[:, None, 2:], others_xywh[None, :, 2:]
    start = np.maximum(boxes_xywh[:, None, :2], others_xywh[None, :, :2])
    stop = np.minimum(boxes_xywh[:, None, :2] + sizes, others_xywh[None, :, :2] + other_sizes)
    common = np.maximum(stop - start, 0).prod(axis=2)
    union = sizes.prod(axis=2) + other_sizes.prod(axis=2) - common
    return np.asarray(common / np.maximum(union, 1e-6), np.float32)


def distinct(boxes_xywh: NDArray[np.float32], least_overlap: float) -> NDArray[np.int64]:
    """Numbers of the (N, 4) boxes that no earlier one of them covers."""
    is_twin = overlaps(boxes_xywh, boxes_xywh) >= least_overlap
    kept: list[int] = []
    if not np.tril(is_twin, -1).any():
        return np.arange(len(boxes_xywh))
    for i in range(len(boxes_xywh)):
        if not is_twin[i, kept].any():
            kept.append(i)
    return np.array(kept, np.int64)
