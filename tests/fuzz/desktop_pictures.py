"""Pictures: as a source, and as what an overlay is made of."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from hypothesis import strategies as st

from fkd_desktop.errors import OverlayError, SourceError
from fkd_desktop.live.sources import make_source
from fkd_desktop.ui.overlays.picture_file import MAX_KEPT_PX, read_picture
from tests.fuzz.mutate import damaged
from tests.fuzz.qt import gui
from tests.fuzz.target import RuleError, Target, refusal
from tests.fuzz.trainer_data import images

SIDES: Final = (0, 1, 7, 2048, 9_999, 16_383, 50_000, 60_000, 65_535)
NAMES: Final = ("a picture.png", "a picture.jpg", "größte {0} %n.gif", "picture", "film.mp4", "a.tiff", "b.webp")
MOST_FRAMES: Final = 5


@cache
def deep() -> dict[str, bytes]:
    """Return small pictures of other depths and channels: 16 bits, grey, alpha, one pixel; animated ones."""
    rng = np.random.default_rng(0)
    eight = rng.integers(0, 256, (20, 30, 4), dtype=np.uint8)
    sixteen = rng.integers(0, 65536, (20, 30, 4), dtype=np.uint16)
    made = {}
    for kind in (".png", ".tif", ".webp", ".jpg", ".avif", ".jp2", ".pgm", ".bmp", ".exr", ".hdr", ".pfm"):
        for name, image in {
            "grey": eight[..., 0], "alpha": eight, "one": eight[:1, :1, :3], "deep": sixteen[..., :3],
            "deep-grey": sixteen[..., 0], "float": eight[..., :3].astype(np.float32), "line": eight[:1],
        }.items():  # fmt: skip
            try:
                is_written, data = cv2.imencode(kind, image)
            except cv2.error:  # not of this kind
                continue
            if is_written and len(data):
                made[f"{kind} {name}"] = data.tobytes()
    animation = cv2.Animation()
    animation.frames, animation.durations = [eight[..., :3], 255 - eight[..., :3]], np.array([100, 100])
    for kind in (".gif", ".webp", ".png"):
        made[f"{kind} animated"] = cv2.imencodeanimation(kind, animation)[1].tobytes()
    return made


def jpeg(width: int, height: int, components: int) -> bytes:
    """Return a JPEG that claims a size and a number of colours, such as the four of CMYK."""
    whole = cv2.imencode(".jpg", np.full((16, 16, 3), 90, np.uint8))[1].tobytes()
    at = whole.index(b"\xff\xc0")
    parts = b"".join(bytes([number + 1, 0x11, 0]) for number in range(components))
    length = struct.unpack(">H", whole[at + 2 : at + 4])[0]
    frame = struct.pack(">HBHHB", 8 + len(parts), 8, height, width, components) + parts
    return whole[: at + 2] + frame + whole[at + 2 + length :]


def gif(width: int, height: int) -> bytes:
    """Return a GIF that claims a size, and holds a pixel."""
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0\0\0\0\xff\xff\xff," + (
        struct.pack("<HHHH", 0, 0, width, height) + b"\0\x02\x02\x4c\x01\0;"
    )  # fmt: skip


def tiff(width: int, height: int, bits: int, strip: int) -> bytes:
    """Return a TIFF that claims a size, a depth and a length of its data."""
    entries = [
        (256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1),
        (278, 4, height), (279, 4, strip),
    ]  # fmt: skip
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", tag, kind, 1, v) for tag, kind, v in entries)
    return b"II*\0" + struct.pack("<I", 8) + body + b"\0\0\0\0" + b"\x55" * 64


def webp(width: int, height: int) -> bytes:
    """Return an extended WebP that claims a canvas."""
    sides = struct.pack("<I", max(0, width - 1))[:3] + struct.pack("<I", max(0, height - 1))[:3]
    inner = deep()[".webp alpha"][12:]
    chunk = b"VP8X" + struct.pack("<I", 10) + b"\x10\0\0\0" + sides
    return b"RIFF" + struct.pack("<I", 4 + len(chunk) + len(inner)) + b"WEBP" + chunk + inner


def radiance(width: int, height: int) -> bytes:
    """Return a Radiance picture that claims a size."""
    return b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X %d\n" % (height, width) + b"\2\2\0\7\x87\x55" * 20


def exr(width: int, height: int) -> bytes:
    """Return an OpenEXR picture that claims a window."""

    def attribute(name: bytes, kind: bytes, value: bytes) -> bytes:
        return name + b"\0" + kind + b"\0" + struct.pack("<I", len(value)) + value

    window = struct.pack("<iiii", 0, 0, width - 1, height - 1)
    channels = b"".join(name + b"\0" + struct.pack("<IB3xII", 1, 0, 1, 1) for name in (b"B", b"G", b"R")) + b"\0"
    head = attribute(b"channels", b"chlist", channels) + attribute(b"compression", b"compression", b"\3")
    head += attribute(b"dataWindow", b"box2i", window) + attribute(b"displayWindow", b"box2i", window)
    head += attribute(b"lineOrder", b"lineOrder", b"\0") + attribute(b"pixelAspectRatio", b"float", b"\0\0\x80\x3f")
    head += attribute(b"screenWindowCenter", b"v2f", b"\0" * 8) + attribute(
        b"screenWindowWidth", b"float", b"\0\0\x80\x3f"
    )
    return b"v/1\x01\x02\0\0\0" + head + b"\0" + struct.pack("<Q", 400) * 20 + b"\0" * 200


def ico(size: int, image: bytes) -> bytes:
    """Return an icon with a picture in it that may be another than it says."""
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, size % 256, size % 256, 0, 0, 1, 32, len(image), 22) + image


def claims() -> st.SearchStrategy[bytes]:
    """Make pictures of the kinds that `images` does not have, which claim a size of their own."""
    side = st.sampled_from(SIDES)
    return st.one_of(
        st.builds(jpeg, side, side, st.sampled_from([1, 2, 3, 4, 255])),
        st.builds(gif, side, side),
        st.builds(tiff, side, side, st.sampled_from([1, 8, 16, 32, 64]), st.sampled_from([0, 64, 2**31, 2**32 - 1])),
        st.builds(webp, side, side),
        st.builds(radiance, side, side),
        st.builds(exr, side, side),
        st.builds(ico, side, st.sampled_from(sorted(deep().values()))),
    )


def contents() -> st.SearchStrategy[bytes]:
    """Make a picture's file, whole, damaged or lying."""
    kind = st.sampled_from(sorted(deep()))
    return st.one_of(
        images(),
        claims(),
        kind.map(lambda name: deep()[name]),
        kind.flatmap(lambda name: damaged(deep()[name])),
        kind.flatmap(lambda name: damaged(deep()[name][:120])),
    )


