"""Pictures of what is inside a network: many maps, kernels or bars on one sheet. Needs no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Colours = Literal["viridis", "grey"]
Contrast = Literal["each", "common"]
"""Whether each map runs from its own least to its own greatest value, or all from those of the whole layer."""

COLOURS: Final[tuple[Colours, ...]] = get_args(Colours)
SHEET_BGR: Final = (29, 22, 18)
GAP_PX: Final = 4
MIN_CELL_PX: Final = 40
_SAVED_CELL_PX: Final = 96
_BAR_PX: Final = (2, 24)
"""Narrowest and widest bar of a flat layer."""
_TALLEST_BAR_PX: Final = 240


@dataclass(frozen=True)
class Grid:
    """Where cells of one size lie on a sheet, row by row, with a gap around each.

    Attributes
    ----------
    columns, rows
        How many there are.
    cell_px
        Width and height of a cell.
    gap_px
        Between two cells and at the border.
    """

    columns: int
    rows: int
    cell_px: tuple[int, int]
    gap_px: int = GAP_PX

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the sheet."""
        width, height = self.cell_px
        return (
            self.gap_px + self.columns * (width + self.gap_px),
            self.gap_px + self.rows * (height + self.gap_px),
        )

    @property
    def capacity(self) -> int:
        """How many cells there are."""
        return self.columns * self.rows

    def rect(self, cell: int) -> tuple[int, int, int, int]:
        """Left, top, width and height of a cell."""
        row, column = divmod(cell, self.columns)
        width, height = self.cell_px
        return (
            self.gap_px + column * (width + self.gap_px),
            self.gap_px + row * (height + self.gap_px),
            width,
            height,
        )

    def at(self, x: float, y: float) -> int | None:
        """Return the cell that a point of the sheet lies in; a gap counts to the cell before it, beyond is None."""
        width, height = self.size_px
        if not (0 <= x < width and 0 <= y < height):
            return None
        column = int(max(x - self.gap_px, 0) // (self.cell_px[0] + self.gap_px))
        row = int(max(y - self.gap_px, 0) // (self.cell_px[1] + self.gap_px))
        return min(row, self.rows - 1) * self.columns + min(column, self.columns - 1)


@dataclass(frozen=True, eq=False)
class Sheet:
    """One page of maps.

    Attributes
    ----------
    image_bgr
        (H, W, 3) uint8, C-contiguous.
    grid
        Where the maps are on it.
    first, count
        Number of the first map, and how many follow.
    total
        How many maps the layer has.
    lows, highs
        (count,) float32: the least and greatest value of each.
    """

    image_bgr: NDArray[np.uint8]
    grid: Grid
    first: int
    count: int
    total: int
    lows: NDArray[np.float32]
    highs: NDArray[np.float32]

    def map_at(self, x: float, y: float) -> int | None:
        """Return the number of the map that a point of the image shows."""
        cell = self.grid.at(x, y)
        return None if cell is None or cell >= self.count else self.first + cell

    def picture_of(self, number: int) -> NDArray[np.uint8]:
        """Return the part of the image that shows one map."""
        left, top, width, height = self.grid.rect(number - self.first)
        return self.image_bgr[top : top + height, left : left + width]


def fit_grid(count: int, map_px: tuple[int, int], room_px: tuple[int, int], *, cell_px: int | None = None) -> Grid:
    """Find the layout in which maps fill a room.

    Parameters
    ----------
    count
        How many maps there are, at least one.
    map_px
        Width and height of each.
    room_px
        Width and height of the room.
    cell_px
        The longer side that a cell should have; None for the largest with which all of them fit, or `MIN_CELL_PX` where
        they would be smaller than that: the rest then goes to further pages.

    Returns
    -------
    A grid of at least one cell, none larger than the room. Cells larger than a map are whole multiples of it, so that
    every value is a square of the same size.
    """
    room = [max(1, side - GAP_PX) for side in room_px]
    if cell_px is None:
        columns = max(range(1, count + 1), key=lambda n: _largest_cell(count, n, map_px, room))
        cell = _cell(max(_largest_cell(count, columns, map_px, room), MIN_CELL_PX), map_px, room)
    else:
        cell = _cell(cell_px, map_px, room)
    fitting = [max(1, side // (cell_side + GAP_PX)) for side, cell_side in zip(room, cell, strict=True)]
    if cell_px is None and columns <= fitting[0] and math.ceil(count / columns) <= fitting[1]:
        fitting[0] = columns
    columns = min(fitting[0], count)
    return Grid(columns, min(fitting[1], math.ceil(count / columns)), cell)


def _largest_cell(count: int, columns: int, map_px: tuple[int, int], room: list[int]) -> float:
    """Longer side of the largest cell with which all maps fit in so many columns."""
    longer = max(map_px)
    across = (room[0] / columns - GAP_PX) * longer / map_px[0]
    down = (room[1] / math.ceil(count / columns) - GAP_PX) * longer / map_px[1]
    return min(across, down)


def _cell(longer_px: float, map_px: tuple[int, int], room: list[int]) -> tuple[int, int]:
    scale = longer_px / max(map_px)
    scale = min(scale, *((side - GAP_PX) / map_side for side, map_side in zip(room, map_px, strict=True)))
    if scale >= 1:
        scale = math.floor(scale)
    return max(1, int(map_px[0] * scale + 1e-6)), max(1, int(map_px[1] * scale + 1e-6))


def draw_maps(
    maps: NDArray[np.float32], grid: Grid, *, first: int = 0, colours: Colours = "viridis", contrast: Contrast = "each"
) -> Sheet:
    """Draw one page of maps.

    Parameters
    ----------
    maps
        (C, H, W) float32: activation maps or kernels, at least one.
    grid
        Of `fit_grid`.
    first
        Number of the first map on the page.
    colours
        Viridis (perceptually ordered: what is brighter is more) or grey.
    contrast
        See `Contrast`. A map of one value is dark.
    """
    page = np.nan_to_num(maps[first : first + grid.capacity])
    count, height, width = page.shape
    lows, highs = page.min(axis=(1, 2)), page.max(axis=(1, 2))
    if contrast == "common":
        whole = np.nan_to_num(maps)
        levels = _levels(page, np.float32(whole.min()), np.float32(whole.max()))
    else:
        levels = _levels(page, lows[:, None, None], highs[:, None, None])
    # All maps side by side, scaled in one call: the cells' borders stay where they are, because all are of one size.
    cells = np.zeros((grid.capacity, height, width), np.uint8)
    cells[:count] = levels
    by_row = cells.reshape(grid.rows, grid.columns, height, width).swapaxes(1, 2)
    mosaic = by_row.reshape(grid.rows * height, grid.columns * width)
    cell_width, cell_height = grid.cell_px
    size_px = (grid.columns * cell_width, grid.rows * cell_height)
    if cell_width < width:
        coloured = _coloured(cv2.resize(mosaic, size_px, interpolation=cv2.INTER_AREA), colours)
    else:
        coloured = cv2.resize(_coloured(mosaic, colours), size_px, interpolation=cv2.INTER_NEAREST)  # type: ignore[assignment]
    coloured = coloured.reshape(grid.rows, cell_height, grid.columns, cell_width, 3)
    return Sheet(_on_sheet(coloured, grid, count), grid, first, count, len(maps), lows, highs)


def fit_bars(count: int, room_px: tuple[int, int]) -> Grid:
    """Find the layout in which the bars of a flat layer fill a room, in one row or in several."""
    width, height = (max(1, side) for side in room_px)
    gap = 1
    bar = min(max((width - gap) // count - gap, _BAR_PX[0]), _BAR_PX[1])
    columns = max(1, min(count, (width - gap) // (bar + gap)))
    rows = math.ceil(count / columns)
    tall = max(4, min(_TALLEST_BAR_PX, (height - gap) // rows - gap))
    return Grid(columns, min(rows, max(1, (height - gap) // (tall + gap))), (bar, tall), gap)


def draw_bars(values: NDArray[np.float32], grid: Grid, *, first: int = 0, colours: Colours = "viridis") -> Sheet:
    """Draw the values of a flat layer as bars from a common line of zero.

    Parameters
    ----------
    values
        (N,) float32, at least one.
    grid
        Of `fit_bars`.
    first, colours
        As of `draw_maps`.
    """
    values = np.nan_to_num(values)
    page = values[first : first + grid.capacity]
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    width, height = grid.cell_px
    scale = height / ((high - low) or 1.0)
    zero = high * scale
    end = zero - page * scale
    top, bottom = np.floor(np.minimum(end, zero)), np.maximum(np.ceil(np.maximum(end, zero)), 1)
    top = np.minimum(top, bottom - 1)  # a bar of nothing is a line
    y = np.arange(height)[None, :]
    inside = np.zeros((grid.capacity, height), bool)
    inside[: len(page)] = (y >= top[:, None]) & (y < bottom[:, None])
    levels = np.zeros(grid.capacity, np.uint8)
    levels[: len(page)] = _levels(page, np.float32(low), np.float32(high))
    shades = _coloured(np.maximum(levels, 70)[None], colours)[0]  # the darkest would be lost on the sheet
    cells = np.where(inside[:, :, None], shades[:, None, :], np.array(SHEET_BGR, np.uint8))
    cells = cells.reshape(grid.rows, grid.columns, height, 1, 3).swapaxes(1, 2)
    image = _on_sheet(np.broadcast_to(cells, (grid.rows, height, grid.columns, width, 3)), grid, len(page))
    return Sheet(image, grid, first, len(page), len(values), page, page)


def draw_all(
    values: NDArray[np.float32], *, colours: Colours = "viridis", contrast: Contrast = "each"
) -> NDArray[np.uint8]:
    """Draw all maps of a layer, at their full resolution or a multiple of it, or all its bars: what a file is for."""
    if values.ndim == 1:
        return draw_bars(values, fit_bars(len(values), (1600, 1200)), colours=colours).image_bgr
    count, height, width = values.shape
    zoom = math.ceil(_SAVED_CELL_PX / max(height, width))
    columns = math.ceil(math.sqrt(count * 1.4))
    grid = Grid(columns, math.ceil(count / columns), (width * zoom, height * zoom))
    return draw_maps(values, grid, colours=colours, contrast=contrast).image_bgr


def _levels(
    values: NDArray[np.float32], low: NDArray[np.float32] | np.float32, high: NDArray[np.float32] | np.float32
) -> NDArray[np.uint8]:
    span = np.asarray(high, np.float64) - low
    scale = np.divide(255, span, out=np.zeros_like(span), where=span > 0).astype(np.float32)
    levels: NDArray[np.uint8] = np.clip((values - low) * scale + 0.5, 0, 255).astype(np.uint8)
    return levels


def _coloured(levels: NDArray[np.uint8] | cv2.typing.MatLike, colours: Colours) -> NDArray[np.uint8]:
    if colours == "grey":
        return cv2.cvtColor(levels, cv2.COLOR_GRAY2BGR)  # type: ignore[return-value]
    return cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS)  # type: ignore[return-value]


def _on_sheet(cells: NDArray[np.uint8], grid: Grid, count: int) -> NDArray[np.uint8]:
    """Put (rows, height, columns, width, 3) cells onto a sheet with gaps between them; those beyond count are bare."""
    width, height = grid.size_px
    gap = grid.gap_px
    sheet = np.empty((height, width, 3), np.uint8)
    sheet[:] = SHEET_BGR
    cell_width, cell_height = grid.cell_px
    inner = sheet[gap:, gap:].reshape(grid.rows, cell_height + gap, width - gap, 3)
    for row in range(grid.rows):
        filled = min(max(count - row * grid.columns, 0), grid.columns)
        strip = inner[row, :cell_height]
        columns = np.lib.stride_tricks.as_strided(
            strip,
            (cell_height, filled, cell_width, 3),
            (strip.strides[0], strip.strides[1] * (cell_width + gap), strip.strides[1], strip.strides[2]),
        )
        columns[:] = cells[row, :, :filled]
    return sheet
