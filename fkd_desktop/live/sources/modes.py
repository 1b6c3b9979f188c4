"""Sizes and frame rates of cameras: what one offers, and which of it is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

COMPRESSED: Final = frozenset({"MJPG", "JPEG"})


@dataclass(frozen=True)
class CameraMode:
    """How a camera sends its pictures.

    Attributes
    ----------
    width, height
        In pixels.
    frames_per_s
        Frames a second; 0 if the system does not tell.
    fourcc
        Four characters of the format it travels in ("MJPG", "YUYV"); empty if the system does not tell, or for a wish
        that leaves it open.
    """

    width: int
    height: int
    frames_per_s: float
    fourcc: str = ""

    def is_far_above(self, measured_frames_per_s: float) -> bool:
        """Whether much fewer frames come than were agreed on: most webcams expose longer in a dark room."""
        return 0 < measured_frames_per_s < 0.6 * self.frames_per_s


DEFAULT_MODE: Final = CameraMode(1280, 720, 30)
"""What "automatic" asks for: more pixels do not find faces better, and cost time."""

FLUID_FRAMES_PER_S: Final = 24.0

USUAL_MODES: Final = (
    CameraMode(1920, 1080, 30),
    CameraMode(1280, 720, 60),
    CameraMode(1280, 720, 30),
    CameraMode(640, 480, 30),
)
"""To be tried where the system does not tell what a camera offers; what it then does is read back."""


def choices(modes: Iterable[CameraMode]) -> tuple[CameraMode, ...]:
    """Return one mode for each size and rounded rate, largest and quickest first, in the format that `choose` takes."""
    offered = tuple(modes)
    keys = {(mode.width, mode.height, round(mode.frames_per_s)): mode for mode in offered}
    best = [choose(offered, replace(mode, fourcc="")) for mode in keys.values()]
    return tuple(sorted((mode for mode in best if mode), key=lambda m: (-m.width * m.height, -m.frames_per_s)))


def choose(modes: Iterable[CameraMode], wish: CameraMode) -> CameraMode | None:
    """Return the mode that comes closest to a wish: its size first, then its rate, then its format.

    Of two formats that are as quick, the uncompressed one is taken: nothing is lost and nothing is to be decoded. A
    slower one is never taken for that: uncompressed 1280 x 720 over USB 2 are 5 to 10 frames a second.

    Parameters
    ----------
    modes
        What the camera offers.
    wish
        What is asked for; with a fourcc, only modes of that format if there are any.
    """
    offered = tuple(modes)
    if wish.fourcc:
        offered = tuple(mode for mode in offered if mode.fourcc == wish.fourcc) or offered

    def distance(mode: CameraMode) -> tuple[float, float, float, bool]:
        pixels = abs(mode.width * mode.height - wish.width * wish.height)
        shape = abs(mode.width - wish.width) + abs(mode.height - wish.height)
        return pixels, shape, round(abs(mode.frames_per_s - wish.frames_per_s)), mode.fourcc in COMPRESSED

    return min(offered, key=distance, default=None)


def choose_automatically(modes: Iterable[CameraMode]) -> CameraMode | None:
    """Return the mode closest to `DEFAULT_MODE` of those that are fluid; a slow one only where all are slow."""
    offered = tuple(modes)
    return choose([mode for mode in offered if mode.frames_per_s >= FLUID_FRAMES_PER_S] or offered, DEFAULT_MODE)


_SIZE: Final = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4})", re.ASCII)


def parse_mode(text: str) -> CameraMode:
    """Read what `format_mode` wrote: ``size=1280x720&fps=30``, and ``&format=MJPG`` if a format is wished for.

    Raises
    ------
    ValueError
        If it is something else.
    """
    values = {}
    for part in text.split("&"):
        key, _, value = part.partition("=")
        values[key] = value
    if set(values) - {"size", "fps", "format"}:
        raise ValueError(text)
    width, height = DEFAULT_MODE.width, DEFAULT_MODE.height
    if "size" in values:
        match = _SIZE.fullmatch(values["size"])
        if match is None:
            raise ValueError(text)
        width, height = int(match[1]), int(match[2])
    rate = float(values.get("fps", DEFAULT_MODE.frames_per_s))
    fourcc = values.get("format", "")
    if not 0 < rate <= 1000 or (fourcc and not re.fullmatch(r"[ -~]{4}", fourcc)):
        raise ValueError(text)
    return CameraMode(width, height, rate, fourcc)


def format_mode(mode: CameraMode) -> str:
    """Write a wish as part of a source's name."""
    text = f"size={mode.width}x{mode.height}&fps={mode.frames_per_s:.6g}"
    return f"{text}&format={mode.fourcc}" if mode.fourcc else text
