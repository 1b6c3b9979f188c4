"""Videos that are written: their times, their sizes, and places that cannot be written to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from fkd_desktop.live.sources import VideoSource
from fkd_desktop.live.video_writer import VideoWriter, letterbox
from tests.live.helpers import assert_one_clear_sentence
from trainer.core.errors import FkdError

if TYPE_CHECKING:
    from pathlib import Path

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


def test_colours_stay(tmp_path: Path) -> None:
    colours = [(200, 40, 60), (40, 200, 60), (60, 40, 200)]
    with VideoWriter(tmp_path / "clip.mp4") as writer:
        for i, colour in enumerate(colours):
            writer.write(np.full((48, 64, 3), colour, np.uint8), i / 30)
    for frame, colour in zip(frames_of(tmp_path / "clip.mp4"), colours, strict=True):
        np.testing.assert_allclose(frame.image_bgr.mean(axis=(0, 1)), colour, atol=10)


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


@pytest.mark.parametrize(("width", "height"), [(100, 60), (60, 100), (7, 3), (400, 400)])
def test_letterbox_fits_and_centres(width: int, height: int) -> None:
    boxed = letterbox(cv2.resize(grey(200), (90, 60)), width, height)
    assert boxed.shape == (height, width, 3)
    bright = np.argwhere(boxed[:, :, 0] == 200)
    (top, left), (bottom, right) = bright.min(axis=0), bright.max(axis=0)
    assert abs(top - (height - 1 - bottom)) <= 1 and abs(left - (width - 1 - right)) <= 1
    assert (right - left + 1) / (bottom - top + 1) == pytest.approx(1.5, rel=0.6 if height < 10 else 0.05)
    assert right - left + 1 == width or bottom - top + 1 == height
