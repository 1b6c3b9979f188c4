"""A Linux machine with cameras, as far as our code looks at it: sysfs, device nodes, ioctls and OpenCV's captures.

The driver writes what the kernel would write, byte by byte at the offsets of linux/videodev2.h: so the structures of
our own code are checked, too.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import cv2

from fkd_desktop.live.sources import camera as camera_module
from fkd_desktop.live.sources import cameras, permission, v4l2
from tests.live.helpers import FakeCapture, picture

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pytest

CAPTURE, METADATA = 0x0420_0001, 0x0480_0000  # V4L2_CAP_..., with V4L2_CAP_STREAMING
OF_ALL_NODES = 0x84A0_0001  # what every node of a webcam says of the whole device, with V4L2_CAP_DEVICE_CAPS
OF_A_GRAPH = 0x2420_0001  # with V4L2_CAP_IO_MC

Modes = dict[str, dict[tuple[int, int], list[tuple[int, int]]]]
"""By format and size: what a frame takes, as numerator and denominator of seconds."""

WEBCAM_MODES: Modes = {
    "YUYV": {(640, 480): [(1, 30), (1, 15)], (1280, 720): [(1, 10), (1, 5)], (1920, 1080): [(1, 5)]},
    "MJPG": {(640, 480): [(1, 30)], (1280, 720): [(1, 60), (1, 30)], (1920, 1080): [(1, 30)]},
    "H264": {(1920, 1080): [(1, 30)]},
}


@dataclass
class FakeNode:
    """One device node and what its driver does."""

    device_caps: int = CAPTURE
    modes: Modes = field(default_factory=dict)
    range: tuple[int, int, int, int] | None = None
    """Lowest and highest width and height of a driver that takes every size between."""
    is_busy: bool = False
    is_denied: bool = False
    captures: list[FakeCapture] = field(default_factory=list)
    """What OpenCV gets when it opens it, one after the other."""


class FakeLinux:
    """See the module."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dev, self.sysfs = folder / "dev", folder / "sys" / "class" / "video4linux"
        self.devices = folder / "sys" / "devices"
        for path in (self.dev, self.sysfs, self.devices):
            path.mkdir(parents=True)
        self.nodes: dict[int, FakeNode] = {}
        self.opened: list[int] = []
        fake_cv2 = SimpleNamespace(**{name: getattr(cv2, name) for name in dir(cv2) if not name.startswith("__")})
        fake_cv2.VideoCapture = self._open_capture
        monkeypatch.setattr(camera_module, "cv2", fake_cv2)
        monkeypatch.setattr(camera_module, "_held", WeakKeyDictionary())
        for module in (camera_module, cameras, permission):
            monkeypatch.setattr(module, "sys", SimpleNamespace(platform="linux"))
        monkeypatch.setattr(cameras, "DEV", self.dev)
        monkeypatch.setattr(cameras, "SYSFS", self.sysfs)
        monkeypatch.setattr(v4l2, "ioctl", self._ioctl)
        monkeypatch.setattr(v4l2, "os", _Os(self))

    def plug_in(
        self,
        *nodes: FakeNode,
        first: int = 0,
        port: str = "1-5",
        name: str = "HD Webcam: HD Webcam",
        serial: str = "A1B2",
        ids: tuple[str, str] = ("046d", "082d"),
    ) -> None:
        """Attach one USB camera with its nodes, from number `first` on."""
        usb = self.devices / "pci0000:00" / "usb1" / port
        interface = usb / f"{port}:1.0"
        interface.mkdir(parents=True, exist_ok=True)
        (usb / "idVendor").write_text(ids[0] + "\n")
        (usb / "idProduct").write_text(ids[1] + "\n")
        if serial:
            (usb / "serial").write_text(serial + "\n")
        for offset, node in enumerate(nodes or (FakeNode(modes=WEBCAM_MODES), FakeNode(device_caps=METADATA))):
            self._add(first + offset, node, name, interface, offset)

    def add_virtual(self, number: int, node: FakeNode, name: str) -> None:
        """Add what v4l2loopback does: no device behind it."""
        self._add(number, node, name, None, 0)

    def unplug(self, *numbers: int) -> None:
        """Take nodes away, as the kernel does at once."""
        for number in numbers:
            del self.nodes[number]
            (self.dev / f"video{number}").unlink()
            for path in (self.sysfs / f"video{number}").iterdir():
                path.unlink()
            (self.sysfs / f"video{number}").rmdir()

    def _add(self, number: int, node: FakeNode, name: str, interface: Path | None, index: int) -> None:
        self.nodes[number] = node
        folder = self.sysfs / f"video{number}"
        folder.mkdir()
        (folder / "name").write_text(name + "\n")
        (folder / "index").write_text(f"{index}\n")
        if interface is not None:
            (folder / "device").symlink_to(interface)
        (self.dev / f"video{number}").write_bytes(b"")

    def _open_capture(self, number: int, backend: int) -> FakeCapture:
        assert backend == cv2.CAP_V4L2
        self.opened.append(number)
        node = self.nodes.get(number)
        if node is None or node.is_busy:
            return FakeCapture([], is_open=False)
        return node.captures.pop(0) if node.captures else EndlessCapture()

    def _node_of(self, descriptor: int) -> FakeNode:
        inode = os.fstat(descriptor).st_ino
        return next(node for number, node in self.nodes.items() if (self.dev / f"video{number}").stat().st_ino == inode)

    def _ioctl(self, descriptor: int, request: int, argument: ctypes.Structure) -> None:
        node = self._node_of(descriptor)
        asked = bytes(argument)
        answers = {
            0x80685600: self._capability,
            0xC0405602: self._format,
            0xC02C564A: self._size,
            0xC034564B: self._interval,
            0xC0145608: self._buffers,
        }
        assert len(asked) == (request >> 16) & 0x3FFF, "the size that the request's number says"
        answer = answers[request](node, asked)
        ctypes.memmove(ctypes.addressof(argument), answer, len(answer))

    def _capability(self, node: FakeNode, asked: bytes) -> bytes:
        answer = bytearray(asked)
        struct.pack_into("=16s32s32sIII", answer, 0, b"uvcvideo", b"HD Webcam", b"usb-1", 6, OF_ALL_NODES, 0)
        struct.pack_into("=I", answer, 88, node.device_caps)
        return bytes(answer)

    def _format(self, node: FakeNode, asked: bytes) -> bytes:
        index, type_ = struct.unpack_from("=II", asked)
        formats = [*node.modes, *(["YUYV"] if node.range else [])]
        if type_ != 1 or index >= len(formats):
            raise OSError(errno.EINVAL, "no more")
        answer = bytearray(asked)
        answer[44:48] = formats[index].encode()
        return bytes(answer)

    def _size(self, node: FakeNode, asked: bytes) -> bytes:
        index, fourcc = struct.unpack_from("=I4s", asked)
        answer = bytearray(asked)
        if node.range is not None and index == 0:
            low_w, high_w, low_h, high_h = node.range
            struct.pack_into("=7I", answer, 8, 3, low_w, high_w, 2, low_h, high_h, 2)
            return bytes(answer)
        sizes = list(node.modes.get(fourcc.decode(), {}))
        if index >= len(sizes):
            raise OSError(errno.EINVAL, "no more")
        struct.pack_into("=3I", answer, 8, 1, *sizes[index])
        return bytes(answer)

    def _interval(self, node: FakeNode, asked: bytes) -> bytes:
        index, fourcc, width, height = struct.unpack_from("=I4sII", asked)
        answer = bytearray(asked)
        if node.range is not None and index == 0:
            struct.pack_into("=7I", answer, 16, 2, 1, 50, 1, 5, 1, 1000)
            return bytes(answer)
        intervals = node.modes.get(fourcc.decode(), {}).get((width, height), [])
        if index >= len(intervals):
            raise OSError(errno.EINVAL, "no more")
        struct.pack_into("=3I", answer, 16, 1, *intervals[index])
        return bytes(answer)

    def _buffers(self, node: FakeNode, asked: bytes) -> bytes:
        assert struct.unpack_from("=II", asked, 4) == (1, 1)  # of the type "capture", in the driver's memory
        if node.is_busy:
            raise OSError(errno.EBUSY, "busy")
        return asked


class EndlessCapture(FakeCapture):
    """A camera that always has the same picture, and takes every mode."""

    def __init__(self) -> None:
        super().__init__([])

    def read(self) -> tuple[bool, np.ndarray | None]:
        return True, picture()


class _Os:
    """The module `os`, but with nodes that may not be opened: root may open everything."""

    def __init__(self, machine: FakeLinux) -> None:
        self._machine = machine

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: Path, flags: int) -> int:
        node = self._machine.nodes.get(int(path.name.removeprefix("video")))
        if node is not None and node.is_denied:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return os.open(path, flags)


assert sys.byteorder == "little", "videodev2.h is packed as little-endian here"
