"""The live loop with real weights, and sources that stall, end, break and never answer."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from fkd_desktop.errors import SourceError
from fkd_desktop.live import session as session_module
from fkd_desktop.live.latest import LatestSlot
from fkd_desktop.live.result import Frame
from fkd_desktop.live.session import (
    LiveFrame,
    LiveSession,
    SessionEvent,
    SourceEnded,
    SourceOpened,
    SourceResumed,
    SourceStalled,
)
from fkd_desktop.live.sources import make_source
from tests.fakes import FakeCamera
from tests.live.helpers import WAIT_S, ScriptedSource
from trainer.core.detector import DetectorError
from trainer.core.errors import FkdError
from trainer.core.predictor import Predictor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fkd_desktop.live.sources import FrameSource

pytestmark = pytest.mark.usefixtures("threads_end")

STOP_S = 2.0
"""A session must end this long after it was asked to, whatever it is doing."""


class Run:
    """A session in a thread of its own, as the application runs it, and everything it said."""

    def __init__(
        self, source: FrameSource | str, register: Callable[..., None], *, predictor: Predictor | None = None
    ) -> None:
        if isinstance(source, str):
            name = source
        else:
            name = "test:"
            register("test", lambda _: source)
        self.predictor = predictor
        self.slot: LatestSlot[LiveFrame] = LatestSlot()
        self.events: list[SessionEvent] = []
        self.wake_ups = 0
        self.error: FkdError | None = None
        self.stop = threading.Event()
        self._told = threading.Condition()
        self.session = LiveSession(
            partial(make_source, name),
            predictor=self.give_predictor,
            slot=self.slot,
            on_result=self._on_result,
            on_event=self._on_event,
        )
        self.thread = threading.Thread(target=self._run, name="capture-test")

    def give_predictor(self) -> Predictor | None:
        return self.predictor

    def __enter__(self) -> Run:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join(WAIT_S)
        assert not self.thread.is_alive()

    def wait_for_event(self, kind: type, count: int = 1) -> None:
        with self._told:
            assert self._told.wait_for(lambda: len(self.of(kind)) >= count, WAIT_S), f"only {self.events} came"

    def of(self, kind: type) -> list[SessionEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    def take(self) -> LiveFrame:
        live = self.slot.take(timeout_s=WAIT_S)
        assert live is not None
        return live

    def join(self) -> None:
        self.thread.join(WAIT_S)
        assert not self.thread.is_alive()

    def stop_and_time(self) -> float:
        start_s = time.perf_counter()
        self.stop.set()
        self.thread.join(WAIT_S)
        return time.perf_counter() - start_s

    def _run(self) -> None:
        try:
            self.session.run(should_stop=self.stop.is_set)
        except FkdError as error:
            self.error = error

    def _on_result(self) -> None:
        self.wake_ups += 1

    def _on_event(self, event: SessionEvent) -> None:
        with self._told:
            self.events.append(event)
            self._told.notify_all()


@pytest.fixture
def run(register: Callable[..., None]) -> Callable[..., Run]:
    return partial(Run, register=register)


@pytest.fixture
def short_stall(monkeypatch: pytest.MonkeyPatch) -> float:
    """Let a source count as stalled after a moment: a test need not wait for two seconds."""
    monkeypatch.setattr(session_module, "STALL_S", 0.15)
    return 0.15


@pytest.fixture
def hanging_camera() -> FakeCamera:
    camera = FakeCamera()
    yield camera
    camera.hang_in_open = camera.hang_in_read = False
    camera.release.set()


# --- a source's life


def test_a_clip_is_followed_to_its_end(run: Callable[..., Run], predictor: Predictor, short_clip: Path) -> None:
    with run(str(short_clip), predictor=predictor) as session:
        first = session.take()
        assert first.annotated and len(first.result) == 1
        assert first.captured_s <= time.perf_counter()
        results = [first]
        while session.thread.is_alive() or len(results) < 2:
            if (live := session.slot.take(timeout_s=0.05)) is not None:
                results.append(live)
        session.join()
    assert session.error is None
    assert session.events == [SourceOpened("short.mp4", 640, 480), SourceEnded("short.mp4")]
    assert {int(live.result.ids[0]) for live in results} == {1}
    times_s = [live.result.timestamp_s for live in results]
    assert times_s == sorted(times_s)
    assert times_s[-1] == pytest.approx(29 / 30, abs=0.01), "the last frame is always shown"
    assert session.wake_ups == len(results)
    assert len(results) + session.session.dropped == 30


def test_frames_that_nobody_takes_are_counted(run: Callable[..., Run]) -> None:
    with run(FakeCamera(frames=20, frames_per_s=200)) as session:
        session.wait_for_event(SourceOpened)
        camera_is_through = threading.Event()
        while session.session._reader is not None and not session.session._reader.ended:
            camera_is_through.wait(0.01)
        session.stop.set()
        session.join()
        assert session.session.dropped == 19
        assert session.wake_ups == 1


def test_a_source_that_breaks_is_an_error(run: Callable[..., Run]) -> None:
    camera = FakeCamera()
    with run(camera) as session:
        session.take()
        camera.fail_with = "the fake camera was unplugged; plug it in again"
        session.join()
    assert isinstance(session.error, SourceError)
    assert str(session.error) == "the fake camera was unplugged; plug it in again"
    assert session.of(SourceEnded) == []
    assert camera.closed == 1


def test_a_source_that_cannot_be_opened_is_an_error(run: Callable[..., Run]) -> None:
    with run("no such clip.mp4") as session:
        session.join()
    assert isinstance(session.error, SourceError) and "no such clip.mp4" in str(session.error)
    assert session.events == []


def test_a_source_without_frames_ends(run: Callable[..., Run]) -> None:
    with run(ScriptedSource([])) as session:
        session.join()
    assert session.events == [SourceEnded("Scripted")]
    assert session.error is None


def test_a_detector_that_does_not_load_is_an_error(
    run: Callable[..., Run], predictor: Predictor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cv2.data, "haarcascades", str(tmp_path))
    camera = FakeCamera()
    with run(camera, predictor=predictor) as session:
        session.join()
    assert isinstance(session.error, DetectorError) and str(tmp_path) in str(session.error)
    assert camera.closed == 1


def test_a_frame_size_that_changes_goes_on(run: Callable[..., Run], predictor: Predictor) -> None:
    sizes = ((240, 320), (241, 321), (1, 1), (480, 640))
    camera = FakeCamera(sizes=sizes, frames=8)
    shapes = []
    with run(camera, predictor=predictor) as session:
        while session.thread.is_alive():
            if (live := session.slot.take(timeout_s=0.05)) is not None:
                shapes.append(live.result.frame_bgr.shape[:2])
    assert session.error is None
    assert shapes[-1] == (480, 640)
    assert len(session.of(SourceOpened)) == 1


# --- stalls


def test_a_stall_is_told_once_and_so_is_its_end(
    run: Callable[..., Run], hanging_camera: FakeCamera, short_stall: float
) -> None:
    with run(hanging_camera) as session:
        session.take()
        hanging_camera.hang_in_read = True
        session.wait_for_event(SourceStalled)
        assert hanging_camera.blocked.is_set()
        assert not hanging_camera.release.wait(5 * short_stall)  # as ten seconds are to the real two
        assert session.of(SourceStalled) == [SourceStalled("Fake camera")]
        while session.slot.take() is not None:
            pass
        hanging_camera.hang_in_read = False
        hanging_camera.release.set()
        session.wait_for_event(SourceResumed)
        session.take()
    assert [type(e) for e in session.events] == [SourceOpened, SourceStalled, SourceResumed]
    assert session.error is None


def test_a_second_stall_is_told_again(run: Callable[..., Run], short_stall: float) -> None:
    gates = [threading.Event(), threading.Event()]
    script = [0.0, gates[0].wait, 0.0, gates[1].wait, 0.0]
    with run(ScriptedSource(script, is_live=True)) as session:
        for count, gate in enumerate(gates, 1):
            session.wait_for_event(SourceStalled, count)
            gate.set()
            session.wait_for_event(SourceResumed, count)
        session.stop.set()


def test_a_source_that_opens_slowly_is_stalled_then_opened(
    run: Callable[..., Run], hanging_camera: FakeCamera, short_stall: float
) -> None:
    hanging_camera.hang_in_open = True
    with run(hanging_camera) as session:
        session.wait_for_event(SourceStalled)
        hanging_camera.hang_in_open = False
        hanging_camera.release.set()
        session.wait_for_event(SourceOpened)
    assert [type(e) for e in session.events] == [SourceStalled, SourceOpened]


def test_a_picture_that_stays_on_show_is_no_stall(run: Callable[..., Run], short_stall: float) -> None:
    """A folder shows each picture for seconds, a slide show's video even longer."""
    with run(ScriptedSource([0.0, 4 * short_stall, 8 * short_stall])) as session:
        session.stop.wait(6 * short_stall)
        assert session.of(SourceStalled) == []
        session.wait_for_event(SourceOpened)


