"""A monkey at the window: clicks, keys, texts, drops and drags at random, in every window and dialog.

python -m tests.monkey [--actions 10000] [--seed 1] [--report FOLDER] [--replay FILE] [--json FILE]

The real main() in a process with folders of its own and without a network; started again whenever it is left. Each
action is written down before it is done: the file of a run that failed is replayed with --replay. Exit code 0 if nobody
threw an exception that none caught, the window never hung for 5 s, nothing was written elsewhere, nothing is left at
the end and the session still shows new frames.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tests.longrun.running import describe, heading, run


def main(arguments: list[str] | None = None) -> int:
    """Run it; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.monkey", description=__doc__.partition("\n")[0])
    parser.add_argument("--actions", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="where actions and logs go (default: temporary)")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="do what another run wrote into its actions.jsonl")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcome there")
    options = parser.parse_args(arguments)
    given = {"actions": options.actions, "seed": options.seed, "first": 0, "start": 1}
    command = f"python -m tests.monkey --actions {options.actions} --seed {options.seed}"
    if options.replay is not None:
        given["replay"] = str(options.replay.resolve())
        command = f"python -m tests.monkey --replay {options.replay.name}"
    outcome = run("tests.monkey.session", given, report=options.report, again=_go_on)
    result = outcome.result
    print(f"{heading(command, outcome)}\n")
    print("| actions | starts | longest hang (s) | frames at the end | findings |\n|---|---|---|---|---|")
    print(
        f"| {result.get('actions', 0)} | {result.get('starts', 0)} | {result.get('longest_hang_s', 0.0):.1f} "
        f"| {result.get('frames_at_end', 0)} | {len(outcome.findings)} |\n\nactions and logs: {outcome.report}"
    )
    if outcome.findings:
        print(describe(outcome.findings))
    if options.json is not None:
        options.json.write_text(json.dumps({"command": command, "result": result, "findings": outcome.findings}))
    return 0 if result.get("is_done") and not outcome.findings else 1


def _go_on(result: dict[str, Any]) -> dict[str, Any] | None:
    """Start anew where the window was closed."""
    return None if result["is_done"] else {"first": result["actions"], "start": result["starts"] + 1}


if __name__ == "__main__":
    sys.exit(main())
