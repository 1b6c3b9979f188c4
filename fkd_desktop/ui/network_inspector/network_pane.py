"""Which network it is, its layers, and their sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from fkd_desktop.ui.network_inspector import words
from fkd_desktop.ui.network_inspector.layer_table import LayerTable
from fkd_desktop.ui.words import plain_tip

if TYPE_CHECKING:
    from pathlib import Path

    from fkd_desktop.training.inspecting import Overview
    from trainer.inspection import LayerInfo


class NetworkPane(QWidget):
    """The left side of the window."""

    layer_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading = QLabel(textFormat=Qt.TextFormat.PlainText)
        font = self.heading.font()
        font.setBold(True)
        self.heading.setFont(font)
        self.table = LayerTable()
        self.totals = QLabel()
        self.totals.setWordWrap(True)
        self.setMinimumWidth(320)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 6, 12)
        layout.addWidget(self.heading)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.totals)
        self.table.layer_chosen.connect(self.layer_chosen)

    @property
    def chosen(self) -> LayerInfo | None:
        """The layer to look at."""
        return self.table.chosen

    def show_overview(self, overview: Overview | None, weights: Path | None, *, chosen: str) -> None:
        """Show a network, or that none is there yet, with the layer of a name chosen; `layer_chosen` stays quiet."""
        self.heading.setText(words.heading(overview, weights))
        self.heading.setToolTip(plain_tip(str(weights)) if weights else "")
        self.totals.setText(words.totals(overview))
        with QSignalBlocker(self.table):
            self.table.show_layers(overview.layers if overview else (), chosen=chosen)
