"""A sheet beside the painter: what is painted on it comes to the painter's place as one."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QTransform

_GRID_PX = 4
"""Sheets lie on multiples of this: whole device pixels at the usual ratios of 1, 1.25, 1.5, 1.75 and 2."""


class Sheet:
    """A transparent image of a part of the device, at the device's own resolution.

    Parameters
    ----------
    painter
        Where the sheet goes; its coordinates are the frame's.
    bounds
        The part of the frame that is wanted; what the painter clips away is left out.
    """

    def __init__(self, painter: QPainter, bounds: QRectF) -> None:
        if painter.hasClipping():
            bounds = bounds.intersected(painter.clipBoundingRect())
        on_device = painter.transform().mapRect(bounds)
        left, top = (_GRID_PX * math.floor(value / _GRID_PX) for value in (on_device.left(), on_device.top()))
        right, bottom = (_GRID_PX * math.ceil(value / _GRID_PX) for value in (on_device.right(), on_device.bottom()))
        self._painter = painter
        self._corner = QPointF(left, top)
        ratio = painter.device().devicePixelRatioF()
        size = (math.ceil((right - left) * ratio), math.ceil((bottom - top) * ratio))
        self.is_empty = bounds.isEmpty() or min(size) <= 0
        self.image = QImage(0, 0, QImage.Format.Format_ARGB32_Premultiplied) if self.is_empty else _blank(size, ratio)
        self.to_sheet = painter.transform() * QTransform.fromTranslate(-left, -top)
        """From frame coordinates to the sheet's."""

    def put(self) -> None:
        """Bring the sheet to its place, with the painter's own opacity and way of mixing."""
        if self.is_empty:
            return
        self._painter.save()
        self._painter.resetTransform()
        self._painter.drawImage(self._corner, self.image)
        self._painter.restore()


def _blank(size: tuple[int, int], ratio: float) -> QImage:
    image = QImage(*size, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    return image
