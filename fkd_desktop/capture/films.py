"""Names for films, and films that an application which ended unexpectedly has left behind."""

from __future__ import annotations

import logging
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from fkd_desktop.capture.files import claim_file, free_bytes, not_writable, stem_now
from fkd_desktop.errors import OutputError
from fkd_desktop.live.mp4_file import cut_incomplete_tail
from fkd_desktop.workers.recording import LOW_DISK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_log = logging.getLogger(__name__)

_MARK: Final = ".recording"
"""What a lock's name ends with that lies beside a film while it is written. The system lets go of the lock when the
process ends, however that happens: a lock that nobody holds tells of a film that was cut off."""


@contextmanager
def film_place(folder: Path) -> Iterator[Path]:
    """Give a film a new name, and mark it as being written.

    Raises
    ------
    OutputError
        If the disk is nearly full, or nothing can be written there.
    """
    with suppress(OSError):  # if the system cannot say, writing will
        if free_bytes(folder) < LOW_DISK_BYTES:
            raise OutputError(
                "the disk of {folder} is nearly full, so nothing is recorded; free some space or choose another folder",
                folder=folder,
            )
    from filelock import FileLock  # noqa: PLC0415 (not at the window's start)

    path = claim_file(folder, stem_now(), ".mp4")
    mark = path.with_name(f".{path.name}{_MARK}")
    lock = FileLock(mark, timeout=0)
    try:
        lock.acquire()
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise not_writable(path, error) from error
    try:
        yield path
    finally:
        lock.release()
        with suppress(OSError):
            mark.unlink(missing_ok=True)


def recover_films(folder: Path) -> list[Path]:
    """Finish the films that were cut off, and return those that can be played; films being written are left alone."""
    try:
        marks = sorted(folder.glob(f".*.mp4{_MARK}")) if folder.is_dir() else []
    except OSError as error:  # closed to us, or no name that a folder can have
        _log.warning("%s could not be looked through: %s", folder, error)
        marks = []
    if not marks:
        return []
    from filelock import FileLock, Timeout  # noqa: PLC0415 (not at the window's start)

    recovered = []
    for mark in marks:
        film = mark.with_name(mark.name.removeprefix(".").removesuffix(_MARK))
        try:
            with FileLock(mark, timeout=0):
                if _finish(film):
                    recovered.append(film)
            mark.unlink(missing_ok=True)
        except Timeout:
            continue
        except OSError as error:
            _log.warning("%s could not be finished: %s", film, error)
    return recovered


def _finish(film: Path) -> bool:
    """Make a plain film of one in fragments; whether there is anything to see. Without an index it stays as it is."""
    if not film.is_file():
        return False
    with film.open("r+b") as file:
        is_playable = cut_incomplete_tail(file)
    if not is_playable:
        film.unlink()
        return False
    import av  # noqa: PLC0415 (not at the window's start)

    from fkd_desktop.live.sources.video_index import open_container  # noqa: PLC0415

    copy = film.with_name(f".{film.name}")
    try:
        with open_container(film) as source, av.open(str(copy), "w", format="mp4") as target:
            pictures = source.streams.best("video")
            if pictures is None:
                raise ValueError("there are no pictures in it")
            stream = target.add_stream_from_template(pictures)
            for packet in source.demux(pictures):
                if packet.dts is not None:  # the last one is empty
                    packet.stream = stream
                    target.mux(packet)
        copy.replace(film)
    except (OSError, ValueError, av.FFmpegError) as error:  # ValueError: of an unknown kind
        _log.warning("%s stays in fragments: %s", film, error)
        with suppress(OSError):
            copy.unlink(missing_ok=True)
    return True
