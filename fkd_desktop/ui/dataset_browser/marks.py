"""Keypoints, their numbers and the names of the parts, painted at places of a widget."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from fkd_desktop.i18n import translated
from trainer.contact_sheet import PAGE_BGR, PREDICTED_BGR, TRUE_BGR
from trainer.core.keypoints import EDGES, FACE_PARTS
from trainer.core.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

Points = list[QPointF]


def _colour(bgr: tuple[int, int, int]) -> QColor:
    blue, green, red = bgr
    return QColor(red, green, blue)


TRUE_COLOUR: Final = _colour(TRUE_BGR)
PREDICTED_COLOUR: Final = _colour(PREDICTED_BGR)
GROUND_COLOUR: Final = _colour(PAGE_BGR)
HALO: Final = QColor(16, 16, 16, 150)
PLATE: Final = QColor(16, 18, 22, 215)
INK: Final = QColor("#f2f5f8")

_PART_TITLES: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "jaw": Text("jaw"),
        "right_brow": Text("right brow"),
        "left_brow": Text("left brow"),
        "nose": Text("nose"),
        "right_eye": Text("right eye"),
        "left_eye": Text("left eye"),
        "outer_lips": Text("outer lips"),
        "inner_lips": Text("inner lips"),
    }
)

# Where a part's name stands: a place on its bounding box (0 to 1), and which way the plate grows from there.
_NAME_PLACES: Final[Mapping[str, tuple[float, float, int, int]]] = MappingProxyType(
    {
        "jaw": (0.5, 1.0, 0, 1),
        "right_brow": (0.5, 0.0, 0, -1),
        "left_brow": (0.5, 0.0, 0, -1),
        "nose": (1.0, 0.8, 1, 0),
        "right_eye": (0.5, 1.0, 0, 1),
        "left_eye": (0.5, 1.0, 0, 1),
        "outer_lips": (0.5, 1.0, 0, 1),
        "inner_lips": (0.5, 0.5, 0, 0),
    }
)


def part_title(name: str) -> str:
    """Return what a user calls a part of `trainer.core.keypoints.FACE_PARTS`."""
    return translated(_PART_TITLES[name])


def paint_points(painter: QPainter, points: Points, colour: QColor, *, radius_px: float, lines: bool) -> None:
    """Paint dots, and the lines between them, that stand out from skin of any shade.

    Parameters
    ----------
    painter
        In the widget's coordinates.
    points
        68 of them.
    radius_px
        Of the dots.
    lines
        Whether the parts' outlines are painted too.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if lines:
        outline = [QLineF(points[first], points[second]) for first, second in EDGES]
        faint = QColor(colour)
        faint.setAlphaF(0.75)
        for pen in (QPen(HALO, 2.4), QPen(faint, 1.2)):
            painter.setPen(pen)
            painter.drawLines(outline)
    painter.setPen(Qt.PenStyle.NoPen)
    for shade, radius in ((HALO, radius_px + 1), (colour, radius_px)):
        painter.setBrush(shade)
        for point in points:
            painter.drawEllipse(point, radius, radius)


def paint_offsets(painter: QPainter, truth: Points, predicted: Points) -> None:
    """Join each true point to where the network puts it."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    offsets = [QLineF(*pair) for pair in zip(truth, predicted, strict=True)]
    for pen in (QPen(HALO, 2.6), QPen(PREDICTED_COLOUR, 1.3)):
        painter.setPen(pen)
        painter.drawLines(offsets)


def paint_numbers(painter: QPainter, points: Points, colour: QColor, font: QFont) -> None:
    """Paint each point's number beside it, where the fewest other points are."""
    small = QFont(font)
    small.setPixelSize(11)
    painter.setFont(small)
    metrics = QFontMetricsF(small)
    xy = np.array([[point.x(), point.y()] for point in points])
    for number, (at, direction) in enumerate(zip(xy, _away(xy), strict=True)):
        text = str(number)
        place = QRectF(0, 0, metrics.horizontalAdvance(text) + 2, metrics.height())
        x, y = at + 11.0 * direction
        place.moveCenter(QPointF(x, y))
        _paint_outlined(painter, place, text, colour)


def _away(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """(68, 2) directions of length 1 from each point to its number."""
    direction = xy - xy.mean(axis=0)
    for name in ("right_eye", "left_eye", "outer_lips", "inner_lips"):
        part = list(FACE_PARTS[name].indices)
        direction[part] = xy[part] - xy[part].mean(axis=0)
    direction[list(FACE_PARTS["inner_lips"].indices)] *= -1
    bridge, base = FACE_PARTS["nose"].indices[:4], FACE_PARTS["nose"].indices[4:]
    direction[list(bridge)], direction[list(base)] = (1.0, 0.0), (0.0, 1.0)
    length: NDArray[np.float64] = np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-6)
    unit: NDArray[np.float64] = direction / length
    return unit


def paint_names(painter: QPainter, points: Points, font: QFont) -> None:
    """Paint the name of each part beside it."""
    small = QFont(font)
    small.setPixelSize(12)
    painter.setFont(small)
    xy = np.array([[point.x(), point.y()] for point in points])
    for name, (across, down, right, below) in _NAME_PLACES.items():
        part = xy[list(FACE_PARTS[name].indices)]
        (left, top), (width, height) = part.min(axis=0), np.ptp(part, axis=0)
        plate = plate_rect(painter, part_title(name))
        anchor = QPointF(left + across * width, top + down * height)
        gap = 8.0
        plate.moveCenter(anchor + QPointF(right * (plate.width() / 2 + gap), below * (plate.height() / 2 + gap)))
        paint_plate(painter, plate, part_title(name))


def plate_rect(painter: QPainter, text: str) -> QRectF:
    """How large a plate with a text is, in the painter's font."""
    metrics = QFontMetricsF(painter.font())
    return QRectF(0, 0, metrics.horizontalAdvance(text) + 12, metrics.height() + 4)


def paint_plate(painter: QPainter, plate: QRectF, text: str) -> None:
    """Paint a text on a dark plate."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(PLATE)
    painter.drawRoundedRect(plate, 4, 4)
    painter.setPen(INK)
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)


def paint_legend(painter: QPainter, at: QPointF, entries: Iterable[tuple[str, QColor]], font: QFont) -> None:
    """Paint which colour is what, in a row from the left."""
    small = QFont(font)
    small.setPixelSize(12)
    painter.setFont(small)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    left = at.x()
    for text, colour in entries:
        plate = plate_rect(painter, text)
        plate.moveTopLeft(QPointF(left, at.y()))
        plate.setWidth(plate.width() + 14)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(PLATE)
        painter.drawRoundedRect(plate, 4, 4)
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(plate.left() + 11, plate.center().y()), 4.0, 4.0)
        painter.setPen(INK)
        painter.drawText(plate.adjusted(20, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)
        left = plate.right() + 6


def as_points(xy: NDArray[np.float64]) -> Points:
    """Turn (68, 2) into Qt's points."""
    return [QPointF(x, y) for x, y in xy.tolist()]


def _paint_outlined(painter: QPainter, place: QRectF, text: str, colour: QColor) -> None:
    painter.setPen(QColor(12, 12, 12, 220))
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        painter.drawText(place.translated(dx, dy), Qt.AlignmentFlag.AlignCenter, text)
    painter.setPen(colour)
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
