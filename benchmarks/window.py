"""The real window on two faces at 1280x720: frames a second, latency, processor, stalls, memory; and at rest.

python -m benchmarks.window [CLIP] [--seconds 20] [--rates 30 60] [--rest 10] [--json FILE]

A film is drawn of a recording of one face, then decoded, in one thread, and sent at each rate as a camera sends its
frames: what comes too fast is dropped. The time of that thread is told apart, so that decoding does not count. At the
end the session is stopped, with the window shown: what the process then takes is its time at rest. Runs under the
display there is, else offscreen.
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import av
import numpy as np

from benchmarks.driving import STAGES, Feed
from benchmarks.figures import Figure, Value, figures_table, heading, save_report
from fkd_desktop.live.sources import register_source
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from PySide6.QtCore import QTimer

    from fkd_desktop.live.sources import FrameSource
    from fkd_desktop.settings import Settings
    from fkd_desktop.ui.main_window import MainWindow

WARM_UP_S: Final = 1.0
HEARTBEAT_MS: Final = 2
SETTLE_S: Final = 2.0
PATIENCE_S: Final = 60.0
SIZE: Final = (1280, 720)
FILM_FRAMES: Final = 240


@dataclass
class Watched:
    """What was seen while the window ran, from the first annotated frame plus `WARM_UP_S` on.

    Attributes
    ----------
    cpu_ms
        Processor time of the whole process from one painted frame to the next.
    stages_ms
        Of each frame: `STAGES`, and painting.
    """

    latencies_ms: list[float] = field(default_factory=list)
    painted_s: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    stages_ms: list[tuple[float, ...]] = field(default_factory=list)
    faces: list[int] = field(default_factory=list)
    longest_stall_ms: float = 0.0
    dropped: int = 0
    process_cpu_s: float = 0.0
    source_cpu_s: float = 0.0
    seconds: float = 0.0
    rest_cpu_share: float = float("nan")
    starts_s: float | None = None

    @property
    def is_on(self) -> bool:
        return self.starts_s is not None and time.perf_counter() >= self.starts_s

    def report(self) -> dict[str, Any]:
        """Sum up."""
        stages, names = np.array(self.stages_ms), (*STAGES, "paint")
        return {
            "frames_per_s": len(self.painted_s) / self.seconds,
            "latency_ms_p50": float(np.percentile(self.latencies_ms, 50)),
            "latency_ms_p95": float(np.percentile(self.latencies_ms, 95)),
            "stages_ms_median": dict(zip(names, np.median(stages, axis=0).tolist(), strict=True)),
            "stages_ms_p95": dict(zip(names, np.percentile(stages, 95, axis=0).tolist(), strict=True)),
            "stages_ms_mean": dict(zip(names, stages.mean(axis=0).tolist(), strict=True)),
            "frames": len(self.painted_s),
            "faces_mean": float(np.mean(self.faces)),
            "frames_with_faces": sum(count > 0 for count in self.faces),
            "dropped": self.dropped,
            "gui_longest_stall_ms": self.longest_stall_ms,
            "cpu_of_one_core": self.process_cpu_s / self.seconds,
            "cpu_of_one_core_without_source": (self.process_cpu_s - self.source_cpu_s) / self.seconds,
            "rest_cpu_of_one_core": self.rest_cpu_share,
            "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


def watch_window(
    make_source: Callable[[], FrameSource],
    *,
    seconds: float,
    source_cpu_s: Callable[[], float] = lambda: 0.0,
    overlays: Sequence[str] = ("keypoints", "sunglasses"),
    device: str = "auto",
    rest_s: float = 0.0,
    on_second: Callable[[float, Watched], None] | None = None,
) -> Watched:
    """Show a source in the real window of this process, which has none yet.

    Parameters
    ----------
    make_source
        Makes the source; it must not end.
    seconds
        How long to watch.
    source_cpu_s
        Gives the processor time that reading has taken so far.
    rest_s
        Afterwards stop the session and watch the process for that long.
    on_second
        Called every second with the seconds since the start of watching; may empty the lists.

    Raises
    ------
    TimeoutError
        If no annotated frame is painted within a minute.
    """
    go_offscreen_without_display()
    from PySide6.QtWidgets import QApplication

    from fkd_desktop.app import prepare_process
    from fkd_desktop.controller import Controller
    from fkd_desktop.ui.main_window import MainWindow

    prepare_process()
    application = QApplication.instance() or QApplication(sys.argv[:1])
    register_source("watched", lambda _name: make_source())
    controller = Controller(device=device)
    window = MainWindow(controller, passing_settings(), layer_names=list(overlays))
    window.resize(1000, 800)
    seen = Watched()
    beat = _listen(window, seen)
    window.show()
    controller.start("watched:")
    controller.load_network()
    deadline_s = time.perf_counter() + PATIENCE_S
    while not seen.is_on:
        if time.perf_counter() > deadline_s:
            raise TimeoutError("the window painted no annotated frame within a minute")
        let_run(0.02)
    start_s, cpu_s, own_s, dropped = time.perf_counter(), time.process_time(), source_cpu_s(), controller.dropped
    while (passed_s := time.perf_counter() - start_s) < seconds:
        let_run(min(1.0, seconds - passed_s))
        if on_second is not None:
            on_second(time.perf_counter() - start_s, seen)
    seen.seconds, seen.dropped = time.perf_counter() - start_s, controller.dropped - dropped
    seen.process_cpu_s, seen.source_cpu_s = time.process_time() - cpu_s, source_cpu_s() - own_s
    seen.starts_s = float("inf")
    controller.stop()
    if rest_s:
        beat.stop()
        let_run(SETTLE_S)
        start_s, cpu_s = time.perf_counter(), time.process_time()
        let_run(rest_s)
        seen.rest_cpu_share = (time.process_time() - cpu_s) / (time.perf_counter() - start_s)
    window.close()
    del application
    return seen


def go_offscreen_without_display() -> None:
    """Have Qt, which is not loaded yet, paint into memory where there is no display."""
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def passing_settings() -> Settings:
    """Return fresh settings in a folder that ends with the process."""
    from fkd_desktop.settings import Settings

    folder = tempfile.TemporaryDirectory(prefix="fkd-benchmark-")
    atexit.register(folder.cleanup)
    return Settings(Path(folder.name) / "settings.ini")


def _listen(window: MainWindow, seen: Watched) -> QTimer:
    """Note each painted frame, and how late a timer of the GUI's thread comes; the timer."""
    from PySide6.QtCore import Qt, QTimer

    last_cpu_s = last_beat_s = 0.0

    def on_painted(captured_s: float, painted_s: float) -> None:
        nonlocal last_cpu_s
        live = window.view.live_frame
        if live is None or not live.annotated:
            return
        if seen.starts_s is None:
            seen.starts_s = time.perf_counter() + WARM_UP_S
        cpu_s = time.process_time()
        if seen.is_on:
            seen.latencies_ms.append(1000 * (painted_s - captured_s))
            seen.painted_s.append(painted_s)
            seen.cpu_ms.append(1000 * (cpu_s - last_cpu_s))
            seen.stages_ms.append((*astuple(live.result.times), window.view.paint_ms))
            seen.faces.append(len(live.result))
        last_cpu_s = cpu_s

    def on_beat() -> None:
        nonlocal last_beat_s
        now_s = time.perf_counter()
        if seen.is_on and last_beat_s:
            seen.longest_stall_ms = max(seen.longest_stall_ms, 1000 * (now_s - last_beat_s) - HEARTBEAT_MS)
        last_beat_s = now_s

    beat = QTimer(window, interval=HEARTBEAT_MS, timerType=Qt.TimerType.PreciseTimer)
    beat.timeout.connect(on_beat)
    beat.start()
    window.view.frame_painted.connect(on_painted)
    return beat


