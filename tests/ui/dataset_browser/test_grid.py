"""The grid: what is in sight, and that only that is made."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PySide6.QtCore import QPoint

from fkd_desktop.training.entries import whole_catalogue
from fkd_desktop.ui.dataset_browser.filter_bar import SIDES_PX
from fkd_desktop.ui.dataset_browser.model import EntryModel
from tests.ui.dataset_browser.conftest import TIMEOUT_MS, pixels


@pytest.fixture
def many(csv_data):
    """600 faces on 32 images, no two labelled alike."""
    with (csv_data / "labels.csv").open(encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    with (csv_data / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for number in range(600):
            name, *cells = rows[number % 32]
            writer.writerow([name, *(f"{float(cell) + number // 32 / 10:.2f}" for cell in cells)])
    return csv_data


def wait_idle(qtbot, window):
    qtbot.waitUntil(lambda: not window.grid._look.isActive() and window.browsing.thumbnails.is_idle, timeout=TIMEOUT_MS)


def made(window):
    side = window.grid.side_px
    return {
        row for row, entry in enumerate(window.model.entries) if window.browsing.thumbnails.get(entry, side) is not None
    }


@pytest.mark.parametrize("side", [SIDES_PX.index(96), SIDES_PX.index(192)])
def test_rows_in_sight_are_those_that_are_painted_there(open_browser, qtbot, many, side):
    window = open_browser(many)
    grid, bar = window.grid, window.grid.verticalScrollBar()
    window.filter_bar.side.setValue(side)
    assert grid.side_px == SIDES_PX[side]
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    for value in (0, 137, bar.maximum() // 2, bar.maximum()):
        bar.setValue(value)
        painted = [
            row for row in range(600) if grid.visualRect(window.model.index(row)).intersects(grid.viewport().rect())
        ]
        assert list(grid.rows_in_sight()) == painted


def test_thumbnails_are_made_for_what_is_in_sight_and_a_page_about_it(open_browser, qtbot, many):
    window = open_browser(many)
    wait_idle(qtbot, window)
    sight = window.grid.rows_in_sight()
    assert sight.start == 0
    assert set(sight) <= made(window) <= set(range(2 * len(sight) + 8))
    window.grid.verticalScrollBar().setValue(window.grid.verticalScrollBar().maximum())
    wait_idle(qtbot, window)
    end = window.grid.rows_in_sight()
    assert end.stop == 600
    assert set(end) <= made(window)
    assert 300 not in made(window), "what was only passed is not made"


def test_a_cell_shows_the_thumbnail_of_its_face(open_browser, qtbot, many):
    window = open_browser(many)
    wait_idle(qtbot, window)
    grid = window.grid
    cell = grid.visualRect(window.model.index(5))
    image = pixels(grid.viewport().grab().toImage())
    thumb = pixels(window.browsing.thumbnails.get(window.model.entries[5], grid.side_px))
    left, top = cell.left() + (cell.width() - grid.side_px) // 2, cell.top() + 6
    side = grid.side_px
    np.testing.assert_array_equal(image[top : top + side, left : left + side], thumb)
    assert grid.indexAt(QPoint(left + 5, top + 5)).row() == 5


def test_more_of_the_same_faces_do_not_move_the_grid(qtbot, tiny_data):
    entries = list(whole_catalogue(tiny_data).entries)
    model = EntryModel()
    model.show_entries(entries[:10])
    with qtbot.assertNotEmitted(model.modelReset), qtbot.waitSignal(model.rowsInserted):
        model.show_entries(entries)
    assert model.rowCount() == 35
    assert model.row_of(entries[30]) == 30
    with qtbot.waitSignal(model.modelReset):
        model.show_entries(entries[5:])
    assert model.row_of(entries[0]) is None
