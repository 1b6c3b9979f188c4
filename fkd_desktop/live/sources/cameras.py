"""The cameras of this machine: their names, their modes, and an id by which the same one is found again.

On Linux sysfs and V4L2 tell all of it. OpenCV has neither names nor ids, so on Windows and macOS cv2_enumerate_cameras
asks Media Foundation and AVFoundation, in the order in which OpenCV counts.
"""

from __future__ import annotations

import importlib
import logging
import re
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

import cv2

from fkd_desktop.errors import SourceError
from fkd_desktop.live.sources import v4l2
from fkd_desktop.live.sources.modes import USUAL_MODES, CameraMode, choices, format_mode, parse_mode

_log = logging.getLogger(__name__)

BACKENDS: Final = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_MSMF, "darwin": cv2.CAP_AVFOUNDATION}
"""What OpenCV opens cameras with, by `sys.platform`."""

DEV: Final = Path("/dev")
SYSFS: Final = Path("/sys/class/video4linux")

_MOST_DIGITS: Final = 6


@dataclass(frozen=True)
class CameraInfo:
    """A camera that is there.

    Attributes
    ----------
    id
        The same for the same camera after it was plugged out and in, and after a restart; empty if the system tells
        none. On Linux its USB numbers and serial number, and behind an @ the port it is plugged into: that decides only
        between cameras without a serial number or with the same one.
    name
        What its maker calls it; numbered where two have the same.
    index
        By which OpenCV opens it, as long as nothing is plugged in or out.
    modes
        What it offers, one for each size and rate; a few usual ones where the system does not tell.
    tells_modes
        Whether the system told them.
    """

    id: str
    name: str
    index: int
    modes: tuple[CameraMode, ...] = USUAL_MODES
    tells_modes: bool = False

    def source_name(self, mode: CameraMode | None = None) -> str:
        """Return the name by which `make_source` opens this camera, in a mode or automatically."""
        if not self.id:
            return CameraName(index=self.index, mode=mode).text
        return CameraName(id=self.id, mode=mode, label=self.name).text


@dataclass(frozen=True)
class CameraName:
    """What stands behind ``camera:`` in the name of a source.

    Attributes
    ----------
    index, id
        Which camera; one of the two is None.
    mode
        What is asked for; None for automatic.
    label
        What the camera was called when it was chosen, to name it while it is not there.
    """

    index: int | None = None
    id: str | None = None
    mode: CameraMode | None = None
    label: str = ""

    @property
    def text(self) -> str:
        """The name of the source, for `make_source`."""
        camera = str(self.index) if self.id is None else f"id={quote(self.id, safe=':@.-')}"
        parts = [f"name={quote(self.label)}"] if self.label else []
        parts += [format_mode(self.mode)] if self.mode else []
        return f"camera:{camera}" + ("?" + "&".join(parts) if parts else "")

    @classmethod
    def parse(cls, text: str) -> CameraName:
        """Read what stands behind ``camera:``: ``0`` or ``id=...``, alone or with ``?size=1280x720&fps=30``.

        Raises
        ------
        SourceError
            If it is something else.
        """
        camera, _, query = text.partition("?")
        parts = [part for part in query.split("&") if part]
        label = "".join(unquote(part.removeprefix("name=")) for part in parts if part.startswith("name="))
        wishes = [part for part in parts if not part.startswith("name=")]
        try:
            mode = parse_mode("&".join(wishes)) if wishes else None
        except ValueError as error:
            raise SourceError(
                "camera:{camera} asks for a size or rate that makes no sense; write camera:0?size=1280x720&fps=30",
                camera=text,
            ) from error
        if camera.startswith("id=") and len(camera) > len("id="):
            return cls(id=unquote(camera.removeprefix("id=")), mode=mode, label=label)
        if camera.isdecimal() and camera.isascii() and len(camera) <= _MOST_DIGITS:
            return cls(index=int(camera), mode=mode, label=label)
        raise SourceError("camera:{camera} is not a camera; write camera:0 for the first one", camera=text)


def list_cameras() -> tuple[CameraInfo, ...]:
    """Look for cameras, in the order of their indexes. May take some tenths of a second: not for the GUI thread."""
    cameras = _list_linux() if sys.platform.startswith("linux") else _list_by_library()
    return _with_different_names(cameras)


