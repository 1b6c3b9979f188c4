"""The trainer's window: a new run, its progress, what it was worth, and the runs before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QHBoxLayout, QMessageBox, QPushButton, QTabWidget, QVBoxLayout, QWidget

from fkd_desktop.training.run import TrainingState
from fkd_desktop.ui.icons import app_icon
from fkd_desktop.ui.manual import help_button
from fkd_desktop.ui.training.comparison_view import ComparisonView
from fkd_desktop.ui.training.new_run_page import NewRunPage
from fkd_desktop.ui.training.progress_view import ProgressView
from fkd_desktop.ui.training.runs_page import RunsPage

if TYPE_CHECKING:
    from pathlib import Path

    from fkd_desktop.settings import Settings
    from fkd_desktop.training.data import DataController
    from fkd_desktop.training.results import ResultsController
    from fkd_desktop.training.run import TrainingController
    from trainer.runs import RunSummary

SIZE: Final = (1120, 780)


class TrainerWindow(QWidget):
    """Shows the run and everything about it; the run goes on without the window.

    Parameters
    ----------
    training, data, results
        Do the work.
    settings
        What to remember.
    """

    use_requested = Signal(object)
    """Path of the weights that the live session should use."""
    browse_requested = Signal(object)
    """Path of the data set to look at."""
    main_window_requested = Signal()
    """The user wants the live picture back."""

    def __init__(
        self,
        training: TrainingController,
        data: DataController,
        results: ResultsController,
        settings: Settings,
    ) -> None:
        super().__init__()
        self._training, self._results = training, results
        self._weights: Path | None = None
        self._question: QMessageBox | None = None
        self._stands_alone = self._closes_at_end = False
        self.setWindowTitle(self.tr("Trainer"))
        self.setWindowIcon(app_icon())
        self.resize(*SIZE)
        self.new_run = NewRunPage(training, data, results, settings)
        self.progress = ProgressView(training)
        self.comparison = ComparisonView(results)
        self.runs = RunsPage(results)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self._back = QPushButton(self.tr("Show the live picture"))
        self._back.clicked.connect(self.main_window_requested)
        self._back.hide()
        self._help = help_button("training")
        self.tabs.setCornerWidget(_row(self._back, self._help))
        for page, title in (
            (self.new_run, self.tr("&New run")),
            (self.progress, self.tr("&Progress")),
            (self.comparison, self.tr("&Comparison")),
            (self.runs, self.tr("Past &runs")),
        ):
            self.tabs.addTab(page, title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.addWidget(self.tabs)
        self.new_run.browse_requested.connect(self.browse_requested)
        self.comparison.use_requested.connect(self.use_requested)
        self.runs.use_requested.connect(self.use_requested)
        self.runs.resume_requested.connect(training.resume)
        self.runs.compare_requested.connect(self.compare)
        self.runs.settings_requested.connect(self._on_runs_settings_requested)
        training.state_changed.connect(self._on_training_state_changed)
        if training.state.is_active:
            self.tabs.setCurrentWidget(self.progress)

    def set_weights_in_use(self, weights: Path | None) -> None:
        """Say which weights the live session uses; None for the shipped ones."""
        self._weights = weights
        self.comparison.set_weights_in_use(weights)
        self.runs.set_weights_in_use(weights)

    def stand_alone(self, *, is_alone: bool) -> None:
        """Say whether the main window is gone: then a run cannot go on without this one."""
        self._stands_alone = is_alone
        self._back.setVisible(is_alone)

    @Slot(object)
    def compare(self, run: Path) -> None:
        """Compare a run's weights with those in use."""
        self._results.compare(run, self._weights)
        self.tabs.setCurrentWidget(self.comparison)

    @Slot(object)
    def _on_runs_settings_requested(self, run: RunSummary) -> None:
        self.new_run.take_settings(run)
        self.tabs.setCurrentWidget(self.new_run)

    @Slot(object)
    def _on_training_state_changed(self, state: TrainingState) -> None:
        self.runs.set_training(state.is_active)
        if state is TrainingState.STARTING:
            self.tabs.setCurrentWidget(self.progress)
        if not state.is_active:
            if self._question is not None:  # what it asks is settled
                self._question.reject()
            if self._closes_at_end:
                self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask what is to become of a run that is under way."""
        if not self._training.state.is_active:
            event.accept()
            return
        event.ignore()
        self._ask()

    def _ask(self) -> None:
        if self._question is not None:
            self._question.raise_()
            return
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(self.tr("Training is under way"))
        box.setText(self.tr("Training is under way."))
        role = QMessageBox.ButtonRole
        keep = None
        if self._stands_alone:
            box.setInformativeText(self.tr("FKD Desktop ends with this window. Stop the run and keep what it learned?"))
        else:
            box.setInformativeText(
                self.tr("It can go on without this window: the status bar of the main window shows how far it is.")
            )
            keep = box.addButton(self.tr("Keep training"), role.AcceptRole)
            box.setDefaultButton(keep)
        stop = box.addButton(self.tr("Stop and keep"), role.DestructiveRole)
        stay = box.addButton(self.tr("Stay"), role.RejectRole)
        box.setEscapeButton(stay)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def on_box_finished() -> None:
            self._question = None
            answer = box.clickedButton()
            if answer is stop:
                self._training.stop()
                self._closes_at_end = self._stands_alone
            if answer is not None and answer in (keep, stop) and not self._stands_alone:
                self.hide()

        box.finished.connect(on_box_finished)
        self._question = box
        box.open()


def _row(*widgets: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 6, 6)  # clear of the line under the tabs
    for widget in widgets:
        layout.addWidget(widget)
    return row
