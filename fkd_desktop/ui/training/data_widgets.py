"""Small widgets of the data panel: colours, a path that fits, and what fills it while there is nothing to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop.ui.icons import tinted_pixmap

if TYPE_CHECKING:
    from collections.abc import Sequence


_TEXT_WIDTH_PX: Final = 440


def fault_colour(palette: QPalette) -> QColor:
    """Return a red that stands out from the windows of a palette."""
    return QColor("#ff9d94" if _is_dark(palette) else "#b3261e")


def good_colour(palette: QPalette) -> QColor:
    """Return a green that stands out from the windows of a palette."""
    return QColor("#81d48a" if _is_dark(palette) else "#1e7d34")


def note_colour(palette: QPalette) -> QColor:
    """Return a colour for what is good to know."""
    return palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.WindowText)


def check_mark(side_px: int, colour: QColor, device_pixel_ratio: float) -> QPixmap:
    """Draw a check mark in a circle."""
    pixmap = QPixmap(round(side_px * device_pixel_ratio), round(side_px * device_pixel_ratio))
    pixmap.setDevicePixelRatio(device_pixel_ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(colour, side_px / 12)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.drawEllipse(QRectF(0.08 * side_px, 0.08 * side_px, 0.84 * side_px, 0.84 * side_px))
    painter.drawPolyline([QPointF(x * side_px, y * side_px) for x, y in ((0.3, 0.52), (0.44, 0.66), (0.7, 0.36))])
    painter.end()
    return pixmap


def _is_dark(palette: QPalette) -> bool:
    return palette.color(QPalette.ColorRole.Window).lightnessF() < 0.5


class DataNotice(QWidget):
    """In the middle of the panel: an icon, a title, a text, a progress bar where one is wanted, and buttons."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon_name = ""
        self._is_place_to_drop = False
        self._icon = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._title = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, textFormat=Qt.TextFormat.PlainText)
        font = self._title.font()
        font.setPointSizeF(font.pointSizeF() * 1.4)
        font.setBold(True)
        self._title.setFont(font)
        self._title.setWordWrap(True)
        self._text = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._text.setFixedWidth(_TEXT_WIDTH_PX)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.bar = QProgressBar()
        self.bar.setFixedWidth(_TEXT_WIDTH_PX)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("progress"))
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(8)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addStretch(2)
        layout.addWidget(self._icon)
        layout.addWidget(self._title)
        layout.addWidget(self._text, alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self.bar, alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(4)
        layout.addLayout(self._buttons)
        layout.addStretch(3)

    @property
    def title(self) -> str:
        """The title on show."""
        return self._title.text()

    @property
    def text(self) -> str:
        """The text on show."""
        return self._text.text()

    def buttons(self) -> list[QPushButton]:
        """Return the buttons on show, in order."""
        items = (self._buttons.itemAt(i) for i in range(self._buttons.count()))
        widgets = [item.widget() for item in items if item is not None]
        return [widget for widget in widgets if isinstance(widget, QPushButton)]

    def show_notice(
        self,
        *,
        icon: str,
        title: str,
        text: str,
        buttons: Sequence[QPushButton] = (),
        has_bar: bool = False,
        is_place_to_drop: bool = False,
    ) -> None:
        """Say something in place of what was said before.

        Parameters
        ----------
        icon
            Name of an action icon.
        title, text
            What is the matter.
        buttons
            The ways on, made by the caller and kept by it.
        has_bar
            Whether `bar` is shown.
        is_place_to_drop
            Whether it has the border of a place to drop files on.
        """
        self._icon_name = icon
        self._refresh_icon()
        self._title.setText(title)
        self.show_text(text)
        self.bar.setVisible(has_bar)
        if self.buttons() != list(buttons):
            self._replace_buttons(buttons)
        self._is_place_to_drop = is_place_to_drop
        self.update()

    def show_text(self, text: str) -> None:
        """Replace the text alone."""
        self._text.setText(text)
        # A layout that centres a label asks it for no more height than it first hints at.
        self._text.setMinimumHeight(0)
        self._text.setMinimumHeight(self._text.heightForWidth(_TEXT_WIDTH_PX))

    def changeEvent(self, event: QEvent) -> None:
        """Give the icon the new theme's colours."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_icon"):  # Qt sends some before that
            self._refresh_icon()
        super().changeEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the border of a place to drop files on."""
        if not self._is_place_to_drop:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._faded(0.35), 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(2, 2, -2, -2), 10, 10)

    def _replace_buttons(self, buttons: Sequence[QPushButton]) -> None:
        for button in self.buttons():
            button.hide()
        while self._buttons.takeAt(0) is not None:
            pass
        self._buttons.addStretch(1)
        for button in buttons:
            self._buttons.addWidget(button)
            button.show()
        self._buttons.addStretch(1)

    def _refresh_icon(self) -> None:
        if self._icon_name:
            pixmap = tinted_pixmap(self._icon_name, 48, self._faded(0.55), self.devicePixelRatioF())
            self._icon.setPixmap(pixmap)

    def _faded(self, opacity: float) -> QColor:
        colour = self.palette().color(QPalette.ColorRole.WindowText)
        colour.setAlphaF(opacity)
        return colour
