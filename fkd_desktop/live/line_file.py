"""Text files of which every line is whole, whatever happens to the disk or the program."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from fkd_desktop.errors import OutputError, cannot_write

if TYPE_CHECKING:
    from collections.abc import Iterable
    from io import FileIO
    from pathlib import Path

FLUSH_EVERY_S: Final = 1.0
"""A crash loses no more than this."""


class LineFile:
    """A text file in UTF-8 to which only whole lines are written, about once a second.

    Parameters
    ----------
    path
        Where to; its folder is made if needed.
    overwrite
        Replace a file that is there.
    first_line
        Written at once.

    Raises
    ------
    OutputError
        From any method: if the file is there already, cannot be written, was removed, or the disk is full. What was
        written before stays, up to its last whole line.
    """

    def __init__(self, path: Path, *, overwrite: bool, first_line: str | None = None) -> None:
        self._path = path
        self._pending: list[str] = []
        self._size = 0
        self._file: FileIO | None = None
        self._error: OutputError | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb" if overwrite else "xb", buffering=0)
        except FileExistsError as error:
            raise (exists_already(path) if path.is_file() else cannot_write(path, error)) from error
        except OSError as error:
            raise cannot_write(path, error) from error
        if first_line is not None:
            self._pending.append(first_line)
            self.flush()
        self._flushed_s = time.monotonic()

    def append(self, lines: Iterable[str]) -> None:
        """Add lines, without their ends."""
        if self._error is not None:
            raise self._error
        self._pending.extend(lines)
        if time.monotonic() - self._flushed_s >= FLUSH_EVERY_S:
            self.flush()

    def flush(self) -> None:
        """Write what is held back."""
        self._flushed_s = time.monotonic()
        if self._file is None or not self._pending:
            return
        data = memoryview("".join(f"{line}\n" for line in self._pending).encode())
        self._pending.clear()
        written = 0
        try:
            if os.fstat(self._file.fileno()).st_nlink == 0:  # POSIX writes on into a file that nobody can open again
                raise FileNotFoundError(0, "it was removed")
            while written < len(data):
                written += self._file.write(data[written:])
        except OSError as error:
            whole = bytes(data[:written]).rfind(b"\n") + 1
            file, self._file = self._file, None
            with suppress(OSError):
                file.truncate(self._size + whole)
            with suppress(OSError):
                file.close()
            self._error = writing_failed(self._path, error)
            raise self._error from error
        self._size += written

    def close(self) -> None:
        """Write what is held back and close the file; may be called twice."""
        self.flush()
        file, self._file = self._file, None
        if file is None:
            return
        try:
            file.close()
        except OSError as error:
            raise writing_failed(self._path, error) from error


def exists_already(path: Path) -> OutputError:
    """Return the error for a file that would be written over."""
    return OutputError("{path} is there already; choose another name, or write over it", path=path)


def writing_failed(path: Path, error: OSError) -> OutputError:
    """Return the error for a file that broke off."""
    return OutputError(
        "writing {path} failed ({reason}) and what came before is kept; free some space or choose another place",
        path=path,
        reason=error.strerror or error,
    )
