"""One frame in, everything known about it out. No threads: whoever calls decides where it runs."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from fkd_desktop.live.result import FrameResult, StageTimes
from fkd_desktop.live.stills import find_faces
from fkd_desktop.live.tracker import Tracker
from trainer.core.detector import Detector, HaarDetector
from trainer.core.preprocess import as_grey_or_bgr, box_from_keypoints
from trainer.core.thorough import ThoroughDetector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fkd_desktop.live.smoothing import SmoothingLevel
    from trainer.core.predictor import Predictor

FINE_DETECTION_EVERY: Final = 6
LEAST_CONTRAST: Final = 3.0
"""Standard deviation, in grey levels, of the darkest or dullest crop that can show a face. The network's confidence in
one with less says nothing: without this, a face would live on where the lens was covered."""


class Pipeline:
    """Finds and follows the faces of one source.

    Parameters
    ----------
    predictor
        The network. The attribute may be set anew between two frames: the faces stay known.
    detector
        Finds new faces; None for OpenCV's frontal-face cascade.
    tracker
        Follows them; None for the usual one.

    Raises
    ------
    DetectorError
        If the default detector does not load.
    """

    def __init__(
        self, predictor: Predictor, *, detector: Detector | None = None, tracker: Tracker | None = None
    ) -> None:
        self.predictor = predictor
        self._detector = detector or HaarDetector()
        self._tracker = tracker or Tracker()
        self._thorough: ThoroughDetector | None = None
        self._shape: tuple[int, ...] | None = None
        self._timestamp_s = -np.inf
        self._detections = 0

    @property
    def smoothing(self) -> SmoothingLevel:
        """How strongly keypoints are smoothed; may be set between two frames."""
        return self._tracker.smoothing

    @smoothing.setter
    def smoothing(self, level: SmoothingLevel) -> None:
        if level is not self._tracker.smoothing:
            self._tracker.smoothing = level

    def reset(self) -> None:
        """Forget the faces: the next frame is of something else."""
        self._tracker.reset()
        self._shape, self._timestamp_s, self._detections = None, -np.inf, 0

    def process_still(self, frame_bgr: NDArray[np.uint8], timestamp_s: float) -> FrameResult:
        """Find all faces of a picture, thoroughly: a second's work, and no smoothing.

        Faces are numbered from 1, from the left to the right: the same picture gives the same numbers. The faces of
        frames before are forgotten.

        Parameters
        ----------
        frame_bgr
            See `process`; of any size.
        timestamp_s
            Goes into the result.

        Raises
        ------
        ValueError
            For an array that is no such frame.
        DetectorError
            If a cascade does not load.
        """
        frame = to_bgr(frame_bgr)
        self.reset()
        if self._thorough is None:
            self._thorough = ThoroughDetector()
        marks = [time.perf_counter()]
        candidates = self._thorough.detect(frame)
        marks.append(time.perf_counter())
        faces = find_faces(frame, candidates, self.predictor)
        marks.append(time.perf_counter())
        detect_ms, network_ms = (1000 * (end - start) for start, end in pairwise(marks))
        return FrameResult(
            frame_bgr=frame,
            timestamp_s=timestamp_s,
            boxes_xywh=box_from_keypoints(faces.points_px),
            ids=np.arange(1, len(faces) + 1),
            keypoints_px=faces.points_px,
            confidences=faces.confidence,
            times=StageTimes(detect_ms=detect_ms, network_ms=network_ms),
        )

    def process(self, frame_bgr: NDArray[np.uint8], timestamp_s: float) -> FrameResult:
        """Find the faces of the next frame.

        Parameters
        ----------
        frame_bgr
            (H, W, 3) BGR; grey and BGRA frames are turned into it. uint8.
        timestamp_s
            Time in the source. A time that falls back, like a change of the frame's size, starts afresh.

        Raises
        ------
        ValueError
            For an array that is no such frame.
        """
        frame = to_bgr(frame_bgr)
        if frame.shape != self._shape or timestamp_s < self._timestamp_s:
            self.reset()
        self._shape, self._timestamp_s = frame.shape, timestamp_s
        tracker = self._tracker
        marks = [time.perf_counter()]
        if tracker.wants_detection(timestamp_s):
            fine = self._detections % FINE_DETECTION_EVERY == 0
            self._detections += 1
            tracker.add_detections(self._detector.detect(frame, fine=fine), timestamp_s)
        marks.append(time.perf_counter())
        squares = self.predictor.squares(tracker.boxes())
        crops = self.predictor.crops(frame, squares)
        marks.append(time.perf_counter())
        found = self.predictor.predict_crops(crops, squares)
        marks.append(time.perf_counter())
        confidence = np.where(crops.std(axis=(1, 2, 3)) < LEAST_CONTRAST, np.float32(0), found.confidence)
        tracker.update(replace(found, confidence=confidence), timestamp_s)
        tracks = tracker.tracks
        marks.append(time.perf_counter())
        times = StageTimes(*(1000 * (end - start) for start, end in pairwise(marks)))
        if not tracks:
            return FrameResult(frame, timestamp_s, times=times)
        keypoints = np.stack([track.keypoints_px for track in tracks])
        return FrameResult(
            frame_bgr=frame,
            timestamp_s=timestamp_s,
            boxes_xywh=box_from_keypoints(keypoints),
            ids=np.array([track.id for track in tracks], np.int64),
            keypoints_px=keypoints,
            confidences=np.array([track.confidence for track in tracks], np.float32),
            times=times,
        )


def to_bgr(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn a grey, BGR or BGRA frame into C-contiguous BGR; no copy where it is that already.

    Raises
    ------
    ValueError
        For any other shape or type, naming it.
    """
    plain = as_grey_or_bgr(frame)
    if plain.ndim == 2:
        return cv2.cvtColor(np.ascontiguousarray(plain), cv2.COLOR_GRAY2BGR)  # type: ignore[return-value]
    return np.ascontiguousarray(plain)
