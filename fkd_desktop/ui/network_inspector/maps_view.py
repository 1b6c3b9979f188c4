"""What was drawn of the network, pixel for pixel: maps, kernels, bars, or the crop with its keypoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from fkd_desktop.live.result import FrameResult
from fkd_desktop.overlays import paint_result
from fkd_desktop.overlays.layers import KeypointsLayer
from fkd_desktop.overlays.render import frame_image, render
from trainer.feature_maps import SHEET_BGR

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtGui import QPaintEvent, QWheelEvent

    from fkd_desktop.training.inspection_worker import Page

GROUND: Final = QColor(*SHEET_BGR[::-1])
_MARK: Final = QColor("#ffffff")
_STEPS: Final = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
_SAVED_CROP_PX: Final = 768


class MapsView(QWidget):
    """Shows a page as it was drawn. Dark in every theme, as the live picture is.

    The mouse or the arrow keys point at a map; a click or Enter asks for it alone, and again (or Esc) for all.
    """

    map_pointed = Signal()
    """Another map, or another place in it, is pointed at."""
    map_opened = Signal(int)
    """A map of the page should be shown large."""
    map_closed = Signal()
    """All maps should be shown again."""
    turned = Signal(int)
    """The next (1) or previous (-1) page is wanted."""
    resized = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Picture of the layer"))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(240, 200)
        self._page: Page | None = None
        self._crop: FrameResult | None = None
        self._mouse: QPointF | None = None
        self._cell: int | None = None

    def sizeHint(self) -> QSize:
        """See `QWidget.sizeHint`."""
        return QSize(660, 540)

    @property
    def page(self) -> Page | None:
        """What is on show."""
        return self._page

    @property
    def room_px(self) -> tuple[int, int]:
        """Width and height of the room for maps, in device pixels."""
        ratio = self.devicePixelRatioF()
        return max(1, int(self.width() * ratio)), max(1, int(self.height() * ratio))

    @property
    def pointed(self) -> int | None:
        """Number of the map that is pointed at."""
        sheet = self._page.sheet if self._page else None
        if sheet is None:
            return None
        if self._mouse is not None:
            at = self._on_sheet(self._mouse)
            return sheet.map_at(at.x(), at.y())
        return sheet.first + self._cell if self._cell is not None and self._cell < sheet.count else None

    @property
    def pointed_value(self) -> float | None:
        """The value under the mouse, where a map is."""
        number, page = self.pointed, self._page
        if number is None or page is None or page.sheet is None or page.values is None or self._mouse is None:
            return None
        if page.values.ndim == 1:
            return float(page.values[number])
        left, top, width, height = page.sheet.grid.rect(number - page.sheet.first)
        at = self._on_sheet(self._mouse)
        rows, columns = page.values.shape[1:]
        row, column = int((at.y() - top) * rows / height), int((at.x() - left) * columns / width)
        if not (0 <= row < rows and 0 <= column < columns):
            return None
        return float(page.values[number, row, column])

    def show_page(self, page: Page | None) -> None:
        """Show a page, or nothing."""
        self._page, self._crop = page, _as_result(page)
        if self._mouse is not None or self._cell is not None:
            self.map_pointed.emit()
        self.update()

    def shown_image(self) -> NDArray[np.uint8] | None:
        """Return what is on show as (H, W, 3) BGR: the sheet as it is, the crop enlarged."""
        if self._crop is not None and self._page is not None and self._page.crop is not None:
            zoom = max(1, _SAVED_CROP_PX // len(self._page.crop))
            return render(_as_result(self._page, zoom=zoom) or self._crop, [KeypointsLayer()])
        return self._page.sheet.image_bgr if self._page and self._page.sheet else None

    # --- painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the page."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), GROUND)
        if self._crop is not None:
            side = min(self.width(), self.height()) - 16
            target = QRectF((self.width() - side) // 2, (self.height() - side) // 2, side, side)
            paint_result(painter, target, self._crop, [KeypointsLayer()])
        elif self._page is not None and self._page.sheet is not None:
            image = frame_image(self._page.sheet.image_bgr)
            image.setDevicePixelRatio(self.devicePixelRatioF())
            painter.drawImage(self._origin(), image)
            self._paint_mark(painter)
        painter.end()

    def _paint_mark(self, painter: QPainter) -> None:
        number, page = self.pointed, self._page
        if number is None or page is None or page.sheet is None or page.sheet.total == 1 or page.wish.is_single:
            return
        ratio = self.devicePixelRatioF()
        left, top, width, height = (side / ratio for side in page.sheet.grid.rect(number - page.sheet.first))
        around = QRectF(left, top, width, height).translated(self._origin()).adjusted(-1.5, -1.5, 1.5, 1.5)
        painter.setPen(QPen(_MARK, 1.5))
        painter.drawRect(around)

    def _origin(self) -> QPointF:
        """Where the sheet's corner is: it lies in the middle."""
        if self._page is None or self._page.sheet is None:
            return QPointF()
        height, width = (side / self.devicePixelRatioF() for side in self._page.sheet.image_bgr.shape[:2])
        return QPointF(max(0, int(self.width() - width) // 2), max(0, int(self.height() - height) // 2))

    def _on_sheet(self, place: QPointF) -> QPointF:
        return (place - self._origin()) * self.devicePixelRatioF()

    # --- what a user does

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Point at what is under the mouse."""
        self._point(event.position())

    def enterEvent(self, event: QEnterEvent) -> None:
        """Point at what is under the mouse."""
        self._point(event.position())

    def leaveEvent(self, _event: QEvent) -> None:
        """Point at nothing."""
        self._point(None)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Point at nothing with the keys."""
        self._cell = None
        self._point(self._mouse)
        super().focusOutEvent(event)

    def _point(self, place: QPointF | None) -> None:
        self._mouse = place
        if place is not None:
            self._cell = None
        can_open = self._can_open(self.pointed)
        self.setCursor(Qt.CursorShape.PointingHandCursor if can_open else Qt.CursorShape.ArrowCursor)
        self.map_pointed.emit()
        self.update()

    def _can_open(self, number: int | None) -> bool:
        page = self._page
        return number is not None and page is not None and page.values is not None and page.values.ndim == 3

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Show a map alone, or all again."""
        if event.button() is Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self._point(event.position())  # a touch comes without a move before it
            self._open_or_close(self.pointed)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Turn pages."""
        if event.angleDelta().y():
            self.turned.emit(-1 if event.angleDelta().y() > 0 else 1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move from map to map, show one alone or all again, and turn pages."""
        sheet = self._page.sheet if self._page else None
        key = Qt.Key(event.key())
        if sheet is None:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self.turned.emit(-1 if key is Qt.Key.Key_PageUp else 1)
        elif key in _STEPS and self._page and self._page.wish.is_single:
            self.turned.emit(sum(_STEPS[key]))
        elif key in _STEPS:
            start = self._cell if self._cell is not None else -1 if sum(_STEPS[key]) > 0 else sheet.count
            right, down = _STEPS[key]
            step = right + down * (sheet.grid.columns if self._cell is not None else 1)
            self._mouse, self._cell = None, min(max(start + step, 0), sheet.count - 1)
            self.map_pointed.emit()
            self.update()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._open_or_close(self.pointed)
        elif key is Qt.Key.Key_Escape and self._page and self._page.wish.is_single:
            self.map_closed.emit()
        else:
            super().keyPressEvent(event)

    def _open_or_close(self, number: int | None) -> None:
        if self._page is None or not self._page.wish.is_single:
            if number is not None and self._can_open(number):
                self.map_opened.emit(number)
        else:
            self.map_closed.emit()

    def resizeEvent(self, _event: QResizeEvent) -> None:
        """Tell that there is other room."""
        self.resized.emit()


def _as_result(page: Page | None, *, zoom: int = 1) -> FrameResult | None:
    """Wrap a crop and its keypoints as what the layers of the live picture paint."""
    if page is None or page.wish.view != "input" or page.crop is None:
        return None
    side = len(page.crop) * zoom
    larger = cv2.resize(page.crop, (side, side), interpolation=cv2.INTER_CUBIC) if zoom > 1 else page.crop
    frame_bgr = np.ascontiguousarray(cv2.cvtColor(larger, cv2.COLOR_GRAY2BGR), np.uint8)
    if page.points_unit is None:
        return FrameResult(frame_bgr, 0.0)
    return FrameResult(
        frame_bgr,
        0.0,
        boxes_xywh=np.array([[0, 0, side, side]], np.float32),
        ids=np.zeros(1, np.int64),
        keypoints_px=page.points_unit[None] * np.float32(side) - np.float32(0.5),
        confidences=np.ones(1, np.float32),
    )
