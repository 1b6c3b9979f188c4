"""The real window, offscreen: what only shows when its parts are used together."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox

from fkd_desktop.controller import Controller, SessionState
from fkd_desktop.errors import SourceError, SourceProblem
from fkd_desktop.settings import Settings, overlays_path
from fkd_desktop.ui import session_pane
from fkd_desktop.ui.capture.toast import Kept
from fkd_desktop.ui.main_window import MainWindow
from fkd_desktop.ui.shortcuts_dialog import ShortcutsDialog
from tests.fakes import FakeCamera
from tests.overlays.folders import TWO_ANCHORS, toml, write_overlay

pytestmark = pytest.mark.usefixtures("threads_end")


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path / "settings.ini")


@pytest.fixture
def window(qtbot, settings):
    controller = Controller(device="cpu")
    window = MainWindow(controller, settings)
    window.controller = controller
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitExposed(window)
    yield window
    window.leave()


@pytest.fixture
def camera(register):
    camera = FakeCamera()
    register("fake", lambda _text: camera)
    return camera


def go_live(window, qtbot):
    window.opener.open("fake:")
    qtbot.waitUntil(lambda: window.view.live_frame is not None, timeout=5000)


def menu_texts(menu) -> list[str]:
    return [action.text().replace("&", "") for action in menu.actions() if not action.isSeparator()]


def test_overlays_come_into_the_menu_and_leave_it(window, qtbot):
    menu, gallery = window.overlays.menu, window.overlays.gallery
    before = menu_texts(menu)
    assert before[-1] == "Nothing"
    folder = write_overlay(overlays_path() / "test-picture", toml(*TWO_ANCHORS))
    for _ in range(3):  # actions of the menu that were deleted would crash the second time
        gallery.reload()
        assert menu_texts(menu) == [*before[:-1], "Test picture", "Nothing"]
        folder.rename(folder.parent.parent / "aside")
        gallery.reload()
        assert menu_texts(menu) == before
        (folder.parent.parent / "aside").rename(folder)
    assert sum(action.isSeparator() for action in menu.actions()) == 1


def test_an_overlay_that_was_deleted_is_no_warning(window, qtbot):
    window.overlays.gallery.own.done.emit("“Mine” is in the trash.")
    assert window.session_bar.currentMessage() == "“Mine” is in the trash."
    assert not window.banner.isVisible()


def test_a_stopped_session_offers_to_start_it(window, qtbot, camera):
    go_live(window, qtbot)
    window.controller.stop()
    assert window.empty_state.buttons()[0].text() == "Start"
    qtbot.mouseClick(window.empty_state.buttons()[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.LIVE, timeout=5000)


def test_a_stopped_session_keeps_nothing_of_its_last_picture(window, qtbot, camera):
    go_live(window, qtbot)
    window.controller.stop()
    assert window.view.live_frame is None
    assert window.capture.controller._newest() is None  # nothing that a recording would begin with


def test_a_source_is_called_what_it_calls_itself(window, qtbot, camera):
    camera.label = "192.168.1.20/stream/1"
    camera.fail_to_open = [SourceError("it is gone", problem=SourceProblem.MISSING)] * 99
    window.opener.open("fake:")
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.MISSING, timeout=5000)
    assert window.empty_state.title == "192.168.1.20/stream/1 is not there"


@pytest.mark.parametrize(
    ("name", "label", "words"),
    [
        ("demo", "Demo clip", "Vorführung"),
        ("camera:2", "camera:2", "Kamera 2"),
        ("camera:2", "Camera 2", "Kamera 2"),
        ("camera:id=a,name=Front", "Front camera", "Front camera"),
        ("rtsp://host/a/b", "host/a/b", "host/a/b"),
        ("rtsp://host/a/b", "rtsp://host/a/b", "The stream"),
        ("/films/Camera 1.mp4", "Camera 1.mp4", "Camera 1.mp4"),
        ("/films/a.mp4", "/films/a.mp4", "a.mp4"),
    ],
)
def test_sources_have_words_in_the_users_language(monkeypatch, name, label, words):
    german = {"Demo clip": "Vorführung", "Camera {0}": "Kamera {0}"}
    monkeypatch.setattr(session_pane, "_tr", lambda text: german.get(text, text))
    assert session_pane.describe_source(name, label) == words


def test_nothing_is_measured_of_a_source_that_is_not_there(window, qtbot, camera):
    go_live(window, qtbot)
    qtbot.waitUntil(lambda: window.session_bar.texts()["frame rate"] not in ("", "0.0 frames/s"), timeout=5000)
    camera.fail_to_open = [SourceError("it is gone", problem=SourceProblem.MISSING)] * 99
    camera.fail_with = SourceError("it is gone", problem=SourceProblem.LOST)
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.RECONNECTING, timeout=5000)
    assert window.session_bar.figures() == {}
    assert not window._figures._timer.isActive()


def test_space_presses_the_button_that_has_the_focus(window, qtbot, camera):
    assert window.empty_state.buttons()[0].hasFocus()  # at the start, not some tile far off
    go_live(window, qtbot)
    window.controller.stop()
    demo = window.empty_state.buttons()[1]
    demo.setFocus()
    qtbot.keyClick(demo, Qt.Key.Key_6)  # all other keys do what they always do
    assert window.overlays.stack.is_on("hat")
    qtbot.keyClick(demo, Qt.Key.Key_Space)
    assert window.controller.source_name == "demo"
    assert not window.overlays.gallery.isAncestorOf(window.focusWidget() or window)


def test_what_is_kept_is_told_beside_the_playback_bar_not_over_it(window, qtbot, short_clip):
    window.opener.open(str(short_clip))
    qtbot.waitUntil(window.pane.transport.isVisible, timeout=10_000)
    toast = window.capture.surface.toast
    toast.show_kept(Kept("Picture saved"))
    lowest = toast.mapTo(window.pane, toast.rect().bottomRight()).y()
    assert lowest < window.pane.transport.mapTo(window.pane, QPoint()).y()
    window.controller.stop()  # the picture makes room for words: the toast stays above those
    assert toast.isVisible()
    at = toast.mapTo(window.pane.stage, toast.rect().center())
    found = window.pane.stage.childAt(at)
    assert found is toast or toast.isAncestorOf(found)


def test_a_file_named_from_here_is_found_from_elsewhere(window, qtbot, settings, short_clip, monkeypatch):
    monkeypatch.chdir(short_clip.parent)
    window.opener.open(str(Path("..", short_clip.parent.name, short_clip.name)))
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.LIVE, timeout=10_000)
    assert settings.source == str(short_clip)
    assert settings.recent_sources == (str(short_clip),)
    assert Path(settings.last_folder).is_absolute()


@pytest.mark.parametrize("name", ["http://[", "rtsp://[::1", "x" * 5000, "camera:" + "9" * 5000, "a\0.mp4"])
def test_a_name_that_leads_nowhere_fails_in_the_window_and_nowhere_else(window, qtbot, settings, name):
    window.opener.open(name)
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.FAILED, timeout=10_000)
    assert settings.recent_sources == ()


def test_fullscreen_is_nothing_but_the_picture_and_gives_everything_back(window, qtbot, settings):
    window.commands.gallery.setChecked(True)
    assert window.overlays.dock.isVisible()
    window.commands.fullscreen.setChecked(True)
    qtbot.waitUntil(window.isFullScreen)
    assert not window.overlays.dock.isVisible()
    assert settings.shows_gallery  # which is what the next start goes by
    window.commands.fullscreen.setChecked(False)
    qtbot.waitUntil(window.overlays.dock.isVisible)
    assert window.commands.gallery.isChecked()


def test_closed_in_fullscreen_the_window_comes_back_as_it_was_before(window, qtbot, settings):
    window.resize(701, 602)
    window.commands.fullscreen.setChecked(True)
    qtbot.waitUntil(window.isFullScreen)
    window.leave()
    again = MainWindow(Controller(device="cpu"), Settings(Path(settings.store.fileName())))
    qtbot.addWidget(again)
    assert (again.width(), again.height()) == (701, 602) and not again.isFullScreen()
    again.leave()


def test_a_face_that_was_chosen_is_no_other_face_of_the_next_source(window, qtbot, camera):
    stack = window.overlays.stack
    stack.set_on("blur", True)
    stack.set_face("blur", 1)
    go_live(window, qtbot)
    assert [overlay.face_id for overlay in stack.active if overlay.name == "blur"] == [None]


def test_what_went_wrong_with_a_recording_is_said_until_the_next_one(window, qtbot, camera):
    recording = window.capture.controller
    recording.start_recording()
    recording.stop_recording()
    qtbot.waitUntil(lambda: "nothing was recorded" in window.banner.text.lower(), timeout=5000)
    go_live(window, qtbot)
    assert window.banner.isVisible()
    with qtbot.waitSignal(recording.recording_saved, timeout=10_000):
        recording.start_recording()
        assert not window.banner.isVisible()
        recording.stop_recording()
    assert not window.banner.isVisible()


def test_a_minimised_window_lets_go_of_the_camera_if_that_is_wished_for(window, qtbot, settings, camera):
    go_live(window, qtbot)
    window.showMinimized()
    qtbot.waitUntil(window.isMinimized)
    assert window.controller.session_state is SessionState.LIVE
    window.showNormal()
    settings.releases_camera_when_minimised = True
    window.showMinimized()
    qtbot.waitUntil(lambda: camera.closed == camera.opened == 1, timeout=5000)
    assert window.controller.session_state is SessionState.STOPPED
    window.showNormal()
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.LIVE, timeout=5000)
    window.controller.stop()
    window.showMinimized()
    window.showNormal()
    qtbot.waitUntil(lambda: not window.isMinimized())
    assert window.controller.session_state is SessionState.STOPPED, "who stopped it wants it so"


def test_every_key_is_listed_once_and_the_list_fits_the_screen(window, qtbot):
    window.help.show_shortcuts()
    dialog = window.findChild(ShortcutsDialog)
    listed = [keys for _, lines in dialog.groups for _, keys in lines]
    with_keys = [action for action in window.actions() if not action.shortcut().isEmpty()]
    assert len(listed) == len(with_keys) > 40
    words = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert all(keys.replace("&", "&amp;") in words for keys in listed if "<" not in keys)
    room = window.screen().availableSize()
    assert dialog.width() <= room.width() and dialog.height() <= room.height()
    assert [title for title, _ in dialog.groups][:3] == ["Session", "View", "Capture"]
    dialog.close()


def test_leaving_at_once_takes_along_an_editor_that_asks_what_to_do_with_its_changes(window, qtbot):
    editor = window.overlays.gallery.open_editor()
    qtbot.keyClicks(editor.name_edit, "Half done")
    window.close()
    assert window.isVisible() and editor.findChild(QMessageBox).isVisible()
    window.leave()
    QApplication.closeAllWindows()  # as Qt does before it ends main(), unless one refuses
    assert not [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
