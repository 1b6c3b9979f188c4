"""What watches over a long run sees what it is there for, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.longrun.findings import read_findings
from tests.longrun.running import run
from tests.longrun.sandbox import environment

WATCHED = """
import logging, sys, threading, warnings
from pathlib import Path
from tests.longrun.findings import Findings
from tests.longrun.sandbox import guard
folder = Path(sys.argv[1])
findings = Findings(folder / "findings.jsonl", errors_count=False, expected="as it should")
findings.install()
guard(findings, folder)
from PySide6.QtCore import QCoreApplication, QTimer, qWarning
application = QCoreApplication([])
findings.now = "what was done"
{deed}
QTimer.singleShot(0, application.quit)
application.exec()
"""
DEEDS = {
    "slot": ("QTimer.singleShot(0, lambda: 1 / 0)", "excepthook"),
    "thread": ("t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join()", "excepthook"),
    "dying": ("type('Dying', (), {'__del__': lambda self: 1 / 0})()", "unraisablehook"),
    "log": ("try: 1 / 0\nexcept ZeroDivisionError: logging.exception('failed')", "log of root"),
    "warning": ("warnings.warn('old')", "log of py.warnings"),
    "Qt": ("qWarning('odd')", "Qt"),
    "file": ("try: open('/nowhere-else', 'w')\nexcept PermissionError: pass", "file"),
    "network": (
        "import socket\ntry: socket.create_connection(('127.0.0.1', 9))\nexcept OSError: pass",
        "network",
    ),
    "nothing": ("logging.error('a user is told'); (folder / 'mine').write_text('')", None),
}


@pytest.mark.parametrize("name", DEEDS)
def test_what_goes_wrong_is_written_down_with_what_was_being_done(name, tmp_path):
    deed, kind = DEEDS[name]
    folder = tmp_path / "run"
    subprocess.run(
        [sys.executable, "-c", WATCHED.replace("{deed}", deed), str(folder)],
        env=environment(folder) | {"QT_QPA_PLATFORM": "offscreen"},
        check=True,
        timeout=60,
        capture_output=True,
    )
    found = read_findings(folder / "findings.jsonl")
    assert [(finding["kind"], finding["doing"]) for finding in found] == ([(kind, "what was done")] if kind else [])


def test_a_process_that_dies_and_one_that_it_leaves_are_findings(tmp_path):
    module = tmp_path / "dying_module.py"
    module.write_text(
        "import os, subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "os.kill(os.getpid(), 11)\n"
    )
    outcome = run("dying_module", {}, report=tmp_path / "report", path=tmp_path, patience_s=0.0)
    assert [finding["kind"] for finding in outcome.findings] == ["process", "left over"]
    assert "SIGSEGV" in outcome.findings[0]["text"]
