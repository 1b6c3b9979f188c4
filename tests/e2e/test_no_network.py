"""No network use at all: a real session is run under watch."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, sys
from pathlib import Path

offences = []

def watch(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        offences.append((event, arguments[1:]))

sys.addaudithook(watch)

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from fkd_desktop import app
from fkd_desktop.ui.main_window import MainWindow

def open_internet_sockets():
    '''Those of libraries too: sockets among this process's files that the kernel lists as TCP or UDP.'''
    own = set()
    for fd in Path("/proc/self/fd").iterdir():
        try:
            own.add(os.readlink(fd))
        except OSError:
            pass
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        path = Path("/proc/self/net") / table
        for line in path.read_text().splitlines()[1:] if path.exists() else []:
            if f"socket:[{line.split()[9]}]" in own:
                found.append((table, line.split()[1:3]))
    return found

steps = []

def drive():
    window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible())
    live = window.view.live_frame
    if live is None or not live.annotated or live.result.timestamp_s < 0.5:
        return
    offences.extend(open_internet_sockets())
    todo = [
        window.commands.gallery.trigger,
        window.capture.actions.snapshot.trigger,
        window.capture.actions.record.trigger,
        window.open_preferences,
        window.help.show_about,
        window.help.copy_diagnostics,
        window.export.open,
        window.capture.open_virtual_camera,
        window.workshop.open_inspector,
        window.capture.actions.record.trigger,
        window.leave,
    ]
    if len(steps) < len(todo):
        steps.append(None)
        todo[len(steps) - 1]()

timer = QTimer(interval=250)
timer.timeout.connect(drive)
if SABOTAGE == "python":
    import socket
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=0.2)
    except OSError:
        pass
elif SABOTAGE == "library":
    import socket
    keep = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    import ctypes
    address = bytes([2, 0, 0, 9, 127, 0, 0, 1]) + bytes(8)
    ctypes.CDLL(None).connect(keep.fileno(), address, 16)  # past Python's own calls
QTimer.singleShot(0, timer.start)
code = app.main(["--source", "demo", "--device", "cpu"])
print(len(steps), "steps", offences)
sys.exit(code or bool(offences))
"""


def run(sabotage: str, tmp_path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)}
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_PICTURES_DIR", "XDG_VIDEOS_DIR"):
        environment[name] = str(tmp_path / name.lower())
    return subprocess.run(
        [sys.executable, "-c", f"SABOTAGE = {sabotage!r}\n{PROGRAM}"],
        check=False,
        capture_output=True,
        text=True,
        timeout=110,
        env=environment,
    )


def test_a_session_with_everything_that_it_offers_opens_no_connection(tmp_path):
    done = run("", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("11 steps []")
    assert list(tmp_path.rglob("FKD *.png")) and list(tmp_path.rglob("FKD *.mp4")), "the steps did something"


@pytest.mark.parametrize(
    "sabotage",
    [
        "python",
        pytest.param(
            "library", marks=pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's /proc")
        ),
    ],
)
def test_the_watch_would_see_one(tmp_path, sabotage):
    done = run(sabotage, tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "socket.connect" in done.stdout if sabotage == "python" else "udp" in done.stdout
