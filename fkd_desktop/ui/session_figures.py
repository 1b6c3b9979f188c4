"""What is measured of the session, some times a second in the status bar."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Slot

from fkd_desktop.controller import Controller, SessionState
from fkd_desktop.live.stats import RollingStats
from fkd_desktop.ui.sources.words import slow_text

if TYPE_CHECKING:
    from fkd_desktop.ui.session_bar import SessionBar
    from fkd_desktop.ui.video_view import VideoView

EVERY_MS: Final = 500
_MEASURED: Final = (SessionState.LIVE, SessionState.STALLED)


class SessionFigures(QObject):
    """Collects what was painted when, and shows rate, latency, faces and drops; of a picture that stays, its faces.

    Parameters
    ----------
    controller
        Knows the session's state, its drops and the camera's mode.
    view
        Tells what it painted.
    bar
        Shows the figures.
    """

    def __init__(self, controller: Controller, view: VideoView, bar: SessionBar) -> None:
        super().__init__(view)
        self._controller, self._view, self._bar = controller, view, bar
        self._stats = RollingStats()
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self._on_timer_timeout)
        view.frame_painted.connect(self._on_view_frame_painted)

    def follow(self, state: SessionState) -> None:
        """Measure while there is something to measure."""
        if state is SessionState.OPENING:
            self._stats.clear()
        if state in _MEASURED:
            self._timer.start()
            return
        self._timer.stop()
        live = self._view.live_frame
        if state is SessionState.ENDED and live is not None:
            self._bar.show_picture(faces=len(live.result))
        else:
            self._bar.clear_figures()

    def stop(self) -> None:
        """Measure no longer: the window closes."""
        self._timer.stop()

    @Slot(float, float)
    def _on_view_frame_painted(self, captured_s: float, painted_s: float) -> None:
        self._stats.add(captured_s=captured_s, painted_s=painted_s)

    @Slot()
    def _on_timer_timeout(self) -> None:
        live = self._view.live_frame
        faces = len(live.result) if live else 0
        position = live.position if live else None
        if position is not None and (position.kind == "pictures" or self._controller.playback.paused):
            self._bar.show_picture(faces=faces)
            return
        figures = self._stats.figures(time.perf_counter())
        self._bar.show_figures(figures, faces=faces, dropped=self._controller.dropped)
        if (mode := self._controller.source_mode) is not None and figures is not None:
            self._bar.show_hint(slow_text(mode, figures.frames_per_s))
