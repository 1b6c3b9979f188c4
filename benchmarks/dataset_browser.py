"""The data set browser on 5,000 images.

python -m benchmarks.dataset_browser [--images N] [--data DIR] [--json FILE]

Scrolls the real window from end to end, slowly and in leaps, while thumbnails are made and the data set is being
checked, and once more when nothing else is going on. A timer in the GUI's thread tells how long that was blocked, and
how much of it the thread computed itself: the rest it waited, for the interpreter or, on a busy machine, for a
processor. The images are frames of the demo clip, written for the occasion, unless ``--data`` names others.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from benchmarks.figures import heading, save_report
from benchmarks.window import go_offscreen_without_display
from trainer.core.resources import assets_dir

HEARTBEAT_MS = 2
STEP_MS = 16
PATIENCE_S = 120.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dataset_browser", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--data", type=Path, help="an own data set, in place of a generated one")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    go_offscreen_without_display()
    with tempfile.TemporaryDirectory() as folder:
        data = options.data or generate(Path(folder) / "faces", options.images)
        report = measure(data, Path(folder) / "settings.ini")
    print_report(report)
    if options.json:
        save_report(options.json, report)
    return 0


def generate(root: Path, count: int) -> Path:
    """Write a data set of `count` images: cut-outs around the demo clip's faces, with keypoints in plausible places."""
    frames = json.loads((assets_dir() / "demo" / "demo_truth.json").read_text(encoding="utf-8"))["frames"]
    capture = cv2.VideoCapture(str(assets_dir() / "demo" / "demo.mp4"))
    (root / "training").mkdir(parents=True)
    cutouts = []
    for faces in frames[:250]:
        image = capture.read()[1]
        if faces:
            x, y, width = (faces[0][name] for name in ("cx", "cy", "width_px"))
            left, top = (max(0, round(centre - width)) for centre in (x, y))
            cutout = image[top : top + round(2 * width), left : left + round(2 * width)]
            cutouts.append((cutout, x - left, y - top, width))
    capture.release()
    angles = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    circles = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.linspace(0.2, 0.45, 68)[:, None]
    with (root / "training_frames_keypoints.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["", *range(136)])
        for number in range(count):
            cutout, x, y, width = cutouts[number % len(cutouts)]
            name = f"face_{number // 10:04d}_{number % 10}.jpg"
            varied = cv2.convertScaleAbs(cutout, alpha=1.0, beta=number % 41 - 20.0)
            (root / "training" / name).write_bytes(cv2.imencode(".jpg", varied)[1].tobytes())
            table.writerow([name, *(f"{value:.1f}" for value in (circles * width + (x, y)).flatten())])
    return root


class Watch:
    """Times the grid's paints, and how late a timer of the GUI's thread comes."""

    def __init__(self, grid) -> None:
        from PySide6.QtCore import Qt, QTimer

        self._paints_ms: list[float] = []
        self._blocks_ms: list[float] = []
        self._own_ms: list[float] = []
        self._last_s, self._last_own_s = time.perf_counter(), time.thread_time()
        self._paint = type(grid).paintEvent
        type(grid).paintEvent = lambda grid, event: self._on_paint(grid, event)  # noqa: PLW0108 (it gets the grid)
        self._beat = QTimer(interval=HEARTBEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._on_beat)
        self._beat.start()

    def _on_paint(self, grid, event) -> None:
        start_s = time.perf_counter()
        self._paint(grid, event)
        self._paints_ms.append(1000 * (time.perf_counter() - start_s))

    def _on_beat(self) -> None:
        now_s, now_own_s = time.perf_counter(), time.thread_time()
        self._blocks_ms.append(1000 * (now_s - self._last_s) - HEARTBEAT_MS)
        self._own_ms.append(1000 * (now_own_s - self._last_own_s))
        self._last_s, self._last_own_s = now_s, now_own_s

    def figures(self) -> dict[str, float]:
        """Return what was seen since the last time."""
        found = {
            "paint_ms_median": statistics.median(self._paints_ms or [0.0]),
            "paint_ms_worst": max(self._paints_ms, default=0.0),
            "blocked_ms_p99": float(np.percentile(self._blocks_ms, 99)),
            "blocked_ms_worst": max(self._blocks_ms),
            "own_ms_worst": max(self._own_ms),
        }
        for values in (self._paints_ms, self._blocks_ms, self._own_ms):
            values.clear()
        return found


def measure(data: Path, settings: Path) -> dict[str, object]:
    from PySide6.QtWidgets import QApplication

    from fkd_desktop.app import prepare_process
    from fkd_desktop.settings import Settings
    from fkd_desktop.ui.dataset_browser import DatasetBrowser

    prepare_process()
    application = QApplication(sys.argv[:1])
    report: dict[str, object] = {"machine": heading()}
    start_s = time.perf_counter()
    window = DatasetBrowser(data, settings=Settings(settings), weights=None, device="cpu")
    window.show()
    watch = Watch(window.grid)
    run_until(lambda: window.browsing.thumbnails.kept_bytes > 0)
    report["first_thumbnails_s"] = time.perf_counter() - start_s
    run_until(lambda: window.browsing.state.name == "READY")
    report["all_rows_s"] = time.perf_counter() - start_s
    report["images"] = window.model.rowCount()
    report["opening"] = watch.figures()
    scroll(window, 600)
    report["leaps, checking"] = watch.figures()
    run_until(lambda: not window.browsing.is_checking)
    report["checked_s"] = time.perf_counter() - start_s
    report["end of the check"] = watch.figures()
    scroll(window, 600)
    report["leaps"] = watch.figures()
    scroll(window, 120)
    report["smooth"] = watch.figures()
    report["thumbnails_mb"] = window.browsing.thumbnails.kept_bytes / 2**20
    window.close()
    del application
    return report


def scroll(window, step_px: int) -> None:
    """From end to end, and wait for the thumbnails there."""
    from PySide6.QtCore import Qt, QTimer

    bar = window.grid.verticalScrollBar()
    bar.setValue(0)
    stepper = QTimer(interval=STEP_MS, timerType=Qt.TimerType.PreciseTimer)
    stepper.timeout.connect(lambda: bar.setValue(bar.value() + step_px))
    stepper.start()
    run_until(lambda: bar.value() >= bar.maximum())
    stepper.stop()
    run_until(lambda: window.browsing.thumbnails.is_idle)


def run_until(condition) -> None:
    from PySide6.QtCore import QCoreApplication, QEventLoop

    end_s = time.perf_counter() + PATIENCE_S
    while not condition():
        if time.perf_counter() > end_s:
            raise TimeoutError("the browser did not come to the wanted state")
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)


def print_report(report: dict[str, object]) -> None:
    print(f"{report['machine']}\n{report['images']:,} images")
    for name in ("first_thumbnails_s", "all_rows_s", "checked_s"):
        print(f"  {name.removesuffix('_s').replace('_', ' '):18} {report[name]:8.2f} s")
    for name, values in report.items():
        if isinstance(values, dict):
            print(
                f"  {name:18} paint {values['paint_ms_median']:6.2f} ms median {values['paint_ms_worst']:7.2f} worst; "
                f"GUI blocked {values['blocked_ms_p99']:6.2f} ms p99 {values['blocked_ms_worst']:7.2f} worst "
                f"({values['own_ms_worst']:.2f} of its own computing)"
            )
    print(f"  thumbnails kept    {report['thumbnails_mb']:8.1f} MB")


if __name__ == "__main__":
    sys.exit(main())
