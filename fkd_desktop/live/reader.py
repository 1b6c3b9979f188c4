"""A thread of its own for a source, so that nobody waits for a camera, a disk or a decoder.

Reading can block in C for as long as a driver likes. The thread is therefore a daemon that is asked to stop and then
left alone: when its call returns, it closes the source and ends.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Self

from fkd_desktop.errors import SourceError
from fkd_desktop.live.latest import LatestSlot
from fkd_desktop.live.playback import Playback
from fkd_desktop.live.player import Player
from trainer.core.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.live.result import Frame
    from fkd_desktop.live.sources import FrameSource

_log = logging.getLogger(__name__)


class FrameReader:
    """Opens a source, reads it, and keeps the newest frame.

    Parameters
    ----------
    make_source
        Makes the source, in the reader's thread; its `SourceError` is handed on like one of the source's.
    every_frame
        Wait for each frame to be taken instead of pacing and dropping: for files that are worked through. Playback is
        not asked then.
    playback
        How the user moves in the source, if it can be moved in. With it, a video waits at its end instead of ending,
        and a picture stays until another one is wished for; without it, a source is read to its end.
    """

    def __init__(
        self, make_source: Callable[[], FrameSource], *, every_frame: bool = False, playback: Playback | None = None
    ) -> None:
        self._make_source = make_source
        self._every_frame = every_frame
        self._is_played = playback is not None
        self._playback = playback or Playback()
        self._slot: LatestSlot[Frame] = LatestSlot()
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._error: SourceError | None = None
        self._label = ""
        self._source: FrameSource | None = None
        self._player: Player | None = None
        self._thread = threading.Thread(target=self._run, name="frame-reader", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self, *, timeout_s: float = 1.0) -> bool:
        """Ask the thread to stop and wait that long for it; false if it hangs in a call and was left alone."""
        self._stop.set()
        self._slot.take()  # whoever waits for the slot to be empty goes on
        self._playback.wake()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            _log.warning("%s does not answer; its reader was left to end by itself", self._label)
            return False
        return True

    def get(self, *, timeout_s: float) -> Frame | None:
        """Take the newest frame, waiting up to `timeout_s` for one.

        Raises
        ------
        SourceError
            If the source broke, once all of its frames were taken.
        """
        has_ended = self._ended.is_set()  # asked first: what ends while we wait may leave a last frame
        frame = self._slot.take(timeout_s=0.0 if has_ended else timeout_s)
        if frame is None and has_ended and self._error is not None:
            raise self._error
        return frame

    @property
    def ended(self) -> bool:
        """Whether the source has no more frames and all of them were taken; false if it broke, which `get` raises."""
        return self._ended.is_set() and self._error is None and self._slot.wait_empty(timeout_s=0)

    @property
    def is_alive(self) -> bool:
        """Whether its thread has not ended: after `close`, it hangs in a call."""
        return self._thread.is_alive()

    @property
    def holds_next(self) -> bool:
        """Whether the reader waits for a frame's time, or for the user: a picture that stays is no stall."""
        player = self._player
        return player is not None and player.is_holding

    @property
    def waits_at_end(self) -> bool:
        """Whether a video came to its end and waits for the user to move in it or to resume."""
        return self._is_played and self._playback.at_end

    @property
    def source(self) -> FrameSource | None:
        """The source, once it is made, to ask what it is; only the reader's thread reads it."""
        return self._source

    @property
    def label(self) -> str:
        """What the user calls the source; empty until it is known."""
        return self._label

    @property
    def dropped(self) -> int:
        """Frames that came and were not taken: a newer one replaced them, or they were damaged."""
        source = self._source
        return self._slot.dropped + (source.damaged if source is not None else 0)

    def _run(self) -> None:
        source: FrameSource | None = None
        try:
            source = self._source = self._make_source()
            self._label = source.label
            source.open()
            self._label = source.label  # which it may know only now
            self._read_all(source)
        except SourceError as error:
            self._error = error
        except Exception as error:
            _log.exception("reading %s failed", self._label or "the source")
            self._error = SourceError(
                "{name} cannot be read ({reason}); see the log", name=self._label or Text("the source"), reason=error
            )
        finally:
            self._ended.set()
            if source is not None:
                self._close(source)

    def _close(self, source: FrameSource) -> None:
        try:
            source.close()
        except Exception:  # its frames are there: nothing that the user could do about it
            _log.exception("closing %s failed", self._label)

    def _read_all(self, source: FrameSource) -> None:
        if self._every_frame:
            self._hand_over(source)
        elif source.is_live:
            self._pass_on(source)
        else:
            self._player = Player(
                source, self._playback, waits=self._is_played, put=self._put, should_stop=self._stop.is_set
            )
            try:
                self._player.run()
            finally:
                self._player = None  # it holds this reader, and the two of them the last frames

    def _hand_over(self, source: FrameSource) -> None:
        while not self._stop.is_set() and (frame := source.read()) is not None:
            while not self._slot.wait_empty(timeout_s=0.1) and not self._stop.is_set():
                pass
            self._put(frame)

    def _pass_on(self, source: FrameSource) -> None:
        while not self._stop.is_set() and (frame := source.read()) is not None:
            self._put(frame)

    def _put(self, frame: Frame) -> None:
        if not self._stop.is_set():
            self._slot.put(frame)
