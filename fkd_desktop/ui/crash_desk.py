"""Faults of the program itself: one dialog for exceptions that nobody caught, and a notice of the last crash."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction

from fkd_desktop.crashes import MOST_KINDS, Mishap, read_trace

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    from fkd_desktop.ui.crash_dialog import CrashDialog
    from fkd_desktop.ui.main_window import MainWindow

CALM_MS: Final = 200
"""How often the dialog is brought up to date at most, however many exceptions there are."""


class CrashDesk(QObject):
    """Gathers exceptions from all threads, and shows them when there is a window.

    The session goes on behind the dialog. What was read and closed does not come back; another exception does.
    """

    _arrived = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._window: MainWindow | None = None
        self._lock = threading.Lock()
        self._mishaps: dict[Hashable, Mishap] = {}
        self._is_told = False
        self._dialog: CrashDialog | None = None
        self._timer = QTimer(self, singleShot=True, interval=CALM_MS)
        self._timer.timeout.connect(self._on_timer_timeout)
        self._arrived.connect(self._timer.start, Qt.ConnectionType.QueuedConnection)

    def take(self, mishap: Mishap) -> None:
        """Take an exception, in whichever thread it was raised."""
        with self._lock:
            known = self._mishaps.get(mishap.kind)
            if known is None and len(self._mishaps) >= MOST_KINDS:
                return
            self._mishaps[mishap.kind] = (
                mishap if known is None else Mishap(mishap.kind, known.summary, known.trace, mishap.count)
            )
            is_told, self._is_told = self._is_told, True
        if not is_told:
            self._arrived.emit()

    def attach(self, window: MainWindow) -> None:
        """Show exceptions over this window, also those that were taken before it was there."""
        self._window = window
        self._timer.start()

    def offer(self, trace_path: Path) -> None:
        """Say once that the program crashed, with the way to what is known of it."""
        assert self._window is not None
        show = QAction(self.tr("Show log"), self)
        show.triggered.connect(lambda: self._show_trace(trace_path))
        self._window.notices.show("crash", self.tr("FKD Desktop ended unexpectedly last time"), show)

    def end(self) -> None:
        """Show nothing more: the application ends."""
        self._window = None
        self._timer.stop()

    @Slot()
    def _on_timer_timeout(self) -> None:
        with self._lock:
            mishaps, self._is_told = list(self._mishaps.values()), False
        if self._window is None or not mishaps:
            return
        if self._dialog is None:
            from fkd_desktop.ui.crash_dialog import CrashDialog  # noqa: PLC0415 (hopefully never)

            self._dialog = CrashDialog(self._window)
        self._dialog.show_mishaps(mishaps)

    def _show_trace(self, path: Path) -> None:
        from fkd_desktop.ui.crash_dialog import CrashDialog  # noqa: PLC0415 (hopefully never)

        assert self._window is not None
        dialog = CrashDialog(self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show_crash(read_trace(path))
