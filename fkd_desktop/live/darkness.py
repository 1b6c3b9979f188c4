"""Noticing that a camera sends nothing but black: a covered lens, a privacy switch, a room without light."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ROWS: Final = 24
COLUMNS: Final = 32
MOST_GREY: Final = 12.0
"""Mean grey level up to which a picture is black: sensors that are covered make noise, brightened by their drivers."""
BRIGHT_GREY: Final = 40
MOST_BRIGHT: Final = 0.01
"""Share of pixels above that grey level: a face in the light of a screen has more."""
DARK_S: Final = 2.0
"""A picture that is black for shorter is not worth a word: many cameras begin so."""


class DarknessWatch:
    """Looks at some hundred pixels of each frame of one source.

    Attributes
    ----------
    is_dark
        Whether it has been black for `DARK_S`.
    """

    def __init__(self) -> None:
        self.is_dark = False
        self._since_s: float | None = None

    def look(self, frame_bgr: NDArray[np.uint8], timestamp_s: float) -> bool:
        """Take in the next frame, (H, W, 3); return whether `is_dark` changed."""
        was_dark = self.is_dark
        if not is_black(frame_bgr):
            self._since_s = None
        elif self._since_s is None:
            self._since_s = timestamp_s
        self.is_dark = self._since_s is not None and timestamp_s - self._since_s >= DARK_S
        return self.is_dark is not was_dark


def is_black(frame_bgr: NDArray[np.uint8]) -> bool:
    """Whether nothing is to be seen in an (H, W, 3) picture."""
    height, width = frame_bgr.shape[:2]
    grid = frame_bgr[:: max(1, height // ROWS), :: max(1, width // COLUMNS)]
    return bool(grid.mean() <= MOST_GREY and (grid > BRIGHT_GREY).mean() <= MOST_BRIGHT)
