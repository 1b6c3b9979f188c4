"""The reader's thread: the pace of files, the newest frame of cameras, and sources that never answer."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from functools import partial
from typing import TYPE_CHECKING

import pytest

from fkd_desktop.errors import SourceError
from fkd_desktop.live.reader import FrameReader
from fkd_desktop.live.sources import make_source
from tests.live.helpers import WAIT_S, ScriptedSource, assert_one_clear_sentence, number_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.live.result import Frame
    from fkd_desktop.live.sources import FrameSource

pytestmark = pytest.mark.usefixtures("threads_end")


@pytest.fixture
def reader_of(register: Callable[[str, Callable[[str], FrameSource]], None]) -> Callable[..., FrameReader]:
    """Read a source that is found through the real registry."""

    def make(source: FrameSource, *, every_frame: bool = False) -> FrameReader:
        register("scripted", lambda _: source)
        return FrameReader(partial(make_source, "scripted:"), every_frame=every_frame)

    return make


def raise_source_error() -> None:
    raise SourceError("the scripted source broke; choose another one")


def take_all(reader: FrameReader) -> list[Frame]:
    """Take frames until the source has ended."""
    frames = []
    deadline_s = time.perf_counter() + WAIT_S
    while not reader.ended:
        assert time.perf_counter() < deadline_s
        frame = reader.get(timeout_s=0.05)
        if frame is not None:
            frames.append(frame)
    return frames


class Gate:
    """A call that hangs until the test lets it go, like a driver's."""

    def __init__(self) -> None:
        self.entered, self.leave = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.entered.set()
        assert self.leave.wait(WAIT_S), "nobody opened the gate"


# --- pace


def test_a_file_is_paced_by_its_times(reader_of: Callable[..., FrameReader]) -> None:
    times_s = [0.0, 0.03, 0.05, 0.2, 0.21]
    with reader_of(ScriptedSource(times_s)) as reader:
        frames = take_all(reader)
    assert [number_of(f) for f in frames] == [0, 1, 2, 3, 4]
    shown_s = [f.captured_s - frames[0].captured_s for f in frames]
    for due_s, shown in zip(times_s, shown_s, strict=True):
        assert due_s - 0.05 < shown < due_s + 0.5  # a busy machine may be late with any of them, the first too


def test_a_reader_that_is_over_holds_itself_no_longer(reader_of: Callable[..., FrameReader]) -> None:
    """Else it and its last frames stay until Python's collector comes by, which counts objects and not megabytes."""
    gc.disable()
    try:
        with reader_of(ScriptedSource([0.0, 0.01])) as reader:
            take_all(reader)
        gone = weakref.ref(reader)
        del reader
        assert gone() is None
    finally:
        gc.enable()


def test_a_camera_is_not_paced(reader_of: Callable[..., FrameReader]) -> None:
    """Its times are the clock's, and its frames are there when they are there."""
    start_s = time.perf_counter()
    with reader_of(ScriptedSource([0.0, 1000.0, 2000.0], is_live=True), every_frame=False) as reader:
        frames = take_all(reader)
    assert number_of(frames[-1]) == 2
    assert time.perf_counter() - start_s < 5


def test_after_a_delay_a_file_goes_on_at_its_pace(reader_of: Callable[..., FrameReader]) -> None:
    """What is due long since is shown at once, and what follows in its own time, not all at once."""
    with reader_of(ScriptedSource([10.0, 0.0, 0.1, 0.2])) as reader:
        frames = take_all(reader)
    assert [number_of(f) for f in frames][-3:] == [1, 2, 3]
    last = [f.captured_s for f in frames[-3:]]
    assert last[1] - last[0] > 0.05 and last[2] - last[0] > 0.15, "they were rushed through"


def test_a_picture_that_stays_is_told_from_a_source_that_hangs(reader_of: Callable[..., FrameReader]) -> None:
    gate = Gate()
    with reader_of(ScriptedSource([0.0, gate, 5.0])) as reader:
        assert reader.get(timeout_s=WAIT_S) is not None
        assert gate.entered.wait(WAIT_S)
        assert not reader.holds_next
        gate.leave.set()
        deadline_s = time.perf_counter() + WAIT_S
        while not reader.holds_next:
            assert time.perf_counter() < deadline_s
            assert reader.get(timeout_s=0.01) is None


# --- the newest frame, or every one


def test_of_a_camera_the_newest_frame_counts(reader_of: Callable[..., FrameReader]) -> None:
    source = ScriptedSource([0.0] * 200, is_live=True)
    with reader_of(source) as reader:
        assert source.closed.wait(WAIT_S)  # it has read them all while nobody took one
        assert not reader.ended
        frame = reader.get(timeout_s=0)
        assert frame is not None and number_of(frame) == 199
        assert reader.dropped == 199
        assert reader.ended
        assert reader.get(timeout_s=WAIT_S) is None


def test_taken_and_dropped_are_all(reader_of: Callable[..., FrameReader]) -> None:
    with reader_of(ScriptedSource([0.0] * 200, is_live=True)) as reader:
        taken = [number_of(f) for f in take_all(reader)]
        assert taken == sorted(set(taken))
        assert len(taken) + reader.dropped == 200


def test_of_a_file_that_is_worked_through_no_frame_is_lost(reader_of: Callable[..., FrameReader]) -> None:
    start_s = time.perf_counter()
    with reader_of(ScriptedSource([100.0 * i for i in range(200)]), every_frame=True) as reader:
        assert [number_of(f) for f in take_all(reader)] == list(range(200))
        assert reader.dropped == 0
    assert time.perf_counter() - start_s < WAIT_S, "its times must not matter"


