"""The main window's part in training: the network in use, the run's indicator, and leaving while it goes on."""

from __future__ import annotations

import shutil
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtWidgets import QMessageBox

from fkd_desktop.controller import Controller, NetworkState, SessionState
from fkd_desktop.settings import Settings, runs_path
from fkd_desktop.training.run import TrainingState
from fkd_desktop.ui.main_window import MainWindow
from tests.trainer.tiny import ROOT
from trainer.config import TrainConfig
from trainer.core.resources import default_weights_path

pytestmark = pytest.mark.usefixtures("threads_end")

TINY = (sys.executable, "-W", "error", str(ROOT / "tests" / "trainer" / "tiny.py"))
TIMEOUT_MS = 60_000


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path / "settings.ini")


@pytest.fixture
def window(qtbot, settings, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    window = MainWindow(Controller(device="cpu"), settings)
    window.workshop.training._command = TINY
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    yield window
    training = window.workshop.training
    window.leave()
    qtbot.waitUntil(lambda: not training.state.is_active, timeout=TIMEOUT_MS)


@pytest.fixture
def live_window(window, qtbot):
    window._controller.load_network()
    window.start_demo()
    qtbot.waitUntil(
        lambda: window.view.live_frame is not None and len(window.view.live_frame.result) == 1, timeout=30_000
    )
    return window


@pytest.fixture
def other_weights(tmp_path):
    return Path(shutil.copy(default_weights_path(), tmp_path / "other.safetensors"))


def start_long_run(window, data):
    window.workshop.training.start(
        TrainConfig(
            data=str(data),
            out=str(runs_path() / "first"),
            model="simple",
            batch_size=4,
            epochs=100_000,
            schedule="constant",
            device="cpu",
            negative_share=0.0,
        )
    )


@pytest.fixture
def trained_like_run(tiny_data):
    """A run folder as training leaves it: the shipped weights stand for its own."""
    folder = runs_path() / "done"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(TrainConfig(data=str(tiny_data), out=str(folder)).to_json())
    shutil.copy(default_weights_path(), folder / "best.safetensors")
    return folder


@pytest.fixture
def training_window(window, qtbot, tiny_data):
    """A window with a run under way that would take hours."""
    start_long_run(window, tiny_data)
    qtbot.waitUntil(
        lambda: window.workshop.training.record is not None and bool(window.workshop.training.record.epochs),
        timeout=TIMEOUT_MS,
    )
    return window


def question_of(window) -> QMessageBox:
    (box,) = [box for box in window.findChildren(QMessageBox) if box.isVisible()]
    return box


def answer(window, text):
    (button,) = [button for button in question_of(window).buttons() if button.text().replace("&", "") == text]
    button.click()


def test_the_network_is_swapped_under_the_live_session_without_a_lost_frame(live_window, qtbot, other_weights):
    shown = []
    live_window.view.frame_painted.connect(lambda *_: shown.append(live_window.view.live_frame))
    before = live_window._controller.predictor
    live_window.workshop.use_weights(other_weights)
    qtbot.waitUntil(lambda: live_window._controller.predictor is not before, timeout=TIMEOUT_MS)
    shown_before = len(shown)
    qtbot.waitUntil(lambda: len(shown) > shown_before + 5, timeout=TIMEOUT_MS)
    assert live_window._controller.session_state is SessionState.LIVE
    assert all(live.annotated for live in shown)
    assert len({live.result.ids[0] for live in shown if len(live.result)}) == 1  # the face stayed the same one


def test_the_network_in_use_is_remembered_and_marked_in_the_menu(live_window, qtbot, other_weights, settings):
    live_window.workshop.use_weights(other_weights)
    qtbot.waitUntil(lambda: live_window._controller.weights == other_weights, timeout=TIMEOUT_MS)
    assert settings.weights == str(other_weights)
    menu = live_window.network_menu
    menu.fill()
    assert [action.text() for action in menu.actions() if action.isChecked()] == ["other.safetensors"]
    (shipped,) = [action for action in menu.actions() if action.text() == "Shipped network"]
    shipped.trigger()
    qtbot.waitUntil(lambda: live_window._controller.weights is None, timeout=TIMEOUT_MS)
    assert settings.weights == ""


def test_weights_that_cannot_be_used_leave_the_old_network_and_say_why(live_window, qtbot, tmp_path, settings):
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"no weights")
    before = live_window._controller.predictor
    live_window.workshop.use_weights(bad)
    qtbot.waitUntil(lambda: live_window._controller.network_state is NetworkState.FAILED, timeout=TIMEOUT_MS)
    assert live_window._controller.predictor is before
    assert "bad.safetensors" in live_window.banner.text
    assert live_window.session_bar.texts()["network"] == "compact, CPU"
    qtbot.waitUntil(lambda: settings.weights == "", timeout=TIMEOUT_MS)


