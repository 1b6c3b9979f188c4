"""Pictures and videos that lie, and names that lead to what is no file: each is one sentence, and at once."""

from __future__ import annotations

import os
import struct
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from fkd_desktop.errors import SourceError
from fkd_desktop.live.sources import VideoSource, make_source
from tests.fuzz import desktop_pictures as pictures
from tests.fuzz import desktop_videos as videos
from tests.fuzz.trainer_data import pictures as small_pictures
from tests.fuzz.trainer_data import png
from tests.live.helpers import assert_one_clear_sentence, read_all, write_video

SIDE_PX = 60_000
BOMBS = {
    "png": png(SIDE_PX, SIDE_PX, b""),
    "jpg": pictures.jpeg(SIDE_PX, SIDE_PX, 3),
    "gif": pictures.gif(SIDE_PX, SIDE_PX),
    "tif": pictures.tiff(SIDE_PX, SIDE_PX, 8, 64),
    "webp": pictures.webp(SIDE_PX, SIDE_PX),
    "hdr": pictures.radiance(SIDE_PX, SIDE_PX),
    "ppm": b"P6\n%d %d\n255\n" % (SIDE_PX, SIDE_PX) + bytes(100),
    "bmp": small_pictures()[".bmp"][:18] + struct.pack("<ii", SIDE_PX, SIDE_PX) + small_pictures()[".bmp"][26:],
}


def refused(path: Path, *names: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_all(make_source(str(path)))
    assert_one_clear_sentence(caught.value, str(path), *names)


@pytest.mark.parametrize("kind", BOMBS)
def test_a_picture_that_would_unpack_to_gigabytes_is_refused_by_its_header(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"bomb.{kind}"
    path.write_bytes(BOMBS[kind])
    monkeypatch.setattr(np, "fromfile", lambda path, dtype: np.frombuffer(Path(path).read_bytes(), dtype))
    refused(path, "too large a picture", "100 megapixels")


def test_a_picture_that_only_ffmpeg_reads_has_a_limit_too(tmp_path: Path) -> None:
    (tmp_path / "small.exr").write_bytes(pictures.exr(16, 16))
    (tmp_path / "bomb.exr").write_bytes(pictures.exr(12_000, 12_000))
    refused(tmp_path / "bomb.exr", "too large")


@pytest.mark.parametrize("name", sorted(pictures.deep()))
def test_pictures_of_every_depth_and_number_of_channels_are_shown(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"picture{name.partition(' ')[0]}"
    path.write_bytes(pictures.deep()[name])
    (frame, *_) = read_all(make_source(str(path)))
    assert frame.image_bgr.dtype == np.uint8 and frame.image_bgr.shape[2] == 3


def test_what_opencv_stumbles_over_is_no_picture_and_not_a_large_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise cv2.error("(-215:Assertion failed) buf.empty()")

    monkeypatch.setattr(cv2, "imdecode", fail)
    path = tmp_path / "odd.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    refused(path, "damaged")


# --- names


def a_folder(path: Path) -> None:
    path.mkdir()


def a_loop_of_links(path: Path) -> None:
    path.symlink_to(path)


def a_link_to_nothing(path: Path) -> None:
    path.symlink_to(path.with_name("gone"))


def a_link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_link_to_a_process(path: Path) -> None:
    path.symlink_to("/proc/self/mem")


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def nothing(path: Path) -> None:
    path.touch()


@pytest.mark.skipif(os.name == "nt", reason="pipes and devices are files elsewhere")
@pytest.mark.parametrize("name", ["x.png", "x.mp4", "x"])
@pytest.mark.parametrize(
    "make", [a_folder, a_loop_of_links, a_link_to_nothing, a_link_to_a_device, a_link_to_a_process, a_pipe, nothing]
)
def test_a_name_that_leads_to_no_file_is_a_sentence_and_nothing_waits(tmp_path: Path, make, name: str) -> None:
    make(tmp_path / name)
    done = threading.Event()

    def look() -> None:
        refused(tmp_path / name)
        done.set()

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(20)
    assert done.is_set()


def test_a_folder_with_a_pipe_a_loop_and_a_bomb_in_it_shows_its_picture(tmp_path: Path) -> None:
    if os.name != "nt":
        a_pipe(tmp_path / "a.png")
        a_loop_of_links(tmp_path / "b.png")
    (tmp_path / "c.png").write_bytes(BOMBS["png"])
    (tmp_path / "d.png").mkdir()
    cv2.imwrite(str(tmp_path / "e.png"), np.full((20, 30, 3), 90, np.uint8))
    assert [frame.image_bgr.shape for frame in read_all(make_source(str(tmp_path)))] == [(20, 30, 3)]


# --- videos


def test_a_video_with_larger_pictures_than_any_screen_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "large.mkv", frames=1, width=9000, height=4600)
    refused(path, "too large", "40 megapixels")


def test_a_video_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.mp4"
    path.write_bytes(videos.films()["a.mp4"].replace(b"avc1", b"zzzz"))
    refused(path, "damaged")


def test_a_video_without_pictures_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    path.write_bytes(videos.only_sound())
    refused(path, "not a video")


@pytest.mark.parametrize("kind", ["hls", "concat", "dash", "sdp"])
def test_a_playlist_leads_nowhere_also_with_something_in_it_that_no_text_has(tmp_path: Path, kind: str) -> None:
    write_video(tmp_path / "secret.ts")
    path = tmp_path / "film.mp4"
    path.write_bytes(videos.playlist(kind, str(tmp_path / "secret.ts") if kind == "hls" else "secret.ts"))
    refused(path, "not a video")


def test_a_video_whose_packets_lie_elsewhere_ends_with_a_sentence(tmp_path: Path) -> None:
    """FFmpeg fails in mid-file, and the decoder is asked for what it has left."""
    content = bytearray(videos.fragments())
    at = content.index(b"trun") + 4
    content[at : at + 4] = b"\x7f\xff\xff\xff"  # flags: of fields that are not there
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    source = VideoSource(path)
    source.open()
    try:
        while source.read() is not None:
            pass
    except SourceError as error:
        assert_one_clear_sentence(error, str(path))
    source.close()


def test_frames_that_come_too_late_are_left_out(tmp_path: Path) -> None:
    content = bytearray(videos.films()["a.mp4"])
    at = content.index(b"ctts") + 8
    count, offset_s = struct.unpack_from(">II", content, at + 4 + 8 * 6)
    struct.pack_into(">II", content, at + 4 + 8 * 6, count, offset_s ^ 0xA00)
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    source = VideoSource(path)
    source.open()
    source.seek(index=0)
    times_s = [frame.timestamp_s for frame in iter(source.read, None)]
    source.close()
    assert len(times_s) > 5 and (np.diff(times_s) > 0).all()


def test_pictures_that_change_their_size_are_shown_in_the_first_one_s(tmp_path: Path) -> None:
    path = tmp_path / "film.ts"
    path.write_bytes(videos.larger_and_larger())
    assert {frame.image_bgr.shape for frame in read_all(VideoSource(path))} == {(48, 64, 3)}
