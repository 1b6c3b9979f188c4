"""Work that takes longer than a click may: in a thread of its own, with progress and an end."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Final

from PySide6.QtCore import QObject, Signal, Slot

from fkd_desktop.i18n import translated
from trainer.core.errors import FkdError

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)

TELL_EVERY_S: Final = 0.05
"""Progress that comes faster is left out, so that the GUI thread's queue never fills."""


class Job(QObject):
    """One call of a function in a thread of its own.

    The thread is a daemon, not a QThread: an import of torch or a slow disk cannot be interrupted, and an application
    that is closed meanwhile does not wait for it. Signals reach the thread that made the job.

    Parameters
    ----------
    name
        What is done, for the log and for a failure's sentence; of the thread too.
    work
        Called with the job, for `tell` and `should_stop`; what it returns goes out with `succeeded`.
    """

    progressed = Signal(object)
    """What `tell` was called with. After `cancel` no signal comes any more."""
    succeeded = Signal(object)
    """What the work returned."""
    failed = Signal(str)
    """A sentence for the user."""
    _arrived = Signal(object, object)

    _unfinished: ClassVar[set[Job]] = set()
    """Holds on to jobs whose owners let go of them: a QObject must not die in another thread than its own."""

    def __init__(self, name: str, work: Callable[[Job], Any]) -> None:
        super().__init__()
        self._name, self._work = name, work
        self._cancelled = threading.Event()
        self._told_s = -TELL_EVERY_S
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._arrived.connect(self._on_arrived)

    def start(self) -> None:
        """Begin."""
        self._unfinished.add(self)
        self._thread.start()

    def cancel(self) -> None:
        """Ask the work to stop; from now on the job tells nothing."""
        self._cancelled.set()

    def should_stop(self) -> bool:
        """Whether `cancel` was called; for the work to ask."""
        return self._cancelled.is_set()

    def tell(self, progress: object) -> None:
        """Report progress from the work; some is left out where it comes too fast."""
        now_s = time.monotonic()
        if now_s - self._told_s >= TELL_EVERY_S:
            self._told_s = now_s
            self._send(self.progressed, progress)

    @property
    def is_running(self) -> bool:
        """Whether the thread has not ended yet."""
        return self._thread.is_alive()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the thread to end; whether it did."""
        self._thread.join(timeout_s)
        return not self.is_running

    def _run(self) -> None:
        try:
            result = self._work(self)
        except FkdError as error:
            if not self.should_stop():
                _log.error("%s: %s", self._name, error)
            self._send(self.failed, translated(error))
        except Exception as error:
            _log.exception("%s failed", self._name)
            self._send(
                self.failed,
                self.tr("{0} failed unexpectedly ({1}); details are in the log").format(translated(self._name), error),
            )
        else:
            self._send(self.succeeded, result)

    def _send(self, signal: Any, argument: object) -> None:
        with suppress(RuntimeError):  # the application was closed meanwhile, and the signal's owner with it
            self._arrived.emit(signal, argument)

    @Slot(object, object)
    def _on_arrived(self, signal: Any, argument: object) -> None:
        if signal is not self.progressed:
            self._unfinished.discard(self)
        if not self.should_stop():
            signal.emit(argument)
        if signal is not self.progressed:
            self.deleteLater()  # its connections may hold it, and what it returned: they would keep it for good
