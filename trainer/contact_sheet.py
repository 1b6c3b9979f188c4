"""A page of faces with their keypoints drawn on them: for eyes to find what figures hide."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from trainer.core.files import write_atomically
from trainer.core.keypoints import EDGES
from trainer.core.preprocess import as_grey_or_bgr

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

Colour = tuple[int, int, int]

# Told apart with any kind of colour vision (after Okabe and Ito, https://jfly.uni-koeln.de/color/), and both from skin.
TRUE_BGR: Final[Colour] = (255, 214, 64)
PREDICTED_BGR: Final[Colour] = (40, 96, 255)
PAGE_BGR: Final[Colour] = (28, 26, 25)
TEXT_BGR: Final[Colour] = (232, 230, 228)
_HALO_BGR: Final[Colour] = (16, 16, 16)

GAP_PX: Final = 8
_BITS: Final = 4
"""OpenCV draws at sub-pixel places given as fixed-point numbers with this many binary places."""
_ZOOM: Final = 4
"""All is drawn this many times larger and averaged down: OpenCV's small dots are diamonds, and its letters ragged."""


@dataclass(frozen=True)
class SheetFace:
    """One tile of a sheet.

    Attributes
    ----------
    crop
        (S, S) grey or (S, S, 3) BGR.
    truth_unit, predicted_unit
        (68, 2) float32 keypoints, 0 to 1 across the crop; None where there are none to draw.
    caption
        A few words of ASCII below the tile; what is too long for it is cut.
    """

    crop: NDArray[np.uint8]
    truth_unit: NDArray[np.float32] | None
    predicted_unit: NDArray[np.float32] | None = None
    caption: str = ""


def contact_sheet(
    faces: Sequence[SheetFace], *, columns: int = 6, tile_px: int = 288, text_px: int = 0, legend: bool = True
) -> NDArray[np.uint8]:
    """Draw faces side by side: true keypoints joined by lines, predicted ones as dots, and how far they are off.

    Parameters
    ----------
    faces
        At least one.
    columns
        Tiles in a row; fewer where there are fewer faces.
    tile_px
        Side of a tile, three times that of a crop for `compact`.
    text_px
        Height of a line of text with its surroundings; 0 for what suits the tile.
    legend
        Whether to say on top which colour is which, where predictions are drawn.

    Returns
    -------
    (H, W, 3) uint8 BGR.

    Raises
    ------
    ValueError
        For no faces, or a crop that is no image of 8-bit pixels.
    """
    if not faces or columns < 1 or tile_px < 1:
        raise ValueError(f"cannot draw {len(faces)} faces in {columns} columns of {tile_px} px")
    columns = min(columns, len(faces))
    strip_px = text_px or max(16, round(tile_px * 0.085))
    caption_px = strip_px if any(face.caption for face in faces) else 0
    legend_px = strip_px + GAP_PX if legend and any(face.predicted_unit is not None for face in faces) else 0
    rows = math.ceil(len(faces) / columns)
    step_x, step_y = tile_px + GAP_PX, tile_px + caption_px + GAP_PX
    page = np.full((GAP_PX + legend_px + rows * step_y, GAP_PX + columns * step_x, 3), PAGE_BGR, np.uint8)
    if legend_px:
        _draw_legend(page[GAP_PX : GAP_PX + strip_px, GAP_PX:])
    for number, face in enumerate(faces):
        row, column = divmod(number, columns)
        top, left = GAP_PX + legend_px + row * step_y, GAP_PX + column * step_x
        page[top : top + tile_px, left : left + tile_px] = _tile(face, tile_px)
        if face.caption:
            _write(page[top + tile_px : top + tile_px + caption_px, left : left + tile_px], face.caption)
    return page