def test_remembered_weights_that_are_gone_give_way_to_the_shipped_ones(window, qtbot, tmp_path, settings):
    settings.weights = str(tmp_path / "gone.safetensors")
    window._controller.load_network(Path(settings.weights))
    qtbot.waitUntil(lambda: window._controller.network_state is NetworkState.READY, timeout=TIMEOUT_MS)
    assert window._controller.weights is None
    assert "gone.safetensors" in window.banner.text and "shipped network" in window.banner.text
    assert settings.weights == ""


def test_bad_weights_of_the_command_line_do_not_cost_the_remembered_ones(window, qtbot, tmp_path, settings):
    settings.weights = str(tmp_path / "good.safetensors")
    window._controller.load_network(tmp_path / "bad.safetensors")
    qtbot.waitUntil(lambda: window._controller.network_state is NetworkState.FAILED, timeout=TIMEOUT_MS)
    qtbot.wait(50)  # for what would be wrong, in the queue
    assert settings.weights == str(tmp_path / "good.safetensors")


def test_a_still_picture_is_looked_at_again_by_a_new_network(window, qtbot, portrait, tmp_path, other_weights):
    import cv2

    path = tmp_path / "face.png"
    cv2.imwrite(str(path), portrait)
    window._controller.load_network()
    window.open_path(str(path))
    qtbot.waitUntil(lambda: window.view.live_frame is not None and window.view.live_frame.annotated, timeout=TIMEOUT_MS)
    first = window.view.live_frame
    window.workshop.use_weights(other_weights)
    qtbot.waitUntil(lambda: window.view.live_frame is not first, timeout=TIMEOUT_MS)
    assert window.view.live_frame.annotated
    assert len(window.view.live_frame.result) == 1


def test_the_status_bar_follows_the_run(training_window, qtbot):
    indicator = training_window.training_indicator
    assert indicator.isVisible()
    assert indicator.text.startswith("Training 0%, NME")
    training_window.workshop.training.stop()
    qtbot.waitUntil(lambda: indicator.text.startswith("Training stopped NME"), timeout=TIMEOUT_MS)


def test_the_end_of_a_run_is_notified(training_window, qtbot, monkeypatch):
    told = []
    monkeypatch.setattr(training_window.workshop._notifier, "notify", lambda *texts: told.append(texts))
    training_window.workshop.training._process.kill()
    qtbot.waitUntil(lambda: bool(told), timeout=TIMEOUT_MS)
    ((title, text),) = told
    assert title == "Training failed"
    assert "killed" in text


def test_closing_asks_and_stay_stays(training_window, qtbot):
    training_window.close()
    assert training_window.isVisible()
    answer(training_window, "Stay")
    assert training_window.isVisible()
    assert training_window.workshop.training.state is TrainingState.TRAINING


def test_asking_twice_is_one_question(training_window, qtbot):
    training_window.close()
    training_window.close()
    answer(training_window, "Stay")
    qtbot.waitUntil(lambda: not [b for b in training_window.findChildren(QMessageBox) if b.isVisible()])


