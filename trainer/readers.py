"""Labelled faces on disk in three layouts: which one it is follows from what is there.

udacity
    ``<split>_frames_keypoints.csv`` beside the folder ``<split>`` with its images: the published course data.
csv
    Any other CSV table, its path or that of its folder; image names are relative to it. No test split.
pts
    Files as of iBUG's 300-W, ``name.pts`` beside ``name.jpg`` (or another image), also in subfolders. No test split.

A row of a table is a file name, then x0, y0, ... x67, y67 in pixels; a header is optional. In all layouts the identity
is the image's file name up to its last underscore.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from trainer import published_labels
from trainer.core.keypoints import NUM_KEYPOINTS
from trainer.core.text import Text
from trainer.dataset import DatasetError
from trainer.label_files import (
    COLUMNS,
    IMAGE_SUFFIXES,
    Part,
    Problem,
    Row,
    read_pts_folder,
    read_table,
    shortened,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trainer.dataset import Sample

Split = Literal["training", "test", "all"]
Layout = Literal["udacity", "csv", "pts"]
_PARTS: Final[tuple[Part, ...]] = ("training", "test")


@dataclass(frozen=True)
class Source:
    """Where a data set's labels and images are.

    Attributes
    ----------
    layout
        How they are written.
    root
        The folder.
    parts
        By split, the file with the labels and the folder that image names are relative to; for .pts the folder, twice.
    """

    layout: Layout
    root: Path
    parts: Mapping[Part, tuple[Path, Path]]


def read_samples(root: Path | str, split: Split = "training", *, correct_labels: bool = True) -> list[Sample]:
    """Read the labelled faces of a data set, or refuse it.

    Parameters
    ----------
    root
        The folder, or the path of a CSV table.
    split
        "all" is training and test, as far as they are there.
    correct_labels
        Undo the known shift of the published labels where these are they (`trainer.published_labels`).

    Raises
    ------
    DatasetError
        If there is no data set, or not this split, or anything in it is not as described.
    """
    rows, problems = read_rows(find_source(root), split, correct_labels=correct_labels)
    if not problems:
        return [row.sample for row in rows]
    first, more = problems[0], len(problems) - 1
    where = Text("{file}, line {line}", file=first.file, line=first.line) if first.line else first.file
    if not rows and not more:
        raise DatasetError("{where}: {reason}", where=where, reason=first.reason)
    if not rows:
        raise DatasetError(
            "{where}: {reason} (and none of the {more} others can be used)",
            where=where,
            reason=first.reason,
            more=more,
        )
    others = Text("{more} more cannot be used either, and ", more=more) if more else ""
    raise DatasetError(
        "{where}: {reason} ({others}fkd-train check DATA --fix OUT.csv writes the good rows)",
        where=where,
        reason=first.reason,
        others=others,
    )


def read_rows(source: Source, split: Split = "all", *, correct_labels: bool = True) -> tuple[list[Row], list[Problem]]:
    """Read what can be read, and tell what cannot; images are looked for, not opened.

    Raises
    ------
    DatasetError
        If the split is not there.
    """
    rows: list[Row] = []
    problems: list[Problem] = []
    for found in iterate(source, split):
        if isinstance(found, Row):
            rows.append(found)
        else:
            problems.append(found)
    if source.layout == "udacity" and correct_labels:
        rows = [row for name in source.parts for row in _corrected([row for row in rows if row.split == name])]
    return rows, problems


def iterate(source: Source, split: Split = "all") -> Iterator[Row | Problem]:
    """Yield every labelled face, or what is wrong with it, in the order written and with the labels as written.

    Raises
    ------
    DatasetError
        If the split is not there.
    """
    if split != "all" and split not in source.parts:
        if source.layout == "udacity":
            raise DatasetError(
                "there is no {path}; give the folder that holds it and the folder {split}",
                path=source.root / _table_name(split),
                split=split,
            )
        raise DatasetError(
            "{root} has no test split; choose its training split, of which every run keeps some people aside",
            root=source.root,
        )
    for name, (labels, images) in source.parts.items():
        if split in ("all", name):
            yield from read_pts_folder(labels) if source.layout == "pts" else read_table(labels, images, name)


def find_source(root: Path | str) -> Source:
    """Find out which layout a data set has.

    Raises
    ------
    DatasetError
        If there is none, or more than one.
    """
    root = Path(root)
    try:
        is_table = root.is_file()
        entries = [] if is_table else sorted(path for path in root.iterdir() if not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise DatasetError(
            "there is no folder {root}; give the folder of a data set", root=shortened(str(root))
        ) from error
    except OSError as error:
        raise DatasetError(
            "the folder {root} cannot be read ({reason})", root=shortened(str(root)), reason=error.strerror
        ) from error
    if is_table:
        return source_of_table(root)
    parts = {part: (root / _table_name(part), root / part) for part in _PARTS if (root / _table_name(part)).is_file()}
    if parts:
        return Source("udacity", root, parts)
    tables = [path for path in entries if path.suffix.lower() == ".csv" and path.is_file()]
    labelled = [path for path in tables if _has_label_columns(path)]
    has_pts = any(path.suffix.lower() == ".pts" for path in walk(root))
    if has_pts and not labelled:
        return Source("pts", root, {"training": (root, root)})
    candidates = labelled or tables
    if len(candidates) == 1 and not has_pts:
        return source_of_table(candidates[0])
    if tables:
        names = ", ".join(shortened(path.name) for path in tables[:4]) + (", ..." if len(tables) > 4 else "")
        raise DatasetError(
            "{root} holds {value}{names}; give the path of the table that is meant",
            root=root,
            value=".pts files and " if has_pts else "",
            names=names,
        )
    raise DatasetError(_why_nothing(root, entries))


def _table_name(split: Split) -> str:
    return f"{split}_frames_keypoints.csv"


def source_of_table(path: Path) -> Source:
    """Tell how a CSV table is read, by its name: it need not be there.

    Raises
    ------
    DatasetError
        If it does not end in .csv.
    """
    if path.suffix.lower() != ".csv":
        raise DatasetError("{path} is neither a folder nor a CSV table; give the folder of a data set", path=path)
    for part in _PARTS:
        if path.name == _table_name(part):
            return Source("udacity", path.parent, {part: (path, path.parent / part)})
    return Source("csv", path.parent, {"training": (path, path.parent)})


def _why_nothing(root: Path, entries: Sequence[Path]) -> str:
    if not entries:
        return Text("the folder {root} is empty; give the folder that holds the images and their labels", root=root)
    for entry in entries:
        if (entry / _table_name("training")).is_file():
            return Text("{root} holds no labels itself; give its folder {name}, which does", root=root, name=entry.name)
    if any(path.suffix.lower() in IMAGE_SUFFIXES for path in walk(root)):
        return Text(
            "{root} holds images but no labels; add a CSV table (name, x0, y0, ... x67, y67) or .pts files beside them",
            root=root,
        )
    return Text("{root} holds neither images nor labels; give the folder of a data set", root=root)


def _has_label_columns(table: Path) -> bool:
    try:
        with table.open("rb") as file:
            start = file.read(1 << 16).decode("utf-8-sig", errors="replace")
        return len(next(csv.reader(io.StringIO(start, newline="")), [])) == COLUMNS
    except (OSError, csv.Error):
        return False


def _corrected(rows: list[Row]) -> list[Row]:
    keypoints = np.array([row.sample.keypoints_px for row in rows], np.float32).reshape(-1, NUM_KEYPOINTS, 2)
    if not published_labels.are_published(keypoints):
        return rows
    corrected = published_labels.correct(keypoints)
    samples = [replace(row.sample, keypoints_px=points) for row, points in zip(rows, corrected, strict=True)]
    return [replace(row, sample=sample) for row, sample in zip(rows, samples, strict=True)]