@st.composite
def inputs(draw: Callable[..., Any]) -> tuple[str, bytes]:
    """A name and a content that need not fit."""
    return draw(st.sampled_from(NAMES)), draw(contents())


def check_source(value: tuple[str, bytes], folder: Path) -> str | None:
    """Show it as the window and the command do."""
    path = folder / value[0]
    path.write_bytes(value[1])
    try:
        source = make_source(str(path))
        try:
            source.open()
            for _ in range(MOST_FRAMES):
                frame = source.read()
                if frame is None:
                    break
                image = frame.image_bgr
                if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
                    raise RuleError(f"a picture of shape {image.shape} was read")
        finally:
            source.close()
    except SourceError as error:
        return refusal(error, path)
    return None


def check_draft(value: tuple[str, bytes], folder: Path) -> str | None:
    """Begin an overlay with it."""
    gui()
    path = folder / value[0]
    path.write_bytes(value[1])
    try:
        picture = read_picture(path)
    except OverlayError as error:
        return refusal(error, path)
    if max(picture.image.width(), picture.image.height()) > MAX_KEPT_PX:
        raise RuleError("a picture that is too large for an overlay was kept")
    return None


TARGETS: Final = (
    Target("picture", inputs(), check_source, bound_s=4.0, share=0.7, memory_mb=1536),
    Target("picture-overlay", inputs(), check_draft, bound_s=3.0, share=0.5, memory_mb=1536),
)
