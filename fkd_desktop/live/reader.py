"""A thread of its own for a source, so that nobody waits for a camera, a disk or a decoder.

Reading can block in C for as long as a driver likes. The thread is therefore a daemon that is asked to stop and then
left alone: when its call returns, it closes the source and ends.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self

from fkd_desktop.errors import SourceError
from fkd_desktop.live.latest import LatestSlot

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.live.result import Frame
    from fkd_desktop.live.sources import FrameSource

_log = logging.getLogger(__name__)

MAX_LATE_S: Final = 0.25
"""Later than this, a paced source goes on from now instead of rushing through what it missed."""


class FrameReader:
    """Opens a source, reads it, and keeps the newest frame.

    Parameters
    ----------
    make_source
        Makes the source, in the reader's thread; its `SourceError` is handed on like one of the source's.
    every_frame
        Wait for each frame to be taken instead of pacing and dropping: for files that are worked through.
    """

    def __init__(self, make_source: Callable[[], FrameSource], *, every_frame: bool = False) -> None:
        self._make_source = make_source
        self._every_frame = every_frame
        self._slot: LatestSlot[Frame] = LatestSlot()
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._error: SourceError | None = None
        self._label = ""
        self._holds_next = False
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
    def holds_next(self) -> bool:
        """Whether the next frame is there and only waits for its time: a picture that stays is no stall."""
        return self._holds_next

    @property
    def label(self) -> str:
        """What the user calls the source; empty until it is known."""
        return self._label

    @property
    def dropped(self) -> int:
        """Frames that a newer one replaced before they were taken."""
        return self._slot.dropped

    def _run(self) -> None:
        source: FrameSource | None = None
        try:
            source = self._make_source()
            self._label = source.label
            source.open()
            self._read_all(source)
        except SourceError as error:
            self._error = error
        except Exception as error:
            _log.exception("reading %s failed", self._label or "the source")
            self._error = SourceError(f"{self._label or 'the source'} cannot be read ({error}); see the log")
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
        start_s: float | None = None
        while not self._stop.is_set():
            frame = source.read()
            if frame is None:
                return
            if self._every_frame:
                while not self._slot.wait_empty(timeout_s=0.1) and not self._stop.is_set():
                    pass
            elif not source.is_live:
                now_s = time.perf_counter()
                if start_s is None or now_s - (start_s + frame.timestamp_s) > MAX_LATE_S:
                    start_s = now_s - frame.timestamp_s
                self._holds_next = True
                if self._stop.wait(max(0.0, start_s + frame.timestamp_s - now_s)):
                    return
                frame = _captured_now(frame)
            if not self._stop.is_set():
                self._slot.put(frame)
            self._holds_next = False


def _captured_now(frame: Frame) -> Frame:
    """Stamp a file's frame: it is "captured" when it is due, not when it was decoded ahead of time."""
    return replace(frame, captured_s=time.perf_counter())
