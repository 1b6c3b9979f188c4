"""`evaluate`: judge weights, or compare several on the same faces.

The keys of ``--json`` are those of `trainer.evaluation_report`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from trainer import evaluation_report
from trainer.core.predictor import Predictor
from trainer.core.resources import default_weights_path
from trainer.core.weights_file import CheckpointError
from trainer.dataset import split_by_identity
from trainer.evaluate import EvaluationError, judge, predict, truth_of
from trainer.evaluation_report import BOXES, CUMULATIVE, FIGURES, SPLITS, WORST, Report, Result
from trainer.readers import read_samples

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from trainer.dataset import Sample
    from trainer.readers import Split


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "evaluate",
        help="judge weights, or compare several",
        description="Judge weights on a data set, or compare several on the same faces.",
    )
    parser.add_argument("--data", type=Path, required=True, help="data set: a folder, or a CSV file")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--weights", type=Path, help="safetensors file (default: the shipped weights)")
    which.add_argument("--compare", type=Path, nargs="+", metavar="WEIGHTS", help="several of them, in one table")
    parser.add_argument(
        "--split",
        choices=list(SPLITS),
        default="test",
        help="held-out: the identities of the training split that the weights' run kept aside (default: test)",
    )
    parser.add_argument(
        "--boxes",
        choices=list(BOXES),
        default="truth",
        help="truth: face boxes made from the labels; haar: found in the whole picture, as in live use, so that missed "
        "faces count as failures (default: truth)",
    )
    parser.add_argument(
        "--raw-labels", action="store_true", help="take the published labels as they are, with their known shift"
    )
    parser.add_argument("--worst", type=int, default=12, metavar="N", help="how many of the largest errors to tell of")
    parser.add_argument("--json", action="store_true", help="print one JSON object, with fractions")
    parser.add_argument("--out", type=Path, help=f"folder to write {FIGURES}, {CUMULATIVE} and {WORST} into")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.set_defaults(run=_evaluate)


def _evaluate(options: argparse.Namespace) -> int:
    if options.out:
        _prepare(options.out)
    names = shortest_names(options.compare) if options.compare else []
    weights = options.compare or [options.weights]
    predictors = [Predictor.load(path, device=options.device, engine="pytorch") for path in weights]
    paths = options.compare or [options.weights or default_weights_path()]
    samples, as_they_are = _read(options, predictors)
    with tqdm(total=len(samples), unit="face", disable=None, leave=False, dynamic_ncols=True) as bar:
        found = predict(predictors, samples, boxes=options.boxes, on_progress=bar.update)
    truth, raw = truth_of(samples), None if as_they_are is None else truth_of(as_they_are)
    results = [
        Result(
            path,
            name,
            predictor.network_name,
            judge(points, truth),
            None if raw is None else judge(points, raw).score.nme_mean,
        )
        for path, name, predictor, points in zip(
            paths, names or [paths[0].name], predictors, found.points_px, strict=True
        )
    ]
    report = Report(
        str(options.data),
        options.split,
        options.boxes,
        samples,
        is_corrected=raw is not None,
        other_detections=found.other_detections if options.boxes == "haar" else None,
        results=results,
        worst_count=max(options.worst, 0),
    )
    print(evaluation_report.as_json(report) if options.json else evaluation_report.as_text(report))
    if options.out:
        try:
            evaluation_report.write(report, options.out)
        except OSError as error:
            raise EvaluationError(
                f"{options.out} cannot be written ({error.strerror}); choose another --out"
            ) from error
        if not options.json:
            print(f"\nThe figures, their plot and the largest errors are in {options.out}")
    return 0


def _prepare(folder: Path) -> None:
    """Make a folder, and see that it can be written before a minute's work is done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise EvaluationError(f"{folder} cannot be written ({error.strerror}); choose another --out") from error


def _read(
    options: argparse.Namespace, predictors: Sequence[Predictor]
) -> tuple[Sequence[Sample], Sequence[Sample] | None]:
    """Read the faces to judge on and, if their labels were corrected, the same with the labels as they are."""
    split: Split = "training" if options.split == "held-out" else options.split
    as_they_are = read_samples(options.data, split, correct_labels=False)
    samples = as_they_are if options.raw_labels else read_samples(options.data, split)
    is_corrected = bool((truth_of(samples) != truth_of(as_they_are)).any())
    if options.split == "held-out":
        splits = {_split_of_run(predictor) for predictor in predictors}
        if len(splits) > 1:
            raise EvaluationError("the weights' runs kept different people aside; choose another --split to compare on")
        ((share, seed),) = splits
        samples, as_they_are = (
            split_by_identity(some, validation_share=share, seed=seed)[1] for some in (samples, as_they_are)
        )
    return samples, as_they_are if is_corrected else None


def _split_of_run(predictor: Predictor) -> tuple[float, int]:
    """Share and seed of the people whom the weights' run kept aside."""
    match predictor.info.get("config"):
        case {"validation_share": int() | float() as share, "seed": int() as seed} if 0 < share < 1 and seed >= 0:
            return share, seed
    raise CheckpointError("the weights do not say whom their run kept aside; choose --split training or test")


def shortest_names(paths: Sequence[Path]) -> list[str]:
    """Name each of several files by as many of the last parts of its path as tell it from the others.

    Raises
    ------
    EvaluationError
        If a file is there twice.
    """
    whole = [path.absolute().parts for path in paths]
    names = []
    for number, parts in enumerate(whole):
        if parts in whole[:number]:
            raise EvaluationError(f"{paths[number]} is given twice; give each weights file once")
        counts = range(1, len(parts))
        is_unique = (sum(other[-count:] == parts[-count:] for other in whole) == 1 for count in counts)
        count = next((count for count, alone in zip(counts, is_unique, strict=True) if alone), len(parts))
        names.append(Path(*parts[-count:]).as_posix())
    return names
