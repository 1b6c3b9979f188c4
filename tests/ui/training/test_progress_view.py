"""A training run in the window, told by a controller and by a real child process."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QMessageBox

from fkd_desktop.training.run import Failure, RunRecord, TrainingController, TrainingState
from fkd_desktop.ui.training.progress_view import ProgressView
from fkd_desktop.ui.training.run_words import NOTHING
from tests.trainer.tiny import ROOT
from trainer.config import TrainConfig
from trainer.events import BatchDone, EpochDone, Event, Notice, RunFinished, RunStarted
from trainer.run_folder import RunFolder
from trainer.runs import SHEET

BATCHES = 84
EPOCHS = 60
TIMEOUT_MS = 60_000
COLOURS = (QColor(), QColor("red"), QColor("green"), QColor("blue"))
"""Of the pages of faces, by epoch."""


class Training(TrainingController):
    """Tells what a test says, as the real one does, and notes what it is asked to do."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "logs")
        self.folder = folder / "a run"
        self.folder.mkdir()
        self.asked: list[object] = []

    def begin(self, *, epochs: list[EpochDone] | None = None) -> RunRecord:
        self.record = RunRecord(TrainConfig(batch_size=32), self.folder, epochs=epochs or [])
        self.become(TrainingState.STARTING)
        return self.record

    def tell(self, event: Event) -> None:
        record = self.record
        match event:
            case RunStarted():
                record.started, record.started_s = event, time.monotonic()
                record.epochs = [epoch for epoch in record.epochs if epoch.epoch <= event.epochs_done]
                self.become(TrainingState.TRAINING)
            case BatchDone():
                record.batch = event
            case EpochDone():
                record.epochs.append(event)
            case Notice():
                record.notices.append(event.message)
            case RunFinished():
                record.finished = event
        self.event_received.emit(event)

    def tell_started(self, *, epochs_done: int = 0) -> None:
        self.tell(
            RunStarted(str(self.folder), "compact (12 parameters)", "cpu", EPOCHS, BATCHES, 2693, 475, epochs_done)
        )

    def tell_epoch(self, number: int, *, nme: float = 0.05) -> None:
        write_sheet(self.folder, COLOURS[number])
        self.tell(epoch(number, nme=nme))

    def become(self, state: TrainingState) -> None:
        self.state = state
        self.state_changed.emit(state)

    def fail(self, *lines: str) -> None:
        self.record.failure = Failure("the training process crashed", lines, self.folder.parent / "a run.log")
        self.become(TrainingState.FAILED)

    def stop(self) -> None:
        self.asked.append("stop")
        self.become(TrainingState.STOPPING)

    def cancel(self) -> None:
        self.asked.append("cancel")
        self.become(TrainingState.CANCELLING)

    def resume(self, folder: Path) -> None:
        self.asked.append(folder)


def epoch(number: int, *, nme: float = 0.05) -> EpochDone:
    return EpochDone(number, 3.0, nme, 0.1, 0.5, 0.9, 40.0, False)


def write_sheet(folder: Path, colour: QColor) -> None:
    image = QImage(1200, 900, QImage.Format.Format_RGB32)
    image.fill(colour)
    assert image.save(str(folder / SHEET))


@pytest.fixture
def training(qapp, tmp_path) -> Training:
    return Training(tmp_path)


@pytest.fixture
def open_view(qtbot):
    def make(training: TrainingController) -> ProgressView:
        view = ProgressView(training)
        qtbot.addWidget(view)
        view.resize(1040, 660)
        view.show()
        qtbot.waitUntil(lambda: view.plot is not None)
        return view

    return make


def question_of(view: ProgressView) -> QMessageBox | None:
    return next((box for box in view.findChildren(QMessageBox) if box.isVisible()), None)


def button_of(box: QMessageBox, words: str):
    return next(button for button in box.buttons() if button.text().replace("&", "") == words)


def wait_for_sheet(qtbot, view: ProgressView, number: int) -> None:
    qtbot.waitUntil(lambda: view.sheet.caption == f"Validation faces after epoch {number}")


# --- what it shows


def test_before_a_run_it_says_what_will_come(training, open_view):
    view = open_view(training)
    assert view._pages.currentIndex() == 0
    assert view._empty_title.text() == "Nothing is being trained."


