"""Live sessions of network cameras that do what network cameras do at their worst."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fkd_desktop.live import recovery
from fkd_desktop.live import session as session_module
from fkd_desktop.live.sources import stream
from tests.live.helpers import picture
from tests.live.http_camera import HttpCamera
from tests.live.rtsp_camera import RtspCamera
from tests.live.running import Running
from tests.live.webcam import damaged, jpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.usefixtures("threads_end")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Running]]:
    monkeypatch.setattr(recovery, "RETRY_S", (0.05,))
    started: list[Running] = []

    def start(url: str) -> Running:
        started.append(Running(url))
        started[-1].wait_for("OPENED")
        return started[-1]

    yield start
    for running in started:
        running.end()


@pytest.mark.parametrize("kind", ["noise", "zeros", "only a header", "cut off"])
def test_damaged_pictures_are_left_out_and_counted(run: Callable[[str], Running], kind: str) -> None:
    with HttpCamera() as camera:
        running = run(camera.url("/video"))
        good, dropped = camera.jpeg, running.session.dropped
        camera.jpeg = damaged(good)[kind]
        while running.slot.take(timeout_s=0.2) is not None:
            pass  # the last whole ones
        assert running.session.dropped >= dropped + 3
        camera.jpeg = good
        assert abs(running.take().result.frame_bgr.astype(int) - picture(48, 64)).mean() < 5
        assert running.told == []


def test_a_stream_of_nothing_but_damage_is_opened_anew(run: Callable[[str], Running]) -> None:
    with HttpCamera() as camera:
        running = run(camera.url("/video"))
        good, camera.jpeg, camera.period_s = camera.jpeg, b"", 0.002
        running.wait_for("RECONNECTING")
        camera.jpeg = good
        running.wait_for("RESUMED")


def test_size_and_colour_change_in_mid_stream(run: Callable[[str], Running]) -> None:
    with HttpCamera() as camera:
        running = run(camera.url("/video"))
        for image in (picture(480, 640), picture(48, 64)[..., 1], picture(2, 2), picture(90, 50)):
            camera.jpeg = jpeg(image)
            frame = running.take_like((*image.shape[:2], 3)).result.frame_bgr
            assert image.ndim == 3 or np.ptp(frame.reshape(-1, 3), axis=1).max() <= 1
        assert running.told == []


@pytest.mark.parametrize(("rate", "pictures"), [(5, 3), (240, 60)])
def test_slow_and_fast_streams(run: Callable[[str], Running], rate: int, pictures: int) -> None:
    with HttpCamera() as camera:
        camera.period_s = 1 / rate
        running = run(camera.url("/video"))
        times_s = [running.take().result.timestamp_s for _ in range(pictures)]
        assert (np.diff(times_s) > 0).all()
        assert running.told == []


def test_a_stream_that_pauses_goes_on_and_one_that_is_silent_is_opened_anew(
    run: Callable[[str], Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "STALL_S", 0.2)
    with HttpCamera() as camera:
        running = run(camera.url("/video"))
        camera.goes_on.clear()
        running.wait_for("STALLED")
        camera.goes_on.set()
        running.wait_for("RESUMED")
        monkeypatch.setattr(stream, "READ_TIMEOUT_S", 0.5)
        camera.goes_on.clear()
        monkeypatch.setattr(session_module, "GIVE_UP_S", 0.5)
        assert running.wait_for("RECONNECTING")[-2:] == ["LOST", "RECONNECTING"]
        camera.goes_on.set()
        running.wait_for("RESUMED")


def test_a_camera_that_restarts_again_and_again_leaves_nothing(run: Callable[[str], Running]) -> None:
    with HttpCamera() as camera:
        running = run(camera.url("/video"))
    port, files = camera.port, []
    for _ in range(20):
        with HttpCamera(port=port):
            running.session.retry_now()
            running.wait_for("RESUMED")
            running.take()
            files.append(len(list(Path("/proc/self/fd").glob("*"))))
            assert sum(thread.name == "frame-reader" for thread in threading.enumerate()) == 1
        running.wait_for("RECONNECTING")
    assert max(files[10:]) <= max(files[:10]) + 1


def test_a_cameras_clock_may_jump_back(run: Callable[[str], Running]) -> None:
    with RtspCamera() as camera:
        running = run(camera.url("/live"))
        camera.clock_90khz = lambda number: 3000 * (number if number % 20 < 10 else number // 2)
        times_s = [running.take().result.timestamp_s for _ in range(40)]
        assert (np.diff(times_s) > 0).all()
        assert running.told == []
