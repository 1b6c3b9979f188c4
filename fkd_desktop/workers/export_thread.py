"""Landmarks of a running session, written by a thread of their own."""

from __future__ import annotations

import logging
import queue
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QThread, Signal

from fkd_desktop.i18n import translated
from fkd_desktop.live.export import Tables, export_path
from trainer.core.errors import FkdError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from fkd_desktop.live.export import ExportFormat
    from fkd_desktop.live.result import FrameResult, LiveFrame

_log = logging.getLogger(__name__)

QUEUE_FRAMES: Final = 256
"""Landmarks of so many frames wait for the disk; what comes on top is left out and counted."""
TELL_EVERY_S: Final = 0.25
_POLL_S: Final = 0.1


@dataclass(frozen=True)
class ExportSummary:
    """What an export gave.

    Attributes
    ----------
    paths
        The files, and the folder of the .pts files. The latter is not there if no face was seen.
    frames, faces
        How many of them were written.
    dropped
        Frames that were left out because the disk was too slow.
    """

    paths: tuple[Path, ...]
    frames: int
    faces: int
    dropped: int


@dataclass(frozen=True)
class _Row:
    result: FrameResult
    frame: int
    timestamp_s: float


class ExportThread(QThread):
    """Writes the landmarks of every frame that it is offered, from `start` until `stop`: a `Sink`.

    Frames of a video or a folder keep their own numbers and times; those of a camera are counted from the first one
    on, in numbers and in time. Results that were not looked at by the network are no results and are passed over, and a
    frame that is shown twice (while a video is paused) is written once.

    Parameters
    ----------
    folder
        Where to; made if needed.
    stem
        How the files are called, without their suffix.
    formats
        Which files: ``STEM.csv``, ``STEM.jsonl`` and the folder ``STEM-pts``. None of them may be there already.
    """

    progressed = Signal(int)
    """Frames written so far; a few times a second."""
    saved = Signal(object)
    """An `ExportSummary`, at the end."""
    failed = Signal(str)
    """A sentence; it is the end, too. What was written before is kept."""

    def __init__(self, folder: Path, stem: str, formats: Collection[ExportFormat]) -> None:
        super().__init__()
        self.setObjectName("export")
        self.paths = {kind: export_path(folder, stem, kind) for kind in formats}
        self.dropped = 0
        self._rows: queue.Queue[_Row] = queue.Queue(QUEUE_FRAMES)
        self._is_over = False
        self._offered = 0
        self._first_s: float | None = None
        self._last: tuple[float, int | None] | None = None
        self._frames = self._faces = 0

    def offer(self, live: LiveFrame) -> None:
        """See `Sink.offer`."""
        if self._is_over or self.isInterruptionRequested() or not live.annotated:
            return
        position = live.position
        key = (live.result.timestamp_s, None if position is None else position.index)
        if key == self._last:
            return
        self._last = key
        self._offered += 1
        if position is None:
            if self._first_s is None:
                self._first_s = live.captured_s
            row = _Row(_without_pixels(live.result), self._offered, live.captured_s - self._first_s)
        else:
            row = _Row(_without_pixels(live.result), position.index + 1, live.result.timestamp_s)
        try:
            self._rows.put_nowait(row)
        except queue.Full:
            self.dropped += 1

    def stop(self) -> None:
        """Ask it to write what is waiting and to end; `saved` tells when that is done."""
        self.requestInterruption()

    def run(self) -> None:
        """Write until it is stopped; every error ends as `failed` with one sentence."""
        try:
            with Tables(self.paths) as tables:
                self._write_all(tables)
        except FkdError as error:
            _log.error("the export failed: %s", error)
            self._end(translated(error))
        except Exception as error:
            _log.exception("the export failed")
            self._end(self.tr("the export failed ({0}); start it again, details are in the log").format(error))
        else:
            self._is_over = True
            self.progressed.emit(self._frames)
            self.saved.emit(ExportSummary(tuple(self.paths.values()), self._frames, self._faces, self.dropped))

    def _end(self, sentence: str) -> None:
        self._is_over = True
        self.failed.emit(sentence)

    def _write_all(self, tables: Tables) -> None:
        told_s = time.monotonic()
        while True:
            is_last = self.isInterruptionRequested()  # asked first: what was offered before it is still written
            try:
                row = self._rows.get_nowait() if is_last else self._rows.get(timeout=_POLL_S)
            except queue.Empty:
                if is_last:
                    return
                tables.flush()
            else:
                tables.write(row.result, frame=row.frame, timestamp_s=row.timestamp_s)
                self._frames += 1
                self._faces += len(row.result)
            if time.monotonic() - told_s >= TELL_EVERY_S:
                told_s = time.monotonic()
                self.progressed.emit(self._frames)


def _without_pixels(result: FrameResult) -> FrameResult:
    """Return the result with a frame that has its size but no memory: what waits must not hold on to pictures."""
    return replace(result, frame_bgr=np.broadcast_to(np.uint8(0), result.frame_bgr.shape))
