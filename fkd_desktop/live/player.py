"""Playing a file: its frames at their times, and wherever the user moves."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.live.playback import Move, Playback
    from fkd_desktop.live.result import Frame
    from fkd_desktop.live.sources import FrameSource

MAX_LATE_S: Final = 0.25
"""Later than this, a paced source goes on from now instead of rushing through what it missed."""


class Player:
    """Reads one source until there are no more frames, or it is told to stop.

    Parameters
    ----------
    source
        Open, and not live.
    playback
        How fast, and where to.
    waits
        Whether to wait for the user at the end of a video and at each picture, where one can move in the source; else
        it is read to its end at its own pace.
    put
        Gets each frame when it is due.
    should_stop
        Asked often; to be heard at once, wake the playback.
    """

    def __init__(
        self,
        source: FrameSource,
        playback: Playback,
        *,
        waits: bool,
        put: Callable[[Frame], None],
        should_stop: Callable[[], bool],
    ) -> None:
        self._source, self._playback, self._put, self._should_stop = source, playback, put, should_stop
        self._can_move = waits and source.can_seek
        self._clock = _Clock()
        self._shown: Frame | None = None
        self._held: Frame | None = None  # the next one, read ahead of its time
        self._is_awaited = True  # it is shown at once, also while paused
        self.is_holding = False

    def run(self) -> None:
        """Play.

        Raises
        ------
        SourceError
            If the source broke.
        """
        if self._can_move and self._source.loop:
            self._playback.set_loop(True)
        while not self._should_stop():
            changes = self._playback.changes  # before all that is asked below, so that no change is slept through
            if self._can_move:
                self._move()
            if self._stays_on_picture():
                self._hold(changes)
            elif self._read_ahead():
                self._show_when_due(changes)
            elif self._shown is None or not self._can_move:
                return
            elif self._playback.come_to_end():
                self._hold(changes)

    def _move(self) -> None:
        move = self._playback.take_move()
        if move is not None:
            self._held = self._go(move)
            self._is_awaited = True

    def _go(self, move: Move) -> Frame | None:
        """Move in the source; return the frame that is then the next one if it was read already."""
        here = self._shown
        if not move.is_relative:
            self._source.seek(time_s=move.time_s, index=move.index)
            if move.by == 0:
                return None
            here = self._source.read()  # only the source knows which frame that is
        target = max(0, (_index(here) or 0) + move.by)
        if move.is_relative and _index(self._held) == target:
            return self._held
        self._source.seek(index=target)
        return None

    def _stays_on_picture(self) -> bool:
        return self._can_move and not self._is_awaited and self._shown is not None and self._shown.is_still

    def _read_ahead(self) -> bool:
        """Have the next frame; false if there is none."""
        if self._held is None:
            if self._can_move:
                self._source.loop = self._playback.loop
            self._held = self._source.read()
            if self._held is not None:
                self._playback.leave_end()
        return self._held is not None

    def _show_when_due(self, changes: int) -> None:
        """Show the frame that is held, unless something changes before its time has come."""
        assert self._held is not None
        paused = self._playback.paused and self._can_move
        self._clock.run(0.0 if paused else self._playback.speed)
        wait_s = 0.0
        if not self._is_awaited:
            if paused:
                self._hold(changes)
                return
            wait_s = self._clock.seconds_until(self._held.timestamp_s)
            if wait_s > 0 and self._hold(changes, timeout_s=wait_s):
                return
        if self._is_awaited or wait_s < -MAX_LATE_S:
            self._clock.jump(self._held.timestamp_s)
        # It is "captured" when it is due, not when it was decoded ahead of time.
        self._shown = replace(self._held, captured_s=time.perf_counter())
        self._held, self._is_awaited, self.is_holding = None, False, False
        if not self._should_stop():
            self._put(self._shown)

    def _hold(self, changes: int, *, timeout_s: float | None = None) -> bool:
        """Wait for the user or the clock; whether it was the user."""
        self.is_holding = True
        return self._playback.wait_for_change(changes, timeout_s=timeout_s)


class _Clock:
    """The time of a video, which may run quicker or slower than the real one, or stand still."""

    def __init__(self) -> None:
        self._real_s, self._video_s, self._speed = time.perf_counter(), 0.0, 0.0

    def run(self, speed: float) -> None:
        """Go on from now at this many seconds of the video a second."""
        if speed != self._speed:
            now_s = time.perf_counter()
            self._video_s += (now_s - self._real_s) * self._speed
            self._real_s, self._speed = now_s, speed

    def jump(self, video_s: float) -> None:
        """Make it this late now."""
        self._real_s, self._video_s = time.perf_counter(), video_s

    def seconds_until(self, video_s: float) -> float:
        """Real seconds until the video's time is this, negative if it was; the clock must run."""
        return self._real_s + (video_s - self._video_s) / self._speed - time.perf_counter()


def _index(frame: Frame | None) -> int | None:
    return frame.position.index if frame is not None and frame.position is not None else None
