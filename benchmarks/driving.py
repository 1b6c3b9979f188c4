"""Frames through the real live session without a window: what each costs its threads.

The session, its reader and its search are the application's own; only the source and the listener are made for
measuring. A frame's time begins where the session hands it to the pipeline and ends where its result is handed on.
"""

from __future__ import annotations

import threading
import time
from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Final

from fkd_desktop.live.latest import LatestSlot
from fkd_desktop.live.result import Frame, LiveFrame
from fkd_desktop.live.session import LiveSession
from fkd_desktop.live.sinks import SinkSet
from fkd_desktop.live.sources import FrameSource, VideoSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from trainer.core.predictor import Predictor

STAGES: Final = ("detect", "crop", "network", "smooth")
SEARCH_THREAD: Final = "face-search"
WARM_UP_FRAMES: Final = 30


@dataclass
class Drive:
    """What was seen of the frames after the warm-up.

    Attributes
    ----------
    wall_ms, cpu_ms
        Of each frame: passed, and of the loop's thread.
    stages_ms
        Of each frame, in the order of `STAGES`.
    faces
        Found in each frame.
    latency_ms
        From the frame's being there to its result.
    seconds
        All of it took.
    search_cpu_s, source_cpu_s
        Processor time of the search's thread and of reading.
    dropped
        Frames that came too fast.
    """

    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    stages_ms: list[tuple[float, ...]] = field(default_factory=list)
    faces: list[int] = field(default_factory=list)
    latency_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0
    search_cpu_s: float = 0.0
    source_cpu_s: float = 0.0
    dropped: int = 0


class Feed(FrameSource):
    """Pictures one after the other: at a rate, as a camera sends them, or each as soon as the one before is taken.

    Parameters
    ----------
    pictures
        (H, W, 3) uint8 each; the source ends with them.
    frames_per_s
        The rate; None for as fast as possible.
    step_s
        From one frame's time to the next one's where there is no rate.
    """

    is_live = True
    label = "the benchmark's frames"

    def __init__(
        self, pictures: Iterator[NDArray[np.uint8]], *, frames_per_s: float | None = None, step_s: float = 1 / 30
    ) -> None:
        self._pictures, self._rate, self._step_s = pictures, frames_per_s, step_s
        self._taken = threading.Semaphore(1)
        self._number, self._start_s = 0, 0.0
        self._closed = threading.Event()
        self.cpu_s = 0.0
        """Processor time that reading took; the way to tell decoding from all the rest."""

    def open(self) -> None:
        """Begin now."""
        self._start_s = time.perf_counter()

    def read(self) -> Frame | None:
        """See `FrameSource.read`."""
        if self._rate is None:
            while not self._taken.acquire(timeout=0.1):
                if self._closed.is_set():
                    return None
        else:
            self._closed.wait(max(0.0, self._start_s + self._number / self._rate - time.perf_counter()))
        before_s = time.thread_time()
        picture = next(self._pictures, None)
        self.cpu_s += time.thread_time() - before_s
        if picture is None:
            return None
        self._number += 1
        step_s = self._step_s if self._rate is None else 1 / self._rate
        return Frame(picture, self._number * step_s, time.perf_counter())

    def next_may_come(self) -> None:
        """Tell that the last frame was taken."""
        self._taken.release()

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._closed.set()


class Listener:
    """Notes what each frame took; a sink of the session."""

    def __init__(self, drive: Drive, *, skip: int) -> None:
        self.drive, self._skip, self._begin = drive, skip, (0.0, 0.0)
        self.start_s = time.perf_counter()
        self.search_before_s = 0.0
        self.search_after_s = 0.0

    def begins(self) -> None:
        """Note that a frame goes into the pipeline."""
        self._begin = time.perf_counter(), time.thread_time()

    def offer(self, live: LiveFrame) -> None:
        """See `Sink.offer`."""
        now_s, cpu_s = time.perf_counter(), time.thread_time()
        if self._skip > 0:
            self._skip -= 1
            if self._skip == 0:
                self.start_s, self.search_before_s = time.perf_counter(), search_cpu_s()
            return
        drive, result = self.drive, live.result
        drive.wall_ms.append(1000 * (now_s - self._begin[0]))
        drive.cpu_ms.append(1000 * (cpu_s - self._begin[1]))
        drive.latency_ms.append(1000 * (now_s - live.captured_s))
        drive.stages_ms.append(astuple(result.times))
        drive.faces.append(len(result))
        drive.seconds = now_s - self.start_s
        if len(drive.faces) % 16 == 0:  # its thread ends with the session, and its time with it
            self.search_after_s = search_cpu_s()


def drive(
    pictures: Iterator[NDArray[np.uint8]],
    predictor: Predictor,
    *,
    frames_per_s: float | None = None,
    step_s: float = 1 / 30,
    skip: int = WARM_UP_FRAMES,
    should_stop: Callable[[], bool] = lambda: False,
    into: Drive | None = None,
) -> Drive:
    """Send pictures through a live session in this thread.

    Parameters
    ----------
    pictures
        (H, W, 3) uint8 each, never written.
    predictor
        Ready for use.
    frames_per_s, step_s
        See `Feed`.
    skip
        So many of the first results do not count.
    should_stop
        Ends it before the pictures do.
    into
        Where what is seen goes, to be read meanwhile; None for a new one.
    """
    found = into or Drive()
    listener = Listener(found, skip=skip)
    feed = Feed(pictures, frames_per_s=frames_per_s, step_s=step_s)
    slot: LatestSlot[LiveFrame] = LatestSlot()
    sinks = SinkSet()
    sinks.add(listener)

    def prepare(_pipeline: object) -> None:
        feed.next_may_come()
        listener.begins()

    def on_result() -> None:
        slot.take()

    session = LiveSession(
        lambda: feed,
        predictor=lambda: predictor,
        slot=slot,
        on_result=on_result,
        on_event=lambda _event: None,
        sinks=sinks,
        prepare=prepare,
    )

    def stops() -> bool:
        is_over = should_stop()
        if is_over:
            feed.close()  # its reader waits for the next frame to be wanted
        return is_over

    session.run(should_stop=stops)
    found.search_cpu_s = max(0.0, listener.search_after_s - listener.search_before_s)
    found.source_cpu_s, found.dropped = feed.cpu_s, session.dropped
    return found


def search_cpu_s() -> float:
    """Processor time of the search's thread so far; 0 where there is none or the system does not tell."""
    clock_of = getattr(time, "pthread_getcpuclockid", None)
    if clock_of is None:
        return 0.0
    threads = [thread for thread in threading.enumerate() if thread.name == SEARCH_THREAD and thread.ident]
    return sum(time.clock_gettime(clock_of(thread.ident)) for thread in threads)


def to_and_fro(pictures: Sequence[NDArray[np.uint8]], count: int) -> Iterator[NDArray[np.uint8]]:
    """Give `count` pictures, back and forth through those there are: no cut where they end."""
    for number in range(count):
        yield pictures[there_and_back(number, len(pictures))]


def there_and_back(number: int, count: int) -> int:
    """Play to and fro: any number, within `count` pictures."""
    around = max(1, 2 * count - 2)
    turn = number % around
    return turn if turn < count else around - turn


def film(paths: Sequence[Path], *, should_stop: Callable[[], bool]) -> Iterator[NDArray[np.uint8]]:
    """Decode videos one after the other, again and again, each opened anew."""
    while True:
        for path in paths:
            video = VideoSource(path)
            video.open()
            try:
                while (frame := video.read()) is not None:
                    if should_stop():
                        return
                    yield frame.image_bgr
            finally:
                video.close()