_others: Final[dict[str, set[str]]] = {}
"""By id: cameras of the same kind that were there at the same time, in this process. So they are not the same one."""


def find_camera(camera_id: str, cameras: tuple[CameraInfo, ...]) -> CameraInfo | None:
    """Return the camera with an id, also in another port if no other one can be meant; None if it is not there."""
    same_kind = [camera for camera in cameras if _identity(camera.id) == _identity(camera_id)]
    for camera in same_kind:
        if camera.id == camera_id:
            _others.setdefault(camera_id, set()).update(other.id for other in same_kind if other is not camera)
            return camera
    possible = [camera for camera in same_kind if camera.id not in _others.get(camera_id, ())]
    return possible[0] if len(possible) == 1 else None


def node_of(index: int) -> Path:
    """Return the device node by which Linux knows a camera."""
    return DEV / f"video{index}"


def _identity(camera_id: str) -> str:
    return camera_id.rpartition("@")[0] or camera_id


def _with_different_names(cameras: list[CameraInfo]) -> tuple[CameraInfo, ...]:
    totals = Counter(camera.name for camera in cameras)
    seen: Counter[str] = Counter()
    named = []
    for camera in sorted(cameras, key=lambda c: c.index):
        seen[camera.name] += 1
        named.append(
            replace(camera, name=f"{camera.name} ({seen[camera.name]})") if totals[camera.name] > 1 else camera
        )
    return tuple(named)


def _list_linux() -> list[CameraInfo]:
    cameras: dict[Path, CameraInfo] = {}  # by the device: some have a second node for another format
    for folder in sorted(SYSFS.glob("video*"), key=_number):
        device = (folder / "device").resolve()
        key = device if device.exists() else folder.resolve()
        if _number(folder) < 0 or key in cameras:
            continue
        index = _number(folder)
        try:
            if not v4l2.gives_pictures(node_of(index)):
                continue
            modes = choices(v4l2.read_modes(node_of(index)))
        except FileNotFoundError:
            continue
        except OSError:
            # Not allowed, or taken by a program that shares with nobody: it is there all the same. Only the first node
            # of a device is then taken for a camera, the others of most cameras carry metadata.
            if _text(folder / "index") not in {"0", ""}:
                continue
            modes = ()
        name = _text(folder / "name") or f"Camera {index}"
        cameras[key] = CameraInfo(
            _linux_id(folder, device, name), _short(name), index, modes or USUAL_MODES, tells_modes=bool(modes)
        )
    return list(cameras.values())


def _linux_id(folder: Path, device: Path, name: str) -> str:
    """Make an id from what sysfs says of the USB device; of others, where they are built in, or their name."""
    if not device.exists():  # a virtual one
        return f"virtual:{name}@{folder.name}"
    for parent in (device, *device.parents):
        vendor = _text(parent / "idVendor")
        if not vendor:
            continue
        serial = _text(parent / "serial")
        # "1-5:1.2" is interface 1.2 of what hangs at port 5 of bus 1: a colour and an infrared camera differ in it.
        interface = device.name.rpartition(":")[2] if device != parent else "0"
        return f"usb:{vendor}:{_text(parent / 'idProduct')}:{serial}:{interface}@{parent.name}"
    return f"path:{device}"


def _short(name: str) -> str:
    """Drop the second half of what many drivers say: "HD Webcam: HD Webcam", cut off after 32 characters."""
    first, colon, second = name.partition(": ")
    return first if colon and first.startswith(second[: len(first)]) else name


def _number(folder: Path) -> int:
    match = re.fullmatch(r"video(\d+)", folder.name)
    return int(match[1]) if match else -1


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _list_by_library() -> list[CameraInfo]:
    try:
        library: Any = importlib.import_module("cv2_enumerate_cameras")
        found = library.enumerate_cameras(BACKENDS.get(sys.platform, cv2.CAP_ANY))
    except Exception as error:  # no such library for this processor, or the system's service for cameras is off
        _log.warning("cameras cannot be listed (%s): only the first one is offered", error)
        return [CameraInfo("", "Camera 0", 0)]
    return [
        CameraInfo(str(camera.path or f"index:{camera.index}"), str(camera.name or f"Camera {camera.index}"), index)
        for index, camera in enumerate(found)
    ]
