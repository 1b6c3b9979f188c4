"""A data set as something to look through: every line of its tables, with what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trainer.check import check
from trainer.core.keypoints import inter_ocular_distance
from trainer.core.text import Text
from trainer.dataset import Sample, identity_of
from trainer.label_files import Part, Problem, Row
from trainer.readers import find_source, iterate, read_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    from numpy.typing import NDArray

    from trainer.readers import Source

FIRST_ENTRIES: Final = 120
"""More than a window shows; read in a moment, while a whole table takes a second or two."""

Place = tuple[Path, int | None]
"""The file and line that a face is written in; a .pts file has no line."""


@dataclass(frozen=True, eq=False)
class Entry:
    """One labelled face, or a line that should have been one.

    Attributes
    ----------
    place
        Where it is written.
    split
        Which split it belongs to.
    image
        The picture; None where the line names none.
    keypoints_px
        (68, 2) float32 labels as training sees them; None where the line cannot be used.
    identity
        Who is in the picture; empty where that is not known.
    problem
        Why it cannot be used; empty where it can.
    warnings
        What should be known of it.
    """

    place: Place
    split: Part
    image: Path | None
    keypoints_px: NDArray[np.float32] | None
    identity: str
    problem: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def sample(self) -> Sample:
        """The face for the trainer.

        Raises
        ------
        ValueError
            If the entry cannot be used.
        """
        if self.image is None or self.keypoints_px is None:
            raise ValueError(f"{self.place} is no face")
        return Sample(self.image, self.keypoints_px, self.identity)

    @property
    def is_usable(self) -> bool:
        """Whether training can use it."""
        return not self.problem

    @property
    def name(self) -> str:
        """File name of the picture, or of the file that should name one."""
        if self.image is not None:
            return self.image.name
        file, line = self.place
        return f"{file.name}:{line}" if line else file.name

    @cached_property
    def thumbnail_key(self) -> tuple[Path | None, int]:
        """The same for entries whose thumbnails look the same."""
        return self.image, hash(self.keypoints_px.tobytes()) if self.keypoints_px is not None else 0

    def looks_like(self, other: Entry) -> bool:
        """Whether it is the same entry, and would be painted the same."""
        return (self.place, self.thumbnail_key, self.problem) == (other.place, other.thumbnail_key, other.problem)

    @cached_property
    def iod_px(self) -> float:
        """Inter-ocular distance; NaN where there are no labels."""
        return float("nan") if self.keypoints_px is None else float(inter_ocular_distance(self.keypoints_px))


@dataclass(frozen=True, eq=False)
class Catalogue:
    """All entries of a data set.

    Attributes
    ----------
    source
        The data set and its layout.
    entries
        In the order of the tables, training first.
    notes
        What is wrong with, or should be known of, whole files.
    is_whole
        Whether all tables were read to their ends.
    is_checked
        Whether every image was decoded.
    """

    source: Source
    entries: tuple[Entry, ...]
    notes: tuple[str, ...]
    is_whole: bool = True
    is_checked: bool = False

    @property
    def identities(self) -> list[str]:
        """Everybody, in order."""
        return sorted({entry.identity for entry in self.entries if entry.identity})


def first_catalogue(root: Path) -> Catalogue:
    """Read the first lines: something to show at once, its labels as they are written.

    Raises
    ------
    DatasetError
        If there is no data set, or it is not clear which.
    """
    source = find_source(root)
    found = list(islice(iterate(source), FIRST_ENTRIES))
    rows = [row for row in found if isinstance(row, Row)]
    problems = [problem for problem in found if isinstance(problem, Problem)]
    return replace(_catalogue(source, rows, problems, ()), is_whole=False)


def whole_catalogue(root: Path) -> Catalogue:
    """Read every label, as training does; no image is decoded.

    Raises
    ------
    DatasetError
        If there is no data set, or it is not clear which.
    """
    source = find_source(root)
    rows, problems = read_rows(source)
    return _catalogue(source, rows, problems, ())


def checked_catalogue(
    root: Path, *, on_progress: Callable[[int, int], object], should_stop: Callable[[], bool]
) -> Catalogue:
    """Read every label and decode every image: see `trainer.check.check`.

    Raises
    ------
    DatasetError
        If there is no data set, or it is not clear which.
    """
    report = check(root, on_progress=on_progress, should_stop=should_stop)
    return replace(_catalogue(report.source, report.rows, report.problems, report.warnings), is_checked=True)


def _catalogue(
    source: Source, rows: Iterable[Row], problems: Iterable[Problem], warnings: Iterable[Problem]
) -> Catalogue:
    entries: dict[Place, Entry] = {}
    notes = []
    for row in rows:
        entries[row.file, row.line] = Entry(
            (row.file, row.line), row.split, row.sample.image_path, row.sample.keypoints_px, row.sample.identity
        )
    part_of_file = {labels: part for part, (labels, _) in source.parts.items()}
    for problem in problems:
        if problem.line is None and problem.file in part_of_file:
            notes.append(_note(problem))
        else:
            entries[problem.file, problem.line] = _unusable(problem, part_of_file.get(problem.file, "training"))
    for warning in warnings:
        place = (warning.file, warning.line)
        if place in entries:
            before = entries[place]
            entries[place] = replace(before, warnings=(*before.warnings, warning.reason))
        else:
            notes.append(_note(warning))
    parts = list(source.parts)
    in_order = sorted(
        entries.values(), key=lambda entry: (parts.index(entry.split), str(entry.place[0]), entry.place[1] or 0)
    )
    return Catalogue(source, tuple(in_order), tuple(notes))


def _unusable(problem: Problem, split: Part) -> Entry:
    identity = "" if problem.image is None else identity_of(Path(problem.image.name))
    return Entry((problem.file, problem.line), split, problem.image, None, identity, problem=problem.reason)


def _note(problem: Problem) -> str:
    return Text("{file}: {reason}", file=problem.file.name, reason=problem.reason)