def test_stop_and_keep_leaves_and_keeps(training_window, qtbot):
    training = training_window.workshop.training
    folder = training.record.folder
    training_window.close()
    answer(training_window, "Stop and keep")
    assert not training_window.isVisible()
    qtbot.waitUntil(lambda: training.state is TrainingState.STOPPED, timeout=TIMEOUT_MS)
    assert (folder / "best.safetensors").is_file() and (folder / "state.safetensors").is_file()


def test_keep_training_lets_the_camera_go_and_the_picture_can_come_back(training_window, qtbot):
    training_window.start_demo()
    qtbot.waitUntil(lambda: training_window._controller.session_state is SessionState.LIVE, timeout=TIMEOUT_MS)
    training_window.close()
    answer(training_window, "Keep training")
    assert not training_window.isVisible()
    assert training_window._controller.session_state is SessionState.STOPPED
    trainer = training_window.workshop.trainer
    assert trainer.isVisible()
    assert training_window.workshop.training.state is TrainingState.TRAINING
    trainer._back.click()
    assert training_window.isVisible()
    qtbot.waitUntil(lambda: training_window._controller.session_state is SessionState.LIVE, timeout=TIMEOUT_MS)
    assert not trainer._back.isVisible()


def test_leaving_on_a_signal_asks_nothing_and_loses_nothing(training_window, qtbot):
    training = training_window.workshop.training
    training_window.leave()
    assert not training_window.isVisible()
    qtbot.waitUntil(lambda: training.state is TrainingState.STOPPED, timeout=TIMEOUT_MS)
    assert (training.record.folder / "best.safetensors").is_file()


@pytest.mark.parametrize(
    "state",
    [TrainingState.STARTING, TrainingState.TRAINING, TrainingState.STOPPING, TrainingState.CANCELLING],
    ids=lambda state: state.name.lower(),
)
def test_leaving_in_every_state_of_a_run_ends_the_child(window, qtbot, tiny_data, state):
    workshop, training = window.workshop, window.workshop.training
    workshop.open_trainer()
    qtbot.waitUntil(lambda: workshop.trainer is not None, timeout=TIMEOUT_MS)
    start_long_run(window, tiny_data)
    if state is not TrainingState.STARTING:
        qtbot.waitUntil(lambda: bool(training.record.epochs), timeout=TIMEOUT_MS)
    if state is TrainingState.STOPPING:
        training.stop()
    elif state is TrainingState.CANCELLING:
        training.cancel()
    assert training.state is state
    window.leave()
    assert not window.isVisible() and not workshop.trainer.isVisible()
    qtbot.waitUntil(lambda: not training.state.is_active, timeout=TIMEOUT_MS)
    if state is TrainingState.CANCELLING:
        assert not training.record.folder.exists()


def test_leaving_while_data_are_checked_and_weights_compared(window, qtbot, tiny_data, trained_like_run):
    workshop = window.workshop
    workshop.open_trainer()
    qtbot.waitUntil(lambda: workshop.trainer is not None, timeout=TIMEOUT_MS)
    workshop.trainer.new_run._data.choose(tiny_data)
    workshop.trainer.compare(trained_like_run)
    window.leave()
    assert not workshop.trainer.isVisible()


@pytest.mark.parametrize("name", ["trainer", "browser", "inspector"])
def test_each_window_opens_once_and_goes_with_the_main_window(window, qtbot, name, tiny_data, settings):
    settings.data_folder = str(tiny_data)
    workshop, before = window.workshop, set(threading.enumerate())
    open_window = getattr(workshop, f"open_{name}")
    open_window()
    qtbot.waitUntil(lambda: getattr(workshop, name) is not None, timeout=TIMEOUT_MS)
    first = getattr(workshop, name)
    assert first.isVisible()
    first.close()
    open_window()
    assert getattr(workshop, name) is first
    assert first.isVisible()
    window.close()
    assert not first.isVisible()
    qtbot.waitUntil(lambda: not set(threading.enumerate()) - before, timeout=TIMEOUT_MS)
