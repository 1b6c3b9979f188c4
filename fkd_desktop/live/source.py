"""Where frames come from: cameras, video files, pictures, the demo clip.

A source is opened, read and closed by one thread; `fkd_desktop.live.reader` gives it one of its own. What users write
to name a source (``camera:0``, ``demo``, a path) is turned into one by `make_source`, through a registry that tests and
other kinds of sources can add to.
"""

from __future__ import annotations

import codecs
import sys
import time
import unicodedata
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from fkd_desktop.errors import SourceError
from fkd_desktop.live.result import Frame
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

IMAGE_SUFFIXES: Final = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
VIDEO_SUFFIXES: Final = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"})
MAX_IMAGE_PIXELS: Final = 100_000_000
MAX_IMAGE_BYTES: Final = 500_000_000
PICTURE_S: Final = 2.0
"""How long each picture of a folder is shown."""
_COMPLETE_SHARE: Final = 0.9
"""A video that gives this share of what its header says counts as whole: headers are often estimates."""


class FrameSource(ABC):
    """Gives frames one after the other.

    Attributes
    ----------
    label
        What the user calls it.
    is_live
        Whether frames come when they come (a camera); else the reader paces them by their timestamps.
    """

    label: str
    is_live: bool = False

    @abstractmethod
    def open(self) -> None:
        """Get ready; may take seconds.

        Raises
        ------
        SourceError
            If it cannot be opened.
        """

    @abstractmethod
    def read(self) -> Frame | None:
        """Wait for the next frame; None when there are no more.

        Raises
        ------
        SourceError
            If it broke.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of it; may be called at any time, also twice."""


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


class ImageSource(FrameSource):
    """One picture, or those of a folder one after the other."""

    def __init__(self, paths: list[Path], *, label: str) -> None:
        self.label = label
        self._paths = paths
        self._next = 0

    def open(self) -> None:
        """See `FrameSource.open`."""
        self._next = 0

    def read(self) -> Frame | None:
        """See `FrameSource.read`."""
        if self._next >= len(self._paths):
            return None
        path, timestamp_s = self._paths[self._next], self._next * PICTURE_S
        self._next += 1
        return Frame(read_picture(path), timestamp_s, time.perf_counter())

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._next = len(self._paths)


def as_frame(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return whatever OpenCV decoded as (H, W, 3) BGR uint8, C-contiguous."""
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.ndim == 2 or image.shape[2] == 1:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)  # type: ignore[return-value]
    return np.ascontiguousarray(image[:, :, :3])


def check_file(path: Path) -> None:
    """Say what is wrong with a path before a decoder is asked.

    Raises
    ------
    SourceError
        If it is missing, no file, not readable or empty.
    """
    try:
        if not path.exists():
            raise SourceError(f"there is no file {path}; check the path or choose another file")
        if not path.is_file():
            raise SourceError(f"{path} is not a file; choose a video or a picture")
        with path.open("rb") as file:
            if not file.read(1):
                raise SourceError(f"{path} is empty; choose another file")
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read ({error.strerror or error}); check the path and its permissions"
        ) from error


def is_text(path: Path) -> bool:
    """Whether a file begins with nothing but characters of a text."""
    with path.open("rb") as file:
        start = file.read(1024)
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return not any(unicodedata.category(c) == "Cc" and c not in "\t\n\f\r\x1b" for c in text)


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a picture by its content, whatever it is called, turned upright as its EXIF data says.

    Raises
    ------
    SourceError
        If it is missing, too large or not a picture.
    """
    check_file(path)
    image = decode_picture(path)
    if image is None:
        raise SourceError(f"{path} is not a picture that can be read, or is damaged; choose another file")
    return as_frame(image)


def decode_picture(path: Path) -> NDArray[np.uint8] | None:
    """Decode a picture file, or None if it is not one."""
    if path.stat().st_size > MAX_IMAGE_BYTES:
        return None
    data = np.fromfile(path, np.uint8)  # cv2.imread cannot open every path on Windows
    limit = MAX_IMAGE_PIXELS // 1_000_000
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
        is_too_large = image is not None and image.shape[0] * image.shape[1] > MAX_IMAGE_PIXELS
    except cv2.error:  # OpenCV's own limit of pixels
        is_too_large = True
    if is_too_large:
        raise SourceError(f"{path} is too large a picture; choose one of at most {limit} megapixels")
    return image  # type: ignore[return-value]


def _camera(text: str) -> FrameSource:
    if not text.isdecimal():
        raise SourceError(f"camera:{text} is not a camera; write camera:0 for the first one")
    return CameraSource(int(text))


def _demo(_text: str) -> FrameSource:
    return VideoSource(assets_dir() / "demo" / "demo.mp4", label="Demo clip", loop=True)


_SCHEMES: Final[dict[str, Callable[[str], FrameSource]]] = {"camera": _camera, "demo": _demo}


def register_source(scheme: str, factory: Callable[[str], FrameSource]) -> None:
    """Add a kind of source: ``scheme:text`` is then made by ``factory(text)``."""
    _SCHEMES[scheme] = factory


def make_source(name: str) -> FrameSource:
    """Turn what a user wrote into a source.

    Parameters
    ----------
    name
        ``camera:N``, ``demo``, or the path of a video, a picture or a folder of pictures.

    Raises
    ------
    SourceError
        If it is none of these.
    """
    scheme, _, rest = name.partition(":")
    if scheme in _SCHEMES:
        return _SCHEMES[scheme](rest)
    path = Path(name)
    try:
        path = path.expanduser()
        pictures = _pictures(path) if path.is_dir() else None
    except RuntimeError as error:  # ~somebody who has no home here
        raise SourceError(f"there is no file {path}; check the path or choose another file") from error
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read ({error.strerror or error}); check the path and its permissions"
        ) from error
    if pictures is not None:
        if not pictures:
            raise SourceError(f"the folder {path} has no pictures; choose another one")
        return ImageSource(pictures, label=path.resolve().name or str(path))
    check_file(path)
    # A wrong suffix is common: content decides. Only what is named a video is not tried as a picture first.
    if path.suffix.lower() not in VIDEO_SUFFIXES and decode_picture(path) is not None:
        return ImageSource([path], label=path.name)
    return VideoSource(path)


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
