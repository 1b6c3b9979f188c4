"""Looking through a data set before hours are spent on it: what is there, what is wrong, and can it be trained on."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from trainer.contact_sheet import SheetFace, contact_sheet
from trainer.core.files import write_atomically
from trainer.core.keypoints import NUM_KEYPOINTS, inter_ocular_distance
from trainer.core.preprocess import CROP_PER_BOX, box_from_keypoints, crop_squares
from trainer.core.text import Text
from trainer.dataset import DatasetError, load_crops, read_image
from trainer.label_files import Problem
from trainer.readers import find_source, read_rows, source_of_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from trainer.label_files import Part, Row
    from trainer.readers import Source

Range = tuple[float, float]

FAR_OUTSIDE: Final = 0.5
"""Share of the face box's side by which a keypoint may lie beyond the border: cut-off chins and ears are labelled."""
_IMAGES_AT_ONCE: Final = 32
"""Between two looks at whether to stop."""


@dataclass(frozen=True)
class DatasetReport:
    """What a check found.

    Attributes
    ----------
    source
        The data set and its layout.
    rows
        The faces that can be used, as training reads them.
    problems
        What cannot be used and why, in the order of files and lines.
    warnings
        What can be used but should be known: images that are there twice, identities in both splits.
    image_width_px, image_height_px, iod_px
        Smallest and largest of the usable images and inter-ocular distances; None where there are none.
    why_not
        Why nothing can be trained on it; None where training can, on `rows`.
    """

    source: Source
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    image_width_px: Range | None
    image_height_px: Range | None
    iod_px: Range | None
    why_not: str | None

    @property
    def can_train(self) -> bool:
        """Whether the usable faces are enough to train and validate with."""
        return self.why_not is None

    @property
    def faces(self) -> dict[Part, int]:
        """How many usable faces each split has."""
        return {part: sum(row.split == part for row in self.rows) for part in self.source.parts}

    @property
    def identities(self) -> dict[Part, int]:
        """Of how many people they are."""
        return {part: len(_identities(self.rows, part)) for part in self.source.parts}


def check(
    root: Path | str,
    *,
    on_progress: Callable[[int, int], object] = lambda _done, _total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> DatasetReport:
    """Read every label of a data set and decode every image once.

    Parameters
    ----------
    root
        The folder, or the path of a CSV table.
    on_progress
        Told how many images are done, and of how many.
    should_stop
        Asked every few images; the report of a check that stopped early covers what was seen and allows no training.

    Raises
    ------
    DatasetError
        If there is no data set at all, or it is not clear which.
    """
    source = find_source(root)
    read, problems = read_rows(source)
    pictures = _look_at(dict.fromkeys(row.sample.image_path for row in read), on_progress, should_stop)
    rows = []
    seen = [(row, pictures[row.sample.image_path]) for row in read if row.sample.image_path in pictures]
    for row, picture in seen:
        reason = picture if isinstance(picture, str) else _why_not_in(picture, row.sample.keypoints_px)
        if reason is None:
            rows.append(row)
        else:
            problems.append(Problem(row.file, row.line, row.sample.image_path, reason))
    good = [picture for row in rows if isinstance(picture := pictures[row.sample.image_path], _Picture)]
    return DatasetReport(
        source=source,
        rows=tuple(rows),
        problems=tuple(sorted(problems, key=lambda problem: (str(problem.file), problem.line or 0))),
        warnings=(*_doubles(rows, good), *_leaks(source, rows)),
        image_width_px=_range(picture.width for picture in good),
        image_height_px=_range(picture.height for picture in good),
        iod_px=_range(float(inter_ocular_distance(row.sample.keypoints_px)) for row in rows),
        why_not=_why_not(source, rows, stopped=len(seen) < len(read)),
    )


def write_good_rows(report: DatasetReport, path: Path) -> int:
    """Write the usable faces of the training split as a CSV table that `trainer.readers` reads; return how many.

    The labels are written as training sees them, so a known shift that has been undone stays undone. The test split is
    left out: what is in the table is trained on.

    Raises
    ------
    DatasetError
        If there are none, the table would replace the data set's own or lie where it cannot name the images, or it
        cannot be written.
    """
    if source_of_table(path).layout != "csv":
        raise DatasetError("{name} is the name of a published table; choose another", name=path.name)
    there = Path(os.path.abspath(path))  # noqa: PTH100 (which, unlike resolve, goes by links as the reader does)
    if any(there == Path(os.path.abspath(labels)) for labels, _ in report.source.parts.values()):  # noqa: PTH100
        raise DatasetError(
            "{path} is the table that was checked; choose another name, so that no row is lost", path=path
        )
    rows = [row for row in report.rows if row.split == "training"]
    if not rows:
        raise DatasetError(
            "{path} is not written: no face of {root} can be trained on", path=path, root=report.source.root
        )
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["file", *(f"{axis}{number}" for number in range(NUM_KEYPOINTS) for axis in "xy")])
    for row in rows:
        image = Path(os.path.abspath(row.sample.image_path))  # noqa: PTH100
        if not image.is_relative_to(there.parent):
            raise DatasetError(
                "{path} cannot name the images, which are not below its folder; choose a place in {root}",
                path=path,
                root=report.source.root,
            )
        # Each number is the shortest that reads back as the same float32.
        table.writerow([image.relative_to(there.parent).as_posix(), *map(str, row.sample.keypoints_px.flatten())])
    try:
        write_atomically(path, text.getvalue().encode("utf-8"))
    except OSError as error:
        raise DatasetError("{path} cannot be written ({reason})", path=path, reason=error.strerror) from error
    return len(rows)


