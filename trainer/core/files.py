"""Writing files so that nothing is ever left half written."""

from __future__ import annotations

import os
import shutil
import uuid
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write a file to, which takes the place of `path` when all went well; else it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")  # not mkstemp: its files are the owner's alone
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):  # a disk that has become read-only: the error before is the one to tell
            temporary.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a crash or a full disk leaves the old content, never half of the new."""
    with replacing(path) as temporary, temporary.open("xb") as file:
        file.write(content)


def expanded(path: Path) -> Path:
    """Return a path with a home in place of its ``~``; as it is if that is nobody's, so that there is nothing there."""
    try:
        return path.expanduser()
    except (RuntimeError, ValueError):
        return path


def link_or_copy(source: Path, target: Path) -> None:
    """Make a second file of the same content that takes no space where the disk can do that, and neither changes.

    Both must only ever be replaced, as `replacing` does it, never written to.
    """
    if os.name != "nt":  # there a file cannot be replaced while it is open by its other name
        with suppress(OSError):  # a disk without links
            os.link(source, target)
            return
    shutil.copyfile(source, target)
