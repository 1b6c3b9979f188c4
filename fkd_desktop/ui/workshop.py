"""The windows around the live picture (trainer, data set browser, network inspector) and the network in use."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

from fkd_desktop.controller import Controller, NetworkState
from fkd_desktop.i18n import numeral
from fkd_desktop.settings import log_path, runs_path
from fkd_desktop.training.results import ResultsController
from fkd_desktop.training.run import TrainingController, TrainingState
from fkd_desktop.ui.notifier import Notifier
from fkd_desktop.ui.words import sentence
from fkd_desktop.workers.job import Job
from trainer.core.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.settings import Settings
    from fkd_desktop.training.data import DataController
    from fkd_desktop.ui.dataset_browser import DatasetBrowser
    from fkd_desktop.ui.network_inspector import NetworkInspector
    from fkd_desktop.ui.training.trainer_window import TrainerWindow


class Workshop(QObject):
    """Owns training and the windows for it; they are made when they are first wanted.

    Parameters
    ----------
    controller
        Of the live session.
    settings
        What to remember.
    frame_source
        Gives the newest live result; called from other threads too.
    window
        The main window. The others are no children of it: they may lie under it, and outlive it.
    """

    noticed = Signal(str)
    """A sentence that the main window should show."""

    def __init__(
        self,
        controller: Controller,
        settings: Settings,
        *,
        frame_source: Callable[[], FrameResult | None],
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._controller, self._settings = controller, settings
        self._frame_source, self._window = frame_source, window
        self.training = TrainingController(log_path().parent / "training")
        self.results = ResultsController(runs_path())
        self._data: DataController | None = None
        self._notifier = Notifier(window)
        self.trainer: TrainerWindow | None = None
        self.browser: DatasetBrowser | None = None
        self.inspector: NetworkInspector | None = None
        self._question: QMessageBox | None = None
        self._is_shut_down = False
        self._imported: set[Callable[[Job], None]] = set()
        self.training.state_changed.connect(self._on_training_state_changed)
        self._notifier.clicked.connect(self.open_trainer)
        # Queued: what it starts must not overtake the news for the others.
        controller.network_changed.connect(self._on_controller_network_changed, type=Qt.ConnectionType.QueuedConnection)

    # --- windows

    @Slot()
    def open_trainer(self) -> None:
        """Show the trainer."""
        self._open(_import_trainer, self._show_trainer)

    @Slot()
    def open_browser(self) -> None:
        """Show the data set browser, on what was looked at last."""
        self._open(_import_browser, partial(self._show_browser, None))

    @Slot()
    def open_inspector(self) -> None:
        """Show the network inspector."""
        self._open(_import_inspector, self._show_inspector)

    def _open(self, load: Callable[[Job], None], show: Callable[[], None]) -> None:
        """Import what a window is made of, off the GUI thread, then show it: the picture moves on meanwhile."""
        if load in self._imported:
            show()
            return

        def on_job_succeeded() -> None:
            self._imported.add(load)
            if not self._is_shut_down:
                show()

        job = Job(Text("opening a window"), load)
        job.succeeded.connect(on_job_succeeded)
        job.failed.connect(self.noticed)
        job.start()

    def _show_trainer(self) -> None:
        if self.trainer is None:
            from fkd_desktop.training.data import DataController  # noqa: PLC0415
            from fkd_desktop.ui.training.trainer_window import TrainerWindow  # noqa: PLC0415

            self._data = DataController()
            self.trainer = TrainerWindow(self.training, self._data, self.results, self._settings)
            self.trainer.main_window_requested.connect(self._on_trainer_main_window_requested)
            self.trainer.use_requested.connect(self.use_weights)
            self.trainer.browse_requested.connect(self._on_trainer_browse_requested)
            self.trainer.set_weights_in_use(self._controller.weights)
        _bring_up(self.trainer)

    def _show_browser(self, folder: Path | None) -> None:
        if self.browser is None:
            from fkd_desktop.ui.dataset_browser import DatasetBrowser  # noqa: PLC0415

            last = Path(self._settings.data_folder) if self._settings.data_folder else None
            self.browser = DatasetBrowser(
                folder or last,
                settings=self._settings,
                weights=self._controller.weights,
                device=self._controller.device,
            )
        elif folder is not None:
            self.browser.show_dataset(folder)
        _bring_up(self.browser)

    def _show_inspector(self) -> None:
        if self.inspector is None:
            from fkd_desktop.ui.network_inspector import NetworkInspector  # noqa: PLC0415

            self.inspector = NetworkInspector(
                settings=self._settings,
                weights=self._controller.weights,
                device=self._controller.device,
                frame_source=self._frame_source,
            )
        _bring_up(self.inspector)

    @Slot(object)
    def _on_trainer_browse_requested(self, folder: Path) -> None:
        self._open(_import_browser, partial(self._show_browser, folder))

    # --- network

    @Slot(object)
    def use_weights(self, weights: Path | None) -> None:
        """Let the live session use other weights (None: the shipped ones), now and at the next start."""
        self._settings.weights = str(weights or "")
        self._controller.load_network(weights)

    @Slot(object, str)
    def _on_controller_network_changed(self, state: NetworkState, message: str) -> None:
        if self._is_shut_down:
            return
        if state is NetworkState.READY:
            if not self.results.has_listed:  # not before: the first picture comes first
                self.results.refresh()
            if self.trainer is not None:
                self.trainer.set_weights_in_use(self._controller.weights)
            if self.browser is not None:
                self.browser.show_network(self._controller.weights)
            if self.inspector is not None:
                self.inspector.show_network(self._controller.weights)
        elif state is NetworkState.FAILED and self._settings.weights == str(self._controller.asked_weights):
            self._settings.weights = str(self._controller.weights or "")  # what failed now would fail at every start
            if self._controller.predictor is None:
                self.noticed.emit(sentence(message) + " " + self.tr("The shipped network is in use instead."))
                self._controller.load_network()

    # --- training

    @Slot(object)
    def _on_training_state_changed(self, state: TrainingState) -> None:
        record = self.training.record
        if self._is_shut_down or (state.is_active and state is not TrainingState.STARTING):
            return
        self.results.refresh()
        if record is None or state.is_active:
            return
        best = record.best
        if state in (TrainingState.FINISHED, TrainingState.STOPPED) and best is not None and self.trainer is not None:
            self.trainer.compare(record.folder)
        titles = {
            TrainingState.FINISHED: self.tr("Training is done"),
            TrainingState.FAILED: self.tr("Training failed"),
        }
        if title := titles.get(state):
            text = sentence(record.failure.message) if record.failure else ""
            if not text and best is not None:
                text = self.tr("{0}: best NME {1} in epoch {2}").format(
                    record.folder.name, numeral(f"{best.nme_mean:.2%}"), best.epoch
                )
            self._notifier.notify(title, text)

    # --- leaving

    def may_leave(self, leave: Callable[[], None]) -> bool:
        """Whether the main window may close now; else the user is asked, and `leave` called if the answer says so."""
        if not self.training.state.is_active:
            return True
        if self._question is not None:
            self._question.raise_()
            return False
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(self.tr("Training is under way"))
        box.setText(self.tr("Training is under way."))
        box.setInformativeText(
            self.tr(
                "Keep training: the camera is let go, and the trainer stays open until the run has ended.\n"
                "Stop and keep: the run ends now, with what it has learned; it can be resumed later."
            )
        )
        keep = box.addButton(self.tr("Keep training"), QMessageBox.ButtonRole.AcceptRole)
        stop = box.addButton(self.tr("Stop and keep"), QMessageBox.ButtonRole.DestructiveRole)
        stay = box.addButton(self.tr("Stay"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(stay)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def on_box_finished() -> None:
            self._question = None
            if box.clickedButton() is stop:
                self.training.stop()
                leave()
            elif box.clickedButton() is keep:
                self._train_on_alone()

        box.finished.connect(on_box_finished)
        self._question = box
        box.open()
        return False

    def _train_on_alone(self) -> None:
        self._show_trainer()
        assert self.trainer is not None
        self.trainer.stand_alone(is_alone=True)
        self._controller.stop()
        self._window.hide()

    @Slot()
    def _on_trainer_main_window_requested(self) -> None:
        assert self.trainer is not None
        self.trainer.stand_alone(is_alone=False)
        _bring_up(self._window)
        self._controller.start(self._controller.source_name)

    def shut_down(self) -> None:
        """Close the windows and let go of everything; a run under way stops by itself and keeps what it has."""
        if self._is_shut_down:
            return
        self._is_shut_down = True
        self.training.shut_down()
        if self.trainer is not None:
            self.trainer.hide()  # to close would ask
            self.trainer.deleteLater()
        for window in (self.browser, self.inspector):
            if window is not None:
                window.close()  # they end their threads
                window.deleteLater()
        if self._data is not None:
            self._data.shut_down()
        self.results.shut_down()


def _import_trainer(_job: Job) -> None:
    import fkd_desktop.training.data  # noqa: PLC0415 (a web client)
    import fkd_desktop.ui.training.trainer_window  # noqa: F401, PLC0415 (a plot library)


def _import_browser(_job: Job) -> None:
    import fkd_desktop.ui.dataset_browser  # noqa: F401, PLC0415


def _import_inspector(_job: Job) -> None:
    import fkd_desktop.ui.network_inspector  # noqa: F401, PLC0415


def _bring_up(window: QWidget) -> None:
    window.show()
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.raise_()
    window.activateWindow()
