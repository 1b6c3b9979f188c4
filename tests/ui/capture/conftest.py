"""A capture controller on a session that a test plays, in a window."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QMainWindow

from fkd_desktop.ui.capture.actions import CaptureActions
from fkd_desktop.ui.capture.surface import CaptureSurface
from fkd_desktop.ui.video_view import VideoView
from tests.capture.conftest import Stage


@pytest.fixture
def stage(qapp, tmp_path):
    stage = Stage(tmp_path)
    yield stage
    assert stage.capture.shut_down()
    qapp.processEvents()


@pytest.fixture
def window(stage, qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    window.resize(800, 600)
    window.view = VideoView()
    window.setCentralWidget(window.view)
    window.actions_ = CaptureActions(stage.capture, window)
    window.surface = CaptureSurface(stage.capture, window.view)
    window.show()
    qtbot.waitExposed(window)
    return window
