"""The live session beside training: what each keeps of what it has alone.

python -m benchmarks.live_while_training --data DATA [VIDEO] [--repeats 3] [--seconds 15] [--json FILE]

The real main window plays the video in a loop at its own rate, the trainer's window is open on the run's curves, and
the real trainer trains `compact` as the application starts it. Three situations, interleaved: live alone (training is
halted), both, training alone (the session is stopped). Medians over the repeats; at the end, for comparison, training
alone with all cores. Needs a system that can halt processes (not Windows).
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import heading, save_report
from benchmarks.window import go_offscreen_without_display, let_run
from fkd_desktop.live.sources import VideoSource, register_source
from trainer.core.resources import assets_dir

HEARTBEAT_MS = 2
SETTLE_S = 2.0


@dataclass
class Phase:
    """What was seen in one situation."""

    painted_s: list[float] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    stalls_ms: list[float] = field(default_factory=list)
    images: float = 0.0
    trained_s: float = 0.0

    @property
    def frames_per_s(self) -> float:
        return (len(self.painted_s) - 1) / (self.painted_s[-1] - self.painted_s[0])

    @property
    def images_per_s(self) -> float:
        return self.images / self.trained_s


class Bench:
    """The application and a run, with ears on both."""

    def __init__(self, options: argparse.Namespace, home: Path) -> None:
        from PySide6.QtCore import Qt, QTimer

        from fkd_desktop.controller import Controller
        from fkd_desktop.settings import Settings
        from fkd_desktop.ui.main_window import MainWindow
        from trainer.config import TrainConfig

        self.config = TrainConfig(data=str(options.data.resolve()), out=str(home / "run"), epochs=1000, device="cpu")
        self.video = options.video.resolve()
        self.controller = Controller(device="cpu")
        self.window = MainWindow(self.controller, Settings(home / "settings.ini"), layer_names=["keypoints"])
        self.window.resize(1000, 800)
        self.window.view.frame_painted.connect(self._on_painted)
        self.training = self.window.workshop.training
        self.training.event_received.connect(self._on_event)
        self.phase: Phase | None = None
        self._last_batch: tuple[float, int, int] | None = None
        self._last_beat_s: float | None = None
        self._beat = QTimer(interval=HEARTBEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._on_beat)
        self._beat.start()
        register_source("looping", lambda path: VideoSource(Path(path), loop=True))

    def start(self) -> None:
        from trainer.events import BatchDone

        self.window.show()
        self.controller.load_network()
        self.play()
        wait(lambda: self.controller.predictor is not None)
        self.window.workshop.open_trainer()
        self.training.start(self.config)
        wait(lambda: self.training.record is not None and isinstance(self.training.record.batch, BatchDone))
        self.window.workshop.trainer.tabs.setCurrentWidget(self.window.workshop.trainer.progress)

    def play(self) -> None:
        self.controller.start(f"looping:{self.video}")

    def measure(self, *, live: bool, trains: bool, seconds: float) -> Phase:
        """Measure one situation, once it has settled."""
        pid = self.training._process.pid
        os.kill(pid, signal.SIGCONT if trains else signal.SIGSTOP)
        if live != self.controller.session_state.is_running:
            self.play() if live else self.controller.stop()
        let_run(SETTLE_S)
        self._last_batch = self._last_beat_s = None
        self.phase = phase = Phase()
        let_run(seconds)
        self.phase = None
        os.kill(pid, signal.SIGCONT)
        return phase

    def measure_all_cores(self, home: Path, seconds: float) -> Phase:
        """Measure training alone with every core, as the command line would."""
        from dataclasses import replace

        from PySide6.QtCore import QCoreApplication

        self.training.cancel()
        wait(lambda: not self.training.state.is_active)
        self.training.record = None
        self.training.start(replace(self.config, out=str(home / "all cores"), threads=os.cpu_count() or 1))
        wait(lambda: self.training.record is not None and self.training.record.batch is not None)
        phase = self.measure(live=False, trains=True, seconds=seconds)
        self.training.cancel()
        wait(lambda: not self.training.state.is_active)
        self.window.leave()
        QCoreApplication.processEvents()
        return phase

    def _on_painted(self, captured_s: float, painted_s: float) -> None:
        if self.phase is not None:
            self.phase.painted_s.append(painted_s)
            self.phase.latencies_ms.append(1000 * (painted_s - captured_s))

    def _on_event(self, event) -> None:
        from trainer.events import BatchDone

        if not isinstance(event, BatchDone):
            return
        now_s, last = time.perf_counter(), self._last_batch
        self._last_batch = (now_s, event.epoch, event.batch)
        if self.phase is not None and last is not None and last[1] == event.epoch:  # judging an epoch is no training
            self.phase.images += (event.batch - last[2]) * self.config.batch_size
            self.phase.trained_s += now_s - last[0]

    def _on_beat(self) -> None:
        now_s = time.perf_counter()
        if self.phase is not None and self._last_beat_s is not None:
            self.phase.stalls_ms.append(1000 * (now_s - self._last_beat_s) - HEARTBEAT_MS)
        self._last_beat_s = now_s


def main() -> int:
    options = parse()
    go_offscreen_without_display()
    from PySide6.QtWidgets import QApplication

    from fkd_desktop.app import prepare_process

    prepare_process()
    application = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as folder:
        for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
            os.environ[name] = folder
        bench = Bench(options, Path(folder))
        bench.start()
        live, both, training = [], [], []
        for _ in range(options.repeats):
            live.append(bench.measure(live=True, trains=False, seconds=options.seconds))
            both.append(bench.measure(live=True, trains=True, seconds=options.seconds))
            training.append(bench.measure(live=False, trains=True, seconds=options.seconds))
        all_cores = bench.measure_all_cores(Path(folder), options.seconds)
    del application
    report = summarise(options, live, both, training, all_cores)
    print_report(report)
    if options.json:
        save_report(options.json, report)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.live_while_training", description=__doc__.split("\n", 1)[0]
    )
    parser.add_argument("video", type=Path, nargs="?", default=assets_dir() / "demo" / "demo.mp4")
    parser.add_argument("--data", type=Path, required=True, help="data set to train on")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each situation in each repeat (default: 15)")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


def wait(condition, *, limit_s: float = 120.0) -> None:
    deadline = time.perf_counter() + limit_s
    while not condition():
        if time.perf_counter() > deadline:
            raise TimeoutError("the application did not get there")
        let_run(0.05)


def percentile(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(percent / 100 * len(ordered)))]


def summarise(options, live: list[Phase], both: list[Phase], training: list[Phase], all_cores: Phase) -> dict:
    def live_figures(phases: list[Phase]) -> dict[str, float]:
        return {
            "frames_per_s": statistics.median(phase.frames_per_s for phase in phases),
            "slowest_frames_per_s": min(phase.frames_per_s for phase in phases),
            "latency_ms_p50": statistics.median(percentile(phase.latencies_ms, 50) for phase in phases),
            "latency_ms_p95": statistics.median(percentile(phase.latencies_ms, 95) for phase in phases),
            "gui_longest_stall_ms": max(max(phase.stalls_ms) for phase in phases),
            "gui_stall_ms_p99": statistics.median(percentile(phase.stalls_ms, 99) for phase in phases),
        }

    alone = statistics.median(phase.images_per_s for phase in training)
    beside = statistics.median(phase.images_per_s for phase in both)
    return {
        "video": options.video.name,
        "live_alone": live_figures(live),
        "live_beside_training": live_figures(both),
        "training_alone_images_per_s": alone,
        "training_beside_live_images_per_s": beside,
        "training_all_cores_images_per_s": all_cores.images_per_s,
        "training_share_kept": beside / alone,
        "training_share_of_all_cores": beside / all_cores.images_per_s,
        "cores": os.cpu_count(),
    }


def print_report(report: dict) -> None:
    print(f"{heading()}\n{report['video']}")
    print(f"  {'live session':24} {'alone':>10} {'beside training':>16}")
    for key, name in (
        ("frames_per_s", "frames a second"),
        ("slowest_frames_per_s", "  in the slowest repeat"),
        ("latency_ms_p50", "capture to paint, ms"),
        ("latency_ms_p95", "  95th percentile"),
        ("gui_stall_ms_p99", "GUI stall p99, ms"),
        ("gui_longest_stall_ms", "GUI longest stall, ms"),
    ):
        print(f"  {name:24} {report['live_alone'][key]:10.1f} {report['live_beside_training'][key]:16.1f}")
    print(
        f"  training, images/s: alone {report['training_alone_images_per_s']:.1f}, beside the live session "
        f"{report['training_beside_live_images_per_s']:.1f} ({report['training_share_kept']:.0%})\n"
        f"  alone with all cores {report['training_all_cores_images_per_s']:.1f} "
        f"(beside the live session {report['training_share_of_all_cores']:.0%} of that)"
    )


if __name__ == "__main__":
    sys.exit(main())