def let_run(seconds: float) -> None:
    """Let Qt go about its work for a while."""
    from PySide6.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


def decoded(path: Path) -> Iterator[NDArray[np.uint8]]:
    """Decode a film again and again in the thread that asks, so that its processor time can be told apart."""
    while True:
        with av.open(str(path)) as film:
            film.streams.video[0].thread_type = "NONE"
            for frame in film.decode(video=0):
                picture: NDArray[np.uint8] = frame.to_ndarray(format="bgr24")  # type: ignore[assignment]
                yield picture


def draw_film(clip: Path, out: Path, *, faces: int, size: tuple[int, int], frames: int) -> None:
    """Write a film with some faces; in another process than the one that is watched, whose memory is to be seen."""
    from benchmarks.clips import load_reel, many_faces
    from fkd_desktop.live.network import load_predictor
    from fkd_desktop.live.video_writer import VideoWriter

    reel = load_reel(clip, load_predictor(device="cpu"), frames=min(100, frames))
    with VideoWriter(out) as writer:
        for frame in many_faces(reel, faces=faces, size=size, frames=frames):
            writer.write(frame.image_bgr, frame.timestamp_s)


def run_one(options: argparse.Namespace) -> dict[str, Any]:
    """Watch the window at one rate, in this process."""
    feed = Feed(decoded(options.film), frames_per_s=options.rates[0])
    seen = watch_window(
        lambda: feed, seconds=options.seconds, source_cpu_s=lambda: feed.cpu_s, rest_s=options.rest, device="cpu"
    )
    return seen.report()


