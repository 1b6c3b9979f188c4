"""The live loop: frames from a reader, through the pipeline, into the slot that the window paints from. Qt-free.

It runs in a thread of its caller's and never waits for the network to load: until then frames go through as they are. A
camera or stream that is not there, or goes away, is tried again until it comes or the caller stops.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from fkd_desktop.errors import SourceError, SourceProblem
from fkd_desktop.live.darkness import DarknessWatch
from fkd_desktop.live.events import (
    DeviceFailed,
    SessionEvent,
    SourceDarkened,
    SourceEnded,
    SourceOpened,
    SourceResumed,
    SourceStalled,
    SourceTroubled,
)
from fkd_desktop.live.pipeline import Pipeline
from fkd_desktop.live.reader import FrameReader
from fkd_desktop.live.recovery import Recovery
from fkd_desktop.live.result import FrameResult, LiveFrame
from fkd_desktop.live.search import SearchBeside
from fkd_desktop.live.sinks import SinkSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.live.latest import LatestSlot
    from fkd_desktop.live.playback import Playback
    from fkd_desktop.live.recovery import Trouble
    from fkd_desktop.live.result import Frame
    from fkd_desktop.live.sources import FrameSource
    from trainer.core.predictor import Predictor

_log = logging.getLogger(__name__)

POLL_S: Final = 0.05
STALL_S: Final = 2.0
GIVE_UP_S: Final = 10.0
"""A camera that was silent for this long is opened anew."""
MOST_LEFT_BEHIND: Final = 3
"""While so many readers hang in calls that do not return, no more are sent after them."""
LONGEST_TURN_S: Final = 0.5
"""Of a longer turn of the loop only this counts as silence: the computer slept, and nobody waited."""


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
    playback
        Pauses, moves and paces a source that can be moved in.
    sinks
        Get every result that is new.
    prepare
        Called with the pipeline before each frame, to set what may change between two of them.
    """

    def __init__(
        self,
        make_source: Callable[[], FrameSource],
        *,
        predictor: Callable[[], Predictor | None],
        slot: LatestSlot[LiveFrame],
        on_result: Callable[[], None],
        on_event: Callable[[SessionEvent], None],
        playback: Playback | None = None,
        sinks: SinkSet | None = None,
        prepare: Callable[[Pipeline], None] = lambda _pipeline: None,
    ) -> None:
        self._make_source = make_source
        self._predictor, self._prepare = predictor, prepare
        self._slot, self._on_result, self._on_event = slot, on_result, on_event
        self._playback, self._sinks = playback, sinks or SinkSet()
        self._pipeline: Pipeline | None = None
        self._search: SearchBeside | None = None
        self._reader: FrameReader | None = None
        self._readers: list[FrameReader] = []
        self._recovery = Recovery()
        self._retry_now = threading.Event()
        self._dropped_before = 0
        self._label = ""
        self._was_live = False
        self._last: Frame | None = None
        self._last_predictor: Predictor | None = None
        self._broken_predictor: Predictor | None = None

    @property
    def dropped(self) -> int:
        """Frames that came in vain: damaged, or replaced by a newer one before the pipeline or before the screen."""
        return self._slot.dropped + self._dropped_before + (self._reader.dropped if self._reader else 0)

    def retry_now(self) -> None:
        """Do not wait for the next try to open the source: something was plugged in. Any thread may call this."""
        self._retry_now.set()

    def run(self, *, should_stop: Callable[[], bool]) -> None:
        """Go on until the source ends or `should_stop` says so.

        Raises
        ------
        SourceError
            If the source cannot be opened or broke, and trying again cannot help.
        DetectorError
            If faces cannot be looked for.
        """
        try:
            self._run(should_stop)
        finally:
            if self._search is not None:
                self._search.close()

    def _run(self, should_stop: Callable[[], bool]) -> None:
        while not should_stop():
            try:
                self._follow(should_stop)
                return
            except SourceError as error:
                if not error.problem.may_pass:
                    raise
                trouble = self._recovery.failed(error)
                level = logging.DEBUG if trouble is None else logging.INFO
                _log.log(level, "%s: %s", error.problem.name.lower(), error)
                self._tell_trouble(trouble, error)
                self._wait_to_retry(should_stop)
                if not should_stop():
                    self._tell_trouble(self._recovery.retries(), error)

    def _tell_trouble(self, trouble: Trouble | None, error: SourceError) -> None:
        if trouble is not None:
            self._on_event(SourceTroubled(self._label, trouble, error))

    def _wait_to_retry(self, should_stop: Callable[[], bool]) -> None:
        deadline_s = time.perf_counter() + self._recovery.pause_s
        while not should_stop() and not self._retry_now.wait(POLL_S):
            hanging = sum(reader.is_alive for reader in self._readers)
            if time.perf_counter() >= deadline_s and hanging < MOST_LEFT_BEHIND:
                break
        self._readers = [reader for reader in self._readers if reader.is_alive]
        self._retry_now.clear()

    def _follow(self, should_stop: Callable[[], bool]) -> None:
        """Open the source and publish what it gives, until it ends or breaks."""
        with FrameReader(self._make_source, playback=self._playback) as reader:
            self._reader = reader
            self._readers.append(reader)
            try:
                self._follow_reader(reader, should_stop)
            finally:
                if not self._was_live:
                    self._label = reader.label or self._label
                self._dropped_before += reader.dropped
                self._reader = self._last = None
                if self._pipeline is not None:
                    self._pipeline.reset()

    def _follow_reader(self, reader: FrameReader, should_stop: Callable[[], bool]) -> None:
        silent_s, before_s = 0.0, time.perf_counter()
        stalled = ended = False
        darkness = DarknessWatch()
        while not should_stop():
            frame = reader.get(timeout_s=POLL_S)
            if frame is not None:
                self._tell_live(frame, reader, was_waiting=stalled or ended)
                stalled = ended = False
                self._publish(frame, is_new=True)
                is_live = reader.source is not None and reader.source.is_live
                if is_live and darkness.look(frame.image_bgr, frame.timestamp_s):
                    self._on_event(SourceDarkened(reader.label, darkness.is_dark))
                silent_s, before_s = 0.0, time.perf_counter()
                continue
            now_s = time.perf_counter()
            silent_s, before_s = silent_s + min(now_s - before_s, LONGEST_TURN_S), now_s
            if self._last is not None and self._predictor() is not self._last_predictor:
                # It stays on the screen, and came before the network was there or before there was another one.
                self._publish(self._last, is_new=False)
            if reader.ended and self._is_done:
                self._on_event(SourceEnded(reader.label))
                return
            if reader.waits_at_end and not ended:
                ended = True
                self._on_event(SourceEnded(reader.label))
            elif reader.ended:
                time.sleep(POLL_S)  # `get` has nothing to wait for any more
            elif reader.holds_next or reader.waits_at_end:
                silent_s = 0.0
            elif not stalled and silent_s > STALL_S:
                stalled = True
                self._on_event(SourceStalled(reader.label))
            elif stalled and silent_s > GIVE_UP_S and reader.source is not None and reader.source.is_live:
                raise SourceError(
                    "{name} has sent no pictures for {seconds:.0f} seconds; it is opened again, and if that does not "
                    "help, check its cable",
                    name=reader.label,
                    seconds=silent_s,
                    problem=SourceProblem.LOST,
                )

    @property
    def _is_done(self) -> bool:
        """Whether the last frame need not be annotated any more."""
        return self._last is None or self._last_predictor is not None

    def _tell_live(self, frame: Frame, reader: FrameReader, *, was_waiting: bool) -> None:
        self._label = label = reader.label
        was_in_trouble = self._recovery.went_live()
        if not self._was_live:
            height, width = frame.image_bgr.shape[:2]
            mode = reader.source.mode if reader.source else None
            self._on_event(SourceOpened(label, width, height, mode))
        elif was_waiting or was_in_trouble:
            self._on_event(SourceResumed(label))
        self._was_live = True

    def _publish(self, frame: Frame, *, is_new: bool) -> None:
        """Process a frame and put it into the slot; hand it to the sinks if it is a new one."""
        was_moved = is_new and (frame.is_still or self._was_moved(frame))
        self._last, self._last_predictor = frame, self._predictor()
        if was_moved:  # seen at once: to look for faces takes a moment
            self._put(_live(frame, None))
        live = _live(frame, self._process(frame, self._last_predictor))
        self._put(live)
        if is_new:
            self._sinks.offer(live)

    def _was_moved(self, frame: Frame) -> bool:
        """Whether the user went somewhere else in a video: time fell, or jumped by more than a second."""
        step_s = frame.timestamp_s - self._last.timestamp_s if self._last is not None else 0.0
        return frame.position is not None and not 0 <= step_s <= 1

    def _put(self, live: LiveFrame) -> None:
        if self._slot.put(live):
            self._on_result()

    def _process(self, frame: Frame, predictor: Predictor | None) -> FrameResult | None:
        """Find the faces; None while there is no network that works."""
        if predictor is None or predictor is self._broken_predictor:
            return None
        if self._pipeline is None:
            self._search = SearchBeside()
            self._pipeline = Pipeline(predictor, search=self._search)
        self._pipeline.predictor = predictor
        self._prepare(self._pipeline)
        process = self._pipeline.process_still if frame.is_still else self._pipeline.process
        try:
            return process(frame.image_bgr, frame.timestamp_s)
        except RuntimeError as error:  # what torch raises for a GPU that is full, lost or reset
            device = predictor.device
            if device == "cpu":
                raise
            _log.exception("the network failed on %s", device)
            self._broken_predictor = predictor
            self._on_event(DeviceFailed(self._label, device, str(error).partition("\n")[0]))
            return None


def _live(frame: Frame, result: FrameResult | None) -> LiveFrame:
    return LiveFrame(
        result if result is not None else FrameResult(frame.image_bgr, frame.timestamp_s),
        frame.captured_s,
        annotated=result is not None,
        position=frame.position,
    )
