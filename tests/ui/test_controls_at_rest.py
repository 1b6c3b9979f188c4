"""The playback bar in fullscreen."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from fkd_desktop.live.playback import Playback
from fkd_desktop.live.result import Position
from fkd_desktop.ui.session_pane import SessionPane
from tests.capture.live_frames import live_frame


@pytest.fixture
def pane(qtbot) -> SessionPane:
    """Return a pane that shows a video, with a bar that rests soon."""
    pane = SessionPane()
    qtbot.addWidget(pane)
    pane.resize(800, 600)
    pane.controls._timer.setInterval(30)
    pane.show()
    pane.transport.set_playback(Playback())
    pane.show_live(live_frame(faces=1))
    pane.transport.show_position(Position("video", 3, 100, 0.1, 4.0))
    pane.transport.show()
    return pane


def is_there(pane: SessionPane) -> bool:
    return pane.transport.isVisible()


def test_below_the_picture_it_stays(pane, qtbot):
    assert is_there(pane)
    assert not pane.controls._timer.isActive()
    assert pane.controls.holder.parent() is pane


def test_in_fullscreen_it_lies_over_the_picture_and_goes_with_the_pointer(pane, qtbot):
    height = pane.stage.height()
    pane.controls.set_floating(True)
    assert is_there(pane)
    qtbot.waitUntil(lambda: not is_there(pane))
    assert pane.stage.height() > height, "the picture has its room"
    assert pane.view.cursor().shape() is Qt.CursorShape.BlankCursor
    pane.controls._timer.setInterval(60_000)
    full = pane.stage.height()
    QTest.mouseMove(pane.view, QPoint(100, 100))
    QTest.mouseMove(pane.view, QPoint(120, 110))
    qtbot.waitUntil(lambda: is_there(pane))
    assert pane.stage.height() == full, "the picture does not jump"
    holder = pane.controls.holder
    assert holder.geometry().bottom() == pane.stage.rect().bottom() and holder.width() == pane.stage.width()
    assert pane.view.cursor().shape() is Qt.CursorShape.ArrowCursor


def test_after_fullscreen_it_is_below_the_picture_again(pane, qtbot):
    height = pane.stage.height()
    pane.controls.set_floating(True)
    qtbot.waitUntil(lambda: not is_there(pane))
    pane.controls.set_floating(False)
    assert is_there(pane)
    qtbot.waitUntil(lambda: pane.stage.height() == height)
    assert pane.view.cursor().shape() is Qt.CursorShape.ArrowCursor
    assert not pane.controls._timer.isActive()


def test_it_stays_while_the_keyboard_is_in_it(pane, qtbot):
    pane.controls.set_floating(True)
    pane.activateWindow()
    pane.transport.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    pane.transport.setFocus()
    qtbot.waitUntil(pane.transport.hasFocus)
    for _ in range(3):
        with qtbot.waitSignal(pane.controls._timer.timeout):
            pass
        assert is_there(pane)
    pane.view.setFocus()
    qtbot.waitUntil(lambda: not is_there(pane))
