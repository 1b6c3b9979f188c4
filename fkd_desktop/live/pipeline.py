"""One frame in, everything known about it out. No threads of its own: whoever calls decides where it runs."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from fkd_desktop.live.result import FrameResult, StageTimes
from fkd_desktop.live.scene import SceneWatch
from fkd_desktop.live.search import FaceSearch, Look, SearchAtOnce
from fkd_desktop.live.stills import find_faces
from fkd_desktop.live.tracker import Tracker
from trainer.core.keypoints import FLIP_ORDER
from trainer.core.predictor import Keypoints
from trainer.core.preprocess import as_grey_or_bgr, box_from_keypoints
from trainer.core.thorough import ThoroughDetector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fkd_desktop.live.smoothing import SmoothingLevel
    from trainer.core.predictor import Predictor

GAP_S: Final = 0.5
"""After a gap this long in the source, faces are looked for at once."""
IDLE_S: Final = 0.25
"""The same when the caller itself waited this long between two frames: then a look holds nothing up."""
MAX_DISAGREEMENT: Final = 0.02
"""RMS distance of a face's keypoints from those of its mirror image, over the side of the crop: faces of the held-out
people stay below 0.016, and what is taken for faces in textures lies above."""
UNSURE: Final = 0.5
"""Confidence that is enough for another look and not for a face; see `TrackerSettings`."""
LEAST_CONTRAST: Final = 3.0
"""Standard deviation, in grey levels, of the darkest or dullest crop that can show a face. The network's confidence in
one with less says nothing: without this, a face would live on where the lens was covered."""


class Pipeline:
    """Finds and follows the faces of one source.

    Parameters
    ----------
    predictor
        The network. The attribute may be set anew between two frames: the faces stay known.
    search
        Finds new faces; None for one that looks in the caller's thread. Whoever made it closes it.
    tracker
        Follows them; None for the usual one.

    Raises
    ------
    DetectorError
        If the default search's detector does not load.
    """

    def __init__(
        self, predictor: Predictor, *, search: FaceSearch | None = None, tracker: Tracker | None = None
    ) -> None:
        self.predictor = predictor
        self._search = search or SearchAtOnce()
        self._tracker = tracker or Tracker()
        self._thorough: ThoroughDetector | None = None
        self._shape: tuple[int, ...] | None = None
        self._timestamp_s = self._processed_s = -np.inf
        self._scene = SceneWatch()

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
        self._search.reset()
        self._scene.reset()
        self._shape, self._timestamp_s = None, -np.inf

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
        tracker, predictor = self._tracker, self.predictor
        marks = [time.perf_counter()]
        self._look(frame, timestamp_s)
        self._shape, self._timestamp_s = frame.shape, timestamp_s
        marks.append(time.perf_counter())
        squares = predictor.squares(tracker.boxes_xywh)
        crops = predictor.crops(frame, squares)
        marks.append(time.perf_counter())
        found = predict(predictor, crops, squares, known=tracker.faces)
        marks.append(time.perf_counter())
        tracker.update(found, timestamp_s)
        count = tracker.faces
        keypoints = tracker.keypoints_px[:count]
        boxes = box_from_keypoints(keypoints)
        self._processed_s = time.perf_counter()
        marks.append(self._processed_s)
        return FrameResult(
            frame_bgr=frame,
            timestamp_s=timestamp_s,
            boxes_xywh=boxes,
            ids=tracker.ids[:count],
            keypoints_px=keypoints,
            confidences=tracker.confidences[:count],
            times=StageTimes(*(1000 * (end - start) for start, end in pairwise(marks))),
        )

    def _look(self, frame: NDArray[np.uint8], timestamp_s: float) -> None:
        """Look for new faces when it is time, and make candidates of what was found meanwhile."""
        tracker, search = self._tracker, self._search
        is_cut = self._scene.is_cut(frame, timestamp_s)
        if is_cut:
            tracker.doubt()
        gap_s = timestamp_s - self._timestamp_s  # 0 if the same frame comes again, for another network
        waits = gap_s == 0 or gap_s > GAP_S or time.perf_counter() - self._processed_s > IDLE_S
        look = Look.IN_TURN
        if is_cut or not np.isfinite(gap_s):  # the first frame of a scene, with others soon behind it
            look = Look.AT_ONCE
        elif waits:
            look = Look.ALL_ROUND
        is_time = is_cut or gap_s == 0 or tracker.wants_look(timestamp_s)
        if is_time and search.begin(frame, tracker.boxes_xywh[: tracker.faces], look):
            tracker.looked(timestamp_s)
        boxes = search.take()
        if boxes is not None:
            tracker.add_candidates(boxes)


def predict(predictor: Predictor, crops: NDArray[np.uint8], squares: NDArray[np.float32], *, known: int) -> Keypoints:
    """Find the keypoints of faces and of candidates for some, in one call of the network.

    A candidate's mirror image is looked at as well: of what is no face the network is often sure too, but it sees
    another one in the mirror. A candidate is as likely a face as the less sure look says, and at most `UNSURE` where
    the looks disagree.

    Parameters
    ----------
    crops, squares
        (N, 1, S, S) uint8 and (N, 3) float32: faces first.
    known
        How many are faces that are known already.

    Returns
    -------
    N faces; the confidence is 0 for crops that have too little contrast to show one.
    """
    count, new = len(crops), slice(known, None)
    if known < count:
        mirrored = crops[new, :, :, ::-1]
        both = predictor.predict_crops(np.concatenate([crops, mirrored]), np.concatenate([squares, squares[new]]))
        confidence, points = both.confidence[:count].copy(), both.points_px[:count]
        back = both.points_px[count:][:, FLIP_ORDER]
        back[..., 0] = 2 * squares[new, :1] + squares[new, 2:] - 1 - back[..., 0]
        apart = np.sqrt(np.square(points[new] - back).sum(axis=-1).mean(axis=1)) / squares[new, 2]
        least = np.minimum(confidence[new], both.confidence[count:])
        confidence[new] = np.where(apart <= MAX_DISAGREEMENT, least, np.minimum(least, UNSURE))
    else:
        found = predictor.predict_crops(crops, squares)
        confidence, points = found.confidence, found.points_px
    is_dull = np.array([cv2.meanStdDev(crop[0])[1][0, 0] < LEAST_CONTRAST for crop in crops], bool)
    return Keypoints(points, np.where(is_dull, np.float32(0), confidence))


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
