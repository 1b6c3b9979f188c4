"""Files out of a .tar.gz that is still arriving.

Only contents come out, no names: who asks knows them by their hash. So nothing that is in an archive, neither paths
nor links nor devices, can have an effect on the disk.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from typing import TYPE_CHECKING, Final

from trainer.download.web import AgainError

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

MAX_UNPACKED_BYTES: Final = 2_000_000_000
_SKIP_BYTES: Final = 65_536


def file_contents(stream: io.RawIOBase, *, sizes: Container[int]) -> Iterator[bytes]:
    """Yield the contents of the archive's files that have one of these sizes, in bytes.

    Raises
    ------
    AgainError
        If it is damaged, breaks off, or unpacks to more than 2 GB.
    """
    try:
        with gzip.GzipFile(fileobj=io.BufferedReader(stream), mode="rb") as unpacked:
            yield from _files(unpacked, sizes)
    except (EOFError, gzip.BadGzipFile, zlib.error, tarfile.HeaderError) as error:
        raise AgainError("the archive is damaged or broke off") from error


def _files(unpacked: gzip.GzipFile, sizes: Container[int]) -> Iterator[bytes]:
    # Not tarfile.open: it would read headers of any size into memory, and it is made to restore names.
    left = MAX_UNPACKED_BYTES
    while (header := unpacked.read(tarfile.BLOCKSIZE)).strip(b"\0"):
        member = tarfile.TarInfo.frombuf(header, "utf-8", "replace")
        padding = -member.size % tarfile.BLOCKSIZE
        left -= len(header) + member.size + padding
        if member.size < 0 or left < 0:
            raise AgainError("the archive unpacks to more than it should")
        if member.isreg() and member.size in sizes:
            yield _read(unpacked, member.size)
            _read(unpacked, padding)
        else:
            for start in range(0, member.size + padding, _SKIP_BYTES):
                _read(unpacked, min(_SKIP_BYTES, member.size + padding - start))


def _read(unpacked: gzip.GzipFile, size: int) -> bytes:
    if len(content := unpacked.read(size)) < size:
        raise EOFError
    return content
