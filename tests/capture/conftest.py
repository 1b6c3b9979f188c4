"""A capture controller on a session that a test plays."""

from __future__ import annotations

import pytest

from fkd_desktop.capture.controller import CaptureController
from fkd_desktop.live.sinks import SinkSet
from tests.capture.live_frames import live_frame


class Stage:
    """What the window would know: the sinks, the picture on the screen, layers and mirror."""

    def __init__(self, folder):
        self.sinks = SinkSet()
        self.shown = live_frame()
        self.layers = ()
        self.mirrored = False
        self.capture = CaptureController(
            sinks=self.sinks,
            newest=lambda: self.shown,
            layers=lambda: self.layers,
            mirrored=lambda: self.mirrored,
        )
        self.capture.pictures_folder = folder / "pictures"
        self.capture.videos_folder = folder / "videos"
        self.failures: list[str] = []
        self.capture.failed.connect(self.failures.append)

    def show(self, live):
        """Let a frame come, as the session does: to the sinks, and onto the screen."""
        self.shown = live
        self.sinks.offer(live)


@pytest.fixture
def stage(qapp, tmp_path):
    stage = Stage(tmp_path)
    yield stage
    assert stage.capture.shut_down()
    qapp.processEvents()
