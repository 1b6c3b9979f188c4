"""Choosing the network of the live session."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from fkd_desktop.i18n import numeral
from fkd_desktop.ui.words import plain_tip

if TYPE_CHECKING:
    from fkd_desktop.controller import Controller
    from fkd_desktop.settings import Settings
    from fkd_desktop.ui.workshop import Workshop

RUNS_SHOWN: Final = 12


class NetworkMenu(QMenu):
    """The shipped network, the past runs' and any weights file; the one in use is marked.

    Parameters
    ----------
    controller
        Knows which is in use.
    workshop
        Knows the runs, and puts a network to use.
    settings
        Remembers the folder.
    """

    def __init__(
        self, controller: Controller, workshop: Workshop, settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("&Use"))
        self.setToolTipsVisible(True)
        self._controller, self._workshop, self._settings = controller, workshop, settings
        self._group = QActionGroup(self)
        self.aboutToShow.connect(self.fill)
        self.fill()

    @Slot()
    def fill(self) -> None:
        """Make the menu anew from what there is now."""
        self.clear()
        in_use = self._controller.weights
        self._add(self.tr("Shipped network"), None)
        known: set[Path | None] = {None}
        runs = [run for run in self._workshop.results.runs if run.weights is not None]
        if runs:
            self.addSeparator()
        for run in runs[:RUNS_SHOWN]:
            title = self.tr("{0} ({1})").format(run.name, run.config.model)
            if run.best:
                title = self.tr("{0} ({1}, NME {2})").format(
                    run.name, run.config.model, numeral(f"{run.best.nme_mean:.2%}")
                )
            self._add(title.replace("&", "&&"), run.weights)
            known.add(run.weights)
        self.addSeparator()
        if in_use not in known:
            assert in_use is not None
            self._add(in_use.name.replace("&", "&&"), in_use)
        action = self.addAction(self.tr("&Weights file…"))
        action.triggered.connect(self.choose_file)

    @Slot()
    def choose_file(self) -> None:
        """Ask for a weights file and use it."""
        path, _ = QFileDialog.getOpenFileName(
            self.parentWidget(),
            self.tr("Open weights"),
            self._settings.weights or self._settings.last_folder,
            self.tr("Weights") + " (*.safetensors)",
        )
        if path:
            self._workshop.use_weights(Path(path))

    def _add(self, text: str, weights: Path | None) -> None:
        action = QAction(text, self)
        action.setCheckable(True)
        action.setChecked(weights == self._controller.weights and self._controller.predictor is not None)
        if weights is not None:
            action.setToolTip(plain_tip(str(weights)))
        action.triggered.connect(lambda: self._workshop.use_weights(weights))
        self._group.addAction(action)
        self.addAction(action)
