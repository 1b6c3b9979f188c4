"""Still pictures, one or a folder of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from fkd_desktop.errors import SourceError
from fkd_desktop.live.result import Frame
from fkd_desktop.live.sources.base import FrameSource, as_frame, check_file

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

IMAGE_SUFFIXES: Final = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
MAX_IMAGE_PIXELS: Final = 100_000_000
MAX_IMAGE_BYTES: Final = 500_000_000
PICTURE_S: Final = 2.0
"""How long each picture of a folder is shown."""


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
