"""Playing: pause, speed, steps, seeks and the end, with a source that costs nothing and with real files."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fkd_desktop.live.playback import Playback
from fkd_desktop.live.reader import FrameReader
from fkd_desktop.live.result import Frame, Position
from fkd_desktop.live.sources import FrameSource, VideoSource, make_source
from tests.live.helpers import WAIT_S, number_in, number_of, numbered_picture, save, write_numbered_video

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("threads_end")


class Film(FrameSource):
    """Frames that carry their number in the first pixel; counts what is asked of it."""

    can_seek = True

    def __init__(self, frames: int = 20, *, step_s: float = 0.02, loop: bool = False, is_still: bool = False) -> None:
        self.label, self.loop = "Film", loop
        self._frames, self._step_s, self._is_still = frames, step_s, is_still
        self._next, self._offset_s = 0, 0.0
        self.reads, self.seeks = 0, 0
        self.gate: threading.Event | None = None
        self.entered = threading.Event()

    def open(self) -> None:
        pass

    def read(self) -> Frame | None:
        self.reads += 1
        if self.gate is not None:
            self.entered.set()
            assert self.gate.wait(WAIT_S)
        if self._next >= self._frames:
            if not self.loop:
                return None
            self._offset_s, self._next = self._offset_s + self._frames * self._step_s, 0
        index, self._next = self._next, self._next + 1
        kind = "pictures" if self._is_still else "video"
        time_s = index * self._step_s
        position = Position(kind, index, self._frames, time_s, self._frames * self._step_s)
        image = np.full((4, 4, 3), index, np.uint8)
        return Frame(image, self._offset_s + time_s, 0.0, position=position, is_still=self._is_still)

    def seek(self, *, time_s: float | None = None, index: int | None = None) -> None:
        self.seeks += 1
        wanted = round(time_s / self._step_s) if time_s is not None else index or 0
        self._next, self._offset_s = min(max(0, wanted), self._frames - 1), 0.0

    def close(self) -> None:
        pass


def play(source: FrameSource, playback: Playback | None) -> FrameReader:
    return FrameReader(lambda: source, playback=playback)


def next_number(reader: FrameReader) -> int:
    frame = reader.get(timeout_s=WAIT_S)
    assert frame is not None, "no frame came"
    return number_of(frame)


def wait_until(what: Callable[[], bool]) -> None:
    deadline_s = time.perf_counter() + WAIT_S
    while not what():
        assert time.perf_counter() < deadline_s
        threading.Event().wait(0.002)


def nothing_comes(reader: FrameReader) -> bool:
    return reader.get(timeout_s=0.15) is None


# --- pause and steps


def test_paused_the_frame_stays_and_is_no_stall() -> None:
    playback = Playback(paused=True)
    with play(Film(), playback) as reader:
        assert next_number(reader) == 0, "the first one is shown also when paused"
        assert nothing_comes(reader)
        assert reader.holds_next and not reader.waits_at_end and not reader.ended
        playback.resume()
        assert next_number(reader) == 1


def test_after_a_long_pause_it_goes_on_at_its_pace() -> None:
    playback = Playback(paused=True)
    with play(Film(step_s=0.1), playback) as reader:
        assert next_number(reader) == 0
        assert nothing_comes(reader)
        playback.resume()
        taken = [reader.get(timeout_s=WAIT_S) for _ in range(3)]
        assert [number_of(frame) for frame in taken if frame] == [1, 2, 3]
        assert taken[0] is not None and taken[2] is not None
        assert taken[2].captured_s - taken[0].captured_s > 0.15, "it rushed to catch up with the pause"


def test_stepping_shows_one_frame_at_a_time() -> None:
    playback, film = Playback(paused=True), Film()
    with play(film, playback) as reader:
        assert next_number(reader) == 0
        for by, number in ((1, 1), (1, 2), (5, 7), (-1, 6), (-2, 4), (-99, 0), (99, 19)):
            playback.step(by)
            assert next_number(reader) == number
            assert nothing_comes(reader) if by in (5, -99) else True


def test_a_step_on_takes_the_frame_that_was_read_ahead() -> None:
    playback, film = Playback(paused=True), Film()
    with play(film, playback) as reader:
        assert next_number(reader) == 0
        wait_until(lambda: reader.holds_next)
        playback.step(1)
        assert next_number(reader) == 1
        assert film.seeks == 0


def test_a_step_pauses_a_playing_film() -> None:
    playback = Playback()
    with play(Film(frames=1000, step_s=0.01), playback) as reader:
        next_number(reader)
        playback.step(1)
        assert playback.paused
        wait_until(lambda: reader.holds_next)
        reader.get(timeout_s=0.1)
        assert nothing_comes(reader)


# --- seeks


@pytest.mark.parametrize("paused", [False, True])
def test_a_seek_shows_its_frame_at_once(paused: bool) -> None:
    playback = Playback(paused=paused)
    with play(Film(frames=200, step_s=10.0), playback) as reader:
        assert next_number(reader) == 0
        for time_s, number in ((500.0, 50), (120.0, 12), (1e9, 199)):
            playback.seek(time_s)
            assert next_number(reader) == number
        assert playback.paused == paused


def test_a_seek_and_a_step_are_fulfilled_together() -> None:
    playback, film = Playback(paused=True), Film(frames=100)
    film.gate = threading.Event()
    with play(film, playback) as reader:
        assert film.entered.wait(WAIT_S)
        playback.go_to(50)
        playback.step(3)
        film.gate.set()
        wait_until(lambda: film.seeks > 0)
        numbers = {next_number(reader)}
        while (frame := reader.get(timeout_s=0.2)) is not None:
            numbers.add(number_of(frame))
        assert max(numbers) == 53 and numbers <= {0, 53}


def test_seeks_that_come_too_fast_become_one() -> None:
    playback, film = Playback(paused=True), Film(frames=200)
    with play(film, playback) as reader:
        assert next_number(reader) == 0
        wait_until(lambda: reader.holds_next)
        film.gate = threading.Event()
        film.entered.clear()
        playback.go_to(1)
        assert film.entered.wait(WAIT_S)
        for number in range(2, 150):  # a dragged slider, while the decoder is at work
            playback.go_to(number)
        film.gate.set()
        wait_until(lambda: (frame := reader.get(timeout_s=0.1)) is not None and number_of(frame) == 149)
        assert film.seeks == 2


# --- speed


@pytest.mark.parametrize(("speed", "expected_s"), [(0.5, 1.2), (4.0, 0.15)])
def test_speed_changes_the_pace(speed: float, expected_s: float) -> None:
    playback = Playback(speed=speed)
    with play(Film(frames=4, step_s=0.2), playback) as reader:
        taken = [reader.get(timeout_s=WAIT_S) for _ in range(4)]
    times_s = [frame.captured_s for frame in taken if frame is not None]
    assert len(times_s) == 4
    assert expected_s - 0.05 < times_s[-1] - times_s[0] < expected_s + 0.5


def test_a_new_speed_counts_at_once() -> None:
    playback = Playback(speed=0.25)
    with play(Film(frames=3, step_s=2.0), playback) as reader:
        assert next_number(reader) == 0
        wait_until(lambda: reader.holds_next)
        start_s = time.perf_counter()
        playback.set_speed(4.0)
        assert next_number(reader) == 1
        assert time.perf_counter() - start_s < 2.0, "at the old speed it would have taken 8 s"


# --- the end


def test_a_film_waits_at_its_end_and_starts_again_when_it_is_resumed() -> None:
    playback = Playback()
    with play(Film(frames=3), playback) as reader:
        assert [next_number(reader) for _ in range(3)] == [0, 1, 2]
        wait_until(lambda: reader.waits_at_end)
        assert not reader.ended and reader.holds_next and playback.at_end
        assert nothing_comes(reader)
        playback.resume()
        assert next_number(reader) == 0
        assert not reader.waits_at_end


def test_at_the_end_one_can_step_back_and_seek() -> None:
    playback = Playback()
    with play(Film(frames=5, step_s=0.01), playback) as reader:
        wait_until(lambda: reader.waits_at_end)
        reader.get(timeout_s=0.1)
        playback.step(-1)
        assert next_number(reader) == 3
        playback.step(1)
        assert next_number(reader) == 4
        wait_until(lambda: reader.waits_at_end)  # also paused, the next resume starts again
        playback.resume()
        assert next_number(reader) == 0


def test_a_looping_film_goes_on_with_rising_times() -> None:
    with play(Film(frames=4, step_s=0.01, loop=True), playback := Playback()) as reader:
        frames = [reader.get(timeout_s=WAIT_S) for _ in range(10)]
        assert playback.loop, "a source that loops by itself is played so"
        times_s = [frame.timestamp_s for frame in frames if frame is not None]
        assert len(times_s) == 10 and times_s == sorted(set(times_s))
        playback.set_loop(False)
        wait_until(lambda: reader.get(timeout_s=0.01) is None and reader.waits_at_end)


def test_switching_the_loop_on_at_the_end_goes_on() -> None:
    playback = Playback()
    with play(Film(frames=3), playback) as reader:
        wait_until(lambda: reader.waits_at_end)
        reader.get(timeout_s=0.1)
        playback.set_loop(True)
        assert next_number(reader) == 0


def test_without_playback_a_film_just_ends() -> None:
    with play(Film(frames=3), None) as reader:
        assert [next_number(reader) for _ in range(3)] == [0, 1, 2]
        wait_until(lambda: reader.ended)
        assert not reader.waits_at_end


def test_a_source_in_which_one_cannot_move_ends_also_with_playback() -> None:
    class Fixed(Film):
        can_seek = False

    playback = Playback()
    with play(Fixed(frames=3), playback) as reader:
        playback.seek(0.02)
        assert [next_number(reader) for _ in range(3)] == [0, 1, 2]
        wait_until(lambda: reader.ended)


# --- pictures


def test_a_picture_stays_until_another_is_wished_for() -> None:
    playback, film = Playback(), Film(frames=4, step_s=0.01, is_still=True)
    with play(film, playback) as reader:
        assert next_number(reader) == 0
        assert nothing_comes(reader)
        assert reader.holds_next and not reader.waits_at_end
        assert film.reads == 1, "the next picture is not read before it is wished for"
        for act, number in (
            (lambda: playback.step(1), 1),
            (lambda: playback.step(2), 3),
            (lambda: playback.step(1), 3),
            (lambda: playback.go_to(0), 0),
            (lambda: playback.step(-1), 0),
        ):
            act()
            assert next_number(reader) == number


@pytest.mark.parametrize("playback", [None, Playback()])
def test_worked_through_every_frame_comes(playback: Playback | None) -> None:
    film = Film(frames=30, step_s=100.0, is_still=True)
    with FrameReader(lambda: film, every_frame=True, playback=playback) as reader:
        assert [next_number(reader) for _ in range(30)] == list(range(30))
        wait_until(lambda: reader.ended)


# --- closing


@pytest.mark.parametrize("state", ["paused", "at end", "picture", "playing", "far away"])
def test_it_can_be_closed_at_once(state: str) -> None:
    playback = Playback(paused=state == "paused")
    film = Film(frames=2, step_s=1e6 if state == "far away" else 0.01, is_still=state == "picture")
    with play(film, playback) as reader:
        assert reader.get(timeout_s=WAIT_S) is not None
        if state == "at end":
            wait_until(lambda: reader.waits_at_end)
        elif state != "playing":
            wait_until(lambda: reader.holds_next)
        start_s = time.perf_counter()
        assert reader.close(timeout_s=2.0)
        assert time.perf_counter() - start_s < 1.0


def test_waiting_costs_nothing() -> None:
    playback, film = Playback(paused=True), Film()
    with play(film, playback) as reader:
        assert next_number(reader) == 0
        wait_until(lambda: reader.holds_next)
        used_s = time.process_time()
        assert nothing_comes(reader)
        assert time.process_time() - used_s < 0.1
        assert film.reads == 2


# --- real files


def test_a_real_video_is_stepped_and_sought_in(tmp_path: Path) -> None:
    path = write_numbered_video(tmp_path / "clip.mp4", frames=90, options={"bf": "3", "g": "60"})
    playback = Playback(paused=True)
    with play(VideoSource(path), playback) as reader:
        for act, number in (
            (lambda: None, 0),
            (lambda: playback.seek(2.0), 60),
            (lambda: playback.step(1), 61),
            (lambda: playback.step(-3), 58),
            (lambda: playback.go_to(89), 89),
            (lambda: playback.step(1), 89),
            (playback.resume, 0),
        ):
            if act is playback.resume:
                wait_until(lambda: playback.at_end)
            act()
            assert number_in(reader.get(timeout_s=WAIT_S)) == number


def test_real_pictures_are_gone_through(tmp_path: Path) -> None:
    for number, name in enumerate(["1.png", "2.png", "10.png"]):
        save(tmp_path / name, numbered_picture(number))
    playback = Playback()
    with FrameReader(partial(make_source, str(tmp_path / "2.png"), with_neighbours=True), playback=playback) as reader:
        assert number_in(reader.get(timeout_s=WAIT_S)) == 1
        for by, number in ((1, 2), (1, 2), (-1, 1), (-5, 0)):
            playback.step(by)
            assert number_in(reader.get(timeout_s=WAIT_S)) == number
