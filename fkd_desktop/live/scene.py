"""Telling a cut from one scene to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS: Final = 24
COLUMNS: Final = 32
LEAST_DIFFERENCE: Final = 18.0
MOST_CORRELATION: Final = 0.6
LEAST_CONTRAST: Final = 10.0
LEAST_PAUSE_S: Final = 0.25


class SceneWatch:
    """Compares some hundred pixels of a frame with those of the frame before.

    It is a cut if their grey levels differ by `LEAST_DIFFERENCE` (mean) and hardly correlate; light that goes on or off
    is none. After a cut none is seen for `LEAST_PAUSE_S`, so that a flickering source costs no more than four looks a
    second.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the frame before."""
        self._before: NDArray[np.float32] | None = None
        self._cut_s = -np.inf

    def is_cut(self, frame_bgr: NDArray[np.uint8], timestamp_s: float) -> bool:
        """Whether this (H, W, 3) frame, of the same size as the one before, shows another scene."""
        height, width = frame_bgr.shape[:2]
        grid = frame_bgr[
            height // (2 * ROWS) :: max(1, height // ROWS), width // (2 * COLUMNS) :: max(1, width // COLUMNS)
        ]
        now = grid[..., 1].astype(np.float32).ravel()
        before, self._before = self._before, now
        if before is None or timestamp_s - self._cut_s < LEAST_PAUSE_S:
            return False
        if float(np.abs(now - before).mean()) < LEAST_DIFFERENCE:
            return False
        now, before = now - now.mean(), before - before.mean()
        spread = float(np.sqrt((now @ now) * (before @ before))) / len(now)
        is_cut = spread >= LEAST_CONTRAST**2 and float(now @ before) / len(now) < MOST_CORRELATION * spread
        if is_cut:
            self._cut_s = timestamp_s
        return is_cut
