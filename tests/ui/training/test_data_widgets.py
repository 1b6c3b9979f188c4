"""The thumbnail strip and the small widgets of the data panel."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from fkd_desktop.ui.elided_label import ElidedLabel
from fkd_desktop.ui.training.data_thumbnails import ThumbnailStrip


@pytest.fixture
def strip(qtbot):
    strip = ThumbnailStrip()
    qtbot.addWidget(strip)
    strip.show_thumbnails([np.full((64, 64, 3), (10 * number, 0, 200), np.uint8) for number in range(24)])
    strip.resize(400, 130)
    strip.show()
    return strip


def test_the_strip_paints_faces_in_their_colours(strip):
    image = strip.grab().toImage()
    assert image.pixelColor(50, 50).red() == 200
    assert image.pixelColor(50, 50).blue() == 0


def test_the_strip_scrolls_with_keys_and_the_wheel(strip, qtbot):
    bar = strip.horizontalScrollBar()
    strip.setFocus()
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert bar.value() > 0
    assert strip.verticalScrollBar().maximum() == 0


def test_a_higher_strip_has_more_rows(strip):
    wide = strip.widget().width()
    strip.resize(400, 400)
    assert strip.widget().width() < wide
    assert strip.verticalScrollBar().maximum() == 0


def test_a_strip_of_few_faces_stays_one_row_high(strip):
    strip.show_thumbnails([np.zeros((64, 64, 3), np.uint8)] * 3)
    assert strip.maximumHeight() < 240
    strip.resize(400, 900)
    assert strip.widget().height() == strip.widget().width() / 3


def test_a_long_path_is_shortened_and_whole_in_its_tooltip(qtbot):
    label = ElidedLabel()
    qtbot.addWidget(label)
    path = "/home/" + "a" * 300 + "/faces"
    label.setText(path)
    assert label.toolTip() == path
    assert label.minimumSizeHint().width() < 100
    label.resize(200, 24)
    label.grab()
