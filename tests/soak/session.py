"""The process of the soak: the real window, driven by its own frames."""

from __future__ import annotations

import json
import sys
import time
from random import Random
from typing import TYPE_CHECKING, Any, Final

import psutil
from PySide6.QtCore import QObject, QTimer

from tests.longrun.inside import Run
from tests.longrun.resources import held
from tests.soak.deeds import Deeds
from tests.soak.source import SCHEME, Gate, register

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.ui.main_window import MainWindow

LOOK_MS: Final = 50
AWAY_S: Final = (0.3, 2.5)
"""How long another source is shown."""
WARM_DEED_EVERY: Final = 40
CALM_FRAMES: Final = 120
"""So many before each sample nothing is done, and all is as it was at the other samples; half of them are measured."""
DEED_EVERY: Final = (10, 150)
"""Least and most frames between two deeds."""
SILENT_S: Final = 30.0


class Driver(QObject):
    """Does something every some frames, samples every so many, and closes the window at the end.

    In the first frames, which nothing is compared with, everything is done once, so that all is loaded.
    """

    def __init__(self, run: Run, window: MainWindow, gate: Gate) -> None:
        super().__init__()
        self._run, self._window, self._gate = run, window, gate
        options = run.options
        self._random = Random(options["seed"])
        self._deeds = Deeds(
            window, self._random, later=self._later, material=run.material, home=f"{SCHEME}:{options['clip']}"
        )
        self._todo = self._random.sample(list(self._deeds.all), len(self._deeds.all))
        self._pending: list[tuple[int, Callable[[], object]]] = []
        self._start_s = time.perf_counter()
        self.frames = 0
        self._warm_every = options.get("deed_every", WARM_DEED_EVERY)
        self._next_deed = self._warm_every
        self._home_s: float | None = None
        self._last_frame_s = time.monotonic()
        self._latencies_ms: list[float] = []
        self._is_calm = False
        self._calm_ms: list[float] = []
        self._calm_cpu_s = 0.0
        self._sample_cpu_s, self._sample_s = time.process_time(), time.perf_counter()
        self._samples = (run.report / "samples.jsonl").open("w", encoding="utf-8")
        self._deed_log = (run.report / "deeds.txt").open("w", encoding="utf-8")
        self.done: dict[str, int] = {}
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._on_timer_timeout)
        self._timer.start()
        window.view.frame_painted.connect(self._on_frame_painted)
        window._controller.sinks.add(gate)

    def _on_frame_painted(self, captured_s: float, painted_s: float) -> None:
        self.frames += 1
        self._last_frame_s = time.monotonic()
        latency_ms = 1000 * (painted_s - captured_s)
        self._latencies_ms.append(latency_ms)
        every = self._run.options["every"]
        calm = min(CALM_FRAMES, every // 2)
        left = every - self.frames % every
        if left == calm:
            self._is_calm, self._home_s = True, None
            QTimer.singleShot(0, self._deeds.calm)  # not within a paint
        elif left == calm // 2:
            self._calm_ms, self._calm_cpu_s = [], time.process_time()
        elif left == every and self._is_calm:
            self._is_calm = False
            QTimer.singleShot(0, self._sample)
        elif self._is_calm:
            self._calm_ms.append(latency_ms)
        if self.frames == self._run.options["frames"]:
            QTimer.singleShot(0, self._finish)
        elif self.frames < self._run.options["frames"]:
            self._act()

    def _act(self) -> None:
        due = [todo for at, todo in self._pending if at <= self.frames]
        self._pending = [(at, todo) for at, todo in self._pending if at > self.frames]
        for todo in due:
            QTimer.singleShot(0, todo)
        if self.frames >= self._next_deed and not self._deeds.away and not self._is_calm:
            is_warm = not self._todo
            name = self._deeds.choose() if is_warm else self._todo.pop()
            self._next_deed = self.frames + (self._random.randint(*DEED_EVERY) if is_warm else self._warm_every)
            QTimer.singleShot(0, lambda: self._do(name))

    def _do(self, name: str) -> None:
        self._run.findings.now = f"frame {self.frames}: {name}"
        self._deed_log.write(f"{self.frames} {psutil.Process().memory_info().rss / 2**20:.0f} {name}\n")
        self._deed_log.flush()
        self.done[name] = self.done.get(name, 0) + 1
        self._deeds.do(name)
        if self._deeds.away:
            self._home_s = time.monotonic() + self._random.uniform(*self._run.options.get("away_s", AWAY_S))

    def _later(self, least: int, most: int, todo: Callable[[], object]) -> None:
        self._pending.append((self.frames + self._random.randint(least, most), todo))

    def _on_timer_timeout(self) -> None:
        now_s = time.monotonic()
        if self._home_s is not None and now_s > self._home_s:
            self._home_s = None
            self._deeds.come_home()
        silent_s = self._run.options.get("silent_s", SILENT_S)
        if now_s - self._last_frame_s > silent_s:
            self._run.findings.add("no frames", f"no frame was painted for {silent_s:.0f} s, at frame {self.frames}")
            self._last_frame_s = now_s
            self._deeds.come_home()

    def _sample(self) -> None:
        latencies, calm = sorted(self._latencies_ms) or [0.0], sorted(self._calm_ms) or [0.0]
        now_s, cpu_s, count = time.perf_counter(), time.process_time(), len(self._latencies_ms)
        sample: dict[str, Any] = {
            "frame": self.frames,
            "minutes": (now_s - self._start_s) / 60,
            "latency_p50_ms": latencies[len(latencies) // 2],
            "latency_p95_ms": latencies[int(0.95 * (len(latencies) - 1))],
            "calm_p50_ms": calm[len(calm) // 2],
            "calm_p95_ms": calm[int(0.95 * (len(calm) - 1))],
            "calm_cpu_ms": 1000 * (cpu_s - self._calm_cpu_s) / len(calm),
            "cpu_ms": 1000 * (cpu_s - self._sample_cpu_s) / max(1, count),
            "frames_per_s": count / (now_s - self._sample_s),
            **held(),
        }
        self._samples.write(json.dumps(sample) + "\n")
        self._samples.flush()
        self._latencies_ms = []
        self._sample_cpu_s, self._sample_s = cpu_s, now_s

    def _finish(self) -> None:
        self._timer.stop()
        self._run.findings.now = "the end"
        self._window.leave()


def main() -> None:
    """Run it."""
    run = Run(sys.argv[1], errors_count=True, expected=r"noise\.jpg")
    gate = Gate()
    register(gate)
    run.prepare_qt()
    drivers: list[Driver] = []
    arguments = ["--source", f"{SCHEME}:{run.options['clip']}", "--device", "cpu", "--overlay", "keypoints"]
    code = run.main(arguments, lambda window: drivers.append(Driver(run, window, gate)))
    if code != 0:
        run.findings.add("process", f"main() returned {code}")
    run.finish({"frames": drivers[0].frames if drivers else 0, "deeds": drivers[0].done if drivers else {}})


if __name__ == "__main__":
    main()
