"""The recording's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QThread, Signal

from fkd_desktop.errors import OutputError
from fkd_desktop.i18n import translated
from fkd_desktop.workers.recording import Recording, RecordingOutcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from fkd_desktop.live.result import FrameResult, LiveFrame


class RecorderThread(QThread):
    """Paints and encodes what it is offered, at the times of capture; it never makes the session wait.

    Stop it with `stop` and wait: it writes the at most `recording.QUEUE_FRAMES` frames that it has, and the index.

    Parameters
    ----------
    place
        Gives the film's path, in the thread, for as long as it is written; it may raise `OutputError`.
    look, paint
        See `Recording`.
    """

    progressed = Signal(float, object, int)
    """Seconds of film, bytes of file (which are too many for Qt's int after 2 GB), frames dropped."""
    saved = Signal(str, float)
    """The film's path and its seconds; it comes after `failed`, too, where something was kept."""
    failed = Signal(str)
    """A sentence for the user."""

    def __init__(
        self,
        place: Callable[[], AbstractContextManager[Path]],
        *,
        look: Callable[[], Any],
        paint: Callable[[FrameResult, Any], NDArray[np.uint8]],
    ) -> None:
        super().__init__()
        self.setObjectName("recorder")
        self._place = place
        self._recording = Recording(look=look, paint=paint)
        self.outcome: RecordingOutcome | None = None
        """How it ended; None until then, or where it could not begin."""

    def offer(self, live: LiveFrame) -> None:
        """Take a frame if there is room; see `Sink`."""
        self._recording.offer(live)

    def stop(self) -> None:
        """End the film; returns at once."""
        self.requestInterruption()
        self._recording.close()

    def run(self) -> None:
        """Record until `stop` or a failure."""
        try:
            with self._place() as path:
                self.outcome = self._recording.run(path, on_progress=self.progressed.emit)
        except OutputError as error:
            self._recording.close()
            self.failed.emit(translated(error))
            return
        if self.outcome.error is not None:
            self.failed.emit(translated(self.outcome.error))
        if self.outcome.path is not None:
            self.saved.emit(str(self.outcome.path), self.outcome.duration_s)
