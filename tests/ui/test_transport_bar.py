"""The bar under the picture: what it shows, and what it asks of the playback."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QToolButton, QVBoxLayout, QWidget

from fkd_desktop.live.playback import Move, Playback
from fkd_desktop.live.result import Position
from fkd_desktop.live.sources import PicturePosition
from fkd_desktop.ui import transport_bar
from fkd_desktop.ui.seek_slider import SeekSlider
from fkd_desktop.ui.transport_bar import TransportBar

if TYPE_CHECKING:
    from PySide6.QtGui import QAction
    from pytestqt.qtbot import QtBot


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    QVBoxLayout(window)
    window.resize(700, 100)
    window.show()
    return window


@pytest.fixture
def bar(window: QWidget) -> TransportBar:
    bar = TransportBar()
    layout = window.layout()
    assert layout is not None
    layout.addWidget(bar)
    window.addActions(bar.actions_for_window())
    return bar


@pytest.fixture
def playback(bar: TransportBar) -> Playback:
    playback = Playback()
    bar.set_playback(playback)
    return playback


def at(time_s: float, duration_s: float = 30.0) -> Position:
    return Position("video", round(30 * time_s), round(30 * duration_s), time_s, duration_s)


def picture(index: int, count: int = 12) -> PicturePosition:
    return PicturePosition("pictures", index, count, path=Path(f"/pictures/number {index}.jpg"))


def label(bar: TransportBar, name: str) -> str:
    return next(found.text() for found in bar.findChildren(QLabel) if found.accessibleName() == name)


def action(bar: TransportBar, key: str) -> QAction:
    return next(found for found in bar.actions_for_window() if found.shortcut().toString() == key)


def slider(bar: TransportBar) -> SeekSlider:
    found = bar.findChild(SeekSlider)
    assert isinstance(found, SeekSlider)
    return found


def place(bar: TransportBar, share: float) -> QPoint:
    return QPoint(round(share * slider(bar).width()), slider(bar).height() // 2)


# --- what it shows


def test_it_is_there_only_where_one_can_move(bar: TransportBar) -> None:
    assert not bar.isVisible()
    bar.show_position(at(1.0))
    assert not bar.isVisible(), "there is no playback"
    bar.set_playback(Playback())
    assert not bar.isVisible()
    bar.show_position(at(1.0))
    assert bar.isVisible()
    bar.set_playback(None)
    assert not bar.isVisible()
    bar.set_playback(Playback())
    bar.show_position(picture(0, count=1))
    assert not bar.isVisible(), "a single picture has nowhere to go"


@pytest.mark.usefixtures("playback")
@pytest.mark.parametrize(
    ("time_s", "duration_s", "texts"),
    [(12.9, 30.0, ("0:12", "0:30")), (0.0, 754.2, ("0:00", "12:34")), (3700.0, 7325.0, ("1:01:40", "2:02:05"))],
)
def test_times_read_as_in_a_player(bar: TransportBar, time_s: float, duration_s: float, texts: tuple[str, str]) -> None:
    bar.show_position(at(time_s, duration_s))
    assert (label(bar, "Time"), label(bar, "Length")) == texts
    assert slider(bar).value() == pytest.approx(1000 * time_s, abs=1)
    assert slider(bar).maximum() == pytest.approx(1000 * duration_s, abs=1)


@pytest.mark.usefixtures("playback")
def test_of_pictures_it_shows_the_number_and_the_file(bar: TransportBar) -> None:
    bar.show_position(picture(2))
    assert label(bar, "Number of the picture") == "3 of 12"
    assert label(bar, "File") == "number 2.jpg"
    assert not slider(bar).isVisible()
    bar.show_position(at(1.0))
    assert slider(bar).isVisible()


@pytest.mark.usefixtures("playback")
def test_it_is_updated_at_most_fifteen_times_a_second(
    bar: TransportBar, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[float] = []
    monkeypatch.setattr(bar, "_show_time", lambda position: shown.append(position.time_s))
    for number in range(100):
        bar.show_position(at(number / 100))
    assert shown == [0.0]
    qtbot.waitUntil(lambda: shown == [0.0, 0.99])


def test_the_button_says_what_it_does_next(bar: TransportBar, playback: Playback) -> None:
    bar.show_position(at(1.0))
    assert bar.play_action.text() == "Pause"
    bar.play_action.trigger()
    assert playback.paused and bar.play_action.text() == "Play"
    bar.play_action.trigger()
    assert not playback.paused and bar.play_action.text() == "Pause"
    playback.come_to_end()
    bar.show_at_end(True)
    assert bar.play_action.text() == "Play"
    bar.play_action.trigger()
    assert playback.take_move() == Move(index=0)


def test_at_the_end_the_slider_is_at_the_end(bar: TransportBar, playback: Playback) -> None:
    bar.show_position(at(29.97))
    assert label(bar, "Time") == "0:29"
    playback.come_to_end()
    bar.show_at_end(True)
    assert label(bar, "Time") == "0:30" and slider(bar).value() == slider(bar).maximum()


def test_whoever_shows_the_state_too_hears_of_it(bar: TransportBar, playback: Playback, qtbot: QtBot) -> None:
    bar.show_position(at(1.0))
    for act, plays in (
        (action(bar, ".").trigger, False),
        (bar.play_action.trigger, True),
        (lambda: (playback.take_move(), playback.come_to_end(), bar.show_at_end(True)), False),
    ):
        with qtbot.waitSignal(bar.playing_changed) as told:
            act()
        assert told.args == [plays]


# --- keys


def test_keys_move_in_a_video(bar: TransportBar, playback: Playback, window: QWidget, qtbot: QtBot) -> None:
    bar.show_position(at(12.0))
    for key, move in (
        (Qt.Key.Key_Right, Move(time_s=17.0)),
        (Qt.Key.Key_Right, Move(time_s=22.0)),  # from where one wants to be, not from the frame still on the screen
        (Qt.Key.Key_Left, Move(time_s=17.0)),
        (Qt.Key.Key_Home, Move(time_s=0.0)),
        (Qt.Key.Key_End, Move(time_s=30.0)),
        (Qt.Key.Key_Period, Move(by=1)),
        (Qt.Key.Key_Comma, Move(by=-1)),
    ):
        qtbot.keyClick(window, key)
        assert playback.take_move() == move
    assert playback.paused, "a step pauses"


def test_keys_go_through_pictures(bar: TransportBar, playback: Playback, window: QWidget, qtbot: QtBot) -> None:
    bar.show_position(picture(5))
    for key, move in (
        (Qt.Key.Key_Right, Move(by=1)),
        (Qt.Key.Key_Left, Move(by=-1)),
        (Qt.Key.Key_Home, Move(index=0)),
        (Qt.Key.Key_End, Move(index=11)),
    ):
        qtbot.keyClick(window, key)
        assert playback.take_move() == move


def test_keys_choose_speed_and_loop(bar: TransportBar, playback: Playback, window: QWidget, qtbot: QtBot) -> None:
    bar.show_position(at(1.0))
    with qtbot.waitSignal(bar.speed_changed) as told:
        qtbot.keyClick(window, Qt.Key.Key_BracketRight)
    assert told.args == [1.25] and playback.speed == 1.25
    for _ in range(20):
        qtbot.keyClick(window, Qt.Key.Key_BracketLeft)
    assert playback.speed == 0.25
    with qtbot.waitSignal(bar.loop_changed) as told:
        qtbot.keyClick(window, Qt.Key.Key_L)
    assert told.args == [True] and playback.loop


def test_what_makes_no_sense_is_disabled(bar: TransportBar) -> None:
    assert not any(found.isEnabled() for found in bar.actions_for_window())
    bar.set_playback(Playback())
    bar.show_position(at(1.0))
    assert all(found.isEnabled() for found in bar.actions_for_window())
    bar.set_playback(Playback())
    assert not any(found.isEnabled() for found in bar.actions_for_window())
    bar.show_position(picture(0, count=3))
    assert {found.text() for found in bar.actions_for_window() if found.isEnabled()} == {"Next picture", "Last picture"}
    assert not action(bar, "L").isEnabled()


def test_every_action_has_a_name_and_a_key_of_its_own(bar: TransportBar) -> None:
    actions = bar.actions_for_window()
    assert all(found.text() and found.toolTip() for found in actions)
    keys = [found.shortcut().toString() for found in actions]
    assert "" not in keys and len(set(keys)) == len(keys)


def test_all_that_takes_the_focus_has_a_name(bar: TransportBar) -> None:
    bar.set_playback(Playback())
    bar.show_position(at(1.0))
    focusable = [found for found in bar.findChildren(QWidget) if found.focusPolicy() != Qt.FocusPolicy.NoFocus]
    assert slider(bar) in focusable
    for found in focusable:
        assert found.accessibleName() or (isinstance(found, QToolButton) and found.text()), found


# --- the slider


def test_a_click_goes_there(bar: TransportBar, playback: Playback, qtbot: QtBot) -> None:
    bar.show_position(at(0.0))
    qtbot.mouseClick(slider(bar), Qt.MouseButton.LeftButton, pos=place(bar, 0.5))
    move = playback.take_move()
    assert move is not None and move.time_s == pytest.approx(15.0, abs=0.3)
    assert not playback.paused, "it goes on from there"


def test_while_it_is_dragged_the_slider_stays_with_the_pointer(
    bar: TransportBar, playback: Playback, qtbot: QtBot
) -> None:
    bar.show_position(at(0.0))
    qtbot.mousePress(slider(bar), Qt.MouseButton.LeftButton, pos=place(bar, 0.2))
    assert playback.paused, "a film that goes on would fight with the pointer"
    assert bar.play_action.text() == "Pause", "but it is not the user who pauses"
    qtbot.mouseMove(slider(bar), place(bar, 0.8))
    move = playback.take_move()
    assert move is not None and move.time_s == pytest.approx(24.0, abs=0.5)
    bar.show_position(at(6.0))
    qtbot.waitUntil(lambda: not bar._is_stale)
    assert slider(bar).value() == pytest.approx(24_000, abs=500)
    qtbot.mouseRelease(slider(bar), Qt.MouseButton.LeftButton, pos=place(bar, 0.8))
    assert not playback.paused


def test_a_paused_film_stays_paused_after_a_drag(bar: TransportBar, playback: Playback, qtbot: QtBot) -> None:
    playback.pause()
    bar.show_position(at(0.0))
    qtbot.mouseClick(slider(bar), Qt.MouseButton.LeftButton, pos=place(bar, 0.5))
    assert playback.paused


def test_dragged_to_the_end_it_stays_there(bar: TransportBar, playback: Playback, qtbot: QtBot) -> None:
    bar.show_position(at(0.0))
    qtbot.mousePress(slider(bar), Qt.MouseButton.LeftButton, pos=place(bar, 1.0))
    playback.take_move()
    playback.come_to_end()  # the reader is quicker than the user's finger
    slider(bar).setSliderDown(False)
    assert playback.take_move() is None, "it started again"


def test_frames_from_before_a_seek_do_not_take_the_slider_back(
    bar: TransportBar, playback: Playback, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bar.show_position(at(2.0))
    action(bar, "Right").trigger()
    assert playback.take_move() == Move(time_s=7.0)
    bar._show_newest()
    bar.show_position(at(2.1))
    bar._show_newest()
    assert slider(bar).value() == 7000 and label(bar, "Time") == "0:07"
    bar.show_position(at(7.4))
    qtbot.waitUntil(lambda: slider(bar).value() == 7400)
    monkeypatch.setattr(transport_bar, "_SETTLE_S", 0.2)  # a wish that nobody fulfils is given up
    action(bar, "Right").trigger()
    assert slider(bar).value() == 12_400
    qtbot.waitUntil(lambda: slider(bar).value() == 7400)


def test_the_wheel_moves_in_the_video(bar: TransportBar, playback: Playback, qtbot: QtBot) -> None:
    bar.show_position(at(10.0))
    slider(bar).setFocus()
    slider(bar).triggerAction(SeekSlider.SliderAction.SliderPageStepAdd)
    assert playback.take_move() == Move(time_s=16.0)
