"""Videos: damaged, lying, and cut off; films that a recording left; and their sound."""

from __future__ import annotations

import math
import struct
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from hypothesis import strategies as st

from fkd_desktop.annotate.sound import add_sound, has_sound
from fkd_desktop.capture.films import recover_films
from fkd_desktop.errors import SourceError
from fkd_desktop.live.sources import VideoSource
from fkd_desktop.live.video_writer import VideoWriter
from tests.fuzz.mutate import damaged
from tests.fuzz.target import RuleError, Target, refusal

KINDS: Final = {
    "a.mp4": "libx264", "b.mp4": "mpeg4", "c.mkv": "libx264", "d.avi": "mjpeg", "e.webm": "libvpx", "f.ts": "libx264",
    "g.gif": "gif", "h.mpg": "mpeg2video", "i.mov": "mjpeg", "j.mkv": "ffv1", "k.avi": "mpeg4", "l.flv": "flv",
}  # fmt: skip
FORMATS: Final = {"gif": "rgb8", "mjpeg": "yuvj420p", "flv": "yuv420p"}
LIES: Final = (0, 1, 2, 0x7FFF, 0xFFFF, 0x10000, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
CONTAINERS: Final = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"moof", b"traf", b"mvex", b"udta", b"dinf"}
MOST_FRAMES: Final = 40
SIDE_PX: Final = 10_000


@cache
def films() -> dict[str, bytes]:
    """Return short films of each kind; those in MP4 and Matroska with sound."""
    with tempfile.TemporaryDirectory() as folder:
        return {name: _film(Path(folder, name), codec) for name, codec in KINDS.items()}


def _film(path: Path, codec: str, *, width: int = 64, height: int = 48, frames: int = 12) -> bytes:
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, FORMATS.get(codec, "yuv420p")
        sound: Any = None
        if path.suffix in (".mp4", ".mkv") and codec == "libx264":
            sound = container.add_stream("aac", rate=8000, layout="mono")
        for number in range(frames):
            image = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
            if sound is not None:
                heard = av.AudioFrame.from_ndarray(np.zeros((1, 320), np.float32), format="fltp", layout="mono")
                heard.sample_rate, heard.pts = 8000, 320 * number
                container.mux(sound.encode(heard))
        container.mux(stream.encode(None))
        if sound is not None:
            container.mux(sound.encode(None))
    return path.read_bytes()


@cache
def larger_and_larger() -> bytes:
    """Return a stream whose pictures change their size again and again."""
    with tempfile.TemporaryDirectory() as folder:
        sizes = [(64, 48), (160, 120), (16, 16), (322, 18)]
        return b"".join(
            _film(Path(folder, f"{number}.ts"), "libx264", width=size[0], height=size[1], frames=4)
            for number, size in enumerate(sizes)
        )


@cache
def only_sound() -> bytes:
    """Return a film without pictures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sound.mp4")
        with av.open(str(path), "w") as container:
            sound: Any = container.add_stream("aac", rate=8000, layout="mono")
            heard = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
            heard.sample_rate, heard.pts = 8000, 0
            container.mux(sound.encode(heard))
            container.mux(sound.encode(None))
        return path.read_bytes()


@cache
def fragments() -> bytes:
    """Return a film as a recording that was killed leaves it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "film.mp4")
        writer = VideoWriter(path)
        for number in range(40):
            writer.write(np.full((48, 64, 3), 5 * number, np.uint8), number / 10)
        content = path.read_bytes()
        writer.close()
    return content