def test_a_run_that_starts_reads_the_data(training, open_view):
    view = open_view(training)
    training.begin()
    assert view.head.texts() == {
        "name": "a run",
        "details": "compact",
        "state": "Reading the data set…",
        "position": "",
    }
    assert (view.head.bar.minimum(), view.head.bar.maximum()) == (0, 0)
    assert view.figures.texts()["left"] == "estimating…"
    assert view.cancel_button.isEnabled()
    assert not view.stop_button.isEnabled()  # there is nothing to keep yet


def test_a_run_is_followed_batch_by_batch(training, open_view):
    view = open_view(training)
    training.begin()
    training.tell_started()
    assert view.head.texts()["details"] == "compact (12 parameters) · CPU · 2,693 faces to train on, 475 to judge on"
    training.tell(BatchDone(1, 41, 3.2, 71.26, 1_412_000_000))
    assert view.head.texts()["state"] == "Training…"
    assert view.head.texts()["position"] == "Epoch 1 of 60, batch 41 of 84"
    assert (view.head.bar.value(), view.head.bar.maximum()) == (41, 60 * 84)
    figures = view.figures.texts()
    assert (figures["rate"], figures["memory"], figures["nme"], figures["best"]) == ("71", "1.4 GB", NOTHING, NOTHING)
    assert view.stop_button.isEnabled()


def test_an_epoch_brings_figures_curves_and_faces(training, open_view, qtbot):
    view = open_view(training)
    training.begin()
    training.tell_started()
    for number, nme in ((1, 0.0612), (2, 0.0397), (3, 0.0421)):
        training.tell_epoch(number, nme=nme)
    assert view.figures.texts()["nme"] == "4.21 %"
    assert view.figures.texts()["best"] == "3.97 %"
    assert view.figures.captions()["best"] == "Best NME (epoch 2)"
    assert view.head.texts()["position"] == "Epoch 4 of 60"
    assert view.head.bar.value() == 3 * BATCHES
    wait_for_sheet(qtbot, view, 3)
    assert view.sheet.picture.image.pixelColor(5, 5).name() == COLOURS[3].name()
    qtbot.waitUntil(lambda: view.plot.curves()["nme"][0].tolist() == [1, 2, 3])
    assert view.plot.best_mark == (2, "3.97 %")


def test_the_time_left_is_told_once_it_is_known(training, open_view):
    view = open_view(training)
    training.begin()
    training.tell_started()
    training.tell(BatchDone(1, 1, 3.0, 80.0))
    assert view.figures.texts()["left"] == "estimating…"
    training.tell_epoch(1)
    assert view.figures.texts()["left"].startswith("about ")
    assert view.figures.texts()["left"].endswith(" min")  # 59 epochs of 40 s


def test_a_view_made_in_the_middle_of_a_run_shows_it_all(training, open_view, qtbot):
    training.begin()
    training.tell_started()
    for number in (1, 2):
        training.tell_epoch(number, nme=0.06 / number)
    training.tell(BatchDone(3, 20, 3.2, 71.26, 640_000_000))
    training.tell(Notice("the batch is computed in 2 parts"))
    view = open_view(training)
    assert view.head.texts()["state"] == "Training…"
    assert view.head.texts()["position"] == "Epoch 3 of 60, batch 20 of 84"
    assert view.figures.texts()["best"] == "3.00 %"
    assert view.figures.texts()["memory"] == "640 MB"
    assert view.figures.texts()["left"].startswith("about ")
    assert view.notices.text == "The batch is computed in 2 parts."
    assert view.plot.curves()["nme"][0].tolist() == [1, 2]
    wait_for_sheet(qtbot, view, 2)


def test_a_resumed_run_shows_its_former_epochs_and_its_time(training, open_view, qtbot):
    view = open_view(training)
    training.begin(epochs=[epoch(1), epoch(2), epoch(3)])
    qtbot.waitUntil(lambda: view.plot.curves()["nme"][0].tolist() == [1, 2, 3])
    assert view.stop_button.isEnabled()
    training.tell_started(epochs_done=2)  # the third was cut short, and is trained again
    assert view.head.texts()["position"] == "Epoch 3 of 60"
    assert view.figures.texts()["elapsed"] == "1 min"  # 80 s
    assert view.head.bar.value() == 2 * BATCHES


