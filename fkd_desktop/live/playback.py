"""How the user moves in a video or a folder of pictures: wishes from any thread, taken by the reader's.

Wishes that come quicker than they can be fulfilled, as from a dragged slider, become one: the newest place counts, and
steps add up.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace
from typing import Final

MIN_SPEED: Final = 0.25
MAX_SPEED: Final = 4.0


@dataclass(frozen=True)
class Move:
    """Where to go.

    Attributes
    ----------
    time_s, index
        The place; at most one of them, and none for where one is.
    by
        So many frames or pictures on from there.
    """

    time_s: float | None = None
    index: int | None = None
    by: int = 0

    @property
    def is_relative(self) -> bool:
        """Whether it counts from where one is."""
        return self.time_s is None and self.index is None


class Playback:
    """The state of playing one source; every method may be called from any thread, and returns at once.

    Parameters
    ----------
    paused, loop
        The state to begin with. When paused, the first frame is shown.
    speed
        How many seconds of the video pass in a second.
    """

    def __init__(self, *, paused: bool = False, speed: float = 1.0, loop: bool = False) -> None:
        self._changed = threading.Condition()
        self._paused, self._speed, self._loop = paused, _clamped(speed), loop
        self._move: Move | None = None
        self._at_end = False
        self._changes = 0

    @property
    def paused(self) -> bool:
        """Whether the last frame stays."""
        with self._changed:
            return self._paused

    @property
    def speed(self) -> float:
        """Seconds of the video a second."""
        with self._changed:
            return self._speed

    @property
    def loop(self) -> bool:
        """Whether a video starts again at its end."""
        with self._changed:
            return self._loop

    @property
    def at_end(self) -> bool:
        """Whether the last frame was given and nothing comes until the user moves or resumes."""
        with self._changed:
            return self._at_end

    def pause(self) -> None:
        """Stay on the frame that is shown."""
        with self._changed:
            self._paused = True
            self._tell()

    def resume(self) -> None:
        """Play on; at the end, from the start."""
        with self._changed:
            if self._at_end:
                self._go(Move(index=0))
            self._paused = False
            self._tell()

    def toggle(self) -> None:
        """Resume when paused or at the end, else pause."""
        with self._changed:
            if self._paused or self._at_end:
                self.resume()
            else:
                self.pause()

    def set_speed(self, speed: float) -> None:
        """Play faster or slower, within `MIN_SPEED` and `MAX_SPEED`; raise ValueError for what is no number."""
        with self._changed:
            self._speed = _clamped(speed)
            self._tell()

    def set_loop(self, on: bool) -> None:
        """Start again at the end, or not."""
        with self._changed:
            self._loop = on
            self._tell()

    def seek(self, time_s: float) -> None:
        """Go to the frame nearest to a time of the video, and show it also while paused."""
        with self._changed:
            self._go(Move(time_s=max(0.0, time_s)))
            self._tell()

    def go_to(self, index: int) -> None:
        """Go to a frame or picture by its number from 0, and show it also while paused."""
        with self._changed:
            self._go(Move(index=max(0, index)))
            self._tell()

    def step(self, by: int) -> None:
        """Pause, and go so many frames or pictures on (or back, if negative); the first and last one are the limits."""
        with self._changed:
            move = self._move or Move()
            self._go(replace(move, by=move.by + by))
            self._paused = True
            self._tell()

    # --- for the reader

    @property
    def changes(self) -> int:
        """A number that grows with everything that happens here: see `wait_for_change`."""
        with self._changed:
            return self._changes

    @property
    def has_move(self) -> bool:
        """Whether there is a wish to go somewhere."""
        with self._changed:
            return self._move is not None

    def take_move(self) -> Move | None:
        """Take the wish to go somewhere, if there is one."""
        with self._changed:
            move, self._move = self._move, None
            return move

    def come_to_end(self) -> bool:
        """Say that the last frame was given; false if the user has moved on meanwhile, so that it is not the end."""
        with self._changed:
            self._at_end = self._move is None
            return self._at_end

    def leave_end(self) -> None:
        """Say that frames come again without a move."""
        with self._changed:
            self._at_end = False

    def wake(self) -> None:
        """Let whoever waits for a change look around, as there may be other news."""
        with self._changed:
            self._tell()

    def wait_for_change(self, since: int, *, timeout_s: float | None = None) -> bool:
        """Wait until `changes` is another number than `since`; false when the time is up."""
        with self._changed:
            return self._changed.wait_for(lambda: self._changes != since, timeout_s)

    def _go(self, move: Move) -> None:
        self._move, self._at_end = move, False

    def _tell(self) -> None:
        self._changes += 1
        self._changed.notify_all()


def _clamped(speed: float) -> float:
    if not math.isfinite(speed):
        raise ValueError(f"a speed of {speed} makes no sense; choose {MIN_SPEED} to {MAX_SPEED}")
    return min(MAX_SPEED, max(MIN_SPEED, float(speed)))
