"""Cost over time: hours of frames as fast as they can be processed, with memory and latency watched.

python -m benchmarks.endurance [VIDEO ...] [--minutes 30] [--window] [--json FILE]

Videos are decoded again and again, each opened anew, and go through the live session as fast as possible, without a
window. With --window the first one plays in the real window at 60 frames a second instead. Memory (resident), threads
and open files are noted every second, times of frames by minute. Nothing before the first minute's end is judged.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import psutil

from benchmarks.driving import Drive, Feed, drive, film
from benchmarks.figures import heading, load, save_report
from fkd_desktop.live.network import load_predictor
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTE_S: Final = 60.0
WINDOW_RATE: Final = 60.0
MOST_GROWTH_MB: Final = 10.0
MOST_DRIFT: Final = 0.1
"""Largest change of a frame's processor time, from the second minute to the last, that counts as none."""


@dataclass
class Vitals:
    """The process second by second."""

    at_s: list[float] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def note(self, at_s: float) -> None:
        process = psutil.Process()
        self.at_s.append(at_s)
        self.rss_mb.append(process.memory_info().rss / 2**20)
        self.threads.append(process.num_threads())
        self.files.append(process.num_fds() if hasattr(process, "num_fds") else process.num_handles())


@dataclass(frozen=True)
class Minute:
    """The frames of one minute.

    Attributes
    ----------
    latency_ms_p50, latency_ms_p95
        From the frame's being there to its result (in the window: to its being painted).
    cpu_ms
        Median processor time of a frame in the loop's thread.
    """

    frames: int
    latency_ms_p50: float
    latency_ms_p95: float
    cpu_ms: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endurance", description=__doc__.split("\n", 1)[0])
    parser.add_argument("videos", type=Path, nargs="*", help="default: the demo clip")
    parser.add_argument("--minutes", type=float, default=30.0, help="(default: %(default)g)")
    parser.add_argument("--window", action="store_true", help="through the real window, at 60 frames a second")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    videos = options.videos or [assets_dir() / "demo" / "demo.mp4"]
    print(heading())
    report = measure(videos, minutes=options.minutes, window=options.window, tell=True)
    for line in verdicts(report):
        print(line)
    if options.json:
        save_report(options.json, report)
    return 0


def measure(
    videos: Sequence[Path],
    *,
    minutes: float = 30.0,
    window: bool = False,
    tell: bool = False,
    minute_s: float = MINUTE_S,
) -> dict[str, Any]:
    """Run for some minutes.

    Returns
    -------
    "minutes": one entry each, see `Minute`; "vitals": see `Vitals`; and "growth_mb", "slope_mb_per_h", "cpu_drift",
    "threads_more" and "files_more", from the end of the first minute to the end of the run.
    """
    run = _in_window if window else _without_window
    vitals, by_minute = run(videos, minutes, minute_s, tell)
    return {"videos": [path.name for path in videos], "window": window, **summarise(vitals, by_minute, minute_s)}


def _without_window(videos: Sequence[Path], minutes: float, minute_s: float, tell: bool) -> tuple[Vitals, list[Minute]]:
    seen, vitals, by_minute = Drive(), Vitals(), list[Minute]()
    stop, predictor = threading.Event(), load_predictor(device="cpu")
    frames = film(videos, should_stop=stop.is_set)
    with ThreadPoolExecutor(1, thread_name_prefix="session") as pool:
        loop = pool.submit(drive, frames, predictor, should_stop=stop.is_set, into=seen)
        start_s = time.perf_counter()
        try:
            while len(by_minute) < minutes and not wait([loop], min(1.0, minute_s / 10)).done:
                vitals.note(time.perf_counter() - start_s)
                if vitals.at_s[-1] >= (len(by_minute) + 1) * minute_s:
                    by_minute.append(_take_minute(seen))
                    if tell:
                        tell_minute(len(by_minute), by_minute[-1], vitals)
        finally:
            stop.set()
    loop.result()  # raises what broke
    return vitals, by_minute


def _take_minute(seen: Drive) -> Minute:
    """Sum up what was seen since the last time, and forget it: the benchmark itself must not grow."""
    count = len(seen.faces)  # appended last: all lists are at least as long
    latency, cpu = seen.latency_ms[:count], seen.cpu_ms[:count]
    for values in (seen.wall_ms, seen.cpu_ms, seen.latency_ms, seen.stages_ms, seen.faces):
        del values[:count]
    return minute_of(latency, cpu)


