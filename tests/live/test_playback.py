"""Wishes of the user: they may come from any thread, and the newest counts."""

from __future__ import annotations

import threading

import pytest

from fkd_desktop.live.playback import MAX_SPEED, MIN_SPEED, Move, Playback
from tests.live.helpers import WAIT_S


def test_it_begins_playing_at_its_own_pace() -> None:
    playback = Playback()
    assert (playback.paused, playback.speed, playback.loop, playback.at_end) == (False, 1.0, False, False)
    assert playback.take_move() is None


def test_toggling_pauses_and_resumes() -> None:
    playback = Playback()
    playback.toggle()
    assert playback.paused
    playback.toggle()
    assert not playback.paused


@pytest.mark.parametrize(("wish", "speed"), [(2, 2.0), (0.01, MIN_SPEED), (99, MAX_SPEED)])
def test_speeds_have_limits(wish: float, speed: float) -> None:
    playback = Playback()
    playback.set_speed(wish)
    assert playback.speed == speed


@pytest.mark.parametrize("wish", [float("nan"), float("inf")])
def test_a_speed_is_a_number(wish: float) -> None:
    with pytest.raises(ValueError, match="makes no sense"):
        Playback().set_speed(wish)


def test_of_many_seeks_the_newest_counts() -> None:
    playback = Playback()
    for time_s in (1.0, 2.0, -3.0):
        playback.seek(time_s)
    assert playback.take_move() == Move(time_s=0.0)
    assert playback.take_move() is None
    playback.seek(1.0)
    playback.go_to(7)
    assert playback.take_move() == Move(index=7)


def test_steps_add_up_from_the_newest_place_and_pause() -> None:
    playback = Playback()
    playback.step(1)
    playback.step(1)
    playback.step(-3)
    assert playback.take_move() == Move(by=-1)
    assert playback.paused
    playback.seek(4.0)
    playback.step(2)
    assert playback.take_move() == Move(time_s=4.0, by=2)
    playback.step(2)
    playback.go_to(5)
    assert playback.take_move() == Move(index=5)


def test_a_seek_leaves_the_pause_as_it_is() -> None:
    playback = Playback(paused=True)
    playback.seek(1.0)
    assert playback.paused
    playback.resume()
    playback.seek(2.0)
    assert not playback.paused


@pytest.mark.parametrize("resume", [Playback.resume, Playback.toggle])
@pytest.mark.parametrize("paused", [False, True])
def test_at_the_end_playing_starts_again(resume: object, paused: bool) -> None:
    playback = Playback(paused=paused)
    assert playback.come_to_end() and playback.at_end
    resume(playback)  # type: ignore[operator]
    assert playback.take_move() == Move(index=0)
    assert not playback.at_end and not playback.paused


def test_it_is_not_the_end_for_who_has_moved_on() -> None:
    playback = Playback()
    playback.seek(1.0)
    assert not playback.come_to_end() and not playback.at_end


@pytest.mark.parametrize(
    "act",
    [
        Playback.pause, Playback.resume, Playback.wake, lambda p: p.seek(1.0), lambda p: p.go_to(1),
        lambda p: p.step(1), lambda p: p.set_loop(True), lambda p: p.set_speed(2.0),
    ],
)  # fmt: skip
def test_whoever_waits_hears_of_everything(act: object) -> None:
    playback = Playback()
    since = playback.changes
    assert not playback.wait_for_change(since, timeout_s=0.001)
    heard = threading.Event()
    thread = threading.Thread(target=lambda: playback.wait_for_change(since, timeout_s=WAIT_S) and heard.set())
    thread.start()
    act(playback)  # type: ignore[operator]
    thread.join(WAIT_S)
    assert heard.is_set()