def test_the_next_run_begins_with_nothing_of_the_last(training, open_view, qtbot):
    view = open_view(training)
    training.begin()
    training.tell_started()
    training.tell_epoch(1)
    training.tell(Notice("something odd"))
    wait_for_sheet(qtbot, view, 1)
    training.become(TrainingState.FINISHED)
    training.begin()
    assert view.sheet.picture.image is None
    assert not view.notices.isVisible()
    assert view.figures.texts()["best"] == NOTHING
    qtbot.waitUntil(lambda: len(view.plot.curves()["nme"][0]) == 0)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (TrainingState.TRAINING, "Training…"),
        (TrainingState.STOPPING, "Stopping after this batch…"),
        (TrainingState.CANCELLING, "Cancelling…"),
        (TrainingState.FINISHED, "Done in 2 min: best NME 3.97 % in epoch 2."),
        (TrainingState.STOPPED, "Stopped after 3 epochs: best NME 3.97 % in epoch 2."),
        (TrainingState.FAILED, "Training failed after 3 epochs: best NME 3.97 % in epoch 2."),
    ],
)
def test_each_state_has_its_words_also_for_who_comes_later(training, open_view, state, words):
    record = training.begin()
    training.tell_started()
    record.epochs = [epoch(1), epoch(2, nme=0.0397), epoch(3)]
    record.failure = Failure("it broke", (), training.folder / "x.log") if state is TrainingState.FAILED else None
    training.become(state)
    view = open_view(training)
    assert view.head.texts()["state"] == words


def test_a_run_that_was_stopped_at_once_says_that_nothing_was_kept(training, open_view):
    view = open_view(training)
    training.begin()
    training.tell_started()
    training.become(TrainingState.STOPPED)
    assert view.head.texts()["state"] == "Stopped before the first epoch was judged. Nothing was kept."
    assert not view._splitter.isVisible()


def test_a_cancelled_run_leaves_an_empty_page(training, open_view):
    view = open_view(training)
    training.begin()
    training.tell_started()
    training.tell_epoch(1)
    training.become(TrainingState.CANCELLED)
    assert view._pages.currentIndex() == 0
    assert view._empty_title.text() == "Cancelled. Nothing was kept."


def test_an_ended_run_stands_still(training, open_view):
    view = open_view(training)
    training.begin()
    training.tell_started()
    training.record.started_s -= 41 * 60
    training.tell_epoch(1)
    assert view._timer.isActive()
    training.become(TrainingState.FINISHED)
    assert not view._timer.isActive()
    assert view.head.texts()["state"] == "Done in 41 min: best NME 5.00 % in epoch 1."
    assert view.figures.texts()["left"] == NOTHING
    assert view.head.bar.value() == view.head.bar.maximum()


def test_a_long_notice_is_one_line_that_can_be_read_in_full(training, open_view, qtbot):
    view = open_view(training)
    training.begin()
    long = "the labels are " + "very " * 60 + "far from the teacher's"
    training.tell(Notice(long))
    qtbot.waitUntil(lambda: view.notices.text.endswith("…"))
    folded_px = view.notices.height()
    qtbot.mouseClick(view.notices.all_button, Qt.MouseButton.LeftButton)
    assert view.notices.text == f"T{long[1:]}."
    qtbot.waitUntil(lambda: view.notices.height() > folded_px)
    training.tell(Notice("and another"))
    assert view.notices.text == f"T{long[1:]}.\nAnd another."
    qtbot.mouseClick(view.notices.all_button, Qt.MouseButton.LeftButton)
    assert view.notices.text == "And another."
    assert view.notices.all_button.text() == "All 2 notices"


# --- faces


def test_the_faces_open_in_full_size_by_click_and_enter(training, open_view, qtbot):
    view = open_view(training)
    training.begin()
    training.tell_started()
    qtbot.mouseClick(view.sheet.picture, Qt.MouseButton.LeftButton)
    assert view.sheet.window_shown is None  # there is nothing to show yet
    training.tell_epoch(1)
    wait_for_sheet(qtbot, view, 1)
    qtbot.mouseClick(view.sheet.picture, Qt.MouseButton.LeftButton)
    window = view.sheet.window_shown
    assert window.isWindow() and not window.isModal()
    assert window.windowTitle() == "Validation faces after epoch 1"
    assert window.widget().pixmap().size() == view.sheet.picture.image.size()
    training.tell_epoch(2)
    qtbot.waitUntil(lambda: window.windowTitle() == "Validation faces after epoch 2")
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert view.sheet.window_shown is None
    qtbot.keyClick(view.sheet.picture, Qt.Key.Key_Return)
    assert view.sheet.window_shown is not None


