"""Writing MP4 files with the frames' own times, so that whatever happens a playable file is left."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import av
import cv2
import numpy as np
from av.video.frame import PictureType

from fkd_desktop.errors import OutputError, cannot_write
from fkd_desktop.live.mp4_file import Mp4File

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FRAGMENT_S: Final = 1.0
"""A killed process loses at most about this much of the film's end."""
Effort = Literal["live", "small"]
"""How hard the encoder tries: as little as possible beside a live session, or for small files. At 1280 x 720, `live`
takes about half the time and twice the space (``python -m benchmarks.recording``)."""

_TIME_BASE: Final = Fraction(1, 60_000)
"""Divides the usual frame rates; MPEG-4 part 2 allows no denominator above 65,535."""
_LEAST_SIDE_PX: Final = 16
"""Encoders refuse smaller pictures."""
_HD_ROWS: Final = 720
"""From this height on, players take untagged video for BT.709, below for BT.601: the tags agree with the guess."""
# As fragments, each readable without what follows; at the end FFmpeg turns the file into a plain MP4 in place, for many
# players seek badly in fragments. That needs no second copy on the disk, which a remux would.
_MOVFLAGS: Final = "hybrid_fragmented+frag_keyframe+default_base_moof"
_ENCODERS: Final = ("libx264", "libopenh264", "mpeg4")
_PRESETS: Final[dict[Effort, str]] = {"live": "ultrafast", "small": "veryfast"}
_BITS_PER_PX: Final = 4
"""A second, for encoders that do not know a constant quality."""
# Numbers of FFmpeg's libavutil/pixfmt.h, where matrix, primaries and transfer of BT.709 share one; SMPTE 170M has the
# matrix of BT.601.
_BT709: Final = 1
_SMPTE170M: Final = 6
_LIMITED_RANGE: Final = 1
_FULL_RANGE: Final = 2
_ACCURATE_BILINEAR: Final = 0x40000 | 2
"""libswscale's SWS_ACCURATE_RND | SWS_BILINEAR: without the first, white comes back as 250."""


