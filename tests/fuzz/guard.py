"""Watches one input at a time: its time, its memory, what it writes and whom it calls."""

from __future__ import annotations

import gc
import os
import resource
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.fuzz.target import RuleError, Target

HANG_FACTOR: Final = 5
"""Seconds by the clock against the processor's, after which an input hangs: other processes compute too."""
HANG_LEAST_S: Final = 30.0
_FORGET_FROM_MB: Final = 32
_ROOMS: Final = ("fkd_desktop", "trainer")
_STATUS: Final = Path("/proc/self/status")
_WRITES: Final = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink", "os.chmod"}
_NEVER: Final = {"socket.connect", "socket.getaddrinfo", "os.system", "pickle.find_class"}


class HangError(BaseException):
    """An input that took longer than its bound; no `except Exception` may catch it."""


@dataclass(frozen=True)
class Outcome:
    """What became of an input.

    Attributes
    ----------
    refused
        Template of the sentence that refused it; None if it was accepted, or is a finding.
    seconds
        Of the processor.
    grown_mb
        How much the process's highest memory rose.
    finding
        What went wrong; empty if nothing did.
    trace
        A finding's traceback.
    """

    refused: str | None
    seconds: float
    grown_mb: float
    finding: str = ""
    trace: str = ""


class Guard:
    """Runs checks in a folder of its own.

    Parameters
    ----------
    root
        An empty folder; inputs work in a folder two levels below, so that what climbs out of it is seen.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._canary = self._root / "outside" / "canary"
        self._folder = self._root / "outside" / "inputs" / "work"
        self._is_watching, self._broken = False, ""
        self._make()
        sys.addaudithook(self._on_event)

    def run(self, target: Target, value: Any) -> Outcome:
        """Give an input to a target's check."""
        before_mb, began_s = _peak_mb(), time.process_time()
        refused, finding, trace = None, "", ""
        self._broken = ""
        try:
            with _alarm(max(HANG_LEAST_S, HANG_FACTOR * target.bound_s)), self._watched():
                refused = target.check(value, self._folder)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit too: nothing may end the process
            finding, trace = _named(error), traceback.format_exc()
        seconds, grown_mb = time.process_time() - began_s, _peak_mb() - before_mb
        finding = finding or self._broken or self._left_outside()
        if not finding and seconds > target.bound_s:
            finding = f"took longer than {target.bound_s:g} s"
        if not finding and grown_mb > target.memory_mb:
            finding = f"took more than {target.memory_mb} MB"
        self._sweep()
        if grown_mb > _FORGET_FROM_MB:
            forget_peak()
        return Outcome(None if finding else refused, seconds, grown_mb, finding, trace)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        self._is_watching = True
        try:
            yield
        finally:
            self._is_watching = False

    def _on_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_watching:
            return
        if event in _NEVER:
            self._broken = self._broken or f"called {event}"
            return
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
                return
        elif event in _WRITES:
            path = arguments[1] if event in ("os.rename", "os.link", "os.symlink") else arguments[0]
        else:
            return
        if isinstance(path, int):
            return
        path = os.fsdecode(path)
        if event == "open" and not flags & getattr(os, "O_NOFOLLOW", 0):
            where = os.path.realpath(path)
        else:  # a link itself
            where = str(Path(os.path.realpath(Path(path).parent), Path(path).name))
        if not f"{where}{os.sep}".startswith((f"{self._folder}{os.sep}", "/dev/")):
            self._broken = self._broken or f"{event} outside of its folder: {where}"

    def _left_outside(self) -> str:
        """Tell of what native code, which no audit hook sees, wrote above its folder."""
        is_whole = (
            _names(self._root) == ["outside"]
            and _names(self._root / "outside") == ["canary", "inputs"]
            and _names(self._folder.parent) == [self._folder.name]
            and self._canary.read_bytes() == b"unchanged"
        )
        return "" if is_whole else "wrote outside of its folder"

    def _sweep(self) -> None:
        if self._left_outside():
            shutil.rmtree(self._root)
            self._make()
        elif _names(self._folder):
            shutil.rmtree(self._folder)
            self._folder.mkdir()

    def _make(self) -> None:
        self._folder.mkdir(parents=True)
        self._canary.write_text("unchanged", encoding="utf-8")


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def limit_memory(more_mb: int) -> None:
    """Let this process take so much address space on top of what it has."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + more_mb * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.collect()


def forget_peak() -> None:
    """Let the highest memory be that of now, where the system can: what comes is measured against it."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_mb() -> float:
    if _STATUS.is_file():
        return int(_STATUS.read_text(encoding="ascii").partition("VmHWM:")[2].split()[0]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def _named(error: BaseException) -> str:
    """Name an error and the place in the program that it came out of: the same finding has the same name."""
    if isinstance(error, RuleError):
        return str(error).partition(": ")[0]
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "site-packages" not in frame.filename]
    ours = [frame for frame in frames if any(f"{os.sep}{room}{os.sep}" in frame.filename for room in _ROOMS)]
    frame = (ours or frames)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}"


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_alarm(*_: object) -> None:
        raise HangError(f"still at it after {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
