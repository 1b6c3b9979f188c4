"""The countdown's big digits over the picture: a widget of its own, so never in what is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QColor, QFont, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent, QShowEvent

_PLATE: Final = QColor(14, 17, 22, 150)
_INK: Final = QColor("#ffffff")
_HINT_PX: Final = 14


class CountdownOverlay(QWidget):
    """Covers the picture while a countdown runs, and lets the mouse through. Esc cancels it, whatever has the focus.

    Parameters
    ----------
    over
        The widget that it covers.
    """

    cancel_requested = Signal()

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self._seconds = 0
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        over.installEventFilter(self)
        self.hide()

    @property
    def seconds(self) -> int:
        """What it shows; 0 while it is hidden."""
        return self._seconds

    @Slot(int)
    def show_seconds(self, seconds: int) -> None:
        """Show how many seconds are left; with none, go."""
        self._seconds = seconds
        if seconds <= 0:
            self.hide()
            return
        self.setGeometry(self._over.rect())
        text = self.tr("%n second(s)", "", seconds)
        self.setAccessibleName(text)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))
        self.raise_()
        self.show()
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the picture's size; take Esc from the window's other actions while a countdown runs."""
        if watched is self._over and event.type() == QEvent.Type.Resize:
            self.setGeometry(self._over.rect())
        elif (
            self.isVisible()
            and event.type() in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress)
            and cast("QKeyEvent", event).key() == Qt.Key.Key_Escape
            and isinstance(watched, QWidget)
            and watched.window() is self.window()
        ):
            event.accept()  # so that a shortcut override comes back as a key press
            if event.type() == QEvent.Type.KeyPress:
                self.cancel_requested.emit()
            return True
        return False

    def showEvent(self, _event: QShowEvent) -> None:
        """Begin to listen for Esc."""
        if (application := QApplication.instance()) is not None:
            application.installEventFilter(self)

    def hideEvent(self, _event: QHideEvent) -> None:
        """Listen no more."""
        if (application := QApplication.instance()) is not None:
            application.removeEventFilter(self)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the digits on a plate, and how to cancel."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        radius = 0.16 * min(self.width(), self.height())
        centre = QPointF(self.width() / 2, 0.74 * self.height())  # below the faces: people want to see themselves
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_PLATE)
        painter.drawEllipse(centre, radius, radius)
        painter.setPen(_INK)
        font = QFont(self.font())
        font.setPixelSize(max(12, round(1.1 * radius)))
        font.setBold(True)
        painter.setFont(font)
        square = QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius)
        painter.drawText(square, Qt.AlignmentFlag.AlignCenter, str(self._seconds))
        font = QFont(self.font())
        font.setPixelSize(_HINT_PX)
        painter.setFont(font)
        hint = self.tr("Esc cancels")
        width = painter.fontMetrics().horizontalAdvance(hint) + 28
        plate = QRectF(centre.x() - width / 2, centre.y() + radius + 8, width, 2 * _HINT_PX + 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawRoundedRect(plate, plate.height() / 2, plate.height() / 2)
        painter.setPen(_INK)
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, hint)
        painter.end()

    @property
    def _over(self) -> QWidget:
        return cast("QWidget", self.parent())
