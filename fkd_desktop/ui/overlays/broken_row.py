"""An overlay that cannot be used: which, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from fkd_desktop.ui.icons import tinted_pixmap
from fkd_desktop.ui.words import sentence

if TYPE_CHECKING:
    from fkd_desktop.overlays.library import BrokenOverlay

_ICON_PX: Final = 20
_LEAST_BUTTON_PX: Final = 60


class BrokenRow(QFrame):
    """The folder's name, the reason, and what can be done.

    Parameters
    ----------
    broken
        What is the matter.
    can_remove
        Whether it is one of the user's own.
    """

    folder_requested = Signal()
    removal_requested = Signal()

    def __init__(self, broken: BrokenOverlay, *, can_remove: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.broken = broken
        name = broken.folder.name
        self.setAccessibleName(self.tr("{0} cannot be used").format(name))
        self.setAccessibleDescription(broken.reason)
        self._icon = QLabel()
        title = QLabel(name)
        title.setTextFormat(Qt.TextFormat.PlainText)
        font = title.font()
        font.setBold(True)
        title.setFont(font)
        self.reason = QLabel(_breakable(sentence(broken.reason)))
        self.reason.setTextFormat(Qt.TextFormat.PlainText)
        self.reason.setWordWrap(True)
        self.reason.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.open_button = QPushButton(self.tr("Open folder"))
        self.open_button.setAccessibleName(self.tr("Open the folder of {0}").format(name))
        self.open_button.clicked.connect(self.folder_requested)
        self.remove_button = QPushButton(self.tr("Remove…"))
        self.remove_button.setAccessibleName(self.tr("Remove {0}").format(name))
        self.remove_button.clicked.connect(self.removal_requested)
        self.remove_button.setHidden(not can_remove)
        self._buttons = QHBoxLayout()
        for button in (self.open_button, self.remove_button):
            button.setMinimumWidth(_LEAST_BUTTON_PX)  # they stand one above the other before they widen the panel
            self._buttons.addWidget(button)
        self._buttons.addStretch(1)
        lines = QVBoxLayout()
        lines.setSpacing(3)
        lines.addWidget(title)
        lines.addWidget(self.reason)
        lines.addLayout(self._buttons)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 6)
        layout.addWidget(self._icon, alignment=Qt.AlignmentFlag.AlignTop)
        layout.addLayout(lines, 1)
        self._tint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the buttons side by side where there is room."""
        super().resizeEvent(event)
        needed = self.open_button.sizeHint().width() + self.remove_button.sizeHint().width() + _ICON_PX + 32
        is_wide = event.size().width() >= needed
        self._buttons.setDirection(QBoxLayout.Direction.LeftToRight if is_wide else QBoxLayout.Direction.TopToBottom)

    def changeEvent(self, event: QEvent) -> None:
        """Give the icon the new theme's colour."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "remove_button"):  # Qt sends some before that
            self._tint()
        super().changeEvent(event)

    def _tint(self) -> None:
        colour = self.palette().color(QPalette.ColorRole.WindowText)
        self._icon.setPixmap(tinted_pixmap("warning", _ICON_PX, colour, self.devicePixelRatioF()))
        colour.setAlphaF(0.75)  # muted, but with more contrast than a placeholder's
        palette = self.reason.palette()
        palette.setColor(QPalette.ColorRole.WindowText, colour)
        self.reason.setPalette(palette)


def _breakable(text: str) -> str:
    """Let long paths break at their separators: a label would grow wider than the dock else."""
    for mark in ("/", "\\", "_"):
        text = text.replace(mark, f"{mark}\u200b")
    return text
