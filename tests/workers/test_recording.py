"""Which frames become a film, at which times, and what is left when that fails."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from fkd_desktop.workers import recording as module
from fkd_desktop.workers.recording import LONGEST_GAP_S, QUEUE_FRAMES, Recording, RecordingOutcome
from tests.capture.live_frames import live_frame
from tests.live.helpers import assert_one_clear_sentence
from tests.trainer.tiny import small_disk

BEGIN_S = 1000.0


def plain(result, _look):
    return result.frame_bgr


class Running:
    """A recording in a thread of its own, as the real one is."""

    def __init__(self, path: Path, **options) -> None:
        self.path = path
        self.recording = Recording(**{"look": lambda: None, "paint": plain, **options})
        self.outcome: RecordingOutcome | None = None
        self.progress: list[tuple[float, int, int]] = []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        self.outcome = self.recording.run(self.path, on_progress=lambda *figures: self.progress.append(figures))

    def offer_all(self, *lives) -> None:
        """Offer frames as slowly as they are taken, so that none is dropped."""
        for live in lives:
            deadline = time.monotonic() + 10
            while len(self.recording._queue) >= QUEUE_FRAMES:
                assert time.monotonic() < deadline
                time.sleep(0.001)
            self.recording.offer(live)

    def end(self) -> RecordingOutcome:
        self.recording.close()
        self.thread.join(10)
        assert self.outcome is not None
        return self.outcome


def film(path: Path) -> tuple[list[float], list[int]]:
    """Return the times and grey values of a film's frames."""
    capture = cv2.VideoCapture(str(path))
    times, greys = [], []
    while True:
        is_there, image = capture.read()
        if not is_there:
            return times, greys
        times.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        greys.append(round(image.mean()))


def test_the_film_has_the_times_at_which_frames_were_captured(tmp_path):
    offsets = [0.0, 0.033, 0.1, 0.15, 0.9, 1.9]
    run = Running(tmp_path / "film.mp4")
    run.offer_all(*(live_frame(20 * i, captured_s=BEGIN_S + offset) for i, offset in enumerate(offsets)))
    outcome = run.end()
    times, greys = film(outcome.path)
    assert outcome.error is None and outcome.dropped == 0
    assert times[:-1] == pytest.approx(offsets, abs=0.002)
    assert greys[:-1] == pytest.approx([20 * i for i in range(6)], abs=3)
    assert run.progress[-1][1] > 0


def test_a_gap_is_no_longer_than_two_seconds_and_time_never_goes_back(tmp_path):
    captured = [0.0, 0.1, 3600.0, 3600.1, 3599.0, 3600.2]
    run = Running(tmp_path / "film.mp4")
    run.offer_all(*(live_frame(captured_s=BEGIN_S + at) for at in captured))
    times, _ = film(run.end().path)
    assert times[:-1] == pytest.approx([0.0, 0.1, 2.1, 2.2, 2.2, 2.3], abs=0.002)
    assert LONGEST_GAP_S == 2


def test_the_end_is_held_until_the_stop_but_not_for_long(tmp_path):
    run = Running(tmp_path / "film.mp4")
    run.offer_all(live_frame(captured_s=time.perf_counter() - 60))
    outcome = run.end()
    assert film(outcome.path)[0] == pytest.approx([0.0, 2.0], abs=0.002)
    assert outcome.duration_s == pytest.approx(2.0, abs=0.002)


def test_frames_of_other_sizes_are_fitted_in(tmp_path):
    run = Running(tmp_path / "film.mp4")
    run.offer_all(live_frame(200), live_frame(200, width=640, height=480), live_frame(200, width=100))
    capture = cv2.VideoCapture(str(run.end().path))
    shapes = [capture.read()[1].shape for _ in range(3)]
    assert shapes == [(240, 320, 3)] * 3


