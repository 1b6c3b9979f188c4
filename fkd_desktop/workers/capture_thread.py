"""The capture loop's thread."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QThread, Signal

from fkd_desktop.i18n import translated
from fkd_desktop.live.latest import LatestSlot
from fkd_desktop.live.session import LiveSession
from trainer.core.errors import FkdError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.live.pipeline import Pipeline
    from fkd_desktop.live.playback import Playback
    from fkd_desktop.live.result import LiveFrame
    from fkd_desktop.live.sinks import SinkSet
    from fkd_desktop.live.sources import FrameSource
    from trainer.core.predictor import Predictor

_log = logging.getLogger(__name__)


class CaptureThread(QThread):
    """Runs one `LiveSession`. Stop it with `requestInterruption` and wait; it ends within about a second.

    Frames never travel in signals: `frame_ready` only says that the slot is no longer empty.
    """

    frame_ready = Signal()
    session_event = Signal(object)
    failed = Signal(str)

    def __init__(
        self,
        make_source: Callable[[], FrameSource],
        *,
        predictor: Callable[[], Predictor | None],
        playback: Playback | None = None,
        sinks: SinkSet | None = None,
        prepare: Callable[[Pipeline], None] = lambda _pipeline: None,
    ) -> None:
        super().__init__()
        self.setObjectName("capture")
        self.slot: LatestSlot[LiveFrame] = LatestSlot()
        self._session = LiveSession(
            make_source,
            predictor=predictor,
            slot=self.slot,
            on_result=self.frame_ready.emit,
            on_event=self.session_event.emit,
            playback=playback,
            sinks=sinks,
            prepare=prepare,
        )

    def retry_now(self) -> None:
        """See `LiveSession.retry_now`."""
        self._session.retry_now()

    @property
    def dropped(self) -> int:
        """Frames that came and were never painted, because a newer one was there first."""
        return self._session.dropped

    def run(self) -> None:
        """Run the session; every error ends as `failed` with one sentence."""
        try:
            self._session.run(should_stop=self.isInterruptionRequested)
        except FkdError as error:
            self.failed.emit(translated(error))
        except Exception as error:
            _log.exception("the capture thread failed")
            self.failed.emit(
                self.tr("the live session failed ({0}); start it again, details are in the log").format(error)
            )
