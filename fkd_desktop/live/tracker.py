"""Which face is which from frame to frame, where to look next, and when to look for new ones."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    keep_confidence
        A track lives on its own keypoints from this confidence on.
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
    """

    accept_confidence: float = 0.6
    keep_confidence: float = 0.35
    linger_s: float = 0.2
    detect_every_s: float = 0.5
    detect_without_faces_s: float = 0.06
    search_after_loss_s: float = 1.0
    same_face_overlap: float = 0.3
    twin_overlap: float = 0.5
    max_faces: int = 32


@dataclass
class Track:
    """One face over time, or a candidate for one: that has no number and was never seen.

    `box_xywh` is where to look for it in the next frame.
    """

    box_xywh: NDArray[np.float32]
    smoother: OneEuroFilter
    id: int = 0
    keypoints_px: NDArray[np.float32] = field(default_factory=lambda: np.empty((NUM_KEYPOINTS, 2), np.float32))
    confidence: float = 0.0
    seen_s: float | None = None


class Tracker:
    """Keeps the tracks of one source. Times are the frames' own: it does not matter how fast frames are processed."""

    def __init__(self, settings: TrackerSettings | None = None, smoothing: SmoothingLevel = SmoothingLevel.LOW) -> None:
        self._settings = settings or TrackerSettings()
        self._smoothing = smoothing
        self._next_id = 1
        self.reset()

    def reset(self) -> None:
        """Forget all faces: the next frame is of something else. Numbers go on, so no two faces share one."""
        self.tracks: list[Track] = []
        self._detected_s: float | None = None
        self._lost_s: float | None = None

    @property
    def smoothing(self) -> SmoothingLevel:
        """How strongly keypoints are smoothed. Set between two frames, it holds for faces that are there, too."""
        return self._smoothing

    @smoothing.setter
    def smoothing(self, level: SmoothingLevel) -> None:
        self._smoothing = level
        for track in self.tracks:
            track.smoother.settings = level.settings

    def wants_detection(self, timestamp_s: float) -> bool:
        """Whether it is time to look for faces."""
        if self._detected_s is None:
            return True
        settings = self._settings
        recent_loss = self._lost_s is not None and timestamp_s - self._lost_s < settings.search_after_loss_s
        pause = settings.detect_every_s if self.tracks and not recent_loss else settings.detect_without_faces_s
        return timestamp_s - self._detected_s >= pause

    def add_detections(self, boxes_xywh: NDArray[np.float32], timestamp_s: float) -> None:
        """Make candidates of the boxes that no track covers; they live if the network confirms them."""
        self._detected_s = timestamp_s
        for box in boxes_xywh:
            if len(self.tracks) >= self._settings.max_faces:
                return
            known = np.array([track.box_xywh for track in self.tracks], np.float32).reshape(-1, 4)
            if not (overlap(known, box) >= self._settings.same_face_overlap).any():
                self.tracks.append(Track(box, OneEuroFilter(self._smoothing.settings)))

    def boxes(self) -> NDArray[np.float32]:
        """(N, 4) float32: where to look for the tracks' and candidates' keypoints in the next frame."""
        return np.array([track.box_xywh for track in self.tracks], np.float32).reshape(-1, 4)

    def update(self, found: Keypoints, timestamp_s: float) -> None:
        """Take in the keypoints of `boxes`, in the same order; drop what is no face or lost."""
        boxes = box_from_keypoints(found.points_px)
        alive = []
        for track, points, confidence, box in zip(self.tracks, found.points_px, found.confidence, boxes, strict=True):
            is_new = track.seen_s is None
            needed = self._settings.accept_confidence if is_new else self._settings.keep_confidence
            if confidence >= needed and _plausible(box, track.box_xywh):
                if is_new:
                    track.id, self._next_id = self._next_id, self._next_id + 1
                track.keypoints_px = track.smoother(points, timestamp_s=timestamp_s, face_px=float(box[2]))
                track.confidence, track.seen_s = float(confidence), timestamp_s
                if is_new or _has_moved(box, track.box_xywh):
                    track.box_xywh = box
                alive.append(track)
            elif track.seen_s is not None:
                track.confidence = float(confidence)
                if timestamp_s - track.seen_s <= self._settings.linger_s:
                    alive.append(track)
                else:
                    self._lost_s = timestamp_s
        self.tracks = self._without_twins(alive)

    def _without_twins(self, tracks: list[Track]) -> list[Track]:
        """Two tracks that have come to lie on one face: the older stays."""
        kept: list[Track] = []
        for track in sorted(tracks, key=lambda t: t.id):
            others = np.array([t.box_xywh for t in kept], np.float32).reshape(-1, 4)
            if not (overlap(others, track.box_xywh) >= self._settings.twin_overlap).any():
                kept.append(track)
        return kept


MAX_GROWTH: Final = 1.6
MAX_SHIFT: Final = 0.6


SAME_CROP: Final = 0.03
"""A face that has moved and grown by less than this, over its side, is looked for in the same crop as before: another
crop moves the network's keypoints a little, which shows as trembling."""


def _has_moved(box: NDArray[np.float32], previous: NDArray[np.float32]) -> bool:
    """Whether the next crop should be cut anew."""
    shift = np.abs(box[:2] + box[2:] / 2 - previous[:2] - previous[2:] / 2).max()
    return bool(max(shift, abs(box[2] - previous[2])) > SAME_CROP * previous[2])


def _plausible(box: NDArray[np.float32], previous: NDArray[np.float32]) -> bool:
    """Whether a face can have moved and grown like this since the crop was cut around `previous`."""
    growth = box[2] / previous[2]
    shift = np.abs(box[:2] + box[2:] / 2 - previous[:2] - previous[2:] / 2).max() / previous[2]
    return bool(1 / MAX_GROWTH <= growth <= MAX_GROWTH and shift <= MAX_SHIFT)


def overlap(boxes_xywh: NDArray[np.float32], box_xywh: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of (N, 4) boxes with one: (N,) float32."""
    start = np.maximum(boxes_xywh[:, :2], box_xywh[:2])
    stop = np.minimum(boxes_xywh[:, :2] + boxes_xywh[:, 2:], box_xywh[:2] + box_xywh[2:])
    common = np.maximum(stop - start, 0).prod(axis=1)
    union = boxes_xywh[:, 2:].prod(axis=1) + box_xywh[2:].prod() - common
    return np.asarray(common / np.maximum(union, 1e-6), np.float32)
