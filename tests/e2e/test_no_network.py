"""No network use at all, and one local socket: a real session is run under watch."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

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

def own_sockets(table, inode_column):
    '''Those of libraries too: the lines of a table of the kernel's sockets that are among this process's files.'''
    own = set()
    for fd in Path("/proc/self/fd").iterdir():
        try:
            own.add(os.readlink(fd))
        except OSError:
            pass
    path = Path("/proc/self/net") / table
    lines = [line.split() for line in path.read_text().splitlines()[1:]] if path.exists() else []
    return [line for line in lines if f"socket:[{line[inode_column]}]" in own]

def open_internet_sockets():
    '''Whether they listen, are connected, or neither yet.'''
    tables = ("tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6")
    return [(table, line[1:3]) for table in tables for line in own_sockets(table, 9)]

def who_may_reach_it():
    '''What is wrong with the sockets that listen: there is to be one, and nobody else may open it.'''
    if not sys.platform.startswith("linux"):
        return []
    folder = Path(os.environ["XDG_RUNTIME_DIR"])
    listening = [" ".join(line[7:]) for line in own_sockets("unix", 6) if int(line[3], 16) & 0x10000]  # __SO_ACCEPTCON
    others = [path for path in listening if not path.startswith(f"{folder}/")]
    files = [(path.stat().st_uid, oct(path.stat().st_mode)) for path in folder.iterdir() if path.is_socket()]
    found = [("listens too", others)] if others else []
    if len(listening) - len(others) != 1 or files != [(os.getuid(), "0o140700")]:
        found.append(("not one that is its owner's alone", files))
    return found

steps = []

def drive():
    window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible())
    live = window.view.live_frame
    if live is None or not live.annotated or live.result.timestamp_s < 0.5:
        return
    offences.extend([*open_internet_sockets(), *who_may_reach_it()])
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
    if SABOTAGE:
        todo = [window.leave]
    if len(steps) < len(todo):
        steps.append(None)
        todo[len(steps) - 1]()

timer = QTimer(interval=250)
timer.timeout.connect(drive)
if SABOTAGE:
    import ctypes, socket
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=0.2)
    except OSError:
        pass
    libc = ctypes.CDLL(None)  # past Python's own calls, as a library's would be
    caller, port, local = socket.socket(type=socket.SOCK_DGRAM), socket.socket(), socket.socket(socket.AF_UNIX)
    libc.connect(caller.fileno(), bytes([2, 0, 0, 9, 127, 0, 0, 1]) + bytes(8), 16)
    libc.listen(port.fileno(), 1)
    libc.bind(local.fileno(), bytes([1, 0]) + b"\\0for all", 10)
    local.listen()
    QTimer.singleShot(0, lambda: [path.chmod(0o777) for path in Path(os.environ["XDG_RUNTIME_DIR"]).glob("fkd-*")])
QTimer.singleShot(0, timer.start)
code = app.main(["--source", "demo", "--device", "cpu"])
print(len(steps), "steps", offences)
sys.exit(code or bool(offences))
"""


def run(tmp_path, *, sabotage: bool) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)}
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_PICTURES_DIR", "XDG_VIDEOS_DIR"):
        environment[name] = str(tmp_path / name.lower())
    with tempfile.TemporaryDirectory(prefix="fkd-") as runtime:  # a socket's path must be short
        environment["XDG_RUNTIME_DIR"] = runtime
        return subprocess.run(
            [sys.executable, "-c", f"SABOTAGE = {sabotage!r}\n{PROGRAM}"],
            check=False,
            capture_output=True,
            text=True,
            timeout=110,
            env=environment,
        )


def test_a_session_with_everything_that_it_offers_opens_no_connection_and_listens_to_its_user_alone(tmp_path):
    done = run(tmp_path, sabotage=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("11 steps []")
    assert list(tmp_path.rglob("FKD *.png")) and list(tmp_path.rglob("FKD *.mp4")), "the steps did something"


def test_the_watch_would_see_it(tmp_path):
    done = run(tmp_path, sabotage=True)
    assert done.returncode == 1, done.stdout + done.stderr
    seen = ["socket.connect"]
    if sys.platform.startswith("linux"):  # whose /proc is read
        seen += ["'udp'", "'tcp'", "('listens too', ['@for all'])", "not one that is its owner's alone"]
    assert [what for what in seen if what not in done.stdout] == [], done.stdout
