"""The landmark export of the running session: starting, following and ending its thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal, Slot

from fkd_desktop.workers.export_thread import ExportThread

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from fkd_desktop.live.export import ExportFormat
    from fkd_desktop.live.sinks import SinkSet

END_TIMEOUT_S: Final = 3.0


class SessionExport(QObject):
    """Writes what a session finds from `start` to `stop`, whatever source the session has meanwhile.

    Parameters
    ----------
    sinks
        Of the session.
    """

    running_changed = Signal(bool)
    progressed = Signal(int)
    """Frames written so far."""
    saved = Signal(object)
    """An `ExportSummary`."""
    failed = Signal(str)
    """A sentence. What was written before is kept."""

    def __init__(self, sinks: SinkSet, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sinks = sinks
        self._thread: ExportThread | None = None

    @property
    def is_running(self) -> bool:
        """Whether an export goes on, or is just writing its last rows."""
        return self._thread is not None

    def start(self, folder: Path, stem: str, formats: Collection[ExportFormat]) -> None:
        """Begin; nothing happens if one is running. See `ExportThread`."""
        if self._thread is not None or not formats:
            return
        self._thread = thread = ExportThread(folder, stem, formats)
        thread.progressed.connect(self.progressed)
        thread.saved.connect(self._on_thread_saved)
        thread.failed.connect(self._on_thread_failed)
        thread.start()
        self._sinks.add(thread)
        self.running_changed.emit(True)

    def stop(self) -> None:
        """Ask it to end; `saved` tells when all is written."""
        if self._thread is not None:
            self._sinks.remove(self._thread)
            self._thread.stop()

    def shut_down(self) -> bool:
        """End it and wait for its last rows, as the application leaves; false if the disk does not answer."""
        thread = self._thread
        self.stop()
        self._thread = None
        return thread is None or thread.wait(round(1000 * END_TIMEOUT_S))

    @Slot(object)
    def _on_thread_saved(self, summary: object) -> None:
        self._end()
        self.saved.emit(summary)

    @Slot(str)
    def _on_thread_failed(self, sentence: str) -> None:
        self._end()
        self.failed.emit(sentence)

    def _end(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._sinks.remove(thread)
            thread.wait()  # its last word was said: it returns at once
            self.running_changed.emit(False)
