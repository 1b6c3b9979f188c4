"""Results as the session hands them on, without a session."""

from __future__ import annotations

import time

import numpy as np

from fkd_desktop.live.result import FrameResult, LiveFrame
from tests.live.helpers import face_points


def live_frame(
    grey: int = 90, *, width: int = 320, height: int = 240, captured_s: float | None = None, faces: int = 0
) -> LiveFrame:
    """Return a grey frame; with a face, it lies on the left of the middle."""
    frame_bgr = np.full((height, width, 3), grey, np.uint8)
    keypoints = np.array([face_points(0.3 * width, height / 2, 0.4 * height)] * faces, np.float32).reshape(-1, 68, 2)
    result = FrameResult(
        frame_bgr,
        0.0,
        boxes_xywh=np.array([[0.3 * width - 48, height / 2 - 48, 96, 96]] * faces, np.float32).reshape(-1, 4),
        ids=np.arange(faces, dtype=np.int64),
        keypoints_px=keypoints,
        confidences=np.ones(faces, np.float32),
    )
    return LiveFrame(result, time.perf_counter() if captured_s is None else captured_s, annotated=True)


class RedLayer:
    """Paints the left fifth of the frame red."""

    name = title = "red"

    def paint(self, painter, result, context):
        height, width = result.frame_bgr.shape[:2]
        painter.fillRect(0, 0, width // 5, height, "red")
