"""Videos that are written: their times, their sizes, and places that cannot be written to."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest

from fkd_desktop.live.mp4_file import cut_incomplete_tail
from fkd_desktop.live.sources import VideoSource
from fkd_desktop.live.video_writer import VideoWriter, letterbox
from tests.live.helpers import assert_one_clear_sentence
from tests.trainer.tiny import small_disk
from trainer.core.errors import FkdError

if TYPE_CHECKING:
    from fkd_desktop.live.result import Frame


def frames_of(path: Path) -> list[Frame]:
    source = VideoSource(path)
    source.open()
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    return frames


def grey(value: int, width: int = 64, height: int = 48) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_frames_keep_their_own_times_and_order(tmp_path: Path) -> None:
    times_s = [5.0, 5.04, 5.05, 5.5, 6.25]
    with VideoWriter(tmp_path / "clip.mp4") as writer:
        for i, time_s in enumerate(times_s):
            writer.write(grey(40 * i), time_s)
    frames = frames_of(tmp_path / "clip.mp4")
    assert [f.timestamp_s for f in frames] == pytest.approx([t - 5 for t in times_s], abs=0.002)
    assert [int(f.image_bgr.mean()) for f in frames] == pytest.approx([0, 40, 80, 120, 160], abs=4)


def test_a_time_that_does_not_rise_is_no_problem(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "clip.mp4") as writer:
        for time_s in (1.0, 1.0, 0.5, 2.0):
            writer.write(grey(90), time_s)
    assert len(frames_of(tmp_path / "clip.mp4")) == 4


@pytest.mark.parametrize("effort", ["live", "small"])
@pytest.mark.parametrize(("height", "matrix"), [(48, 6), (720, 1)])
def test_colours_stay_and_are_tagged(tmp_path: Path, height: int, matrix: int, effort: str) -> None:
    path = tmp_path / "clip.mp4"
    colours = [(0, 0, 255), (200, 40, 60), (40, 200, 60), (60, 40, 200), (255, 255, 255), (0, 0, 0), (128, 128, 128)]
    with VideoWriter(path, effort=effort) as writer:
        for i, colour in enumerate(colours):
            writer.write(np.full((height, 64, 3), colour, np.uint8), i)  # a key frame each
    with av.open(str(path)) as container:
        pictures = list(container.decode(video=0))
    for frame, picture, colour in zip(frames_of(path), pictures, colours, strict=True):
        np.testing.assert_allclose(frame.image_bgr.mean(axis=(0, 1)), colour, atol=3)
        np.testing.assert_allclose(picture.to_ndarray(format="bgr24").mean(axis=(0, 1)), colour, atol=3)
    assert {(int(p.colorspace), int(p.color_range)) for p in pictures} == {(matrix, 1)}


def test_a_fourth_channel_is_left_out(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "clip.mp4") as writer:
        writer.write(np.full((48, 64, 4), (200, 40, 60, 0), np.uint8), 0.0)
        writer.write(np.full((48, 32, 4), (200, 40, 60, 99), np.uint8), 1.0)
    first, narrow = (f.image_bgr for f in frames_of(tmp_path / "clip.mp4"))
    np.testing.assert_allclose(first.mean(axis=(0, 1)), (200, 40, 60), atol=3)
    np.testing.assert_allclose(narrow[24, 32], (200, 40, 60), atol=8)
    assert narrow[24, 4].max() < 40


@pytest.mark.parametrize(("width", "height"), [(64, 48), (65, 49), (64, 49), (1920, 1080), (1, 1), (500, 3)])
def test_every_size(tmp_path: Path, width: int, height: int) -> None:
    with VideoWriter(tmp_path / "clip.mp4") as writer:
        writer.write(grey(90, width, height), 0.0)
        writer.write(grey(90, width, height), 0.1)
    even = (max(16, height // 2 * 2), max(16, width // 2 * 2), 3)
    assert [f.image_bgr.shape for f in frames_of(tmp_path / "clip.mp4")] == [even] * 2


def test_frames_of_another_size_are_fitted_into_the_first_ones(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "clip.mp4") as writer:
        writer.write(grey(200, 120, 80), 0.0)
        writer.write(grey(200, 60, 80), 0.1)
        writer.write(grey(200, 480, 80), 0.2)
    _, tall, wide = (f.image_bgr[:, :, 0].astype(int) for f in frames_of(tmp_path / "clip.mp4"))
    assert tall[40, 60] > 180 and wide[40, 60] > 180
    assert tall[:, 5].max() < 40 and tall[:, 115].max() < 40 and tall[5, 60] > 180
    assert wide[5].max() < 40 and wide[75].max() < 40 and wide[40, 5] > 180


def test_without_frames_no_file_is_written(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "clip.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "clip.mp4").write_bytes(b"of some other day")
    with VideoWriter(tmp_path / "clip.mp4"):
        pass
    assert (tmp_path / "clip.mp4").read_bytes() == b"of some other day"


def test_folders_are_made_and_closing_twice_is_harmless(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ünd noch einer" / "clip.mp4"
    writer = VideoWriter(path)
    writer.write(grey(9), 0.0)
    writer.close()
    writer.close()
    assert len(frames_of(path)) == 1


def test_what_was_written_before_a_fault_can_be_played(tmp_path: Path) -> None:
    def fail() -> None:
        with VideoWriter(tmp_path / "clip.mp4") as writer:
            writer.write(grey(90), 0.0)
            raise RuntimeError("something else broke")

    with pytest.raises(RuntimeError, match="something else broke"):
        fail()
    assert len(frames_of(tmp_path / "clip.mp4")) == 1


def write_one_frame(path: Path) -> None:
    with VideoWriter(path) as writer:
        writer.write(grey(90), 0.0)


def test_a_place_that_cannot_be_written_to_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder.mp4").mkdir()
    for path in (tmp_path / "file" / "clip.mp4", tmp_path / "folder.mp4"):
        with pytest.raises(FkdError) as caught:
            write_one_frame(path)
        assert_one_clear_sentence(caught.value, str(path), "choose another place")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "full.mp4").symlink_to("/dev/full")
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)

    def fill() -> None:
        with VideoWriter(tmp_path / "full.mp4") as writer:
            for i in range(5):
                writer.write(noise, i / 30)

    with pytest.raises(FkdError) as caught:
        fill()
    assert_one_clear_sentence(caught.value, str(tmp_path / "full.mp4"), "space")


def noise(seed: int, width: int = 320, height: int = 240) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)


def boxes_of(path: Path) -> list[str]:
    """Return the types of a file's top-level boxes; the last one may be cut off."""
    data, start, kinds = path.read_bytes(), 0, []
    while start < len(data):
        length, kind = struct.unpack_from(">I4s", data, start)
        kinds.append(kind.decode())
        start += length
    return kinds


