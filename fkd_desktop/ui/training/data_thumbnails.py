"""Faces of a data set side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPaintEvent, QPixmap, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget

from fkd_desktop.overlays.render import frame_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

TILE_PX: Final = (72, 200)
"""Smallest and largest side of a thumbnail."""
_ROW_PX: Final = 96
"""There are as many rows as so high ones fit, where there are faces to fill them."""
_FEW: Final = 6
"""A strip of no more faces than this stays one row high."""
_GAP_PX: Final = 6


class ThumbnailStrip(QScrollArea):
    """Faces side by side, in more than one row where there is room; the wheel and the arrow keys move it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tiles = _Tiles()
        self.setWidget(self._tiles)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(TILE_PX[0] + self._bar_px)

    @property
    def count(self) -> int:
        """How many faces there are."""
        return len(self._tiles.images)

    def show_thumbnails(self, thumbnails_bgr: Sequence[NDArray[np.uint8]]) -> None:
        """Show (S, S, 3) uint8 BGR pictures; the strip holds on to them and they must not be written any more."""
        self._tiles.images = [(image, frame_image(image)) for image in thumbnails_bgr]
        count = len(thumbnails_bgr)
        self.setAccessibleName(self.tr("{0} faces of the data set with their keypoints").format(count))
        rows = math.ceil(count / _FEW)
        self.setMaximumHeight(rows * (TILE_PX[1] + _GAP_PX) + self._bar_px)
        self._fit()
        self.horizontalScrollBar().setValue(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Make the faces as large as fits."""
        super().resizeEvent(event)
        self._fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Move sideways, whichever way the wheel turns."""
        turned = event.angleDelta().x() or event.angleDelta().y()
        self.horizontalScrollBar().setValue(self.horizontalScrollBar().value() - turned)
        event.accept()

    @property
    def _bar_px(self) -> int:
        return self.horizontalScrollBar().sizeHint().height() + 2

    def _fit(self) -> None:
        # The bar's room is always left: were it only where the bar is, the faces' size could make it come and go.
        height_px = self.height() - self._bar_px
        rows = max(1, height_px // _ROW_PX)
        while rows > 1 and self._tiles.width_of(_side_px(height_px, rows), rows) < self.width():
            rows -= 1  # larger faces rather than room that stays empty
        side_px = _side_px(height_px, rows)
        self._tiles.fit(side_px, rows)
        self.horizontalScrollBar().setSingleStep(side_px // 2)


def _side_px(height_px: int, rows: int) -> int:
    return min(max(height_px // rows - _GAP_PX, TILE_PX[0]), TILE_PX[1])


class _Tiles(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.images: list[tuple[NDArray[np.uint8], QImage]] = []
        self._side_px, self._columns = TILE_PX[0], 1
        self._scaled: dict[tuple[int, float], QPixmap] = {}

    def width_of(self, side_px: int, rows: int) -> int:
        return math.ceil(len(self.images) / rows) * (side_px + _GAP_PX)

    def fit(self, side_px: int, rows: int) -> None:
        self._side_px, self._columns = side_px, max(1, math.ceil(len(self.images) / rows))
        self._scaled.clear()
        self.resize(self.width_of(side_px, rows), rows * (side_px + _GAP_PX))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for number in range(len(self.images)):
            row, column = divmod(number, self._columns)
            step_px = self._side_px + _GAP_PX
            room = QRectF(column * step_px, row * step_px, self._side_px, self._side_px)
            if room.intersects(QRectF(event.rect())):
                path = QPainterPath()
                path.addRoundedRect(room, 4, 4)
                painter.setClipPath(path)
                painter.drawPixmap(room.topLeft(), self._pixmap(number))

    def _pixmap(self, number: int) -> QPixmap:
        ratio = self.devicePixelRatioF()
        if (number, ratio) not in self._scaled:
            side = round(self._side_px * ratio)
            image = self.images[number][1].scaled(side, side, mode=Qt.TransformationMode.SmoothTransformation)
            pixmap = QPixmap.fromImage(image)
            pixmap.setDevicePixelRatio(ratio)
            self._scaled[number, ratio] = pixmap
        return self._scaled[number, ratio]
