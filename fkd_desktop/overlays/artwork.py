"""The picture files of overlays: checked before they are read, and kept in sizes for every face."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, Qt
from PySide6.QtGui import QImage, QImageReader, QPainter, QTransform
from PySide6.QtSvg import QSvgRenderer

from fkd_desktop.errors import OverlayError
from fkd_desktop.overlays.svg_check import check_svg

if TYPE_CHECKING:
    from pathlib import Path

MAX_SIDE_PX: Final = 8192
MAX_PIXELS: Final = 4096 * 4096
MAX_PNG_BYTES: Final = 32 * 2**20
MAX_SVG_BYTES: Final = 2 * 2**20
SVG_SIDE_PX: Final = 1024
"""Longest side of the copy of a drawing from which the smaller ones come; larger ones are drawn when a face needs
them."""
MOST_DRAWING_S: Final = 2.0
"""Processor time that a drawing may take at that size; most take some milliseconds."""
_PROBES_PX: Final = (8, 32, 128)
_MOST_DOUBLINGS: Final = 2
_DOUBLING_S: Final = 0.5
"""So long a larger copy may take: it is made between two frames."""
_STEPS: Final = 4
_FINER: Final = 1.4
_FORMAT: Final = QImage.Format.Format_ARGB32_Premultiplied


@dataclass(frozen=True, eq=False)
class Level:
    """A copy of a picture at one size.

    Attributes
    ----------
    image
        Premultiplied pixels, with transparent ones around them if that was wanted.
    to_pixels
        From the picture's own coordinates to the image's.
    """

    image: QImage
    to_pixels: QTransform


class Artwork:
    """A picture in many sizes, four to each halving.

    A face's picture is sampled from one that is `_FINER` to 1.2 `_FINER` times as fine as the device: a coarser one
    would be soft, a much finer one would make edges flicker, and where sizes lay farther apart a face that stands still
    would tremble between two of them.

    Parameters
    ----------
    path
        The PNG or SVG.
    mirrored
        Turned over: x becomes -x.
    margin
        Width of a transparent margin around every size, over the picture's longest side; 0 for none.

    Raises
    ------
    OverlayError
        If the file is missing, damaged, too large or not safe.
    """

    def __init__(self, path: Path, *, mirrored: bool = False, margin: float = 0.0) -> None:
        self._mirrored, self._margin = mirrored, margin
        self._svg: bytes | None = None
        self._lock = threading.Lock()
        if path.suffix.lower() == ".svg":
            self._svg, rect = _read_svg(path)
            self._per_unit = SVG_SIDE_PX / max(rect.width(), rect.height())
            doublings = _doublings(path, self._svg, rect)
            largest = _drawn(self._svg, rect, self._per_unit)
        else:
            largest, doublings = _read_png(path), 0
            rect, self._per_unit = QRectF(largest.rect()), 1.0
        self._rect = rect
        if mirrored:
            largest = _turned_over(largest)
        halvings = _halvings(largest.convertToFormat(_FORMAT))
        self._octaves = {-number: image for number, image in enumerate(halvings)}
        self._levels: dict[int, Level] = {}
        self._smallest = _STEPS * (1 - len(halvings))
        self._largest = _STEPS * doublings

    @property
    def rect(self) -> QRectF:
        """The picture in its own coordinates: pixels of a PNG, units of an SVG's viewBox."""
        if not self._mirrored:
            return QRectF(self._rect)
        return QRectF(-self._rect.right(), self._rect.top(), self._rect.width(), self._rect.height())

    def level(self, device_px: float) -> Level:
        """Return the size that suits so many device pixels for one of the picture's own. Safe in any thread."""
        fineness = _FINER * max(device_px, 1e-9) / self._per_unit
        number = min(max(math.ceil(_STEPS * math.log2(fineness) - 1e-6), self._smallest), self._largest)
        level = self._levels.get(number)
        if level is None:
            with self._lock:
                level = self._levels.get(number)
                if level is None:
                    level = self._levels[number] = self._made(number)
        return level

    def _made(self, number: int) -> Level:
        octave = math.ceil(number / _STEPS)
        image = self._octaves.get(octave)
        if image is None:
            assert self._svg is not None
            image = _drawn(self._svg, self._rect, self._per_unit * 2**octave)
            self._octaves[octave] = image = _turned_over(image) if self._mirrored else image
        if number % _STEPS:
            image = _scaled(image, 2 ** (number / _STEPS - octave))
        rect = self.rect
        margin = math.ceil(self._margin * max(image.width(), image.height())) + 2 if self._margin else 0
        to_pixels = QTransform.fromTranslate(-rect.left(), -rect.top())
        to_pixels *= QTransform.fromScale(image.width() / rect.width(), image.height() / rect.height())
        to_pixels *= QTransform.fromTranslate(margin, margin)
        if margin:
            image = image.copy(-margin, -margin, image.width() + 2 * margin, image.height() + 2 * margin)
        return Level(image, to_pixels)


