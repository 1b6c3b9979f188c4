"""Preferences take effect at once and are stored; devices are measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from fkd_desktop.live import devices
from fkd_desktop.live.devices import DeviceSpeed
from fkd_desktop.live.smoothing import SmoothingLevel
from fkd_desktop.settings import Settings
from fkd_desktop.ui.preferences import PreferencesDialog


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path / "settings.ini")


@pytest.fixture
def dialog(settings, qtbot):
    dialog = PreferencesDialog(settings, weights=None)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


@pytest.mark.parametrize(
    ("box", "name"),
    [
        ("mirror", "mirrored"),
        ("loop", "loops_videos"),
        ("last_source", "starts_with_last_source"),
        ("release", "releases_camera_when_minimised"),
    ],
)
def test_a_check_box_stores_and_tells_at_once(dialog, settings, qtbot, box, name):
    before = getattr(settings, name)
    widget = getattr(dialog, box)
    assert widget.isChecked() is before
    with qtbot.waitSignal(dialog.changed) as told:
        widget.click()
    assert told.args == [name]
    assert getattr(settings, name) is not before


@pytest.mark.parametrize(
    ("combo", "name", "value"),
    [
        ("smoothing", "smoothing", SmoothingLevel.HIGH),
        ("countdown", "countdown_s", 5),
        ("language", "language", "de"),
        ("format", "picture_format", "jpg"),
    ],
)
def test_a_choice_stores_and_tells_at_once(dialog, settings, qtbot, combo, name, value):
    widget = getattr(dialog, combo)
    with qtbot.waitSignal(dialog.changed) as told:
        while widget.currentData() != value:
            qtbot.keyClick(widget, Qt.Key.Key_Down)
    assert told.args == [name]
    assert getattr(settings, name) == value


def test_what_another_place_changed_is_shown_without_telling(dialog, settings):
    told = []
    dialog.changed.connect(told.append)
    settings.mirrored = True
    settings.smoothing = SmoothingLevel.OFF
    dialog.show_settings()
    assert dialog.mirror.isChecked()
    assert dialog.smoothing.currentData() is SmoothingLevel.OFF
    assert told == []


def test_a_folder_is_chosen_in_a_dialog_that_starts_where_there_is_one(dialog, settings, qtbot, monkeypatch, tmp_path):
    asked = []

    def choose(_parent, title, start):
        asked.append((title, start))
        return str(tmp_path / "films")

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", choose)
    dialog.videos.show_path(tmp_path / "not" / "there")
    with qtbot.waitSignal(dialog.changed) as told:
        dialog.videos._button.click()
    assert told.args == ["videos_folder"]
    assert settings.videos_folder == str(tmp_path / "films") == dialog.videos.path
    assert asked == [("Folder for videos", str(tmp_path))]


def test_a_dialog_that_is_cancelled_changes_nothing(dialog, settings, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    before = dialog.pictures.path
    dialog.pictures._button.click()
    assert settings.pictures_folder == "" and dialog.pictures.path == before


def test_devices_are_measured_when_their_page_is_shown_and_one_is_chosen(dialog, settings, qtbot):
    assert set(dialog.devices.texts()) == {"auto"}
    dialog.tabs.setCurrentIndex(2)
    qtbot.waitUntil(lambda: "cpu" in dialog.devices.texts(), timeout=60_000)
    text = dialog.devices.texts()["cpu"]
    assert text.startswith("Processor (CPU): ") and text.endswith(" ms a face, by ONNX Runtime")
    assert float(text.split(": ")[1].split(" ")[0]) > 0
    with qtbot.waitSignal(dialog.changed) as told:
        dialog.devices._buttons["cpu"].click()
    assert told.args == ["device"] and settings.device == "cpu"


def test_a_device_that_is_away_is_said_to_be(settings, qtbot):
    settings.device = "cuda"
    dialog = PreferencesDialog(settings, weights=None)
    qtbot.addWidget(dialog)
    dialog.devices.show_speeds([DeviceSpeed("cpu", 5.0, "PyTorch")])
    assert "not there now" in dialog.devices._note.text()


def test_a_device_that_fails_is_not_offered(monkeypatch):
    real = devices.load_predictor

    def load(weights, *, device):
        if device == "mps":
            raise RuntimeError("MPS backend out of memory")
        return real(weights, device=device)

    monkeypatch.setattr(devices, "load_predictor", load)
    monkeypatch.setattr(devices, "available_devices", lambda: ("mps", "cpu"))
    [only] = devices.measure_devices()
    assert only.device == "cpu" and 0 < only.ms_per_frame < 5000 and only.engine_name == "ONNX Runtime"


def test_reset_asks_and_then_forgets_everything(dialog, settings, qtbot):
    settings.mirrored = True
    dialog.show_settings()
    dialog._reset.click()
    box = dialog.findChild(QMessageBox)
    box.button(QMessageBox.StandardButton.Cancel).click()
    assert settings.mirrored
    dialog._reset.click()
    box = dialog.findChildren(QMessageBox)[-1]
    with qtbot.waitSignal(dialog.reset):
        next(b for b in box.buttons() if b.text() == "Reset").click()
    assert not settings.mirrored and not dialog.mirror.isChecked()


def test_everything_that_takes_the_focus_has_a_name(dialog):
    seen = set()
    for page in range(dialog.tabs.count()):
        dialog.tabs.setCurrentIndex(page)
        for widget in dialog.findChildren(QWidget):
            takes_focus = widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            if takes_focus and not widget.objectName().startswith("qt_"):  # a tab's words are its name
                name = widget.accessibleName() or getattr(widget, "text", lambda: "")()
                assert name or widget.focusProxy(), widget
                seen.add(widget)
    assert len(seen) > 10


def test_closing_while_measuring_leaves_nothing_behind(dialog, qtbot):
    dialog.tabs.setCurrentIndex(2)
    job = dialog.devices._job
    dialog.close()
    assert job.should_stop()
    assert job.wait(30)
    qtbot.wait(1)
    assert set(dialog.devices.texts()) == {"auto"}


def test_the_folder_shown_is_the_one_that_is_used_unless_chosen(dialog):
    assert Path(dialog.pictures.path).name == "FKD Desktop"
    assert Path(dialog.videos.path).name == "FKD Desktop"