def cv2_count(path: Path) -> int:
    """Return how many frames OpenCV can read, as a player does that has no use for an index."""
    capture = cv2.VideoCapture(str(path))
    count = 0
    while capture.read()[0]:
        count += 1
    capture.release()
    return count


def av_times(path: Path) -> list[float]:
    """Return the times of the frames that FFmpeg can read, up to the first fault."""
    times = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            times.append(float(frame.pts * frame.time_base))
    return times


def test_a_finished_film_is_a_plain_file_that_begins_at_zero(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with VideoWriter(path) as writer:
        for i in range(75):
            writer.write(noise(i), 3 + i / 30)
        assert writer.duration_s == pytest.approx(74 / 30, abs=0.001)
        assert writer.size_px == (320, 240) and writer.size_bytes > 1000
    assert "moof" not in boxes_of(path), "fragments are hard to seek in"
    assert writer.size_bytes == path.stat().st_size
    assert av_times(path) == pytest.approx([i / 30 for i in range(75)], abs=0.001)
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 75
    capture.set(cv2.CAP_PROP_POS_FRAMES, 60)
    assert capture.read()[0] and capture.get(cv2.CAP_PROP_POS_MSEC) == pytest.approx(2000, abs=40)
    capture.release()


RECORD_FOR_EVER = """
import sys
from pathlib import Path
import numpy as np
from fkd_desktop.live.video_writer import VideoWriter
writer = VideoWriter(Path(sys.argv[1]), effort=sys.argv[2])
rng = np.random.default_rng(0)
for i in range(10**6):
    writer.write(rng.integers(0, 255, (240, 320, 3), dtype=np.uint8), i / 30)
    print(i, flush=True)
"""


@pytest.mark.parametrize("effort", ["live", "small"])
def test_a_process_that_is_killed_leaves_a_film_but_for_the_last_second(tmp_path: Path, effort: str) -> None:
    path = tmp_path / "killed.mp4"
    command = [sys.executable, "-c", RECORD_FOR_EVER, str(path), effort]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        written = 0
        while written < 150:
            written = int(process.stdout.readline())
        process.kill()
        process.wait()
        written += len(process.stdout.readlines())
    left = written - 31 - (40 if effort == "small" else 0)  # the encoder looks ahead where there is time for it
    times = []
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                times.append(float(frame.pts * frame.time_base))
    except av.InvalidDataError:
        pass  # it was killed in the middle of a fragment, and players stop there
    assert len(times) >= left
    assert times == pytest.approx([i / 30 for i in range(len(times))], abs=0.001)
    assert cv2_count(path) >= left


def fill_disk(path: Path, size: int) -> VideoWriter:
    """Write until the disk of `size` bytes is full, and check what is said."""
    with small_disk() as limit:
        limit(size)
        with pytest.raises(FkdError) as caught, VideoWriter(path, effort="live") as writer:
            for i in range(1000):
                writer.write(noise(i), i / 30)
    assert_one_clear_sentence(caught.value, str(path), "free some space")
    return writer


@pytest.mark.parametrize("size", [3_000_000, 4_000_003, 6_500_000])
def test_a_disk_that_runs_full_leaves_a_film(tmp_path: Path, size: int, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "full.mp4"
    writer = fill_disk(path, size)
    assert capfd.readouterr().err == "", "PyAV prints what is raised in FFmpeg's calls"
    assert writer.is_kept
    assert writer.duration_s > 1
    times = av_times(path)  # without a fault at its end
    assert times == pytest.approx([i / 30 for i in range(len(times))], abs=0.001)
    assert len(times) % 30 == 0 and times[-1] >= writer.duration_s - 2.1
    assert cv2_count(path) == len(times)


def test_a_disk_that_is_full_before_the_first_fragment_leaves_nothing(tmp_path: Path) -> None:
    writer = fill_disk(tmp_path / "full.mp4", 400_000)
    assert not writer.is_kept
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_when_the_film_is_finished_leaves_its_fragments(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path, whole = tmp_path / "full.mp4", tmp_path / "whole.mp4"

    def write(to: Path) -> None:
        with VideoWriter(to, effort="live") as writer:
            for i in range(75):
                writer.write(noise(i), i / 30)

    write(whole)
    with small_disk() as limit:
        limit(whole.stat().st_size - 100)  # its index has no room
        with pytest.raises(FkdError):
            write(path)
    assert capfd.readouterr().err == ""
    assert av_times(path) == av_times(whole)
    assert cv2_count(path) == 75


def test_after_a_failure_every_call_says_so_and_closing_is_quiet(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "clip.mp4")
    writer.write(grey(9), 0.0)
    with small_disk() as limit:
        limit(10)
        with pytest.raises(FkdError):
            for i in range(1, 100):
                writer.write(noise(i, 64, 48), float(i))
    with pytest.raises(FkdError):
        writer.write(grey(9), 200.0)
    writer.close()


def test_without_h264_it_is_mpeg4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("av.codecs_available", {"mpeg4"})
    path = tmp_path / "clip.mp4"
    times_s = [0.0, 0.02, 0.5, 1.7]
    with VideoWriter(path) as writer:
        for time_s in times_s:
            writer.write(grey(90), time_s)
    monkeypatch.undo()
    assert [f.timestamp_s for f in frames_of(path)] == pytest.approx(times_s, abs=0.002)
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"


def box(kind: bytes, content: int) -> bytes:
    return struct.pack(">I4s", 8 + content, kind) + bytes(content)


@pytest.mark.parametrize(
    ("tail", "kept"),
    [
        (b"", 0),
        (box(b"moof", 5) + box(b"mdat", 50), 71),
        (box(b"moof", 5) + box(b"mdat", 50)[:-1], 0),
        (box(b"moof", 5), 0),
        (box(b"moof", 5)[:7], 0),
        (box(b"moof", 5) + box(b"mdat", 50) + box(b"moov", 9), 71),
        (box(b"moov", 9), 17),
        (box(b"moov", 9)[:-1], 0),
        (struct.pack(">I4sQ", 1, b"mdat", 36) + bytes(20) + b"12345", 36),
        (struct.pack(">I4sQ", 1, b"mdat", 36) + bytes(19), 0),
        (struct.pack(">I4s", 1, b"mdat"), 0),
        (bytes(30), 0),
    ],
)
def test_an_incomplete_tail_is_cut(tail: bytes, kept: int) -> None:
    head = box(b"ftyp", 4) + box(b"mdat", 3)
    file = io.BytesIO(head + tail)
    assert cut_incomplete_tail(file)
    assert file.getvalue() == (head + tail)[: len(head) + kept]
    assert not cut_incomplete_tail(io.BytesIO(box(b"ftyp", 4) + box(b"moov", 3)))


@pytest.mark.parametrize(("width", "height"), [(100, 60), (60, 100), (7, 3), (400, 400)])
def test_letterbox_fits_and_centres(width: int, height: int) -> None:
    boxed = letterbox(cv2.resize(grey(200), (90, 60)), width, height)
    assert boxed.shape == (height, width, 3)
    bright = np.argwhere(boxed[:, :, 0] == 200)
    (top, left), (bottom, right) = bright.min(axis=0), bright.max(axis=0)
    assert abs(top - (height - 1 - bottom)) <= 1 and abs(left - (width - 1 - right)) <= 1
    assert (right - left + 1) / (bottom - top + 1) == pytest.approx(1.5, rel=0.6 if height < 10 else 0.05)
    assert right - left + 1 == width or bottom - top + 1 == height
