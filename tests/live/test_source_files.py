"""Videos and pictures of every kind, under right and wrong names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fkd_desktop.live.sources import (
    PICTURE_S,
    ImageSource,
    VideoSource,
    make_source,
)
from tests.live.helpers import (
    RED,
    picture,
    read_all,
    save,
    write_video,
)

if TYPE_CHECKING:
    pass


# --- pictures


def test_a_picture_comes_once(tmp_path: Path) -> None:
    source = make_source(str(save(tmp_path / "picture.png", picture())))
    assert isinstance(source, ImageSource) and source.label == "picture.png"
    (frame,) = read_all(source)
    assert frame.timestamp_s == 0
    np.testing.assert_array_equal(frame.image_bgr, picture())


def wide(image: np.ndarray) -> np.ndarray:
    return image.astype(np.uint16) * 257


def with_alpha(image: np.ndarray) -> np.ndarray:
    return np.dstack([image, np.full(image.shape[:2], 77, image.dtype)])


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (picture()[:, :, 2], (200, 200, 200)),
        (wide(picture()[:, :, 2]), (200, 200, 200)),
        (wide(picture()), RED),
        (with_alpha(picture()), RED),
        (with_alpha(wide(picture())), RED),
    ],
    ids=["grey", "16-bit grey", "16-bit", "alpha", "16-bit alpha"],
)
def test_pictures_of_every_depth_become_8_bit_bgr(
    tmp_path: Path, image: np.ndarray, expected: tuple[int, int, int]
) -> None:
    (frame,) = read_all(make_source(str(save(tmp_path / "picture.png", image))))
    assert frame.image_bgr.shape == (50, 60, 3) and frame.image_bgr.dtype == np.uint8
    assert tuple(frame.image_bgr[10, 50]) == expected
    assert tuple(frame.image_bgr[10, 10]) == (0, 0, 0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (33, 101)], ids=str)
def test_pictures_of_odd_sizes(tmp_path: Path, shape: tuple[int, int]) -> None:
    (frame,) = read_all(make_source(str(save(tmp_path / "picture.png", picture(*shape)))))
    assert frame.image_bgr.shape == (*shape, 3)


@pytest.mark.parametrize(
    ("name", "really"),
    [
        ("a.png", ".jpg"), ("b.jpg", ".png"), ("c.gif", ".png"), ("d", ".webp"), ("e.txt", ".bmp"),
        ("f.mp4", ".png"), ("g.mov", ".jpg"), ("h.avi", ".bmp"),
    ],
)  # fmt: skip
def test_a_picture_with_a_wrong_suffix_is_a_picture(tmp_path: Path, name: str, really: str) -> None:
    (frame,) = read_all(make_source(str(save(tmp_path / name, picture(), as_type=really))))
    assert frame.image_bgr.shape == (50, 60, 3)
    np.testing.assert_allclose(frame.image_bgr[10, 50].astype(int), RED, atol=12)


@pytest.mark.parametrize("name", ["clip.jpg", "clip.png", "clip", "clip.txt"])
def test_a_video_with_a_wrong_suffix_is_a_video(tmp_path: Path, name: str) -> None:
    write_video(tmp_path / "clip.mp4", frames=5).rename(tmp_path / name)
    assert len(read_all(make_source(str(tmp_path / name)))) == 5


def test_photographs_are_turned_upright(tmp_path: Path) -> None:
    path = save(tmp_path / "photo.jpg", picture(40, 60))
    data = path.read_bytes()
    tiff = b"II*\0" + (8).to_bytes(4, "little") + b"\1\0" + b"\x12\1\3\0\1\0\0\0\6\0\0\0" + bytes(4)  # turn right
    exif = b"Exif\0\0" + tiff
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
    (frame,) = read_all(make_source(str(path)))
    assert frame.image_bgr.shape == (60, 40, 3)
    assert frame.image_bgr[50, 20, 2] > 150 > frame.image_bgr[10, 20, 2]


def test_a_folder_gives_its_pictures_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "my pictures"
    (folder / "not a picture.png").mkdir(parents=True)
    for i, name in enumerate(("c.PNG", "a.jpg", "b.webp")):
        save(folder / name, picture(50 + 10 * i, 60))
    (folder / "notes.txt").write_text("hello")
    source = make_source(str(folder))
    assert source.label == "my pictures"
    frames = read_all(source)
    assert [f.image_bgr.shape[0] for f in frames] == [60, 70, 50]
    assert [f.timestamp_s for f in frames] == [0, PICTURE_S, 2 * PICTURE_S]


def test_the_folder_one_is_in_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "a.png", picture())
    monkeypatch.chdir(tmp_path)
    assert make_source(".").label == tmp_path.name
    assert make_source("").label == tmp_path.name


# --- videos


def test_a_video_has_its_own_times(tmp_path: Path) -> None:
    source = make_source(str(write_video(tmp_path / "clip.mp4", frames=30)))
    assert source.label == "clip.mp4" and not source.is_live
    frames = read_all(source)
    assert [round(f.timestamp_s * 30) for f in frames] == list(range(30))
    assert [int(f.image_bgr[60, 80, 0]) for f in frames] == pytest.approx([8 * i for i in range(30)], abs=6)


def test_a_looping_video_goes_on_with_rising_times(tmp_path: Path) -> None:
    source = VideoSource(write_video(tmp_path / "clip.mp4", frames=12), loop=True)
    source.open()
    frames = [source.read() for _ in range(40)]
    source.close()
    times_s = np.array([f.timestamp_s for f in frames if f is not None])
    assert np.diff(times_s) == pytest.approx(np.full(39, 1 / 30), abs=0.002)
    source.open()  # from the start
    again = source.read()
    source.close()
    assert again is not None and again.timestamp_s == 0
    greys = [int(f.image_bgr[60, 80, 0]) for f in frames if f is not None]
    assert greys == pytest.approx([8 * (i % 12) for i in range(40)], abs=6)


@pytest.mark.parametrize(("width", "height"), [(161, 121), (33, 47), (1, 1)])
def test_videos_of_odd_sizes(tmp_path: Path, width: int, height: int) -> None:
    path = write_video(tmp_path / "clip.mkv", frames=3, width=width, height=height, codec="ffv1")
    assert [f.image_bgr.shape for f in read_all(make_source(str(path)))] == [(height, width, 3)] * 3


@pytest.mark.parametrize("suffix", [".mkv", ".webm", ".mp4"])
def test_a_video_of_uneven_pace_is_whole(tmp_path: Path, suffix: str) -> None:
    """A container without an index is thought to hold many more frames than it does."""
    times_s = np.cumsum([0.0] + [1 / 30] * 29 + [0.2] * 60)
    codec = "libvpx" if suffix == ".webm" else "libx264"
    path = write_video(tmp_path / f"clip{suffix}", frames=90, times_s=list(times_s), codec=codec)
    frames = read_all(make_source(str(path)))
    assert [f.timestamp_s for f in frames] == pytest.approx(times_s, abs=0.002)


def test_times_rise_where_a_video_starts_its_own_anew(tmp_path: Path) -> None:
    """Two recordings joined end to end, the second of another size: FFmpeg scales it to the first one's."""
    first = write_video(tmp_path / "a.ts", frames=20).read_bytes()
    second = write_video(tmp_path / "b.ts", frames=20, width=320, height=240).read_bytes()
    (tmp_path / "both.ts").write_bytes(first + second)
    frames = read_all(make_source(str(tmp_path / "both.ts")))
    assert len(frames) == 40
    assert {f.image_bgr.shape for f in frames} == {(120, 160, 3)}
    assert (np.diff([f.timestamp_s for f in frames]) > 0).all()
