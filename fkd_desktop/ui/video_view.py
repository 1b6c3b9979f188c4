"""The picture with its layers, whole or looked at closely."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAction,
    QColor,
    QContextMenuEvent,
    QFont,
    QKeyEvent,
    QKeySequence,
    QNativeGestureEvent,
    QPainter,
)
from PySide6.QtWidgets import QGestureEvent, QPinchGesture, QSizePolicy, QWidget

from fkd_desktop.overlays import paint_result
from fkd_desktop.ui.icons import action_icon
from fkd_desktop.ui.zoom import STEP, Reductions, Zoom

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QFocusEvent, QMouseEvent, QPaintEvent, QWheelEvent

    from fkd_desktop.live.result import LiveFrame
    from fkd_desktop.overlays import Layer

BACKGROUND: Final = QColor("#0e1116")
_ARROWS: Final = {
    Qt.Key.Key_Left: QPointF(1, 0),
    Qt.Key.Key_Right: QPointF(-1, 0),
    Qt.Key.Key_Up: QPointF(0, 1),
    Qt.Key.Key_Down: QPointF(0, -1),
}
_ARROW_PX: Final = 60
_ZOOM_NOTE_MS: Final = 1200


class VideoView(QWidget):
    """Shows the newest frame, and paints the layers of the same result over it.

    The frame is as large as fits, until the user zooms; the part in sight stays the same from frame to frame.
    """

    frame_painted = Signal(float, float)
    """Seconds of `time.perf_counter`: when the frame was captured, and when it was painted. Once a frame."""
    face_context_requested = Signal(int, QPoint)
    """A menu is wanted for the face with this id, at this place of the screen."""
    zoom_changed = Signal(float)
    """Device pixels to one of the picture's."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("video_view")
        self.setAccessibleName(self.tr("Live picture"))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(320, 240)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.grabGesture(Qt.GestureType.PinchGesture)
        self._live: LiveFrame | None = None
        self._is_new = False
        self._layers: Sequence[Layer] = ()
        self._mirrored = False
        self._note = ""
        self._zoom, self._reductions = Zoom(), Reductions()
        self._drag_from: QPointF | None = None
        self._shows_focus = False
        self._shows_pointer = True
        self._zoom_note = QTimer(self, singleShot=True, interval=_ZOOM_NOTE_MS)
        self._zoom_note.timeout.connect(self.update)
        self.paint_ms = 0.0
        self._make_actions()

    # --- what is shown

    @property
    def live_frame(self) -> LiveFrame | None:
        """What is on the screen."""
        return self._live

    def show_frame(self, live: LiveFrame | None) -> None:
        """Show a frame, or nothing."""
        had_frame = self._live is not None
        self._live, self._is_new = live, live is not None
        if live is None:
            self.reset_zoom()
            self._reductions = Reductions()  # lets go of the picture
        if had_frame != (live is not None):
            self._enable_actions()
        self.update()

    def set_layers(self, layers: Sequence[Layer]) -> None:
        """Choose what is painted over the frame, back to front."""
        self._layers = layers
        self.update()

    def set_mirrored(self, mirrored: bool) -> None:
        """Show the picture as in a mirror; only here, not in what is kept."""
        self._mirrored = mirrored
        self.update()

    def set_note(self, note: str) -> None:
        """Show a few words in a corner of the picture; an empty text for none."""
        if note != self._note:
            self._note = note
            self.update()

    def sizeHint(self) -> QSize:
        """See `QWidget.sizeHint`."""
        return QSize(960, 720)

    # --- places

    def picture_rect(self) -> QRectF:
        """Where all of the frame is, in the widget's coordinates; more than the widget when zoomed."""
        return self._measured().rect() if self._live is not None else QRectF()

    def frame_at(self, point: QPointF | QPoint) -> tuple[float, float] | None:
        """Return the place in frame pixels that is under a point of the widget; None beside the picture."""
        point = QPointF(point)
        if self._live is None or not self.picture_rect().contains(point):
            return None
        place = self._zoom.to_frame(point)
        width = self._live.result.frame_bgr.shape[1]
        return (width - place.x() if self._mirrored else place.x()), place.y()

    def face_at(self, point: QPointF | QPoint) -> int | None:
        """Return the id of the face under a point of the widget; of several, the one whose middle is nearest."""
        place = self.frame_at(point)
        if place is None or self._live is None:
            return None
        result = self._live.result
        corner, size = result.boxes_xywh[:, :2], result.boxes_xywh[:, 2:]
        is_inside = ((corner <= place) & (place <= corner + size)).all(axis=1)
        if not is_inside.any():
            return None
        distances = np.linalg.norm(corner + size / 2 - place, axis=1)
        return int(result.ids[np.argmin(np.where(is_inside, distances, np.inf))])

    # --- zoom

    @property
    def is_zoomed(self) -> bool:
        """Whether the picture is shown otherwise than whole and as large as fits."""
        return not self._zoom.is_fit

    @property
    def zoom_factor(self) -> float:
        """Device pixels to one of the picture's."""
        return self._measured().factor

    def zoom_in(self) -> None:
        """Magnify the middle."""
        self._zoom_by(STEP, self._middle())

    def zoom_out(self) -> None:
        """Show more of the picture."""
        self._zoom_by(1 / STEP, self._middle())

    def reset_zoom(self) -> None:
        """Show all of the picture, as large as fits; for a new source, too."""
        if not self._zoom.is_fit:
            self._zoom.fit()
            self._tell_zoom()

    def zoom_to_actual(self, at: QPointF | None = None) -> None:
        """Show each of the picture's pixels as one of the screen's, around a point of the widget or the middle."""
        if self._live is not None:
            self._measured().zoom_to(1.0, self._middle() if at is None else at)
            self._tell_zoom()

    def actions_for_window(self) -> list[QAction]:
        """Return the zoom's actions, for the window's keys and menus."""
        return [self._in, self._out, self._fit, self._actual]

    def _make_actions(self) -> None:
        self._in, self._out, self._fit, self._actual = (
            QAction(action_icon(icon), text, self)
            for icon, text in (
                ("zoom-in", self.tr("Zoom in")),
                ("zoom-out", self.tr("Zoom out")),
                ("zoom-fit", self.tr("Whole picture")),
                ("zoom-actual", self.tr("Actual size")),
            )
        )
        for action, icon in zip(self.actions_for_window(), ("in", "out", "fit", "actual"), strict=True):
            action.setData(f"zoom-{icon}")
        self._in.setShortcuts([QKeySequence("+"), QKeySequence("="), QKeySequence("Ctrl++")])
        self._out.setShortcuts([QKeySequence("-"), QKeySequence("Ctrl+-")])
        self._fit.setShortcut(QKeySequence("Ctrl+0"))
        self._actual.setShortcut(QKeySequence("Z"))
        self._in.triggered.connect(self.zoom_in)
        self._out.triggered.connect(self.zoom_out)
        self._fit.triggered.connect(self.reset_zoom)
        self._actual.triggered.connect(self._on_actual)
        self._enable_actions()

    def _enable_actions(self) -> None:
        for action in self.actions_for_window():
            action.setEnabled(self._live is not None)

    def _on_actual(self) -> None:
        self.zoom_to_actual()

    def _measured(self) -> Zoom:
        if self._live is not None:
            height, width = self._live.result.frame_bgr.shape[:2]
            self._zoom.set_sizes(QSizeF(self.size()), QSizeF(width, height), self.devicePixelRatioF())
        return self._zoom

    def _middle(self) -> QPointF:
        return QPointF(self.width() / 2, self.height() / 2)

    def _zoom_by(self, factor: float, at: QPointF) -> None:
        if self._live is not None:
            self._measured().zoom_by(factor, at)
            self._tell_zoom()

    def _pan(self, by: QPointF) -> None:
        self._measured().pan(by)
        self.update()

    def _tell_zoom(self) -> None:
        self._show_pointer()
        self._zoom_note.start()
        self.zoom_changed.emit(self._zoom.factor)
        self.update()

    def set_pointer_shown(self, shown: bool) -> None:
        """Show the mouse pointer over the picture, or hide it."""
        if shown != self._shows_pointer:
            self._shows_pointer = shown
            self._show_pointer()

    def _show_pointer(self) -> None:
        shape = Qt.CursorShape.ArrowCursor
        if not self._shows_pointer:
            shape = Qt.CursorShape.BlankCursor
        elif self._drag_from is not None:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._measured().can_pan:
            shape = Qt.CursorShape.OpenHandCursor
        self.setCursor(shape)

    # --- what the user does

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom with Ctrl, and without it on a still picture; else move a magnified picture."""
        is_still = self._live is not None and self._live.position is not None and self._live.position.kind == "pictures"
        if self._live is None:
            event.ignore()
        elif is_still or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._zoom_by(STEP ** (event.angleDelta().y() / 120), event.position())
            event.accept()
        elif self._measured().can_pan:
            self._pan(QPointF(event.pixelDelta() if not event.pixelDelta().isNull() else event.angleDelta() / 2))
            event.accept()
        else:
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of a magnified picture."""
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton) and self._measured().can_pan:
            self._drag_from = event.position()
            self._show_pointer()
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move it."""
        if self._drag_from is not None:
            self._pan(event.position() - self._drag_from)
            self._drag_from = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go of it."""
        if self._drag_from is not None:
            self._drag_from = None
            self._show_pointer()
        else:
            super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show the actual size, or the whole picture again."""
        if event.button() == Qt.MouseButton.LeftButton and self._live is not None:
            if self.is_zoomed:
                self.reset_zoom()
            else:
                self.zoom_to_actual(event.position())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move a magnified picture with the arrow keys."""
        direction = _ARROWS.get(Qt.Key(event.key()))
        if direction is not None and self._measured().can_pan:
            self._pan(direction * _ARROW_PX)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Take pinches, and the arrow keys for a magnified picture before they reach the window's shortcuts."""
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self._zoom_by(1 + event.value(), event.position())
            return True
        if isinstance(event, QGestureEvent):
            pinch = event.gesture(Qt.GestureType.PinchGesture)
            if isinstance(pinch, QPinchGesture):
                self._zoom_by(pinch.scaleFactor(), QPointF(self.mapFromGlobal(pinch.centerPoint().toPoint())))
                return True
        is_override = event.type() == QEvent.Type.ShortcutOverride
        if is_override and isinstance(event, QKeyEvent) and event.key() in _ARROWS and self._measured().can_pan:
            event.accept()
            return True
        return super().event(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for a face's menu; from the keyboard, for the first face."""
        face_id = self.face_at(event.pos())
        place = event.globalPos()
        if event.reason() == QContextMenuEvent.Reason.Keyboard and self._live is not None and len(self._live.result):
            face_id = int(self._live.result.ids[0])
            place = self.mapToGlobal(self._middle().toPoint())
        if face_id is None:
            event.ignore()
        else:
            self.face_context_requested.emit(face_id, place)

    def changeEvent(self, event: QEvent) -> None:
        """Give the icons the palette's new colours."""
        if event.type() == QEvent.Type.PaletteChange:
            for action in self.actions_for_window():
                action.setIcon(action_icon(action.data()))
        super().changeEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus to who came by keyboard."""
        self._shows_focus = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show it no more."""
        self._shows_focus = False
        super().focusOutEvent(event)

    # --- painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the frame and its layers."""
        start_s = time.perf_counter()
        painter = QPainter(self)
        target, shown = self.picture_rect(), QRectF(self.rect())
        if not target.contains(shown):
            painter.fillRect(self.rect(), BACKGROUND)
        if self._live is not None:
            result = self._reductions.for_factor(self._live.result, self._zoom.factor)
            paint_result(painter, target, result, self._layers, mirrored=self._mirrored, visible=shown)
            if self._note:
                self._paint_note(painter, target.intersected(shown), self._note)
            if self._zoom_note.isActive():
                self._paint_note(painter, shown, f"{100 * self._zoom.factor:.0f} %", is_right=True)
        if self._shows_focus:
            painter.setPen(self.palette().highlight().color())
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()
        if self._live is not None and self._is_new:
            self._is_new = False
            now_s = time.perf_counter()
            self.paint_ms = 1000 * (now_s - start_s)
            self.frame_painted.emit(self._live.captured_s, now_s)

    def _paint_note(self, painter: QPainter, target: QRectF, note: str, *, is_right: bool = False) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(self.font())
        font.setPixelSize(13)
        painter.setFont(font)
        width = painter.fontMetrics().horizontalAdvance(note) + 28
        left = target.right() - 16 - width if is_right else target.left() + 16
        plate = QRectF(left, target.bottom() - 46, width, 30)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(14, 17, 22, 200))
        painter.drawRoundedRect(plate, 15, 15)
        painter.setPen(QColor("#e8edf3"))
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, note)