class VideoWriter:
    """An H.264 MP4 file (MPEG-4 part 2 where FFmpeg was built without H.264); use as a context manager.

    A process that is killed, or a disk that runs full, leaves a file that plays up to about the last `FRAGMENT_S`.

    Parameters
    ----------
    path
        Where to; replaced if it exists, once there is a frame.
    effort
        See `Effort`.
    threads
        How many the encoder may use; 0 for as many as it likes.

    Raises
    ------
    OutputError
        From any method, if the file cannot be written. What was written until then can be played.
    """

    def __init__(self, path: Path, *, effort: Effort = "small", threads: int = 0) -> None:
        self.path = path
        self._effort, self._threads = effort, threads
        self._file: Mp4File | None = None
        self._container: Any = None
        self._stream: Any = None
        self._size = (0, 0)
        self._matrix = _SMPTE170M
        self._first_s = 0.0
        self._last_pts = -1
        self._next_key_pts = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def duration_s(self) -> float:
        """Time from the first to the last frame."""
        return max(0, self._last_pts) * float(_TIME_BASE)

    @property
    def size_bytes(self) -> int:
        """How long the file is by now."""
        return self._file.size_bytes if self._file else 0

    @property
    def is_kept(self) -> bool:
        """Whether there is a film that can be played, as far as is known: after a failure, once it is closed."""
        return self._file is not None and self._file.is_playable

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the film; (0, 0) before its first frame."""
        return self._size

    def write(self, frame_bgr: NDArray[np.uint8], timestamp_s: float) -> None:
        """Append a frame.

        Parameters
        ----------
        frame_bgr
            (H, W, 3) uint8, or (H, W, 4) of which the fourth is left out; the first one sets the size, and an odd last
            row or column is left out. One of another size is fitted into that.
        timestamp_s
            Its time; it must rise.
        """
        if self._stream is None:
            self._open(frame_bgr, timestamp_s)
        elif self._container is None:
            raise self._failed(OSError("it is closed"))
        try:
            picture = self._picture(_fit(frame_bgr, *self._size))
            pts = max(round((timestamp_s - self._first_s) / _TIME_BASE), self._last_pts + 1)
            picture.pts, picture.time_base = pts, _TIME_BASE
            if pts >= self._next_key_pts:
                picture.pict_type = PictureType.I
                self._next_key_pts = pts + round(FRAGMENT_S / _TIME_BASE)
            self._container.mux(self._stream.encode(picture))
            self._check_file()
            self._last_pts = pts
        except (OSError, av.FFmpegError) as error:
            container, self._container = self._container, None
            self._leave_alone(container, error)
            raise self._failed(error) from error

    def close(self) -> None:
        """Finish the file; without a frame there is none."""
        container, self._container = self._container, None
        if container is None or self._file is None:
            return
        try:
            container.mux(self._stream.encode(None))
            container.close()
            self._check_file()
        except (OSError, av.FFmpegError) as error:
            self._leave_alone(container, error)
            raise self._failed(error) from error
        self._file.close()

    def _open(self, frame_bgr: NDArray[np.uint8], timestamp_s: float) -> None:
        height, width = (max(_LEAST_SIDE_PX, side - side % 2) for side in frame_bgr.shape[:2])
        try:
            self._file = Mp4File(self.path)
        except OSError as error:
            raise cannot_write(self.path, error) from error
        self._container = av.open(self._file, "w", format="mp4", options={"movflags": _MOVFLAGS, "flush_packets": "1"})
        self._size, self._first_s = (width, height), timestamp_s
        self._matrix = _BT709 if height >= _HD_ROWS else _SMPTE170M
        self._stream = self._add_stream(width, height)

    def _add_stream(self, width: int, height: int) -> Any:
        encoder = next(name for name in _ENCODERS if name in av.codecs_available)
        stream = self._container.add_stream(encoder, rate=30)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.time_base = _TIME_BASE
        context.max_b_frames = 0  # a fragment then needs nothing of the next one, and the film begins at 0
        context.gop_size = 600  # key frames are asked for by time
        context.thread_count = self._threads
        context.colorspace, context.color_primaries, context.color_trc = self._matrix, _BT709, _BT709
        context.color_range = _LIMITED_RANGE
        if encoder == "libx264":
            stream.options = {"crf": "20", "preset": _PRESETS[self._effort]}
            if self._effort == "live":
                stream.options |= {"tune": "zerolatency"}
        else:
            stream.bit_rate = _BITS_PER_PX * width * height
        return stream

    def _picture(self, image: NDArray[np.uint8]) -> Any:
        picture = av.VideoFrame.from_ndarray(image, format="bgra" if image.shape[2] == 4 else "bgr24")
        return picture.reformat(
            format="yuv420p",
            dst_colorspace=self._matrix,
            interpolation=_ACCURATE_BILINEAR,
            src_color_range=_FULL_RANGE,
            dst_color_range=_LIMITED_RANGE,
        )

    def _check_file(self) -> None:
        if self._file is not None and self._file.error is not None:
            raise self._file.error

    def _leave_alone(self, container: Any, error: Exception) -> None:
        """Let go of the file as it is."""
        if self._file is not None:
            self._file.refuse(error if isinstance(error, OSError) else OSError(str(error)))
            with suppress(OSError, av.FFmpegError):
                container.close()
            self._file.close()

    def _failed(self, error: Exception) -> OutputError:
        cause = (self._file.error if self._file else None) or error
        return OutputError(
            "writing {path} failed ({reason}); free some space or choose another place",
            path=self.path,
            reason=getattr(cause, "strerror", None) or cause,
        )


def letterbox(image_bgr: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Scale a picture to fit a size, centred on black: (height, width, channels) uint8."""
    rows, columns, channels = image_bgr.shape
    scale = min(width / columns, height / rows)
    size = (min(width, max(1, round(columns * scale))), min(height, max(1, round(rows * scale))))
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    fitted = np.zeros((height, width, channels), np.uint8)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    fitted[top : top + size[1], left : left + size[0]] = cv2.resize(image_bgr, size, interpolation=interpolation)
    return fitted


def _fit(frame_bgr: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    rows, columns = frame_bgr.shape[:2]
    if rows - rows % 2 == height and columns - columns % 2 == width:
        return np.ascontiguousarray(frame_bgr[:height, :width])
    return letterbox(frame_bgr, width, height)
