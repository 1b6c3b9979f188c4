"""A training run in the window: what a user does with it, and the real thing from beginning to end."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QApplication

from fkd_desktop.training.run import TrainingController, TrainingState
from fkd_desktop.ui.training.progress_view import ProgressView
from tests.trainer.tiny import ROOT
from tests.ui.training.told_training import button_of, epoch, question_of
from trainer.config import TrainConfig
from trainer.events import Notice
from trainer.run_folder import RunFolder

TIMEOUT_MS = 60_000


def test_stop_and_keep_asks_the_run_to_stop(training, open_view, qtbot):
    view = open_view(training)
    training.begin()
    training.tell_started()
    qtbot.mouseClick(view.stop_button, Qt.MouseButton.LeftButton)
    assert training.asked == ["stop"]
    assert view.head.texts()["state"] == "Stopping after this batch…"
    assert not view.stop_button.isEnabled()
    assert view.cancel_button.isEnabled()


def test_a_run_that_does_not_answer_can_be_ended_now(training, open_view, qtbot):
    view = open_view(training)
    training.begin()
    training.tell_started()
    training.tell_epoch(1)
    training.is_silent = True
    training.tell(Notice("nothing was heard from the training process for 3 min"))
    assert "nothing was heard" in view.notices.text.lower() and view.notices.isVisible()
    assert view.stop_button.text() == "&Stop and keep"
    qtbot.mouseClick(view.stop_button, Qt.MouseButton.LeftButton)
    assert view.stop_button.text() == "End &now" and view.stop_button.isEnabled()
    qtbot.mouseClick(view.stop_button, Qt.MouseButton.LeftButton)
    assert training.asked == ["stop", "stop"]
    training.is_silent = False
    training.record.notices.clear()
    training.tell_epoch(2)
    assert not view.notices.isVisible()
    assert view.stop_button.text() == "&Stop and keep" and not view.stop_button.isEnabled()


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
