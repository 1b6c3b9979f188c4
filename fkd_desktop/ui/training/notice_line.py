"""What a run wants its user to know, in one quiet line that unfolds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from fkd_desktop.ui.icons import tinted_pixmap
from fkd_desktop.ui.words import sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

_ICON_PX = 16


class NoticeLine(QWidget):
    """The last notice in a line, as much as fits; all of them on demand. Hidden where there are none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._notices: list[str] = []
        self._icon = QLabel()
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.all_button = QToolButton()
        self.all_button.setCheckable(True)
        self.all_button.setAutoRaise(True)
        self.all_button.toggled.connect(self._refresh)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        top = Qt.AlignmentFlag.AlignTop
        layout.addWidget(self._icon, alignment=top)
        layout.addWidget(self._text, 1)
        layout.addWidget(self.all_button, alignment=top)
        self._tint()
        self.hide()

    @property
    def text(self) -> str:
        """What can be read now."""
        return self._text.text()

    def show_notices(self, notices: Sequence[str]) -> None:
        """Show these, the last first when folded."""
        before, self._notices = self._notices, [sentence(notice) for notice in notices]
        if self._notices == before:
            return
        if not self._notices:
            self.all_button.setChecked(False)
        self.setVisible(bool(self._notices))
        self._refresh()

    def _refresh(self) -> None:
        if not self._notices:
            return
        last = self._notices[-1]
        room_px = self._text.width()
        folded = self._text.fontMetrics().elidedText(last, Qt.TextElideMode.ElideRight, max(room_px, 1))
        unfolds = len(self._notices) > 1 or folded != last
        is_open = self.all_button.isChecked() and unfolds
        self._text.setText("\n".join(self._notices) if is_open else folded)
        self.all_button.setVisible(unfolds)
        count = len(self._notices)
        closed_text = self.tr("All {0} notices").format(count) if count > 1 else self.tr("Read it all")
        self.all_button.setText(self.tr("Show less") if is_open else closed_text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the line anew."""
        super().resizeEvent(event)
        self._refresh()

    def changeEvent(self, event: QEvent) -> None:
        """Give the icon the new theme's colour."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_icon"):  # Qt sends some before that
            self._tint()
        super().changeEvent(event)

    def _tint(self) -> None:
        colour = self.palette().color(QPalette.ColorRole.WindowText)
        colour.setAlphaF(0.7)
        self._icon.setPixmap(tinted_pixmap("info", _ICON_PX, colour, self.devicePixelRatioF()))
