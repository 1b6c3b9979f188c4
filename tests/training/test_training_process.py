"""A training process that misbehaves: what it writes is read without end of memory, patience or sense."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fkd_desktop.workers.training_process import LAST_LINES, TrainingProcess
from trainer import events

GOOD = events.to_json_line(events.Notice("all is well"))


@pytest.mark.parametrize(
    "writes",
    [
        "out.write(b'x' * 100_000_000 + b'\\n')",
        "out.write(bytes(range(256)) * 50 + b'\\n')",
        "out.write(b'[' * 100_000 + b'\\n')",
        'out.write(b\'{"event": "BatchDone"}\\n\\n\\n\')',
    ],
    ids=["a line of 100 MB", "binary", "nested", "half an event"],
)
def test_what_is_no_event_is_passed_over(writes: str, qtbot, tmp_path: Path) -> None:
    code = f"import sys; out = sys.stdout.buffer; {writes}; out.write({GOOD!r}.encode() + b'\\n' + b'partial')"
    process = TrainingProcess([sys.executable, "-c", code], tmp_path / "log.txt")
    told: list[object] = []
    process.event_received.connect(told.append)
    with qtbot.waitSignal(process.ended, timeout=20_000) as ended:
        process.start()
    assert ended.args == [0]
    assert told == [events.Notice("all is well")]


def test_the_last_lines_of_an_endless_log_are_few_and_short(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_bytes(b"x" * 1_000_000 + b"\n" + b"\x1b[31mlast\x00\n" * 100)
    lines = TrainingProcess(["x"], log).last_lines()
    assert lines == ("\ufffd[31mlast\ufffd",) * LAST_LINES
    log.write_bytes(b"x" * 1_000_000)
    assert max(len(line) for line in TrainingProcess(["x"], log).last_lines()) < 1100
