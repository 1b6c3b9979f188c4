"""Moving in videos and folders: the very frame, told by the number that is painted into it."""

from __future__ import annotations

import gc
import random
import weakref
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest

from fkd_desktop.errors import SourceError
from fkd_desktop.live.sources import ImageSource, PicturePosition, VideoSource, make_source, video_index
from fkd_desktop.live.sources.video_file import VideoFile
from tests.live.helpers import number_in, numbered_picture, picture, save, write_numbered_video
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fkd_desktop.live.sources import FrameSource

FRAMES = 120
UNEVEN_S = [round(t, 3) for t in np.cumsum([0.0] + [1 / 30] * 40 + [0.2] * 30 + [1 / 60] * 49)]
OPEN_GOPS = {"x264-params": "open-gop=1:bframes=3:keyint=30:log-level=none"}

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "even": ("clip.mp4", {}),
    "B-frames": ("clip.mp4", {"options": {"bf": "3", "g": "50"}}),
    "uneven times": ("clip.mp4", {"times_s": UNEVEN_S, "options": {"bf": "3"}}),
    "uneven, Matroska": ("clip.mkv", {"times_s": UNEVEN_S, "options": {"bf": "2", "g": "40"}}),
    "open groups": ("clip.mp4", {"options": OPEN_GOPS}),
    "open groups, no index": ("clip.ts", {"options": OPEN_GOPS}),
    "no index": ("clip.ts", {"options": {"bf": "3", "g": "40"}}),
    "fragments": ("clip.mp4", {"container_options": {"movflags": "frag_keyframe+empty_moov"}, "options": {"g": "30"}}),
    "VP8": ("clip.webm", {"codec": "libvpx"}),
    "guessed times": ("clip.avi", {"options": {"bf": "2", "g": "40"}}),
    "no times": ("clip.h264", {"options": {"bf": "2", "g": "40"}}),
}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def video(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VideoSource]:
    name, how = request.param
    source = VideoSource(write_numbered_video(tmp_path / name, frames=FRAMES, **how))
    source.open()
    yield source
    source.close()


def indexes(source: FrameSource) -> list[int]:
    found = []
    while (frame := source.read()) is not None:
        assert frame.position is not None
        found.append(frame.position.index)
    return found


def test_any_frame_is_found_by_its_number_and_its_time(video: VideoSource) -> None:
    times_s = []
    for number in range(FRAMES):
        frame = video.read()
        assert number_in(frame) == number
        assert frame is not None and frame.position is not None
        assert frame.position.index == number and frame.position.kind == "video"
        times_s.append(frame.position.time_s)
    assert video.read() is None
    assert times_s == sorted(set(times_s))
    choose = random.Random(1)
    for number in [0, FRAMES - 1, 0, 1, *(choose.randrange(FRAMES) for _ in range(25))]:
        video.seek(index=number)
        frame = video.read()
        assert number_in(frame) == number
        assert frame is not None and frame.position is not None
        assert (frame.position.index, frame.position.count) == (number, FRAMES)
        assert frame.position.time_s == pytest.approx(times_s[number], abs=0.001)
        assert frame.position.duration_s >= times_s[-1]
        if number + 1 < FRAMES:
            assert number_in(video.read()) == number + 1, "it does not go on from there"
        other = choose.randrange(FRAMES)
        video.seek(time_s=times_s[other] + 0.004)
        assert number_in(video.read()) == other


def test_stepping_back_goes_through_every_frame(video: VideoSource) -> None:
    for number in range(FRAMES - 1, FRAMES - 40, -1):
        video.seek(index=number)
        assert number_in(video.read()) == number


def test_beyond_the_end_is_the_last_frame(video: VideoSource) -> None:
    for _ in range(2):
        video.seek(index=10_000)
        assert number_in(video.read()) == FRAMES - 1
        assert video.read() is None
        video.seek(time_s=10_000.0)
        assert number_in(video.read()) == FRAMES - 1
    video.seek(time_s=-5.0)
    assert number_in(video.read()) == 0


def test_before_the_first_frame_was_read_one_can_move(video: VideoSource) -> None:
    video.seek(index=77)
    assert number_in(video.read()) == 77


@pytest.mark.parametrize("kind", ["even", "B-frames", "open groups", "no index", "fragments"])
def test_in_a_file_too_large_to_be_listed_frames_are_found_by_the_frame_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(video_index, "_LIMIT_S", -1.0)
    name, how = KINDS[kind]
    source = VideoSource(write_numbered_video(tmp_path / name, frames=FRAMES, **how))
    source.open()
    choose = random.Random(2)
    for number in [0, FRAMES - 1, 0, 1, *(choose.randrange(FRAMES) for _ in range(25))]:
        source.seek(index=number)
        frame = source.read()
        assert number_in(frame) == number
        assert frame is not None and frame.position is not None and frame.position.index == number
        other = choose.randrange(FRAMES)
        source.seek(time_s=other / 30 + 0.004)
        assert number_in(source.read()) == other
    for number in range(60, 40, -1):
        source.seek(index=number)
        assert number_in(source.read()) == number
    source.close()


