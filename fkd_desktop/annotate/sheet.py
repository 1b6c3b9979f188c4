"""A contact sheet: a video at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from fkd_desktop.errors import cannot_write
from fkd_desktop.live.video_writer import letterbox
from trainer.core.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SHEET_COLUMNS: Final = 4
SHEET_ROWS: Final = 3
SHEET_TILE_WIDTH: Final = 400
SHEET_TILES: Final = SHEET_COLUMNS * SHEET_ROWS


class ContactSheet:
    """Collects small pictures that are evenly spread over frames of unknown number."""

    def __init__(self) -> None:
        self._tiles: list[NDArray[np.uint8]] = []
        self._every = 1
        self._frames = 0

    def __len__(self) -> int:
        return len(self._tiles)

    def add(self, image_bgr: NDArray[np.uint8]) -> None:
        """Take the next frame, (H, W, 3) uint8."""
        if self._frames % self._every == 0:
            self._tiles.append(_tile(image_bgr))
            if len(self._tiles) > 2 * SHEET_TILES:  # of unknown length: keep every second so far
                self._tiles, self._every = self._tiles[::2], 2 * self._every
        self._frames += 1

    def write(self, path: Path) -> None:
        """Write it as PNG; without a frame there is none.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        if not self._tiles:
            return
        height = self._tiles[0].shape[0]
        picked = [
            letterbox(self._tiles[i], SHEET_TILE_WIDTH, height)  # the pictures of a folder differ in size
            for i in np.linspace(0, len(self._tiles) - 1, SHEET_TILES).round().astype(int)
        ]
        rows = [np.hstack(picked[i : i + SHEET_COLUMNS]) for i in range(0, len(picked), SHEET_COLUMNS)]
        try:
            write_atomically(path, cv2.imencode(".png", np.vstack(rows))[1].tobytes())
        except OSError as error:
            raise cannot_write(path, error) from error


def _tile(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    tile_height = min(max(1, round(height * SHEET_TILE_WIDTH / width)), 2 * SHEET_TILE_WIDTH)
    return letterbox(image, SHEET_TILE_WIDTH, tile_height)
