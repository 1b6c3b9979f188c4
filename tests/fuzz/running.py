"""Runs targets in child processes, watches over them, and starts another where one died or hangs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.fuzz.batches import BATCH
from tests.fuzz.child import CURRENT, RESULT
from tests.fuzz.guard import HANG_FACTOR, HANG_LEAST_S
from tests.fuzz.target import Target

ROOT: Final = Path(__file__).resolve().parents[2]
_START_S: Final = 120.0
_POLL_S: Final = 0.2


@dataclass
class Result:
    """What became of a target's inputs.

    Attributes
    ----------
    refused
        How often each sentence was said.
    findings
        What went wrong: "finding", "times", "input" (a file to replay) and "trace".
    """

    target: str
    inputs: int = 0
    accepted: int = 0
    slowest_s: float = 0.0
    grown_mb: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    findings: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    def take(self, told: dict[str, Any]) -> None:
        """Add what a child tells."""
        self.inputs += told["inputs"]
        self.accepted += told["accepted"]
        self.slowest_s = max(self.slowest_s, told["slowest_s"])
        self.grown_mb = max(self.grown_mb, told["grown_mb"])
        self.refused.update(told["refused"])
        for finding in told["findings"]:
            known = next((one for one in self.findings if one["finding"] == finding["finding"]), None)
            if known is None:
                self.findings.append(finding)
            else:
                known["times"] += finding["times"]


def run_targets(targets: list[tuple[str, Target]], *, inputs: int, seed: int, jobs: int, report: Path) -> list[Result]:
    """Share the inputs out among the targets, given with their modules, and run them all."""
    shares = sum(target.share for _, target in targets)

    def run(one: tuple[str, Target]) -> Result:
        module, target = one
        count = max(1, round(inputs * target.share / shares))
        result = run_target(module, target, inputs=count, seed=seed, report=report / target.name)
        print(f"{target.name}: {result.inputs} inputs, {len(result.findings)} findings", file=sys.stderr, flush=True)
        return result

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(run, targets))


def run_target(module: str, target: Target, *, inputs: int, seed: int, report: Path) -> Result:
    """Run a target's batches in as many child processes as it takes."""
    result, began_s = Result(target.name), time.monotonic()
    batches = -(-inputs // BATCH)
    first = 0
    while first < batches:
        shutil.rmtree(report / "child", ignore_errors=True)
        (report / "child").mkdir(parents=True)
        options = {"module": module, "target": target.name, "seed": seed, "inputs": inputs, "first": first}
        end = _watch({**options, "end": batches, "report": str(report / "child")}, report / "child", target)
        told_at = report / "child" / RESULT
        told = json.loads(told_at.read_text(encoding="utf-8")) if told_at.is_file() else {"next": first}
        if "inputs" in told:
            result.take(told)
        for path in (report / "child").glob("*.input"):
            if path.name != CURRENT:
                shutil.copy(path, report / path.name)
        first = told["next"]
        if end:
            _add_death(result, end, report, first)
            first += 1  # the rest of the batch is left out: it would die of the same input
    for finding in result.findings:
        if "input" in finding:
            finding["input"] = str(report / Path(finding["input"]).name)
    shutil.rmtree(report / "child", ignore_errors=True)
    result.seconds = time.monotonic() - began_s
    return result


def _add_death(result: Result, end: str, report: Path, batch: int) -> None:
    finding: dict[str, Any] = {"finding": end.partition("\n")[0], "times": 1, "trace": end}
    current = report / "child" / CURRENT
    if current.is_file():
        finding["input"] = str(shutil.copy(current, report / f"{result.target}-died-{batch}.input"))
    result.findings.append(finding)


def _watch(options: dict[str, Any], folder: Path, target: Target) -> str:
    """Run a child; return what it died of, or an empty string."""
    hang_s = max(HANG_LEAST_S, HANG_FACTOR * target.bound_s) + 30
    errors = folder / "stderr.txt"
    with errors.open("wb") as stderr:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.child", json.dumps(options)],
            cwd=ROOT,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=stderr,
            stderr=stderr,
        )
        current, began_s = folder / CURRENT, time.time()
        while True:
            try:
                code = child.wait(_POLL_S)
                break
            except subprocess.TimeoutExpired:
                moved_s = current.stat().st_mtime if current.is_file() else began_s + _START_S
                if time.time() - moved_s > hang_s:
                    child.send_signal(6)  # its faulthandler tells where it is
                    try:
                        child.wait(10)
                    except subprocess.TimeoutExpired:
                        child.kill()
                        child.wait()
                    return f"hung for {hang_s:.0f} s, also against the alarm\n{_tail(errors)}"
    return f"the process died (exit code {code})\n{_tail(errors)}" if code else ""


def _environment(folder: Path) -> dict[str, str]:
    home = folder / "home"
    home.mkdir()
    own = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    quiet = {"PYTHONDONTWRITEBYTECODE": "1", "QT_QPA_PLATFORM": "offscreen", "OPENCV_LOG_LEVEL": "SILENT"}
    return {**os.environ, **own, **quiet, "HOME": str(home), "OMP_NUM_THREADS": "1"}


def _tail(path: Path) -> str:
    return path.read_bytes()[-6000:].decode("utf-8", errors="replace")
