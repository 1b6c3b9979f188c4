"""Starts a run as a process of its own, watches over it, and judges what it left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil

from tests.longrun.findings import read_findings
from tests.longrun.material import make_material
from tests.longrun.resources import left_processes
from tests.longrun.sandbox import MARK, environment

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).resolve().parents[2]
DEAD_S: Final = 180.0
"""A process that has not moved for this long is ended."""


@dataclass
class Outcome:
    """How a run ended.

    Attributes
    ----------
    result
        What the process wrote at its end; empty if it did not come to that.
    findings
        What went wrong, oldest first.
    ends
        Those of them that were seen from outside.
    """

    report: Path
    result: dict[str, Any] = field(default_factory=dict)
    findings: list[dict[str, str]] = field(default_factory=list)
    ends: list[dict[str, str]] = field(default_factory=list)
    seconds: float = 0.0


def run(
    module: str,
    options: dict[str, Any],
    *,
    report: Path | None,
    path: Path | None = None,
    patience_s: float = 20.0,
    again: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda _result: None,
) -> Outcome:
    """Run a module's `main` in folders of its own.

    Parameters
    ----------
    module
        Gets one argument: a JSON object with the options, and with "report", "material" and "home".
    report
        Where samples, log and stacks go; None for a temporary folder.
    path
        Where the module is, if it is none of the tests'.
    patience_s
        How long processes that it started may take to end.
    again
        Given a process's result, returns the options that another one goes on with, in the same folders; None at the
        end.
    """
    report = report or Path(tempfile.mkdtemp(prefix=f"fkd-{module.split('.')[-2]}-"))
    report.mkdir(parents=True, exist_ok=True)
    report = report.resolve()
    for old in ("findings.jsonl", "beat", "stacks.txt", "samples.jsonl", "actions.jsonl", "deeds.txt", "output.txt"):
        (report / old).unlink(missing_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="fkd-long-run-"))
    outcome = Outcome(report)
    try:
        variables = environment(folder)
        if path is not None:
            variables["PYTHONPATH"] += f"{os.pathsep}{path}"
        make_material(folder / "home" / "material")
        given = {**options, "report": str(report), "folder": str(folder), "material": str(folder / "home/material")}
        start_s = time.monotonic()
        more: dict[str, Any] | None = {}
        while more is not None:
            (report / "result.json").unlink(missing_ok=True)
            code = _run_process(
                [sys.executable, "-m", module, json.dumps({**given, **more})], variables, folder, report
            )
            outcome.result, more = {}, None
            if (report / "result.json").exists():
                outcome.result = json.loads((report / "result.json").read_text(encoding="utf-8"))
                more = again(outcome.result)
            if code != 0:
                outcome.ends.append({"kind": "process", "text": _how_it_ended(code, report), "doing": "", "at": ""})
            for process in _still_there(folder, patience_s):
                outcome.ends.append({"kind": "left over", "text": f"process {process}", "doing": "", "at": ""})
        outcome.seconds = time.monotonic() - start_s
        outcome.findings = [*read_findings(report / "findings.jsonl"), *outcome.ends]
        _keep_log(folder, report)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def _run_process(command: list[str], variables: dict[str, str], folder: Path, report: Path) -> int:
    with (report / "output.txt").open("a", encoding="utf-8") as output:
        process = subprocess.Popen(
            command, env=variables, cwd=folder / "home", stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    beat = report / "beat"
    moved_s = time.time()
    try:
        while True:
            try:
                return process.wait(2)
            except subprocess.TimeoutExpired:
                moved_s = max(moved_s, beat.stat().st_mtime if beat.exists() else 0.0)
                if time.time() - moved_s > DEAD_S:
                    process.send_signal(signal.SIGABRT)  # faulthandler writes the stacks
                    time.sleep(2)
                    process.kill()
                    return process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        raise


def _how_it_ended(code: int, report: Path) -> str:
    how = f"the process ended with {code}" if code > 0 else f"the process was ended by {signal.Signals(-code).name}"
    tails = []
    for name in ("stacks.txt", "output.txt"):
        path = report / name
        text = path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""
        if text:
            tails.append(f"{name}:\n{text[-4000:]}")
    return "\n".join([how, *tails])


def _still_there(folder: Path, patience_s: float) -> list[str]:
    deadline_s = time.monotonic() + patience_s
    while (left := left_processes(MARK, folder)) and time.monotonic() < deadline_s:
        time.sleep(0.2)
    found = []
    for process in left:
        try:
            found.append(f"{process.pid}: {' '.join(process.cmdline())[:300]}")
            process.kill()
        except psutil.Error:
            continue
    return found


def _keep_log(folder: Path, report: Path) -> None:
    for pattern in ("fkd-desktop.log*", "*crash*"):
        for path in (folder / "home" / ".state").rglob(pattern):
            if path.is_file():
                shutil.copy(path, report / path.name)


def commit() -> str:
    """Return the commit that is run, with a mark if files differ from it."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=9", "--exclude=*"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def heading(command: str, outcome: Outcome) -> str:
    """Return a line on what was run, when and on what."""
    date = time.strftime("%Y-%m-%d %H:%M")
    return f"`{command}`, {date}, commit {commit()}, {outcome.seconds / 60:.1f} minutes on {os.cpu_count()} cores"


def describe(findings: list[dict[str, str]]) -> str:
    """Return the findings as a text."""
    parts = []
    for number, finding in enumerate(findings, 1):
        doing = f" (while: {finding['doing']})" if finding["doing"] else ""
        parts.append(f"--- {number}. {finding['kind']} {finding['at']}{doing}\n{finding['text'].rstrip()}")
    return "\n".join(parts)
