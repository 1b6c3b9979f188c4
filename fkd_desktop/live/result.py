"""What goes through the pipeline: frames in, results out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from trainer.core.keypoints import NUM_KEYPOINTS

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
    """

    image_bgr: NDArray[np.uint8]
    timestamp_s: float
    captured_s: float


@dataclass(frozen=True)
class StageTimes:
    """Milliseconds that the stages took for one frame."""

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
