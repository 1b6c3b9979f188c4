"""Kills training at random moments, and lets a disk fail at each of its writes.

python -m tests.kills [--times 50] [--seed 1] [--report FOLDER] [--without-disk]

Each run is killed five times (its own process or the program that started it, a bare controller or the real window, at
a random moment), goes on each time, and must come to the end of a run that nobody disturbed. Exit code 0 if nothing
went wrong.
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
from tests.kills.killing import Kill, Parent, differences, kill_once
from tests.trainer.tiny import go_tiny
from trainer.runs import CONFIG, RunState, summarise

KILLS_A_RUN = 5
EPOCHS = 400


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
        undisturbed = _to_its_end(folder / "undisturbed" / "run", data, epochs)
        while len(kills) < times:
            runs += 1
            run = folder / str(runs) / "run"
            run.parent.mkdir(exist_ok=True)
            until = min(times, len(kills) + KILLS_A_RUN)
            while len(kills) < until and not _is_over(run):
                # The two victims and the two programs in turn, and each with each.
                victim = ("child", "parent")[len(kills) % 2]
                kind = kinds[len(kills) // 2 % len(kinds)]
                kill = kill_once(victim, kind, data=data, run=run, epochs=epochs, random=random)
                name = f"kill {len(kills) + 1}, of the {victim} ({kind}) {kill.moment}"
                wrong += [f"{name}: {it}" for it in kill.wrong]
                if kill.has_come:  # and its run was not at its end before
                    kills.append(kill)
                    print(f"{name}: epoch {kill.epochs}; {'; '.join(kill.wrong) or 'as it should be'}", flush=True)
            if not _is_over(run):
                _to_its_end(run, data, epochs)
            wrong += [f"run {run.parent.name}: {it}" for it in differences(run, undisturbed)]
    return kills, wrong


def _is_over(run: Path) -> bool:
    return (run / CONFIG).exists() and summarise(run).state is RunState.FINISHED


def _to_its_end(run: Path, data: Path, epochs: int) -> Path:
    """Start a run, or go on with it, and let it come to its end."""
    run.parent.mkdir(exist_ok=True)
    parent = Parent("controller", data=data, run=run, epochs=epochs)
    try:
        while parent.take() is not None:
            pass
    finally:
        parent.close()
    assert parent.ended.get("state") == "FINISHED", f"{run}: {parent.ended} {parent.errors}"
    return run


def table(kills: list[Kill]) -> str:
    """Return the kills by victim and program, as Markdown."""
    lines = ["| killed | started by | kills | before an epoch was judged | longest that a child lived on | wrong |"]
    lines += ["|---|---|---:|---:|---:|---:|"]
    for victim, kind in sorted({(kill.victim, kill.parent) for kill in kills}):
        these = [kill for kill in kills if (kill.victim, kill.parent) == (victim, kind)]
        early = sum(not kill.epochs for kill in these)
        longest = f"{max(kill.child_s for kill in these):.1f} s" if victim == "parent" else "-"
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
