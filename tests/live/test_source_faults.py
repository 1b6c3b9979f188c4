"""Every fault of a file is one sentence: real files, damaged as real ones are."""

from __future__ import annotations

import zlib
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from fkd_desktop.errors import SourceError
from fkd_desktop.live.sources import (
    make_source,
)
from tests.live.helpers import (
    assert_one_clear_sentence,
    picture,
    read_all,
    save,
    write_video,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def missing(folder: Path) -> Path:
    return folder / "no such clip.mp4"


def empty(folder: Path) -> Path:
    (folder / "empty.mp4").write_bytes(b"")
    return folder / "empty.mp4"


def empty_picture(folder: Path) -> Path:
    (folder / "empty.png").write_bytes(b"")
    return folder / "empty.png"


def without_index(folder: Path) -> Path:
    """A recording that was interrupted: the index (moov) at the end was never written."""
    path = write_video(folder / "clip.mp4", frames=60)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 4])
    return path


def cut_off(folder: Path) -> Path:
    path = write_video(folder / "clip.mp4", frames=90, options={"movflags": "+faststart"})
    data = path.read_bytes()
    start = data.index(b"mdat")
    path.write_bytes(data[: start + (len(data) - start) // 2])
    return path


def cut_off_webm(folder: Path) -> Path:
    path = write_video(folder / "clip.webm", frames=90, codec="libvpx")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def without_pictures(folder: Path) -> Path:
    """An index, and nothing behind it."""
    path = write_video(folder / "clip.mp4", frames=60, options={"movflags": "+faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"mdat") + 4])
    return path


def text_as_video(folder: Path) -> Path:
    (folder / "notes.mp4").write_text("this is no video\n" * 200)
    return folder / "notes.mp4"


def text(folder: Path) -> Path:
    """FFmpeg would show a .txt as a picture of its text."""
    (folder / "notes.txt").write_text("Grüße: this is no video\n" * 200, encoding="utf-8")
    return folder / "notes.txt"


def text_as_picture(folder: Path) -> Path:
    (folder / "notes.png").write_text("this is no picture\n" * 200)
    return folder / "notes.png"


def noise_as_video(folder: Path) -> Path:
    (folder / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(20_000))
    return folder / "noise.mp4"


def cut_off_picture(folder: Path) -> Path:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    path = save(folder / "half.webp", noise)
    path.write_bytes(path.read_bytes()[:200])
    return path


def huge_picture(folder: Path) -> Path:
    """A few kilobytes that would unpack to 1.6 gigapixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = (40_000).to_bytes(4, "big") * 2 + bytes([1, 0, 0, 0, 0])
    data = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(5001))) + chunk(b"IEND", b"")
    )
    (folder / "huge.png").write_bytes(data)
    return folder / "huge.png"


def folder_without_pictures(folder: Path) -> Path:
    (folder / "no pictures here").mkdir()
    (folder / "no pictures here" / "notes.txt").write_text("hello")
    return folder / "no pictures here"


def folder_with_a_broken_picture(folder: Path) -> Path:
    (folder / "pictures").mkdir()
    (folder / "pictures" / "broken.png").write_bytes(b"no picture at all")
    return folder / "pictures"


def too_long_a_name(_folder: Path) -> Path:
    return Path("x" * 300 + ".mp4")


def nobodys_home(_folder: Path) -> Path:
    return Path("~nobody-of-this-name/clip.mp4")


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (missing, "there is no file"),
        (empty, "is empty"),
        (empty_picture, "is empty"),
        (without_index, "damaged"),
        (cut_off, "cut off after"),
        (cut_off_webm, "cut off after"),
        (without_pictures, "damaged"),
        (text_as_video, "not a video"),
        (text, "not a video"),
        (text_as_picture, "not a video or picture"),
        (noise_as_video, "not a video"),
        (cut_off_picture, "damaged"),
        (huge_picture, "too large a picture"),
        (folder_without_pictures, "has no pictures"),
        (folder_with_a_broken_picture, "broken.png is not a picture"),
        (too_long_a_name, "cannot be read"),
        (nobodys_home, "there is no file"),
    ],
    ids=lambda v: v.__name__ if callable(v) else "",
)
def test_every_fault_of_a_file_is_one_sentence(tmp_path: Path, make: Callable[[Path], Path], what: str) -> None:
    path = make(tmp_path)
    with pytest.raises(SourceError) as caught:
        read_all(make_source(str(path)))
    assert_one_clear_sentence(caught.value, str(path), what)


def with_sound(path: Path, *, start_s: float, end_s: float) -> Path:
    """A Matroska film with 2 s of sound and noise as pictures from one time to another."""
    rng = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        sound = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        pictures = container.add_stream("mpeg4", rate=25, width=64, height=48, pix_fmt="yuv420p")
        for number in range(50):
            heard = av.AudioFrame.from_ndarray(np.zeros((1, 320), np.int16), format="s16", layout="mono")
            heard.sample_rate, heard.pts = 8000, 320 * number
            container.mux(sound.encode(heard))
            if start_s <= number / 25 < end_s:
                image = rng.integers(0, 255, (48, 64, 3), np.uint8)
                seen = av.VideoFrame.from_ndarray(image, format="bgr24")
                seen.pts, seen.time_base = number, Fraction(1, 25)
                container.mux(pictures.encode(seen))
        container.mux(sound.encode(None))
        container.mux(pictures.encode(None))
    return path


@pytest.mark.parametrize(("start_s", "end_s"), [(0.4, 2.0), (0.0, 1.2), (0.4, 1.6)])
def test_pictures_may_begin_after_the_sound_and_end_before_it(tmp_path: Path, start_s: float, end_s: float) -> None:
    source = make_source(str(with_sound(tmp_path / "film.mkv", start_s=start_s, end_s=end_s)))
    frames = read_all(source)
    assert len(frames) == round(25 * (end_s - start_s))
    assert frames[-1].position is not None and frames[-1].position.duration_s <= 2 - start_s + 0.1


@pytest.mark.parametrize(("start_s", "end_s"), [(0.4, 2.0), (0.0, 2.0)])
def test_a_film_with_sound_that_is_cut_off_is_told_so(tmp_path: Path, start_s: float, end_s: float) -> None:
    path = with_sound(tmp_path / "film.mkv", start_s=start_s, end_s=end_s)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with pytest.raises(SourceError) as caught:
        read_all(make_source(str(path)))
    assert_one_clear_sentence(caught.value, str(path), "cut off after")


def test_a_cut_off_video_gives_what_there_is_and_says_how_much(tmp_path: Path) -> None:
    source = make_source(str(cut_off(tmp_path)))
    source.open()
    frames = []
    with pytest.raises(SourceError, match=r"after [01]\.\d of its 3\.0 seconds"):
        while (frame := source.read()) is not None:
            frames.append(frame)
    source.close()
    assert 15 < len(frames) < 75


def test_a_file_that_vanished_between_choosing_and_opening(tmp_path: Path) -> None:
    for path in (write_video(tmp_path / "clip.mp4"), save(tmp_path / "picture.png", picture())):
        source = make_source(str(path))
        path.unlink()
        with pytest.raises(SourceError, match="there is no file"):
            read_all(source)


def test_a_file_one_may_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "clip.mp4")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)  # root, who often runs tests, may read everything
    with pytest.raises(SourceError) as caught:
        make_source(str(path))
    assert_one_clear_sentence(caught.value, str(path), "Permission denied", "permissions")


# --- what OpenCV prints


@pytest.mark.parametrize("make", [without_index, cut_off, text_as_video, noise_as_video], ids=lambda v: v.__name__)
def test_ffmpegs_chatter_does_not_reach_the_terminal(
    tmp_path: Path, make: Callable[[Path], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SourceError):
        read_all(make_source(str(make(tmp_path))))
    assert capfd.readouterr().err == ""
