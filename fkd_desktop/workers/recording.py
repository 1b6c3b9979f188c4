"""Writing the session to a film: which frames, at which times, and when it ends. Qt-free."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fkd_desktop.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from fkd_desktop.live.result import FrameResult, LiveFrame
    from fkd_desktop.live.video_writer import VideoWriter

_log = logging.getLogger(__name__)

QUEUE_FRAMES: Final = 8
"""A quarter of a second at 30 frames/s: the encoder may be that late before frames are dropped. Each is held in memory,
and a frame of 12 megapixels has 36 MB."""
LONGEST_GAP_S: Final = 2.0
"""Where nothing new is to be seen (paused, reconnecting, another source being opened), the film waits no longer."""
IDLE_S: Final = 0.1
"""How often the film looks whether overlays changed, while no frames come."""
PROGRESS_EVERY_S: Final = 0.25
DISK_EVERY_S: Final = 1.0
LOW_DISK_BYTES: Final = 200_000_000
"""Where less is free, the film ends while there is room to finish it."""
_NICE: Final = 5
"""The encoder's priority on Linux, where each thread has its own: the session goes first."""


@dataclass(frozen=True)
class RecordingOutcome:
    """How a recording ended.

    Attributes
    ----------
    path
        The film; None if there is none.
    duration_s
        How long it plays, about.
    frames, dropped
        How many are in it, and how many came while the encoder was busy.
    error
        Why it ended before it was stopped, or why there is no film.
    """

    path: Path | None
    duration_s: float
    frames: int
    dropped: int
    error: OutputError | None = None


class Recording:
    """A `Sink` whose frames become a film when `run` is called in another thread.

    Times are those at which frames were captured, so that the film is as quick as what was on the screen, also for
    videos played at another speed. A gap is never longer than `LONGEST_GAP_S` in the film.

    Parameters
    ----------
    look
        Gives what `paint` needs to know; asked once a frame, in the recording's thread. While no frames come, the last
        one is painted again when this gives something else.
    paint
        Paints a result: (H, W, 3) BGR uint8.
    free_bytes
        Says how much room there is on a folder's disk.
    """

    def __init__(
        self,
        *,
        look: Callable[[], Any],
        paint: Callable[[FrameResult, Any], NDArray[np.uint8]],
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._look, self._paint, self._free_bytes = look, paint, free_bytes
        self._queue: deque[LiveFrame] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._dropped = 0
        self._frames = 0
        self._film_s = 0.0
        self._last: tuple[FrameResult, float, object] | None = None

    @property
    def dropped(self) -> int:
        """Frames that came while the encoder was too far behind."""
        return self._dropped

    def offer(self, live: LiveFrame) -> None:
        """Take a frame if there is room; see `Sink`."""
        with self._changed:
            if self._is_closed:
                return
            if len(self._queue) >= QUEUE_FRAMES:
                self._dropped += 1
                return
            self._queue.append(live)
            self._changed.notify_all()

    def close(self) -> None:
        """Take no more frames; `run` writes what it has, and returns."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def run(self, path: Path, *, on_progress: Callable[[float, int, int], None] = lambda *_: None) -> RecordingOutcome:
        """Write until `close` is called or the disk is full; never raises.

        Parameters
        ----------
        path
            The film; replaced if it exists, and gone if there is nothing to see.
        on_progress
            Told seconds of film, bytes of file and frames dropped, some times a second.
        """
        from fkd_desktop.live.video_writer import VideoWriter  # noqa: PLC0415 (PyAV: not at the window's start)

        _be_nice()
        error: OutputError | None = None
        writer: VideoWriter | None = None
        try:
            writer = VideoWriter(path, effort="live", threads=max(1, min(4, (os.cpu_count() or 1) // 2)))
            with writer:
                error = self._write_all(writer, on_progress)
        except OutputError as failure:
            error = failure
        except Exception as failure:
            _log.exception("recording %s failed", path)
            error = OutputError("recording failed ({reason}); details are in the log", reason=failure)
        finally:
            self.close()
            self._queue.clear()
        is_kept = writer is not None and writer.is_kept and self._frames > 0
        if not is_kept:
            with suppress(OSError):
                if path.stat().st_size == 0:  # the name was taken before the first frame
                    path.unlink()
            error = error or OutputError("nothing was recorded because no picture came; start the session and retry")
        return RecordingOutcome(
            path if is_kept else None,
            writer.duration_s if writer is not None else 0.0,
            self._frames,
            self._dropped,
            error,
        )

    def _write_all(self, writer: VideoWriter, on_progress: Callable[[float, int, int], None]) -> OutputError | None:
        progress_due_s = disk_due_s = time.perf_counter()
        while True:
            live = self._next()
            now_s = time.perf_counter()
            if live is not None:
                self._write(writer, live.result, live.captured_s, self._look())
            elif self._is_closed:
                break
            elif self._last is not None and (look := self._look()) != self._last[2]:
                self._write(writer, self._last[0], now_s, look)
            if now_s >= progress_due_s:
                progress_due_s = now_s + PROGRESS_EVERY_S
                on_progress(self._film_s, writer.size_bytes, self._dropped)
            if now_s >= disk_due_s:
                disk_due_s = now_s + DISK_EVERY_S
                if self._is_disk_low(writer.path.parent):
                    return OutputError(
                        "the disk of {folder} is nearly full, so the recording was ended and kept; free some space",
                        folder=writer.path.parent,
                    )
        if self._last is not None:  # the end is held until the stop, else a still picture's film would have no length
            self._write(writer, self._last[0], time.perf_counter(), self._last[2])
        on_progress(self._film_s, writer.size_bytes, self._dropped)
        return None

    def _next(self) -> LiveFrame | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._is_closed, IDLE_S)
            return self._queue.popleft() if self._queue else None

    def _write(self, writer: VideoWriter, result: FrameResult, at_s: float, look: object) -> None:
        if self._last is not None:
            self._film_s += min(max(at_s - self._last[1], 0.0), LONGEST_GAP_S)
        writer.write(self._paint(result, look), self._film_s)
        self._frames += 1
        self._last = (result, max(at_s, self._last[1]) if self._last is not None else at_s, look)

    def _is_disk_low(self, folder: Path) -> bool:
        try:
            return self._free_bytes(folder) < LOW_DISK_BYTES
        except OSError:
            return False  # if it really is full, writing says so


def _be_nice() -> None:
    if sys.platform.startswith("linux"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
