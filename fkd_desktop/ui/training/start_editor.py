"""What a run begins with: nothing, the shipped weights, those of a past run, or a file."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QFileDialog

from fkd_desktop.i18n import numeral
from fkd_desktop.ui.training.editors import CalmComboBox, Editor, weights_filter
from fkd_desktop.ui.words import plain_tip
from trainer.advice import TITLES
from trainer.core.resources import default_weights_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.runs import RunSummary

_ASK: Final = None
"""Data of the item that asks for a file; the others have a path, or "" for nothing."""


class StartEditor(Editor):
    """A list of weights; its value is a path, or "" for fresh weights."""

    def __init__(self) -> None:
        super().__init__()
        self.box = _PopUpComboBox()
        self.box.activated.connect(self._on_box_activated)
        self._take(self.box)
        self._value = ""
        self._files: list[str] = []
        self._runs: list[tuple[str, str]] = []  # what they are called, and their weights
        self._fill()

    def value(self) -> str:
        """Return the path."""
        return self._value

    def set_value(self, value: str) -> None:
        """Show a path; one that is not in the list comes into it."""
        self._value = value
        self._fill()

    def set_runs(self, runs: Sequence[RunSummary]) -> None:
        """Offer the weights of these runs, as far as they have any."""
        self._runs = [(self._title(run), str(weights)) for run in runs if (weights := run.weights) is not None]
        self._fill()

    def _fill(self) -> None:
        box = self.box
        box.clear()
        box.addItem(self.tr("Scratch"), "")
        with suppress(FileNotFoundError):
            self._add(self.tr("Shipped weights"), str(default_weights_path()))
        for title, path in self._runs:
            self._add(title, path)
        if self._value and box.findData(self._value) < 0 and self._value not in self._files:
            self._files.append(self._value)
        for path in self._files:
            if box.findData(path) < 0:
                self._add(self.tr("File {0}").format(Path(path).name), path)
        box.insertSeparator(box.count())
        box.addItem(self.tr("Weights file…"), _ASK)
        box.setCurrentIndex(box.findData(self._value))
        box.setToolTip(plain_tip(self._value))

    def _title(self, run: RunSummary) -> str:
        network = TITLES[run.config.model]
        if run.best is None:
            return self.tr("{0} ({1})").format(run.name, network)
        return self.tr("{0} ({1}, NME {2})").format(run.name, network, numeral(f"{100 * run.best.nme_mean:.2f} %"))

    def _add(self, text: str, path: str) -> None:
        self.box.addItem(text, path)
        self.box.setItemData(self.box.count() - 1, plain_tip(path), Qt.ItemDataRole.ToolTipRole)

    def _on_box_activated(self, index: int) -> None:
        path = self.box.itemData(index)
        if path is _ASK:
            self.box.setCurrentIndex(self.box.findData(self._value))
            folder = str(Path(self._value).parent) if self._value else ""
            path, _ = QFileDialog.getOpenFileName(
                self, self.tr("Choose the weights to start from"), folder, weights_filter(self)
            )
            if not path:
                return
        if path != self._value:
            self.set_value(path)
            self.changed.emit()


class _PopUpComboBox(CalmComboBox):
    """Shows its list before anything is chosen: what comes last in it opens a dialog."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.showPopup()
            return
        super().keyPressEvent(event)
