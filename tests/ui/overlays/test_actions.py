"""An action and a number key for each overlay."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt


def test_there_is_an_action_for_each_overlay_and_it_follows_the_stack(actions, library, stack):
    assert list(actions.actions) == [info.name for info in library.infos]
    action = actions.actions["keypoints"]
    assert action.text() == "Keypoints"
    action.trigger()
    assert stack.is_on("keypoints") and action.isChecked()
    stack.clear()
    assert not action.isChecked()


def test_number_keys_switch_overlays_in_the_window(qtbot, actions, stack, window):
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_1)
    assert stack.is_on("keypoints")
    actions.set_key("keypoints", "9")
    qtbot.keyClick(window, Qt.Key.Key_1)
    assert stack.is_on("keypoints")
    qtbot.keyClick(window, Qt.Key.Key_9)
    assert not stack.is_on("keypoints")


def test_a_key_is_taken_from_whichever_had_it(qtbot, actions):
    assert (actions.key_of("keypoints"), actions.key_of("numbers")) == ("1", "2")
    with qtbot.waitSignal(actions.keys_changed):
        actions.set_key("numbers", "1")
    assert (actions.key_of("keypoints"), actions.key_of("numbers")) == ("", "1")
    assert actions.keys == {"numbers": "1", "keypoints": ""}
    assert actions.actions["keypoints"].shortcut().isEmpty()
    assert actions.actions["numbers"].shortcut().toString() == "1"
    assert "(1)" in actions.actions["numbers"].toolTip()
    actions.set_key("numbers", "")
    assert actions.key_of("numbers") == ""
    actions.set_key("keypoints", "1")
    actions.set_key("numbers", "2")
    assert actions.keys == {}, "what is as shipped need not be stored"
    with qtbot.assertNotEmitted(actions.keys_changed):
        actions.set_key("numbers", "2")
        actions.set_key("numbers", "10")


def test_keys_are_restored_and_nonsense_among_them_is_passed_over(qtbot, actions):
    with qtbot.assertNotEmitted(actions.keys_changed):
        actions.keys = {"mesh": "1", "numbers": "x", "boxes": "1", "not there": "7"}
    assert actions.key_of("mesh") == "1"
    assert actions.key_of("keypoints") == "", "its key is given to another"
    assert (actions.key_of("numbers"), actions.key_of("boxes")) == ("2", "3")
    shortcuts = [action.shortcut().toString() for action in actions.actions.values()]
    used = [key for key in shortcuts if key]
    assert len(used) == len(set(used))


def test_an_overlay_that_comes_or_goes_gets_or_loses_its_action(qtbot, actions, library, add_own, user_folder, window):
    kept = actions.actions["keypoints"]
    add_own("mine", "Mine & yours")
    library.reload()
    with qtbot.waitSignal(actions.refilled):
        actions.refill()
    mine = actions.actions["mine"]
    assert mine.text() == "Mine && yours"
    assert mine.data() == "picture"
    assert mine in window.actions()
    assert actions.actions["keypoints"] is kept
    library.remove(user_folder / "mine")
    actions.refill()
    assert "mine" not in actions.actions
    assert mine not in window.actions()


@pytest.mark.parametrize("name", ["sunglasses", "sunglasses-round", "blur", "hat"])
def test_icons_are_the_overlays_own(actions, name):
    assert actions.actions[name].data() not in ("picture", "overlays")
    assert not actions.actions[name].icon().isNull()
