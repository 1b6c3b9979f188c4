"""Landmarks of a session, in a thread of their own: all that is offered is written, and nobody waits for the disk."""

from __future__ import annotations

import csv
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fkd_desktop.live import line_file
from fkd_desktop.live.export import EXPORT_FORMATS, CsvWriter, Tables
from fkd_desktop.live.result import FrameResult, LiveFrame, Position
from fkd_desktop.live.sinks import SinkSet
from fkd_desktop.workers import export_thread
from fkd_desktop.workers.export_thread import QUEUE_FRAMES, ExportSummary, ExportThread
from tests.live.helpers import face_points
from tests.trainer.tiny import names_in, small_disk
from trainer.core.preprocess import box_from_keypoints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

FACE = face_points()


def live(timestamp_s: float, *, faces: int = 1, annotated: bool = True, position: Position | None = None) -> LiveFrame:
    points = np.array([FACE + 5 * i for i in range(faces)], np.float32).reshape(-1, 68, 2)
    result = FrameResult(
        frame_bgr=np.zeros((480, 640, 3), np.uint8),
        timestamp_s=timestamp_s,
        boxes_xywh=np.array([box_from_keypoints(face) for face in points], np.float32).reshape(-1, 4),
        ids=np.arange(1, 1 + faces),
        keypoints_px=points,
        confidences=np.full(faces, 0.9, np.float32),
    )
    return LiveFrame(result, 1000 + timestamp_s, annotated, position)


@pytest.fixture
def ended() -> Iterator[Callable[[ExportThread], ExportThread]]:
    """Make sure that no thread outlives its test."""
    threads: list[ExportThread] = []
    yield lambda thread: (threads.append(thread), thread)[1]
    for thread in threads:
        thread.stop()
        assert thread.wait(5000)


def stop(qtbot: QtBot, thread: ExportThread) -> ExportSummary:
    with qtbot.waitSignal(thread.saved, timeout=5000) as caught:
        thread.stop()
    assert thread.wait(5000)
    return caught.args[0]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_all_that_is_offered_is_written(qtbot: QtBot, tmp_path: Path, ended: Any) -> None:
    thread = ended(ExportThread(tmp_path / "out", "session", EXPORT_FORMATS))
    sinks = SinkSet()
    sinks.add(thread)
    thread.start()
    for i in range(40):
        sinks.offer(live(50 + i / 25, faces=i % 3))
    summary = stop(qtbot, thread)
    assert summary == ExportSummary(
        tuple(tmp_path / "out" / name for name in ("session.csv", "session.jsonl", "session-pts")),
        frames=40,
        faces=sum(i % 3 for i in range(40)),
        dropped=0,
    )
    rows = rows_of(tmp_path / "out" / "session.csv")
    assert [int(row["frame"]) for row in rows] == sorted(i + 1 for i in range(40) for _ in range(max(1, i % 3)))
    assert float(rows[0]["timestamp"]) == 0 and float(rows[-1]["timestamp"]) == pytest.approx(39 / 25)
    assert float(rows[1]["x_30"]) == pytest.approx(FACE[30, 0], abs=0.006)
    lines = [json.loads(line) for line in (tmp_path / "out" / "session.jsonl").read_text().splitlines()]
    assert [len(line["faces"]) for line in lines] == [i % 3 for i in range(40)]
    assert (lines[0]["width"], lines[0]["height"]) == (640, 480)
    assert len(names_in(tmp_path / "out" / "session-pts")) == summary.faces
    sinks.offer(live(99))
    assert len(rows_of(tmp_path / "out" / "session.csv")) == len(rows), "what comes after the end is left out"


def test_a_videos_frames_keep_their_numbers_and_times(qtbot: QtBot, tmp_path: Path, ended: Any) -> None:
    thread = ended(ExportThread(tmp_path, "a", ["csv"]))
    thread.start()
    for index in (10, 11, 12, 12, 12, 3):  # paused at 12, then moved back
        thread.offer(live(index / 25, position=Position("video", index, 100, index / 25, 4.0)))
    assert stop(qtbot, thread).frames == 4
    rows = rows_of(tmp_path / "a.csv")
    assert [int(row["frame"]) for row in rows] == [11, 12, 13, 4]
    assert [float(row["timestamp"]) for row in rows] == pytest.approx([10 / 25, 11 / 25, 12 / 25, 3 / 25])


def test_frames_that_the_network_has_not_seen_are_passed_over(qtbot: QtBot, tmp_path: Path, ended: Any) -> None:
    thread = ended(ExportThread(tmp_path, "a", ["csv"]))
    thread.start()
    thread.offer(live(1.0, faces=0, annotated=False))
    thread.offer(live(2.0))
    assert stop(qtbot, thread).frames == 1
    assert [(row["frame"], row["timestamp"]) for row in rows_of(tmp_path / "a.csv")] == [("1", "0.000000")]