def test_what_comes_while_the_encoder_is_behind_is_dropped_and_counted_and_nobody_waits(tmp_path):
    may_go_on = threading.Event()

    def slow(result, _look):
        may_go_on.wait(10)
        return result.frame_bgr

    run = Running(tmp_path / "film.mp4", paint=slow)
    begin_s = time.perf_counter()
    for i in range(100):
        run.recording.offer(live_frame(captured_s=BEGIN_S + i))
    assert time.perf_counter() - begin_s < 1
    assert 100 - QUEUE_FRAMES - 1 <= run.recording.dropped <= 100 - QUEUE_FRAMES
    may_go_on.set()
    outcome = run.end()
    assert outcome.frames == 100 - outcome.dropped + 1  # and the held end
    run.recording.offer(live_frame())  # too late: no error, and not kept
    assert len(run.recording._queue) == 0


def test_it_is_painted_as_it_looks_at_that_moment_also_while_no_frames_come(tmp_path):
    looks = [10]
    run = Running(
        tmp_path / "film.mp4",
        look=lambda: looks[0],
        paint=lambda result, look: np.full_like(result.frame_bgr, look),
    )
    run.offer_all(live_frame())
    deadline = time.monotonic() + 10
    for look in (100, 200):
        while run.recording._last is None or run.recording._last[2] != looks[0]:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        looks[0] = look
    while run.recording._last[2] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    _, greys = film(run.end().path)
    assert greys[:3] == pytest.approx([10, 100, 200], abs=3)


def test_without_a_frame_nothing_is_left_and_that_is_said(tmp_path):
    (tmp_path / "film.mp4").touch()
    outcome = Running(tmp_path / "film.mp4").end()
    assert outcome.path is None
    assert list(tmp_path.iterdir()) == []
    assert "no picture came" in str(outcome.error)


def test_a_disk_that_is_nearly_full_ends_it_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "DISK_EVERY_S", 0.0)
    room = [10**12]
    run = Running(tmp_path / "film.mp4", free_bytes=lambda _: room[0])
    run.offer_all(*(live_frame(captured_s=BEGIN_S + i / 30) for i in range(20)))
    room[0] = module.LOW_DISK_BYTES - 1
    run.thread.join(10)
    outcome = run.end()
    assert_one_clear_sentence(outcome.error, str(tmp_path), "nearly full", "free some space")
    assert len(film(outcome.path)[0]) == outcome.frames > 0


def test_a_disk_whose_room_is_unknown_does_not_matter(tmp_path, monkeypatch):
    def unknown(_):
        raise OSError("no such call here")

    run = Running(tmp_path / "film.mp4", free_bytes=unknown)
    run.offer_all(live_frame())
    assert run.end().error is None


def test_a_disk_that_is_full_leaves_a_film_and_a_sentence(tmp_path):
    rng = np.random.default_rng(0)
    run = Running(tmp_path / "film.mp4", paint=lambda *_: rng.integers(0, 255, (240, 320, 3), dtype=np.uint8))
    with small_disk() as limit:
        limit(4_000_000)
        begin = time.monotonic()
        i = 0
        while run.outcome is None and time.monotonic() < begin + 20:
            i += 1
            run.offer_all(live_frame(captured_s=BEGIN_S + i / 30))
    outcome = run.end()
    assert_one_clear_sentence(outcome.error, str(tmp_path / "film.mp4"), "free some space")
    assert outcome.path == tmp_path / "film.mp4"
    times, _ = film(outcome.path)
    assert len(times) >= 30 and outcome.frames - len(times) < 62


def test_a_layer_that_breaks_ends_the_recording_with_a_sentence_and_not_with_an_uncovered_face(tmp_path):
    def paint(result, look):
        if result.frame_bgr.max() > 100:
            raise ValueError("this picture is no good")
        return result.frame_bgr

    run = Running(tmp_path / "film.mp4", paint=paint)
    run.offer_all(live_frame(50, captured_s=BEGIN_S), live_frame(50, captured_s=BEGIN_S + 1))
    run.offer_all(live_frame(200, captured_s=BEGIN_S + 2))
    run.thread.join(10)
    outcome = run.end()
    assert "this picture is no good" in str(outcome.error)
    times, greys = film(outcome.path)
    assert times == pytest.approx([0, 1], abs=0.002) and max(greys) < 60


def test_a_folder_that_has_gone_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    outcome = Running(tmp_path / "file" / "film.mp4").end()
    assert outcome.path is None
    assert_one_clear_sentence(outcome.error, str(tmp_path / "file"), "choose another place")
