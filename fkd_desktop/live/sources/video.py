"""Video files."""

from __future__ import annotations

import codecs
import time
import unicodedata
from typing import TYPE_CHECKING, Final

import cv2

from fkd_desktop.errors import SourceError
from fkd_desktop.live.result import Frame
from fkd_desktop.live.sources.base import FrameSource, as_frame, check_file

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

VIDEO_SUFFIXES: Final = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"})
_COMPLETE_SHARE: Final = 0.9
"""A video that gives this share of what its header says counts as whole: headers are often estimates."""


class VideoSource(FrameSource):
    """A video file, at its own pace.

    Parameters
    ----------
    path
        The file.
    label
        What to call it; None for the file's name.
    loop
        Start again at the end.
    """

    def __init__(self, path: Path, *, label: str | None = None, loop: bool = False) -> None:
        self.label = label or path.name
        self.loop = loop
        self._path = path
        self._capture: cv2.VideoCapture | None = None
        self._frames = 0
        self._expected = 0
        self._position_s = 0.0
        self._offset_s = 0.0
        self._last_s = 0.0
        self._step_s = 1 / 30

    def open(self) -> None:
        """See `FrameSource.open`."""
        check_file(self._path)
        # Absolute, or FFmpeg takes "a:b.mp4" for a protocol. And some texts it would read, as pictures of the text.
        capture = cv2.VideoCapture(str(self._path.absolute()), cv2.CAP_FFMPEG)
        if not capture.isOpened() or is_text(self._path):
            capture.release()
            raise SourceError(
                f"{self._path} is not a video or picture that can be read, or is damaged; choose another file"
            )
        rate = capture.get(cv2.CAP_PROP_FPS)
        self._step_s = 1 / rate if 0 < rate <= 1000 else 1 / 30
        self._expected = int(max(0, capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        self._frames = 0
        self._offset_s = self._last_s = self._position_s = 0.0
        self._capture = capture

    def read(self) -> Frame | None:
        """See `FrameSource.read`."""
        image = self._next_image()
        if image is None and self._frames and self.loop and self._capture is not None:
            self._rewind()
            image = self._next_image()
        if image is None:
            self._complain_if_it_ended_early()
            return None
        position_s = self._offset_s + self._position_s
        # Some files have no or falling times: then the frame rate is all there is.
        self._last_s = position_s if position_s > self._last_s or self._frames == 1 else self._last_s + self._step_s
        return Frame(as_frame(image), self._last_s, time.perf_counter())

    def _next_image(self) -> NDArray[np.uint8] | None:
        if self._capture is None:
            return None
        ok, image = self._capture.read()
        if not ok or image is None or image.size == 0:
            return None
        self._frames += 1
        self._position_s = max(0.0, self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        return image  # type: ignore[return-value]

    def _rewind(self) -> None:
        next_s = self._last_s + self._step_s
        self.close()
        self.open()
        self._offset_s = self._last_s = next_s

    def _complain_if_it_ended_early(self) -> None:
        if self._capture is None:
            return
        if self._frames == 0:
            raise SourceError(
                f"{self._path} has no picture that can be read; it is empty or damaged, choose another file"
            )
        # A container without an index says how long it is, and the number of frames is guessed from that: where frames
        # come at uneven times, only the time tells that the video is whole.
        is_short = max(self._frames, self._position_s / self._step_s + 1) < _COMPLETE_SHARE * self._expected
        if is_short:
            raise SourceError(
                f"{self._path} is cut off after {self._position_s + self._step_s:.1f} of its "
                f"{self._expected * self._step_s:.1f} seconds; the rest is lost, so get the file again for all of it"
            )

    def close(self) -> None:
        """See `FrameSource.close`."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()


def is_text(path: Path) -> bool:
    """Whether a file begins with nothing but characters of a text."""
    with path.open("rb") as file:
        start = file.read(1024)
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return not any(unicodedata.category(c) == "Cc" and c not in "\t\n\f\r\x1b" for c in text)
