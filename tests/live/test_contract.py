"""What holds for every kind of source that `make_source` makes, whatever it is."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fkd_desktop.live.reader import FrameReader
from fkd_desktop.live.sources import make_source
from fkd_desktop.live.sources.cameras import list_cameras
from fkd_desktop.live.sources.modes import CameraMode
from tests.live.helpers import WAIT_S, picture, save, write_video
from tests.live.http_camera import HttpCamera
from tests.live.rtsp_camera import RtspCamera

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fkd_desktop.live.result import Frame
    from fkd_desktop.live.sources import FrameSource
    from tests.live.fake_linux import FakeLinux


@dataclass
class World:
    """Where sources come from."""

    folder: Path
    machine: FakeLinux
    stack: ExitStack


@pytest.fixture
def world(tmp_path: Path, machine: FakeLinux) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(tmp_path, machine, stack)


def camera_by_number(world: World) -> str:
    world.machine.plug_in()
    return "camera:0"


def camera_by_id(world: World) -> str:
    world.machine.plug_in(first=3)
    return list_cameras()[0].source_name()


def camera_in_a_mode(world: World) -> str:
    world.machine.plug_in()
    return list_cameras()[0].source_name(CameraMode(640, 480, 30))


def http_stream(world: World) -> str:
    return world.stack.enter_context(HttpCamera()).url("/video")


def rtsp_stream(world: World) -> str:
    return world.stack.enter_context(RtspCamera()).url("/live")


def http_recording(world: World) -> str:
    clip = write_video(world.folder / "clip.mp4", options={"movflags": "faststart"})
    return world.stack.enter_context(HttpCamera(clip=clip)).url("/clip")


def video(world: World) -> str:
    return str(write_video(world.folder / "clip.mp4"))


def one_picture(world: World) -> str:
    return str(save(world.folder / "face.png", picture()))


def folder_of_pictures(world: World) -> str:
    folder = world.folder / "pictures"
    folder.mkdir()
    for name in ("a.png", "b.jpg", "c.bmp"):
        save(folder / name, picture())
    return str(folder)


def demo(world: World) -> str:
    return "demo"


LIVE = [camera_by_number, camera_by_id, camera_in_a_mode, http_stream, rtsp_stream]
FILES = [http_recording, video, one_picture, folder_of_pictures, demo]


@pytest.fixture(params=[*LIVE, *FILES], ids=lambda kind: kind.__name__)
def name(request: pytest.FixtureRequest, world: World) -> str:
    made: str = request.param(world)
    return made


def read_some(source: FrameSource, count: int = 5) -> list[Frame]:
    frames = (source.read() for _ in range(count))
    return [frame for frame in frames if frame is not None]


def test_frames_are_fit_for_the_pipeline(name: str) -> None:
    source = make_source(name)
    source.open()
    before_s = time.perf_counter()
    frames = read_some(source)
    after_s = time.perf_counter()
    source.close()
    assert frames
    for frame in frames:
        image = frame.image_bgr
        assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.flags.c_contiguous
        assert before_s <= frame.captured_s <= after_s
    assert not any(np.shares_memory(a.image_bgr, b.image_bgr) for a, b in pairwise(frames)), "a buffer is used twice"
    times_s = [frame.timestamp_s for frame in frames]
    assert times_s == sorted(times_s)


def test_it_has_a_name_for_the_user(name: str) -> None:
    source = make_source(name)
    assert source.label and source.label.isprintable()
    source.open()
    assert source.label and source.label.isprintable()
    source.close()


@pytest.mark.parametrize("kind", LIVE, ids=lambda kind: kind.__name__)
def test_what_is_live(kind: Callable[[World], str], world: World) -> None:
    source = make_source(kind(world))
    source.open()
    assert source.is_live
    assert source.mode is not None and source.mode.width > 0 and source.mode.height > 0
    source.close()


@pytest.mark.parametrize("kind", FILES, ids=lambda kind: kind.__name__)
def test_what_is_not_live(kind: Callable[[World], str], world: World) -> None:
    source = make_source(kind(world))
    source.open()
    assert not source.is_live
    source.close()


def test_closed_it_has_no_more_frames(name: str) -> None:
    source = make_source(name)
    source.open()
    assert source.read() is not None
    source.close()
    source.close()
    assert source.read() is None


def test_closed_before_it_is_opened(name: str) -> None:
    source = make_source(name)
    source.close()
    assert source.read() is None
    source.open()
    assert source.read() is not None
    source.close()


def test_opened_again_it_goes_on(name: str) -> None:
    source = make_source(name)
    for _ in range(2):
        source.open()
        assert read_some(source)
        source.close()


# Videos are PyAV's, like streams, but are closed by the thread that reads them: nothing there waits for a network.
@pytest.mark.parametrize(
    "kind", [*LIVE, http_recording, one_picture, folder_of_pictures], ids=lambda kind: kind.__name__
)
def test_closed_while_another_thread_reads(kind: Callable[[World], str], world: World) -> None:
    source = make_source(kind(world))
    source.open()
    has_read = threading.Event()
    errors: list[BaseException] = []

    def read() -> None:
        try:
            while source.read() is not None:
                has_read.set()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    assert has_read.wait(WAIT_S)
    source.close()
    thread.join(WAIT_S)
    assert not thread.is_alive()
    assert errors == []
    assert source.read() is None


def test_a_reader_takes_it(name: str, threads_end: None) -> None:
    with FrameReader(lambda: make_source(name)) as reader:
        deadline_s = time.perf_counter() + WAIT_S
        frame = None
        while frame is None and time.perf_counter() < deadline_s:
            frame = reader.get(timeout_s=0.1)
        assert frame is not None
        assert reader.label
