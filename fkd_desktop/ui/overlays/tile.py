"""One overlay in the gallery: a picture of it on a face, its title and key, and whether it is on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QContextMenuEvent,
    QEnterEvent,
    QFont,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QTransform,
)
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from fkd_desktop.ui.icons import tinted_pixmap
from fkd_desktop.ui.words import plain_tip

if TYPE_CHECKING:
    from fkd_desktop.live.result import FrameResult

PADDING_PX: Final = 5
CAPTION_PX: Final = 31
RADIUS_PX: Final = 7
GROUND: Final = QColor("#1b212b")
PLATE: Final = QColor(14, 17, 22, 205)
INK: Final = QColor("#f2f5f8")
_ARROWS: Final = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End)


class OverlayTile(QAbstractButton):
    """A checkable tile; Space and Enter switch it, arrows go to others.

    Parameters
    ----------
    name, title
        The overlay's.
    icon
        Shown until there is a picture.
    """

    arrow_pressed = Signal(int)
    """A `Qt.Key` that goes to another tile."""
    menu_requested = Signal(object)
    """The context menu is wanted at this `QPoint` of the screen."""

    def __init__(self, name: str, title: str, icon: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name, self._icon_name = name, icon
        self.setObjectName(f"overlay_tile_{name}")
        self.setCheckable(True)
        self.setText(title)
        self.setAccessibleName(title)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self._key = ""
        self._failure = ""
        self._image: QImage | None = None
        self.shown_face: FrameResult | None = None
        self.painted_s = self.cost_ms = 0.0
        self._describe()

    # --- what it shows

    @property
    def key(self) -> str:
        """The number key that switches it; empty for none."""
        return self._key

    def set_key(self, key: str) -> None:
        """Show another key."""
        if key != self._key:
            self._key = key
            self._describe()
            self.update()

    def show_image(self, image: QImage, face: FrameResult, now_s: float) -> None:
        """Show the overlay on a face.

        Parameters
        ----------
        image
            A square, as large as `side_px` in device pixels.
        face
            What it was painted from.
        now_s
            When.
        """
        self._image, self.shown_face, self.painted_s, self._failure = image, face, now_s, ""
        self.update()

    def show_failure(self, reason: str) -> None:
        """Say that the overlay cannot be painted."""
        if reason != self._failure:
            self._failure, self._image = reason, None
            self._describe()
            self.update()

    @property
    def failure(self) -> str:
        """Why there is no picture; empty where there is one."""
        return self._failure

    @property
    def image(self) -> QImage | None:
        """The picture on show."""
        return self._image

    @property
    def side_px(self) -> int:
        """Side of the picture in logical pixels."""
        return max(16, min(self.width() - 2 * PADDING_PX, self.height() - 2 * PADDING_PX - CAPTION_PX))

    def sizeHint(self) -> QSize:
        """See `QWidget.sizeHint`."""
        return QSize(112, self.heightForWidth(112))

    def heightForWidth(self, width: int) -> int:
        """Return the height for a square picture and a line below it."""
        return width + CAPTION_PX

    def _describe(self) -> None:
        key = self.tr("key {0}").format(self._key) if self._key else ""
        self.setToolTip(plain_tip(self._failure or (f"{self.text()} ({self._key})" if self._key else self.text())))
        self.setAccessibleDescription(self._failure or key)

    # --- painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the picture, the badges and the title."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        side = self.side_px
        place = QRectF((self.width() - side) / 2, PADDING_PX, side, side)
        self._paint_picture(painter, place)
        accent = self.palette().color(QPalette.ColorRole.Highlight)
        if self.isChecked():
            self._outline(painter, place.adjusted(-1, -1, 1, 1), accent, 3)
            self._paint_tick(painter, place, accent)
        elif self.underMouse() and self.isEnabled():
            self._outline(painter, place, accent.lighter(125), 1.5)
        if self._key:
            self._paint_badge(painter, place)
        self._paint_caption(painter, place)
        if self.hasFocus():
            ring = self.palette().color(QPalette.ColorRole.WindowText)
            self._outline(painter, QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), ring, 1.2)
        painter.end()

    def _paint_picture(self, painter: QPainter, place: QRectF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        if self._image is not None:
            # A brush has smooth round corners at no cost; a clip path would have neither.
            brush = QBrush(self._image)
            scale = place.width() / self._image.width()
            brush.setTransform(QTransform(scale, 0, 0, scale, place.left(), place.top()))
            painter.setBrush(brush)
            painter.drawRoundedRect(place, RADIUS_PX, RADIUS_PX)
            return
        painter.setBrush(GROUND)
        painter.drawRoundedRect(place, RADIUS_PX, RADIUS_PX)
        name, colour = ("warning", QColor("#ffca58")) if self._failure else (self._icon_name, QColor("#8b97a6"))
        pixmap = tinted_pixmap(name, 32, colour, self.devicePixelRatioF())
        painter.drawPixmap(place.center() - QPointF(16, 16), pixmap)

    def _outline(self, painter: QPainter, place: QRectF, colour: QColor, width: float) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, width))
        painter.drawRoundedRect(place, RADIUS_PX, RADIUS_PX)

    def _paint_tick(self, painter: QPainter, place: QRectF, accent: QColor) -> None:
        disc = QRectF(place.right() - 22, place.top() + 4, 18, 18)
        painter.setPen(QPen(INK, 1.2))
        painter.setBrush(accent)
        painter.drawEllipse(disc)
        ink = QColor("#10151c") if accent.lightnessF() > 0.6 else INK
        pen = QPen(ink, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        middle = disc.center()
        painter.drawPolyline([middle + QPointF(-4, 0), middle + QPointF(-1, 3.2), middle + QPointF(4.2, -3.2)])

    def _paint_badge(self, painter: QPainter, place: QRectF) -> None:
        plate = QRectF(place.left() + 4, place.top() + 4, 17, 18)
        painter.setPen(QPen(QColor(242, 245, 248, 110), 1))
        painter.setBrush(PLATE)
        painter.drawRoundedRect(plate, 4, 4)
        font = QFont(self.font())
        font.setPixelSize(11)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(INK)
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, self._key)

    def _paint_caption(self, painter: QPainter, place: QRectF) -> None:
        """Paint the title on one line or two."""
        font = QFont(self.font())
        font.setPixelSize(11)
        font.setBold(self.isChecked())
        painter.setFont(font)
        metrics = QFontMetrics(font)
        room = QRect(1, round(place.bottom()) + 3, self.width() - 2, CAPTION_PX)
        flags = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)
        text = self.text()
        needed = metrics.boundingRect(QRect(0, 0, room.width(), 1000), flags, text)
        if needed.height() > 2 * metrics.lineSpacing() or needed.width() > room.width():
            flags &= ~int(Qt.TextFlag.TextWordWrap)
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        painter.drawText(room, flags, text)

    # --- events

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter switches too; arrows go to other tiles."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif event.key() in _ARROWS and event.modifiers() in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.KeypadModifier,
        ):
            self.arrow_pressed.emit(event.key())
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu, at the mouse or, from the keyboard, on the tile."""
        by_keys = event.reason() == QContextMenuEvent.Reason.Keyboard
        self.menu_requested.emit(self.mapToGlobal(self.rect().center()) if by_keys else event.globalPos())

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show that it can be clicked."""
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """See `enterEvent`."""
        self.update()
        super().leaveEvent(event)
