"""What `python -m benchmarks` can measure. A benchmark returns the figures of one repeat."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from benchmarks.figures import ROOT, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Need = Literal["clip", "data"]
UNITS: Final = {
    "frames_per_s": ("frames/s", True), "images_per_s": ("images/s", True), "_ms": ("ms", False), "_s": ("s", False),
    "_mb": ("MB", False),
}  # fmt: skip
"""By the end of a name, or of one around it, in a script's JSON: the unit, and whether more is better."""


@dataclass(frozen=True)
class Inputs:
    """What the user gave.

    Attributes
    ----------
    clip
        A recording of one face; None for the shipped demo clip.
    data
        The published data set.
    quick
        Small and short, to see that it works.
    """

    clip: Path | None = None
    data: Path | None = None
    quick: bool = False

    @property
    def clip_or_demo(self) -> Path:
        from trainer.core.resources import assets_dir

        return self.clip or assets_dir() / "demo" / "demo.mp4"


@dataclass(frozen=True)
class Benchmark:
    """Something that can be measured.

    Attributes
    ----------
    name
        What the user calls it.
    about
        A line for --list.
    measure
        One repeat; figures by name.
    needs
        What has to be given.
    by_name_only
        Left out unless it is named: it takes long, or is of interest to few.
    """

    name: str
    about: str
    measure: Callable[[Inputs], Mapping[str, Value]]
    needs: frozenset[Need] = frozenset()
    by_name_only: bool = False

    def missing(self, inputs: Inputs) -> list[Need]:
        """Return what it needs and was not given."""
        return sorted(need for need in self.needs if getattr(inputs, need) is None)


def _pipeline(inputs: Inputs) -> Mapping[str, Value]:
    from benchmarks.pipeline import measure

    return measure(inputs.clip_or_demo, quick=inputs.quick)


def _scaling(inputs: Inputs) -> Mapping[str, Value]:
    from benchmarks.scaling import figures, measure

    return figures(measure(inputs.clip_or_demo, quick=inputs.quick))


def _window(inputs: Inputs) -> Mapping[str, Value]:
    from benchmarks.window import measure

    return measure(inputs.clip_or_demo, quick=inputs.quick)


def _startup(inputs: Inputs) -> Mapping[str, Value]:
    from benchmarks.startup import measure

    marks = measure(1 if inputs.quick else 3, folder=_folder())
    goals = {"window_s": 0.8, "first_annotated_frame_s": 2.5, "rss_mb": 600.0}
    return flat(marks, goals=goals)


def _engines(inputs: Inputs) -> Mapping[str, Value]:
    from benchmarks.engines import measure

    found = measure(rounds=5) if inputs.quick else measure()
    return flat({kind: found[kind] for kind in ("ms", "cpu_ms")})


def _cuda(inputs: Inputs) -> Mapping[str, Value]:
    from benchmarks.cuda import measure

    found = measure(quick=inputs.quick, data=str(inputs.data) if inputs.data else None)
    goals = {"latency, compact, 4, ms, graph, half": 0.3, "latency, two_conv, 4, ms, graph, half": 1.2}
    return flat({key: found[key] for key in ("device_loss", "latency", "training") if key in found}, goals=goals)


def _finding(inputs: Inputs) -> Mapping[str, Value]:
    from benchmarks.finding import measure

    assert inputs.clip is not None
    found = measure(inputs.clip, data=None if inputs.quick else inputs.data, haar=not inputs.quick)
    figures = {}
    for clip, finders in found.items():
        for finder, score in finders.items():
            figures[f"{clip}, {finder}, found"] = Value(score["found"], "share", True)
            figures[f"{clip}, {finder}, faces on none"] = Value(score["false_a_frame"], "a frame")
        figures[f"{clip}, false tracks"] = Value(finders["pipeline"]["false_tracks"], "", goal=0)
    recording = found["the recording"]["pipeline"]
    figures["the recording, found after the first find"] = Value(recording["found_after_first"], "share", True, 0.99)
    return figures


def _peers(inputs: Inputs) -> Mapping[str, Value]:
    from benchmarks.peers import figures, measure

    return figures(measure(inputs.clip_or_demo, quick=inputs.quick))


def _endurance(inputs: Inputs) -> Mapping[str, Value]:
    from benchmarks.endurance import MOST_DRIFT, MOST_GROWTH_MB, measure

    report = measure([inputs.clip_or_demo], minutes=3 if inputs.quick else 30, minute_s=3 if inputs.quick else 60)
    return {
        "memory's growth": Value(report["growth_mb"], "MB", goal=MOST_GROWTH_MB),
        "change of a frame's processor time": Value(report["cpu_drift"], "share", goal=MOST_DRIFT),
        "threads more": Value(report["threads_more"], "", goal=0),
        "files more": Value(report["files_more"], "", goal=0),
    }


