"""Asking Linux about a camera's node: whether it gives pictures, in which sizes and rates, and why it cannot be used.

By ioctls, as the kernel's "Video for Linux API" describes them (userspace API, chapters "Querying Capabilities",
"Enumerating formats" and "ioctl VIDIOC_REQBUFS"): the library that does the same, linuxpy, is GPL.
"""

from __future__ import annotations

import ctypes
import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from fkd_desktop.errors import SourceProblem
from fkd_desktop.live.sources.modes import CameraMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_T = TypeVar("_T", bound=ctypes.Structure)

VIDIOC_QUERYCAP: Final = 0x80685600
VIDIOC_ENUM_FMT: Final = 0xC0405602
VIDIOC_REQBUFS: Final = 0xC0145608
VIDIOC_ENUM_FRAMESIZES: Final = 0xC02C564A
VIDIOC_ENUM_FRAMEINTERVALS: Final = 0xC034564B

_VIDEO_CAPTURE: Final = 1  # the type of a buffer, and the bit of a capability
_MEMORY_MMAP: Final = 1
_CAP_IO_MC: Final = 0x2000_0000
"""The node is one end of a media controller's graph, which a program would have to set up first: OpenCV does not."""
_CAP_DEVICE_CAPS: Final = 0x8000_0000
_DISCRETE: Final = 1
_MAX_ENTRIES: Final = 200
"""More formats, sizes or rates than this no camera has: a driver that never says "that was the last" is left."""

USUAL_SIZES: Final = ((1920, 1080), (1280, 720), (640, 480))
"""Asked for where a driver takes every size between two."""
USUAL_RATES: Final = (60.0, 30.0, 15.0)

_READABLE: Final = frozenset(
    {"MJPG", "JPEG", "YUYV", "UYVY", "NV12", "NV21", "YU12", "YV12", "BGR3", "RGB3", "BGR4", "AR24", "XR24", "GREY"}
)
"""Formats that OpenCV's V4L2 backend turns into pictures (modules/videoio/src/cap_v4l.cpp); H.264 is not among them."""


class _Capability(ctypes.Structure):
    _fields_ = (
        ("driver", ctypes.c_char * 16),
        ("card", ctypes.c_char * 32),
        ("bus_info", ctypes.c_char * 32),
        ("version", ctypes.c_uint32),
        ("capabilities", ctypes.c_uint32),
        ("device_caps", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 3),
    )


