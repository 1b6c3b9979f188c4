"""Where a frame's time goes, by stage and by function, and how near that is to what a core can do.

python -m benchmarks.profiling [CLIP] [--frames 600] [--functions 15]

The recording goes through the live session as fast as it can be processed; then once more, watched by Python's
profiler, in processor time of the loop: it makes calls slower than they are, so read shares, not times. The physical
limit is what the network must multiply and move against what one core does of a large product and a large copy
(benchmarks/engines.py).
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks.clips import read_frames
from benchmarks.driving import STAGES, WARM_UP_FRAMES, Drive, drive, to_and_fro
from benchmarks.figures import ROOT, heading, table
from fkd_desktop.live.network import load_predictor
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT_PICTURES: Final = 300


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profiling", description=__doc__.split("\n", 1)[0])
    parser.add_argument("clip", type=Path, nargs="?", default=assets_dir() / "demo" / "demo.mp4")
    parser.add_argument("--frames", type=int, default=600, help="(default: %(default)s)")
    parser.add_argument("--functions", type=int, default=15, help="how many are named (default: %(default)s)")
    options = parser.parse_args()
    print(heading())
    pictures = read_frames(options.clip, min(options.frames, KEPT_PICTURES))
    predictor = load_predictor(device="cpu")
    frames = WARM_UP_FRAMES + options.frames
    seen = drive(to_and_fro(pictures, frames), predictor)
    print(f"\n{stage_text(seen)}")
    profiler = cProfile.Profile(time.thread_time)
    profiler.runcall(drive, to_and_fro(pictures, frames), predictor)
    print(f"\n{function_text(profiler, frames, options.functions)}")
    from benchmarks.engines import core, cost
    from trainer.core.checkpoint import load_checkpoint
    from trainer.core.resources import default_weights_path

    faces = float(np.mean(seen.faces))
    network_ms = float(np.median([each[STAGES.index("network")] for each in seen.stages_ms])) / max(faces, 1e-9)
    print(f"\n{limit_text(cost(load_checkpoint(default_weights_path()).network), core(), network_ms)}")
    return 0


def stage_text(seen: Drive) -> str:
    """Lay out what the stages take."""
    stages, wall = np.array(seen.stages_ms), np.array(seen.wall_ms)
    rows = [["stage", "median ms", "mean ms", "share"]]
    for i, name in enumerate(STAGES):
        rows.append(_row(name, stages[:, i], wall))
    rows.append(_row("session around it", wall - stages.sum(axis=1), wall))
    rows.append(_row("a frame", wall, wall))
    cpu = float(np.mean(seen.cpu_ms))
    search = 1000 * seen.search_cpu_s / len(wall)
    return (
        f"{table(rows)}\nprocessor time a frame: {cpu:.2f} ms in the loop, {search:.2f} ms in the search's thread; "
        f"{np.mean(seen.faces):.2f} faces a frame"
    )


def _row(name: str, part: np.ndarray, whole: np.ndarray) -> list[str]:
    return [name, f"{np.median(part):.3f}", f"{part.mean():.3f}", f"{part.sum() / whole.sum():.0%}"]


def function_text(profiler: cProfile.Profile, frames: int, count: int) -> str:
    """Lay out the functions of the loop's thread that take most themselves; the benchmark's own left out."""
    stats: Mapping[tuple[str, int, str], Any] = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    own = {place: (values[2], values[1]) for place, values in stats.items() if not _is_ours(place)}
    total_s = sum(seconds for seconds, _calls in own.values())
    rows = [["function (its own time, watched by the profiler)", "share", "calls a frame"]]
    for place in sorted(own, key=lambda place: -own[place][0])[:count]:
        seconds, calls = own[place]
        rows.append([_name(place), f"{seconds / total_s:.1%}", f"{calls / frames:.1f}"])
    return table(rows)


def _is_ours(place: tuple[str, int, str]) -> bool:
    """Whether it is the benchmark's own work, or waiting."""
    is_lock = place[0] == "~" and "_thread.lock" in place[2]
    return is_lock or "thread_time" in place[2] or Path(place[0]).parent == ROOT / "benchmarks"


def _name(place: tuple[str, int, str]) -> str:
    path, line, function = place
    if path == "~":
        return function.strip("<>")
    inside = Path(path)
    shown = inside.relative_to(ROOT) if inside.is_relative_to(ROOT) else Path(*inside.parts[-2:])
    return f"{shown}:{line} {function}"


def limit_text(taken: Mapping[str, float], can: Mapping[str, float], network_ms: float) -> str:
    """Compare the network with what one core can do."""
    multiply_ms = 1000 * taken["multiply_adds"] / can["multiply_adds_per_s"]
    once_ms = 1000 * taken["weight_bytes"] / can["copied_bytes_per_s"]
    all_ms = 1000 * taken["traffic_bytes"] / can["copied_bytes_per_s"]
    rows = [
        ["the network, one face, one core", "ms", ""],
        ["measured here, its part in the pipeline", f"{network_ms:.2f}", ""],
        [
            "its multiply-adds as fast as in a large product",
            f"{multiply_ms:.2f}",
            f"{taken['multiply_adds'] / 1e6:.1f} M at {can['multiply_adds_per_s'] / 1e9:.0f} G/s",
        ],
        [
            "its weights read once from memory",
            f"{once_ms:.2f}",
            f"{taken['weight_bytes'] / 1e6:.1f} MB at {can['copied_bytes_per_s'] / 1e9:.1f} GB/s",
        ],
        [
            "all that its layers read and write, without a cache",
            f"{all_ms:.2f}",
            f"{taken['traffic_bytes'] / 1e6:.1f} MB",
        ],
        ["share of the multiply-adds' limit that is reached", f"{multiply_ms / network_ms:.0%}", ""],
    ]
    return table(rows)


if __name__ == "__main__":
    sys.exit(main())
