"""A row of figures, each above what it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from fkd_desktop.ui.training.run_words import NOTHING

if TYPE_CHECKING:
    from collections.abc import Mapping


class FiguresRow(QFrame):
    """Figures side by side in places that stay where they are while the figures change.

    Parameters
    ----------
    captions
        What each figure is called, by its name in the program.
    """

    def __init__(self, captions: Mapping[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._figures: dict[str, QLabel] = {}
        self._captions: dict[str, QLabel] = {}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 8, 14, 8)
        layout.setSpacing(12)
        for name, caption in captions.items():
            figure, label = QLabel(NOTHING), QLabel(caption)
            font = figure.font()
            font.setPointSizeF(font.pointSizeF() * 1.25)
            font.setBold(True)
            figure.setFont(font)
            figure.setAccessibleName(caption)
            figure.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
            cell = QVBoxLayout()
            cell.setSpacing(0)
            cell.addWidget(figure)
            cell.addWidget(label)
            # Each as wide as the others: what is written in one moves none.
            holder = QWidget()
            holder.setLayout(cell)
            cell.setContentsMargins(0, 0, 0, 0)
            holder.setMinimumWidth(96)
            layout.addWidget(holder, 1)
            self._figures[name], self._captions[name] = figure, label

    def show_figure(self, name: str, text: str, *, caption: str | None = None) -> None:
        """Show a figure, under another caption where one is given."""
        self._figures[name].setText(text)
        if caption is not None:
            self._captions[name].setText(caption)
            self._figures[name].setAccessibleName(caption)

    def texts(self) -> dict[str, str]:
        """Return what is on show, by name."""
        return {name: label.text() for name, label in self._figures.items()}

    def captions(self) -> dict[str, str]:
        """Return what the figures are called, by name."""
        return {name: label.text() for name, label in self._captions.items()}
