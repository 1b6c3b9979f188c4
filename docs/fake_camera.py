"""A camera for the pictures: it shows the demo clip, and has every trouble that a camera can have."""

from __future__ import annotations

import threading
import time
from enum import Enum, auto

import cv2

from fkd_desktop.errors import SourceError, SourceProblem
from fkd_desktop.live.result import Frame
from fkd_desktop.live.sources import register_source
from fkd_desktop.live.sources.camera import CameraSource
from fkd_desktop.live.sources.cameras import CameraInfo, CameraName
from fkd_desktop.live.sources.modes import CameraMode
from trainer.core.resources import assets_dir

MODES = tuple(
    CameraMode(width, height, rate, "MJPG")
    for width, height, rate in (
        *((1920, 1080, 30), (1280, 720, 60), (1280, 720, 30)),
        *((640, 480, 60), (640, 480, 30)),
    )
)
CAMERAS = (
    CameraInfo("usb:1-1", "Built-in HD webcam", 0, MODES, tells_modes=True),
    CameraInfo("usb:1-2", "Desk camera", 2, MODES, tells_modes=True),
)


class Behaviour(Enum):
    """What the camera does."""

    SENDS = auto()
    OPENS_FOR_EVER = auto()
    SILENT = auto()
    MISSING = auto()
    BUSY = auto()
    DENIED = auto()
    UNPLUGGED = auto()


class Stage:
    """What is in front of the camera, and how it behaves; changed while it runs."""

    behaviour = Behaviour.SENDS
    time_s = 2.6
    """Of the clip. It is played up to there, as faces are followed from frame to frame; then that frame is sent again
    and again, so that both themes show the same one."""


LEAD_S = 2.0


class FakeCamera(CameraSource):
    """Says what a real one says, in the real words."""

    def __init__(self, which: CameraName) -> None:
        super().__init__(which)
        self._closed = threading.Event()
        self._clip: cv2.VideoCapture | None = None
        self._end_s = -1.0
        self._left = 0
        self._next_s = 0.0

    def open(self) -> None:
        """See `FrameSource.open`."""
        self._closed.clear()
        match Stage.behaviour:
            case Behaviour.OPENS_FOR_EVER:
                self._closed.wait(60)
            case Behaviour.MISSING | Behaviour.UNPLUGGED:
                self._complain_about(SourceProblem.MISSING)
            case Behaviour.BUSY:
                self._complain_about(SourceProblem.BUSY)
            case Behaviour.DENIED:
                self._complain_about(SourceProblem.DENIED)
        self.mode = CameraMode(640, 480, 30, "MJPG")
        self._clip = cv2.VideoCapture(str(assets_dir() / "demo" / "demo.mp4"))

    def read(self) -> Frame | None:
        """See `FrameSource.read`."""
        self._closed.wait(max(0.0, self._next_s - time.perf_counter()))
        while Stage.behaviour is Behaviour.SILENT and not self._closed.wait(0.05):
            pass
        if Stage.behaviour is Behaviour.UNPLUGGED:
            raise SourceError(
                "{name} was unplugged; plug it in again, or choose another source",
                problem=SourceProblem.LOST,
                name=self.label,
            )
        if self._closed.is_set() or self._clip is None:
            return None
        if self._end_s != Stage.time_s:
            self._end_s, self._left = Stage.time_s, round(30 * LEAD_S)
            self._clip.set(cv2.CAP_PROP_POS_FRAMES, round(30 * self._end_s) - self._left)
        if self._left:
            self._left -= 1
            self._image = self._clip.read()[1]
        now_s = time.perf_counter()
        self._next_s = max(self._next_s + 1 / 30, now_s)
        return Frame(self._image.copy(), now_s, now_s)

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._closed.set()


def install() -> None:
    """Let every camera be this one."""
    register_source("camera", lambda text: FakeCamera(CameraName.parse(text)))
