"""The live loop with real weights, and sources that stall, end, break and never answer."""

from __future__ import annotations

import threading
import time
from functools import partial, partialmethod
from types import SimpleNamespace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from fkd_desktop.errors import SourceError, SourceProblem
from fkd_desktop.live import session as session_module
from fkd_desktop.live.events import (
    DeviceFailed,
    SessionEvent,
    SourceEnded,
    SourceOpened,
    SourceResumed,
    SourceStalled,
    SourceTroubled,
)
from fkd_desktop.live.latest import LatestSlot
from fkd_desktop.live.playback import Playback
from fkd_desktop.live.reader import FrameReader
from fkd_desktop.live.recovery import Trouble
from fkd_desktop.live.result import Frame, LiveFrame
from fkd_desktop.live.session import LiveSession
from fkd_desktop.live.sinks import SinkSet
from fkd_desktop.live.sources import make_source
from tests.fakes import BrokenGpu, FakeCamera
from tests.live.helpers import WAIT_S, DemoFrame, ScriptedSource
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
        self,
        source: FrameSource | str,
        register: Callable[..., None],
        *,
        predictor: Predictor | None = None,
        playback: Playback | None = None,
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
        self.playback, self.sinks = playback, SinkSet()
        self.error: FkdError | None = None
        self.stop = threading.Event()
        self._told = threading.Condition()
        self.session = LiveSession(
            partial(make_source, name),
            predictor=self.give_predictor,
            slot=self.slot,
            on_result=self._on_result,
            on_event=self._on_event,
            playback=self.playback,
            sinks=self.sinks,
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


# --- trouble that may pass


def troubles(session: Run) -> list[Trouble]:
    return [event.trouble for event in session.of(SourceTroubled)]


def problem(kind: SourceProblem) -> SourceError:
    return SourceError("the fake camera is away; give it back", problem=kind)


@pytest.fixture
def quick_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fkd_desktop.live.recovery.RETRY_S", (0.05,))


@pytest.mark.usefixtures("quick_retry")
@pytest.mark.parametrize(
    ("kind", "trouble"),
    [
        (SourceProblem.MISSING, Trouble.MISSING),
        (SourceProblem.BUSY, Trouble.BUSY),
        (SourceProblem.DENIED, Trouble.DENIED),
    ],
)
def test_a_camera_that_cannot_be_opened_is_live_as_soon_as_it_can(
    run: Callable[..., Run], kind: SourceProblem, trouble: Trouble
) -> None:
    camera = FakeCamera()
    camera.fail_to_open = [problem(kind), problem(kind), problem(kind)]
    with run(camera) as session:
        session.wait_for_event(SourceOpened)
        assert troubles(session) == [trouble], "told once"
        assert session.error is None


@pytest.mark.usefixtures("quick_retry")
def test_a_camera_that_is_unplugged_and_plugged_in_again_goes_on_by_itself(
    run: Callable[..., Run], predictor: Predictor
) -> None:
    camera = FakeCamera()
    with run(camera, predictor=predictor) as session:
        for turn in range(1, 6):
            session.wait_for_event(SourceResumed, turn - 1)
            session.take()
            camera.fail_to_open = [problem(SourceProblem.MISSING)] * 3
            camera.fail_with = problem(SourceProblem.LOST)
            session.wait_for_event(SourceTroubled, 2 * turn - 1)
            camera.fail_with = None
            session.wait_for_event(SourceResumed, turn)
        assert troubles(session) == [Trouble.LOST, Trouble.RECONNECTING] * 5
        assert len(session.of(SourceOpened)) == 1
        assert camera.opened == 6 and camera.closed >= 5, "each time let go of, and opened again"


def test_waiting_for_a_camera_ends_at_once_when_it_is_asked_to(run: Callable[..., Run]) -> None:
    camera = FakeCamera()
    camera.fail_to_open = [problem(SourceProblem.MISSING)] * 50
    with run(camera) as session:
        session.wait_for_event(SourceTroubled)
        assert session.stop_and_time() < 0.5


def test_news_of_a_plug_makes_the_next_try_come_at_once(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fkd_desktop.live.recovery.RETRY_S", (60.0,))
    camera = FakeCamera()
    camera.fail_to_open = [problem(SourceProblem.MISSING)]
    with run(camera) as session:
        session.wait_for_event(SourceTroubled)
        session.session.retry_now()
        session.wait_for_event(SourceOpened)


@pytest.mark.usefixtures("quick_retry", "short_stall")
def test_a_camera_that_is_silent_for_long_is_opened_again(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "GIVE_UP_S", 0.5)
    cameras = [FakeCamera(), FakeCamera()]
    left = list(cameras)

    class Front(FakeCamera):
        def open(self) -> None:
            self.now = left.pop(0)
            self.now.open()

        def read(self) -> Frame | None:
            return self.now.read()

    with run(Front()) as session:
        session.take()
        cameras[0].hang_in_read = True
        session.wait_for_event(SourceStalled)
        session.wait_for_event(SourceResumed)
        assert troubles(session)[0] is Trouble.LOST
        assert "no pictures" in str(session.of(SourceTroubled)[0].error)
        cameras[0].release.set()


@pytest.mark.usefixtures("quick_retry", "short_stall")
def test_a_camera_whose_every_call_hangs_does_not_gather_threads(
    register: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "GIVE_UP_S", 0.2)
    monkeypatch.setattr(session_module, "MOST_LEFT_BEHIND", 2)
    monkeypatch.setattr("fkd_desktop.live.reader.FrameReader.close", partialmethod(FrameReader.close, timeout_s=0.05))
    cameras: list[FakeCamera] = []
    news = threading.Condition()

    def make(_text: str) -> FakeCamera:
        camera = FakeCamera()
        camera.hang_in_open = True
        with news:
            cameras.append(camera)
            news.notify_all()
        return camera

    register("hanging", make)
    with Run("hanging:", register) as session:
        with news:
            assert news.wait_for(lambda: len(cameras) == 2, WAIT_S)
            assert not news.wait_for(lambda: len(cameras) > 2, 1.5), "a third one hangs, too"
        cameras[0].release.set()
        with news:
            assert news.wait_for(lambda: len(cameras) == 3, WAIT_S), "its thread has ended"
        assert session.error is None
        session.stop.set()
        for camera in cameras:
            camera.release.set()


def test_what_will_not_get_better_ends_the_session(run: Callable[..., Run]) -> None:
    camera = FakeCamera()
    camera.fail_with = problem(SourceProblem.UNUSABLE)
    with run(camera) as session:
        session.join()
        assert session.error is camera.fail_with
        assert troubles(session) == []


# --- what the results go to


class Collector:
    def __init__(self, *, fails: bool = False) -> None:
        self.results: list[LiveFrame] = []
        self.fails = fails

    def offer(self, live: LiveFrame) -> None:
        if self.fails:
            raise RuntimeError("a sink with a hole")
        self.results.append(live)


def test_sinks_get_every_result_and_a_broken_one_harms_nobody(
    run: Callable[..., Run], predictor: Predictor, short_clip: Path
) -> None:
    session = run(str(short_clip), predictor=predictor)
    good, broken, removed = Collector(), Collector(fails=True), Collector()
    for sink in (broken, good, removed):
        session.sinks.add(sink)
    session.sinks.remove(removed)
    with session:
        session.wait_for_event(SourceEnded)
    times = [live.result.timestamp_s for live in good.results]
    assert times == sorted(set(times)), "none twice"
    assert len(times) + session.session.dropped >= 30
    assert removed.results == []


# --- a device that breaks


def test_a_gpu_that_breaks_is_told_once_and_frames_go_on(run: Callable[..., Run], predictor: Predictor) -> None:
    with run(FakeCamera(), predictor=BrokenGpu(predictor, device="cuda")) as session:
        session.wait_for_event(DeviceFailed)
        for _ in range(5):
            live = session.take()
        assert not live.annotated
        session.predictor = predictor  # on the CPU
        deadline_s = time.perf_counter() + WAIT_S
        while not session.take().annotated:
            assert time.perf_counter() < deadline_s
        [told] = session.of(DeviceFailed)
        assert (told.device, told.reason) == ("cuda", "CUDA error: device lost")


def test_a_network_that_fails_on_the_cpu_is_a_fault_of_the_program(
    run: Callable[..., Run], predictor: Predictor
) -> None:
    """Not hidden: the capture thread logs it and says so."""
    session = run(FakeCamera(), predictor=BrokenGpu(predictor, device="cpu")).session
    with pytest.raises(RuntimeError, match="device lost"):
        session.run(should_stop=lambda: False)


# --- what can be moved in


def test_a_clip_that_is_played_waits_at_its_end_and_goes_on_when_it_is_moved(
    run: Callable[..., Run], predictor: Predictor, short_clip: Path
) -> None:
    playback = Playback(speed=4)
    with run(str(short_clip), predictor=predictor, playback=playback) as session:
        session.wait_for_event(SourceEnded)
        assert session.thread.is_alive()
        playback.seek(0.5)
        session.wait_for_event(SourceResumed)
        session.wait_for_event(SourceEnded, 2)
        assert session.of(SourceStalled) == []


@pytest.mark.usefixtures("short_stall")
def test_a_paused_clip_is_no_stall_and_is_seen_through_a_new_networks_eyes(
    run: Callable[..., Run], predictor: Predictor, short_clip: Path
) -> None:
    playback = Playback(paused=True)
    with run(str(short_clip), playback=playback) as session:
        assert not session.take().annotated
        session.predictor = predictor
        first = session.take()
        assert first.annotated and first.position is not None and first.position.index == 0
        other = session.predictor = Predictor.load(device="cpu")
        assert session.take().annotated, "the same frame, by the other network"
        assert session.predictor is other
        playback.step(5)
        assert session.take().position.index == 5
        assert session.of(SourceStalled) == []


def test_a_picture_is_seen_at_once_and_then_with_its_faces(
    run: Callable[..., Run], predictor: Predictor, demo: dict[int, DemoFrame], tmp_path: Path
) -> None:
    path = tmp_path / "two faces.png"
    path.write_bytes(cv2.imencode(".png", demo[500].image_bgr)[1].tobytes())
    sink = []
    session = run(str(path), predictor=predictor, playback=Playback())
    session.sinks.add(SimpleNamespace(offer=sink.append))
    with session:
        live = session.take()
        while not live.annotated:
            live = session.take()
        assert len(live.result) == len(demo[500].faces)
        assert [result.annotated for result in sink] == [True], "exported and recorded once"
