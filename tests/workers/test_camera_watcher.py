"""The list of cameras follows what is plugged in and out."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QThread

from fkd_desktop.live.sources import cameras as system
from fkd_desktop.live.sources.cameras import CameraInfo
from fkd_desktop.workers import camera_watcher
from fkd_desktop.workers.camera_watcher import CameraWatcher
from tests.live.helpers import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

WAIT_MS = int(1000 * WAIT_S)
ONE, OTHER = CameraInfo("one", "One", 0), CameraInfo("other", "Other", 1)


class FakeSystem:
    """Has the cameras that it is told, and counts how often it is asked."""

    def __init__(self) -> None:
        self.cameras: tuple[CameraInfo, ...] = (ONE,)
        self.asked = 0
        self.threads: set[int] = set()
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.error: Exception | None = None

    def list(self) -> tuple[CameraInfo, ...]:
        self.asked += 1
        self.threads.add(threading.get_ident())
        self.may_answer.wait(WAIT_S)
        if self.error is not None:
            raise self.error
        return self.cameras


@pytest.fixture
def fake() -> FakeSystem:
    return FakeSystem()


@pytest.fixture
def watcher(qtbot: QtBot, fake: FakeSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CameraWatcher]:
    """Return a watcher of a folder of nodes without any."""
    monkeypatch.setattr(camera_watcher, "sys", SimpleNamespace(platform="linux"))
    monkeypatch.setattr(system, "DEV", tmp_path / "dev")
    monkeypatch.setattr(camera_watcher, "SETTLE_MS", 10)
    (tmp_path / "dev").mkdir()
    watcher = CameraWatcher(list_cameras=fake.list)
    yield watcher
    fake.may_answer.set()
    watcher.stop()


def test_the_first_answer_comes_soon_and_not_from_the_gui_thread(
    qtbot: QtBot, watcher: CameraWatcher, fake: FakeSystem
) -> None:
    assert not watcher.is_known
    threads: list[QThread] = []
    watcher.cameras_changed.connect(lambda _cameras: threads.append(QThread.currentThread()))
    with qtbot.waitSignal(watcher.cameras_changed, timeout=WAIT_MS) as signal:
        watcher.start()
    assert signal.args == [(ONE,)]
    assert watcher.cameras == (ONE,) and watcher.is_known
    assert threads == [watcher.thread()]
    assert threading.get_ident() not in fake.threads


def test_that_there_is_no_camera_is_an_answer_too(qtbot: QtBot, watcher: CameraWatcher, fake: FakeSystem) -> None:
    fake.cameras = ()
    with qtbot.waitSignal(watcher.cameras_changed, timeout=WAIT_MS) as signal:
        watcher.start()
    assert signal.args == [()]


def test_plugging_in_and_out(qtbot: QtBot, watcher: CameraWatcher, fake: FakeSystem) -> None:
    node = system.DEV / "video0"
    with qtbot.waitSignal(watcher.cameras_changed, timeout=WAIT_MS):
        watcher.start()
    fake.cameras = (ONE, OTHER)
    with qtbot.waitSignal(watcher.cameras_changed, timeout=WAIT_MS) as signal:
        node.write_bytes(b"")
    assert signal.args == [(ONE, OTHER)]
    fake.cameras = ()
    with qtbot.waitSignal(watcher.cameras_changed, timeout=WAIT_MS) as signal:
        node.unlink()
    assert signal.args == [()]


def test_rights_that_come_later(qtbot: QtBot, watcher: CameraWatcher, fake: FakeSystem) -> None:
    """A node belongs to root until the system has seen that somebody sits before it."""
    node = system.DEV / "video0"
    node.write_bytes(b"")
    with qtbot.waitSignal(watcher.cameras_changed, timeout=WAIT_MS):
        watcher.start()
    fake.cameras = (OTHER,)
    with qtbot.waitSignal(watcher.cameras_changed, timeout=WAIT_MS):
        node.chmod(0o600)


def test_other_devices_are_nothing_to_it(qtbot: QtBot, watcher: CameraWatcher, fake: FakeSystem) -> None:
    with qtbot.waitSignal(watcher.cameras_changed, timeout=WAIT_MS):
        watcher.start()
    (system.DEV / "tty7").write_bytes(b"")
    assert watcher._folder is not None
    with qtbot.waitSignal(watcher._folder.directoryChanged, timeout=WAIT_MS):
        (system.DEV / "sda1").write_bytes(b"")
    assert not watcher._timer.isActive()
    assert fake.asked == 1


def test_what_changes_while_the_system_answers(qtbot: QtBot, watcher: CameraWatcher, fake: FakeSystem) -> None:
    fake.may_answer.clear()
    watcher.start()
    qtbot.waitUntil(lambda: fake.asked == 1, timeout=WAIT_MS)
    watcher.refresh()
    watcher.refresh()
    fake.may_answer.set()
    qtbot.waitUntil(lambda: fake.asked == 2 and watcher._job is None, timeout=WAIT_MS)
    assert fake.asked == 2


def test_the_same_answer_is_no_news(qtbot: QtBot, watcher: CameraWatcher, fake: FakeSystem) -> None:
    told: list[object] = []
    watcher.cameras_changed.connect(told.append)
    watcher.start()
    qtbot.waitUntil(lambda: watcher.is_known, timeout=WAIT_MS)
    watcher.refresh()
    qtbot.waitUntil(lambda: fake.asked == 2 and watcher._job is None, timeout=WAIT_MS)
    assert told == [(ONE,)]


def test_an_answer_that_fails_is_asked_for_again(
    qtbot: QtBot, watcher: CameraWatcher, fake: FakeSystem, caplog: pytest.LogCaptureFixture
) -> None:
    fake.error = OSError("the service is off")
    watcher.start()
    qtbot.waitUntil(lambda: "cannot be listed" in caplog.text, timeout=WAIT_MS)
    assert not watcher.is_known
    fake.error = None
    with qtbot.waitSignal(watcher.cameras_changed, timeout=WAIT_MS):
        watcher.refresh()


def test_after_stop_nothing_is_told(qtbot: QtBot, watcher: CameraWatcher, fake: FakeSystem) -> None:
    fake.may_answer.clear()
    watcher.start()
    qtbot.waitUntil(lambda: fake.asked == 1, timeout=WAIT_MS)
    job = watcher._job
    assert job is not None
    watcher.stop()  # does not wait for the answer
    with qtbot.assertNotEmitted(watcher.cameras_changed):
        fake.may_answer.set()
        assert job.wait(WAIT_S)
        qtbot.wait(1)
    watcher.refresh()
    assert fake.asked == 1
    watcher.stop()
    with qtbot.waitSignal(watcher.cameras_changed, timeout=WAIT_MS):
        watcher.start()


@pytest.mark.parametrize("platform", ["win32", "linux"], ids=["another system", "a folder that is not there"])
def test_where_nothing_tells_it_asks_again_and_again(
    qtbot: QtBot, watcher: CameraWatcher, fake: FakeSystem, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr(camera_watcher, "sys", SimpleNamespace(platform=platform))
    monkeypatch.setattr(camera_watcher, "POLL_MS", 10)
    system.DEV.rmdir()
    with qtbot.waitSignal(watcher.cameras_changed, timeout=WAIT_MS):
        watcher.start()
    fake.cameras = (OTHER,)
    with qtbot.waitSignal(watcher.cameras_changed, timeout=WAIT_MS) as signal:
        pass
    assert signal.args == [(OTHER,)]