def test_a_slow_disk_never_holds_up_the_session(
    qtbot: QtBot, tmp_path: Path, ended: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()
    write = CsvWriter.write
    monkeypatch.setattr(CsvWriter, "write", lambda self, *args, **kw: (goes_on.wait(10), write(self, *args, **kw))[1])
    thread = ended(ExportThread(tmp_path, "a", ["csv"]))
    thread.start()
    start_s = time.perf_counter()
    for i in range(QUEUE_FRAMES + 100):
        thread.offer(live(i / 25))
    assert time.perf_counter() - start_s < 3, "offering waited for the disk"
    assert 98 <= thread.dropped <= 100
    goes_on.set()
    summary = stop(qtbot, thread)
    assert summary.frames + summary.dropped == QUEUE_FRAMES + 100
    numbers = [int(row["frame"]) for row in rows_of(tmp_path / "a.csv")]
    assert numbers == list(range(1, summary.frames + 1)), "what is left out leaves a gap in the numbers"


def test_what_waits_holds_on_to_no_pictures(qtbot: QtBot, tmp_path: Path, ended: Any) -> None:
    thread = ended(ExportThread(tmp_path, "a", ["jsonl"]))
    thread.offer(live(0.0))
    waiting = thread._rows.queue[0].result
    assert waiting.frame_bgr.shape == (480, 640, 3) and waiting.frame_bgr.base.nbytes == 1
    thread.start()
    stop(qtbot, thread)
    assert json.loads((tmp_path / "a.jsonl").read_text())["width"] == 640


def test_progress_is_told(qtbot: QtBot, tmp_path: Path, ended: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_thread, "TELL_EVERY_S", 0.0)
    thread = ended(ExportThread(tmp_path, "a", ["csv"]))
    told: list[int] = []
    thread.progressed.connect(told.append)
    thread.start()
    for i in range(3):
        thread.offer(live(i / 25))
    qtbot.waitUntil(lambda: bool(told) and told[-1] == 3, timeout=5000)
    assert told == sorted(told)
    stop(qtbot, thread)


def test_lines_are_on_the_disk_while_the_session_pauses(qtbot: QtBot, tmp_path: Path, ended: Any) -> None:
    thread = ended(ExportThread(tmp_path, "a", ["csv"]))
    thread.start()
    thread.offer(live(0.0))
    qtbot.waitUntil(lambda: (tmp_path / "a.csv").exists() and len(rows_of(tmp_path / "a.csv")) == 1, timeout=5000)


def test_a_full_disk_ends_it_with_a_sentence_and_whole_lines(
    qtbot: QtBot, tmp_path: Path, ended: Any, monkeypatch: pytest.MonkeyPatch, is_one_sentence: Callable[[object], bool]
) -> None:
    monkeypatch.setattr(line_file, "FLUSH_EVERY_S", 0.0)
    thread = ended(ExportThread(tmp_path, "a", ["csv"]))
    saved: list[object] = []
    thread.saved.connect(saved.append)
    with small_disk() as limit_to:
        limit_to(8000)
        with qtbot.waitSignal(thread.failed, timeout=5000) as caught:
            thread.start()
            for i in range(50):
                thread.offer(live(i / 25))
        assert thread.wait(5000)
    assert is_one_sentence(caught.args[0]) and str(tmp_path / "a.csv") in caught.args[0]
    assert not saved
    assert len(rows_of(tmp_path / "a.csv")) >= 3 and (tmp_path / "a.csv").read_text().endswith("\n")
    thread.offer(live(9.0))  # the session goes on
    assert thread.dropped == 0


@pytest.mark.parametrize("kind", ["csv", "jsonl", "pts"])
def test_an_earlier_export_is_not_written_over(
    qtbot: QtBot, tmp_path: Path, ended: Any, kind: Any, is_one_sentence: Callable[[object], bool]
) -> None:
    first = ended(ExportThread(tmp_path, "a", [kind]))
    first.start()
    first.offer(live(0.0))
    stop(qtbot, first)
    second = ended(ExportThread(tmp_path, "a", [kind]))
    with qtbot.waitSignal(second.failed, timeout=5000) as caught:
        second.offer(live(5.0))
        second.start()
    assert is_one_sentence(caught.args[0]) and "already" in caught.args[0]


def test_a_fault_of_the_program_is_a_sentence_too(
    qtbot: QtBot, tmp_path: Path, ended: Any, monkeypatch: pytest.MonkeyPatch, is_one_sentence: Callable[[object], bool]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(Tables, "write", fail)
    thread = ended(ExportThread(tmp_path, "a", ["csv"]))
    with qtbot.waitSignal(thread.failed, timeout=5000) as caught:
        thread.start()
        thread.offer(live(0.0))
    assert is_one_sentence(caught.args[0]) and "a fault" in caught.args[0]


def test_stopping_before_anything_came_leaves_a_header(qtbot: QtBot, tmp_path: Path, ended: Any) -> None:
    thread = ended(ExportThread(tmp_path, "a", ["csv"]))
    thread.start()
    assert stop(qtbot, thread).frames == 0
    assert (tmp_path / "a.csv").read_text().count("\n") == 1
