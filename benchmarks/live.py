"""The real window on a video: frame rate, latency, stages, drops, memory and the GUI's longest stall.

python -m benchmarks.live [VIDEO] [--size 640x480] [--rate 30] [--seconds 20] [--overlay NAME ...] [--json FILE]

Runs under the display there is, else offscreen. The video is scaled to the size and played in a loop at the given rate,
as a camera would: what comes too fast is dropped. Figures start with the first annotated frame plus one second.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from fkd_desktop.live.sources import FrameSource, VideoSource, register_source
from trainer.core.resources import assets_dir

WARM_UP_S = 1.0
HEARTBEAT_MS = 2


class ScaledVideo(FrameSource):
    """A looping video at another size and frame rate."""

    def __init__(self, path: Path, *, width: int, height: int, frames_per_s: float) -> None:
        self.label = path.name
        self._video = VideoSource(path, loop=True)
        self._size, self._step_s = (width, height), 1 / frames_per_s
        self._frames = 0

    def open(self) -> None:
        self._video.open()

    def read(self):
        frame = self._video.read()
        if frame is None:
            return None
        image = cv2.resize(frame.image_bgr, self._size, interpolation=cv2.INTER_LINEAR)
        self._frames += 1
        return replace(frame, image_bgr=image, timestamp_s=self._frames * self._step_s)

    def close(self) -> None:
        self._video.close()


@dataclass
class Recorder:
    """What was seen while the window ran."""

    latencies_ms: list[float] = field(default_factory=list)
    painted_s: list[float] = field(default_factory=list)
    stages_ms: list[tuple[float, ...]] = field(default_factory=list)
    faces: list[int] = field(default_factory=list)
    longest_stall_ms: float = 0.0
    dropped_before: int = 0
    cpu_before_s: float = 0.0
    last_beat_s: float | None = None
    starts_s: float | None = None

    @property
    def is_on(self) -> bool:
        return self.starts_s is not None and time.perf_counter() >= self.starts_s


def main() -> int:
    options = parse()
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    report = measure(options)
    print_report(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2))
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__.split("\n", 1)[0])
    parser.add_argument("video", type=Path, nargs="?", default=assets_dir() / "demo" / "demo.mp4")
    parser.add_argument("--size", default="640x480", help="frame size (default: 640x480)")
    parser.add_argument("--rate", type=float, default=30.0, help="frames a second that the source sends (default: 30)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long to measure (default: 20)")
    parser.add_argument("--overlay", action="append", help="layers (default: keypoints and sunglasses)")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


def measure(options: argparse.Namespace) -> dict[str, object]:
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtWidgets import QApplication

    from fkd_desktop.app import prepare_process
    from fkd_desktop.controller import Controller
    from fkd_desktop.settings import Settings
    from fkd_desktop.ui.main_window import MainWindow

    prepare_process()
    application = QApplication(sys.argv[:1])
    width, height = (int(v) for v in options.size.split("x"))
    register_source(
        "scaled", lambda path: ScaledVideo(Path(path), width=width, height=height, frames_per_s=options.rate)
    )
    controller = Controller(device=options.device)
    window = MainWindow(
        controller, Settings(Path(os.devnull)), layer_names=options.overlay or ["keypoints", "sunglasses"]
    )
    window.resize(1000, 800)
    recorder = Recorder()

    def on_painted(captured_s: float, painted_s: float) -> None:
        live = window.view.live_frame
        if recorder.starts_s is None and live is not None and live.annotated:
            recorder.starts_s = time.perf_counter() + WARM_UP_S
            QTimer.singleShot(round(1000 * WARM_UP_S), lambda: begin(recorder, controller))
            QTimer.singleShot(round(1000 * (WARM_UP_S + options.seconds)), application.quit)
        if recorder.is_on and live is not None:
            recorder.latencies_ms.append(1000 * (painted_s - captured_s))
            recorder.painted_s.append(painted_s)
            times = live.result.times
            recorder.stages_ms.append(
                (times.detect_ms, times.crop_ms, times.network_ms, times.smooth_ms, window.view.paint_ms)
            )
            recorder.faces.append(len(live.result))

    def on_beat() -> None:
        now_s = time.perf_counter()
        if recorder.is_on and recorder.last_beat_s is not None:
            stall_ms = 1000 * (now_s - recorder.last_beat_s) - HEARTBEAT_MS
            recorder.longest_stall_ms = max(recorder.longest_stall_ms, stall_ms)
        recorder.last_beat_s = now_s

    beat = QTimer(interval=HEARTBEAT_MS, timerType=Qt.TimerType.PreciseTimer)
    beat.timeout.connect(on_beat)
    beat.start()
    window.view.frame_painted.connect(on_painted)
    window.show()
    controller.start(f"scaled:{options.video.resolve()}")
    controller.load_network()
    application.exec()
    report = summarise(options, recorder, controller)
    window.close()
    return report


def begin(recorder: Recorder, controller) -> None:
    recorder.dropped_before = controller.dropped
    recorder.cpu_before_s = time.process_time()


def summarise(options: argparse.Namespace, recorder: Recorder, controller) -> dict[str, object]:
    stages = np.array(recorder.stages_ms)
    names = ("detect", "crop", "network", "smooth", "paint")
    elapsed_s = recorder.painted_s[-1] - recorder.painted_s[0]
    return {
        "video": options.video.name,
        "size": options.size,
        "source_rate": options.rate,
        "frames_per_s": (len(recorder.painted_s) - 1) / elapsed_s,
        "latency_ms_p50": float(np.percentile(recorder.latencies_ms, 50)),
        "latency_ms_p95": float(np.percentile(recorder.latencies_ms, 95)),
        "stages_ms_median": dict(zip(names, np.median(stages, axis=0).tolist(), strict=True)),
        "stages_ms_p95": dict(zip(names, np.percentile(stages, 95, axis=0).tolist(), strict=True)),
        "stages_ms_mean": dict(zip(names, stages.mean(axis=0).tolist(), strict=True)),
        "frames": len(recorder.painted_s),
        "frames_with_faces": sum(f > 0 for f in recorder.faces),
        "dropped": controller.dropped - recorder.dropped_before,
        "gui_longest_stall_ms": recorder.longest_stall_ms,
        "cpu_of_one_core": (time.process_time() - recorder.cpu_before_s) / elapsed_s,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    }


def print_report(report: dict[str, object]) -> None:
    print(f"{report['video']} at {report['size']}, {report['source_rate']:g} frames/s sent; {report['machine']}")
    print(
        f"  frames a second   {report['frames_per_s']:8.1f}   ({report['frames']} painted, {report['dropped']} dropped)"
    )
    print(f"  capture to paint  {report['latency_ms_p50']:8.1f} ms p50   {report['latency_ms_p95']:8.1f} ms p95")
    for name, median in report["stages_ms_median"].items():
        high, mean = report["stages_ms_p95"][name], report["stages_ms_mean"][name]
        print(f"  {name:16}  {median:8.2f} ms median {high:8.2f} ms p95 {mean:8.2f} ms mean")
    print(f"  faces found in    {report['frames_with_faces']:8d} frames")
    print(f"  GUI longest stall {report['gui_longest_stall_ms']:8.1f} ms")
    print(
        f"  CPU               {report['cpu_of_one_core']:8.0%} of one core, all threads, decoding and scaling included"
    )
    print(f"  peak RSS          {report['peak_rss_mb']:8.0f} MB")


if __name__ == "__main__":
    sys.exit(main())