def test_faces_that_are_gone_leave_those_that_were_there(training, open_view, qtbot):
    view = open_view(training)
    training.begin()
    training.tell_started()
    training.tell_epoch(1)
    wait_for_sheet(qtbot, view, 1)
    (training.folder / SHEET).unlink()
    training.tell(epoch(2))
    qtbot.waitUntil(lambda: view.sheet._job is None)
    assert view.sheet.caption == "Validation faces after epoch 1"
    assert view.sheet.picture.image is not None


def test_faces_that_never_were_there_are_told(training, open_view, qtbot):
    view = open_view(training)
    training.begin()
    training.tell_started()
    training.tell(epoch(1))
    qtbot.waitUntil(lambda: "not there any more" in view.sheet.picture.accessibleName())


def test_of_epochs_faster_than_the_disk_the_last_is_shown(training, open_view, qtbot):
    view = open_view(training)
    shown = []
    view.sheet.sheet_shown.connect(lambda: shown.append(view.sheet.caption))
    training.begin()
    training.tell_started()
    write_sheet(training.folder, QColor("red"))
    for number in range(1, 31):
        training.tell(epoch(number))
    wait_for_sheet(qtbot, view, 30)
    qtbot.waitUntil(lambda: view.sheet._job is None)
    assert len(shown) == 2


# --- what a user does


def test_stop_and_keep_asks_the_run_to_stop(training, open_view, qtbot):
    view = open_view(training)
    training.begin()
    training.tell_started()
    qtbot.mouseClick(view.stop_button, Qt.MouseButton.LeftButton)
    assert training.asked == ["stop"]
    assert view.head.texts()["state"] == "Stopping after this batch…"
    assert not view.stop_button.isEnabled()
    assert view.cancel_button.isEnabled()


def test_cancel_asks_first_without_stopping_anything(training, open_view, qtbot):
    view = open_view(training)
    training.begin()
    training.tell_started()
    qtbot.mouseClick(view.cancel_button, Qt.MouseButton.LeftButton)
    box = question_of(view)
    assert box.text() == "Cancel the run?"
    assert box.informativeText() == "What it has learned is deleted."
    training.tell_epoch(1)
    assert view.figures.texts()["nme"] == "5.00 %"
    qtbot.mouseClick(button_of(box, "Keep training"), Qt.MouseButton.LeftButton)
    assert training.asked == []
    assert question_of(view) is None
    qtbot.mouseClick(view.cancel_button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button_of(question_of(view), "Cancel and delete"), Qt.MouseButton.LeftButton)
    assert training.asked == ["cancel"]
    assert not view.cancel_button.isEnabled()


def test_escape_and_enter_keep_the_training(training, open_view, qtbot):
    view = open_view(training)
    training.begin()
    training.tell_started()
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_Return):
        view.cancel_button.click()
        qtbot.keyClick(question_of(view), key)
        qtbot.waitUntil(lambda: question_of(view) is None)
    assert training.asked == []


def test_cancelling_a_resumed_run_warns_of_what_was_learned_before(training, open_view):
    view = open_view(training)
    training.begin(epochs=[epoch(1)])
    training.tell_started(epochs_done=1)
    view.cancel_button.click()
    assert "before it was resumed" in question_of(view).informativeText()


@pytest.mark.parametrize("state", [TrainingState.FINISHED, TrainingState.FAILED, TrainingState.CANCELLING])
def test_the_question_goes_when_the_run_has_ended_meanwhile(training, open_view, qtbot, state):
    view = open_view(training)
    training.begin()
    training.tell_started()
    view.cancel_button.click()
    assert question_of(view) is not None
    training.become(state)
    qtbot.waitUntil(lambda: question_of(view) is None)
    assert training.asked == []


def a_run_to_go_on_with(folder: Path) -> None:
    run = RunFolder(folder)
    run.write_config(TrainConfig(data="somewhere", out=str(folder)))
    run.write_state(b"state")


def test_a_stopped_run_offers_to_go_on(training, open_view, qtbot):
    a_run_to_go_on_with(training.folder)
    view = open_view(training)
    training.begin()
    training.tell_started()
    assert not view.resume_button.isVisible()
    training.tell_epoch(1)
    training.become(TrainingState.STOPPED)
    qtbot.waitUntil(view.resume_button.isVisible)
    assert not view.stop_button.isVisible() and not view.cancel_button.isVisible()
    qtbot.mouseClick(view.resume_button, Qt.MouseButton.LeftButton)
    assert training.asked == [training.folder]


