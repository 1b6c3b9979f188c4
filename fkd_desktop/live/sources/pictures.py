"""Still pictures, one or a folder of them."""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from fkd_desktop.errors import SourceError
from fkd_desktop.live.result import Frame, Position
from fkd_desktop.live.sources.base import FrameSource, as_frame, check_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

_log = logging.getLogger(__name__)

IMAGE_SUFFIXES: Final = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
MAX_IMAGE_PIXELS: Final = 100_000_000
MAX_IMAGE_BYTES: Final = 500_000_000
PICTURE_S: Final = 2.0
"""How long each picture of a folder stays where nobody chooses the next one, as in a video made of them."""


@dataclass(frozen=True)
class PicturePosition(Position):
    """Where a picture lies among others.

    Attributes
    ----------
    path
        Its file.
    """

    path: Path = Path()


class ImageSource(FrameSource):
    """One picture, or those of a folder one after the other.

    What turns out to be no picture is left out, with a line in the log: only where nothing is left it is an error.

    Parameters
    ----------
    paths
        The pictures in their order.
    label
        What to call it.
    start
        Number of the picture to begin with; that one must be readable.
    """

    can_seek = True

    def __init__(self, paths: list[Path], *, label: str, start: int = 0) -> None:
        self.label = label
        self._all, self._start = paths, start
        self._paths: list[Path] = []
        self._next = 0
        self._goes_back = self._was_sought = False

    def open(self) -> None:
        """See `FrameSource.open`."""
        self._paths = list(self._all)
        self._next, self._goes_back, self._was_sought = self._start, False, False
        if self._start:
            check_file(self._paths[self._start])

    def read(self) -> Frame | None:
        """See `FrameSource.read`."""
        while 0 <= self._next < len(self._paths):
            path = self._paths[self._next]
            try:
                image_bgr = read_picture(path)
            except SourceError as error:
                if len(self._all) == 1:
                    raise
                _log.warning("a picture was left out: %s", error)
                self._leave_out()
                continue
            index, self._next = self._next, self._next + 1
            self._goes_back = self._was_sought = False
            position = PicturePosition("pictures", index, len(self._paths), path=path)
            return Frame(image_bgr, index * PICTURE_S, time.perf_counter(), position=position, is_still=True)
        return None

    def _leave_out(self) -> None:
        """Go on without the next picture, in the direction in which the user goes."""
        del self._paths[self._next]
        if not self._paths:
            raise SourceError(
                "none of the {count} pictures in {folder} can be read; choose another folder",
                count=len(self._all),
                folder=self._all[0].parent,
            )
        if self._goes_back:
            self._next = max(0, self._next - 1)
        elif self._next == len(self._paths) and self._was_sought:
            self._next -= 1

    def seek(self, *, time_s: float | None = None, index: int | None = None) -> None:  # noqa: ARG002 (pictures have no times)
        """See `FrameSource.seek`."""
        if index is not None and self._paths:
            index = min(max(0, index), len(self._paths) - 1)
            self._goes_back = index < self._next - 1
            self._next, self._was_sought = index, True

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._paths = []


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
        raise SourceError("{path} is not a picture that can be read, or is damaged; choose another file", path=path)
    return as_frame(image)


def decode_picture(path: Path) -> NDArray[np.uint8] | None:
    """Decode a picture file, or None if it is not one."""
    if path.stat().st_size > MAX_IMAGE_BYTES:
        return None
    data = np.fromfile(path, np.uint8)  # cv2.imread cannot open every path on Windows
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error as error:
        if "MAX_IMAGE" not in str(error):
            return None
        # OpenCV's limits of pixels, width and height (`fkd_desktop.__init__`), which it looks at before it decodes
        raise SourceError(
            "{path} is too large a picture; choose one of at most {limit} megapixels",
            path=path,
            limit=MAX_IMAGE_PIXELS // 1_000_000,
        ) from error
    return image  # type: ignore[return-value]


def pictures_in(folder: Path) -> list[Path]:
    """List the files of a folder that are called pictures, in the order in which people count: 2 before 10.

    Raises
    ------
    OSError
        If the folder cannot be read.
    """
    return sorted((p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file()), key=natural_key)


def natural_key(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Return what to sort files by, so that numbers in their names count as numbers."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], path.name