def write_png(path: Path, image: NDArray[np.uint8]) -> None:
    """Write an image as PNG so that a crash leaves the old file or the new one, never half of it.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    write_atomically(path, cv2.imencode(".png", image)[1].tobytes())


def _tile(face: SheetFace, tile_px: int) -> NDArray[np.uint8]:
    crop = as_grey_or_bgr(face.crop)
    side_px = tile_px * _ZOOM
    tile = cv2.resize(_no_larger(crop, tile_px), (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    if tile.ndim == 2:
        tile = cv2.cvtColor(tile, cv2.COLOR_GRAY2BGR)
    truth = None if face.truth_unit is None else _fixed_point(face.truth_unit, side_px)
    predicted = None if face.predicted_unit is None else _fixed_point(face.predicted_unit, side_px)
    if truth is not None:
        _draw_lines(tile, truth, EDGES, TRUE_BGR)
    if truth is not None and predicted is not None:
        pairs = np.concatenate([truth, predicted])
        _draw_lines(tile, pairs, [(i, len(truth) + i) for i in range(len(truth))], PREDICTED_BGR)
    for points, colour in ((truth, TRUE_BGR), (predicted, PREDICTED_BGR)):
        if points is not None:
            _draw_dots(tile, points, _ZOOM * max(tile_px / 180, 1.0), colour)
    return _no_larger(tile, tile_px)


def _no_larger(image: cv2.typing.MatLike, side_px: int) -> NDArray[np.uint8]:
    if image.shape[0] > side_px:
        image = cv2.resize(image, (side_px, side_px), interpolation=cv2.INTER_AREA)
    return image  # type: ignore[return-value]


def _fixed_point(points_unit: NDArray[np.float32], side_px: int) -> NDArray[np.int32]:
    """Places for OpenCV; what is far outside (or not a number, of a network gone wrong) goes to a far corner."""
    unit = np.clip(np.nan_to_num(points_unit, nan=-9.0), -9.0, 9.0)
    return np.round((unit * side_px - 0.5) * 2**_BITS).astype(np.int32)


def _draw_lines(
    tile: cv2.typing.MatLike, points: NDArray[np.int32], edges: Sequence[tuple[int, int]], colour: Colour
) -> None:
    for width_px, shade, opacity in ((2 * _ZOOM, _HALO_BGR, 0.35), (_ZOOM, colour, 0.75)):  # the face stays visible
        lines = tile.copy()
        for first, second in edges:
            cv2.line(lines, points[first].tolist(), points[second].tolist(), shade, width_px, cv2.LINE_AA, _BITS)
        cv2.addWeighted(lines, opacity, tile, 1 - opacity, 0, dst=tile)


def _draw_dots(image: cv2.typing.MatLike, points: NDArray[np.int32], radius_px: float, colour: Colour) -> None:
    for part, shade in ((1.4, _HALO_BGR), (1.0, colour)):
        radius = round(radius_px * part * 2**_BITS)
        for point in points:
            cv2.circle(image, point.tolist(), radius, shade, -1, cv2.LINE_AA, _BITS)


def _draw_legend(strip: NDArray[np.uint8]) -> None:
    side = strip.shape[0]
    left = 0
    for text, colour in (("true", TRUE_BGR), ("predicted", PREDICTED_BGR)):
        dot = np.full((side * _ZOOM, side * _ZOOM, 3), PAGE_BGR, np.uint8)
        _draw_dots(dot, np.full((1, 2), side * _ZOOM // 2 << _BITS, np.int32), side * _ZOOM / 6, colour)
        room = strip[:, left : left + side]
        room[:] = _no_larger(dot, side)[:, : room.shape[1]]
        left += side
        left += _write(strip[:, left:], text) + side


def _write(strip: NDArray[np.uint8], text: str) -> int:
    """Write a line into a strip of the page, from its left; return how wide it is in pixels."""
    height, width = strip.shape[0] * _ZOOM, strip.shape[1] * _ZOOM
    scale = cv2.getFontScaleFromHeight(cv2.FONT_HERSHEY_DUPLEX, round(height * 0.46), 2)
    (text_width, text_height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, 2)
    ink = np.zeros((height, max(width, 1)), np.uint8)
    at = (2 * _ZOOM, (height + text_height) // 2)
    cv2.putText(ink, text, at, cv2.FONT_HERSHEY_DUPLEX, scale, 255, _ZOOM, cv2.LINE_AA)
    cover = cv2.resize(ink, (max(strip.shape[1], 1), strip.shape[0]), interpolation=cv2.INTER_AREA)[..., None] / 255
    strip[:] = np.round(strip * (1 - cover) + np.array(TEXT_BGR) * cover).astype(np.uint8)
    return int(text_width / _ZOOM) + 2
