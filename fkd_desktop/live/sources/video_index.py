"""When the frames of a video file come, listed without decoding them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import av

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_VIDEO_PIXELS: Final = 40_000_000
"""Of a frame: more than 8K has. A decoder keeps a dozen frames and more, of a size that a damaged file may make up."""
_FORMATS: Final = (
    "amv", "apng", "asf", "av1", "avi", "avif", "dv", "flv", "gif", "gxf", "h261", "h263", "h264", "hevc", "ivf",
    "jpegxl_anim", "m4v", "matroska", "mjpeg", "mov", "mp4", "mpeg", "mpegts", "mpegvideo", "mxf", "nut", "obu", "ogg",
    "rm", "swf", "vc1", "vvc", "webm", "webp", "wtv", "yuv4mpegpipe",
    *(f"{kind}_pipe" for kind in (
        "bmp", "dds", "dpx", "exr", "hdr", "j2k", "jpeg", "jpegls", "jpegxl", "pam", "pbm", "pcx", "pfm", "pgm", "png",
        "ppm", "psd", "qoi", "sgi", "tiff", "webp"
    )),
)  # fmt: skip
"""What FFmpeg may take a file for: films and pictures that are all in one file. Others, as playlists, lead to files and
devices that nobody has chosen, or are of games that nobody plays, and as seldom tested."""
_OPTIONS: Final = {
    "protocol_whitelist": "file",
    "format_whitelist": ",".join(_FORMATS),
    "max_pixels": str(MAX_VIDEO_PIXELS),  # while FFmpeg looks what is in the file
}
_LIMIT_S: Final = 2.0
"""Longest that making the list may take: enough for a gigabyte from a disk's cache."""


class TooLargeError(ValueError):
    """A video's frames have more pixels than `MAX_VIDEO_PIXELS`."""


class UselessTimesError(Exception):
    """A file has no times of its frames, or such as do not tell their order."""


@dataclass(frozen=True)
class FrameIndex:
    """What is known of all frames: their times in order, and of the key frames where decoding can start.

    Attributes
    ----------
    pts
        Presentation times, rising, in the stream's time base.
    key_pts, key_dts
        Of the key frames: presentation times, rising, and decoding times, which are what one seeks by.
    """

    pts: list[int]
    key_pts: list[int]
    key_dts: list[int]


def open_container(path: Path) -> Any:
    """Open a file with PyAV, and no other one, whatever it says."""
    # Absolute, or FFmpeg takes "a:b.mp4" for a protocol.
    return av.open(str(path.absolute()), metadata_errors="replace", options=_OPTIONS)


def read_index(path: Path, stream_index: int) -> FrameIndex | None:
    """List the frames of a stream; None where that takes too long.

    Raises
    ------
    UselessTimesError
        If only counting tells the frames.
    """
    pts: list[int] = []
    keys: list[tuple[int, int]] = []
    stop_s = time.perf_counter() + _LIMIT_S
    last_dts: int | None = None
    with open_container(path) as container:
        for packet in packets_of(container, stream_index):
            dts = packet.dts
            if packet.pts is None or (dts is not None and last_dts is not None and dts < last_dts):
                raise UselessTimesError  # there are none, or they start again
            last_dts = last_dts if dts is None else dts
            if packet.is_discard:
                continue
            pts.append(packet.pts)
            if packet.is_keyframe:
                keys.append((packet.pts, packet.pts if dts is None else dts))
            if time.perf_counter() > stop_s:
                return None
    pts.sort()
    if not keys or any(a == b for a, b in pairwise(pts)):  # AVI has no presentation times, only guesses at them
        raise UselessTimesError
    keys.sort()
    return FrameIndex(pts, [key[0] for key in keys], [key[1] for key in keys])


def packets_of(container: Any, stream_index: int, *, with_end: bool = False) -> Iterator[Any]:
    """Give a stream's packets; what cannot be read is the end, after which a decoder gives what it has left."""
    packets = container.demux(container.streams[stream_index])
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.FFmpegError:
            if with_end:
                yield av.Packet()
            return
        if packet.size or with_end:
            yield packet
