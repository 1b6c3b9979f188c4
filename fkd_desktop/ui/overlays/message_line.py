"""A sentence for the user, at the place where it belongs."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from fkd_desktop.ui.icons import tinted_pixmap
from fkd_desktop.ui.words import sentence

_ICON_PX: Final = 18


class MessageLine(QWidget):
    """An icon and a sentence; empty most of the time."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_wrong = False
        self._icon = QLabel()
        self._label = QLabel()
        self._label.setWordWrap(True)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._icon)
        layout.addWidget(self._label, 1)
        self.show_message("")

    @property
    def text(self) -> str:
        """The sentence."""
        return self._label.text()

    def show_message(self, text: str, *, is_wrong: bool = False) -> None:
        """Say something, or with an empty text nothing."""
        self._is_wrong = is_wrong
        self._label.setText(sentence(text))
        self._label.setAccessibleName(self._label.text())
        self._icon.setVisible(bool(text))
        self._tint()

    def changeEvent(self, event: QEvent) -> None:
        """Give the icon the new theme's colour."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_label"):  # Qt sends some before that
            self._tint()
        super().changeEvent(event)

    def _tint(self) -> None:
        colour = self.palette().color(QPalette.ColorRole.WindowText)
        name = "warning" if self._is_wrong else "info"
        self._icon.setPixmap(tinted_pixmap(name, _ICON_PX, colour, self.devicePixelRatioF()))
