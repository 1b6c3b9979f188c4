"""The trainer as a child process: its events as signals, commands over its standard input."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from PySide6.QtCore import QObject, Signal

from trainer.core.text import one_line
from trainer.events import from_json_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_log = logging.getLogger(__name__)

Command = Literal["stop", "cancel"]

LAST_LINES: Final = 12
_LAST_LINE_LENGTH: Final = 1000
_LOG_END_BYTES: Final = 100_000
_LONGEST_LINE_BYTES: Final = 65_536
"""No event is longer: of a longer line, the end of which may never come, nothing is kept."""


class TrainingProcess(QObject):
    """One run of the trainer. Signals reach the thread that made it.

    Not a QProcess: that kills its child when the application ends, where this one only closes the child's standard
    input, on which the trainer stops by itself and keeps what it has (docs/decisions/0008). What the child writes to
    stderr goes into a file without a detour, so that it is whole whatever becomes of this process.

    Parameters
    ----------
    command
        As of `trainer.programs.trainer_command`, with its arguments.
    log_path
        What the child writes, beside events; replaced.
    """

    event_received = Signal(object)
    """A `trainer.events.Event`."""
    ended = Signal(int)
    """The exit code; negative for the number of the signal that killed it. After all events."""

    def __init__(self, command: Sequence[str], log_path: Path) -> None:
        super().__init__()
        self._command, self.log_path = command, log_path
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process.

        Raises
        ------
        OSError
            If it cannot be started or the log cannot be written.
        """
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        no_console = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows opens one otherwise
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                creationflags=no_console,
            )
        threading.Thread(target=self._read, args=(self._process,), name="training-events", daemon=True).start()

    @property
    def pid(self) -> int | None:
        """The process's number; None before it was started."""
        return self._process.pid if self._process else None

    def send(self, command: Command) -> None:
        """Tell the trainer to stop or cancel; nothing happens when it has ended."""
        if self._process and self._process.stdin and not self._process.stdin.closed:
            with suppress(OSError):
                self._process.stdin.write(command.encode() + b"\n")

    def let_go(self) -> None:
        """Close its standard input: it stops, keeps what it has and ends by itself, with or without this process."""
        if self._process and self._process.stdin:
            with suppress(OSError):
                self._process.stdin.close()

    def kill(self) -> None:
        """End it at once."""
        if self._process:
            self._process.kill()

    def last_lines(self) -> tuple[str, ...]:
        """Return the end of the log."""
        try:
            with self.log_path.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_END_BYTES))
                lines = log.read().decode("utf-8", errors="replace").splitlines()
        except OSError:
            return ()
        return tuple(one_line(line.rstrip(), longest=_LAST_LINE_LENGTH) for line in lines[-LAST_LINES:])

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with io.BufferedReader(cast("io.RawIOBase", process.stdout)) as stdout:
            for line in _lines(stdout):
                text = line.decode("utf-8", errors="replace")
                try:
                    event = from_json_line(text)
                except ValueError:
                    _log.info("trainer: %s", one_line(text.rstrip()))
                else:
                    self._tell(self.event_received, event)
        code = process.wait()
        self.let_go()
        self._tell(self.ended, code)

    @staticmethod
    def _tell(signal: Any, argument: object) -> None:
        with suppress(RuntimeError):  # the application was closed meanwhile, and the signal's owner with it
            signal.emit(argument)


def _lines(stdout: io.BufferedReader[Any]) -> Iterator[bytes]:
    """Yield lines as they come; of one that is too long its beginning."""
    while line := stdout.readline(_LONGEST_LINE_BYTES):
        yield line
        while line and not line.endswith(b"\n"):
            line = stdout.readline(_LONGEST_LINE_BYTES)