def test_a_slow_network_is_no_stall(
    run: Callable[..., Run], predictor: Predictor, short_stall: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is how long the source kept the session waiting, not how long the session was busy."""
    real = session_module.Pipeline.process
    is_done, never = threading.Event(), threading.Event()

    def slow(*arguments: object) -> object:
        never.wait(2 * short_stall)
        is_done.set()
        return real(*arguments)

    def next_comes_soon_after() -> None:
        assert is_done.wait(WAIT_S)
        never.wait(0.5 * short_stall)

    monkeypatch.setattr(session_module.Pipeline, "process", slow)
    with run(ScriptedSource([0.0, next_comes_soon_after, 0.0], is_live=True), predictor=predictor) as session:
        session.join()
    assert [type(e) for e in session.events] == [SourceOpened, SourceEnded]


# --- the network comes late, or another one


def test_a_still_picture_waits_for_the_network(
    run: Callable[..., Run], predictor: Predictor, demo: dict, tmp_path: Path
) -> None:
    path = tmp_path / "portrait.png"
    path.write_bytes(cv2.imencode(".png", demo[0].image_bgr)[1].tobytes())
    with run(str(path)) as session:
        bare = session.take()
        assert not bare.annotated and len(bare.result) == 0
        np.testing.assert_array_equal(bare.result.frame_bgr, demo[0].image_bgr)
        assert session.thread.is_alive(), "it must not end before the faces were found"
        session.predictor = predictor
        found = session.take()
        assert found.annotated and len(found.result) == 1
        session.join()
    assert session.events == [SourceOpened("portrait.png", 640, 480), SourceEnded("portrait.png")]


def test_waiting_for_the_network_costs_no_processor_time(register: Callable[..., None]) -> None:
    """The network is being loaded meanwhile, and needs it."""
    asked = []
    patience = threading.Event()

    class Counting(Run):
        def give_predictor(self) -> None:
            asked.append(time.perf_counter())

    with Counting(ScriptedSource([0.0]), register) as session:
        session.take()
        patience.wait(0.5)
        session.stop.set()
    assert 3 <= len(asked) <= 30, "it must neither sleep nor spin"


def test_another_network_takes_over_between_two_frames(
    run: Callable[..., Run], predictor: Predictor, demo: dict
) -> None:
    """Each frame is sent when the one before was painted: none may be lost, and the face keeps its number."""
    painted = threading.Semaphore(1)
    count = 12

    class Stepping(ScriptedSource):
        def read(self) -> Frame | None:
            assert painted.acquire(timeout=WAIT_S)
            self.frames += 1
            if self.frames > count:
                return None
            return Frame(demo[0].image_bgr, self.frames / 30, time.perf_counter())

    other = Predictor.load(device="cpu")
    results = []
    with run(Stepping([], is_live=True), predictor=predictor) as session:
        for k in range(count):
            if k == count // 2:
                session.predictor = other
            results.append(session.take())
            painted.release()
        session.join()
    assert [round(live.result.timestamp_s * 30) for live in results] == list(range(1, count + 1))
    assert all(live.annotated and list(live.result.ids) == [1] for live in results)
    assert session.session._pipeline.predictor is other
    assert session.session.dropped == 0


def test_frames_pass_while_there_is_no_network_and_then_with_faces(
    run: Callable[..., Run], predictor: Predictor, demo: dict
) -> None:
    go_on = threading.Event()

    class Portrait(ScriptedSource):
        def read(self) -> Frame | None:
            go_on.wait(0.01)
            now_s = time.perf_counter()
            return Frame(demo[0].image_bgr, now_s, now_s)

    with run(Portrait([], is_live=True)) as session:
        assert [session.take().annotated for _ in range(3)] == [False] * 3
        session.predictor = predictor
        seen = [session.take().annotated for _ in range(10)]
        assert seen[-1] and seen == sorted(seen)


# --- stopping


MOMENTS = ["in open", "in read", "stalled", "live", "live with faces", "waiting for the network"]


@pytest.mark.usefixtures("short_stall")
@pytest.mark.parametrize("moment", MOMENTS)
def test_it_ends_in_time_at_any_moment(
    run: Callable[..., Run], predictor: Predictor, hanging_camera: FakeCamera, moment: str
) -> None:
    hanging_camera.hang_in_open = moment == "in open"
    hanging_camera.hang_in_read = moment in ("in read", "stalled")
    sources = {"live with faces": "demo", "waiting for the network": ScriptedSource([0.0])}
    network = predictor if moment == "live with faces" else None
    with run(sources.get(moment, hanging_camera), predictor=network) as session:
        if moment == "stalled":
            session.wait_for_event(SourceStalled)
        elif moment.startswith("in "):
            assert hanging_camera.blocked.wait(WAIT_S)
        else:
            session.take()
        assert session.stop_and_time() < STOP_S
        assert not session.thread.is_alive()
    assert session.error is None
    assert session.of(SourceEnded) == []


def test_a_session_that_is_stopped_before_it_starts_ends_at_once(run: Callable[..., Run]) -> None:
    session = run(FakeCamera())
    session.stop.set()
    with session:
        session.join()
    assert session.events == []
