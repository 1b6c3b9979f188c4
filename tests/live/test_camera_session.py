"""A live session of a camera that is plugged out and in, taken by another program, and forbidden."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from fkd_desktop.live import session as session_module
from fkd_desktop.live.events import SourceOpened, SourceResumed, SourceTroubled
from fkd_desktop.live.latest import LatestSlot
from fkd_desktop.live.recovery import Trouble
from fkd_desktop.live.session import LiveSession
from fkd_desktop.live.sources import make_source
from fkd_desktop.live.sources.cameras import list_cameras
from tests.live.fake_linux import WEBCAM_MODES, EndlessCapture, FakeLinux, FakeNode
from tests.live.helpers import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fkd_desktop.live.events import SessionEvent
    from fkd_desktop.live.result import LiveFrame


class Unpluggable(EndlessCapture):
    """Sends as long as its node is there."""

    def __init__(self, machine: FakeLinux, number: int) -> None:
        super().__init__()
        self._node = machine.dev / f"video{number}"
        self._pace = threading.Event()

    def read(self) -> tuple[bool, object]:  # type: ignore[override]
        self._pace.wait(0.005)
        return super().read() if self._node.exists() else (False, None)


class Running:
    """A session in a thread of its own, and what it told."""

    def __init__(self, name: str) -> None:
        self.slot: LatestSlot[LiveFrame] = LatestSlot()
        self.told: list[object] = []
        self._news = threading.Condition()
        self._stop = threading.Event()
        self.session = LiveSession(
            lambda: make_source(name),
            predictor=lambda: None,
            slot=self.slot,
            on_result=lambda: None,
            on_event=self._on_event,
        )
        self._thread = threading.Thread(
            target=lambda: self.session.run(should_stop=self._stop.is_set), name="capture", daemon=True
        )
        self._thread.start()

    def _on_event(self, event: SessionEvent) -> None:
        with self._news:
            self.told.append(event.trouble if isinstance(event, SourceTroubled) else type(event))
            self._news.notify_all()

    def wait_for(self, *told: object) -> None:
        """Wait until exactly this was told since the last time."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.told) >= len(told), WAIT_S), self.told
            assert self.told[: len(told)] == list(told)
            del self.told[: len(told)]

    def end(self) -> None:
        self._stop.set()
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, threads_end: None) -> Iterator[Callable[[str], Running]]:
    monkeypatch.setattr(session_module.Recovery, "pause_s", 0.02)
    started: list[Running] = []

    def start(name: str) -> Running:
        started.append(Running(name))
        return started[-1]

    yield start
    for running in started:
        running.end()


def node(machine: FakeLinux, number: int) -> FakeNode:
    return FakeNode(modes=WEBCAM_MODES, captures=[Unpluggable(machine, number)])


def test_the_same_camera_is_live_again_by_itself(machine: FakeLinux, run: Callable[[str], Running]) -> None:
    machine.plug_in(node(machine, 0), serial="MINE", name="Mine")
    machine.plug_in(node(machine, 2), serial="OTHER", name="Other", first=2, port="1-6")
    running = run(list_cameras()[0].source_name())
    running.wait_for(SourceOpened)
    machine.unplug(0)
    running.wait_for(Trouble.LOST, Trouble.RECONNECTING)
    machine.plug_in(node(machine, 7), serial="MINE", name="Mine", first=7, port="1-3")
    running.wait_for(SourceResumed)
    assert machine.opened == [0, 7], "never the other one"


def test_a_camera_that_is_plugged_in_later(machine: FakeLinux, run: Callable[[str], Running]) -> None:
    running = run("camera:0")
    running.wait_for(Trouble.MISSING)
    machine.plug_in(node(machine, 0))
    running.wait_for(SourceOpened)


def test_a_camera_that_another_program_gives_back(machine: FakeLinux, run: Callable[[str], Running]) -> None:
    taken = node(machine, 0)
    taken.is_busy = True
    machine.plug_in(taken)
    running = run("camera:0")
    running.wait_for(Trouble.BUSY)
    taken.is_busy = False
    running.wait_for(SourceOpened)


def test_a_camera_that_becomes_allowed(machine: FakeLinux, run: Callable[[str], Running]) -> None:
    forbidden = node(machine, 0)
    forbidden.is_denied = True
    machine.plug_in(forbidden)
    running = run("camera:0")
    running.wait_for(Trouble.DENIED)
    forbidden.is_denied = False
    running.wait_for(SourceOpened)
