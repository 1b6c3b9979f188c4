"""Reading the picture that an overlay is made of, off the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QImageIOHandler, QImageReader, QPainter
from PySide6.QtSvg import QSvgRenderer

from fkd_desktop.errors import OverlayError
from fkd_desktop.overlays.artwork import check_speed
from fkd_desktop.overlays.svg_check import check_svg

if TYPE_CHECKING:
    from pathlib import Path

    from fkd_desktop.workers.job import Job

PICTURE_SUFFIXES: Final = (".png", ".svg", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
_PIXEL_KINDS: Final = frozenset({b"png", b"jpeg", b"jpg", b"webp", b"bmp", b"gif"})
MAX_KEPT_PX: Final = 2048
"""Longest side of what is saved: no face is painted larger, and an 8000 px picture takes 256 MB."""
MAX_FILE_BYTES: Final = 100_000_000
MAX_KEPT_BYTES: Final = 30_000_000
MAX_READ_PX: Final = 100_000_000
MAX_READ_MB: Final = 512
"""Memory that one picture may take while it is read. Qt's own limit is half of it."""
SVG_PX: Final = 1024
"""Longest side of the picture that an SVG file is shown as."""
_OPAQUE: Final = 24
"""Alpha (of 255) from which a pixel belongs to what the picture shows."""


@dataclass(frozen=True, eq=False)
class Picture:
    """What an overlay paints.

    Attributes
    ----------
    image
        What it looks like; an SVG file's is painted at a size for the screen.
    content
        The file's bytes, as they are saved.
    suffix
        Kind of the file.
    rect
        The whole of it, in what anchors count in: pixels, or an SVG file's own units.
    drawn
        The part that is not transparent, in the same.
    title
        What the file is called.
    was_scaled
        Whether the file that was read is larger than what is kept.
    """

    image: QImage
    content: bytes
    suffix: Literal[".png", ".svg"]
    rect: QRectF
    drawn: QRectF
    title: str = ""
    was_scaled: bool = False

    @property
    def unit(self) -> float:
        """A thousandth of the longer side."""
        return max(self.rect.width(), self.rect.height()) / 1000


def read_picture(path: Path, _job: Job | None = None) -> Picture:
    """Read a picture of any kind that Qt reads; for a job.

    Raises
    ------
    OverlayError
        If it cannot be read, or is not fit for an overlay.
    """
    try:
        if not path.is_file():
            raise OverlayError("{path} is not a file; choose a PNG or SVG picture", path=path)
        if path.stat().st_size > MAX_FILE_BYTES:
            raise OverlayError("{path} is larger than 100 MB; make the picture smaller and choose it again", path=path)
        content = path.read_bytes()
    except OSError as error:
        raise OverlayError(
            "{path} cannot be read ({reason}); choose another picture", path=path, reason=error.strerror
        ) from error
    except ValueError as error:
        raise OverlayError("{path} is no name that a file can have; choose a picture", path=repr(str(path))) from error
    is_svg = path.suffix.lower() == ".svg"
    picture = _read_svg(path, content) if is_svg else _read_pixels(path, content)
    title = " ".join(path.stem.replace("_", " ").replace("-", " ").split())
    return replace(picture, title=title[:1].upper() + title[1:])


def _read_svg(path: Path, content: bytes) -> Picture:
    check_svg(path, content)
    renderer = QSvgRenderer()
    if not renderer.load(QByteArray(content)) or renderer.viewBoxF().isEmpty():
        raise OverlayError("{path} is no SVG drawing that can be read; choose another picture", path=path)
    renderer.setAspectRatioMode(Qt.AspectRatioMode.IgnoreAspectRatio)
    box = renderer.viewBoxF()
    check_speed(path, content, box)
    scale = SVG_PX / max(box.width(), box.height())
    size = QSize(max(1, round(box.width() * scale)), max(1, round(box.height() * scale)))
    image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter, QRectF(image.rect()))
    painter.end()
    return Picture(image, content, ".svg", box, _drawn_part(path, image, box))


def _read_pixels(path: Path, content: bytes) -> Picture:
    image, is_upright_png = _decoded(path, content)
    image.setDevicePixelRatio(1)
    image = image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
    was_scaled = max(image.width(), image.height()) > MAX_KEPT_PX
    if was_scaled:
        image = shrunk(image, MAX_KEPT_PX)
    if was_scaled or not is_upright_png or len(content) > MAX_KEPT_BYTES:
        content = png_bytes(image)
    rect = QRectF(image.rect())
    return Picture(image, content, ".png", rect, _drawn_part(path, image, rect), was_scaled=was_scaled)


def _decoded(path: Path, content: bytes) -> tuple[QImage, bool]:
    """Return the pixels, upright, and whether the file is a PNG that shows them as they are."""
    buffer = QBuffer()
    buffer.setData(QByteArray(content))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    try:
        kind = bytes(reader.format().data())
        if kind not in _PIXEL_KINDS:  # of the others that Qt reads, some are seldom used, and as seldom tested
            raise OverlayError(
                "{path} is no picture that can be read ({reason}); choose a PNG or SVG picture",
                path=path,
                reason="unknown kind",
            )
        size = reader.size()
        if size.width() * size.height() > MAX_READ_PX:
            raise OverlayError(
                "{path} is too large a picture; choose one of at most {limit} megapixels",
                path=path,
                limit=MAX_READ_PX // 1_000_000,
            )
        reader.setAutoTransform(True)
        is_upright = reader.transformation() == QImageIOHandler.Transformation.TransformationNone
        usual_mb = QImageReader.allocationLimit()
        QImageReader.setAllocationLimit(MAX_READ_MB)
        try:
            image = reader.read()
        finally:
            QImageReader.setAllocationLimit(usual_mb)
        reason = reader.errorString()
    finally:
        reader.setDevice(None)  # type: ignore[arg-type] # it uses it in its end, and then the buffer may be gone
    if image.isNull():
        raise OverlayError(
            "{path} is no picture that can be read ({reason}); choose a PNG or SVG picture", path=path, reason=reason
        )
    return image, is_upright and kind == b"png"


def shrunk(image: QImage, side_px: int) -> QImage:
    """Return an image whose longest side is no longer than that."""
    if max(image.width(), image.height()) <= side_px:
        return image
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return image.scaled(side_px, side_px, keep, smooth)


def png_bytes(image: QImage) -> bytes:
    """Return an image as a PNG file."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())


def _drawn_part(path: Path, image: QImage, rect: QRectF) -> QRectF:
    """Return the part of ``rect``, which the image shows, that is not transparent."""
    if min(image.width(), image.height()) < 2:
        raise OverlayError("{path} is smaller than 2 x 2 pixels; choose a larger picture", path=path)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    is_opaque = rows[:, 3 : 4 * image.width() : 4] > _OPAQUE
    columns, lines = np.flatnonzero(is_opaque.any(axis=0)).tolist(), np.flatnonzero(is_opaque.any(axis=1)).tolist()
    if not columns:
        raise OverlayError("{path} is wholly transparent; choose a picture that shows something", path=path)
    across, down = rect.width() / image.width(), rect.height() / image.height()
    return QRectF(
        rect.left() + columns[0] * across,
        rect.top() + lines[0] * down,
        (columns[-1] + 1 - columns[0]) * across,
        (lines[-1] + 1 - lines[0]) * down,
    )
