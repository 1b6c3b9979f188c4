"""A new training run: data on the left, settings on the right, and one button."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop.training.run import TrainingController
from fkd_desktop.ui.training.config_form import ConfigForm
from fkd_desktop.ui.training.data_panel import DataPanel
from fkd_desktop.ui.words import sentence
from fkd_desktop.workers.job import Job
from trainer.config import ConfigError
from trainer.core.text import Text
from trainer.runs import is_free

if TYPE_CHECKING:
    from fkd_desktop.settings import Settings
    from fkd_desktop.training.data import DataController
    from fkd_desktop.training.results import ResultsController
    from trainer.runs import RunSummary

_UNFIT_FOR_A_NAME: Final = re.compile(r'[\\/:*?"<>|\x00-\x1f]')  # what Windows forbids, so that folders can move


class NewRunPage(QWidget):
    """Everything that must be known before a run can start, and why it cannot.

    Parameters
    ----------
    training, data, results
        Do the work.
    settings
        What to remember.
    """

    browse_requested = Signal(object)
    """Path of the data set to look at."""

    def __init__(
        self, training: TrainingController, data: DataController, results: ResultsController, settings: Settings
    ) -> None:
        super().__init__()
        self._training, self._data, self._results = training, data, results
        self.data_panel = DataPanel(data, settings)
        self.form = ConfigForm()
        self.name = QLineEdit()
        self.name.setAccessibleName(self.tr("name of the run"))
        self.name.setMaxLength(80)
        self.start = QPushButton(self.tr("Start training"))
        self.start.setDefault(True)
        self.why_not = QLabel()
        self.why_not.setWordWrap(True)
        self.why_not.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._lay_out()
        self.data_panel.browse_requested.connect(self.browse_requested)
        self.start.clicked.connect(self._on_start_clicked)
        self.name.textChanged.connect(self._refresh)
        self.form.changed.connect(self._on_form_changed)
        data.changed.connect(self._on_data_changed)
        results.runs_changed.connect(self._on_results_runs_changed)
        training.state_changed.connect(self._on_training_state_changed)
        self._find_devices()
        self._on_results_runs_changed()
        self._on_form_changed()
        self.data_panel.restore()
        self._on_data_changed()

    def take_settings(self, run: RunSummary) -> None:
        """Fill the form with a past run's settings, for its data."""
        self.form.set_config(run.config)
        if run.config.data:
            self._data.choose(run.config.data)

    def _lay_out(self) -> None:
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 12, 12, 12)
        column.setSpacing(10)
        column.addWidget(self.form, 1)
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        line.setFrameShadow(QFrame.Shadow.Sunken)
        column.addWidget(line)
        name = QFormLayout()
        name.addRow(self.tr("Name of the run"), self.name)
        column.addLayout(name)
        bottom = QHBoxLayout()
        bottom.setSpacing(12)
        bottom.addWidget(self.why_not, 1)
        bottom.addWidget(self.start, alignment=Qt.AlignmentFlag.AlignVCenter)
        column.addLayout(bottom)
        splitter = QSplitter()
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.data_panel)
        splitter.addWidget(right)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([640, 460])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)

    def _find_devices(self) -> None:
        job = Job(Text("looking for devices"), _available_devices)
        job.succeeded.connect(self.form.set_devices)
        job.start()

    def _folder(self) -> Path:
        return self._results.runs_root / (self.name.text().strip() or self.name.placeholderText())

    def _obstacle(self) -> str:
        """Return a sentence that says what is in the way of a start; empty if nothing is."""
        if self._training.state.is_active:
            return self.tr("A run is under way; the next one can start when it has ended.")
        if self._data.why_not:
            return sentence(self._data.why_not)
        if errors := self.form.errors():
            return sentence(next(iter(errors.values())))
        name = self._folder().name
        if _UNFIT_FOR_A_NAME.search(self.name.text()) or name.startswith(".") or name.endswith("."):
            return self.tr("The name of the run becomes a folder's: leave out \\ / : * ? \" < > | and outer dots.")
        if not is_free(self._folder()):
            return self.tr("There is a run called {0} already; choose another name.").format(name)
        return ""

    @Slot()
    def _refresh(self) -> None:
        obstacle = self._obstacle()
        self.why_not.setText(obstacle)
        self.start.setEnabled(not obstacle)

    @Slot()
    def _on_training_state_changed(self) -> None:
        record = self._training.record
        if record is not None and record.batch is not None:
            self.form.set_speed(record.batch.images_per_s, network=record.config.model)
        self._refresh()

    @Slot()
    def _on_form_changed(self) -> None:
        try:
            network = self.form.config(data="", out="").model
        except ConfigError:
            network = ""
        self.name.setPlaceholderText(f"{datetime.now():%Y-%m-%d %H.%M.%S} {network}".strip())
        self._refresh()

    @Slot()
    def _on_data_changed(self) -> None:
        report = self._data.report
        self.form.set_training_faces(report.faces.get("training") if report else None)
        self._refresh()

    @Slot()
    def _on_results_runs_changed(self) -> None:
        self.form.set_runs(self._results.runs)
        self._refresh()

    @Slot()
    def _on_start_clicked(self) -> None:
        if not self.name.text().strip():
            self._on_form_changed()  # the time has gone on
        if self._obstacle() or self._data.folder is None:
            return
        self._training.start(self.form.config(data=str(self._data.folder), out=str(self._folder())))
        self.name.clear()


def _available_devices(_job: Job) -> Any:
    from trainer.core.devices import available_devices  # noqa: PLC0415 (imports torch: off the GUI thread)

    return available_devices()
