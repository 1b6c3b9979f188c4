"""Sheets of maps and bars: where each lies, and what colour each value has."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from trainer.feature_maps import (
    MIN_CELL_PX,
    SHEET_BGR,
    Grid,
    draw_all,
    draw_bars,
    draw_maps,
    fit_bars,
    fit_grid,
)


def ramp(count: int, side: int) -> np.ndarray:
    """Maps whose values all differ, each from its own least to its own greatest."""
    return np.arange(count * side * side, dtype=np.float32).reshape(count, side, side)


@pytest.mark.parametrize("count", [1, 2, 7, 16, 64, 204])
@pytest.mark.parametrize("side", [5, 12, 48, 220])
@pytest.mark.parametrize("room", [(700, 560), (320, 900), (1900, 300)])
def test_maps_fit_into_the_room_and_there_is_no_empty_row(count: int, side: int, room: tuple[int, int]) -> None:
    grid = fit_grid(count, (side, side), room)
    width, height = grid.size_px
    assert width <= room[0]
    assert height <= room[1]
    assert (grid.rows - 1) * grid.columns < count
    if grid.capacity < count:
        assert grid.cell_px[0] <= MIN_CELL_PX
    if grid.cell_px[0] > side:
        assert grid.cell_px[0] % side == 0


def test_a_chosen_size_leaves_the_rest_to_other_pages() -> None:
    grid = fit_grid(64, (12, 12), (700, 560), cell_px=96)
    assert grid == Grid(6, 5, (96, 96))
    sheet = draw_maps(ramp(64, 12), grid, first=60)
    assert (sheet.first, sheet.count, sheet.total) == (60, 4, 64)
    assert sheet.image_bgr.shape[1::-1] == grid.size_px


def test_a_map_is_never_larger_than_the_room() -> None:
    grid = fit_grid(3, (5, 5), (130, 90), cell_px=192)
    assert grid.capacity == 1
    assert grid.size_px[0] <= 130
    assert grid.size_px[1] <= 90


def test_every_value_is_a_square_of_its_colour() -> None:
    maps = ramp(6, 3)[:5]
    sheet = draw_maps(maps, Grid(3, 2, (9, 9)), colours="grey")
    for number in range(5):
        picture = sheet.picture_of(number)
        expected = np.round((maps[number] - maps[number].min()) * 255 / 8).repeat(3, 0).repeat(3, 1)
        np.testing.assert_allclose(picture[:, :, 0], expected, atol=1)
    left, top, width, height = sheet.grid.rect(5)
    assert (sheet.image_bgr[top : top + height, left : left + width] == SHEET_BGR).all(), "there is no sixth map"
    assert (sheet.image_bgr[:4] == SHEET_BGR).all()
    np.testing.assert_array_equal(sheet.lows, maps.min(axis=(1, 2)))
    np.testing.assert_array_equal(sheet.highs, maps.max(axis=(1, 2)))


def test_common_contrast_has_one_scale_for_the_whole_layer_not_only_the_page() -> None:
    maps = ramp(4, 2)
    sheet = draw_maps(maps, Grid(1, 1, (2, 2)), first=1, colours="grey", contrast="common")
    np.testing.assert_allclose(sheet.picture_of(1)[:, :, 0], maps[1] * 255 / 15, atol=1)


def test_viridis_is_brighter_for_more() -> None:
    sheet = draw_maps(np.arange(16, dtype=np.float32).reshape(1, 1, 16), Grid(1, 1, (16, 1)))
    brightness = cv2.cvtColor(sheet.picture_of(0).copy(), cv2.COLOR_BGR2GRAY)[0].astype(int)
    assert (np.diff(brightness) > 0).all()
    assert np.ptp(sheet.picture_of(0).astype(int), axis=2).max() > 60, "it is not grey"


def test_large_maps_shrink_to_their_cells_by_averaging() -> None:
    board = np.indices((220, 220)).sum(axis=0)[None] % 2  # single pixels, black and white
    sheet = draw_maps(board.astype(np.float32), Grid(1, 1, (110, 110)), colours="grey")
    assert np.abs(sheet.picture_of(0).astype(int) - 127).max() <= 1


def test_maps_of_one_value_or_none_at_all_are_drawn_dark() -> None:
    maps = np.stack([np.full((3, 3), 7.0), np.full((3, 3), np.nan)]).astype(np.float32)
    sheet = draw_maps(maps, Grid(2, 1, (3, 3)), colours="grey")
    assert not sheet.picture_of(0).any()
    assert not sheet.picture_of(1).any()


def test_places_on_the_sheet_lead_back_to_their_maps() -> None:
    sheet = draw_maps(ramp(5, 2), Grid(3, 2, (10, 10)))
    for number in range(5):
        left, top, width, height = sheet.grid.rect(number)
        for x, y in ((left, top), (left + width - 1, top + height - 1)):
            assert sheet.map_at(x, y) == number
    left, top, *_ = sheet.grid.rect(5)
    assert sheet.map_at(left, top) is None
    assert sheet.map_at(-1, 5) is None
    assert sheet.map_at(*sheet.grid.size_px) is None


@pytest.mark.parametrize("count", [1, 3, 136, 500, 3000])
def test_bars_fit_into_the_room(count: int) -> None:
    grid = fit_bars(count, (700, 560))
    assert grid.capacity >= count
    assert grid.size_px[0] <= 700
    assert grid.size_px[1] <= 560


def test_bars_stand_on_zero_and_hang_from_it() -> None:
    values = np.array([2.0, -1.0, 0.0, 1.0], np.float32)
    sheet = draw_bars(values, Grid(4, 1, (5, 30), 1), colours="grey")
    rows = [np.flatnonzero((sheet.picture_of(n) != SHEET_BGR).any(axis=(1, 2))) for n in range(4)]
    assert (rows[0][0], rows[0][-1]) == (0, 19)
    assert (rows[1][0], rows[1][-1]) == (20, 29)
    assert len(rows[2]) == 1, "nothing is a line"
    assert (rows[3][0], rows[3][-1]) == (10, 19)


def test_all_maps_of_a_layer_are_drawn_at_a_whole_multiple_of_their_size() -> None:
    image = draw_all(ramp(20, 12))
    width, height = Grid(6, 4, (96, 96)).size_px
    assert image.shape == (height, width, 3)
    assert draw_all(np.ones((2, 220, 220), np.float32)).shape[0] == 228
    assert draw_all(np.linspace(-1, 1, 3000, dtype=np.float32)).shape[1] <= 1600
