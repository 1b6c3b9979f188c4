"""Every kind of source keeps the same contract, and every fault of one is a sentence."""

from __future__ import annotations

import sys
import time
import zlib
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from fkd_desktop.errors import SourceError
from fkd_desktop.live import source as sources
from fkd_desktop.live.source import (
    PICTURE_S,
    CameraSource,
    ImageSource,
    VideoSource,
    as_frame,
    make_source,
    register_source,
)
from tests.live.helpers import ScriptedSource, assert_one_clear_sentence, write_video

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.live.result import Frame
    from fkd_desktop.live.source import FrameSource

RED = (10, 20, 200)
ODD_NAMES = [
    "plain.mp4",
    "with a blank.mp4",
    "grün und 日本.mp4",
    "a:b.mp4",
    "-dash.mp4",
    "100%d.mp4",
    "demo",
    "UPPER.MP4",
]


def read_all(source: FrameSource) -> list[Frame]:
    frames = []
    source.open()
    try:
        while (frame := source.read()) is not None:
            frames.append(frame)
    finally:
        source.close()
    return frames


def picture(height: int = 50, width: int = 60) -> np.ndarray:
    """Left half black, right half red."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, width // 2 :] = RED
    return image


def save(path: Path, image: np.ndarray, *, as_type: str | None = None) -> Path:
    """Encode an image as what its suffix, or another one, says."""
    is_encoded, data = cv2.imencode(as_type or path.suffix, image)
    assert is_encoded
    path.write_bytes(data.tobytes())
    return path


class FakeCapture:
    """What `cv2.VideoCapture` gives for a camera, without one."""

    def __init__(self, images: list[np.ndarray | None], *, is_open: bool = True) -> None:
        self.images, self.is_open = images, is_open
        self.settings: list[tuple[int, float]] = []
        self.released = 0

    def isOpened(self) -> bool:  # noqa: N802
        return self.is_open

    def set(self, key: int, value: float) -> bool:
        self.settings.append((key, value))
        return True

    def read(self) -> tuple[bool, np.ndarray | None]:
        image = self.images.pop(0) if self.images else None
        return image is not None, image

    def release(self) -> None:
        self.released += 1


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeCapture], None]:
    """Make OpenCV answer with a fake for every camera, on a system where only opening one shows whether it is there."""

    def use(*captures: FakeCapture) -> None:
        left = list(captures)
        fake_cv2 = SimpleNamespace(**{name: getattr(cv2, name) for name in dir(cv2) if not name.startswith("__")})
        fake_cv2.VideoCapture = lambda *_: left.pop(0)
        monkeypatch.setattr(sources, "cv2", fake_cv2)
        monkeypatch.setattr(sources, "sys", SimpleNamespace(platform="win32"))

    return use


# --- the contract


def video_source(folder: Path) -> FrameSource:
    return make_source(str(write_video(folder / "clip.mp4", frames=10)))


def looping_source(folder: Path) -> FrameSource:
    return VideoSource(write_video(folder / "clip.mp4", frames=4), loop=True)


def picture_source(folder: Path) -> FrameSource:
    return make_source(str(save(folder / "picture.png", picture())))


def folder_source(folder: Path) -> FrameSource:
    for name in ("b.jpg", "a.png", "c.bmp"):
        save(folder / name, picture(50 + ord(name[0]), 60))
    return make_source(str(folder))


def demo_source(_folder: Path) -> FrameSource:
    return make_source("demo")


def scripted_source(_folder: Path) -> FrameSource:
    return ScriptedSource([0.0, 0.1, 0.1, 0.2])


def camera_source(_folder: Path) -> FrameSource:
    return make_source("camera:0")


KINDS = [video_source, looping_source, picture_source, folder_source, demo_source, scripted_source, camera_source]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def any_source(request: pytest.FixtureRequest, tmp_path: Path, camera: Callable[[FakeCapture], None]) -> FrameSource:
    if request.param is camera_source:
        camera(*(FakeCapture([picture(), picture(), picture(), picture()]) for _ in range(2)))
    return request.param(tmp_path)


def test_contract(any_source: FrameSource) -> None:
    assert any_source.label and "\n" not in any_source.label
    any_source.open()
    frames: list[Frame] = []
    for _ in range(9):
        before_s = time.perf_counter()
        if any_source.is_live and len(frames) == 4:
            break
        frame = any_source.read()
        if frame is None:
            break
        assert before_s <= frame.captured_s <= time.perf_counter()
        frames.append(frame)
    assert frames
    copies = [frame.image_bgr.copy() for frame in frames]
    for frame in frames:
        image = frame.image_bgr
        assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.flags.c_contiguous
        assert isinstance(frame.timestamp_s, float)
    times_s = [frame.timestamp_s for frame in frames]
    assert times_s == sorted(times_s)
    # A frame is the reader's for good: no buffer is used twice.
    assert not any(np.shares_memory(a.image_bgr, b.image_bgr) for a, b in pairwise(frames))
    for frame, copy in zip(frames, copies, strict=True):
        np.testing.assert_array_equal(frame.image_bgr, copy)
    any_source.close()
    any_source.close()
    assert any_source.read() is None, "a closed source has no more frames"


def test_closing_before_opening_is_harmless(any_source: FrameSource) -> None:
    any_source.close()


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in (demo_source, looping_source, camera_source)])
def test_what_ends_stays_ended(kind: Callable[[Path], FrameSource], tmp_path: Path) -> None:
    source = kind(tmp_path)
    source.open()
    while source.read() is not None:
        pass
    assert source.read() is None
    assert source.read() is None


@pytest.mark.parametrize("kind", [video_source, picture_source, folder_source])
def test_opened_again_it_starts_again(kind: Callable[[Path], FrameSource], tmp_path: Path) -> None:
    source = kind(tmp_path)
    first, second = read_all(source), read_all(source)
    assert len(first) == len(second)
    assert [f.timestamp_s for f in first] == [f.timestamp_s for f in second]
    np.testing.assert_array_equal(first[0].image_bgr, second[0].image_bgr)


# --- names


def test_registered_kinds_are_made_by_their_factory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_SCHEMES", dict(sources._SCHEMES))
    texts: list[str] = []
    made = ScriptedSource([])

    def factory(text: str) -> FrameSource:
        texts.append(text)
        return made

    register_source("scripted", factory)
    assert make_source("scripted:one:two") is made
    assert make_source("scripted") is made
    assert texts == ["one:two", ""]


def test_the_demo_clip_loops_and_has_a_name() -> None:
    source = make_source("demo")
    assert isinstance(source, VideoSource) and source.loop
    assert source.label == "Demo clip"


@pytest.mark.parametrize("name", ODD_NAMES)
def test_files_with_odd_names_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    folder = tmp_path / "ünd ein Ordner"
    folder.mkdir()
    write_video(folder / "clip.mp4", frames=3).rename(folder / name)
    save(folder / "picture.png", picture()).rename(folder / f"{name}.png")
    monkeypatch.chdir(folder)
    relative = f"./{name}" if name == "demo" else name  # the demo clip's own name needs a path in front
    for path in (str(folder / name), relative):
        source = make_source(path)
        assert source.label == name
        assert len(read_all(source)) == 3
        assert [f.image_bgr.shape for f in read_all(make_source(f"{path}.png"))] == [(50, 60, 3)]


def test_home_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write_video(tmp_path / "clip.mp4", frames=3)
    assert len(read_all(make_source("~/clip.mp4"))) == 3


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


# --- faults of files


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


# --- cameras


def test_a_camera_that_does_not_exist() -> None:
    """The real thing: no machine has a hundred cameras."""
    with pytest.raises(SourceError) as caught:
        read_all(make_source("camera:97"))
    assert_one_clear_sentence(caught.value, "camera 97")


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or Path("/dev/video0").exists(), reason="there is a camera here"
)
def test_no_camera_at_all() -> None:
    with pytest.raises(SourceError) as caught:
        read_all(make_source("camera:0"))
    assert_one_clear_sentence(caught.value, "there is no camera 0", "plug one in")


@pytest.mark.parametrize("text", ["", "x", "-1", "0.5", "front camera", "²"])
def test_a_camera_without_a_number(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        make_source(f"camera:{text}")
    assert_one_clear_sentence(caught.value, f"camera:{text}", "camera:0")


def test_a_camera_that_is_taken(camera: Callable[[FakeCapture], None]) -> None:
    capture = FakeCapture([], is_open=False)
    camera(capture)
    source = make_source("camera:3")
    with pytest.raises(SourceError) as caught:
        source.open()
    assert_one_clear_sentence(caught.value, "camera 3", "other programs")
    assert capture.released == 1


def test_a_camera_is_asked_for_compressed_pictures_before_size_and_rate(camera: Callable[[FakeCapture], None]) -> None:
    capture = FakeCapture([picture()])
    camera(capture)
    source = CameraSource(0, width=640, height=480, frames_per_s=25)
    assert source.is_live
    source.open()
    assert capture.settings == [
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        (cv2.CAP_PROP_FRAME_WIDTH, 640),
        (cv2.CAP_PROP_FRAME_HEIGHT, 480),
        (cv2.CAP_PROP_FPS, 25),
        (cv2.CAP_PROP_BUFFERSIZE, 1),
    ]


def test_a_camera_may_miss_some_pictures_and_change_its_size(camera: Callable[[FakeCapture], None]) -> None:
    camera(FakeCapture([picture(), None, None, picture(31, 41), np.zeros((0, 0, 3), np.uint8), picture()[:, :, 0]]))
    source = make_source("camera:0")
    source.open()
    shapes = [frame.image_bgr.shape for frame in (source.read() for _ in range(3)) if frame is not None]
    assert shapes == [(50, 60, 3), (31, 41, 3), (50, 60, 3)]


def test_a_camera_that_was_unplugged(camera: Callable[[FakeCapture], None]) -> None:
    capture = FakeCapture([picture()])
    camera(capture)
    source = make_source("camera:0")
    source.open()
    assert source.read() is not None
    with pytest.raises(SourceError) as caught:
        source.read()
    assert_one_clear_sentence(caught.value, "camera 0", "plugged in")
    source.close()
    assert capture.released == 1


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (np.full((4, 6), 9, np.uint8), 9),
        (np.full((4, 6, 1), 9, np.uint8), 9),
        (np.full((4, 6, 4), 9, np.uint8), 9),
        (np.full((4, 6, 3), 9 << 8, np.uint16), 9),
        (np.asfortranarray(np.full((4, 6, 3), 9, np.uint8)), 9),
    ],
    ids=["grey", "one channel", "alpha", "16-bit", "another order in memory"],
)
def test_whatever_a_driver_sends_becomes_bgr(image: np.ndarray, expected: int) -> None:
    frame = as_frame(image)
    assert frame.shape == (4, 6, 3) and frame.dtype == np.uint8 and frame.flags.c_contiguous
    assert (frame == expected).all()


# --- what OpenCV prints


@pytest.mark.parametrize("make", [without_index, cut_off, text_as_video, noise_as_video], ids=lambda v: v.__name__)
def test_ffmpegs_chatter_does_not_reach_the_terminal(
    tmp_path: Path, make: Callable[[Path], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SourceError):
        read_all(make_source(str(make(tmp_path))))
    assert capfd.readouterr().err == ""