def test_a_run_of_which_nothing_was_kept_cannot_go_on(training, open_view, qtbot):
    view = open_view(training)
    training.begin()
    training.tell_started()
    training.become(TrainingState.STOPPED)
    with qtbot.waitSignal(view._look_job.succeeded):
        pass
    assert not view.resume_button.isVisible()


def test_a_failure_takes_the_place_of_the_figures(training, open_view, qtbot):
    a_run_to_go_on_with(training.folder)
    view = open_view(training)
    training.begin()
    training.tell_started()
    training.tell_epoch(1)
    assert view.figures.isVisible() and not view.failure.isVisible()
    training.fail("Segmentation fault")
    assert view.failure.isVisible() and not view.figures.isVisible()
    assert view.failure.text == "The training process crashed."
    qtbot.waitUntil(lambda: view.plot.curves()["nme"][0].tolist() == [1])
    qtbot.waitUntil(view.failure.resume_button.isVisible)
    qtbot.mouseClick(view.failure.resume_button, Qt.MouseButton.LeftButton)
    assert training.asked == [training.folder]
    training.begin()
    assert view.figures.isVisible() and not view.failure.isVisible()


def test_a_run_that_failed_before_it_began_offers_no_other_run_that_lies_there(training, open_view):
    a_run_to_go_on_with(training.folder)
    view = open_view(training)
    training.begin()
    training.fail()
    assert view.head.texts()["state"] == "Training failed."
    assert view._look_job is None
    assert not view.failure.resume_button.isVisible()
    assert not view._splitter.isVisible()


# --- coming and going


def test_it_can_be_destroyed_while_jobs_are_running(training, qtbot, tmp_path):
    a_run_to_go_on_with(training.folder)
    training.begin()
    training.tell_started()
    training.tell_epoch(1)
    training.become(TrainingState.STOPPED)
    for _ in range(5):
        view = ProgressView(training)
        view.show()
        assert view.sheet._job is not None and view._look_job is not None
        view.cancel_button.click()
        view.deleteLater()
        QCoreApplication.sendPostedEvents(view, QEvent.Type.DeferredDelete)
        training.become(TrainingState.STOPPED)
        training.tell(Notice("nobody is here"))
        for _ in range(20):
            QApplication.processEvents()


def test_every_button_has_a_mnemonic_of_its_own(training, open_view):
    view = open_view(training)
    buttons = (
        view.stop_button,
        view.cancel_button,
        view.failure.copy_button,
        view.failure.log_button,
        view.failure.resume_button,
        view.plot.log_scale,
    )
    keys = [button.shortcut().toString() for button in buttons]
    assert all(keys) and len(set(keys)) == len(keys)


def test_importing_the_view_does_not_load_the_plotting_library():
    import subprocess

    program = "import sys, fkd_desktop.ui.training.progress_view; print('pyqtgraph' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout == "False\n"


# --- the real thing


@pytest.mark.slow
def test_a_real_run_is_shown_stopped_resumed_and_cancelled(open_view, tiny_data, tmp_path, qtbot, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    command = (sys.executable, "-W", "error", str(ROOT / "tests" / "trainer" / "tiny.py"))
    training = TrainingController(tmp_path / "logs", command=command)
    folder = tmp_path / "real"
    view = open_view(training)
    training.start(
        TrainConfig(
            data=str(tiny_data),
            out=str(folder),
            model="simple",
            batch_size=4,
            epochs=100_000,
            schedule="constant",
            device="cpu",
            negative_share=0.0,
        )
    )
    qtbot.waitUntil(lambda: len(view.plot.curves()["nme"][0]) >= 2, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: view.sheet.picture.image is not None, timeout=TIMEOUT_MS)
    assert view.head.texts()["details"].startswith("simple (")
    assert view.figures.texts()["nme"].endswith(" %")
    assert view.figures.texts()["left"].startswith("about ")
    qtbot.mouseClick(view.stop_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(view.resume_button.isVisible, timeout=TIMEOUT_MS)
    assert view.head.texts()["state"].startswith("Stopped after ")
    before = len(training.record.epochs)
    qtbot.mouseClick(view.resume_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(training.record.epochs) > before + 1, timeout=TIMEOUT_MS)
    view.cancel_button.click()
    assert "before it was resumed" in question_of(view).informativeText()
    qtbot.mouseClick(button_of(question_of(view), "Cancel and delete"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: training.state is TrainingState.CANCELLED, timeout=TIMEOUT_MS)
    assert view._empty_title.text() == "Cancelled. Nothing was kept."
    assert not folder.exists()
