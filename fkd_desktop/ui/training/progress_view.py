"""A training run while it goes and when it has ended: how far it is, its figures, curves and validation faces."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop.i18n import translated
from fkd_desktop.training.eta import TimeLeft, describe_duration, describe_time_left
from fkd_desktop.training.run import TrainingState
from fkd_desktop.ui.training.failure_panel import FailurePanel
from fkd_desktop.ui.training.figures_row import FiguresRow
from fkd_desktop.ui.training.notice_line import NoticeLine
from fkd_desktop.ui.training.run_head import RunHead
from fkd_desktop.ui.training.run_words import (
    NOTHING,
    memory_words,
    percent,
    rate_words,
    state_words,
)
from fkd_desktop.ui.training.sheet_view import SheetView
from fkd_desktop.workers.job import Job
from trainer import events
from trainer.core.text import Text
from trainer.runs import SHEET, TrainingError, summarise

if TYPE_CHECKING:
    from pathlib import Path

    from fkd_desktop.training.run import RunRecord, TrainingController
    from fkd_desktop.ui.training.loss_plot import LossPlot

_TICK_MS: Final = 1000
_PLOT_MODULE: Final = "fkd_desktop.ui.training.loss_plot"


class ProgressView(QWidget):
    """Shows the run of a `TrainingController`, whenever the view was made, and has the buttons to end or go on with it.

    Parameters
    ----------
    training
        Whose `record` and `state` are shown; it outlives the view.
    """

    def __init__(self, training: TrainingController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._training = training
        self._record: RunRecord | None = None
        self._time_left: TimeLeft | None = None
        self._ended_s: float | None = None
        self._can_resume = False
        self._look_job: Job | None = None
        self._plot_job: Job | None = None
        self._question: QMessageBox | None = None
        self.plot: LossPlot | None = None
        """The curves; None for the moment in which the plotting library is loaded."""
        self._make_widgets()
        self._lay_out()
        self._timer = QTimer(self, interval=_TICK_MS)
        self._timer.timeout.connect(self._show_times)
        training.state_changed.connect(self._on_training_state_changed)
        training.event_received.connect(self._on_training_event_received)
        self._load_plot()
        self._show_all()

    # --- making

    def _make_widgets(self) -> None:
        self._empty_title, self._empty_text = QLabel(), QLabel()
        font = self._empty_title.font()
        font.setPointSizeF(font.pointSizeF() * 1.5)
        font.setBold(True)
        self._empty_title.setFont(font)
        self._empty_text.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.head = RunHead()
        self.figures = FiguresRow(
            {
                "left": self.tr("Time left"),
                "elapsed": self.tr("Elapsed"),
                "rate": self.tr("Images/s"),
                "nme": self.tr("NME now"),
                "best": self.tr("Best NME"),
                "memory": self.tr("Memory"),
            }
        )
        self.failure = FailurePanel()
        self.failure.resume_requested.connect(self._on_resume_clicked)
        self.notices = NoticeLine()
        self.sheet = SheetView()
        self._plot_text = QLabel(self.tr("Loading the curves…"), alignment=Qt.AlignmentFlag.AlignCenter)
        self.stop_button = QPushButton(autoDefault=False)
        self.cancel_button = QPushButton(self.tr("C&ancel…"), autoDefault=False)
        self.cancel_button.setToolTip(self.tr("End the run and delete what it has written"))
        self.resume_button = QPushButton(self.tr("R&esume"), autoDefault=False)
        self.resume_button.setToolTip(self.tr("Go on with the run from where it was stopped"))
        self.stop_button.clicked.connect(self._training.stop)
        self.cancel_button.clicked.connect(self._on_cancel_clicked)
        self.resume_button.clicked.connect(self._on_resume_clicked)

    def _lay_out(self) -> None:
        empty = QWidget()
        centre = Qt.AlignmentFlag.AlignHCenter
        empty_layout = QVBoxLayout(empty)
        empty_layout.addStretch(2)
        empty_layout.addWidget(self._empty_title, alignment=centre)
        empty_layout.addWidget(self._empty_text, alignment=centre)
        empty_layout.addStretch(3)
        self._plot_place = QStackedWidget()
        self._plot_place.addWidget(self._plot_text)
        self._splitter = QSplitter(Qt.Orientation.Horizontal, childrenCollapsible=False, handleWidth=12)
        self._splitter.addWidget(self._plot_place)
        self._splitter.addWidget(self.sheet)
        self._splitter.setSizes([1000, 1000])  # as wide as one another
        lower = QVBoxLayout()  # keeps its place when there is nothing to draw
        lower.addWidget(self._splitter, 1000)
        lower.addStretch(1)
        self.button_row = QHBoxLayout()
        """Its left is free for what a window offers for ended runs."""
        self.button_row.addStretch(1)
        for button in (self.stop_button, self.cancel_button, self.resume_button):
            self.button_row.addWidget(button)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(10)
        layout.addWidget(self.head)
        layout.addWidget(self.figures)
        layout.addWidget(self.failure)
        layout.addWidget(self.notices)
        layout.addLayout(lower, 1)
        layout.addLayout(self.button_row)
        self._pages = QStackedWidget()
        self._pages.addWidget(empty)
        self._pages.addWidget(page)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._pages)

    def _load_plot(self) -> None:
        if _PLOT_MODULE in sys.modules:
            self._make_plot()
            return
        # A third of a second: too long for the thread of the live picture. Only what draws with it must be in this one.
        self._plot_job = Job(Text("loading the plotting library"), _import_plotting)
        self._plot_job.succeeded.connect(self._make_plot)
        self._plot_job.failed.connect(self._on_plot_job_failed)
        self._plot_job.start()

    @Slot()
    def _make_plot(self) -> None:
        from fkd_desktop.ui.training.loss_plot import LossPlot  # noqa: PLC0415 (not before its library is loaded)

        self.plot = LossPlot()
        self._plot_place.addWidget(self.plot)
        self._plot_place.setCurrentWidget(self.plot)
        self.setTabOrder(self.plot.log_scale, self.sheet.picture)
        if self._record is not None:
            self.plot.show_epochs(self._record.epochs)

    @Slot(str)
    def _on_plot_job_failed(self, message: str) -> None:
        self._plot_text.setText(self.tr("There are no curves: {0}").format(message))
        self._plot_text.setWordWrap(True)

    # --- what the run tells

    @Slot(object)
    def _on_training_state_changed(self, state: TrainingState) -> None:
        if self._record is self._training.record and not state.is_active and self._ended_s is None:
            self._ended_s = time.monotonic()
        self._show_all()

    @Slot(object)
    def _on_training_event_received(self, event: events.Event) -> None:
        record = self._training.record
        if record is None or record is not self._record:
            return
        now_s = time.monotonic()
        match event:
            case events.RunStarted():
                self._show_all()
            case events.BatchDone():
                if self._time_left:
                    self._time_left.on_batch(event, now_s)
            case events.EpochDone():
                if self._time_left:
                    self._time_left.on_epoch(event, now_s)
                self._show_epochs(record)
        self.notices.show_notices(record.notices)  # with any event: one of a process that was silent goes
        self._show_buttons(self._training.state)
        self._show_figures(record)

    # --- showing

    def _show_all(self) -> None:
        """Show everything from the record and the state, whatever was on show before."""
        state, record = self._training.state, self._training.record
        if record is not self._record:
            self._begin(record)
        if record is not None and record.started and self._time_left is None:
            self._time_left = TimeLeft(record.started, batch_size=record.config.batch_size)
            self._time_left.catch_up(record.epochs, record.batch, started_s=record.started_s, now_s=time.monotonic())
        is_empty = record is None or state in (TrainingState.IDLE, TrainingState.CANCELLED)
        self._pages.setCurrentIndex(0 if is_empty else 1)
        self._timer.start() if state.is_active else self._timer.stop()
        self._show_buttons(state)
        if self._question is not None and (not state.is_active or state is TrainingState.CANCELLING):
            self._question.close()
        if is_empty or record is None:
            self._empty_title.setText(state_words(state, record, seconds=0.0))
            self._empty_text.setText(self.tr("Start a run, and its progress is shown here."))
            return
        self.head.show_run(record)
        has_failed = state is TrainingState.FAILED and record.failure is not None
        self.figures.setVisible(not has_failed)
        self.failure.setVisible(has_failed)
        self._splitter.setVisible(state.is_active or bool(record.epochs))
        if has_failed and record.failure is not None:
            self.failure.show_failure(record.failure, can_resume=self._can_resume)
        self._show_epochs(record)
        self.notices.show_notices(record.notices)
        self._show_figures(record)
        if state in (TrainingState.STOPPED, TrainingState.FAILED) and self._look_job is None:
            self._look_whether_it_can_go_on(record)

    def _begin(self, record: RunRecord | None) -> None:
        """Forget the run before."""
        self._record, self._time_left, self._ended_s, self._can_resume = record, None, None, False
        if self._look_job is not None:
            self._look_job.cancel()
            self._look_job = None
        self.sheet.clear()

    def _show_buttons(self, state: TrainingState) -> None:
        has_something = state is TrainingState.TRAINING or bool(self._record and self._record.epochs)
        is_deaf = state is TrainingState.STOPPING and self._training.is_silent
        if is_deaf:
            self.stop_button.setText(self.tr("End &now"))
            self.stop_button.setToolTip(
                self.tr("End the process at once, as it does not answer. What the last epoch learned is kept.")
            )
        else:
            self.stop_button.setText(self.tr("&Stop and keep"))
            self.stop_button.setToolTip(
                self.tr("End after the batch under way. The weights so far are kept, and the run can go on later.")
            )
        can_stop = state in (TrainingState.STARTING, TrainingState.TRAINING) and has_something
        self.stop_button.setVisible(state.is_active)
        self.stop_button.setEnabled(can_stop or is_deaf)
        self.cancel_button.setVisible(state.is_active)
        self.cancel_button.setEnabled(state is not TrainingState.CANCELLING)
        self.resume_button.setVisible(state is TrainingState.STOPPED and self._can_resume)

    def _show_epochs(self, record: RunRecord) -> None:
        if self.plot is not None:
            self.plot.show_epochs(record.epochs)
        if record.epochs:
            self.sheet.show_sheet(record.folder / SHEET, epoch=record.epochs[-1].epoch)

    def _show_figures(self, record: RunRecord) -> None:
        self.head.show_position(self._training.state, record)
        batch, best = record.batch, record.best
        self.figures.show_figure("rate", rate_words(batch.images_per_s) if batch else NOTHING)
        self.figures.show_figure("memory", memory_words(batch.memory_bytes if batch else 0))
        self.figures.show_figure("nme", percent(record.epochs[-1].nme_mean) if record.epochs else NOTHING)
        self.figures.show_figure(
            "best",
            percent(best.nme_mean) if best else NOTHING,
            caption=self.tr("Best NME (epoch {0})").format(best.epoch) if best else self.tr("Best NME"),
        )
        self._show_times()

    @Slot()
    def _show_times(self) -> None:
        record, state = self._record, self._training.state
        if record is None:
            return
        now_s = time.monotonic()
        elapsed_s = self._elapsed_s(record, now_s)
        self.head.show_state(state_words(state, record, seconds=elapsed_s))
        has_begun = record.started is not None
        self.figures.show_figure("elapsed", translated(describe_duration(elapsed_s)) if has_begun else NOTHING)
        left = NOTHING
        if state in (TrainingState.STARTING, TrainingState.TRAINING):
            left = translated(describe_time_left(self._time_left.seconds(now_s) if self._time_left else None))
        self.figures.show_figure("left", left)

    def _elapsed_s(self, record: RunRecord, now_s: float) -> float:
        """Return how long a run took, with what it did before it was resumed."""
        if record.started is None or (not self._training.state.is_active and self._ended_s is None):
            return sum(epoch.seconds for epoch in record.epochs)  # nobody looked when it ended
        before_s = sum(epoch.seconds for epoch in record.epochs if epoch.epoch <= record.started.epochs_done)
        return before_s + (self._ended_s or now_s) - record.started_s

    # --- ending and going on

    def _look_whether_it_can_go_on(self, record: RunRecord) -> None:
        if record.started is None and not record.epochs:
            return  # then nothing is there, or what is there is another run
        self._look_job = Job(Text("looking at the run"), lambda _: _can_resume(record.folder))
        self._look_job.succeeded.connect(self._on_look_job_succeeded)
        self._look_job.start()

    @Slot(object)
    def _on_look_job_succeeded(self, can_resume: Any) -> None:
        self._can_resume = bool(can_resume)
        self.resume_button.setVisible(self._training.state is TrainingState.STOPPED and self._can_resume)
        if self._record is not None and self._record.failure is not None:
            self.failure.show_failure(self._record.failure, can_resume=self._can_resume)

    @Slot()
    def _on_resume_clicked(self) -> None:
        if self._record is not None:
            self._training.resume(self._record.folder)

    @Slot()
    def _on_cancel_clicked(self) -> None:
        if self._question is not None or self._record is None:
            return
        former = self._record.started.epochs_done if self._record.started else len(self._record.epochs)
        text = self.tr("What it has learned is deleted.")
        if former:
            text = self.tr("What it has learned is deleted, also that of before it was resumed.")
        box = QMessageBox(QMessageBox.Icon.Question, self.tr("Cancel the run"), self.tr("Cancel the run?"), parent=self)
        box.setInformativeText(text)
        keep = box.addButton(self.tr("&Keep training"), QMessageBox.ButtonRole.RejectRole)
        delete = box.addButton(self.tr("&Cancel and delete"), QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        delete.clicked.connect(self._on_cancel_confirmed)
        box.finished.connect(self._on_question_finished)
        self._question = box
        box.open()  # not modal to the session: the picture moves on

    @Slot()
    def _on_cancel_confirmed(self) -> None:
        if self._training.state.is_active:
            self._training.cancel()

    @Slot()
    def _on_question_finished(self) -> None:
        self._question = None


def _import_plotting(_job: Job) -> None:
    import pyqtgraph  # noqa: F401, PLC0415


def _can_resume(folder: Path) -> bool:
    try:
        return summarise(folder).can_resume
    except TrainingError:  # nothing was kept
        return False
