"""A right click on a face."""

from __future__ import annotations

import pytest

from fkd_desktop.ui.overlays.face_menu import FaceMenu


@pytest.fixture
def menu(qtbot, stack, library):
    menu = FaceMenu(stack, library)
    qtbot.addWidget(menu)
    return menu


def action(menu, text):
    return next(action for action in menu.actions() if text in action.text())


def test_an_overlay_is_given_to_one_face_and_back_to_all(menu, stack):
    stack.set_on("sunglasses", True)
    stack.set_on("keypoints", True)
    only = action(menu.for_face(3), "Sunglasses only on this face")
    assert not only.isChecked()
    only.trigger()
    assert {overlay.name: overlay.face_id for overlay in stack.active} == {"sunglasses": 3, "keypoints": None}
    only = action(menu.for_face(3), "Sunglasses only on this face")
    assert only.isChecked()
    only.trigger()
    assert all(overlay.face_id is None for overlay in stack.active)


def test_it_says_that_another_face_has_it_and_takes_it(menu, stack):
    stack.set_on("sunglasses", True)
    stack.set_face("sunglasses", 1)
    instead = action(menu.for_face(2), "Sunglasses on this face instead of face 1")
    assert not instead.isChecked()
    instead.trigger()
    assert stack.active[0].face_id == 2
    action(menu.for_face(2), "every face").trigger()
    assert stack.active[0].face_id is None


def test_nothing_on_is_said_in_words_and_something_can_be_added_here(menu, stack):
    nothing = action(menu.for_face(1), "No overlay is on")
    assert not nothing.isEnabled()
    assert not any("every face" in action.text() for action in menu.actions())
    add = action(menu, "Add to this face").menu()
    action(add, "Hat").trigger()
    assert [(overlay.name, overlay.face_id) for overlay in stack.active] == [("hat", 1)]
