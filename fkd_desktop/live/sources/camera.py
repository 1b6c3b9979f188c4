"""Cameras, by OpenCV."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Final

import cv2

from fkd_desktop.errors import SourceError
from fkd_desktop.live.result import Frame
from fkd_desktop.live.sources.base import FrameSource, as_frame


class CameraSource(FrameSource):
    """A camera, by OpenCV's index."""

    is_live = True
    _FAILED_READS_TO_LOSE: Final = 5

    def __init__(self, index: int = 0, *, width: int = 1280, height: int = 720, frames_per_s: int = 30) -> None:
        self.label = f"Camera {index}"
        self._index, self._width, self._height, self._frames_per_s = index, width, height, frames_per_s
        self._capture: cv2.VideoCapture | None = None

    def open(self) -> None:
        """See `FrameSource.open`."""
        if sys.platform.startswith("linux") and not Path(f"/dev/video{self._index}").exists():
            raise SourceError(f"there is no camera {self._index}; plug one in and retry, or choose another source")
        backend = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_MSMF, "darwin": cv2.CAP_AVFOUNDATION}
        capture = cv2.VideoCapture(self._index, backend.get(sys.platform, cv2.CAP_ANY))
        if not capture.isOpened():
            capture.release()
            raise SourceError(
                f"camera {self._index} cannot be opened; close other programs that may use it, and check that the "
                "system's privacy settings allow it"
            )
        # The order matters on Linux: most webcams reach 30 frames a second at this size only with MJPG.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._height)
        capture.set(cv2.CAP_PROP_FPS, self._frames_per_s)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self._capture = capture

    def read(self) -> Frame | None:
        """See `FrameSource.read`."""
        for _ in range(self._FAILED_READS_TO_LOSE):
            if self._capture is None:
                return None
            ok, image = self._capture.read()
            if ok and image is not None and image.size:
                now_s = time.perf_counter()
                return Frame(as_frame(image), now_s, now_s)  # type: ignore[arg-type]
        raise SourceError(f"camera {self._index} stopped sending pictures; check that it is plugged in, then retry")

    def close(self) -> None:
        """See `FrameSource.close`."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()
