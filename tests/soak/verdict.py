"""Whether a session stayed as it was."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.longrun.running import Outcome

WARM_FRAMES: Final = 10_000
MOST_GROWTH: Final = 0.05
"""Of memory, from its first tenth after `WARM_FRAMES` to its last."""
MOST_SLOWER: Final = 1.2
"""Latency of the last quarter against the second one."""
CALM: Final = {
    "calm_p50_ms": "latency, median",
    "calm_p95_ms": "latency, p95",
    "calm_cpu_ms": "processor time a frame",
}
SLACK: Final = {"threads": 4, "files": 6, "windows": 6, "widgets": 60, "objects": 300}
"""What may be there more in the last tenth than in the first: a menu or a recording that happened to be open."""

Sample = dict[str, Any]


@dataclass(frozen=True)
class Check:
    """One line of the verdict."""

    name: str
    value: str
    limit: str
    is_met: bool


def read_samples(path: Path) -> list[Sample]:
    """Read what a session wrote; its last line may be half written."""
    samples = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            samples.append(json.loads(line))
        except ValueError:
            break
    return samples


def judge(samples: Sequence[Sample], outcome: Outcome, *, frames: int, warm: int) -> list[Check]:
    """Judge a session.

    Parameters
    ----------
    frames
        How many were wanted.
    warm
        Frames at the beginning in which things may still be loaded for the first time.
    """
    reached = samples[-1]["frame"] if samples else 0
    checks = [Check("frames", f"{reached}", f"{frames}", outcome.result.get("frames", 0) >= frames)]
    later = [sample for sample in samples if sample["frame"] > warm]
    if len(later) >= 8:
        checks += _flatness(later)
    else:
        checks.append(Check("samples", f"{len(later)}", "at least 8", is_met=False))
    checks.append(Check("findings", f"{len(outcome.findings)}", "0", not outcome.findings))
    return checks


def _flatness(later: Sequence[Sample]) -> list[Check]:
    tenth, quarter = max(3, len(later) // 10), len(later) // 4
    first, last = later[:tenth], later[-tenth:]
    checks = []
    before, after = _middle(first, "rss_mb"), _middle(last, "rss_mb")
    growth = after / before - 1
    value = f"{before:.0f} to {after:.0f} MB ({growth:+.1%})"
    checks.append(Check("memory, first and last tenth", value, f"under {MOST_GROWTH:+.0%}", growth < MOST_GROWTH))
    for name, slack in SLACK.items():
        before, after = _middle(first, name), _middle(last, name)
        checks.append(Check(name, f"{before:.0f} to {after:.0f}", f"at most {slack} more", after <= before + slack))
    for name, words in CALM.items():
        second, fourth = later[quarter : 2 * quarter], later[-quarter:]
        before, after = _middle(second, name), _middle(fourth, name)
        value = f"{before:.1f} to {after:.1f} ms"
        limit = f"at most {MOST_SLOWER - 1:+.0%}"
        checks.append(Check(f"{words}, quarters 2 and 4", value, limit, after <= MOST_SLOWER * before))
    return checks


def _middle(samples: Sequence[Sample], name: str) -> float:
    return float(median(sample[name] for sample in samples))


def table(samples: Sequence[Sample], checks: Sequence[Check]) -> str:
    """Return the verdict and some samples as Markdown."""
    lines = ["| what | found | wanted | |", "|---|---|---|---|"]
    lines += [f"| {c.name} | {c.value} | {c.limit} | {'yes' if c.is_met else '**NO**'} |" for c in checks]
    names = [
        "frame",
        "minutes",
        "frames/s",
        "latency p50, p95 (ms)",
        "undisturbed (ms)",
        "CPU a frame (ms)",
        "RSS (MB)",
    ]
    names += ["threads", "files", "children", "windows", "widgets"]
    lines += ["", f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    step = max(1, len(samples) // 10)
    for sample in [*samples[:-1][::step][:10], *samples[-1:]]:
        row = (
            "| {frame} | {minutes:.1f} | {frames_per_s:.0f} | {latency_p50_ms:.1f}, {latency_p95_ms:.1f} "
            "| {calm_p50_ms:.1f}, {calm_p95_ms:.1f} | {calm_cpu_ms:.1f} | {rss_mb:.0f} | {threads} | {files} "
            "| {children} | {windows} | {widgets} |"
        )
        lines.append(row.format(**sample))
    return "\n".join(lines)
