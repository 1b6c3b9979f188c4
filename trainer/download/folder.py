"""The data set on disk: what is there, what is right, and writing what is missing."""

from __future__ import annotations

import csv
import errno
import json
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from trainer.core.files import write_atomically
from trainer.core.text import Text
from trainer.download.listing import IMAGE_SUFFIXES, SPLITS, table_of
from trainer.download.source import DownloadError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from trainer.download.listing import PublishedFile

MARK: Final = ".download.json"
"""Tells a folder that is this program's to complete and repair; names the source and the hashes."""

_DISK_BLOCK: Final = 4096
_LEFTOVER: Final = re.compile(r"\.(.+)\.[0-9a-f]{32}", re.ASCII)  # as `write_atomically` names its temporary files
_WAYS_OUT: Final = {
    errno.ENOSPC: Text("free some space"),
    errno.EDQUOT: Text("free some space"),
    errno.EROFS: Text("check its permissions"),
    errno.EACCES: Text("check its permissions"),
    errno.EPERM: Text("check its permissions"),
    errno.EEXIST: Text("move away the file that stands where a folder should be"),
    errno.ENOTDIR: Text("move away the file that stands where a folder should be"),
    errno.EISDIR: Text("move away the folder that stands where a file should be"),
}


@dataclass(frozen=True)
class SplitContents:
    """What one split of a data set holds.

    Attributes
    ----------
    images
        Pictures in its folder.
    rows
        Rows of its table.
    images_without_row
        Pictures that the table does not name; training passes them over.
    rows_without_image
        Rows whose picture is missing; training would refuse the data set.
    """

    images: int
    rows: int
    images_without_row: int
    rows_without_image: int


def contents(root: Path, split: str) -> SplitContents:
    """Compare a split's table ("training" or "test") with its pictures.

    Raises
    ------
    DownloadError
        If the table or the folder cannot be read, or the table is empty.
    """
    table = root / table_of(split)
    try:
        with table.open(newline="", encoding="utf-8") as file:
            named = [row[0] for row in csv.reader(file) if row][1:]
        images = {path.name for path in (root / split).iterdir() if path.suffix.lower() in IMAGE_SUFFIXES}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DownloadError(
            "{table} or its pictures cannot be read ({error}); run the download again", table=table, error=error
        ) from error
    if not named:
        raise DownloadError(
            "{table} has no rows, so the published data set is of no use; look for another one", table=table
        )
    return SplitContents(
        images=len(images),
        rows=len(named),
        images_without_row=len(images.difference(named)),
        rows_without_image=sum(name not in images for name in named),
    )


def missing_files(
    root: Path, files: Sequence[PublishedFile], on_file: Callable[[PublishedFile, bool], None]
) -> list[PublishedFile]:
    """Return those that are not there byte for byte. Every one is read: 6,000 small files take about a second.

    Parameters
    ----------
    root
        The data set's folder; made if need be, and rid of what an interrupted write left behind.
    files
        All that belong there.
    on_file
        Told of each whether it is there; may raise to stop.

    Raises
    ------
    DownloadError
        If the folder cannot be read or made, or if it holds other files of these names and was not made by a
        download: they may be somebody's work.
    """
    missing = []
    try:
        root.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(root, files)
        is_ours = (root / MARK).exists()
        for file in files:
            path = root / file.path
            is_right = path.is_file() and path.stat().st_size == file.size and file.is_content(path.read_bytes())
            on_file(file, is_right)
            if is_right:
                continue
            if not is_ours and path.exists():
                raise DownloadError(
                    "{path} is not the published file and would be overwritten; choose another folder, or move it away",
                    path=path,
                )
            missing.append(file)
    except OSError as error:
        raise disk_error(root, error) from error
    return missing


def _remove_leftovers(root: Path, files: Sequence[PublishedFile]) -> None:
    expected = {root / file.path for file in files} | {root / MARK}
    for folder in (root, *(root / split for split in SPLITS)):
        for path in folder.iterdir() if folder.is_dir() else ():
            if (match := _LEFTOVER.fullmatch(path.name)) and path.with_name(match[1]) in expected:
                path.unlink()


def check_room(root: Path, files: Sequence[PublishedFile]) -> None:
    """Raise `DownloadError` if the disk has no room for these files."""
    needed = sum(file.size + _DISK_BLOCK for file in files)
    try:
        disk = shutil.disk_usage(root)
    except OSError as error:
        raise disk_error(root, error) from error
    if disk.free < needed and disk.total:  # some network disks do not say how large they are
        raise DownloadError(
            "{root} has {free:,.0f} MB left and the download needs {needed:,.0f} MB; free some "
            "space, or choose another folder",
            root=root,
            free=disk.free / 1e6,
            needed=needed / 1e6,
        )


def write(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all.

    Raises
    ------
    DownloadError
        If the disk does not take it.
    """
    try:
        write_atomically(path, content)
    except OSError as error:
        raise disk_error(path, error) from error


def write_mark(root: Path, home_url: str, files: Sequence[PublishedFile]) -> None:
    """Mark the folder as one that downloads may repair."""
    mark = {"source": home_url, "files": {file.path: file.sha1 for file in files}}
    write(root / MARK, json.dumps(mark, indent=0, sort_keys=True).encode())


def disk_error(path: Path, error: OSError) -> DownloadError:
    """Put into a sentence what the system said."""
    way_out = _WAYS_OUT.get(error.errno or 0, Text("check the disk"))
    return DownloadError(
        "{path} cannot be read or written ({reason}); {way_out}, or choose another folder",
        path=path,
        reason=error.strerror or error,
        way_out=way_out,
    )
