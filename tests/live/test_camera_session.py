"""A live session of a camera that is plugged out and in, taken by another program, and forbidden."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from fkd_desktop.live import session as session_module
from fkd_desktop.live.sources.cameras import list_cameras
from tests.live.fake_linux import WEBCAM_MODES, EndlessCapture, FakeLinux, FakeNode
from tests.live.running import Running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Unpluggable(EndlessCapture):
    """Sends as long as its node is there."""

    def __init__(self, machine: FakeLinux, number: int) -> None:
        super().__init__()
        self._node = machine.dev / f"video{number}"
        self._pace = threading.Event()

    def read(self) -> tuple[bool, object]:  # type: ignore[override]
        self._pace.wait(0.005)
        return super().read() if self._node.exists() else (False, None)


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
    running.wait_for("OPENED")
    machine.unplug(0)
    assert running.wait_for("RECONNECTING") == ["LOST", "RECONNECTING"]
    machine.plug_in(node(machine, 7), serial="MINE", name="Mine", first=7, port="1-3")
    running.wait_for("RESUMED")
    assert machine.opened == [0, 7], "never the other one"


def test_a_camera_that_is_plugged_in_later(machine: FakeLinux, run: Callable[[str], Running]) -> None:
    running = run("camera:0")
    assert running.wait_for("MISSING") == ["MISSING"]
    machine.plug_in(node(machine, 0))
    running.wait_for("OPENED")
    assert running.label == "HD Webcam", "it is called by its name as soon as that is known"
    machine.unplug(0)
    running.wait_for("RECONNECTING")
    assert running.label == "HD Webcam"


def test_a_camera_that_another_program_gives_back(machine: FakeLinux, run: Callable[[str], Running]) -> None:
    taken = node(machine, 0)
    taken.is_busy = True
    machine.plug_in(taken)
    running = run("camera:0")
    assert running.wait_for("BUSY") == ["BUSY"]
    taken.is_busy = False
    running.wait_for("OPENED")


def test_a_camera_that_becomes_allowed(machine: FakeLinux, run: Callable[[str], Running]) -> None:
    forbidden = node(machine, 0)
    forbidden.is_denied = True
    machine.plug_in(forbidden)
    running = run("camera:0")
    assert running.wait_for("DENIED") == ["DENIED"]
    forbidden.is_denied = False
    running.wait_for("OPENED")