@pytest.mark.parametrize("kind", ["uneven times", "uneven, Matroska"])
def test_there_steps_move_also_where_times_are_uneven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(video_index, "_LIMIT_S", -1.0)
    name, how = KINDS[kind]
    source = VideoSource(write_numbered_video(tmp_path / name, frames=FRAMES, **how))
    source.open()
    for direction, start_s in ((-1, 7.0), (1, 1.0)):
        source.seek(time_s=start_s)
        numbers = []
        for _ in range(30):
            frame = source.read()
            assert frame is not None and frame.position is not None
            numbers.append(number_in(frame))
            source.seek(index=frame.position.index + direction)
        assert (np.diff(numbers) * direction > 0).all(), numbers
    source.close()


def test_a_video_of_one_frame(tmp_path: Path) -> None:
    source = VideoSource(write_numbered_video(tmp_path / "one.mp4", frames=1))
    source.open()
    assert number_in(source.read()) == 0
    assert source.read() is None
    for place in ({"index": 5}, {"time_s": 3.0}, {"index": 0}):
        source.seek(**place)
        frame = source.read()
        assert number_in(frame) == 0 and frame is not None and frame.position is not None
        assert (frame.position.index, frame.position.count) == (0, 1)
    source.close()


def test_the_nearest_frame_is_meant(tmp_path: Path) -> None:
    source = VideoSource(write_numbered_video(tmp_path / "clip.mp4", frames=4, times_s=[0.0, 1.0, 1.1, 2.0]))
    source.open()
    for time_s, number in ((0.4, 0), (0.6, 1), (1.04, 1), (1.06, 2), (1.5, 2), (1.6, 3)):
        source.seek(time_s=time_s)
        assert number_in(source.read()) == number
    source.close()


def test_after_a_seek_times_are_the_videos_own_and_loops_rise_again(tmp_path: Path) -> None:
    source = VideoSource(write_numbered_video(tmp_path / "clip.mp4", frames=10), loop=True)
    source.open()
    frames = [source.read() for _ in range(25)]
    assert frames[-1] is not None and frames[-1].timestamp_s == pytest.approx(24 / 30, abs=0.005)
    assert frames[-1].position is not None and frames[-1].position.time_s == pytest.approx(4 / 30, abs=0.005)
    source.seek(index=8)
    again = [source.read() for _ in range(4)]
    assert [number_in(frame) for frame in again] == [8, 9, 0, 1]
    times_s = [frame.timestamp_s for frame in again if frame is not None]
    assert times_s == pytest.approx([8 / 30, 9 / 30, 10 / 30, 11 / 30], abs=0.005)
    source.close()


def test_a_file_that_is_deleted_while_one_moves_in_it_is_one_sentence(tmp_path: Path) -> None:
    source = VideoSource(write_numbered_video(tmp_path / "clip.mp4"))
    source.open()
    (tmp_path / "clip.mp4").unlink()
    with pytest.raises(SourceError, match="there is no file"):
        source.seek(index=50)
    source.close()


def test_closed_one_cannot_move_and_nothing_happens(tmp_path: Path) -> None:
    source = VideoSource(write_numbered_video(tmp_path / "clip.mp4"))
    source.open()
    source.close()
    source.seek(index=5)
    assert source.read() is None


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_video_of_a_phone_is_upright(tmp_path: Path, quarters: int) -> None:
    """The angle in a film's header; OpenCV is the judge of what it means."""
    path = write_numbered_video(tmp_path / "clip.mp4", frames=3)
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4 + 40  # the matrix of the first track: a, b, u, c, d, v, x, y, w
    one, zero, minus = (1 << 16).to_bytes(4, "big"), bytes(4), (-1 << 16).to_bytes(4, "big", signed=True)
    a, b, c, d = {1: (zero, one, minus, zero), 2: (minus, zero, zero, minus), 3: (zero, minus, one, zero)}[quarters]
    data[place : place + 8], data[place + 12 : place + 20] = a + b, c + d
    path.write_bytes(data)
    (expected,) = [cv2.VideoCapture(str(path), cv2.CAP_FFMPEG).read()[1]]
    source = VideoSource(path)
    source.open()
    frame = source.read()
    source.close()
    assert frame is not None and frame.image_bgr.flags.c_contiguous
    assert frame.image_bgr.shape == expected.shape == ((160, 120, 3) if quarters % 2 else (120, 160, 3))
    assert np.abs(frame.image_bgr.astype(int) - expected).mean() < 3


