"""Traces of crashes in the folder that all sessions of a user share."""

from __future__ import annotations

import faulthandler
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fkd_desktop.crashes import KEPT, CrashFile, Repeats, last_crash, read_trace

RUNNING = """
import sys
from pathlib import Path
from fkd_desktop.crashes import CrashFile
file = CrashFile(Path(sys.argv[1]))
file._file.write("a trace that is being written"); file._file.flush()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _pytests_own_handler():
    yield
    faulthandler.enable(sys.__stderr__)


def leave(folder: Path, name: str, text: str, at_s: int = 0) -> None:
    path = folder / f"session-{name}.txt"
    path.write_text(text, encoding="utf-8")
    os.utime(path, (at_s, at_s))


def test_a_session_that_runs_is_not_taken_for_a_crash_until_it_is_gone(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", RUNNING, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        assert last_crash(tmp_path) is None
        process.kill()
    crash = last_crash(tmp_path)
    assert crash is not None and read_trace(crash) == "a trace that is being written"
    assert last_crash(tmp_path) is None, "told once"


def test_a_clean_end_leaves_nothing_and_an_empty_file_is_no_crash(tmp_path: Path) -> None:
    CrashFile(tmp_path).close()
    leave(tmp_path, "killed", "")
    assert last_crash(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_the_newest_crash_is_told_and_a_few_are_kept(tmp_path: Path) -> None:
    for number in range(KEPT + 3):
        leave(tmp_path, f"1-{number}", f"trace {number}", at_s=1_000_000_000 + number)
    crash = last_crash(tmp_path)
    assert crash is not None and read_trace(crash) == f"trace {KEPT + 2}"
    assert len(list(tmp_path.iterdir())) == KEPT


def test_a_folder_that_is_not_there_or_a_file_in_its_place_is_no_crash(tmp_path: Path) -> None:
    assert last_crash(tmp_path / "none") is None
    (tmp_path / "file").write_text("")
    assert last_crash(tmp_path / "file") is None
    with pytest.raises(OSError, match="file"):
        CrashFile(tmp_path / "file")


def test_repeats_are_worth_a_line_ever_more_seldom() -> None:
    repeats = Repeats()
    assert [n for n in range(1, 101) if Repeats.is_worth_a_line(repeats.add("a"))] == [1, 2, 4, 8, 16, 32, 64]
    assert repeats.add("b") == 1
