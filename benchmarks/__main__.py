"""All benchmarks by one command.

python -m benchmarks [NAME ...] [--quick] [--clip CLIP] [--data DATA] [--repeats N] [--json FILE]
python -m benchmarks [NAME ...] --against DIR       another checkout of the project, in turns with this one
python -m benchmarks --compare OLD.json [NEW.json]  without NEW.json: measure now

Each repeat is a process of its own. The benchmarks take turns: all of them once, then all of them again; figures are
medians over the repeats, and their spread is that between repeats.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import figures as fig
from benchmarks.comparing import compare_reports, comparison_table, differences
from benchmarks.figures import ROOT
from benchmarks.registry import BENCHMARKS, Benchmark, Inputs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class RepeatError(Exception):
    """A repeat failed."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    if options.list:
        print(list_of_benchmarks())
        return 0
    try:
        if options.compare and len(options.compare) == 2:
            show_comparison(*map(fig.load_report, options.compare))
            return 0
        old = fig.load_report(options.compare[0]) if options.compare else None
        chosen = choose(options.names, Inputs(options.clip, options.data, options.quick))
        run_all(chosen, options, old)
    except (fig.ReportError, RepeatError, ChoiceError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="see --list (default: those whose inputs are there)")
    parser.add_argument("--list", action="store_true", help="name all benchmarks")
    parser.add_argument("--quick", action="store_true", help="small and short, once: to see that it works")
    parser.add_argument("--clip", type=_existing, help="a recording of one face (default: the demo clip)")
    parser.add_argument("--data", type=_existing, help="the published data set")
    parser.add_argument("--repeats", type=int, help="(default: 5, with --quick 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--compare", type=Path, nargs="+", metavar="FILE", help="OLD.json, or OLD.json NEW.json")
    parser.add_argument("--against", type=_existing, metavar="DIR", help="another checkout, measured in turns")
    options = parser.parse_args(arguments)
    if options.compare and len(options.compare) > 2:
        parser.error("--compare takes one or two files")
    if options.repeats is None:
        options.repeats = 1 if options.quick else 5
    if options.repeats < 1:
        parser.error("--repeats must be 1 or more")
    if options.against and not (options.against / "trainer" / "core").is_dir():
        parser.error(f"{options.against} is no checkout of this project: it has no trainer/core")
    return options


def _existing(text: str) -> Path:
    path = Path(text).resolve()
    if not path.exists():
        raise argparse.ArgumentTypeError(f"there is no {text}")
    return path


class ChoiceError(Exception):
    """What was asked for cannot be measured."""


def choose(names: Sequence[str], inputs: Inputs) -> list[tuple[Benchmark, Inputs]]:
    """Return the benchmarks of these names, or all that can be run with what was given.

    Raises
    ------
    ChoiceError
        For a name that there is not, or one whose inputs were not given.
    """
    for name in names:
        if name not in BENCHMARKS:
            raise ChoiceError(f"there is no benchmark {name!r}; choose of {', '.join(BENCHMARKS)}")
        if missing := BENCHMARKS[name].missing(inputs):
            raise ChoiceError(f"{name} needs {' and '.join('--' + need for need in missing)}")
    if names:
        return [(BENCHMARKS[name], inputs) for name in names]
    return [(each, inputs) for each in BENCHMARKS.values() if not each.by_name_only and not each.missing(inputs)]


def list_of_benchmarks() -> str:
    lines = []
    for each in BENCHMARKS.values():
        needs = "".join(f" --{need}" for need in sorted(each.needs))
        lines.append(
            f"{each.name:20} {each.about}{f' (needs{needs})' if needs else ''}{'' if each.by_name_only else ' *'}"
        )
    return "\n".join([*lines, "", "* unless others are named"])


def run_all(
    chosen: Sequence[tuple[Benchmark, Inputs]], options: argparse.Namespace, old: dict[str, Any] | None
) -> None:
    """Measure, show, keep and compare."""
    load_before, where = fig.load(), fig.machine()
    print(fig.heading())
    if warning := fig.busy_warning(load_before, where["cores"]):
        print(f"WARNING: {warning}")
    folders = [ROOT, *([options.against] if options.against else [])]
    repeats: list[dict[str, list[fig.Value]]] = [{} for _ in folders]
    for number in range(options.repeats):
        for benchmark, inputs in chosen:
            # Who is first changes from repeat to repeat: the second finds the machine warmer.
            turns = list(enumerate(folders))[:: -1 if number % 2 else 1]
            for i, folder in turns:
                start_s = time.perf_counter()
                for name, value in repeat(benchmark, inputs, folder).items():
                    repeats[i].setdefault(f"{benchmark.name}: {name}", []).append(value)
                seconds = time.perf_counter() - start_s
                print(f"  {benchmark.name} {number + 1}/{options.repeats} {folder} {seconds:.0f} s", file=sys.stderr)
    reports = [report_of(found, folder, options, load_before) for found, folder in zip(repeats, folders, strict=True)]
    print()
    print(fig.figures_table({name: fig.Figure.of(values) for name, values in repeats[0].items()}))
    if options.json:
        fig.save_report(options.json, reports[0])
    if options.against:
        print(f"\nin turns with {options.against} (old):")
        show_comparison(reports[1], reports[0], in_turns=True)
    if old is not None:
        print()
        show_comparison(old, reports[0])


def repeat(benchmark: Benchmark, inputs: Inputs, folder: Path) -> Mapping[str, fig.Value]:
    """Measure once, in a process of its own, the code in `folder`.

    Raises
    ------
    RepeatError
        If it fails.
    """
    given = {"clip": str(inputs.clip or ""), "data": str(inputs.data or ""), "quick": inputs.quick}
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "figures.json"
        runner = [sys.executable, "-P", str(ROOT / "benchmarks" / "child.py")]
        command = [*runner, benchmark.name, json.dumps(given), str(out)]
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(folder)}, cwd=folder, check=False)
        if done.returncode != 0:
            raise RepeatError(f"{benchmark.name} failed on {folder} (exit code {done.returncode}); see above")
        found = json.loads(out.read_text(encoding="utf-8"))
    return {name: fig.Value(**value) for name, value in found.items()}


def report_of(
    found: Mapping[str, Sequence[fig.Value]], folder: Path, options: argparse.Namespace, load_before: float
) -> dict[str, Any]:
    """Return what --json keeps; the format is in docs/benchmarks.md."""
    return {
        "schema": fig.SCHEMA,
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "machine": fig.machine(),
        "versions": fig.versions(folder),
        "settings": {"quick": options.quick, "clip": options.clip.name if options.clip else "demo"},
        "load_before": load_before,
        "figures": {name: fig.Figure.of(values).to_json() for name, values in found.items()},
    }


def show_comparison(old: Mapping[str, Any], new: Mapping[str, Any], *, in_turns: bool = False) -> None:
    for line in differences(old, new):
        print(line)
    comparisons = compare_reports(old, new, in_turns=in_turns)
    if not comparisons:
        print("the two have no figure in common")
        return
    print(comparison_table(comparisons))
    for report, name in ((old, "new"), (new, "old")):
        other = new if report is old else old
        if alone := [figure for figure in report["figures"] if figure not in other["figures"]]:
            print(f"not in the {name} one: {', '.join(alone)}")


if __name__ == "__main__":
    sys.exit(main())