def minute_of(latency_ms: Sequence[float], cpu_ms: Sequence[float]) -> Minute:
    if not latency_ms:
        return Minute(0, float("nan"), float("nan"), float("nan"))
    p50, p95 = np.percentile(latency_ms, [50, 95])
    return Minute(len(latency_ms), float(p50), float(p95), float(np.median(cpu_ms)))


def tell_minute(number: int, minute: Minute, vitals: Vitals) -> None:
    print(
        f"minute {number:3}: {minute.frames:6} frames, {minute.latency_ms_p50:6.2f} ms "
        f"(p95 {minute.latency_ms_p95:6.2f}), {minute.cpu_ms:6.2f} ms of the processor; "
        f"{vitals.rss_mb[-1]:7.1f} MB, "
        f"{vitals.threads[-1]} threads, {vitals.files[-1]} files, load {load():.1f}",
        flush=True,
    )


def summarise(vitals: Vitals, by_minute: Sequence[Minute], minute_s: float) -> dict[str, Any]:
    """Compare the end with the end of the first minute."""
    report: dict[str, Any] = {"minutes": [vars(minute) for minute in by_minute], "vitals": vars(vitals)}
    late = [i for i, at_s in enumerate(vitals.at_s) if at_s >= minute_s]
    if len(late) < 4 or len(by_minute) < 2:
        return report
    some = max(2, min(30, len(late) // 3))
    first, last = late[:some], late[-some:]

    def change(values: Sequence[float]) -> float:
        return statistics.median(values[i] for i in last) - statistics.median(values[i] for i in first)

    slope = np.polyfit([vitals.at_s[i] for i in late], [vitals.rss_mb[i] for i in late], 1)[0]
    return report | {
        "growth_mb": change(vitals.rss_mb),
        "slope_mb_per_h": 3600 * float(slope),
        "threads_more": change(vitals.threads),
        "files_more": change(vitals.files),
        "peak_rss_mb": max(vitals.rss_mb),
        "cpu_drift": by_minute[-1].cpu_ms / by_minute[1].cpu_ms - 1,
        "latency_drift": by_minute[-1].latency_ms_p50 / by_minute[1].latency_ms_p50 - 1,
    }


def verdicts(report: dict[str, Any]) -> list[str]:
    """Say in a line each whether memory is flat and latency constant."""
    if "growth_mb" not in report:
        return ["too short to judge: at least two minutes are needed"]
    more = report["threads_more"] > 0 or report["files_more"] > 0
    checks = [
        (
            report["growth_mb"] < MOST_GROWTH_MB,
            f"memory: {report['growth_mb']:+.1f} MB after the first minute (fitted "
            f"{report['slope_mb_per_h']:+.1f} MB an hour, peak {report['peak_rss_mb']:.0f} MB); "
            f"at most {MOST_GROWTH_MB:.0f} MB",
        ),
        (
            report["cpu_drift"] < MOST_DRIFT,
            f"a frame's processor time: {report['cpu_drift']:+.1%} from the second minute to the last (its latency "
            f"{report['latency_drift']:+.1%}, which other work on the machine moves, too)",
        ),
        (not more, f"threads {report['threads_more']:+.0f}, open files {report['files_more']:+.0f}"),
    ]
    return [f"{'ok    ' if met else 'MISSED'} {text}" for met, text in checks]


def _in_window(videos: Sequence[Path], minutes: float, minute_s: float, tell: bool) -> tuple[Vitals, list[Minute]]:
    from benchmarks.window import Watched, decoded, watch_window

    vitals, by_minute = Vitals(), list[Minute]()

    def on_second(at_s: float, seen: Watched) -> None:
        vitals.note(at_s)
        if at_s >= (len(by_minute) + 1) * minute_s - 0.01:
            by_minute.append(minute_of(seen.latencies_ms, seen.cpu_ms))
            for values in (seen.latencies_ms, seen.cpu_ms, seen.painted_s, seen.stages_ms, seen.faces):
                values.clear()
            if tell:
                tell_minute(len(by_minute), by_minute[-1], vitals)

    feed = Feed(decoded(videos[0]), frames_per_s=WINDOW_RATE)
    watch_window(lambda: feed, seconds=minutes * minute_s, device="cpu", on_second=on_second)
    return vitals, by_minute


if __name__ == "__main__":
    sys.exit(main())
