"""What a user can ask for, and where it is found."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMenu, QToolBar, QToolButton

from tests.capture.live_frames import RedLayer, live_frame


def test_every_action_has_words_an_icon_and_a_tip_and_keys_are_not_given_twice(window):
    actions = window.actions()
    assert len(actions) == 8
    assert all(action.text() and not action.icon().isNull() for action in actions)
    assert all(action.toolTip() for action in actions)
    keys = [action.shortcut().toString() for action in actions if not action.shortcut().isEmpty()]
    assert keys == ["Ctrl+S", "Ctrl+Shift+S", "Ctrl+Shift+B", "Ctrl+C", "Ctrl+R"]
    assert "Ctrl+S" in window.actions_.snapshot.toolTip()


def test_all_of_it_is_in_the_menu(window):
    menu = QMenu()
    window.actions_.fill_menu(menu)
    found = {action for action in menu.actions() if not action.isSeparator() and action.menu() is None}
    assert found == set(window.actions())
    letters = [a.text().partition("&")[2][:1].lower() for a in menu.actions() if a.text()]
    assert len(set(letters)) == len(letters) and all(letters)


def test_the_key_takes_a_picture(window, stage, qtbot):
    with qtbot.waitSignal(stage.capture.picture_saved, timeout=5000):
        qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)


def test_a_picture_with_and_without_overlays(window, stage, qtbot):
    import cv2

    stage.shown, stage.layers = live_frame(90, faces=1), (RedLayer(),)
    reds = []
    for action in (window.actions_.snapshot, window.actions_.snapshot_plain):
        with qtbot.waitSignal(stage.capture.picture_saved, timeout=5000) as saved:
            action.trigger()
        reds.append(int(cv2.imread(saved.args[0])[120, 10, 2]))
    assert reds == [255, 90]


def test_recording_changes_what_its_action_says(window, stage, qtbot):
    record = window.actions_.record
    assert record.text() == "&Record" and record.data() == "record"
    record.trigger()
    assert stage.capture.is_recording
    assert record.text() == "Stop &recording" and record.data() == "record-stop"
    with qtbot.waitSignal(stage.capture.recording_saved, timeout=5000):
        record.trigger()
    assert record.text() == "&Record"


def test_the_countdown_is_chosen_in_its_menu(window, stage, qtbot):
    choices = window.actions_.countdown_menu.actions()
    assert [action.isChecked() for action in choices] == [True, False, False, False]
    with qtbot.waitSignal(window.actions_.countdown_chosen) as chosen:
        choices[2].trigger()
    assert chosen.args == [5] and stage.capture.countdown_s == 5
    window.actions_.set_countdown(10)
    assert [action.isChecked() for action in choices] == [False, False, False, True]
    window.actions_.set_countdown(99)
    assert choices[0].isChecked() and stage.capture.countdown_s == 0


def test_without_a_picture_there_is_nothing_to_keep_but_a_recording_may_wait(window):
    window.actions_.set_picture_there(False)
    enabled = {action for action in window.actions() if action.isEnabled()}
    actions = window.actions_
    assert enabled == {actions.record, actions.open_pictures, actions.open_films, actions.virtual_camera}
    actions.set_picture_there(True)
    assert all(action.isEnabled() for action in window.actions())


@pytest.mark.parametrize("exists", [True, False])
def test_folders_are_opened_or_what_there_is_of_them(window, stage, monkeypatch, tmp_path, exists):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    if exists:
        stage.capture.videos_folder.mkdir()
    window.actions_.open_films.trigger()
    assert opened == [str(stage.capture.videos_folder if exists else tmp_path)]


def test_the_toolbar_has_pictures_with_their_kinds_and_recording(window):
    bar = QToolBar()
    window.actions_.add_to_toolbar(bar)
    button = next(b for b in bar.findChildren(QToolButton) if b.defaultAction() is window.actions_.snapshot)
    assert window.actions_.burst in button.menu().actions()
    assert window.actions_.record in bar.actions()


def test_icons_follow_the_palette(window, qapp):
    before = {action: action.icon().cacheKey() for action in window.actions()}
    window.actions_.refresh_icons()
    assert all(action.icon().cacheKey() != before[action] for action in window.actions())
    assert QEvent.Type.PaletteChange  # the window calls it then