class _Format(ctypes.Structure):
    _fields_ = (
        ("index", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("description", ctypes.c_char * 32),
        ("pixelformat", ctypes.c_uint32),
        ("mbus_code", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 3),
    )


class _FrameSize(ctypes.Structure):
    # discrete: width, height; stepwise: min, max and step of the width, then of the height
    _fields_ = (
        ("index", ctypes.c_uint32),
        ("pixel_format", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("sizes", ctypes.c_uint32 * 6),
        ("reserved", ctypes.c_uint32 * 2),
    )


class _FrameInterval(ctypes.Structure):
    # discrete: numerator, denominator of the seconds a frame takes; stepwise: of the shortest, the longest, the step
    _fields_ = (
        ("index", ctypes.c_uint32),
        ("pixel_format", ctypes.c_uint32),
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("intervals", ctypes.c_uint32 * 6),
        ("reserved", ctypes.c_uint32 * 2),
    )


class _RequestBuffers(ctypes.Structure):
    _fields_ = (
        ("count", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("memory", ctypes.c_uint32),
        ("capabilities", ctypes.c_uint32),
        ("flags", ctypes.c_uint8),
        ("reserved", ctypes.c_uint8 * 3),
    )


def ioctl(descriptor: int, request: int, argument: ctypes.Structure) -> None:
    """Ask a driver; tests put one of their own here.

    Raises
    ------
    OSError
        With the driver's errno.
    """
    import fcntl  # noqa: PLC0415 (Linux only, like all of this module's callers)

    fcntl.ioctl(descriptor, request, argument)


def gives_pictures(node: Path) -> bool:
    """Whether a node is a camera's: not its metadata, an encoder or an output.

    Raises
    ------
    OSError
        If the node cannot be opened.
    """
    with _opened(node) as descriptor:
        capability = _Capability()
        try:
            ioctl(descriptor, VIDIOC_QUERYCAP, capability)
        except OSError:
            return False
    capabilities = capability.capabilities
    if capabilities & _CAP_DEVICE_CAPS:  # what this node can do; the other field tells of all nodes of the device
        capabilities = capability.device_caps
    return bool(capabilities & _VIDEO_CAPTURE) and not capabilities & _CAP_IO_MC


def read_modes(node: Path) -> tuple[CameraMode, ...]:
    """Return what a camera offers, of all formats that can be read; empty if its driver does not tell.

    Raises
    ------
    OSError
        If the node cannot be opened.
    """
    modes = []
    with _opened(node) as descriptor:
        for format_ in _listed(descriptor, VIDIOC_ENUM_FMT, lambda i: _Format(index=i, type=_VIDEO_CAPTURE)):
            fourcc = format_.pixelformat.to_bytes(4, "little").decode("latin-1")
            if fourcc not in _READABLE:
                continue
            for width, height in _sizes(descriptor, format_.pixelformat):
                rates = _rates(descriptor, format_.pixelformat, width, height)
                modes += [CameraMode(width, height, rate, fourcc) for rate in rates]
    return tuple(modes)


def find_problem(node: Path) -> SourceProblem | None:
    """Return why a camera cannot be used, by really asking it for a buffer; None if nothing stands in the way.

    What a streaming program has is refused to others with EBUSY at VIDIOC_REQBUFS, if not already at open.
    """
    try:
        with _opened(node) as descriptor:
            ioctl(descriptor, VIDIOC_REQBUFS, _RequestBuffers(count=1, type=_VIDEO_CAPTURE, memory=_MEMORY_MMAP))
            ioctl(descriptor, VIDIOC_REQBUFS, _RequestBuffers(count=0, type=_VIDEO_CAPTURE, memory=_MEMORY_MMAP))
    except OSError as error:
        if error.errno == errno.EBUSY:
            return SourceProblem.BUSY
        if error.errno in {errno.EACCES, errno.EPERM}:
            return SourceProblem.DENIED
        if error.errno in {errno.ENOENT, errno.ENODEV, errno.ENXIO}:
            return SourceProblem.MISSING
    return None


@contextmanager
def _opened(node: Path) -> Iterator[int]:
    descriptor = os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _listed(descriptor: int, request: int, make: Callable[[int], _T]) -> Iterator[_T]:
    """Ask for the first, second, ... entry until the driver says EINVAL: there are no more."""
    for index in range(_MAX_ENTRIES):
        entry = make(index)
        try:
            ioctl(descriptor, request, entry)
        except OSError:
            return
        yield entry


def _sizes(descriptor: int, pixel_format: int) -> list[tuple[int, int]]:
    sizes: list[tuple[int, int]] = []
    for entry in _listed(descriptor, VIDIOC_ENUM_FRAMESIZES, lambda i: _FrameSize(index=i, pixel_format=pixel_format)):
        if entry.type != _DISCRETE:
            low_w, high_w, _, low_h, high_h, _ = entry.sizes
            return [(w, h) for w, h in USUAL_SIZES if low_w <= w <= high_w and low_h <= h <= high_h]
        sizes.append((entry.sizes[0], entry.sizes[1]))
    return sizes


def _rates(descriptor: int, pixel_format: int, width: int, height: int) -> list[float]:
    rates: list[float] = []
    for entry in _listed(
        descriptor,
        VIDIOC_ENUM_FRAMEINTERVALS,
        lambda i: _FrameInterval(index=i, pixel_format=pixel_format, width=width, height=height),
    ):
        numerators, denominators = entry.intervals[0:6:2], entry.intervals[1:6:2]
        if not numerators[0] or not denominators[0]:
            continue
        if entry.type != _DISCRETE:
            fastest = denominators[0] / numerators[0]
            slowest = denominators[1] / numerators[1] if numerators[1] else 0.0
            return [rate for rate in USUAL_RATES if slowest <= rate <= fastest] or [fastest]
        rates.append(denominators[0] / numerators[0])
    return rates
