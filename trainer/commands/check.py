"""`check`: look through a data set before training on it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tqdm import tqdm

from trainer.check import check, sample_sheet, write_good_rows
from trainer.contact_sheet import write_png
from trainer.dataset import DatasetError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from trainer.check import DatasetReport, Range
    from trainer.label_files import Problem

EXIT_USELESS: Final = 1
SHOWN: Final = 20
_LAYOUTS: Final = {
    "udacity": "the layout of the published data set",
    "csv": "a CSV table",
    "pts": "iBUG .pts files",
}


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    look = commands.add_parser(
        "check",
        help="look through a data set",
        description="Look through a data set: what is in it, what is wrong with it, and can it be trained on.",
        epilog="Exit code: 0 it can be trained on, bad rows left out; 1 it cannot; 2 there is no data set, or a file "
        "cannot be written.",
    )
    look.add_argument("data", type=Path, metavar="DATA", help="folder of the data set, or a CSV table")
    look.add_argument("--fix", type=Path, metavar="OUT.csv", help="write the good rows to train on as a table")
    look.add_argument("--sheet", type=Path, metavar="OUT.png", help="draw some of the faces with their labels")
    look.add_argument("--json", action="store_true", help="print the whole report as JSON")
    look.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> int:
    with tqdm(unit="image", disable=None, leave=False, dynamic_ncols=True) as bar:  # shown to a person only

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        report = check(options.data, on_progress=show)
    print(json.dumps(_as_json(report), indent=2) if options.json else _as_text(report, options.data))
    if options.fix:
        count = write_good_rows(report, options.fix)
        _tell(options, f"{_of(count, 'good row')} to train on written: {options.fix}")
    if options.sheet:
        try:
            write_png(options.sheet, sample_sheet(report))
        except OSError as error:
            raise DatasetError(f"{options.sheet} cannot be written ({error.strerror})") from error
        _tell(options, f"contact sheet drawn: {options.sheet}")
    return 0 if report.can_train else EXIT_USELESS


def _tell(options: argparse.Namespace, what: str) -> None:
    print(what, file=sys.stderr if options.json else sys.stdout)


def _as_text(report: DatasetReport, data: Path) -> str:
    lines = [f"{data}: {_LAYOUTS[report.source.layout]}"]
    identities = report.identities
    for part, count in report.faces.items():
        lines.append(f"  {part:9} {_of(count, 'face')} of {_of(identities[part], 'identity', 'identities')}")
    if report.image_width_px and report.image_height_px and report.iod_px:
        lines.append(f"  images    {_span(report.image_width_px)} x {_span(report.image_height_px)} px")
        lines.append(f"  faces     {_span(report.iod_px)} px between the outer corners of the eyes")
    lines += _listed(report.problems, "problem")
    lines += _listed(report.warnings, "warning")
    lines.append("")
    if report.why_not:
        lines.append(f"It cannot be trained on: {report.why_not}.")
    elif report.problems:
        lines.append(
            "It can be trained on without the rows that have a problem: --fix OUT.csv writes a table of the others."
        )
    else:
        lines.append("It can be trained on.")
    return "\n".join(lines)


def _listed(found: Sequence[Problem], what: str) -> list[str]:
    if not found:
        return []
    lines = ["", _of(len(found), what) + ":", *(f"  {problem}" for problem in found[:SHOWN])]
    if len(found) > SHOWN:
        lines.append(f"  \u2026 and {len(found) - SHOWN:,} more (--json lists all)")
    return lines


def _of(count: int, what: str, many: str = "") -> str:
    return f"{count:,} {what if count == 1 else many or what + 's'}"


def _span(values: Range) -> str:
    low, high = (round(value) for value in values)
    return f"{low}-{high}" if low != high else f"{low}"


def _as_json(report: DatasetReport) -> dict[str, Any]:
    def listed(found: Sequence[Problem]) -> list[dict[str, Any]]:
        return [
            {"file": str(p.file), "line": p.line, "image": str(p.image) if p.image else None, "reason": p.reason}
            for p in found
        ]

    return {
        "layout": report.source.layout,
        "faces": report.faces,
        "identities": report.identities,
        "image_width_px": report.image_width_px,
        "image_height_px": report.image_height_px,
        "iod_px": report.iod_px,
        "problems": listed(report.problems),
        "warnings": listed(report.warnings),
        "can_train": report.can_train,
        "why_not": report.why_not,
    }
