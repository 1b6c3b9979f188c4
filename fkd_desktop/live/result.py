"""What goes through the pipeline: frames in, results out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from trainer.core.keypoints import NUM_KEYPOINTS

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Position:
    """Where a frame lies in a source that can be moved in: a video, or a folder of pictures.

    Attributes
    ----------
    kind
        What is counted.
    index, count
        Number of the frame or picture, from 0, and how many there are; a count of 0 is unknown, and a video's is an
        estimate.
    time_s, duration_s
        The same in seconds of the video; 0 for pictures.
    """

    kind: Literal["video", "pictures"]
    index: int
    count: int
    time_s: float = 0.0
    duration_s: float = 0.0


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture from a source. Whoever gets one may read the array, never write it.

    Attributes
    ----------
    image_bgr
        (H, W, 3) uint8, C-contiguous.
    timestamp_s
        The source's own time: never falls within one source.
    captured_s
        `time.perf_counter` when the frame was there: latency counts from here.
    position
        Where it lies in a source that can be moved in; None for cameras and streams.
    is_still
        A picture to be looked at thoroughly, not one of a stream.
    """

    image_bgr: NDArray[np.uint8]
    timestamp_s: float
    captured_s: float
    position: Position | None = None
    is_still: bool = False


@dataclass(frozen=True)
class StageTimes:
    """Milliseconds that the stages took for one frame.

    `detect_ms` is what looking for faces took of the loop's own time: where that goes on beside the loop, next to none.
    """

    detect_ms: float = 0.0
    crop_ms: float = 0.0
    network_ms: float = 0.0
    smooth_ms: float = 0.0

    @property
    def total_ms(self) -> float:
        """Sum of the stages."""
        return self.detect_ms + self.crop_ms + self.network_ms + self.smooth_ms


@dataclass(frozen=True, eq=False)
class FrameResult:
    """Everything known about one frame: what is painted over it always belongs to it.

    Attributes
    ----------
    frame_bgr
        (H, W, 3) uint8, C-contiguous; not to be written.
    timestamp_s
        The frame's time in its source.
    boxes_xywh
        (N, 4) float32 face boxes in frame pixels, from the keypoints.
    ids
        (N,) int64: the same face keeps its number from frame to frame.
    keypoints_px
        (N, 68, 2) float32, smoothed, in frame pixels.
    confidences
        (N,) float32 in [0, 1].
    times
        What the stages took.
    """

    frame_bgr: NDArray[np.uint8]
    timestamp_s: float
    boxes_xywh: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 4), np.float32))
    ids: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    keypoints_px: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, NUM_KEYPOINTS, 2), np.float32))
    confidences: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    times: StageTimes = StageTimes()

    def __len__(self) -> int:
        return len(self.ids)

    def only(self, ids: Collection[int]) -> FrameResult:
        """Return the same frame with nothing but these faces."""
        keep = np.isin(self.ids, list(ids))
        return replace(
            self,
            boxes_xywh=self.boxes_xywh[keep],
            ids=self.ids[keep],
            keypoints_px=self.keypoints_px[keep],
            confidences=self.confidences[keep],
        )


@dataclass(frozen=True)
class LiveFrame:
    """A result on its way to the screen, a recording or a table.

    Attributes
    ----------
    result
        The frame and what was found.
    captured_s
        `time.perf_counter` when the frame was there.
    annotated
        False while the network was still loading.
    position
        See `Frame`.
    """

    result: FrameResult
    captured_s: float
    annotated: bool
    position: Position | None = None