def boxes(content: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Give the boxes of an MP4 film, those within others too: kind, start of what is in it, end."""
    end = len(content) if end is None else end
    while start + 8 <= end:
        length, kind = struct.unpack_from(">I4s", content, start)
        if length < 8 or start + length > end:
            return
        yield kind, start + 8, start + length
        if kind in CONTAINERS:
            yield from boxes(content, start + 8, start + length)
        start += length


@st.composite
def lying_boxes(draw: Callable[..., Any], content: bytes) -> bytes:
    """An MP4 film with some numbers of its boxes set to what makes no sense: rates, sizes, times, places, lengths."""
    data = bytearray(content)
    inner = [box for box in boxes(content) if box[0] not in CONTAINERS and box[0] not in (b"mdat", b"free")]
    for _ in range(draw(st.integers(1, 3))):
        _, start, end = draw(st.sampled_from(inner))
        at = start - 8 + 4 * draw(st.integers(0, max(0, min(40, (end - start + 4) // 4))))
        data[at : at + 4] = struct.pack(">I", draw(st.sampled_from(LIES)))
    return bytes(data)


@st.composite
def lying_heads(draw: Callable[..., Any], content: bytes) -> bytes:
    """A film with some numbers near its start set to what makes no sense."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(4, min(700, len(data) - 8)))
        size = draw(st.sampled_from([1, 2, 4]))
        data[at : at + size] = (draw(st.sampled_from(LIES)) % 256**size).to_bytes(
            size, draw(st.sampled_from(["little", "big"]))
        )
    return bytes(data)


def fragment_films() -> st.SearchStrategy[bytes]:
    """Make films in fragments: damaged, lying, or cut off."""
    whole = fragments()
    return st.one_of(
        damaged(whole),
        lying_boxes(whole),
        st.integers(0, len(whole)).map(lambda end: whole[:end]),
        st.binary(max_size=40),
    )


def playlist(kind: str, target: str) -> bytes:
    """Return a text that leads to another file, with something in it that no text has."""
    text = {
        "hls": f"#EXTM3U\n#\1\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\n#\1\nfile '{target}'\n",
        "dash": f'<?xml version="1.0"?>\n<!-- \1 --><MPD xmlns="urn:mpeg:dash:schema:mpd:2011">'
        f"<BaseURL>{target}</BaseURL></MPD>",
        "sdp": f"v=0\no=- 0 0 IN IP4 127.0.0.1\n\1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n{target}\n",
    }[kind]
    return text.encode()


def playlists() -> st.SearchStrategy[bytes]:
    """Make playlists that lead elsewhere."""
    targets = ["/dev/zero", "http://127.0.0.1:9/a.ts", "../secret.ts", "other.mp4", "file:///etc/passwd"]
    return st.builds(playlist, st.sampled_from(["hls", "concat", "dash", "sdp"]), st.sampled_from(targets))


@st.composite
def inputs(draw: Callable[..., Any]) -> tuple[str, bytes]:
    """A name and a film, whole, damaged, lying or something else."""
    name = draw(st.sampled_from(sorted(films())))
    whole = films()[name]
    plain = st.one_of(damaged(whole), lying_heads(whole), st.integers(1, len(whole)).map(lambda end: whole[:end]))
    lying = st.sampled_from(["a.mp4", "b.mp4", "i.mov"]).flatmap(lambda one: lying_boxes(films()[one]))
    other = st.one_of(
        playlists(), st.just(only_sound()), st.just(larger_and_larger()), damaged(larger_and_larger()), st.just(whole)
    )
    content = draw(st.one_of(plain, plain, lying, lying, lying, other, fragment_films()))
    return draw(st.sampled_from([name, name, "größte {0} %n.mp4", "film"])), content


def _look(source: VideoSource) -> None:
    last_s = -1.0
    for _ in range(MOST_FRAMES):
        frame = source.read()
        if frame is None:
            return
        image, position = frame.image_bgr, frame.position
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or max(image.shape) > SIDE_PX:
            raise RuleError(f"a picture of shape {image.shape} was read")
        if not math.isfinite(frame.timestamp_s) or not frame.timestamp_s > last_s:
            raise RuleError(f"a frame at {frame.timestamp_s} came after {last_s}")
        last_s = frame.timestamp_s
        if position is None or not 0 <= position.index < 2**31 or not 0 <= position.count < 2**31:
            raise RuleError(f"a frame has the place {position}")
        if not (math.isfinite(position.time_s) and math.isfinite(position.duration_s)):
            raise RuleError(f"a frame has the place {position}")


def check_video(value: tuple[str, bytes], folder: Path) -> str | None:
    """Play it, and go to places in it that are and are not there."""
    path = folder / value[0]
    path.write_bytes(value[1])
    source = VideoSource(path)
    try:
        source.open()
        _look(source)
        for places in ({"index": 3}, {"time_s": 0.2}, {"index": 0}, {"time_s": 1e12}, {"index": 2**40}):
            source.seek(**places)  # type: ignore[arg-type]
            source.read()
        source.seek(index=0)
        _look(source)
    except SourceError as error:
        return refusal(error, path)
    finally:
        source.close()
    return None


def check_sound(value: tuple[str, bytes], folder: Path) -> str | None:
    """Give its sound to another film, which must be whole after."""
    path, painted = folder / value[0], folder / "painted.mp4"
    path.write_bytes(value[1])
    painted.write_bytes(films()["b.mp4"])
    if not has_sound(path):
        return "no sound"
    is_added = add_sound(painted, path)
    if sorted(folder.iterdir()) != sorted({path, painted}):
        raise RuleError("drafts were left")
    with av.open(str(painted)) as film:
        if sum(1 for _ in film.decode(video=0)) != 12:
            raise RuleError("a film lost pictures with its sound")
    return None if is_added else "left without sound"


def check_recovery(content: bytes, folder: Path) -> str | None:
    """Finish a film that was cut off: it can be played, or is gone."""
    path = folder / "film.mp4"
    path.write_bytes(content)
    (folder / ".film.mp4.recording").touch()
    found = recover_films(folder)
    left = {entry.name for entry in folder.iterdir()}
    if not left <= {"film.mp4"}:
        raise RuleError(f"there is {left} after a recovery")
    if bool(found) != ("film.mp4" in left):
        raise RuleError("a recovered film is not there, or another is")
    return None if found else "nothing to see in it"


TARGETS: Final = (
    Target("video", inputs(), check_video, bound_s=6.0, share=2.0, memory_mb=3072),
    Target("video-sound", inputs(), check_sound, bound_s=6.0, share=0.5, memory_mb=2048),
    Target("film-recovery", fragment_films(), check_recovery, bound_s=5.0, share=0.5, memory_mb=2048),
)