def measure(
    clip: Path,
    *,
    quick: bool = False,
    rates: Sequence[float] = (30.0, 60.0),
    seconds: float = 20.0,
    rest_s: float = 10.0,
) -> dict[str, Value]:
    """Return the figures of one repeat; each rate has a process of its own."""
    seconds, rest_s, frames = (2.0, 1.0, 20) if quick else (seconds, rest_s, FILM_FRAMES)
    runner = [sys.executable, "-P", str(Path(__file__).with_name("child.py")), "--module", "window"]
    figures: dict[str, Value] = {}
    with tempfile.TemporaryDirectory() as folder:
        film, out = Path(folder) / "film.mp4", Path(folder) / "figures.json"
        subprocess.run([*runner, str(clip), "--draw", str(film), "--frames", str(frames)], check=True)
        for rate in rates[:1] if quick else rates:
            # At rest it is watched once.
            own = ["--film", str(film), "--rates", str(rate), "--rest", str(rest_s if rate == rates[0] else 0.0)]
            subprocess.run([*runner, *own, "--seconds", str(seconds), "--json", str(out)], check=True)
            figures |= figures_of(json.loads(out.read_text(encoding="utf-8")), rate)
    return figures


def figures_of(report: dict[str, Any], rate: float) -> dict[str, Value]:
    """Name the figures of a rate, with their goals."""

    def goal(value: float) -> float | None:
        return value if rate <= 30 else None  # a camera's rate

    figures = {
        "frames a second": Value(report["frames_per_s"], "frames/s", True, 0.99 * rate),
        "faces found a frame": Value(report["faces_mean"], "faces", True),
        "capture to paint, p50": Value(report["latency_ms_p50"], "ms"),
        "capture to paint, p95": Value(report["latency_ms_p95"], "ms", goal=goal(40.0)),
        "of a core, without decoding": Value(report["cpu_of_one_core_without_source"], "share", goal=goal(0.6)),
        "of a core, with decoding": Value(report["cpu_of_one_core"], "share"),
        "longest GUI stall": Value(report["gui_longest_stall_ms"], "ms"),
        "most memory": Value(report["peak_rss_mb"], "MB", goal=600.0),
    }
    for stage, ms in report["stages_ms_mean"].items():
        figures[f"stage {stage}, mean"] = Value(ms, "ms")
    named = {f"{rate:g} a second, {name}": value for name, value in figures.items()}
    if not np.isnan(report["rest_cpu_of_one_core"]):
        named["stopped, of a core"] = Value(report["rest_cpu_of_one_core"], "share", goal=0.01)
    return named


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.window", description=__doc__.split("\n", 1)[0])
    parser.add_argument("clip", type=Path, nargs="?", default=assets_dir() / "demo" / "demo.mp4")
    parser.add_argument("--rates", type=float, nargs="+", default=[30.0, 60.0], help="(default: 30 60)")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each rate (default: %(default)g)")
    parser.add_argument("--rest", type=float, default=10.0, help="seconds at rest (default: %(default)g)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--draw", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--frames", type=int, default=FILM_FRAMES, help=argparse.SUPPRESS)
    parser.add_argument("--film", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.draw:
        draw_film(options.clip, options.draw, faces=2, size=SIZE, frames=options.frames)
        return 0
    if options.film:
        options.json.write_text(json.dumps(run_one(options)), encoding="utf-8")
        return 0
    print(heading())
    found = measure(options.clip, rates=options.rates, seconds=options.seconds, rest_s=options.rest)
    figures = {name: Figure.of([value]) for name, value in found.items()}
    print(figures_table(figures))
    if options.json:
        save_report(options.json, {name: figure.to_json() for name, figure in figures.items()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
