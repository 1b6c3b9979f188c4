"""A camera that other programs see, by pyvirtualcam where it is installed: it is GPL, so it never comes along."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import re
import sys
import threading
import time
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PySide6.QtCore import QThread, Signal

from fkd_desktop.errors import OutputError
from fkd_desktop.i18n import translated
from fkd_desktop.live.latest import LatestSlot

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fkd_desktop.live.result import FrameResult, LiveFrame

_log = logging.getLogger(__name__)

SIZES_PX: Final = ((640, 480), (1280, 720), (1920, 1080))
DEFAULT_SIZE_PX: Final = (1280, 720)
DEFAULT_FRAMES_PER_S: Final = 30
OBS_CAMERA_CLASS: Final = r"SOFTWARE\Classes\CLSID\{A3FCE0F5-3493-419F-958A-ABA1250EC20B}"
"""Where OBS registers its virtual camera on Windows."""
_LINUX_DEVICES = Path("/sys/devices/virtual/video4linux")
_LINUX_NODES = Path("/dev")
_MACOS_FOLDERS = (Path("/Applications"), Path.home() / "Applications")
_STANDBY_GREY: Final = 24


class VirtualCameraNeed(Enum):
    """What may be missing for a virtual camera, as far as it can be told without opening one."""

    PACKAGE = auto()
    """The Python package pyvirtualcam."""
    DRIVER = auto()
    """The system's virtual camera: v4l2loopback on Linux, OBS on Windows and macOS."""
    PERMISSION = auto()
    """There is one, but this user may not write to it."""


def virtual_camera_needs() -> frozenset[VirtualCameraNeed]:
    """Say what is missing right now; nothing if all is there."""
    importlib.invalidate_caches()  # it may have been installed since the application was started
    needs = set()
    if importlib.util.find_spec("pyvirtualcam") is None:
        needs.add(VirtualCameraNeed.PACKAGE)
    if sys.platform.startswith("linux"):
        found = [_LINUX_NODES / path.name for path in _LINUX_DEVICES.glob("video*")] if _LINUX_DEVICES.is_dir() else []
        if not found:
            needs.add(VirtualCameraNeed.DRIVER)
        elif not any(os.access(node, os.W_OK) for node in found):
            needs.add(VirtualCameraNeed.PERMISSION)
    elif sys.platform == "darwin":
        if not any((folder / "OBS.app").exists() for folder in _MACOS_FOLDERS):
            needs.add(VirtualCameraNeed.DRIVER)
    elif not _has_obs_on_windows():
        needs.add(VirtualCameraNeed.DRIVER)
    return frozenset(needs)


def _has_obs_on_windows() -> bool:
    try:
        winreg: Any = importlib.import_module("winreg")
        winreg.CloseKey(winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, OBS_CAMERA_CLASS))
    except (ImportError, OSError):
        return False
    return True


class VirtualCameraThread(QThread):
    """A `Sink` whose newest frame goes out at a steady rate, fitted into one size, until it is stopped.

    A program on the other end expects a steady camera, so the last picture is repeated while no new one comes; after
    `clear` an empty one is sent, lest a user who has stopped the session is still seen.

    Parameters
    ----------
    look, paint
        As for `fkd_desktop.workers.recording.Recording`.
    size_px
        Width and height.
    frames_per_s
        How many go out.
    device
        Name of the virtual camera; None for the first.
    """

    opened = Signal(str)
    """The camera is there: its name."""
    failed = Signal(str)
    """A sentence for the user; the thread ends."""

    def __init__(
        self,
        *,
        look: Callable[[], Any],
        paint: Callable[[FrameResult, Any], NDArray[np.uint8]],
        size_px: tuple[int, int] = DEFAULT_SIZE_PX,
        frames_per_s: float = DEFAULT_FRAMES_PER_S,
        device: str | None = None,
    ) -> None:
        super().__init__()
        self.setObjectName("virtual-camera")
        self._look, self._paint = look, paint
        self._size_px, self._period_s, self._device = size_px, 1 / frames_per_s, device
        self._slot: LatestSlot[LiveFrame] = LatestSlot()
        self._stop = threading.Event()
        self._clear = threading.Event()
        self.sent = 0
        """Pictures that went out."""

    def offer(self, live: LiveFrame) -> None:
        """Take the newest frame; see `Sink`."""
        self._clear.clear()
        self._slot.put(live)

    def clear(self) -> None:
        """Send an empty picture until the next frame comes."""
        self._slot.take()
        self._clear.set()

    def stop(self) -> None:
        """Close the camera; returns at once."""
        self.requestInterruption()
        self._stop.set()

    def run(self) -> None:
        """Send until `stop` or a failure."""
        try:
            camera = self._open()
        except OutputError as error:
            self.failed.emit(translated(error))
            return
        try:
            self.opened.emit(str(camera.device))
            self._send_all(camera)
        except Exception as error:
            _log.exception("the virtual camera failed")
            self.failed.emit(translated(_failure(error)))
        finally:
            try:
                camera.close()
            except Exception:  # the device has gone, which was told above
                _log.exception("the virtual camera could not be closed")

    def _open(self) -> Any:
        try:
            module: Any = importlib.import_module("pyvirtualcam")
        except Exception as error:  # it loads a library of its own, which may fail in any way
            raise OutputError(
                "the virtual camera needs the package pyvirtualcam ({reason}); install it as its dialog explains",
                reason=_one_line(error),
            ) from error
        try:
            return module.Camera(*self._size_px, 1 / self._period_s, fmt=module.PixelFormat.BGR, device=self._device)
        except Exception as error:
            raise _failure(error) from error

    def _send_all(self, camera: Any) -> None:
        from fkd_desktop.live.video_writer import letterbox  # noqa: PLC0415 (PyAV: not at the window's start)

        width, height = self._size_px
        standby = np.full((height, width, 3), _STANDBY_GREY, np.uint8)
        picture: NDArray[np.uint8] = standby
        last: LiveFrame | None = None
        last_look: object = None
        due_s = time.perf_counter()
        while not self._stop.is_set():
            live = self._slot.take()
            look = self._look()
            if self._clear.is_set():
                picture, last = standby, None
            else:
                newest = live or last
                if newest is not None and (newest is not last or look != last_look):
                    last, last_look = newest, look
                    picture = letterbox(self._paint(newest.result, look), *self._size_px)
            camera.send(picture)
            self.sent += 1
            due_s = max(due_s + self._period_s, time.perf_counter() - self._period_s)  # after a hiccup, no hurry
            self._stop.wait(max(0.0, due_s - time.perf_counter()))


def _failure(error: Exception) -> OutputError:
    return OutputError(
        "the virtual camera does not work ({reason}); see in its dialog what it needs", reason=_one_line(error)
    )


def _one_line(error: Exception) -> str:
    """Return the first sentence of pyvirtualcam's message, which has a line for each kind of camera that it tried."""
    text = " ".join(str(error).split()).partition(". ")[0].rstrip(".")
    return re.sub(r"^'\w+' backend: ", "", text) or type(error).__name__
