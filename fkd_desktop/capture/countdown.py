"""Waiting some seconds before something is done, so that the user can get into position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTDOWN_CHOICES_S: Final = (0, 3, 5, 10)
TICK_MS: Final = 1000


class Countdown(QObject):
    """Counts seconds down, then does what it was given."""

    changed = Signal(int)
    """Seconds left; 0 when it is over or cancelled."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._left_s = 0
        self._then: Callable[[], None] | None = None
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_timer_timeout)

    @property
    def left_s(self) -> int:
        """Seconds left; 0 when none is running."""
        return self._left_s

    def start(self, seconds: int, then: Callable[[], None]) -> None:
        """Begin, in place of one that is running; without seconds it is done at once."""
        self.cancel()
        if seconds <= 0:
            then()
            return
        self._left_s, self._then = seconds, then
        self._timer.start()
        self.changed.emit(seconds)

    def cancel(self) -> bool:
        """Forget it; whether one was running."""
        was_running = self._left_s > 0
        self._timer.stop()
        self._left_s, self._then = 0, None
        if was_running:
            self.changed.emit(0)
        return was_running

    @Slot()
    def _on_timer_timeout(self) -> None:
        self._left_s -= 1
        if self._left_s > 0:
            self.changed.emit(self._left_s)
            return
        then = self._then
        self._timer.stop()
        self._then = None
        self.changed.emit(0)
        if then is not None:
            then()