def sample_sheet(report: DatasetReport, *, count: int = 24, seed: int = 0, tile_px: int = 288) -> NDArray[np.uint8]:
    """Draw some of the usable faces with their labels, without names.

    Parameters
    ----------
    report
        With at least one usable face.
    count, seed
        How many, and which ones: the same seed draws the same.
    tile_px
        Side of each in the picture.

    Returns
    -------
    (H, W, 3) uint8 BGR.

    Raises
    ------
    DatasetError
        If there is no usable face, or an image has gone since.
    """
    if not report.rows:
        raise DatasetError("there is no face to draw: no label of {root} can be used", root=report.source.root)
    chosen = np.random.default_rng(seed).permutation(len(report.rows))[:count]
    faces = []
    for sample in (report.rows[i].sample for i in chosen):
        side_px = int(crop_squares(box_from_keypoints(sample.keypoints_px), crop_per_box=CROP_PER_BOX)[0, 2])
        crop = load_crops([sample], size_px=min(side_px, tile_px), crop_per_box=CROP_PER_BOX)
        faces.append(SheetFace(crop.crops[0, 0], crop.points_unit[0]))
    return contact_sheet(faces, tile_px=tile_px)


@dataclass(frozen=True)
class _Picture:
    """Size of an image, and a digest that images of the same pixels share."""

    width: int
    height: int
    digest: bytes


def _look_at(
    paths: Iterable[Path], on_progress: Callable[[int, int], object], should_stop: Callable[[], bool]
) -> dict[Path, _Picture | str]:
    """Decode images on all cores; each is a picture or the reason why it is none. Those after a stop are missing."""
    left = list(paths)
    seen: dict[Path, _Picture | str] = {}
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1), thread_name_prefix="dataset-check") as pool:
        for start in range(0, len(left), _IMAGES_AT_ONCE):
            if should_stop():
                break
            some = left[start : start + _IMAGES_AT_ONCE]
            seen.update(zip(some, pool.map(_decode, some), strict=True))
            on_progress(len(seen), len(left))
    return seen


def _decode(path: Path) -> _Picture | str:
    try:
        image = read_image(path)
    except DatasetError as error:
        return Text(error.text, **error.values | {"path": path.name})
    height, width = image.shape[:2]
    return _Picture(width, height, hashlib.blake2b(image.data, digest_size=16, salt=width.to_bytes(8)).digest())


def _why_not_in(picture: _Picture, keypoints_px: NDArray[np.float32]) -> str | None:
    limit_px = FAR_OUTSIDE * float(box_from_keypoints(keypoints_px)[2])
    last_pixel = np.array([picture.width - 1, picture.height - 1], np.float32)
    beyond_px = np.maximum(-keypoints_px, keypoints_px - last_pixel).max(axis=1)  # (68,)
    if beyond_px.max() <= limit_px:
        return None
    return Text(
        "keypoint {keypoint} is {distance_px:.0f} px outside the image of {width} x {height} px",
        keypoint=beyond_px.argmax(),
        distance_px=beyond_px.max(),
        width=picture.width,
        height=picture.height,
    )


def _doubles(rows: Sequence[Row], pictures: Sequence[_Picture]) -> list[Problem]:
    """Warn of images with the same pixels, and of faces that are listed twice; two faces in one image are fine."""
    warnings = []
    first_of: dict[bytes, Row] = {}
    of_image: dict[Path, list[Row]] = {}
    for row, picture in zip(rows, pictures, strict=True):
        path = row.sample.image_path
        first = first_of.setdefault(picture.digest, row)
        before = of_image.setdefault(path, [])
        twin = next((other for other in before if _is_same_face(row, other)), None)
        if twin is not None:
            warnings.append(
                Problem(row.file, row.line, path, Text("lists the face of {place} again", place=_place(twin)))
            )
        elif not before and first.sample.image_path != path:
            reason = Text(
                "{name} has the same pixels as {other} of {place}",
                name=path.name,
                other=first.sample.image_path.name,
                place=_place(first),
            )
            warnings.append(Problem(row.file, row.line, path, reason))
        before.append(row)
    return warnings


def _is_same_face(row: Row, other: Row) -> bool:
    centre, other_centre = (r.sample.keypoints_px.mean(axis=0) for r in (row, other))
    distance_px = float(np.linalg.norm(centre - other_centre))
    return distance_px < 0.5 * float(box_from_keypoints(row.sample.keypoints_px)[2])


def _place(row: Row) -> str:
    return f"{row.file.name}:{row.line}" if row.line else row.file.name


def _leaks(source: Source, rows: Sequence[Row]) -> list[Problem]:
    test = _identities(rows, "test")
    common = len(test & _identities(rows, "training"))
    if not common:
        return []
    reason = Text(
        "{count} of its {total} identities are in training too; a figure on it says little about new people",
        count=common,
        total=len(test),
    )
    return [Problem(source.parts["test"][0], None, None, reason)]


def _identities(rows: Iterable[Row], part: Part) -> set[str]:
    return {row.sample.identity for row in rows if row.split == part}


def _range(values: Iterable[float]) -> Range | None:
    values = list(values)
    return (min(values), max(values)) if values else None


def _why_not(source: Source, rows: Sequence[Row], *, stopped: bool) -> str | None:
    if stopped:
        return Text("the check was stopped before its end")
    if "training" not in source.parts:
        return Text("it has no training split")
    identities = _identities(rows, "training")
    if not identities:
        return Text("no label of its training split can be used")
    if len(identities) == 1:
        return Text(
            "all its faces are of one identity, {identity!r} (the file name up to its last "
            "underscore), and validation needs another",
            identity=identities.pop(),
        )
    return None
