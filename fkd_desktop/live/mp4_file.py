"""The file under an MP4 that is being written, kept playable when writing fails."""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_HEADER_BYTES: Final = 8
_LONG_HEADER_BYTES: Final = 16


class Mp4File:
    """A file that FFmpeg writes to, which keeps nothing after the first failure.

    FFmpeg goes on after a failed write: at the end it would mark the fragments as one block without an index.
    Nothing is raised from here, as PyAV prints what is raised more than once in FFmpeg's calls: look at `error`.

    Parameters
    ----------
    path
        Where; replaced if it exists.

    Raises
    ------
    OSError
        If it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        # Not through Python's buffer: a process that is killed then leaves everything that FFmpeg has handed over.
        self._file: IO[bytes] = path.open("w+b", buffering=0)
        self._path = path
        self.error: OSError | None = None
        """The first failure; from then on nothing is written."""
        self.size_bytes = 0
        """How long the file is by now."""
        self.is_playable = True
        """Once it is closed: whether there is anything to see."""

    def write(self, data: bytes) -> int:
        """Write at the current place; FFmpeg calls this."""
        rest = memoryview(data)
        try:
            if self.error is None and not self._is_in_place():  # POSIX writes on into a file that nobody can open again
                raise FileNotFoundError(0, "it was moved or removed")
            while rest and self.error is None:
                rest = rest[self._file.write(rest) :]
            self.size_bytes = max(self.size_bytes, self._file.tell())
        except OSError as error:
            self.refuse(error)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to another place; FFmpeg calls this."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the current place; FFmpeg calls this."""
        return self._file.tell()

    def refuse(self, error: OSError) -> None:
        """From now on write nothing."""
        self.error = self.error or error

    def close(self) -> None:
        """Close it. After a failure, the half of a fragment that was written last goes; a film without any goes too."""
        if self._file.closed:
            return
        with self._file:
            if self.error is None:
                return
            if not self._is_in_place():
                self.is_playable = False
                return
            try:
                self.is_playable = cut_incomplete_tail(self._file)
            except OSError:
                return  # players have to cope with the half
        if not self.is_playable:
            with suppress(OSError):
                self._path.unlink()

    def _is_in_place(self) -> bool:
        """Whether the path still leads to this file: its folder may be removed, its disk taken out."""
        try:
            return os.path.samestat(os.fstat(self._file.fileno()), self._path.stat())
        except OSError:
            return False


def cut_incomplete_tail(file: IO[bytes]) -> bool:
    """Cut an MP4 file after its last whole fragment; whether there was any. A finished one stays as it is.

    Boxes are laid out as in ISO/IEC 14496-12, 4.2: a length of 32 bits and a type, or a length of 1, the type, and a
    length of 64 bits.

    Parameters
    ----------
    file
        Open for reading and writing; left at its end.

    Raises
    ------
    OSError
        If it cannot be read or cut.
    """
    has_fragment = has_head = False
    size = file.seek(0, os.SEEK_END)
    start = end = 0
    while start + _HEADER_BYTES <= size:
        file.seek(start)
        header = file.read(_LONG_HEADER_BYTES)
        length, kind = struct.unpack_from(">I4s", header)
        if length == 1 and len(header) == _LONG_HEADER_BYTES:
            (length,) = struct.unpack_from(">Q", header, _HEADER_BYTES)
        if length < _HEADER_BYTES or start + length > size:
            break
        start += length
        has_head |= kind == b"moof"
        is_index = kind == b"moov" and has_fragment and not has_head  # of a finished film, whose data is one block
        if is_index or kind not in (b"moof", b"moov"):  # a fragment's head is worth nothing without the data behind it
            end = start
            has_fragment |= kind == b"mdat"
    if end < size:
        file.truncate(end)
    file.seek(0, os.SEEK_END)
    return has_fragment