def test_a_reader_with_a_frame_that_nobody_takes_can_be_closed(reader_of: Callable[..., FrameReader]) -> None:
    source = ScriptedSource([0.0] * 5)
    with reader_of(source, every_frame=True) as reader:
        assert source.opened.wait(WAIT_S)
        assert reader.close(timeout_s=1.0)
    assert source.closed.is_set()


def test_a_source_without_frames_just_ends(reader_of: Callable[..., FrameReader]) -> None:
    source = ScriptedSource([])
    with reader_of(source) as reader:
        assert take_all(reader) == []
        assert reader.label == "Scripted"
    assert source.closed.is_set()


# --- faults


@pytest.mark.parametrize("every_frame", [False, True])
def test_an_error_comes_after_the_frames_before_it(reader_of: Callable[..., FrameReader], every_frame: bool) -> None:
    source = ScriptedSource([0.0, 0.0, raise_source_error, 0.0], is_live=True)
    frames = []
    with reader_of(source, every_frame=every_frame) as reader:
        with pytest.raises(SourceError, match="the scripted source broke"):
            for _ in range(100):
                assert not reader.ended, "it broke, which is no end"
                frame = reader.get(timeout_s=WAIT_S)
                if frame is not None:
                    frames.append(number_of(frame))
        assert frames[-1] == 1
        with pytest.raises(SourceError, match="the scripted source broke"):
            reader.get(timeout_s=WAIT_S)
    assert source.closed.is_set()


def test_a_frame_that_came_just_before_the_error_is_not_lost(reader_of: Callable[..., FrameReader]) -> None:
    """The source gives a frame and breaks while the taker is looking the other way."""
    source = ScriptedSource([0.0, raise_source_error], is_live=True)
    with reader_of(source) as reader:
        assert source.closed.wait(WAIT_S)
        frame = reader.get(timeout_s=WAIT_S)
        assert frame is not None and number_of(frame) == 0
        with pytest.raises(SourceError):
            reader.get(timeout_s=WAIT_S)


def test_a_frame_and_an_error_that_come_while_one_waits_are_told_in_order(
    reader_of: Callable[..., FrameReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both come just after the wait for a frame was over, and before the taker looks whether the source has ended."""
    gate = Gate()
    source = ScriptedSource([gate, 0.0, raise_source_error], is_live=True)
    with reader_of(source) as reader:
        real_take = reader._slot.take

        def take_too_early(*, timeout_s: float) -> Frame | None:
            assert real_take() is None
            gate.leave.set()
            assert source.closed.wait(WAIT_S)
            return None

        with monkeypatch.context() as patch:
            patch.setattr(reader._slot, "take", take_too_early)
            assert reader.get(timeout_s=0.05) is None
        frame = reader.get(timeout_s=0.05)
        assert frame is not None and number_of(frame) == 0
        with pytest.raises(SourceError):
            reader.get(timeout_s=0.05)


@pytest.mark.parametrize("where", ["making", "open", "read"])
def test_every_error_is_one_sentence(register: Callable[..., None], where: str) -> None:
    def fail() -> None:
        raise RuntimeError("a driver's own words")

    class Broken(ScriptedSource):
        def open(self) -> None:
            if where == "open":
                fail()

    def make(_text: str) -> FrameSource:
        if where == "making":
            fail()
        return Broken([fail])

    register("broken", make)
    with FrameReader(partial(make_source, "broken:")) as reader, pytest.raises(SourceError) as caught:
        for _ in range(100):
            reader.get(timeout_s=0.1)
    assert_one_clear_sentence(caught.value, "a driver's own words", "the source" if where == "making" else "Scripted")


def test_an_error_of_making_the_source_is_handed_on() -> None:
    with (
        FrameReader(partial(make_source, "no such file.mp4")) as reader,
        pytest.raises(SourceError, match=r"there is no file no such file\.mp4"),
    ):
        for _ in range(100):
            reader.get(timeout_s=0.1)


def test_a_source_that_cannot_even_be_closed_ends(reader_of: Callable[..., FrameReader]) -> None:
    class Clinging(ScriptedSource):
        def close(self) -> None:
            raise RuntimeError("not closed")

    with reader_of(Clinging([0.0], is_live=True)) as reader:
        assert len(take_all(reader)) == 1


# --- calls that do not return


@pytest.mark.parametrize("where", ["open", "read"])
def test_a_source_that_hangs_is_left_alone_and_closed_later(register: Callable[..., None], where: str) -> None:
    gate = Gate()

    class Hanging(ScriptedSource):
        def open(self) -> None:
            if where == "open":
                gate()

    source = Hanging([0.0, gate, 0.0, 0.0, 0.0], is_live=True)
    register("hanging", lambda _: source)
    reader = FrameReader(partial(make_source, "hanging:"))
    with reader:
        assert gate.entered.wait(WAIT_S)
        start_s = time.perf_counter()
        assert not reader.close(timeout_s=0.1)
        assert time.perf_counter() - start_s < 1.0
        assert not source.closed.is_set(), "closing a source that another thread reads would crash some drivers"
        gate.leave.set()
        assert source.closed.wait(WAIT_S), "it was left open for good"
    assert source.frames == (0 if where == "open" else 2), "it went on reading after the call that hung"
    assert reader.get(timeout_s=0) is None


def test_a_file_whose_next_frame_is_far_away_can_be_closed(reader_of: Callable[..., FrameReader]) -> None:
    with reader_of(ScriptedSource([0.0, 1e6])) as reader:
        assert reader.get(timeout_s=WAIT_S) is not None
        start_s = time.perf_counter()
        assert reader.close(timeout_s=2.0)
        assert time.perf_counter() - start_s < 1.0
