"""What fills the pane when there is no picture: why, and the ways out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QColor
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from fkd_desktop.ui.icons import tinted_pixmap

if TYPE_CHECKING:
    from collections.abc import Sequence

_STYLE = """
#empty_state { background: #12161d; }
#empty_title { color: #f2f5f8; font-size: 22px; font-weight: 600; }
#empty_text { color: #aab4c0; font-size: 14px; }
QPushButton { color: #e8edf3; background: #252c37; border: 1px solid #3a4453; border-radius: 6px;
              padding: 8px 16px; font-size: 14px; }
QPushButton:hover { background: #2e3744; }
QPushButton:pressed { background: #1d232c; }
QPushButton:focus { border-color: #4dd0e1; }
QPushButton[primary="true"] { color: #06222a; background: #4dd0e1; border-color: #4dd0e1; font-weight: 600; }
QPushButton[primary="true"]:hover { background: #76dcea; }
QPushButton[primary="true"]:focus { border-color: #ffffff; }
"""
_ICON_PX = 64
_TEXT_WIDTH_PX = 520


class EmptyState(QWidget):
    """An icon, a title, a sentence, and one button for each action. Dark like the picture it stands for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("empty_state")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setStyleSheet(_STYLE)
        self._icon = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        plain = Qt.TextFormat.PlainText  # they quote names of files
        self._title = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, textFormat=plain)
        self._title.setObjectName("empty_title")
        self._text = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, textFormat=plain)
        self._text.setObjectName("empty_text")
        self._text.setWordWrap(True)
        self._text.setFixedWidth(_TEXT_WIDTH_PX)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(10)
        layout = QVBoxLayout(self)
        layout.setSpacing(14)
        layout.addStretch(2)
        layout.addWidget(self._icon)
        layout.addWidget(self._title)
        layout.addWidget(self._text, alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(8)
        layout.addLayout(self._buttons)
        layout.addStretch(3)

    def show_state(self, *, icon: str, title: str, text: str, actions: Sequence[QAction] = ()) -> None:
        """Say something.

        Parameters
        ----------
        icon
            Name of an action icon.
        title, text
            What is the matter, and why.
        actions
            The ways out; the first is the one to take.
        """
        self._icon.setPixmap(tinted_pixmap(icon, _ICON_PX, QColor("#5d6b7d"), self.devicePixelRatioF()))
        self._title.setText(title)
        self._text.setText(text)
        # A box layout asks for the height at its own width, where a long sentence takes fewer lines.
        self._text.setMinimumHeight(0)
        self._text.setMinimumHeight(max(0, self._text.heightForWidth(_TEXT_WIDTH_PX)))
        self._text.setVisible(bool(text))
        if any(button.hasFocus() for button in self.buttons()):
            self.setFocus()  # else it goes to whatever comes next in the window
        while (item := self._buttons.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._buttons.addStretch(1)
        for position, action in enumerate(actions):
            button = QPushButton(action.text().replace("&", ""), self)
            button.setProperty("primary", position == 0)
            button.setToolTip(action.toolTip())
            button.clicked.connect(action.trigger)
            self._buttons.addWidget(button)
            button.show()
        self._buttons.addStretch(1)

    def take_focus(self) -> None:
        """Give the focus to the way out to take."""
        next(iter(self.buttons()), self).setFocus()

    @property
    def title(self) -> str:
        """The title on show."""
        return self._title.text()

    @property
    def text(self) -> str:
        """The sentence on show."""
        return self._text.text()

    def buttons(self) -> list[QPushButton]:
        """Return the buttons on show, in order."""
        items = (self._buttons.itemAt(i) for i in range(self._buttons.count()))
        widgets = (item.widget() for item in items if item is not None)
        return [widget for widget in widgets if isinstance(widget, QPushButton)]
