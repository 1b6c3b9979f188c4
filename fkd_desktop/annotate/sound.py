"""The sound of a video, copied as it is into the painted one."""

from __future__ import annotations

import heapq
import logging
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import av

from fkd_desktop.live.sources.video_index import open_container

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_log = logging.getLogger(__name__)

# Decoders of what players take from an MP4. Others, such as the uncompressed sound of an AVI, are left out.
MP4_SOUNDS: Final = frozenset({"aac", "ac3", "alac", "eac3", "flac", "mp3", "mp3float", "opus", "libopus"})


def add_sound(painted: Path, source: Path) -> bool:
    """Give a painted video the sound of the one it was made of.

    Nothing is encoded anew. Where it cannot be done (the disk has no room for a second copy, the sound is of a kind
    that MP4 does not know), the video stays as it is.

    Parameters
    ----------
    painted
        An MP4 whose time begins with the first frame of the other.
    source
        The video it was made of.

    Returns
    -------
    Whether the video has sound now.
    """
    temporary = painted.with_name(f".{painted.name}.{uuid.uuid4().hex}")
    try:
        if not _join(painted, source, temporary):
            return False
        temporary.replace(painted)
    except (OSError, ValueError, av.FFmpegError) as error:
        _log.warning("%s is left without its sound (%s)", painted, error)
        return False
    else:
        return True
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def has_sound(path: Path) -> bool:
    """Whether a video has sound, of whatever kind."""
    try:
        with open_container(path) as container:
            return bool(container.streams.audio)
    except (OSError, ValueError, av.FFmpegError):
        return False


def _join(painted: Path, source: Path, target: Path) -> bool:
    with open_container(painted) as pictures, open_container(source) as sounds:
        known = (s for s in sounds.streams.audio if s.codec_context is not None)
        stream = next((s for s in known if s.codec_context.name in MP4_SOUNDS), None)
        film: Any = sounds.streams.best("video")
        if stream is None or film is None:
            return False
        video: Any = pictures.streams.video[0]
        begin_s = float((film.start_time or 0) * film.time_base)  # the painted one begins with the first frame at 0
        end_s = float((video.duration or 0) * video.time_base) if video.duration else float("inf")
        with av.open(str(target.absolute()), "w", format="mp4", options={"movflags": "+faststart"}) as joined:
            to = joined.add_stream_from_template(video), joined.add_stream_from_template(stream)
            packets = heapq.merge(
                _packets(pictures, video, to[0]),
                _packets(sounds, stream, to[1], begin_s=begin_s, end_s=end_s),
                key=lambda packet: float(packet.dts * packet.time_base),
            )
            for packet in packets:
                joined.mux(packet)
    return True


def _packets(
    container: Any, stream: Any, target: Any, *, begin_s: float = 0.0, end_s: float = float("inf")
) -> Iterator[Any]:
    """Yield a stream's packets between two times, for another container and with the first time as 0."""
    shift = round(begin_s / stream.time_base)
    for packet in container.demux(stream):
        if packet.dts is None:  # the end
            continue
        packet.dts -= shift
        packet.pts = packet.dts if packet.pts is None else packet.pts - shift
        if packet.pts * stream.time_base >= end_s:
            return
        if packet.pts >= 0:
            packet.stream = target
            yield packet
