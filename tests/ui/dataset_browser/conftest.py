"""The real window, offscreen, on drawn faces."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QImage

from fkd_desktop.settings import Settings
from fkd_desktop.ui.dataset_browser import DatasetBrowser

TIMEOUT_MS = 60_000


@pytest.fixture
def open_browser(qtbot, tmp_path):
    """Open the window on a data set and wait for its check."""
    windows = []

    def open_it(folder, *, checked=True):
        window = DatasetBrowser(folder, settings=Settings(tmp_path / "settings.ini"), weights=None, device="cpu")
        qtbot.addWidget(window)
        windows.append(window)
        window.show()
        qtbot.waitExposed(window)
        if checked:
            wait_checked(qtbot, window)
        return window

    yield open_it
    for window in windows:
        window.close()


@pytest.fixture
def browser(open_browser, tiny_data):
    return open_browser(tiny_data)


def wait_checked(qtbot, window):
    qtbot.waitUntil(
        lambda: window.browsing.state.name not in ("EMPTY", "READING") and not window.browsing.is_checking,
        timeout=TIMEOUT_MS,
    )


def wait_shown(qtbot, window, row):
    """Wait until the large view shows a row of the grid."""
    place = window.model.entries[row].place
    panel = window.face_panel
    qtbot.waitUntil(lambda: panel.entry is not None and panel.entry.place == place, timeout=TIMEOUT_MS)


def pixels(image: QImage) -> np.ndarray:
    """(H, W, 3) RGB of an image, in device pixels."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    data = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return data[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)
