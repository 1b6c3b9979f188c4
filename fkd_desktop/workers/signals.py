"""Ctrl-C and kill end the application as closing its window does."""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSocketNotifier, Signal

if TYPE_CHECKING:
    from types import FrameType


class SignalCatcher(QObject):
    """Turns SIGINT and SIGTERM into a Qt signal.

    Python runs signal handlers between two byte codes of the main thread, which sits in Qt's event loop: so the number
    also goes into a socket that wakes the loop. As a KeyboardInterrupt it would be lost in whatever slot it came up in.
    """

    caught = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.number: int | None = None
        self._read_end, self._write_end = socket.socketpair()
        for end in (self._read_end, self._write_end):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._read_end.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_notifier_activated)
        self._previous_fd = signal.set_wakeup_fd(self._write_end.fileno(), warn_on_full_buffer=False)
        self._previous = {n: signal.signal(n, self._remember) for n in (signal.SIGINT, signal.SIGTERM)}

    def release(self) -> None:
        """Put everything back as it was."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._previous_fd)
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._read_end.close()
        self._write_end.close()

    def _remember(self, number: int, _frame: FrameType | None) -> None:
        self.number = number

    def _on_notifier_activated(self) -> None:
        self._read_end.recv(64)
        if self.number is not None:
            self.caught.emit(self.number)
