"""Painting and encoding in a thread of their own, while the next frame is decoded and looked at."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Final, Self

from fkd_desktop.live.video_writer import VideoWriter
from fkd_desktop.overlays import render

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.overlays import Layer

WAITING_FRAMES: Final = 3
"""Results that may wait to be painted: enough to even out their differences, few enough not to fill the memory."""


class PaintedVideo:
    """An MP4 of results with layers over them; use as a context manager.

    Parameters
    ----------
    path
        Where to; made with the first frame, and replaced if it exists.
    layers
        What to paint, back to front.
    on_painted
        Told each painted frame, (H, W, 3) BGR, in the painting thread; for a contact sheet.

    Raises
    ------
    OutputError
        From any method, if the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        layers: Sequence[Layer],
        *,
        on_painted: Callable[[NDArray[np.uint8]], None] = lambda _image: None,
    ) -> None:
        self._writer = VideoWriter(path)
        self._layers, self._on_painted = tuple(layers), on_painted
        self._waiting: queue.Queue[FrameResult | None] = queue.Queue(WAITING_FRAMES)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="painting", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._finish()
        if kind is None and self._error is not None:  # else it would hide what went wrong first
            raise self._error

    def add(self, result: FrameResult) -> None:
        """Append a result; waits while too many are waiting."""
        if self._error is not None:
            raise self._error
        self._waiting.put(result)

    def _finish(self) -> None:
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join()

    def _run(self) -> None:
        has_ended = False
        try:
            with self._writer as writer:
                while (result := self._waiting.get()) is not None:
                    painted = render(result, self._layers)
                    writer.write(painted, result.timestamp_s)
                    self._on_painted(painted)
                has_ended = True
        except BaseException as error:
            self._error = error
        while not has_ended:  # whoever adds must not wait for ever
            has_ended = self._waiting.get() is None
