"""Cameras, by OpenCV."""

from __future__ import annotations

import logging
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import cv2

from fkd_desktop.errors import SourceError, SourceProblem
from fkd_desktop.live.result import Frame
from fkd_desktop.live.sources import cameras, v4l2
from fkd_desktop.live.sources.base import FrameSource, as_frame
from fkd_desktop.live.sources.cameras import BACKENDS, CameraInfo, CameraName
from fkd_desktop.live.sources.guarded import Guarded
from fkd_desktop.live.sources.modes import COMPRESSED, DEFAULT_MODE, CameraMode, choose, choose_automatically
from fkd_desktop.live.sources.permission import Permission, ask_permission
from trainer.core.text import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_log = logging.getLogger(__name__)


class CameraSource(FrameSource):
    """A camera.

    Parameters
    ----------
    which
        Its index or its id, and the mode that is wished for; a number stands for an index.

    Attributes
    ----------
    mode
        Once it is open: what was really agreed on with the camera, as far as its system tells.
    """

    is_live = True
    _FAILED_READS_TO_LOSE: Final = 5
    _DAMAGED_TO_LOSE: Final = 100
    """So many pictures in a row that cannot be decoded: three seconds of them. Some webcams begin with a few."""
    _SILENT_S_TO_LOSE: Final = 4.0
    """Less than five reads of a camera that hangs: each takes two seconds until the system gives up."""

    def __init__(self, which: CameraName | int = 0) -> None:
        self._which = CameraName(index=which) if isinstance(which, int) else which
        self.mode: CameraMode | None = None
        self._index = self._which.index
        self.label = self._which.label or ("Camera" if self._index is None else f"Camera {self._index}")
        self._capture: Guarded[cv2.VideoCapture] | None = None
        self._cancelled = threading.Event()
        self._node_stamp: tuple[int, ...] | None = None

    def open(self) -> None:
        """See `FrameSource.open`."""
        self._cancelled.clear()
        permission = ask_permission(self._cancelled)
        if permission is not Permission.GRANTED:
            raise self._denied(permission)
        info = self._find()
        index = info.index if info else self._index or 0
        self._index = index
        self.label = info.name if info else self.label
        if _is_linux():
            self._node_stamp = _stamp(index)
            self._complain_about(v4l2.find_problem(cameras.node_of(index)))
        capture = cv2.VideoCapture(index, BACKENDS.get(sys.platform, cv2.CAP_ANY))
        if not capture.isOpened():
            capture.release()
            if _is_linux():
                self._complain_about(v4l2.find_problem(cameras.node_of(index)))
            raise SourceError(
                "{name} cannot be opened; close other programs that may use it, and check that the system's privacy "
                "settings allow it",
                problem=SourceProblem.BUSY,
                name=self.label,
            )
        self._agree(capture, info)
        self._capture = Guarded(capture, lambda capture: capture.release())
        with _holding:
            _held[self._capture] = index
        if self._cancelled.is_set():
            self.close()

    def read(self) -> Frame | None:
        """See `FrameSource.read`."""
        start_s = time.perf_counter()
        failed = damaged = 0
        while failed < self._FAILED_READS_TO_LOSE and damaged < self._DAMAGED_TO_LOSE:
            capture = self._capture
            if capture is None:
                return None
            came, image = capture.call(_next_picture) or (False, None)
            now_s = time.perf_counter()
            if image is not None:
                return self._as_frame(image, now_s)
            failed, damaged = (0, damaged + 1) if came else (failed + 1, damaged)
            self.damaged += came
            if self._is_gone() or now_s - start_s > self._SILENT_S_TO_LOSE:
                break
        self._lose(sends_damaged=damaged > 0 and failed == 0)
        return None

    def close(self) -> None:
        """See `FrameSource.close`. Safe also while another thread opens or reads it."""
        self._cancelled.set()
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.close()

    def _find(self) -> CameraInfo | None:
        """Return which camera is meant; None if only opening it can tell whether it is there."""
        found = cameras.list_cameras()
        if self._which.id is not None:
            info = cameras.find_camera(self._which.id, found)
            if info is None:
                self._complain_about(SourceProblem.MISSING)
            return info
        index = self._which.index
        info = next((info for info in found if info.index == index), None)
        if _is_linux():  # what is not listed may still be opened by whoever insists on its number
            is_there = index is not None and cameras.node_of(index).exists()
        else:
            is_there = info is not None or any(not camera.id for camera in found)
        if not is_there:
            self._complain_about(SourceProblem.MISSING)
        return info

    def _agree(self, capture: cv2.VideoCapture, info: CameraInfo | None) -> None:
        """Ask for the wished mode, and read back what the camera made of it."""
        wish = self._which.mode
        if info is not None and info.tells_modes:
            chosen = choose(info.modes, replace(wish, fourcc="")) if wish else choose_automatically(info.modes)
            asked = chosen or DEFAULT_MODE
            if wish and wish.fourcc:  # of each size and rate, the list has only the best format
                asked = replace(asked, fourcc=wish.fourcc)
        else:
            asked = wish or DEFAULT_MODE
        # The order matters on Linux: most webcams reach 30 frames a second at this size only with MJPG.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*(asked.fourcc or "MJPG")))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, asked.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, asked.height)
        capture.set(cv2.CAP_PROP_FPS, asked.frames_per_s)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self.mode = _read_mode(capture)
        if _is_linux() and self.mode is not None and self.mode.fourcc in COMPRESSED:
            # Of a damaged JPEG, OpenCV's V4L2 code gives the picture before it once more, as if it were a new one.
            capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
        _log.info("%s: asked for %s, agreed on %s", self.label, asked, self.mode)

    def _as_frame(self, image: NDArray[np.uint8], now_s: float) -> Frame:
        height, width = image.shape[:2]
        if self.mode is not None and (width, height) != (self.mode.width, self.mode.height):
            self.mode = CameraMode(width, height, self.mode.frames_per_s, self.mode.fourcc)  # pictures do not lie
        return Frame(image, now_s, now_s)

    def _is_gone(self) -> bool:
        """Whether the camera was plugged out, perhaps in again: then what is open never sends again."""
        return _is_linux() and self._index is not None and _stamp(self._index) != self._node_stamp

    def _lose(self, *, sends_damaged: bool) -> None:
        """Let go of a camera that sends nothing of use, and say why; nothing to say if it was closed meanwhile."""
        if self._capture is None or self._cancelled.is_set():
            return
        is_gone = self._is_gone()
        self.close()
        if is_gone:
            raise SourceError(
                "{name} was unplugged; plug it in again, or choose another source",
                problem=SourceProblem.LOST,
                name=self.label,
            )
        if sends_damaged:
            raise SourceError(
                "the pictures of {name} arrive damaged; check its cable, plug it in without a hub, or choose a "
                "smaller size",
                problem=SourceProblem.LOST,
                name=self.label,
            )
        if _is_linux() and v4l2.find_problem(cameras.node_of(self._index or 0)) is SourceProblem.BUSY:
            self._complain_about(SourceProblem.BUSY)  # some drivers give it away only when pictures are asked for
        raise SourceError(
            "{name} stopped sending pictures; check that it is plugged in, then retry",
            problem=SourceProblem.LOST,
            name=self.label,
        )

    def _complain_about(self, problem: SourceProblem | None) -> None:
        if problem is SourceProblem.BUSY and _is_held(self._index):
            raise SourceError(
                "{name} does not answer; unplug it and plug it in again, or choose another source",
                problem=SourceProblem.LOST,
                name=self.label,
            )
        if problem is SourceProblem.MISSING and self._which.index is not None:
            raise SourceError(
                "there is no camera {number}; plug one in and retry, or choose another source",
                problem=problem,
                number=self._which.index,
            )
        if problem is SourceProblem.MISSING:
            raise SourceError(
                "{name} is not connected; plug it in, or choose another source",
                problem=problem,
                name=self.label,
            )
        if problem is SourceProblem.BUSY:
            raise SourceError(
                "another program uses {name}; close it there, or choose another camera",
                problem=problem,
                name=self.label,
            )
        if problem is SourceProblem.DENIED:
            raise SourceError(
                "you are not allowed to use {name}; ask your administrator to put you into the group “video”, log in "
                "again, or choose another source",
                problem=problem,
                name=self.label,
            )

    def _denied(self, permission: Permission) -> SourceError:
        if permission is Permission.UNANSWERED:
            text = Text("macOS asks whether the camera may be used; choose Allow there, then retry")
        elif sys.platform == "darwin":
            text = Text(
                "macOS does not let this program use {name}; allow it under System Settings, Privacy & Security, "
                "Camera, start the program again, or choose another source",
                name=self.label,
            )
        else:
            text = Text(
                "Windows does not let this program use {name}; allow it under Settings, Privacy & security, Camera "
                "(also for desktop apps), then retry, or choose another source",
                name=self.label,
            )
        return SourceError(text, problem=SourceProblem.DENIED)


