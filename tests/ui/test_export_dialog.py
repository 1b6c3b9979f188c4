"""The dialog for exports: what is chosen, the session's export, and a file worked through with progress and an end."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QLineEdit, QProgressBar

from fkd_desktop.annotate.choosing import choose_layers
from fkd_desktop.annotate.export_file import free_stem
from fkd_desktop.errors import NetworkError
from fkd_desktop.live.network import load_predictor
from fkd_desktop.live.smoothing import SmoothingLevel
from fkd_desktop.live.sources import VideoSource
from fkd_desktop.overlays import OverlayLibrary
from fkd_desktop.ui.export_dialog import ExportDialog
from fkd_desktop.workers.export_thread import ExportSummary
from tests.live.helpers import read_all, save
from tests.trainer.tiny import names_in


@pytest.fixture(scope="module")
def predictor():
    return load_predictor(device="cpu")


@pytest.fixture
def dialog(qtbot, predictor, tmp_path):
    layers = choose_layers(["sunglasses"], OverlayLibrary())
    dialog = ExportDialog(lambda: predictor, lambda: layers, lambda: SmoothingLevel.HIGH)
    dialog.set_folder(tmp_path / "out")
    qtbot.addWidget(dialog)
    dialog.show()
    yield dialog
    dialog.shut_down()


def said(dialog):
    return dialog.result_label.text().replace("\u200b", "")


def test_formats_and_folder_are_remembered_by_whoever_listens(qtbot, dialog, tmp_path, monkeypatch):
    assert dialog.formats == ("csv",)
    with qtbot.waitSignal(dialog.formats_chosen) as caught:
        dialog.format_boxes["pts"].click()
    assert caught.args[0] == dialog.formats == ("csv", "pts")
    dialog.set_formats(["jsonl", "nonsense"])
    assert dialog.formats == ("jsonl",)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    with qtbot.waitSignal(dialog.folder_chosen) as caught:
        dialog.folder_row._button.click()
    assert caught.args[0] == str(tmp_path) and dialog.folder == tmp_path


def test_the_session_can_be_exported_when_there_is_one_and_a_format(qtbot, dialog):
    assert not dialog.session_button.isEnabled()
    dialog.set_session_available(True)
    assert dialog.session_button.isEnabled()
    dialog.format_boxes["csv"].click()
    assert not dialog.session_button.isEnabled()
    dialog.format_boxes["csv"].click()
    with qtbot.waitSignal(dialog.session_start_requested):
        dialog.session_button.click()
    dialog.show_session_running(True)
    dialog.show_session_progress(1234)
    assert "1234" in dialog.session_label.text()
    assert not any(box.isEnabled() for box in dialog.format_boxes.values())
    dialog.set_session_available(False)  # the camera is gone: what was begun can still be stopped
    with qtbot.waitSignal(dialog.session_stop_requested):
        dialog.session_button.click()
    dialog.show_session_running(False)
    dialog.show_session_saved(ExportSummary((Path("/tmp/x/a.csv"),), 1300, 900, 7))
    assert "1300" in said(dialog) and "7" in said(dialog) and dialog.folder_button.isVisible()
    assert all(box.isEnabled() for box in dialog.format_boxes.values())


def test_a_failure_is_a_sentence_in_its_own_colour(dialog):
    dialog.show_failure("the disk is full; free some space")
    assert said(dialog) == "The disk is full; free some space." == dialog.result_label.accessibleName()
    assert "color" in dialog.result_label.styleSheet() and not dialog.folder_button.isVisible()
    dialog.show_session_running(True)
    assert said(dialog) == "" and dialog.result_label.styleSheet() == ""


def test_a_file_is_worked_through_with_progress(qtbot, dialog, short_clip, tmp_path, monkeypatch):
    box = dialog.file_box
    assert not box.start_button.isEnabled()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(short_clip), ""))
    box.choose_button.click()
    box.media_box.click()
    dialog.set_formats(("csv", "jsonl"))
    seen = []
    box.progress.valueChanged.connect(lambda value: seen.append((value, box.progress.maximum())))
    with qtbot.waitSignal(box.said, timeout=60_000):
        box.start_button.click()
        assert box.is_working and box.progress.isVisible() and not box.media_box.isVisible()
        assert not dialog.folder_row.isEnabled()
    assert names_in(tmp_path / "out") == ["short-annotated.mp4", "short.csv", "short.jsonl"]
    assert len(read_all(VideoSource(tmp_path / "out" / "short-annotated.mp4"))) == 30
    assert any(0 < value <= 30 == most for value, most in seen), seen
    assert "30 frame" in said(dialog)
    assert not box.is_working and box.start_button.isVisible() and not box.progress.isVisible()
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    dialog.folder_button.click()
    assert opened == [QUrl.fromLocalFile(str(tmp_path / "out"))]


def test_nothing_is_written_over_and_what_is_on_is_painted(qtbot, dialog, portrait, tmp_path):
    picture = save(tmp_path / "face.png", portrait)
    dialog.set_file(picture)
    dialog.file_box.media_box.click()
    for _ in range(2):
        with qtbot.waitSignal(dialog.file_box.said, timeout=60_000):
            dialog.file_box.start()
    assert names_in(tmp_path / "out") == ["face-2-annotated.png", "face-2.csv", "face-annotated.png", "face.csv"]
    painted = cv2.imread(str(tmp_path / "out" / "face-annotated.png"))
    assert cv2.absdiff(painted, portrait).max() > 100, "there are no sunglasses"
    assert "1 face" in said(dialog)


def test_a_file_that_cannot_be_read_is_told(qtbot, dialog, tmp_path, is_one_sentence):
    dialog.set_file(tmp_path / "gone.mp4")
    with qtbot.waitSignal(dialog.file_box.failed, timeout=60_000):
        dialog.file_box.start()
    assert str(tmp_path / "gone.mp4") in said(dialog) and is_one_sentence(said(dialog))
    assert not dialog.file_box.is_working


def test_a_network_that_does_not_load_is_told(qtbot, dialog, short_clip, tmp_path):
    def fail():
        raise NetworkError("these weights are damaged; choose others")

    dialog.file_box._make_predictor = fail
    dialog.set_file(short_clip)
    with qtbot.waitSignal(dialog.file_box.failed, timeout=60_000):
        dialog.file_box.start()
    assert "weights are damaged" in said(dialog)


@pytest.mark.parametrize("way", ["button", "leaving"])
def test_stopping_leaves_whole_files_and_the_window_goes_on(qtbot, dialog, predictor, short_clip, tmp_path, way):
    reached, goes_on = threading.Event(), threading.Event()

    class Held:
        """The network, which waits in its tenth frame."""

        def __init__(self):
            self.frames = 0

        def __getattr__(self, name):
            return getattr(predictor, name)

        def predict_crops(self, *arguments):
            self.frames += 1
            if self.frames == 10:
                reached.set()
                goes_on.wait(10)
            return predictor.predict_crops(*arguments)

    dialog.file_box._make_predictor = Held
    dialog.set_file(short_clip)
    dialog.file_box.start()
    job = dialog.file_box._job
    qtbot.waitUntil(reached.is_set, timeout=30_000)
    if way == "button":
        dialog.file_box.cancel_button.click()
        goes_on.set()
        assert job.wait(10)
    else:
        threading.Timer(0.2, goes_on.set).start()
        dialog.shut_down()
        assert not job.is_running
    assert not dialog.file_box.is_working and "Stopped" in said(dialog)
    lines = (tmp_path / "out" / "short.csv").read_text().splitlines()
    assert len(lines) == 11


def test_names_that_are_free(tmp_path):
    assert free_stem(tmp_path, "a") == "a"
    for name in ("a.csv", "a-2_0.pts", "A-3-annotated.PNG", "a-4-pts", "a-6.jsonl", "b.txt"):
        (tmp_path / name).touch()
    assert free_stem(tmp_path, "a") == "a-5"
    assert free_stem(tmp_path, "b") == "b"


def test_everything_has_a_name_and_keys_go_round(qtbot, dialog):
    for widget in dialog.findChildren(QAbstractButton):
        assert widget.text() or widget.accessibleName()
    for widget in (*dialog.findChildren(QLineEdit), *dialog.findChildren(QProgressBar)):
        assert widget.accessibleName()
    keys = [w.text()[w.text().index("&") + 1].lower() for w in dialog.findChildren(QAbstractButton) if "&" in w.text()]
    assert len(keys) == len(set(keys)), keys


def test_it_follows_the_theme(dialog):
    dialog.show_failure("this went wrong; try again")
    light = dialog.result_label.styleSheet()
    palette = QApplication.palette()
    dark = QApplication.palette()
    dark.setColor(dark.ColorRole.Window, "#202020")
    dark.setColor(dark.ColorRole.WindowText, "#f0f0f0")
    dialog.setPalette(dark)
    assert dialog.result_label.styleSheet() != light
    dialog.setPalette(palette)
    assert dialog.result_label.styleSheet() == light
