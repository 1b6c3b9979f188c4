"""Training from the real main(), as a user does it: from an empty trainer to new weights under the live picture."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from fkd_desktop.settings import runs_path
from fkd_desktop.training.run import TrainingState
from tests.e2e.test_main_in_process import run_main
from tests.trainer.tiny import ROOT, go_tiny
from trainer.core.checkpoint import load_checkpoint

pytestmark = [pytest.mark.usefixtures("threads_end"), pytest.mark.slow]

TINY = (sys.executable, "-W", "error", str(ROOT / "tests" / "trainer" / "tiny.py"))
ARGUMENTS = ["--source", "demo", "--device", "cpu"]
TIMEOUT_MS = 60_000


@pytest.fixture(autouse=True)
def _tiny_networks(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    go_tiny(monkeypatch)


@pytest.fixture
def data(tiny_data, tmp_path) -> Path:
    return Path(shutil.copytree(tiny_data, tmp_path / "my faces"))


def open_trainer(window, qtbot):
    window.workshop.training._command = TINY
    qtbot.waitUntil(lambda: window._controller.predictor is not None, timeout=TIMEOUT_MS)
    qtbot.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.workshop.trainer is not None, timeout=TIMEOUT_MS)
    return window.workshop.trainer


def set_up_run(trainer, qtbot, data, *, epochs):
    page = trainer.new_run
    assert not page.start.isEnabled()
    assert page.why_not.text() == "Choose a data set first."
    page._data.choose(data)
    qtbot.waitUntil(page.start.isEnabled, timeout=TIMEOUT_MS)
    config = page.form.config(data="", out="")
    settings = {"model": "simple", "epochs": epochs, "batch_size": 4, "negative_share": 0.0, "schedule": "constant"}
    page.form.set_config(type(config)(**{**vars(config), **settings, "device": "cpu"}))


def start(trainer, qtbot):
    qtbot.mouseClick(trainer.new_run.start, Qt.MouseButton.LeftButton)
    assert trainer.tabs.currentWidget() is trainer.progress


def wait_for_epochs(window, qtbot, count=1):
    record = window.workshop.training.record
    qtbot.waitUntil(lambda: len(record.epochs) >= count, timeout=TIMEOUT_MS)


def start_run(window, qtbot, data):
    """Open the trainer and start a run that would take hours; return both when it has learned something."""
    trainer = open_trainer(window, qtbot)
    set_up_run(trainer, qtbot, data, epochs=100_000)
    start(trainer, qtbot)
    wait_for_epochs(window, qtbot)
    return trainer, window.workshop.training


def button(widget, text):
    from PySide6.QtWidgets import QAbstractButton

    (found,) = [b for b in widget.findChildren(QAbstractButton) if b.text().replace("&", "") == text and b.isVisible()]
    return found


def click(widget, qtbot, text):
    qtbot.mouseClick(button(widget, text), Qt.MouseButton.LeftButton)


def test_from_a_folder_of_faces_to_new_weights_under_the_live_picture(qapp, qtbot, data):
    def use(window):
        training = window.workshop.training
        trainer = open_trainer(window, qtbot)
        set_up_run(trainer, qtbot, data, epochs=100_000)
        trainer.new_run.name.setText("mine")
        start(trainer, qtbot)
        wait_for_epochs(window, qtbot, 2)
        click(trainer.progress, qtbot, "Stop and keep")
        qtbot.waitUntil(lambda: training.state is TrainingState.STOPPED, timeout=TIMEOUT_MS)
        weights = runs_path() / "mine" / "best.safetensors"
        assert load_checkpoint(weights).name == "simple"

        assert trainer.tabs.currentWidget() is trainer.comparison
        qtbot.waitUntil(lambda: window.workshop.results.comparison is not None, timeout=TIMEOUT_MS)
        before = window._controller.predictor
        frames = []
        window.view.frame_painted.connect(lambda *_: frames.append(window.view.live_frame.annotated))
        click(trainer.comparison, qtbot, "Use these weights now")
        qtbot.waitUntil(lambda: window._controller.predictor is not before, timeout=TIMEOUT_MS)
        assert window._controller.weights == weights
        assert window._controller.predictor.network_name == "simple"
        qtbot.waitUntil(lambda: len(frames) > 5, timeout=TIMEOUT_MS)
        assert all(frames)
        assert window.session_bar.texts()["network"] == "simple, CPU"

        qtbot.waitUntil(lambda: len(window.workshop.results.runs) == 1, timeout=TIMEOUT_MS)
        trainer.tabs.setCurrentWidget(trainer.runs)
        assert window.workshop.results.runs[0].name == "mine"

    assert run_main(qtbot, ARGUMENTS, use) == 0


def test_the_next_start_uses_the_weights_that_were_chosen(qapp, qtbot, tmp_path):
    from trainer.core.resources import default_weights_path

    mine = Path(shutil.copy(default_weights_path(), tmp_path / "mine.safetensors"))

    def choose(window):
        window.workshop.use_weights(mine)
        qtbot.waitUntil(lambda: window._controller.weights == mine, timeout=TIMEOUT_MS)

    def look(window):
        qtbot.waitUntil(lambda: window._controller.predictor is not None, timeout=TIMEOUT_MS)
        assert window._controller.weights == mine

    assert run_main(qtbot, ARGUMENTS, choose) == 0
    assert run_main(qtbot, ARGUMENTS, look) == 0


def test_cancel_asks_and_leaves_nothing(qapp, qtbot, data):
    def use(window):
        trainer, training = start_run(window, qtbot, data)
        folder = training.record.folder
        click(trainer.progress, qtbot, "Cancel…")
        (box,) = [b for b in trainer.findChildren(QMessageBox) if b.isVisible()]
        click(box, qtbot, "Cancel and delete")
        qtbot.waitUntil(lambda: training.state is TrainingState.CANCELLED, timeout=TIMEOUT_MS)
        assert not folder.exists()
        assert list(runs_path().glob("*")) == []

    assert run_main(qtbot, ARGUMENTS, use) == 0


def test_a_killed_run_is_explained_and_the_picture_moves_on(qapp, qtbot, data):
    def use(window):
        trainer, training = start_run(window, qtbot, data)
        training._process.kill()
        qtbot.waitUntil(lambda: training.state is TrainingState.FAILED, timeout=TIMEOUT_MS)
        assert button(trainer.progress, "Open log").isEnabled()
        assert button(trainer.progress, "Copy").isEnabled()
        with qtbot.waitSignal(window.view.frame_painted, timeout=5000):
            pass
        qtbot.waitUntil(trainer.progress.failure.resume_button.isVisible, timeout=TIMEOUT_MS)
        click(trainer.progress, qtbot, "Resume")
        qtbot.waitUntil(lambda: training.state is TrainingState.TRAINING, timeout=TIMEOUT_MS)
        training.cancel()
        qtbot.waitUntil(lambda: training.state is TrainingState.CANCELLED, timeout=TIMEOUT_MS)

    assert run_main(qtbot, ARGUMENTS, use) == 0


def test_the_trainer_can_be_closed_and_opened_again_while_it_trains(qapp, qtbot, data):
    def use(window):
        trainer, training = start_run(window, qtbot, data)
        for answer, is_open in (("Stay", True), ("Keep training", False)):
            trainer.close()
            (box,) = [b for b in trainer.findChildren(QMessageBox) if b.isVisible()]
            click(box, qtbot, answer)
            assert trainer.isVisible() is is_open
            assert training.state is TrainingState.TRAINING
        qtbot.mouseClick(window.training_indicator, Qt.MouseButton.LeftButton)
        assert trainer.isVisible()
        trainer.close()
        (box,) = [b for b in trainer.findChildren(QMessageBox) if b.isVisible()]
        click(box, qtbot, "Stop and keep")
        qtbot.waitUntil(lambda: training.state is TrainingState.STOPPED, timeout=TIMEOUT_MS)
        assert not trainer.isVisible()

    assert run_main(qtbot, ARGUMENTS, use) == 0


def test_a_second_run_cannot_start_while_one_is_under_way(qapp, qtbot, data):
    def use(window):
        training = window.workshop.training
        trainer = open_trainer(window, qtbot)
        set_up_run(trainer, qtbot, data, epochs=100_000)
        start(trainer, qtbot)
        assert not trainer.new_run.start.isEnabled()
        assert "under way" in trainer.new_run.why_not.text()
        training.cancel()
        qtbot.waitUntil(lambda: not training.state.is_active, timeout=TIMEOUT_MS)
        qtbot.waitUntil(trainer.new_run.start.isEnabled, timeout=TIMEOUT_MS)

    assert run_main(qtbot, ARGUMENTS, use) == 0


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden", "what?", "trailing."])
def test_a_name_that_makes_no_folder_is_refused_in_words(qapp, qtbot, data, name):
    def use(window):
        trainer = open_trainer(window, qtbot)
        set_up_run(trainer, qtbot, data, epochs=1)
        trainer.new_run.name.setText(name)
        assert not trainer.new_run.start.isEnabled()
        assert "name" in trainer.new_run.why_not.text()

    assert run_main(qtbot, ARGUMENTS, use) == 0


def test_a_name_that_is_taken_is_refused_in_words(qapp, qtbot, data):
    def use(window):
        trainer = open_trainer(window, qtbot)
        set_up_run(trainer, qtbot, data, epochs=1)
        (runs_path() / "mine").mkdir(parents=True)
        trainer.new_run.name.setText("mine")
        assert not trainer.new_run.start.isEnabled()
        assert trainer.new_run.why_not.text() == "There is a run called mine already; choose another name."

    assert run_main(qtbot, ARGUMENTS, use) == 0