def _is_linux() -> bool:
    return sys.platform.startswith("linux")


def _stamp(index: int) -> tuple[int, ...] | None:
    """Return what tells a device node from one of the same name that came after it; None if there is none."""
    try:
        status = cameras.node_of(index).stat()
    except OSError:
        return None
    return status.st_ino, status.st_rdev, status.st_dev


_held: Final[WeakKeyDictionary[Guarded[cv2.VideoCapture], int]] = WeakKeyDictionary()
"""What this process has opened, also what hangs in a call that does not return; and the cameras' indexes."""
_holding: Final = threading.Lock()


def _is_held(index: int | None) -> bool:
    """Whether this process itself has a camera."""
    with _holding:
        return any(number == index and not capture.is_freed for capture, number in _held.items())


def _next_picture(capture: cv2.VideoCapture) -> tuple[bool, NDArray[np.uint8] | None]:
    """Wait for a picture; return whether one came, and what it shows as (H, W, 3) BGR, None if it is damaged."""
    if not capture.grab():
        return False, None
    try:
        image: Any = capture.retrieve()[1]
        if image is not None and image.shape[0] == 1:  # a JPEG's bytes, see `_agree`
            image = cv2.imdecode(image, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        return True, None if image is None else as_frame(image)
    except (cv2.error, ValueError) as error:
        _log.debug("a damaged picture: %s", error)
        return True, None


def _read_mode(capture: cv2.VideoCapture) -> CameraMode | None:
    width, height = (int(capture.get(key)) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    if width <= 0 or height <= 0:
        return None
    rate = capture.get(cv2.CAP_PROP_FPS)
    code = int(capture.get(cv2.CAP_PROP_FOURCC))
    fourcc = code.to_bytes(4, "little").decode("latin-1") if 0 < code < 2**32 else ""
    return CameraMode(
        width, height, rate if 0 < rate <= 1000 else 0.0, fourcc if fourcc.isascii() and fourcc.isprintable() else ""
    )