def test_colours_are_those_of_the_standard_that_the_video_names(tmp_path: Path) -> None:
    colour = (40, 80, 200)  # blue, green, red
    for name, matrix in (("bt709", "ITU709"), ("smpte170m", "ITU601")):
        with av.open(str(tmp_path / f"{name}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=30, options={"colorspace": name, "crf": "1"})
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            image = np.full((48, 64, 3), colour, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p", dst_colorspace=matrix)
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        source = VideoSource(tmp_path / f"{name}.mp4")
        source.open()
        read = source.read()
        source.close()
        assert read is not None
        np.testing.assert_allclose(read.image_bgr[24, 32].astype(int), colour, atol=6)


# --- pictures


def folder_of(folder: Path, names: list[str]) -> Path:
    for number, name in enumerate(names):
        save(folder / name, numbered_picture(number))
    return folder


def test_pictures_are_in_the_order_in_which_people_count(tmp_path: Path) -> None:
    names = ["1.png", "IMG_2.png", "img_10.png", "IMG_11b.png", "img_11c.png", "z.png"]
    source = make_source(str(folder_of(tmp_path, names)))
    source.open()
    frames = [source.read() for _ in names]
    assert [number_in(frame) for frame in frames] == list(range(len(names)))
    for number, frame in enumerate(frames):
        assert frame is not None and frame.is_still
        assert frame.position == PicturePosition("pictures", number, len(names), path=tmp_path / names[number])
    assert source.read() is None
    source.seek(index=2)
    assert number_in(source.read()) == 2
    source.seek(index=99)
    assert number_in(source.read()) == 5
    source.close()


def test_what_is_no_picture_is_left_out_in_both_directions(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder_of(tmp_path, ["0.png", "3.png", "5.png"])
    for broken in ("1.png", "2.png", "4.png", "6.png"):
        (tmp_path / broken).write_bytes(b"no picture")
    source = make_source(str(tmp_path))
    source.open()
    source.seek(index=6)
    frame = source.read()
    assert number_in(frame) == 2, "the last that can be read"
    assert frame is not None and frame.position is not None and (frame.position.index, frame.position.count) == (5, 6)
    source.seek(index=4)
    frame = source.read()
    assert number_in(frame) == 1 and frame is not None and frame.position is not None
    assert (frame.position.index, frame.position.count) == (3, 5)
    source.seek(index=2)
    frame = source.read()
    assert number_in(frame) == 0 and frame is not None and frame.position is not None
    assert (frame.position.index, frame.position.count) == (0, 3)
    assert indexes(source) == [1, 2]
    assert "4.png is not a picture" in caplog.text


def test_a_folder_in_which_nothing_can_be_read_is_one_error(tmp_path: Path) -> None:
    for name in ("a.png", "b.jpg"):
        (tmp_path / name).write_bytes(b"no picture")
    source = make_source(str(tmp_path))
    source.open()
    with pytest.raises(SourceError, match=r"none of the 2 pictures in .* can be read; choose another folder"):
        source.read()


def test_a_picture_has_its_neighbours_for_who_looks_through_them(tmp_path: Path) -> None:
    folder_of(tmp_path, ["1.png", "2.png", "10.png"])
    source = make_source(str(tmp_path / "2.png"), with_neighbours=True)
    assert isinstance(source, ImageSource)
    source.open()
    frame = source.read()
    assert number_in(frame) == 1 and frame is not None and frame.position is not None
    assert (frame.position.index, frame.position.count) == (1, 3)
    source.seek(index=0)
    assert number_in(source.read()) == 0
    source.close()
    source = make_source(str(tmp_path / "2.png"))
    source.open()
    assert indexes(source) == [0]


def test_a_picture_of_an_unusual_name_is_among_its_neighbours(tmp_path: Path) -> None:
    folder_of(tmp_path, ["1.png", "3.png"])
    save(tmp_path / "2.dat", picture(), as_type=".png")
    source = make_source(str(tmp_path / "2.dat"), with_neighbours=True)
    source.open()
    frame = source.read()
    assert frame is not None and frame.position is not None
    assert frame.image_bgr.shape == (50, 60, 3) and (frame.position.index, frame.position.count) == (1, 3)


def test_a_picture_that_vanished_from_a_folder_is_left_out(tmp_path: Path) -> None:
    folder_of(tmp_path, ["1.png", "2.png", "3.png"])
    source = make_source(str(tmp_path))
    source.open()
    assert number_in(source.read()) == 0
    (tmp_path / "2.png").unlink()
    source.seek(index=1)
    frame = source.read()
    assert number_in(frame) == 2 and frame is not None and frame.position is not None
    assert (frame.position.index, frame.position.count) == (1, 2)


def test_a_video_closed_before_its_end_leaves_nothing_to_the_collector() -> None:
    """Its decoder has threads and megabytes, and the collector may not come for minutes."""
    gc.collect()
    gc.disable()
    try:
        video = VideoFile(assets_dir() / "demo" / "demo.mp4")
        assert video.read() is not None
        left = weakref.ref(video)
        video.close()
        del video
        assert left() is None
    finally:
        gc.enable()
