"""Looking for faces that nobody follows yet: at once, or beside the loop in a thread of its own. Qt-free."""

from __future__ import annotations

import threading
import time
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Protocol, Self

import cv2
import numpy as np

from trainer.core.detector import PROFILE_CASCADE_NAME, Detector, HaarDetector, shipped_cascade

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

FINE_LOOK_EVERY: Final = 6
SIDES: Final = {1: False, 3: True}
"""Turns in which faces from the side are looked for, and whether in the mirror image."""
MIN_NEIGHBORS: Final = 1
"""See `HaarDetector`: what is no face costs a look of the network, what is left out costs a face."""
DULL: Final = 20.0
"""Grey levels are spread out in pictures of less contrast only (standard deviation): in others that hides faces."""
SHARE_OF_A_CORE: Final = 0.25
"""Most that looking beside the loop takes of a core, whatever the rate of the source."""
CLOSE_WAIT_S: Final = 2.0


class Look(Enum):
    """How to look for faces."""

    IN_TURN = auto()
    """The next one in turn, when there is time."""
    AT_ONCE = auto()
    """A fine one from the front, now; the turns begin with it."""
    ALL_ROUND = auto()
    """The same, and for faces from both sides too: for who waits, and may not look again soon."""


class FaceSearch(Protocol):
    """Gives boxes that may hold new faces. Used by one thread."""

    def begin(self, frame_bgr: NDArray[np.uint8], known_xywh: NDArray[np.float32], look: Look = Look.IN_TURN) -> bool:
        """Look at a frame, if nothing is in the way.

        Parameters
        ----------
        frame_bgr
            (H, W, 3) uint8; never written.
        known_xywh
            (M, 4) boxes of the faces that are known.
        look
            Which; the result of any but the next in turn is there before this returns.

        Returns
        -------
        Whether a look has begun.

        Raises
        ------
        Exception
            What looking raised.
        """
        ...

    def take(self) -> NDArray[np.float32] | None:
        """Give what the last look found, once: (N, 4) float32 boxes in frame pixels; None where none has ended.

        Raises
        ------
        Exception
            What looking raised, in whatever thread.
        """
        ...

    def reset(self) -> None:
        """Forget all looks: the next frame is of something else."""
        ...

    def close(self) -> None:
        """End what goes on; nothing may be begun afterwards. May be called twice."""
        ...


class Looks:
    """One look after the other, in turns for faces from the front, small ones and faces from either side.

    Parameters
    ----------
    detector
        Finds faces from the front; None for OpenCV's cascades, also for faces from the side. With one of your own these
        are not looked for.

    Raises
    ------
    DetectorError
        If a cascade does not load.
    """

    def __init__(self, detector: Detector | None = None) -> None:
        self._frontal = detector or _haar()
        self._profile = _haar(shipped_cascade(PROFILE_CASCADE_NAME)) if detector is None else None
        self._count = 0

    def reset(self) -> None:
        """Begin with the first look again."""
        self._count = 0

    def look(
        self, frame_bgr: NDArray[np.uint8], known_xywh: NDArray[np.float32], look: Look = Look.IN_TURN
    ) -> NDArray[np.float32]:
        """Have a look: (N, 4) float32 boxes."""
        if look is not Look.IN_TURN:
            self._count = 0
        turn = self._count % FINE_LOOK_EVERY
        self._count += 1
        if self._profile is not None and turn in SIDES:
            return self._profile.detect(frame_bgr, known_xywh=known_xywh, mirrored=SIDES[turn])
        found = self._frontal.detect(frame_bgr, fine=turn == 0, known_xywh=known_xywh)
        if self._profile is None or look is not Look.ALL_ROUND:
            return found
        detect_sides = self._profile.detect
        sides = [detect_sides(frame_bgr, known_xywh=known_xywh, mirrored=mirrored) for mirrored in SIDES.values()]
        return np.concatenate([found, *sides])


def _haar(cascade_path: Path | None = None) -> HaarDetector:
    return HaarDetector(cascade_path, min_neighbors=MIN_NEIGHBORS, equalise_below=DULL)


