"""What an evaluation found, told in words, as JSON and in pictures.

The JSON is one object. Errors and rates in it are fractions; null where there is none.

data, split, boxes
    As asked for.
labels
    "corrected" where the known shift of the published labels was undone, else "as they are".
faces
    How many were judged.
other_detections
    Boxes of the detector that fit no labelled face; null without a detector.
results
    One object a weights file, in the order given:

    weights, name, network
        The file's path, its shortest name among those given, and the network in it.
    nme_mean, nme_median, nme_by_part, bias
        See `trainer.metrics`; over the faces that were found. The parts are jaw, brows, nose, eyes and mouth; the bias
        has an x, to the right, and a y, downwards.
    nme_mean_labels_as_they_are
        Of the same predictions; null unless the labels were corrected.
    failure_rate, auc
        See `trainer.metrics`; over all faces.
    missed_rate, missed
        Share of the faces that the detector did not find, and their images.
    worst
        The faces with the largest errors, worst first: image and nme.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from trainer import metrics, plots
from trainer.contact_sheet import SheetFace, contact_sheet, write_png
from trainer.core import preprocess
from trainer.core.files import write_atomically
from trainer.dataset import read_image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from trainer.dataset import Sample
    from trainer.evaluate import Evaluation

FIGURES: Final = "figures.json"
CUMULATIVE: Final = "cumulative.png"
WORST: Final = "worst.png"
SPLITS: Final = {
    "test": "the test split",
    "training": "the training split",
    "all": "training and test split",
    "held-out": "the people whom the weights' run kept aside",
}
BOXES: Final = {
    "truth": "Face boxes were made from the labels",
    "haar": "Face boxes were found in the whole pictures by the Haar cascade",
}
TILE_PX: Final = 288
CROP_PER_BOX: Final = 1.4
"""What the sheet of the worst faces shows: more than a network sees, for points that are far off."""


@dataclass(frozen=True, eq=False)
class Result:
    """One weights file's part of a report.

    Attributes
    ----------
    path, name, network
        The file, its name in the report, and the network in it.
    evaluation
        How it did.
    nme_as_they_are
        Mean NME against the labels before they were corrected, as a fraction; None if they were not.
    """

    path: Path
    name: str
    network: str
    evaluation: Evaluation
    nme_as_they_are: float | None


@dataclass(frozen=True, eq=False)
class Report:
    """All that an evaluation found.

    Attributes
    ----------
    data, split, boxes
        What was judged on, and how: see `SPLITS` and `BOXES`.
    samples
        The faces.
    is_corrected
        Whether the known shift of their labels was undone.
    other_detections
        Boxes that fit no labelled face; None without a detector.
    results
        At least one.
    worst_count
        How many of the faces with the largest errors to tell of.
    """

    data: str
    split: str
    boxes: str
    samples: Sequence[Sample]
    is_corrected: bool
    other_detections: int | None
    results: Sequence[Result]
    worst_count: int


def as_json(report: Report) -> str:
    """Return the report as indented JSON; see the top of this module."""
    told = {
        "data": report.data,
        "split": report.split,
        "boxes": report.boxes,
        "labels": "corrected" if report.is_corrected else "as they are",
        "faces": len(report.samples),
        "other_detections": report.other_detections,
        "results": [_result_as_json(result, report) for result in report.results],
    }
    return json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False)


def _result_as_json(result: Result, report: Report) -> dict[str, Any]:
    done = result.evaluation
    images = [str(sample.image_path) for sample in report.samples]
    return {
        "weights": str(result.path),
        "name": result.name,
        "network": result.network,
        "nme_mean": _or_null(done.score.nme_mean),
        "nme_median": _or_null(done.score.nme_median),
        "nme_mean_labels_as_they_are": _or_null(result.nme_as_they_are),
        "nme_by_part": {part: _or_null(nme) for part, nme in done.nme_by_part.items()},
        "bias": {axis: _or_null(offset) for axis, offset in zip("xy", done.bias, strict=True)},
        "failure_rate": done.score.failure_rate,
        "auc": done.score.auc,
        "missed_rate": len(done.missed) / done.score.count,
        "missed": [images[number] for number in done.missed],
        "worst": [
            {"image": images[number], "nme": float(done.nmes[number])} for number in done.worst(report.worst_count)
        ],
    }


def _or_null(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def as_text(report: Report) -> str:
    """Return the report in words: a table where several weights are compared."""
    labels = "the known shift of the published labels was undone" if report.is_corrected else "labels as they are"
    first = report.results[0]
    lines = [
        f"{f'{first.name} ({first.network})' if len(report.results) == 1 else f'{len(report.results)} weights files'} "
        f"on {len(report.samples)} faces: {SPLITS[report.split]} of {report.data}",
        f"{BOXES[report.boxes]}; {labels}.",
    ]
    if report.other_detections is not None:
        lines.append(
            f"Missed faces count as failures; the other errors are those of the faces found. "
            f"{report.other_detections} more detections fit no labelled face."
        )
    lines += ["", *(_single(first, report) if len(report.results) == 1 else _table(report))]
    return "\n".join(lines)


def _single(result: Result, report: Report) -> list[str]:
    done = result.evaluation
    count, missed = done.score.count, len(done.missed)
    failures = round(done.score.failure_rate * count)
    rows = [
        ("mean error (NME)", _percent(done.score.nme_mean), "of the distance between the outer eye corners"),
        ("median", _percent(done.score.nme_median), ""),
        *((f"  {part}", _percent(nme), "") for part, nme in done.nme_by_part.items()),
        ("mean offset across", _percent(done.bias[0], sign=True), "+ is to the right of the labels"),
        ("mean offset down", _percent(done.bias[1], sign=True), "+ is below them"),
        ("errors over 10 %", _percent(done.score.failure_rate), f"{failures} of {count} faces"),
        ("AUC up to 8 %", f"{done.score.auc:.3f}  ", "of 1: area under the cumulative error curve"),
    ]
    if report.other_detections is not None:
        rows.insert(0, ("missed", _percent(missed / count), f"{missed} of {count} faces"))
    lines = [f"  {name:20}{figure:>10}   {meaning}".rstrip() for name, figure, meaning in rows]
    if result.nme_as_they_are is not None:
        lines.append(f"  against the labels as they are: NME {_percent(result.nme_as_they_are)}")
    if worst := done.worst(report.worst_count).tolist():
        lines += ["", "The largest errors:"]
        lines += [f"  {_percent(done.nmes[number]):>8}  {report.samples[number].image_path}" for number in worst]
    return lines


def _table(report: Report) -> list[str]:
    has_boxes, is_corrected = report.other_detections is not None, report.is_corrected
    parts = list(metrics.JUDGED_PARTS)
    head = ["", *(["missed"] if has_boxes else []), "NME", "median", "> 10 %", "AUC", *parts, "across", "down"]
    rows = [[*head, "raw NME"] if is_corrected else head]
    for result in report.results:
        done = result.evaluation
        figures = [done.score.nme_mean, done.score.nme_median, done.score.failure_rate]
        figures = [len(done.missed) / done.score.count, *figures] if has_boxes else figures
        row = [result.name, *map(_percent, figures), f"{done.score.auc:.3f}"]
        row += [_percent(done.nme_by_part[part]) for part in parts] + [_percent(v, sign=True) for v in done.bias]
        rows.append([*row, _percent(result.nme_as_they_are)] if is_corrected else row)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
    return [
        *lines,
        "",
        "NME: mean error in % of the distance between the outer eye corners; then its median, the share of faces",
        "over 10 %, the area under the cumulative error curve up to 8 % (1 is perfect), the mean error of each part,",
        "and the mean offset to the right and downwards."
        + (" Raw NME: against the labels as they are." if is_corrected else ""),
    ]


def _percent(fraction: float | None, *, sign: bool = False) -> str:
    if fraction is None or math.isnan(fraction):
        return "-"
    return f"{100 * fraction:{'+' if sign else ''}.2f} %"


def write(report: Report, folder: Path) -> None:
    """Write figures.json, cumulative.png and, for each weights file, the sheet of its worst faces.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    write_atomically(folder / FIGURES, (as_json(report) + "\n").encode())
    plots.write_cumulative(folder / CUMULATIVE, {result.name: result.evaluation.nmes for result in report.results})
    for number, result in enumerate(report.results, start=1):
        worst = result.evaluation.worst(report.worst_count).tolist()
        tiles = [_tile(rank, face, result, report) for rank, face in enumerate(worst, start=1)]
        name = WORST if len(report.results) == 1 else WORST.replace(".", f"-{number}.")
        if tiles:
            write_png(folder / name, contact_sheet(tiles, tile_px=TILE_PX))


def _tile(rank: int, number: int, result: Result, report: Report) -> SheetFace:
    """One face with its error; without its name, which is that of a person."""
    sample, done = report.samples[number], result.evaluation
    square = preprocess.crop_squares(preprocess.box_from_keypoints(sample.keypoints_px), crop_per_box=CROP_PER_BOX)
    crop = preprocess.extract_crop(read_image(sample.image_path), square[0], size_px=TILE_PX)
    truth, predicted = (
        preprocess.frame_to_unit(points[None], square)[0] for points in (sample.keypoints_px, done.points_px[number])
    )
    return SheetFace(crop, truth, predicted, f"{rank}.  NME {_percent(done.nmes[number])}")
