"""The list of overlays that are on."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel

from fkd_desktop.overlays.stack import ActiveOverlay
from fkd_desktop.ui.overlays.active_list import ActiveList

FRONT_TO_BACK = ["keypoints", "sunglasses", "hat"]


@pytest.fixture
def active_list(qtbot, stack, library, session):
    listed = ActiveList(stack, library, session.newest)
    qtbot.addWidget(listed)
    listed.resize(300, 400)
    listed.show()
    qtbot.waitExposed(listed)
    return listed


@pytest.fixture
def three(qtbot, active_list, stack):
    for name in reversed(FRONT_TO_BACK):
        stack.set_on(name, True)
    qtbot.waitUntil(lambda: shown(active_list) == FRONT_TO_BACK)
    return active_list


def shown(active_list):
    """Names from top to bottom, as they are seen."""
    return sorted(active_list.rows, key=lambda name: active_list.rows[name].mapTo(active_list, QPoint(0, 0)).y())


def drag_to(widget, place):
    """Move the mouse with its left button down; QTest's own moves have no button."""
    move, left = QEvent.Type.MouseMove, Qt.MouseButton.LeftButton
    at = QPointF(widget.mapFromGlobal(place))
    event = QMouseEvent(move, at, QPointF(place), Qt.MouseButton.NoButton, left, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)


def names(stack):
    return [overlay.name for overlay in reversed(stack.active)]


def test_nothing_is_said_in_words(active_list, stack):
    texts = [label.text() for label in active_list.findChildren(QLabel) if label.isVisible()]
    assert any("Nothing is on" in text for text in texts)
    assert not active_list.clear_button.isVisible()
    stack.set_on("hat", True)
    texts = [label.text() for label in active_list.findChildren(QLabel) if label.isVisible()]
    assert not any("Nothing is on" in text for text in texts)


def test_buttons_move_take_off_and_clear(qtbot, three, stack):
    left = Qt.MouseButton.LeftButton
    qtbot.mouseClick(three.rows["hat"].up_button, left)
    assert names(stack) == ["keypoints", "hat", "sunglasses"]
    qtbot.mouseClick(three.rows["keypoints"].down_button, left)
    assert names(stack) == ["hat", "keypoints", "sunglasses"]
    three._lines.activate()
    assert shown(three) == names(stack)
    assert not three.rows["hat"].up_button.isEnabled() and three.rows["hat"].down_button.isEnabled()
    assert not three.rows["sunglasses"].down_button.isEnabled()
    qtbot.mouseClick(three.rows["keypoints"].remove_button, left)
    assert names(stack) == ["hat", "sunglasses"]
    qtbot.mouseClick(three.clear_button, left)
    assert stack.active == () and three.rows == {}


def test_a_row_is_dragged_to_another_place_by_its_grip(qtbot, three, stack):
    row = three.rows["hat"]
    top = three.rows["keypoints"]
    qtbot.mousePress(row.grip, Qt.MouseButton.LeftButton, pos=row.grip.rect().center())
    start = row.grip.mapToGlobal(row.grip.rect().center())
    end = top.mapToGlobal(top.rect().center()) - QPoint(0, 2)
    for share in (0.25, 0.5, 0.75, 1.0):
        drag_to(row.grip, start + (end - start) * share)
    # The mouse was over the middle of the first row: the dragged one has its place.
    assert names(stack)[0] == "hat"
    assert row.property("held") is True
    qtbot.mouseRelease(row.grip, Qt.MouseButton.LeftButton)
    assert row.property("held") is False
    assert three.rows["hat"] is row, "the row that is in the hand must not be made anew"
    assert shown(three) == names(stack)


def test_the_grip_moves_the_row_by_keys_and_keeps_the_focus(qtbot, three, stack):
    grip = three.rows["sunglasses"].grip
    three.activateWindow()
    grip.setFocus()
    qtbot.keyClick(grip, Qt.Key.Key_Up)
    assert names(stack) == ["sunglasses", "keypoints", "hat"]
    qtbot.keyClick(grip, Qt.Key.Key_Up)
    qtbot.keyClick(grip, Qt.Key.Key_Down)
    qtbot.keyClick(grip, Qt.Key.Key_Down)
    qtbot.keyClick(grip, Qt.Key.Key_Down)
    assert names(stack) == ["keypoints", "hat", "sunglasses"]
    assert three.focusWidget() is grip


def test_opacity_goes_both_ways_and_privacy_has_none(qtbot, three, stack):
    slider = three.rows["hat"].slider
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_PageDown)
    assert next(overlay.opacity for overlay in stack.active if overlay.name == "hat") == pytest.approx(0.9)
    stack.set_opacity("hat", 0.25)
    assert slider.value() == 25
    assert any(label.text() == "25 %" for label in three.rows["hat"].findChildren(QLabel))
    stack.set_on("blur", True)
    assert not three.rows["blur"].slider.isEnabled()
    assert "opaque" in three.rows["blur"].slider.toolTip()


def test_a_face_is_chosen_from_those_in_view(qtbot, three, stack, session, faces_in):
    choice = three.rows["hat"].face_choice
    session.result = faces_in(7, 2)
    choice.showPopup()
    assert [choice.itemText(i) for i in range(choice.count())] == ["All faces", "Face 2", "Face 7"]
    choice.hidePopup()
    choice.setCurrentIndex(2)
    choice.activated.emit(2)
    assert ActiveOverlay("hat", 1.0, 7) in stack.active
    session.result = faces_in(2)
    choice.showPopup()
    choice.hidePopup()
    assert choice.currentText() == "Face 7 (gone)"
    stack.set_face("hat", None)
    assert choice.currentText() == "All faces"


def test_everything_in_a_row_has_a_name_for_screen_readers(three):
    row = three.rows["hat"]
    for widget in (row.grip, row.up_button, row.down_button, row.remove_button, row.slider, row.face_choice):
        assert "Hat" in widget.accessibleName()
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus
