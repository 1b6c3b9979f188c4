"""Every kind of source keeps the same contract, and is found by the name that a user writes."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fkd_desktop.errors import SourceError
from fkd_desktop.live.sources import (
    VideoSource,
    make_source,
    register_source,
)
from fkd_desktop.live.sources import registry as sources
from tests.live.helpers import (
    FakeCapture,
    ScriptedSource,
    picture,
    read_all,
    save,
    write_video,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.live.result import Frame
    from fkd_desktop.live.sources import FrameSource


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


@pytest.mark.parametrize("kind", [video_source, looping_source, folder_source, demo_source])
def test_closed_in_the_middle_it_has_no_more_frames(kind: Callable[[Path], FrameSource], tmp_path: Path) -> None:
    source = kind(tmp_path)
    source.open()
    assert source.read() is not None
    source.close()
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


@pytest.mark.parametrize("name", ["~\0.mp4", "\0", "~\ud800", "\ud800.mp4", "x" * 70_000, "~nobody at all/x.mp4"])
def test_what_cannot_be_a_path_is_refused(name: str) -> None:
    with pytest.raises(SourceError, match=r"there is no file|cannot be read"):
        make_source(name)


def test_home_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write_video(tmp_path / "clip.mp4", frames=3)
    assert len(read_all(make_source("~/clip.mp4"))) == 3
