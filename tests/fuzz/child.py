"""One target in a process of its own: `python -m tests.fuzz.child OPTIONS`, a JSON object; see `running`."""

from __future__ import annotations

import faulthandler
import hashlib
import json
import os
import pickle
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from tests.fuzz.batches import BATCH, each_input
from tests.fuzz.collecting import targets_of
from tests.fuzz.guard import Guard, forget_peak, limit_memory
from tests.fuzz.target import Target

CURRENT: Final = "current.input"
RESULT: Final = "result.json"


def main(given: str) -> int:
    """Run the batches that the options ask for, or one input again; write down the result after each batch."""
    faulthandler.enable()
    options = json.loads(given)
    target = next(target for target in targets_of(options["module"]) if target.name == options["target"])
    report = Path(options["report"])
    guard = Guard(Path(tempfile.mkdtemp(prefix="fuzz-", dir=report)))
    if "replay" in options:
        outcome = guard.run(target, pickle.loads(Path(options["replay"]).read_bytes())["input"])
        print(outcome.trace or outcome.finding or outcome.refused or "accepted")
        return int(bool(outcome.finding))
    warm_up(guard, target)
    forget_peak()
    limit_memory(2 * target.memory_mb + 512)
    tally = Tally(report, target)
    for number in range(options["first"], options["end"]):
        count = min(BATCH, options["inputs"] - number * BATCH)
        each_input(
            target, count, batch_seed(options["seed"], target.name, number), lambda value: tally.add(guard, value)
        )
        tally.write(number + 1)
    return 0


def warm_up(guard: Guard, target: Target) -> None:
    """Let imports and caches take their time and memory before anything is measured."""
    each_input(target, 20, 0, lambda value: guard.run(target, value))


def batch_seed(seed: int, name: str, number: int) -> int:
    """Return the seed of a batch: no two batches or targets share theirs."""
    return random.Random(f"{seed} {name} {number}").getrandbits(32)


class Tally:
    """Counts what became of inputs, and keeps the smallest input of each finding."""

    def __init__(self, report: Path, target: Target) -> None:
        self._report, self._target = report, target
        self._current = report / CURRENT
        self._result: dict[str, Any] = {"inputs": 0, "accepted": 0, "slowest_s": 0.0, "grown_mb": 0.0, "next": 0}
        self._refused: Counter[str] = Counter()
        self._findings: dict[str, dict[str, Any]] = {}

    def add(self, guard: Guard, value: Any) -> None:
        content = pickle.dumps({"target": self._target.name, "input": value})
        self._current.write_bytes(content)  # for who finds this process dead
        outcome = guard.run(self._target, value)
        result = self._result
        result["inputs"] += 1
        result["slowest_s"] = max(result["slowest_s"], outcome.seconds)
        result["grown_mb"] = max(result["grown_mb"], outcome.grown_mb)
        if outcome.finding:
            self._keep(outcome.finding, outcome.trace, content)
        elif outcome.refused is None:
            result["accepted"] += 1
        else:
            self._refused[outcome.refused] += 1

    def write(self, following: int) -> None:
        self._result["next"] = following
        whole = {**self._result, "refused": self._refused, "findings": list(self._findings.values())}
        half = self._report / f"{RESULT}.half"
        half.write_text(json.dumps(whole), encoding="utf-8")
        half.replace(self._report / RESULT)

    def _keep(self, finding: str, trace: str, content: bytes) -> None:
        path = self._report / f"{self._target.name}-{hashlib.sha256(finding.encode()).hexdigest()[:8]}.input"
        known = self._findings.setdefault(finding, {"finding": finding, "times": 0, "bytes": len(content) + 1})
        known["times"] += 1
        if len(content) < known["bytes"]:
            path.write_bytes(content)
            known.update(bytes=len(content), input=str(path), trace=trace[-6000:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
