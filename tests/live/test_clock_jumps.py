"""A computer that sleeps for eight hours: all clocks are ahead at once, as on Windows, where they go on meanwhile.

On Linux and macOS the clock of a session stands still in the meantime; there only the wall clock jumps, which
test_camera_faults.py does to a whole process.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fkd_desktop.errors import SourceError, SourceProblem
from fkd_desktop.live import session as session_module
from fkd_desktop.live.pipeline import Pipeline
from fkd_desktop.live.playback import Playback
from fkd_desktop.live.player import Player
from fkd_desktop.live.stats import RollingStats
from fkd_desktop.workers.recording import Recording
from tests.fakes import FakeCamera
from tests.live.helpers import ScriptedSource
from tests.live.running import WAIT_S, Running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fkd_desktop.live.result import Frame
    from tests.live.helpers import DemoFrame
    from trainer.core.predictor import Predictor

pytestmark = pytest.mark.usefixtures("threads_end")

SLEEP_S = 8 * 3600.0


@pytest.fixture
def sleep_well(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return what puts all clocks of this process ahead by a night."""
    ahead_s = [0.0]

    def later(clock: Callable[[], float]) -> Callable[[], float]:
        return lambda: clock() + ahead_s[0]

    for name in ("perf_counter", "monotonic", "time"):
        monkeypatch.setattr(time, name, later(getattr(time, name)))

    def jump() -> None:
        ahead_s[0] += SLEEP_S

    return jump


def test_a_camera_that_goes_on_was_never_silent(sleep_well: Callable[[], None], register: Callable[..., None]) -> None:
    class Overnight(FakeCamera):
        """Takes long enough for each picture that the session looks at the clock, before and after the sleep."""

        def read(self) -> Frame | None:
            self.release.wait(0.15)
            sleep_well()
            self.release.wait(0.15)
            return super().read()

    register("fake", lambda _: Overnight())
    running = Running("fake:")
    running.wait_for("OPENED")
    before, after = running.take(), running.take()
    assert after.result.timestamp_s - before.result.timestamp_s > SLEEP_S, "the clock did jump"
    assert running.told == []
    running.end()


def test_a_camera_that_sends_nothing_after_a_sleep_is_noticed_as_ever(
    sleep_well: Callable[[], None], register: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "STALL_S", 0.2)
    monkeypatch.setattr(session_module, "GIVE_UP_S", 0.4)
    monkeypatch.setattr("fkd_desktop.live.recovery.RETRY_S", (0.05,))
    cameras = [FakeCamera(), FakeCamera()]
    asleep, left = cameras[0], list(cameras)
    register("fake", lambda _: left.pop(0))
    running = Running("fake:")
    running.take()
    asleep.hang_in_read = True
    assert asleep.blocked.wait(WAIT_S)
    sleep_well()
    assert running.wait_for("RESUMED")[-4:] == ["STALLED", "LOST", "RECONNECTING", "RESUMED"]
    assert "no pictures for 0 seconds" in running.sentence or "no pictures for 1 seconds" in running.sentence
    asleep.release.set()
    running.end()


def test_waiting_to_try_again_ends_with_the_sleep(
    sleep_well: Callable[[], None], register: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fkd_desktop.live.recovery.RETRY_S", (3600.0,))
    camera = FakeCamera()
    camera.fail_to_open = [SourceError("it is away", problem=SourceProblem.MISSING)]
    register("fake", lambda _: camera)
    running = Running("fake:")
    running.wait_for("MISSING")
    sleep_well()
    running.wait_for("OPENED")
    running.end()


def test_a_face_is_the_same_one_in_the_morning(predictor: Predictor, demo: dict[int, DemoFrame]) -> None:
    pipeline, image = Pipeline(predictor), demo[0].image_bgr
    for number in range(20):
        before = pipeline.process(image, number / 30)
    after = pipeline.process(image, 20 / 30 + SLEEP_S)
    assert len(before) == 1
    assert after.ids.tolist() == before.ids.tolist()
    assert np.abs(after.keypoints_px - before.keypoints_px).max() < 2
    later = pipeline.process(image, 21 / 30 + SLEEP_S)
    assert np.abs(later.keypoints_px - after.keypoints_px).max() < 1


def test_a_face_that_moved_overnight_is_not_dragged_along(predictor: Predictor, demo: dict[int, DemoFrame]) -> None:
    pipeline, image = Pipeline(predictor), demo[0].image_bgr
    moved = np.roll(image, (12, 30), axis=(0, 1))
    for number in range(20):
        pipeline.process(image, number / 30)
    for number in range(3):
        result = pipeline.process(moved, (20 + number) / 30 + SLEEP_S)
    fresh = Pipeline(predictor)
    for number in range(3):
        expected = fresh.process(moved, number / 30)
    assert len(result) == len(expected) == 1
    assert np.abs(result.keypoints_px - expected.keypoints_px).mean() < 3


def test_a_video_goes_on_where_it_was(sleep_well: Callable[[], None]) -> None:
    shown: list[tuple[float, float]] = []
    done = threading.Event()

    def put(frame: Frame) -> None:
        shown.append((frame.timestamp_s, time.perf_counter()))
        if len(shown) == 3:
            sleep_well()
        if len(shown) == 8:
            done.set()

    source = ScriptedSource([number / 20 for number in range(8)])
    Player(source, Playback(), waits=False, put=put, should_stop=done.is_set).run()
    assert len(shown) == 8, "no frame is left out"
    steps_s = np.diff([shown_s for _, shown_s in shown])
    assert steps_s[2] > SLEEP_S - 1
    assert (steps_s[4:] > 0.02).all(), "after the one that was due, each has its time again"


def test_the_frame_rate_is_that_of_the_last_seconds() -> None:
    stats = RollingStats()
    for number in range(60):
        stats.add(captured_s=number / 30, painted_s=number / 30 + 0.01)
    stats.add(captured_s=2.0, painted_s=2.0 + SLEEP_S)
    for number in range(1, 60):
        stats.add(captured_s=2 + number / 30 + SLEEP_S, painted_s=2.01 + number / 30 + SLEEP_S)
    figures = stats.figures(4 + SLEEP_S)
    assert figures is not None
    assert figures.frames_per_s == pytest.approx(30, abs=1)
    assert figures.latency_ms == pytest.approx(10, abs=1)
    assert figures.latency_p95_ms < 1000, "one frame that lay through the night says nothing"


def test_the_night_is_not_in_the_film(
    sleep_well: Callable[[], None], register: Callable[..., None], tmp_path: Path
) -> None:
    register("fake", lambda _: FakeCamera(sizes=((48, 64),), frames_per_s=50))
    running = Running("fake:")
    recording = Recording(look=lambda: None, paint=lambda result, _look: result.frame_bgr)
    outcomes = []
    writer = threading.Thread(target=lambda: outcomes.append(recording.run(tmp_path / "film.mp4")))
    writer.start()
    for number in range(10):
        recording.offer(running.take())
        if number == 5:
            sleep_well()
    recording.close()
    writer.join(WAIT_S)
    running.end()
    (outcome,) = outcomes
    assert outcome.error is None
    assert outcome.frames >= 5
    assert outcome.duration_s < 60
