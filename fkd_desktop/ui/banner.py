"""A notice above the picture that waits until it is read: never a dialog in the way."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QColor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from fkd_desktop.ui.icons import tinted_pixmap

_STYLE = """
#banner { background: #ffe7b3; border: none; border-bottom: 1px solid #d9b45f; }
#banner QLabel { color: #3b2c07; font-size: 13px; }
#banner QPushButton { color: #3b2c07; background: #fff6df; border: 1px solid #c9a24a; border-radius: 4px;
                      padding: 4px 12px; }
#banner QPushButton:hover { background: #ffffff; }
#banner QToolButton { border: none; padding: 4px; border-radius: 4px; }
#banner QToolButton:hover { background: #f4d48c; }
"""
_INK = QColor("#6b5013")


class Banner(QFrame):
    """One notice with at most one action; hidden when there is none."""

    dismissed = Signal()
    """The user has read it: closed it, or took the way out that it offers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setStyleSheet(_STYLE)
        self._icon = QLabel()
        self._icon.setPixmap(tinted_pixmap("warning", 20, _INK, self.devicePixelRatioF()))
        self._text = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)  # it quotes names of files
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._button = QPushButton()
        self._close = QToolButton()
        self._close.setIcon(tinted_pixmap("close", 16, _INK, self.devicePixelRatioF()))
        self._close.setAccessibleName(self.tr("Dismiss the notice"))
        self._close.setToolTip(self.tr("Dismiss"))
        self._close.clicked.connect(self._on_close_clicked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 8, 10, 8)
        layout.setSpacing(10)
        layout.addWidget(self._icon, alignment=Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._text)
        layout.addWidget(self._button)
        layout.addWidget(self._close)
        self._action: QAction | None = None
        self._button.clicked.connect(self._on_button_clicked)
        self.hide()

    @property
    def text(self) -> str:
        """The notice, or an empty text."""
        return self._text.text()

    def show_notice(self, text: str, action: QAction | None = None) -> None:
        """Show a notice in place of the one before."""
        self._text.setText(text)
        self._action = action
        self._button.setVisible(action is not None)
        if action is not None:
            self._button.setText(action.text().replace("&", ""))
        self.show()

    def clear(self) -> None:
        """Take the notice away."""
        self._text.clear()
        self.hide()

    def _on_close_clicked(self) -> None:
        self.clear()
        self.dismissed.emit()

    def _on_button_clicked(self) -> None:
        action = self._action
        self._on_close_clicked()
        if action is not None:
            action.trigger()
