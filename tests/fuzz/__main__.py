"""Feeds damaged and hostile files, lines and arguments to everything that reads what it cannot trust.

python -m tests.fuzz [--inputs 100000] [--seed 1] [--target NAME]... [--jobs 1] [--report FOLDER] [--json FILE]
python -m tests.fuzz --replay FILE

Each target runs in a process of its own, with limits on its time and memory. A finding is whatever neither gives a
result nor one clear sentence; its smallest input is kept in the report's folder. Exit code 0 without findings.
"""

from __future__ import annotations

import argparse
import json
import pickle
import sys
import tempfile
from pathlib import Path

from tests.fuzz.child import main as run_child
from tests.fuzz.collecting import all_targets, module_of
from tests.fuzz.running import Result, run_targets


def main(arguments: list[str] | None = None) -> int:
    """Run it; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=100_000, help="of all targets together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", action="append", metavar="NAME", help="only this one; may be given several times")
    parser.add_argument("--jobs", type=int, default=1, help="targets at once")
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="where findings go (default: temporary)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcome there")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="give one input again")
    options = parser.parse_args(arguments)
    report = (options.report or Path(tempfile.mkdtemp(prefix="fkd-fuzz-"))).resolve()
    if options.replay:
        name = pickle.loads(options.replay.read_bytes())["target"]
        report.mkdir(parents=True, exist_ok=True)
        given = {"module": module_of(name), "target": name, "report": str(report), "replay": str(options.replay)}
        return run_child(json.dumps(given))
    targets = [one for one in all_targets() if not options.target or one[1].name in options.target]
    if not targets or len(targets) < len(set(options.target or ())):
        parser.error(f"the targets are {', '.join(target.name for _, target in all_targets())}")
    results = run_targets(targets, inputs=options.inputs, seed=options.seed, jobs=options.jobs, report=report)
    print(table(results))
    for result in results:
        for finding in result.findings:
            print(f"\n{result.target}: {finding['finding']} ({finding['times']} times)")
            print(f"--replay {finding.get('input', '?')}\n{finding['trace']}")
    if options.json:
        options.json.write_text(json.dumps([vars(result) for result in results], indent=1), encoding="utf-8")
    return int(any(result.findings for result in results))


def table(results: list[Result]) -> str:
    """Return the results as a Markdown table."""
    lines = [
        "| target | inputs | accepted | sentences | slowest (s) | memory (MB) | findings |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in results:
        lines.append(
            f"| {one.target} | {one.inputs:,} | {one.accepted / max(1, one.inputs):.0%} | {len(one.refused)} "
            f"| {one.slowest_s:.2f} | {one.grown_mb:.0f} | {len(one.findings)} |"
        )
    whole = sum(one.inputs for one in results)
    lines.append(
        f"| all | {whole:,} | {sum(one.accepted for one in results) / max(1, whole):.0%} "
        f"| {sum(len(one.refused) for one in results)} | {max(one.slowest_s for one in results):.2f} "
        f"| {max(one.grown_mb for one in results):.0f} | {sum(len(one.findings) for one in results)} |"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
