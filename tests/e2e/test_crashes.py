"""Faults of the program itself, in processes that run the real `run()`, and what the next start says of them."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="ends processes by signals")
SCRIPT = Path(__file__).with_name("faults_script.py")


def start(fault, then="", *, wait=True):
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.faults_script", fault, then],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=SCRIPT.parents[2],
    )
    if not wait:
        return process
    said, complaints = process.communicate(timeout=100)
    return process.returncode, json.loads(said) if said else None, complaints


def state_folder():
    return Path(os.environ["XDG_STATE_HOME"]) / "fkd-desktop" / "log"


def log():
    return (state_folder() / "fkd-desktop.log").read_text(encoding="utf-8")


def crash_files():
    return sorted(path.name for path in (state_folder() / "crashes").iterdir())


def test_a_session_without_a_fault_leaves_no_trace_and_its_folders_are_its_owners_alone():
    code, said, complaints = start("nothing")
    assert (code, said, complaints) == (0, {"banner": "", "dialogs": [], "copied": ""}, "")
    assert crash_files() == []
    for folder in (state_folder(), state_folder() / "crashes"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((state_folder() / "fkd-desktop.log").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("fault", "number", "trace"),
    [
        ("segfault", signal.SIGSEGV, "Segmentation fault"),
        ("abort", signal.SIGABRT, "Aborted"),
        ("fatal", signal.SIGABRT, "Aborted"),
        ("bus", signal.SIGBUS, "Bus error"),
    ],
)
def test_a_crash_of_native_code_leaves_its_trace(fault, number, trace):
    code, _, _ = start(fault)
    assert code == -number
    assert ("the end, says Qt" in log()) == (fault == "fatal")
    [left] = crash_files()
    assert trace in (state_folder() / "crashes" / left).read_text(encoding="utf-8")


def test_a_crash_of_native_code_is_told_once_at_the_next_start():
    start("segfault")
    code, said, _ = start("nothing", "show log")
    assert code == 0
    assert said["banner"] == "FKD Desktop ended unexpectedly last time."
    [(message, _, shown)] = said["dialogs"]
    assert "nothing is sent by itself" in message
    assert "Segmentation fault" in shown and "faults_script.py" in shown, "where it was"
    assert "Segmentation fault" in said["copied"] and "PySide6-Essentials: " in said["copied"]
    [kept] = crash_files()
    assert kept.startswith("crash-")
    assert stat.S_IMODE((state_folder() / "crashes" / kept).stat().st_mode) == 0o600
    assert start("nothing")[1]["banner"] == "", "once"


def test_a_process_that_was_killed_is_no_crash():
    assert start("kill")[0] == -signal.SIGKILL
    assert len(crash_files()) == 1
    assert start("nothing")[1]["banner"] == ""
    assert crash_files() == []


@pytest.mark.parametrize(
    ("fault", "error", "where"),
    [
        ("slot", "ValueError: in a slot", "MainThread"),
        ("thread", "KeyError: 'in a thread'", "helper"),
        ("qthread", "LookupError: in a QThread", "Dummy"),
        ("destructor", "ArithmeticError: in a destructor", "Ending.__del__"),
    ],
)
def test_an_exception_that_nobody_catches_is_shown_and_the_session_goes_on(fault, error, where):
    code, said, complaints = start(fault)
    assert code == 0, "it was closed as ever"
    [(message, count, shown)] = said["dialogs"]
    assert "The session goes on where it can" in message and count == ""
    assert "Traceback (most recent call last)" in shown and error in shown
    assert error in said["copied"]
    assert error in complaints, "for whoever looks at the terminal"
    [head] = [line for line in log().splitlines() if "unhandled exception" in line]
    assert where in head
    assert f"  {error}" in log()
    assert not any(line.startswith("2026-01-01") for line in log().splitlines()), "no message looks like an entry"
    assert "\x1b" not in log()
    assert crash_files() == [], "no crash"


def test_what_was_closed_does_not_come_up_again():
    code, said, _ = start("slot", "close and again")
    assert (code, said["dialogs"]) == (0, [])
    assert "unhandled exception in MainThread, time 2" in log()


def test_a_flood_is_counted_in_one_dialog_and_the_log_stays_small():
    code, said, _ = start("flood")
    assert code == 0
    [(_, count, shown)] = said["dialogs"]
    assert count.startswith("It happened 600 time")
    assert shown.count("Traceback") == 1
    assert log().count("unhandled exception") == 10  # of 600: 1, 2, 4, ... 512


def test_what_qt_complains_of_is_in_the_log():
    _, _, complaints = start("warning")
    assert "a warning of Qt" not in complaints
    assert log().count("a warning of Qt") == 7  # of 100: 1, 2, 4, ... 64
