"""The live loop: frames from a reader, through the pipeline, into the slot that the window paints from. Qt-free.

It runs in a thread of its caller's and never waits for the network to load: until then frames go through as they are.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fkd_desktop.live.pipeline import Pipeline
from fkd_desktop.live.reader import FrameReader
from fkd_desktop.live.result import FrameResult, LiveFrame

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.live.latest import LatestSlot
    from fkd_desktop.live.result import Frame
    from fkd_desktop.live.sources import FrameSource
    from trainer.core.predictor import Predictor

_log = logging.getLogger(__name__)

POLL_S: Final = 0.05
STALL_S: Final = 2.0


@dataclass(frozen=True)
class SourceOpened:
    """The first frame came."""

    label: str
    width: int
    height: int


@dataclass(frozen=True)
class SourceStalled:
    """Nothing came for `STALL_S`; the loop goes on waiting."""

    label: str


@dataclass(frozen=True)
class SourceResumed:
    """After a stall, frames come again."""

    label: str


@dataclass(frozen=True)
class SourceEnded:
    """The source has no more frames."""

    label: str


SessionEvent = SourceOpened | SourceStalled | SourceResumed | SourceEnded


class LiveSession:
    """One run of one source.

    Parameters
    ----------
    make_source
        Makes the source; called in the reader's thread.
    predictor
        Gives the network as soon as it is there, else None; asked for each frame, so it may change between two frames.
    slot
        Where results go.
    on_result
        Called when the slot was empty and its reader needs waking.
    on_event
        Told what happens to the source, in the session's thread.
    """

    def __init__(
        self,
        make_source: Callable[[], FrameSource],
        *,
        predictor: Callable[[], Predictor | None],
        slot: LatestSlot[LiveFrame],
        on_result: Callable[[], None],
        on_event: Callable[[SessionEvent], None],
    ) -> None:
        self._make_source = make_source
        self._predictor = predictor
        self._slot, self._on_result, self._on_event = slot, on_result, on_event
        self._pipeline: Pipeline | None = None
        self._reader: FrameReader | None = None

    @property
    def dropped(self) -> int:
        """Frames that a newer one replaced, before the pipeline or before the screen."""
        return self._slot.dropped + (self._reader.dropped if self._reader else 0)

    def run(self, *, should_stop: Callable[[], bool]) -> None:
        """Go on until the source ends or `should_stop` says so.

        Raises
        ------
        SourceError
            If the source cannot be opened or broke.
        DetectorError
            If faces cannot be looked for.
        """
        with FrameReader(self._make_source) as reader:
            self._reader = reader
            last_s = time.perf_counter()
            last_frame: Frame | None = None
            last_was_annotated = False
            stalled = False
            while not should_stop():
                frame = reader.get(timeout_s=POLL_S)
                if frame is not None:
                    if last_frame is None:
                        height, width = frame.image_bgr.shape[:2]
                        self._on_event(SourceOpened(reader.label, width, height))
                    elif stalled:
                        self._on_event(SourceResumed(reader.label))
                    last_frame, stalled = frame, False
                    last_was_annotated = self._publish(frame)
                    last_s = time.perf_counter()
                    continue
                if last_frame is not None and not last_was_annotated and self._predictor() is not None:
                    # A still picture, or the last frame of a video, that came before the network was there.
                    last_was_annotated = self._publish(last_frame)
                if reader.ended:
                    if last_was_annotated or last_frame is None:
                        self._on_event(SourceEnded(reader.label))
                        return
                    time.sleep(POLL_S)  # `get` has nothing to wait for any more
                elif reader.holds_next:
                    last_s = time.perf_counter()
                elif not stalled and time.perf_counter() - last_s > STALL_S:
                    stalled = True
                    self._on_event(SourceStalled(reader.label))

    def _publish(self, frame: Frame) -> bool:
        """Process a frame and put it into the slot; whether the network was there."""
        predictor = self._predictor()
        if predictor is None:
            result = FrameResult(frame.image_bgr, frame.timestamp_s)
        else:
            if self._pipeline is None:
                self._pipeline = Pipeline(predictor)
            self._pipeline.predictor = predictor
            result = self._pipeline.process(frame.image_bgr, frame.timestamp_s)
        if self._slot.put(LiveFrame(result, frame.captured_s, annotated=predictor is not None)):
            self._on_result()
        return predictor is not None
