"""Kills training at random moments, and lets a disk fail at each of its writes.

python -m tests.kills [--times 50] [--seed 1] [--report FOLDER] [--without-disk]

Each run is killed five times (its own process, the program that started it, which is a bare controller or the real
window, or both, at a random moment), goes on each time, and must come to the end of a run that nobody disturbed. Exit
code 0 if nothing went wrong.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import pytest

from tests.drawn import DrawnFaces
from tests.kills import disk
from tests.kills.killing import VICTIMS, Kill, differences, kill_once, run_to_end
from tests.trainer.tiny import go_tiny
from trainer.runs import RunState, TrainingError, summarise

KILLS_A_RUN = 5
EPOCHS = 400
MOST_WRONG = 20


def main(arguments: list[str] | None = None) -> int:
    """Run it; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="where the runs are kept (default: temporary)")
    parser.add_argument("--without-disk", action="store_true", help="kill only")
    options = parser.parse_args(arguments)
    folder = (options.report or Path(tempfile.mkdtemp(prefix="fkd-kills-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    data = make_data(folder / "data")
    start_s = time.monotonic()
    kills, wrong = kill_many(options.times, data=data, folder=folder, random=Random(options.seed))
    print(f"\npython -m tests.kills --times {options.times} --seed {options.seed}: {time.monotonic() - start_s:.0f} s")
    print(table(kills))
    if not options.without_disk and disk.IS_POSSIBLE:
        wrong += fail_disks(data, folder)
    for it in wrong:
        print(f"WRONG: {it}")
    print(f"{len(wrong)} things went wrong; the runs: {folder}")
    return 1 if wrong else 0


def make_data(folder: Path) -> Path:
    """Draw the faces that are trained on."""
    faces = DrawnFaces()
    faces.write_split(folder, "training", people=8, images_each=4)
    faces.write_split(folder, "test", people=3, images_each=1, seed=1)
    return folder


def kill_many(
    times: int,
    *,
    data: Path,
    folder: Path,
    random: Random,
    epochs: int = EPOCHS,
    kinds: tuple[str, ...] = ("controller", "window"),
) -> tuple[list[Kill], list[str]]:
    """Kill again and again; return the kills, and what went wrong."""
    kills: list[Kill] = []
    wrong: list[str] = []
    runs = 0
    with pytest.MonkeyPatch.context() as patch:
        go_tiny(patch)  # to read the weights here
        undisturbed = folder / "undisturbed" / "run"
        undisturbed.parent.mkdir()
        wrong += run_to_end(data=data, run=undisturbed, epochs=epochs)
        while len(kills) < times and len(wrong) < MOST_WRONG:
            runs += 1
            run = folder / str(runs) / "run"
            run.parent.mkdir()
            until, judged = min(times, len(kills) + KILLS_A_RUN), 0
            while len(kills) < until and not _is_over(run):
                # The victims and the two programs in turn, and each with each.
                victim = VICTIMS[len(kills) % len(VICTIMS)]
                kind = kinds[len(kills) // len(VICTIMS) % len(kinds)]
                kill = kill_once(victim, kind, data=data, run=run, epochs=epochs, judged=judged, random=random)
                judged = max(judged, kill.epochs)
                name = f"kill {len(kills) + 1} ({victim}, {kind}) {kill.moment}"
                wrong += [f"{name}: {it}" for it in kill.wrong]
                if kill.has_come:
                    kills.append(kill)
                    print(f"{name}: epoch {kill.epochs}; {'; '.join(kill.wrong) or 'as it should be'}", flush=True)
                elif not _is_over(run):
                    wrong.append(f"{name}: it ended by itself, with {kill.ended}")
                    break
            if not _is_over(run):
                wrong += [f"run {runs}: {it}" for it in run_to_end(data=data, run=run, epochs=epochs, judged=judged)]
            wrong += [f"run {runs}: {it}" for it in differences(run, undisturbed)]
    return kills, wrong


def _is_over(run: Path) -> bool:
    try:
        return summarise(run).state is RunState.FINISHED
    except TrainingError:  # it was killed before it began
        return False


def table(kills: list[Kill]) -> str:
    """Return the kills by victim and program, as Markdown."""
    lines = ["| killed | started by | kills | before an epoch was judged | longest that a child lived on | wrong |"]
    lines += ["|---|---|---:|---:|---:|---:|"]
    for victim, kind in sorted({(kill.victim, kill.parent) for kill in kills}):
        these = [kill for kill in kills if (kill.victim, kill.parent) == (victim, kind)]
        early = sum(not kill.epochs for kill in these)
        longest = f"{max(kill.child_s for kill in these):.1f} s" if victim == "parent" else ""
        bad = sum(bool(kill.wrong) for kill in these)
        lines.append(f"| {victim} | {kind} | {len(these)} | {early} | {longest} | {bad} |")
    return "\n".join(lines)


def fail_disks(data: Path, folder: Path) -> list[str]:
    """Let a disk fail in each way at each operation; print a table, return what went wrong."""
    wrong: list[str] = []
    print("\n| disk | from then on | operations of a run | failed one by one | ended with a sentence | wrong |")
    print("|---|---|---:|---:|---:|---:|")
    for fault, duration in (("full", "lasts"), ("full", "once"), ("read-only", "lasts"), ("broken", "once")):
        outcomes = disk.sweep(data, folder / f"{fault} {duration}", fault, duration)
        these = [it for facts in outcomes for it in disk.faults_of(facts)]
        told = sum(facts["code"] == 2 for facts in outcomes)
        print(f"| {fault} | {duration} | {outcomes[0]['of']} | {len(outcomes)} | {told} | {len(these)} |", flush=True)
        wrong += [f"{fault}, {duration}: {it}" for it in these]
    return wrong


if __name__ == "__main__":
    sys.exit(main())
