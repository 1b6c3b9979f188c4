"""Run by test_camera_in_window.py in a process of its own, with a webcam's driver preloaded: the real window, and what
it says while the camera is in trouble. Prints that.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from fkd_desktop.controller import Controller, SessionState
from fkd_desktop.i18n import install_language
from fkd_desktop.live import darkness, session
from fkd_desktop.live.sources import CameraSource, cameras
from fkd_desktop.settings import Settings
from fkd_desktop.ui.main_window import MainWindow
from tests.live.webcam import Webcam, damaged, jpeg
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Callable

WAIT_S = 20.0


class Desk:
    """A window on the webcam, and a user who reads what it says."""

    def __init__(self, webcam: Webcam, folder: Path) -> None:
        self.webcam = webcam
        settings = Settings(folder / "settings.ini")
        settings.videos_folder = str(folder / "videos")
        self.controller = Controller(device="cpu")
        self.window = MainWindow(self.controller, settings)
        self.states: list[str] = []
        self.controller.session_changed.connect(lambda state, _: self.states.append(state.name))
        self.window.show()
        self.controller.load_network()

    def wait_until(self, is_so: Callable[[], object], what: str) -> None:
        deadline_s = time.monotonic() + WAIT_S
        while not is_so():
            assert time.monotonic() < deadline_s, f"{what}; states were {self.states}, the window says {self.words()}"
            QTest.qWait(10)

    def wait_for(self, state: SessionState) -> dict[str, object]:
        """Wait for a state; return what stands in the window."""
        self.wait_until(lambda: self.controller.session_state is state, f"not {state.name}")
        return self.words()

    def wait_live(self) -> None:
        """Wait until new pictures are shown, without a word."""
        self.wait_for(SessionState.LIVE)
        before = self.window.view.live_frame
        self.wait_until(lambda: self.window.view.live_frame not in (None, before), "no new picture")
        self.wait_until(lambda: self.window.pane.shows_picture and not self.window.banner.isVisible(), "not well")

    def wait_for_banner(self) -> str:
        self.wait_until(self.window.banner.isVisible, "no notice")
        return self.window.banner.text

    def words(self) -> dict[str, object]:
        if self.window.pane.shows_picture:
            return {"notice": self.window.banner.text}
        empty = self.window.empty_state
        return {"title": empty.title, "text": empty.text, "buttons": [button.text() for button in empty.buttons()]}


def main() -> dict[str, object]:
    webcam = Webcam(Path(os.environ["FAKE_V4L2"]))
    cameras.DEV, cameras.SYSFS = webcam.dev, webcam.sysfs  # type: ignore[misc]
    capture = cv2.VideoCapture(str(assets_dir() / "demo" / "demo.mp4"))
    good = jpeg(cv2.copyMakeBorder(cv2.resize(capture.read()[1], (960, 720)), 0, 0, 160, 160, cv2.BORDER_REPLICATE))
    capture.release()
    webcam.send(good, width=1280)
    webcam.unplug()
    application = QApplication(sys.argv[:1])
    install_language("en")
    with tempfile.TemporaryDirectory() as folder:
        threads = set(threading.enumerate())
        desk = Desk(webcam, Path(folder))
        said = come_and_go(desk) | send_rubbish(desk, good) | sleep(desk)
        desk.window.close()
        application.processEvents()
        said["left"] = [
            thread.name
            for thread in set(threading.enumerate()) - threads
            if thread.name.startswith(("capture", "frame-reader"))
        ]
    return said


def come_and_go(desk: Desk) -> dict[str, object]:
    webcam = desk.webcam
    desk.window.opener.open_camera()
    said: dict[str, object] = {"absent": desk.wait_for(SessionState.MISSING)}
    webcam.plug_in()
    desk.wait_live()

    for fault, state in (("busy", SessionState.BUSY), ("denied", SessionState.DENIED)):
        webcam.unplug()
        desk.wait_for(SessionState.RECONNECTING)
        webcam.set(fault)
        webcam.plug_in()
        said[fault] = desk.wait_for(state)
        webcam.clear(fault)
        desk.wait_live()

    for _ in range(3):
        webcam.unplug()
        said["unplugged"] = desk.wait_for(SessionState.RECONNECTING)
        webcam.plug_in()
        desk.wait_live()
    return said


def send_rubbish(desk: Desk, good: bytes) -> dict[str, object]:
    """Send nothing, damaged pictures, and black ones."""
    webcam, said = desk.webcam, dict[str, object]()
    session.STALL_S = 0.3  # type: ignore[misc]
    webcam.set("stalled")
    said["stalled"] = desk.wait_for_banner()
    webcam.clear("stalled")
    desk.wait_live()

    dropped = desk.controller.dropped
    webcam.send(damaged(good)["cut off"], width=1280)
    desk.wait_until(lambda: desk.controller.dropped >= dropped + 3, "damaged pictures do not count")
    webcam.send(good, width=1280)
    desk.wait_live()
    CameraSource._DAMAGED_TO_LOSE = 20  # type: ignore[misc]
    webcam.send(damaged(good)["noise"], width=1280)
    said["damaged"] = desk.wait_for(SessionState.RECONNECTING)
    webcam.send(good, width=1280)
    desk.wait_live()

    darkness.DARK_S = 0.3  # type: ignore[misc]
    webcam.send(jpeg(np.zeros((720, 1280, 3), np.uint8)), width=1280)
    said["black"] = desk.wait_for_banner()
    webcam.send(good, width=1280)
    desk.wait_live()
    return said


def sleep(desk: Desk) -> dict[str, object]:
    """Close the lid over night while it records; the camera is found anew in the morning, as by many a computer."""
    webcam, window = desk.webcam, desk.window
    window.capture.controller.start_recording()
    desk.wait_until(lambda: len(window.view.live_frame.result) == 1, "no face")
    webcam.set("stalled")
    desk.wait_for_banner()
    wall_s = time.time()
    webcam.set("slept", str(8 * 3600))
    webcam.unplug()
    webcam.clear("stalled")
    desk.wait_for(SessionState.RECONNECTING)
    webcam.plug_in()
    desk.wait_live()
    desk.wait_until(lambda: len(window.view.live_frame.result) == 1, "the face is not found again")
    slept_s = time.time() - wall_s
    saved: list[str] = []
    window.capture.controller.recording_saved.connect(saved.append)
    window.capture.controller.stop_recording()
    desk.wait_until(lambda: saved, "no film")
    with av.open(saved[0]) as film:
        return {"slept": slept_s, "film": float((film.duration or 0) / av.time_base)}


if __name__ == "__main__":
    json.dump(main(), sys.stdout)
