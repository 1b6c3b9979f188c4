"""From process start to the window, to the first frame, and to the first annotated frame, in the real application.

python -m benchmarks.startup [--repeats 5]

Each repeat is a fresh process that runs the application's main() on the demo clip, until the first annotated frame.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

_CHILD = """
import json, sys, time
start = float(sys.argv[1])
marks = {}
def mark(name):
    marks.setdefault(name, time.time() - start)
mark("interpreter up")
from fkd_desktop import app
from fkd_desktop.ui import main_window
mark("imports done")
class Watched(main_window.MainWindow):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.view.frame_painted.connect(self._watch)
    def event(self, event):
        done = super().event(event)
        if event.type() == event.Type.Paint:
            mark("window painted")
        return done
    def _watch(self, *_):
        mark("first frame")
        if self.view.live_frame.annotated:
            mark("first annotated frame")
            self.close()
main_window.MainWindow = Watched
code = app.main(["--source", "demo"])
print(json.dumps(marks))
sys.exit(code)
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    environment = dict(os.environ)
    if not environment.get("DISPLAY") and not environment.get("WAYLAND_DISPLAY"):
        environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    runs = []
    for _ in range(options.repeats + 1):
        child = subprocess.run(
            [sys.executable, "-c", _CHILD, repr(time.time())],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        runs.append(json.loads(child.stdout.splitlines()[-1]))
    for name in runs[0]:
        values = [run[name] for run in runs[1:]]  # the first one warms the disk's cache
        print(f"{name:24} {statistics.median(values):6.2f} s median  ({min(values):.2f} to {max(values):.2f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
