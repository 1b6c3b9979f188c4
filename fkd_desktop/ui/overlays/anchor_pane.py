"""What the picture and the face in the editor have in common: anchors that are dragged by mouse or moved by keys."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from fkd_desktop.overlays.layers import FACE_COLOURS

if TYPE_CHECKING:
    from fkd_desktop.ui.overlays.draft import Document

HANDLE_RADIUS_PX: Final = 9.0
REACH_PX: Final = 16.0
"""How near to an anchor's middle a press must be."""
GROUND: Final = QColor("#12161d")
INK: Final = QColor("#f2f5f8")
PLATE: Final = QColor(14, 17, 22, 215)
_DARK: Final = QColor("#10151c")
_STEPS: Final = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_gestures = itertools.count()


class AnchorPane(QWidget):
    """Shows the anchors of a draft at places of its own; what they stand for is up to who inherits.

    Arrow keys move the selected anchor (with Shift, farther), digits and Page Up and Down select another one.

    Parameters
    ----------
    document
        The draft, which is changed here.
    """

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 240)
        self.dragged: int | None = None
        self.drag_place = QPointF()
        self._grip = QPointF()
        self._drag_key = ""
        document.changed.connect(self.update)
        document.selection_changed.connect(self.update)

    # --- what inheritors say

    @abstractmethod
    def handles(self) -> list[QPointF]:
        """Return where the anchors are, in the widget's coordinates."""

    @abstractmethod
    def drag(self, number: int, place: QPointF, key: str) -> None:
        """Move an anchor to a place of the widget."""

    @abstractmethod
    def nudge(self, number: int, step: tuple[int, int], *, far: bool) -> None:
        """Move an anchor by a little."""

    def handle_at(self, place: QPointF) -> int | None:
        """Return the anchor under a place; the selected one where several are."""
        best: tuple[float, int] | None = None
        for number, handle in enumerate(self.handles()):
            far = (handle - place).manhattanLength()
            if far <= REACH_PX * 1.4 and number == self.document.selected:
                far -= REACH_PX / 2
            if far <= REACH_PX and (best is None or far < best[0]):
                best = (far, number)
        return None if best is None else best[1]

    # --- painting

    def sizeHint(self) -> QSize:
        """See `QWidget.sizeHint`."""
        return QSize(400, 400)

    def paint_handles(self, painter: QPainter) -> None:
        """Paint the anchors over what the inheritor painted."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(self.font())
        font.setPixelSize(11)
        font.setBold(True)
        painter.setFont(font)
        handles = self.handles()
        order = sorted(range(len(handles)), key=lambda number: number == self.document.selected)
        for number in order:
            colour = FACE_COLOURS[number % len(FACE_COLOURS)]
            is_selected = number == self.document.selected
            circle = QRectF(0, 0, 2 * HANDLE_RADIUS_PX, 2 * HANDLE_RADIUS_PX)
            circle.moveCenter(handles[number])
            if is_selected:
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(QColor(0, 0, 0, 130), 5))
                painter.drawEllipse(circle.adjusted(-3.5, -3.5, 3.5, 3.5))
                painter.setPen(QPen(INK, 2))
                painter.drawEllipse(circle.adjusted(-3.5, -3.5, 3.5, 3.5))
            if number == self.dragged:  # what is under it is what the hand aims at
                painter.setPen(QPen(colour, 2))
                painter.drawEllipse(circle)
                painter.setBrush(colour)
                painter.drawEllipse(circle.center(), 1.5, 1.5)
                continue
            painter.setPen(QPen(_DARK, 1.5))
            painter.setBrush(colour)
            painter.drawEllipse(circle)
            painter.setPen(_DARK)
            painter.drawText(circle, Qt.AlignmentFlag.AlignCenter, str(number + 1))

    def paint_focus(self, painter: QPainter) -> None:
        """Paint the frame that shows where keys go."""
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 2))
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))

    def paint_plate(self, painter: QPainter, text: str, colour: QColor) -> None:
        """Paint a few words in the lower left corner, with a dot in the colour of what they are about."""
        font = QFont(self.font())
        font.setPixelSize(12)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        room = self.width() - 12.0
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room - 34)
        plate = QRectF(0, 0, metrics.horizontalAdvance(text) + 34, metrics.height() + 10)
        plate.moveBottomLeft(QPointF(10, self.height() - 10))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(PLATE)
        painter.drawRoundedRect(plate, plate.height() / 2, plate.height() / 2)
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(plate.left() + 14, plate.center().y()), 5, 5)
        painter.setPen(INK)
        painter.drawText(plate.adjusted(24, 0, 0, 0), int(Qt.AlignmentFlag.AlignVCenter), text)

    # --- mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of an anchor."""
        number = self.handle_at(event.position()) if event.button() == Qt.MouseButton.LeftButton else None
        if number is None:
            super().mousePressEvent(event)
            return
        self.document.selected = number
        self.dragged, self.drag_place = number, self.handles()[number]
        self._grip = self.drag_place - event.position()
        self._drag_key = f"drag {next(_gestures)}"
        self.setCursor(Qt.CursorShape.ClosedHandCursor)
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the anchor, or show that there is one."""
        if self.dragged is not None:
            self.drag_place = event.position() + self._grip
            self.drag(self.dragged, self.drag_place, self._drag_key)
            self.update()
        elif self.handle_at(event.position()) is not None:
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        else:
            self.unsetCursor()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let the anchor go."""
        if self.dragged is not None and event.button() == Qt.MouseButton.LeftButton:
            self.dragged = None
            self.unsetCursor()
            self.update()

    # --- keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move or choose an anchor."""
        document, key = self.document, Qt.Key(event.key())
        count = len(document.draft.anchors)
        plain = not event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
        if not count or not plain:
            super().keyPressEvent(event)
        elif key in _STEPS:
            far = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.nudge(document.selected, _STEPS[key], far=far)
        elif key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            document.selected = (document.selected + (1 if key == Qt.Key.Key_PageDown else -1)) % count
        elif Qt.Key.Key_1 <= key <= Qt.Key.Key_9 and key.value - Qt.Key.Key_1.value < count:
            document.selected = key.value - Qt.Key.Key_1.value
        elif key == Qt.Key.Key_Delete:
            document.remove_anchor(document.selected)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: object) -> None:
        """Show where keys go."""
        self.update()
        super().focusInEvent(event)  # type: ignore[arg-type]

    def focusOutEvent(self, event: object) -> None:
        """Show that keys go elsewhere."""
        self.update()
        super().focusOutEvent(event)  # type: ignore[arg-type]

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        if event.type() == QEvent.Type.PaletteChange:
            self.update()
        super().changeEvent(event)
