"""Writing MP4 files with the frames' own times."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Self

import av
import cv2
import numpy as np

from trainer.core.errors import FkdError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_TIME_BASE: Final = Fraction(1, 90_000)
_LEAST_SIDE_PX: Final = 16
"""Encoders refuse smaller pictures."""


class VideoWriter:
    """An H.264 MP4 file (MPEG-4 part 2 where FFmpeg was built without H.264); use as a context manager.

    Parameters
    ----------
    path
        Where to; replaced if it exists.

    Raises
    ------
    FkdError
        From any method, if the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream: Any = None
        self._size = (0, 0)
        self._first_s = 0.0
        self._last_pts = -1
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._container: Any = av.open(str(path), "w", options={"movflags": "+faststart"})
        except (OSError, av.FFmpegError) as error:
            raise FkdError(f"{path} cannot be written ({error.strerror or error}); choose another place") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, frame_bgr: NDArray[np.uint8], timestamp_s: float) -> None:
        """Append a frame.

        Parameters
        ----------
        frame_bgr
            (H, W, 3) uint8; the first one sets the size, and an odd last row or column is left out. One of another
            size is fitted into that.
        timestamp_s
            Its time; it must rise.
        """
        try:
            if self._stream is None:
                height, width = (max(_LEAST_SIDE_PX, side - side % 2) for side in frame_bgr.shape[:2])
                self._size = (width, height)
                self._stream = self._add_stream(width, height)
                self._first_s = timestamp_s
            picture = av.VideoFrame.from_ndarray(_fit(frame_bgr, *self._size), format="bgr24")
            pts = max(round((timestamp_s - self._first_s) / _TIME_BASE), self._last_pts + 1)
            picture.pts, picture.time_base, self._last_pts = pts, _TIME_BASE, pts
            self._container.mux(self._stream.encode(picture))
        except (OSError, av.FFmpegError) as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Finish the file; without a frame there is none."""
        container, self._container = self._container, None
        if container is None:
            return
        try:
            try:
                if self._stream is not None:
                    container.mux(self._stream.encode(None))
            finally:
                container.close()
        except (OSError, av.FFmpegError) as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> FkdError:
        return FkdError(f"writing {self.path} failed ({error}); free some space or choose another place")

    def _add_stream(self, width: int, height: int) -> Any:
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        stream = self._container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = _TIME_BASE
        if codec == "libx264":
            stream.options = {"crf": "20", "preset": "veryfast"}
        return stream


def letterbox(image_bgr: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Scale a picture to fit a size, centred on black: (height, width, 3) uint8."""
    rows, columns = image_bgr.shape[:2]
    scale = min(width / columns, height / rows)
    size = (min(width, max(1, round(columns * scale))), min(height, max(1, round(rows * scale))))
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    fitted = np.zeros((height, width, 3), np.uint8)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    fitted[top : top + size[1], left : left + size[0]] = cv2.resize(image_bgr, size, interpolation=interpolation)
    return fitted


def _fit(frame_bgr: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    rows, columns = frame_bgr.shape[:2]
    if rows - rows % 2 == height and columns - columns % 2 == width:
        return np.ascontiguousarray(frame_bgr[:height, :width])
    return letterbox(frame_bgr, width, height)
