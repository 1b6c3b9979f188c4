"""A long session: many frames through the real window at full speed, with everything a user does, at random.

python -m tests.soak [CLIP] [--frames 200000] [--seed 1] [--report FOLDER] [--json FILE]

The real main() in a process with folders of its own, without a network. Its samples are written as it goes. Exit code 0
if memory, threads, files and latency stay flat, nothing is left at the end, and nothing went wrong on the way.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.longrun.running import describe, heading, run
from tests.soak.verdict import WARM_FRAMES, judge, read_samples, table


def main(arguments: list[str] | None = None) -> int:
    """Run it; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("clip", nargs="?", type=Path, help="what is played (default: the demo clip)")
    parser.add_argument("--frames", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, help="frames between two samples (default: a two hundredth of all)")
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="where samples and logs go (default: temporary)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write verdict and samples there")
    options = parser.parse_args(arguments)
    from tests.longrun.material import DEMO

    clip = (options.clip or DEMO).resolve()
    every = options.every or max(50, options.frames // 200)
    given = {"clip": str(clip), "frames": options.frames, "seed": options.seed, "every": every}
    outcome = run("tests.soak.session", given, report=options.report)
    samples = read_samples(outcome.report / "samples.jsonl")
    checks = judge(samples, outcome, frames=options.frames, warm=min(WARM_FRAMES, options.frames // 5))
    command = f"python -m tests.soak --frames {options.frames} --seed {options.seed}"
    print(f"{heading(command, outcome)}\n\n{table(samples, checks)}\n")
    print(f"{sum(outcome.result.get('deeds', {}).values())} deeds; samples and logs: {outcome.report}")
    if outcome.findings:
        print(describe(outcome.findings))
    if options.json is not None:
        report = {"command": command, "checks": [vars(check) for check in checks], "findings": outcome.findings}
        options.json.write_text(json.dumps({**report, "result": outcome.result, "samples": samples}, indent=1))
    return 0 if all(check.is_met for check in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