class SearchAtOnce:
    """Looks in the caller's thread: the same frames give the same faces each time.

    Parameters
    ----------
    looks
        See `Looks`; None for the usual ones.
    """

    def __init__(self, looks: Looks | None = None) -> None:
        self._looks = looks or Looks()
        self._found: NDArray[np.float32] | None = None

    def begin(self, frame_bgr: NDArray[np.uint8], known_xywh: NDArray[np.float32], look: Look = Look.IN_TURN) -> bool:
        """See `FaceSearch.begin`."""
        self._found = self._looks.look(frame_bgr, known_xywh, look)
        return True

    def take(self) -> NDArray[np.float32] | None:
        """See `FaceSearch.take`."""
        found, self._found = self._found, None
        return found

    def reset(self) -> None:
        """See `FaceSearch.reset`."""
        self._looks.reset()
        self._found = None

    def close(self) -> None:
        """See `FaceSearch.close`."""


class SearchBeside:
    """Looks in a thread of its own, at the frame that was the newest when it had nothing to do.

    It takes a quarter of a core at most, and OpenCV is told to compute in one thread from then on (in the whole
    process): two would take the loop's core away, for the same work. A frame is held until it has been looked at, and
    never two of them.

    Parameters
    ----------
    looks
        See `Looks`; None for the usual ones.
    clock
        Gives the time of day in seconds, for the pauses.
    work_clock
        Gives the processor time of the thread that asks, in seconds.
    """

    def __init__(
        self,
        looks: Looks | None = None,
        *,
        clock: Callable[[], float] = time.perf_counter,
        work_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        cv2.setNumThreads(1)
        self._looks = looks or Looks()
        self._clock, self._work_clock = clock, work_clock
        self._looking = threading.Lock()  # held during a look: cascades are no two threads' business
        self._changed = threading.Condition()
        self._waiting: tuple[NDArray[np.uint8], NDArray[np.float32]] | None = None
        self._is_busy = self._is_closed = False
        self._found: NDArray[np.float32] | None = None
        self._error: Exception | None = None
        self._source = 0
        self._rests_until_s = -float("inf")
        self._thread: threading.Thread | None = None
        self.look_ms = 0.0
        """Processor time of the last look beside the loop."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, frame_bgr: NDArray[np.uint8], known_xywh: NDArray[np.float32], look: Look = Look.IN_TURN) -> bool:
        """See `FaceSearch.begin`. What goes on at another frame is dropped for a look at once."""
        if look is not Look.IN_TURN:
            self._drop()
            with self._looking:
                found = self._looks.look(frame_bgr, known_xywh, look)
            with self._changed:
                self._found = found
            return True
        with self._changed:
            is_free = not self._is_busy and self._waiting is None and not self._is_closed
            if not is_free or self._clock() < self._rests_until_s:
                return False
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="face-search", daemon=True)
                self._thread.start()
            self._waiting = frame_bgr, known_xywh
            self._changed.notify_all()
        return True

    def take(self) -> NDArray[np.float32] | None:
        """See `FaceSearch.take`."""
        with self._changed:
            if self._error is not None:
                raise self._error
            found, self._found = self._found, None
        return found

    def reset(self) -> None:
        """See `FaceSearch.reset`."""
        self._drop()
        self._looks.reset()  # does not wait for a look that goes on: what that may count is one turn

    def close(self) -> None:
        """See `FaceSearch.close`. Waits for the look that goes on, for two seconds at most."""
        self._drop()
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(CLOSE_WAIT_S)

    def _drop(self) -> None:
        with self._changed:
            self._source += 1
            self._waiting = self._found = None

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting is not None or self._is_closed)
                if self._waiting is None:
                    return
                frame_bgr, known_xywh = self._waiting
                source, self._waiting, self._is_busy = self._source, None, True
            try:
                self._look(frame_bgr, known_xywh, source)
            except Exception as error:  # told to the loop, which ends with it
                with self._changed:
                    self._error = error
                return
            finally:
                del frame_bgr, known_xywh
                with self._changed:
                    self._is_busy = False
                    self._changed.notify_all()

    def _look(self, frame_bgr: NDArray[np.uint8], known_xywh: NDArray[np.float32], source: int) -> None:
        with self._looking:
            start_s = self._work_clock()
            found = self._looks.look(frame_bgr, known_xywh)
            work_s = self._work_clock() - start_s
        with self._changed:
            self.look_ms = 1000 * work_s
            self._rests_until_s = self._clock() + work_s * (1 / SHARE_OF_A_CORE - 1)
            if source == self._source:
                self._found = found
