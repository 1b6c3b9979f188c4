"""Files of labels: a CSV table, or the .pts files of a folder; each face is read, or it is told why it cannot be."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from trainer.core.keypoints import NUM_KEYPOINTS, OUTER_EYE_CORNERS, inter_ocular_distance
from trainer.core.preprocess import box_from_keypoints
from trainer.core.text import Text
from trainer.dataset import Sample, identity_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

Part = Literal["training", "test"]
"""One split."""

COLUMNS: Final = 1 + 2 * NUM_KEYPOINTS
IMAGE_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
MAX_COORDINATE_PX: Final = 1e6
"""No picture is larger: a coordinate beyond is an error in the table."""
MIN_IOD_PER_BOX: Final = 0.01
"""Inter-ocular distance over the face box's side below which labels are no face (published faces: 0.22 and more)."""
PTS_FIRST_PIXEL: Final = 1.0
"""Number of the first pixel in a .pts file: its makers' own reader calls them 1-based (Menpo, io/input/landmark.py)."""


@dataclass(frozen=True)
class Row:
    """A labelled face and where it is written.

    Attributes
    ----------
    file, line
        The table and the line in it; or the .pts file, without a line.
    split
        Which split it belongs to.
    sample
        The face.
    """

    file: Path
    line: int | None
    split: Part
    sample: Sample


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file, or with one line of it.

    Attributes
    ----------
    file, line
        Where it is written; no line where it is about the whole file.
    image
        The picture that it is about, where there is one.
    reason
        The end of a sentence that begins with the place.
    """

    file: Path
    line: int | None
    image: Path | None
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}" if self.line else f"{self.file}: {self.reason}"


def walk(root: Path) -> Iterator[Path]:
    """Yield all files below a folder, in order, without hidden ones (and the doubles that macOS packs along)."""
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(names) if not name.startswith("."))


class _BadError(ValueError):
    """A row that cannot be used, and the image that it names."""

    def __init__(self, reason: Text, image: Path | None = None) -> None:
        super().__init__(reason)
        self.reason, self.image = reason, image


def read_table(table: Path, images: Path, split: Part) -> Iterator[Row | Problem]:
    """Yield the faces of a CSV table: a file name relative to the folder of the images, then x and y 68 times."""
    try:
        text = table.read_bytes().decode("utf-8-sig")
    except OSError as error:
        yield Problem(table, None, None, Text("cannot be read ({reason})", reason=error.strerror))
        return
    except UnicodeDecodeError:
        yield Problem(table, None, None, Text("cannot be read as UTF-8 text; save the table as CSV in UTF-8"))
        return
    if not images.is_dir():
        yield Problem(
            table,
            None,
            None,
            Text("the folder {images} with its images is missing; put it beside the table", images=images),
        )
        return
    rows = csv.reader(io.StringIO(text, newline=""))
    is_first, is_empty = True, True
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if is_first:
                is_first = False
                if separator := _wrong_separator(row):
                    yield Problem(table, rows.line_num, None, separator)
                    return
                if _is_header(row):
                    continue
            is_empty = False
            try:
                yield Row(table, rows.line_num, split, _read_row(row, images))
            except _BadError as bad:
                yield Problem(table, rows.line_num, bad.image, bad.reason)
    except csv.Error as error:
        yield Problem(
            table,
            rows.line_num,
            None,
            Text("cannot be read from here on ({error}); is a quotation mark open?", error=error),
        )
        return
    if is_empty:
        yield Problem(table, None, None, Text("has no rows; there is nothing to train on"))


def _wrong_separator(row: Sequence[str]) -> Text | None:
    """Say so where a row looks as if its cells were separated by something else than commas."""
    if len(row) == COLUMNS:
        return None
    marks = {
        ";": Text("the separator must be a comma, not a semicolon; save the table as comma-separated"),
        "\t": Text("the separator must be a comma, not a tab; save the table as comma-separated"),
    }
    return next((reason for mark, reason in marks.items() if sum(cell.count(mark) for cell in row) > 1), None)


def _is_header(row: Sequence[str]) -> bool:
    """Tell names of columns (the published ones are 0, 1, ... 135) from a face, damaged or not."""
    if Path(row[0]).suffix.lower() in IMAGE_SUFFIXES:
        return False
    numbers = [float(cell) for cell in row[1:] if _is_number(cell)]
    return 2 * len(numbers) < len(row) - 1 or numbers == list(range(len(row) - 1))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _read_row(row: Sequence[str], images: Path) -> Sample:
    if len(row) != COLUMNS:
        keypoints, odd = divmod(len(row) - 1, 2)
        if keypoints and not odd:
            found = Text("%n keypoint(s) instead of {expected}", n=keypoints, expected=NUM_KEYPOINTS)
        else:
            found = Text("%n column(s) instead of {expected}", n=len(row), expected=COLUMNS)
        raise _BadError(
            Text(
                "{found}; a row is a file name, then x and y of {keypoints} keypoints",
                found=found,
                keypoints=NUM_KEYPOINTS,
            )
        )
    path = _image_path(row[0], images)
    return Sample(path, _keypoints(row[1:], path), identity_of(path.relative_to(images)))


def _image_path(name: str, folder: Path) -> Path:
    relative = PureWindowsPath(name)  # which takes both kinds of slash
    if not relative.parts:
        raise _BadError(Text("the row has no file name"))
    if relative.drive or relative.root or ".." in relative.parts:
        raise _BadError(
            Text(
                "{name!r} leads out of the folder of the images; names are relative to {folder}",
                name=shortened(name),
                folder=folder,
            )
        )
    path = folder.joinpath(*relative.parts)
    try:
        if path.is_file():
            return path
    except OSError:  # a name that is too long, for one
        pass
    raise _BadError(Text("there is no image {name!r} in {folder}", name=shortened(name), folder=folder), path)


def _keypoints(cells: Sequence[str], image: Path, *, first_pixel: float = 0.0) -> NDArray[np.float32]:
    if (text := next((cell for cell in cells if not _is_number(cell)), None)) is not None:
        raise _BadError(Text("{word!r} is not a number", word=shortened(text)), image)
    points = np.array([float(cell) for cell in cells]).reshape(NUM_KEYPOINTS, 2) - first_pixel
    for place in np.argwhere(~(np.abs(points) < MAX_COORDINATE_PX)):  # which finds NaN too
        number, axis = (int(i) for i in place)
        raise _BadError(
            Text(
                "{axis} of keypoint {number} is {cell}, not a number of pixels",
                axis="xy"[axis],
                number=number,
                cell=cells[2 * number + axis],
            ),
            image,
        )
    keypoints = points.astype(np.float32)
    if not np.ptp(keypoints, axis=0).any():
        raise _BadError(Text("all keypoints are at one place"), image)
    if inter_ocular_distance(keypoints) < MIN_IOD_PER_BOX * box_from_keypoints(keypoints)[2]:
        first, second = OUTER_EYE_CORNERS
        reason = Text(
            "keypoints {first} and {second}, the outer corners of the eyes, are at one place",
            first=first,
            second=second,
        )
        raise _BadError(reason, image)
    return keypoints


def read_pts_folder(root: Path) -> Iterator[Row | Problem]:
    """Yield the faces of the .pts files below a folder; the image is the file beside it that differs in the suffix."""
    files = list(walk(root))
    images: dict[Path, Path] = {}
    for path in files:
        if path.suffix.lower() in IMAGE_SUFFIXES:
            images.setdefault(path.with_suffix(""), path)
    for path in files:
        if path.suffix.lower() != ".pts":
            continue
        image = images.get(path.with_suffix(""))
        try:
            if image is None:
                raise _BadError(
                    Text(
                        "there is no image {stem} ({suffixes} ...) beside it",
                        stem=path.stem,
                        suffixes=", ".join(IMAGE_SUFFIXES[:3]),
                    )
                )
            # Collections of photographs: each shows somebody else, and their names number the pictures.
            identity = image.relative_to(root).with_suffix("").as_posix()
            yield Row(path, None, "training", Sample(image, _read_pts(path, image), identity))
        except _BadError as bad:
            yield Problem(path, None, bad.image, bad.reason)


def _read_pts(path: Path, image: Path) -> NDArray[np.float32]:
    try:
        lines = [line.split() for line in path.read_bytes().decode("utf-8-sig").splitlines()]
        points = [line for line in lines[lines.index(["{"]) + 1 : lines.index(["}"])] if line]
    except OSError as error:
        raise _BadError(Text("cannot be read ({reason})", reason=error.strerror), image) from error
    except ValueError as error:  # not text, or without the braces
        raise _BadError(Text("is no .pts file: 68 lines of x and y between a line { and a line }"), image) from error
    if len(points) != NUM_KEYPOINTS:
        raise _BadError(
            Text("%n keypoint(s) instead of {expected}", n=len(points), expected=NUM_KEYPOINTS),
            image,
        )
    if wrong := next((line for line in points if len(line) != 2), None):
        raise _BadError(Text("{wrong!r} is not x and y of a keypoint", wrong=shortened(" ".join(wrong))), image)
    return _keypoints([cell for line in points for cell in line], image, first_pixel=PTS_FIRST_PIXEL)


def shortened(text: str) -> str:
    """Cut a file name of any length to what fits in a sentence."""
    return text if len(text) <= 120 else f"{text[:60]}...{text[-40:]}"
