"""From process start to the window, to the first frame, and to the first annotated frame, in the real application.

python -m benchmarks.startup [--repeats 5] [--against FOLDER] [--json FILE]

Each repeat is a fresh process that runs the application's main() on the demo clip, with settings of its own, until the
first annotated frame. With ``--against``, another checkout of the project takes turns with this one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.figures import ROOT, heading, save_report

_TIMEOUT_S: Final = 60

# The event loop's start is the first moment at which the window is there to be watched, and nothing is painted before.
_CHILD: Final = """
import gc, json, sys, time
start_s = float(sys.argv[1])
marks = {}
def mark(name):
    marks.setdefault(name, time.time() - start_s)
mark("interpreter_s")
gc.disable()  # as main() does before it imports Qt
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication
gc.enable()
class Watch(QObject):
    def __init__(self, window):
        super().__init__()
        self.window = window
        window.installEventFilter(self)
        window.view.frame_painted.connect(self.on_painted)
    def eventFilter(self, _watched, event):
        if event.type() == QEvent.Type.Paint:
            mark("window_s")
            marks.setdefault("window_cpu_s", time.process_time())
        return False
    def on_painted(self, *_):
        mark("first_frame_s")
        if self.window.view.live_frame.annotated:
            mark("first_annotated_frame_s")
            marks["cpu_s"] = time.process_time()
            marks["rss_mb"] = rss_mb()
            self.window.close()
def rss_mb():
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024
    except OSError:  # not Linux
        return float("nan")
run = QApplication.exec
def watched(*_):
    mark("event_loop_s")
    watch = Watch(next(w for w in QApplication.topLevelWidgets() if hasattr(w, "view")))
    return run()
QApplication.exec = watched
from fkd_desktop import app
code = app.main(["--source", "demo"])
print(json.dumps(marks))
sys.exit(code)
"""
MARKS: Final = {
    "interpreter_s": "interpreter up",
    "event_loop_s": "window made",
    "window_s": "window painted",
    "first_frame_s": "first frame",
    "first_annotated_frame_s": "first annotated frame",
}


def start_once(folder: Path = ROOT) -> dict[str, float]:
    """Start the application of a checkout; return seconds since then by mark, CPU seconds and `rss_mb`."""
    environment = dict(os.environ, PYTHONPATH=str(folder))
    if not environment.get("DISPLAY") and not environment.get("WAYLAND_DISPLAY"):
        environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory(prefix="fkd-startup-") as home:
        for name in ("CONFIG", "DATA", "STATE"):  # the cache stays: converted networks are in it
            environment[f"XDG_{name}_HOME"] = str(Path(home) / name.lower())
        child = subprocess.run(
            [sys.executable, "-c", _CHILD, repr(time.time())],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
    if child.returncode:
        raise RuntimeError(f"the application of {folder} did not start: {child.stderr.strip()[-500:]}")
    marks: dict[str, float] = json.loads(child.stdout.splitlines()[-1])
    return marks


def measure(repeats: int = 5, *, folder: Path = ROOT) -> dict[str, float]:
    """Return the medians of some starts; one more before them warms the disk's cache."""
    return _medians([start_once(folder) for _ in range(repeats + 1)][1:])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--against", type=Path, metavar="FOLDER", help="another checkout, to be compared with")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the medians there, too")
    options = parser.parse_args()
    folders = {"here": ROOT, **({"against": options.against.resolve()} if options.against else {})}
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in folders}
    for _ in range(options.repeats + 1):
        for name, folder in folders.items():
            runs[name].append(start_once(folder))
    report = {name: _medians(starts[1:]) for name, starts in runs.items()}
    print(heading())
    for name, starts in runs.items():
        print(f"{folders[name]}, {options.repeats} starts")
        for mark, words in MARKS.items():
            values = [start[mark] for start in starts[1:]]
            print(f"  {words:24} {report[name][mark]:6.2f} s median  ({min(values):.2f} to {max(values):.2f})")
        cpu_s = report[name]["window_cpu_s"], report[name]["cpu_s"]
        print(f"  {'CPU':24} {cpu_s[0]:6.2f} s until the window, {cpu_s[1]:.2f} s until the first annotated frame")
        print(f"  {'memory then':24} {report[name]['rss_mb']:6.0f} MB")
    if options.json:
        save_report(options.json, report)
    return 0


def _medians(starts: list[dict[str, float]]) -> dict[str, float]:
    return {mark: statistics.median(start[mark] for start in starts) for mark in starts[0]}


if __name__ == "__main__":
    sys.exit(main())
