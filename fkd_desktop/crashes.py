"""What is left of a session that ends by itself, and of an exception that nobody caught.

Python's `faulthandler` writes where every thread was when native code crashes, into a file that each session has for
itself and removes at its end. A start that finds such a file of a process that is gone, with something in it, knows
that there was a crash; an empty one is of a session that was killed, or of a power cut, which is no fault of ours.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import threading
import time
import traceback
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TextIO

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator
    from pathlib import Path
    from types import TracebackType

_log = logging.getLogger(__name__)

KEPT: Final = 5
"""Traces of crashes that are kept."""
LONGEST_TRACE: Final = 100_000
"""In bytes; `faulthandler` stops at 100 threads of 100 frames each."""
MOST_KINDS: Final = 200
"""Of repeated events that are told apart; a program that has more has one fault in many shapes."""
_RUNNING: Final = "session-*.txt"
_CRASHED: Final = "crash-*.txt"


class CrashFile:
    """Where the trace of a crash of this session goes. Other sessions see by its lock that this one is alive.

    Parameters
    ----------
    folder
        Where such files are; made if need be, for its owner alone.

    Raises
    ------
    OSError
        If there can be none.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / f"session-{os.getpid()}-{time.time_ns()}.txt"
        # Another start that looks through the folder must not find it before it is locked.
        new = self.path if sys.platform == "win32" else self.path.with_suffix(".new")
        self._file: TextIO = os.fdopen(owners_alone(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "w")
        _try_lock(self._file)
        new.replace(self.path)
        faulthandler.enable(self._file)

    def close(self) -> None:
        """End the session as it should."""
        faulthandler.disable()
        self._file.close()
        with suppress(OSError):
            self.path.unlink()


def last_crash(folder: Path) -> Path | None:
    """Return the trace of the newest crash that no start has told of yet, and keep it among the last ones.

    Files of sessions that are still running are left alone.
    """
    crashed = None
    try:
        for path in sorted(folder.glob(_RUNNING), key=lambda path: path.stat().st_mtime_ns):
            if not _is_running(path):
                crashed = _keep(path) or crashed
        for old in sorted(folder.glob(_CRASHED))[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError as error:  # another start does the same at this moment, or the disk is read-only
        _log.info("traces of crashes cannot be looked through: %s", error)
    return crashed


def read_trace(path: Path) -> str:
    """Return what a crash left; empty if it is gone."""
    try:
        with path.open("rb") as file:
            return file.read(LONGEST_TRACE).decode("utf-8", "replace")
    except OSError:
        return ""


def owners_alone(path: str | Path, flags: int) -> int:
    """Open a file as `os.open` does; one that is made is its owner's alone to read."""
    return os.open(path, flags, 0o600)


def _keep(path: Path) -> Path | None:
    facts = path.stat()
    if not facts.st_size:
        path.unlink()
        return None
    ended = time.strftime("%Y%m%d-%H%M%S", time.localtime(facts.st_mtime))
    kept = path.with_name(f"crash-{ended}-{path.stem.rpartition('-')[2]}.txt")
    path.replace(kept)
    return kept


def _try_lock(file: TextIO) -> bool:
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held, or a file system without locks
        return False
    return True


def _is_running(path: Path) -> bool:
    if sys.platform == "win32":  # what a process has open there can be neither moved nor removed
        try:
            path.replace(path)
        except OSError:
            return True
        return False
    with path.open(encoding="utf-8") as file:
        return not _try_lock(file)


class Repeats:
    """Counts events of a kind, and tells which ones are worth a line: the first, second, fourth, eighth, ..."""

    def __init__(self) -> None:
        self._counts: dict[Hashable, int] = {}
        self._lock = threading.Lock()

    def add(self, kind: Hashable) -> int:
        """Count one more; return how many there were of its kind."""
        with self._lock:
            if kind not in self._counts and len(self._counts) >= MOST_KINDS:
                kind = None
            count = self._counts[kind] = self._counts.get(kind, 0) + 1
        return count

    @staticmethod
    def is_worth_a_line(count: int) -> bool:
        """Tell whether a count is a power of two."""
        return count & (count - 1) == 0


@dataclass(frozen=True)
class Mishap:
    """An exception that nobody caught.

    Attributes
    ----------
    kind
        Equal for the same exception from the same place.
    summary
        One line: what it is called and says.
    trace
        As Python prints it.
    count
        How often there was this kind, with this time.
    """

    kind: Hashable
    summary: str
    trace: str
    count: int


@contextmanager
def catching_mishaps(on_mishap: Callable[[Mishap], None]) -> Iterator[None]:
    """Log exceptions that nobody catches, in slots, threads and destructors, and tell of them.

    Python's own hooks are called too, for whoever reads a terminal, as often as there is a line in the log.

    Parameters
    ----------
    on_mishap
        Called in the thread that it happened in; must be quick.
    """
    repeats = Repeats()
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook

    def take(where: str, error: BaseException, trace: TracebackType | None) -> bool:
        """Return whether it is worth a line."""
        kind = _kind(error, trace)
        count = repeats.add(kind)
        is_new = Repeats.is_worth_a_line(count)
        if is_new:
            again = f", time {count}" if count > 1 else ""
            _log.error("unhandled exception in %s%s", where, again, exc_info=(type(error), error, trace))
        text = "".join(traceback.format_exception(type(error), error, trace)) if count == 1 else ""
        on_mishap(Mishap(kind, traceback.format_exception_only(error)[-1].strip(), text, count))
        return is_new

    def on_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not isinstance(error, Exception) or take(threading.current_thread().name, error, trace):
            hooks[0](kind, error, trace)

    def on_thread_exception(said: Any) -> None:
        name = said.thread.name if said.thread is not None else "a thread"
        if not isinstance(said.exc_value, Exception) or take(name, said.exc_value, said.exc_traceback):
            hooks[1](said)

    def on_unraisable(said: Any) -> None:
        culprit = getattr(said.object, "__qualname__", type(said.object).__name__)  # its repr may raise, too
        where = f"{culprit} ({said.err_msg or 'ignored by Python'})"
        if not isinstance(said.exc_value, Exception) or take(where, said.exc_value, said.exc_traceback):
            hooks[2](said)

    ours = on_exception, on_thread_exception, on_unraisable
    sys.excepthook, threading.excepthook, sys.unraisablehook = ours
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


def _kind(error: BaseException, trace: TracebackType | None) -> Hashable:
    places = tuple((frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(trace))
    return (type(error), places[-20:])
