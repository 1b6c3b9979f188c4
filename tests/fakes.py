"""Sources that do what cameras do at their worst. Registered through the real registry."""

from __future__ import annotations

import threading
import time

import numpy as np

from fkd_desktop.errors import SourceError
from fkd_desktop.live.result import Frame
from fkd_desktop.live.sources import FrameSource
from trainer.core.predictor import Predictor


class FakeCamera(FrameSource):
    """A live source that sends flat grey frames at a rate, and misbehaves on command.

    Parameters
    ----------
    sizes
        (height, width) of the frames, one after the other; the last one goes on.
    frames
        How many there are; None for no end.
    frames_per_s
        How many come in a second.
    """

    is_live = True

    def __init__(
        self,
        *,
        sizes: tuple[tuple[int, int], ...] = ((240, 320),),
        frames: int | None = None,
        frames_per_s: float = 100,
    ) -> None:
        self.label = "Fake camera"
        self.sizes, self.frames, self.period_s = sizes, frames, 1 / frames_per_s
        self.read_count = 0
        self.grey = 90
        self.opened = self.closed = 0
        self.blocked = threading.Event()  # set while a call hangs
        self.release = threading.Event()
        self.hang_in_open = self.hang_in_read = False
        self.fail_with: str | SourceError | None = None
        self.fail_to_open: list[SourceError] = []
        """Raised by as many calls of `open`, one after the other."""

    def open(self) -> None:
        if self.hang_in_open:
            self._hang()
        if self.fail_to_open:
            raise self.fail_to_open.pop(0)
        self.opened += 1

    def read(self) -> Frame | None:
        if self.hang_in_read:
            self._hang()
        if self.fail_with is not None:
            raise self.fail_with if isinstance(self.fail_with, SourceError) else SourceError(self.fail_with)
        if self.frames is not None and self.read_count >= self.frames:
            return None
        self.release.wait(self.period_s)
        size = self.sizes[min(self.read_count, len(self.sizes) - 1)]
        self.read_count += 1
        now_s = time.perf_counter()
        return Frame(np.full((*size, 3), self.grey, np.uint8), now_s, now_s)

    def close(self) -> None:
        self.closed += 1

    def _hang(self) -> None:
        self.blocked.set()
        self.release.wait(30)
        self.blocked.clear()


class BrokenGpu:
    """A network whose device fails after some frames, as torch tells it."""

    def __init__(self, predictor: Predictor, *, device: str) -> None:
        self._predictor, self._left = predictor, 3
        self.device = device

    def __getattr__(self, name: str) -> object:
        return getattr(self._predictor, name)

    def predict_crops(self, crops: np.ndarray, squares: np.ndarray) -> object:
        self._left -= 1
        if self._left < 0:
            raise RuntimeError("CUDA error: device lost\nCompile with more words")
        return self._predictor.predict_crops(crops, squares)
