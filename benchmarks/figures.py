"""Figures, the machine they were taken on, and how they are kept and shown."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parents[1]
SCHEMA: Final = 1
PACKAGES: Final = ("numpy", "opencv-python", "onnxruntime", "torch", "PySide6-Essentials", "av")
BUSY_LOAD: Final = 0.25
"""Load a core, from other processes, at which times are no longer to be trusted."""


class ReportError(Exception):
    """A file of figures cannot be used."""


@dataclass(frozen=True)
class Value:
    """What one repeat gave for one figure.

    Attributes
    ----------
    unit
        "ms", "s", "MB", "faces", "1" for shares; shown behind it.
    more_is_better
        Which way is an improvement.
    goal
        The least or most that is wanted; None for no goal.
    """

    value: float
    unit: str
    more_is_better: bool = False
    goal: float | None = None


@dataclass(frozen=True)
class Figure:
    """One figure over all repeats."""

    values: tuple[float, ...]
    unit: str
    more_is_better: bool = False
    goal: float | None = None

    @classmethod
    def of(cls, repeats: Sequence[Value]) -> Figure:
        """Join the values of all repeats."""
        first = repeats[0]
        return cls(tuple(each.value for each in repeats), first.unit, first.more_is_better, first.goal)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def meets_goal(self) -> bool | None:
        """Whether the median is as good as wanted; None where nothing is."""
        if self.goal is None:
            return None
        return self.median >= self.goal if self.more_is_better else self.median <= self.goal

    def to_json(self) -> dict[str, Any]:
        """Return the entry of a report; see docs/benchmarks.md."""
        p10, p90 = np.percentile(self.values, [10, 90])
        return {
            "unit": self.unit, "median": self.median, "p10": float(p10), "p90": float(p90), "n": len(self.values),
            "values": list(self.values), "more_is_better": self.more_is_better, "goal": self.goal,
        }  # fmt: skip

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Figure:
        """Read such an entry."""
        goal = entry["goal"]
        values = tuple(float(value) for value in entry["values"])
        if not values:
            raise ValueError("a figure without values")
        return cls(values, str(entry["unit"]), bool(entry["more_is_better"]), None if goal is None else float(goal))


def save_report(path: Path, report: Mapping[str, Any]) -> None:
    """Write figures as JSON."""
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def load_report(path: Path) -> dict[str, Any]:
    """Read a report of `python -m benchmarks --json`.

    Raises
    ------
    ReportError
        If it is none, or one of another version.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        if report["schema"] != SCHEMA:
            raise ReportError(f"{path} has figures of format {report['schema']}, not {SCHEMA}; measure again")
        for entry in report["figures"].values():
            Figure.from_json(entry)
        report["machine"].keys(), report["versions"].keys()
    except OSError as error:
        raise ReportError(f"{path} cannot be read ({error.strerror}); check the path") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReportError(f"{path} is no report of python -m benchmarks --json; choose another file") from error
    assert isinstance(report, dict)
    return report


# --- the machine ---


def machine() -> dict[str, Any]:
    """Return processor, cores, memory and system."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def versions(root: Path) -> dict[str, str]:
    """Return the versions of Python, of what counts beside it, and of the code in `root`."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {**found, "code": revision(root)}


def revision(root: Path) -> str:
    """Return the commit of a checkout, marked where files differ from it; "unknown" without git."""
    try:
        asked = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
        return subprocess.run(asked, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def load() -> float:
    """Return the processes that wait for a core or have one, over the last minute; 0 where nobody counts."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def busy_warning(load_before: float, cores: int) -> str | None:
    """Say that other processes compute, if they do; ask before measuring."""
    if load_before <= BUSY_LOAD * cores:
        return None
    return (
        f"this machine is busy (load {load_before:.1f} on {cores} cores before measuring): times are too high and "
        "scatter; compare with --against only, or wait"
    )


def heading() -> str:
    """Name the machine, the versions and the load in three lines, for commands that print their own tables."""
    where = machine()
    what = ", ".join(f"{name} {version}" for name, version in versions(ROOT).items())
    return (
        f"{where['processor']}, {where['cores']} cores, {where['memory_gb']} GB; {where['system']}\n{what}\n"
        f"{time.strftime('%Y-%m-%d %H:%M')}, load {load():.1f}"
    )


# --- tables ---


def table(rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows of text: the first is the head, all columns but the first are set to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]

    def line(row: Sequence[str]) -> str:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        return "  ".join(cells).rstrip()

    return "\n".join([line(rows[0]), "  ".join("-" * width for width in widths), *map(line, rows[1:])])


def text_of(value: float, unit: str) -> str:
    """Show a number with three significant digits and its unit; shares in per cent."""
    if unit == "share":
        return f"{100 * value:.4g} %"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 or value == 0 else 4
    return f"{value:.{digits}f} {unit}".rstrip()


def figures_table(figures: Mapping[str, Figure]) -> str:
    """Show figures with their spread and goals."""
    rows = [["", "median", "p10", "p90", "n", "goal", ""]]
    for name, figure in figures.items():
        entry = figure.to_json()
        sign = ">=" if figure.more_is_better else "<="
        goal = "" if figure.goal is None else f"{sign} {text_of(figure.goal, figure.unit)}"
        verdict = {None: "", True: "met", False: "MISSED"}[figure.meets_goal]
        spread = (text_of(entry[key], figure.unit) for key in ("median", "p10", "p90"))
        rows.append([name, *spread, str(entry["n"]), goal, verdict])
    return table(rows)
