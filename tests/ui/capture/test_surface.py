"""The countdown and the toast over the picture, and the recording in the status bar."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QDesktopServices, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QLineEdit, QPushButton, QStyle

from fkd_desktop.ui.capture import toast as toast_module
from fkd_desktop.ui.capture.indicator import RecordingIndicator
from fkd_desktop.ui.capture.motion import animation_ms
from fkd_desktop.ui.capture.toast import Kept
from fkd_desktop.ui.capture.words import duration_text, size_text
from tests.capture.live_frames import live_frame

THREE_SECONDS = ("3 seconds", "3 second(s)")
"""With and without the English plural forms, which come from a translation."""


def shown_buttons(toast) -> list[str]:
    return [button.text() for button in toast.findChildren(QPushButton) if button.isVisible()]


# --- countdown


def test_the_digits_cover_the_picture_and_let_the_mouse_through(window, stage, qtbot):
    overlay = window.surface.countdown
    assert not overlay.isVisible()
    stage.capture.countdown_s = 3
    stage.capture.take_snapshot()
    assert overlay.isVisible() and overlay.seconds == 3 and overlay.geometry() == window.view.rect()
    assert window.view.childAt(window.view.rect().center()) is None
    assert overlay.accessibleName() in THREE_SECONDS
    before = overlay.grab().toImage()
    overlay.show_seconds(2)
    assert overlay.grab().toImage() != before
    window.resize(700, 500)
    qtbot.waitUntil(lambda: overlay.geometry() == window.view.rect())
    stage.capture.cancel_countdown()
    assert not overlay.isVisible()


def test_the_digits_are_not_in_what_is_kept(window, stage, qtbot):
    stage.capture._countdown._timer.setInterval(5)
    stage.capture.countdown_s = 3
    with qtbot.waitSignal(stage.capture.picture_saved, timeout=5000) as saved:
        stage.capture.take_snapshot()
    assert (cv2.imread(saved.args[0]) == 90).all()


def test_esc_cancels_before_any_other_use_of_the_key_and_only_then(window, stage, qtbot):
    other = QAction("Leave fullscreen", window)
    other.setShortcut(QKeySequence("Esc"))
    used = []
    other.triggered.connect(lambda: used.append(1))
    window.addAction(other)
    stage.capture.countdown_s = 3
    stage.capture.take_snapshot()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert stage.capture.countdown_left_s == 0 and not used
    assert not window.surface.countdown.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert used == [1]


# --- toast


def test_a_saved_picture_is_told_with_a_thumbnail_and_takes_no_focus(window, stage, qtbot):
    field = QLineEdit(window)
    field.show()
    field.setFocus()
    toast = window.surface.toast
    with qtbot.waitSignal(stage.capture.picture_saved, timeout=5000) as saved:
        stage.capture.take_snapshot()
    assert toast.isVisible() and toast.kept == Kept("Picture saved", Path(saved.args[0]), can_copy=True)
    assert shown_buttons(toast) == ["Open", "Show in folder", "Copy"]
    assert window.focusWidget() is field
    qtbot.waitUntil(lambda: not toast._thumbnail.pixmap().isNull(), timeout=5000)
    assert toast._name.text() == Path(saved.args[0]).name
    assert window.view.rect().contains(toast.geometry())
    qtbot.mouseClick(toast, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))
    assert not toast.isAncestorOf(window.focusWidget())


def test_it_fades_away_by_itself_but_not_while_it_is_used(window, stage, qtbot):
    toast = window.surface.toast
    toast._timer.setInterval(30)
    toast.show_kept(Kept("Picture saved", None))
    qtbot.waitUntil(lambda: not toast.isVisible(), timeout=5000)
    assert toast.kept is None
    toast.show_kept(Kept("Picture saved", stage.capture.pictures_folder))
    toast._open.setFocus()  # with the tab key
    if window.focusWidget() is toast._open:
        with qtbot.waitSignals([toast._timer.timeout] * 3, timeout=5000):
            pass
        assert toast.isVisible() and toast.kept is not None


def test_with_reduced_motion_nothing_fades(window, qtbot, monkeypatch):
    style = window.style()

    class Still:
        @staticmethod
        def styleHint(hint, *_):  # noqa: N802 (Qt's name)
            return 0 if hint == QStyle.StyleHint.SH_Widget_Animation_Duration else style.styleHint(hint)

    toast = window.surface.toast
    assert animation_ms(toast, 200) == 200
    monkeypatch.setattr(type(toast), "style", lambda _: Still, raising=False)
    assert animation_ms(toast, 200) == 0
    toast.show_kept(Kept("Picture copied"))
    assert toast.isVisible() and toast._animation.state() == toast._animation.State.Stopped
    toast.dismiss()
    assert not toast.isVisible()


def test_the_newest_is_told_and_the_old_one_forgotten(window, stage, qtbot, tmp_path):
    toast = window.surface.toast
    toast.show_kept(Kept("Recording saved", tmp_path / "a.mp4"))
    assert shown_buttons(toast) == ["Open", "Show in folder"]
    toast.show_kept(Kept("Picture copied"))
    assert shown_buttons(toast) == [] and not toast._name.isVisible()


def test_its_buttons_open_the_file_and_its_folder(window, tmp_path, monkeypatch, qtbot):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    toast = window.surface.toast
    toast.show_kept(Kept("Recording saved", tmp_path / "a.mp4"))
    for button in (toast._open, toast._show):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert opened == [str(tmp_path / "a.mp4"), str(tmp_path)]


def test_copy_copies_the_saved_picture_and_not_the_one_on_the_screen_by_now(window, stage, qtbot):
    stage.shown = live_frame(40)
    with qtbot.waitSignal(stage.capture.picture_saved, timeout=5000):
        stage.capture.take_snapshot()
    stage.shown = live_frame(250)
    qtbot.mouseClick(window.surface.toast._copy, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.surface.toast.kept == Kept("Picture copied"), timeout=5000)
    assert QGuiApplication.clipboard().image().pixelColor(5, 5).red() == 40


def test_a_long_name_in_a_small_window_stays_inside(window, tmp_path, qtbot):
    window.resize(340, 300)
    toast = window.surface.toast
    toast.show_kept(Kept("Picture saved", tmp_path / ("a very long name " * 10 + ".png"), can_copy=True))
    assert "…" in toast._name.text()
    assert toast.x() >= 0 and toast.geometry().bottom() <= window.view.height()
    window.resize(900, 600)
    qtbot.waitUntil(lambda: toast.geometry().bottom() > 400)


@pytest.mark.parametrize("kind", ["film", "folder", "nothing", "broken"])
def test_thumbnails_of_films_and_folders_and_what_is_no_picture(stage, tmp_path, kind, qtbot):
    from PySide6.QtCore import QSize

    if kind == "film":
        stage.capture.start_recording()
        with qtbot.waitSignal(stage.capture.recording_saved, timeout=5000) as saved:
            stage.capture.stop_recording()
        path = Path(saved.args[0])
    else:
        path = tmp_path / "folder"
        path.mkdir()
        if kind == "folder":
            cv2.imwrite(str(path / "01.png"), live_frame(90).result.frame_bgr)
        elif kind == "broken":
            path = tmp_path / "broken.mp4"
            path.write_bytes(b"no film")
    image = toast_module._thumbnail(path, QSize(96, 64))
    if kind in ("film", "folder"):
        assert (image.width(), image.height()) == (85, 64)
        assert abs(image.pixelColor(40, 30).red() - 90) <= 3
    else:
        assert image is None


def test_a_burst_is_told_as_it_goes(window, stage):
    toast = window.surface.toast
    stage.capture.burst_changed.emit(3, 10)
    assert toast.kept == Kept("Taking pictures: 3 of 10")
    stage.capture.burst_saved.emit("/somewhere/burst", 10)
    assert toast.kept.path == Path("/somewhere/burst")
    assert toast.kept.title in ("10 pictures saved", "10 picture(s) saved")


# --- the recording in the status bar


def test_the_indicator_is_there_while_a_recording_runs(window, stage, qtbot):
    indicator = RecordingIndicator(stage.capture)
    indicator.stop_requested.connect(stage.capture.stop_recording)
    window.statusBar().addPermanentWidget(indicator)
    window.statusBar().show()
    assert not indicator.isVisible()
    stage.capture.start_recording()
    assert indicator.isVisible() and indicator.text() == "0:00 · 0 bytes"
    stage.capture.recording_progressed.emit(65.4, 23_400_000, 0)
    assert indicator.text() == "1:05 · 23.4 MB"
    width = indicator.sizeHint().width()
    stage.capture.recording_progressed.emit(66.4, 3_000_000_000, 12)
    assert re.fullmatch(r"1:06 · 3.0 GB · 12 frame(s|\(s\)) dropped", indicator.text())
    assert "Recording" in indicator.accessibleName() and "1:06" in indicator.accessibleName()
    assert indicator.sizeHint().width() > width
    with qtbot.waitSignal(stage.capture.recording_saved, timeout=5000):
        qtbot.mouseClick(indicator, Qt.MouseButton.LeftButton)
    assert not indicator.isVisible()


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.9, "0:59"), (65, "1:05"), (3723, "1:02:03")])
def test_durations(seconds, text):
    assert duration_text(seconds) == text


def test_sizes():
    assert size_text(23_400_000) == "23.4 MB"
