"""Where pictures and films go, and what they are called."""

from __future__ import annotations

import shutil
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from fkd_desktop.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER_NAME: Final = "FKD Desktop"


def default_pictures_folder() -> Path:
    """Return where pictures go unless the user says otherwise."""
    return platformdirs.user_pictures_path() / FOLDER_NAME


def default_videos_folder() -> Path:
    """Return where films go unless the user says otherwise."""
    return platformdirs.user_videos_path() / FOLDER_NAME


def stem_now() -> str:
    """Return the name, without a suffix, of a file that is made now: ``FKD 2026-11-25 08-31-22``."""
    return f"FKD {datetime.now():%Y-%m-%d %H-%M-%S}"


def claim_file(folder: Path, stem: str, suffix: str) -> Path:
    """Make an empty file of a new name, so that no other thread or process takes the name too.

    Parameters
    ----------
    folder
        Made where there is none.
    stem, suffix
        Name of the file; where it is taken, `` (2)`` and so on is added.

    Raises
    ------
    OutputError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in _names(folder, stem, suffix):
            try:
                path.touch(exist_ok=False)
            except FileExistsError:
                continue
            return path
    except OSError as error:
        raise not_writable(folder, error) from error
    raise AssertionError  # there is always another name


def claim_folder(folder: Path, stem: str) -> Path:
    """Make a new folder in a folder; see `claim_file`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in _names(folder, stem, ""):
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return path
    except OSError as error:
        raise not_writable(folder, error) from error
    raise AssertionError


def not_writable(path: Path, error: OSError) -> OutputError:
    """Return the error that says that a file or folder cannot be written."""
    return OutputError(
        "{path} cannot be written ({reason}); free some space or choose another folder in the preferences",
        path=path,
        reason=error.strerror or error,
    )


def free_bytes(folder: Path) -> int:
    """Return how much room there is for files in a folder, which need not exist yet.

    Raises
    ------
    OSError
        If the system cannot say.
    """
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _names(folder: Path, stem: str, suffix: str) -> Iterator[Path]:
    yield folder / f"{stem}{suffix}"
    for number in count(2):
        yield folder / f"{stem} ({number}){suffix}"