def _script(
    module: str, arguments: Callable[[Inputs], list[str]], *, has_json: bool = True
) -> Callable[[Inputs], Mapping[str, Value]]:
    """Run a command of this folder; its own table is shown, and what is in its JSON are the figures."""

    def measure(inputs: Inputs) -> Mapping[str, Value]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "figures.json"
            file = ["--json", str(path)] if has_json else []
            runner = [sys.executable, "-P", str(ROOT / "benchmarks" / "child.py"), "--module", module]
            subprocess.run([*runner, *arguments(inputs), *file], check=True, stdout=sys.stderr)
            return flat(json.loads(path.read_text(encoding="utf-8"))) if has_json else {}

    return measure


def flat(report: Mapping[Any, Any], *, goals: Mapping[str, float] | None = None, inside: str = "") -> dict[str, Value]:
    """Make figures of all numbers in a script's report whose names, or those around them, end with a unit."""
    found: dict[str, Value] = {}
    for key, value in report.items():
        name = f"{inside}, {key}" if inside else str(key)
        if isinstance(value, dict):
            found |= flat(value, goals=goals, inside=name)
        elif isinstance(value, int | float) and not isinstance(value, bool) and (unit := _unit(name)) is not None:
            found[name] = Value(float(value), *unit, goal=(goals or {}).get(name))
    return found


def _unit(name: str) -> tuple[str, bool] | None:
    for part in reversed(name.split(", ")):
        for end, unit in UNITS.items():
            if part.endswith(end) or part == end.strip("_") or f"{end}_" in part:
                return unit
    return None


def _folder() -> Path:
    """Return the checkout whose code is measured: this one, or the one of --against."""
    import trainer

    return Path(trainer.__file__).resolve().parents[1]


def _clip(inputs: Inputs) -> list[str]:
    return [str(inputs.clip_or_demo)]


def _data(inputs: Inputs) -> list[str]:
    return ["--data", str(inputs.data)]


BENCHMARKS: Final = {
    benchmark.name: benchmark
    for benchmark in (
        Benchmark("pipeline", "a frame's way through the live session, by stage and faces; Haar beside it", _pipeline),
        Benchmark("scaling", "1 to 16 faces, 320x240 to 3840x2160: ms a face and ms a megapixel", _scaling),
        Benchmark("window", "the real window: frames a second, latency, processor, stalls, memory, at rest", _window),
        Benchmark("startup", "the window and the first annotated frame, from the process's start", _startup),
        Benchmark("engines", "what computes the network quickest on the processor", _engines, by_name_only=True),
        Benchmark("cuda", "the network, a lost device and (with --data) training on a GPU", _cuda, by_name_only=True),
        Benchmark("peers", "other face trackers on the same frames; more options: benchmarks.peers", _peers),
        Benchmark("finding", "how well faces are found and kept", _finding, frozenset({"clip"}), by_name_only=True),
        Benchmark("endurance", "30 minutes at full speed", _endurance, by_name_only=True),
        Benchmark(
            "live_while_training", "the window and the trainer beside one another",
            _script("live_while_training", lambda i: [*_clip(i), *_data(i)]), frozenset({"data"}), by_name_only=True,
        ),
        Benchmark("overlays", "painting each overlay", _script("overlays", lambda _: []), by_name_only=True),
        Benchmark("recording", "a recording beside the live session", _script("recording", _clip, has_json=False),
                  by_name_only=True),
        Benchmark("annotate", "fkd-annotate on a video", _script("annotate", _clip), by_name_only=True),
        Benchmark("smoothing", "jitter and lag", _script("smoothing", _clip, has_json=False), frozenset({"clip"}),
                  by_name_only=True),
        Benchmark("inspector", "the network inspector beside the live session",
                  _script("inspector", _clip, has_json=False), by_name_only=True),
        Benchmark("dataset_browser", "scrolling through 5,000 pictures", _script("dataset_browser", lambda _: []),
                  by_name_only=True),
        Benchmark("robustness", "accuracy on spoilt pictures", _script("robustness", _data, has_json=False),
                  frozenset({"data"}), by_name_only=True),
        Benchmark("training", "a step of training", _script("training", lambda _: [], has_json=False),
                  by_name_only=True),
        Benchmark("profiling", "where a frame's time goes, and the physical limit",
                  _script("profiling", _clip, has_json=False), by_name_only=True),
    )
}  # fmt: skip