def check_speed(path: Path, svg: bytes, rect: QRectF) -> float:
    """Return about how many seconds a drawing takes at `SVG_SIDE_PX`; found out at small sizes, which take less.

    Time grows with a drawing's side at least, and with its area at most.

    Raises
    ------
    OverlayError
        If that is too long: it would stop the picture, and nothing can end Qt's painting.
    """
    renderer, seconds = QSvgRenderer(QByteArray(svg)), 0.0
    for side_px in _PROBES_PX:
        growth = SVG_SIDE_PX / side_px
        seconds = _seconds(renderer, rect, side_px)
        if MOST_DRAWING_S < seconds * growth < 10 * MOST_DRAWING_S:  # perhaps fonts were loaded
            seconds = min(seconds, _seconds(renderer, rect, side_px))
        if seconds * growth > MOST_DRAWING_S:
            raise OverlayError("the drawing {path} takes too long to be painted; choose a simpler one", path=path)
    return seconds * growth**2


def _seconds(renderer: QSvgRenderer, rect: QRectF, side_px: int) -> float:
    """Return the processor time that a drawing takes with this longest side."""
    image = _blank(rect, side_px / max(rect.width(), rect.height()))
    painter = QPainter(image)
    began_s = time.thread_time()
    renderer.render(painter, QRectF(image.rect()))
    painter.end()
    return time.thread_time() - began_s


def _doublings(path: Path, svg: bytes, rect: QRectF) -> int:
    """Return how often a drawing's size may be doubled so that it is still made quickly."""
    seconds = check_speed(path, svg, rect)
    return next((number for number in range(_MOST_DOUBLINGS, 0, -1) if seconds * 4**number <= _DOUBLING_S), 0)


def check_picture(path: Path) -> None:
    """Check what can be checked of a picture without decoding it.

    Raises
    ------
    OverlayError
        If it is missing, of another kind, too large or not safe.
    """
    if path.suffix.lower() == ".svg":
        check_svg(path, _read(path, MAX_SVG_BYTES))
    else:
        _png_reader(path)


def _read(path: Path, most_bytes: int) -> bytes:
    try:
        if not path.is_file():
            raise OverlayError("the overlay's picture {path} is missing; put it there", path=path)
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise OverlayError(
            "the overlay's picture {path} cannot be read ({reason}); check it",
            path=path,
            reason=error.strerror or str(error),
        ) from error
    if len(content) > most_bytes:
        raise OverlayError(
            "the overlay's picture {path} is larger than {most} MB; choose a smaller one",
            path=path,
            most=most_bytes // 2**20,
        )
    return content


def _png_reader(path: Path) -> tuple[QImageReader, QBuffer]:
    """Return a reader that has seen the picture's size, and the bytes that must live as long as it."""
    buffer = QBuffer()
    buffer.setData(QByteArray(_read(path, MAX_PNG_BYTES)))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, QByteArray(b"png"))
    reader.setAutoDetectImageFormat(False)
    size = reader.size()
    if not size.isValid():
        raise OverlayError("the overlay's picture {path} is damaged or no PNG; choose another", path=path)
    width, height = size.width(), size.height()
    if max(width, height) > MAX_SIDE_PX or width * height > MAX_PIXELS:
        raise OverlayError(
            "the overlay's picture {path} has {width} x {height} px; choose one of at most {side} px a side "
            "and {pixels} million in all",
            path=path,
            width=width,
            height=height,
            side=MAX_SIDE_PX,
            pixels=MAX_PIXELS // 10**6,
        )
    return reader, buffer


def _read_png(path: Path) -> QImage:
    reader, _buffer = _png_reader(path)
    image = reader.read()
    if image.isNull():
        raise OverlayError("the overlay's picture {path} is damaged; choose another", path=path)
    image.setDevicePixelRatio(1)
    return image


def _read_svg(path: Path) -> tuple[bytes, QRectF]:
    content = _read(path, MAX_SVG_BYTES)
    check_svg(path, content)
    renderer = QSvgRenderer(QByteArray(content))
    rect = renderer.viewBoxF() if renderer.isValid() else QRectF()
    width, height = rect.width(), rect.height()
    if not (1e-3 < width < 1e5 and 1e-3 < height < 1e5 and max(abs(rect.left()), abs(rect.top())) < 1e5):
        raise OverlayError("the overlay's picture {path} is damaged or has no size; give it a viewBox", path=path)
    return content, rect


def _drawn(svg: bytes, rect: QRectF, per_unit: float) -> QImage:
    """Return a drawing as pixels. A renderer of its own each time: they must not be shared by threads."""
    image = _blank(rect, per_unit)
    painter = QPainter(image)
    renderer = QSvgRenderer(QByteArray(svg))
    renderer.setAspectRatioMode(Qt.AspectRatioMode.IgnoreAspectRatio)
    renderer.render(painter, QRectF(image.rect()))
    painter.end()
    return image


def _blank(rect: QRectF, per_unit: float) -> QImage:
    image = QImage(max(1, round(rect.width() * per_unit)), max(1, round(rect.height() * per_unit)), _FORMAT)
    image.fill(Qt.GlobalColor.transparent)
    return image


def _turned_over(image: QImage) -> QImage:
    return image.transformed(QTransform.fromScale(-1, 1))


def _halvings(image: QImage) -> list[QImage]:
    """Return the image and copies of half, a quarter, ... its size."""
    images = [image]
    while min(images[-1].width(), images[-1].height()) >= 8:
        images.append(_scaled(images[-1], 0.5))
    return images


def _scaled(image: QImage, factor: float) -> QImage:
    size = (max(1, round(image.width() * factor)), max(1, round(image.height() * factor)))
    return image.scaled(*size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
