"""Opening, losing and getting back cameras on a Linux machine, with fake drivers behind the real registry."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import cv2
import pytest

from fkd_desktop.errors import SourceError, SourceProblem
from fkd_desktop.live.sources import make_source
from fkd_desktop.live.sources.cameras import list_cameras
from fkd_desktop.live.sources.modes import CameraMode
from tests.live.fake_linux import WEBCAM_MODES, FakeLinux, FakeNode
from tests.live.helpers import FakeCapture, assert_one_clear_sentence, picture

if TYPE_CHECKING:
    from fkd_desktop.live.sources import FrameSource
    from fkd_desktop.live.sources.camera import CameraSource

MJPG, YUYV = cv2.VideoWriter.fourcc(*"MJPG"), cv2.VideoWriter.fourcc(*"YUYV")


def problem_of(source: FrameSource) -> SourceProblem:
    """Open a source that must not open; return why."""
    with pytest.raises(SourceError) as caught:
        source.open()
    assert_one_clear_sentence(caught.value)
    return caught.value.problem


def camera(name: str) -> CameraSource:
    source: CameraSource = make_source(name)  # type: ignore[assignment]
    return source


def settings_of(capture: FakeCapture) -> dict[int, float]:
    return dict(capture.settings)


def test_a_camera_that_is_not_there(machine: FakeLinux) -> None:
    assert problem_of(make_source("camera:0")) is SourceProblem.MISSING
    source = make_source("camera:id=usb:1:2:3:1.0@1-1?name=My%20webcam")
    assert source.label == "My webcam"
    with pytest.raises(SourceError) as caught:
        source.open()
    assert caught.value.problem is SourceProblem.MISSING
    assert_one_clear_sentence(caught.value, "My webcam is not connected", "plug it in")
    assert machine.opened == []


def test_a_camera_that_another_program_has(machine: FakeLinux) -> None:
    machine.plug_in(FakeNode(is_busy=True))
    started = time.perf_counter()
    busy = make_source("camera:0")
    assert problem_of(busy) is SourceProblem.BUSY
    with pytest.raises(SourceError, match="another program uses HD Webcam"):
        busy.open()
    assert machine.opened == [], "OpenCV does not say why"
    assert time.perf_counter() - started < 1
    machine.nodes[0].is_busy = False
    source = make_source("camera:0")
    source.open()
    assert source.read() is not None


def test_a_camera_that_is_forbidden(machine: FakeLinux) -> None:
    machine.plug_in(FakeNode(is_denied=True))
    source = make_source("camera:0")
    assert problem_of(source) is SourceProblem.DENIED
    with pytest.raises(SourceError, match="group “video”"):
        source.open()


def test_a_camera_whose_driver_gives_it_away_when_pictures_are_asked_for(machine: FakeLinux) -> None:
    machine.plug_in(FakeNode(captures=[FakeCapture([])]))
    source = make_source("camera:0")
    source.open()
    machine.nodes[0].is_busy = True
    with pytest.raises(SourceError) as caught:
        source.read()
    assert caught.value.problem is SourceProblem.BUSY


def test_the_mode_that_is_really_agreed_on(machine: FakeLinux) -> None:
    class Stubborn(FakeCapture):
        """Has one mode, whatever it is asked for."""

        def get(self, key: int) -> float:
            return {
                cv2.CAP_PROP_FRAME_WIDTH: 640.0,
                cv2.CAP_PROP_FRAME_HEIGHT: 480.0,
                cv2.CAP_PROP_FPS: 15.0,
                cv2.CAP_PROP_FOURCC: float(YUYV),
            }[key]

    machine.plug_in(FakeNode(captures=[Stubborn([picture(480, 640), picture(50, 60)])]))
    source = camera("camera:0")
    assert source.mode is None
    source.open()
    assert source.mode == CameraMode(640, 480, 15, "YUYV")
    source.read()
    assert source.mode == CameraMode(640, 480, 15, "YUYV")
    source.read()
    assert source.mode == CameraMode(60, 50, 15, "YUYV"), "pictures do not lie"


def test_a_system_that_tells_nothing_of_the_mode(machine: FakeLinux) -> None:
    class Silent(FakeCapture):
        def get(self, key: int) -> float:
            return -1.0

    machine.plug_in(FakeNode(captures=[Silent([picture()])]))
    source = camera("camera:0")
    source.open()
    assert source.mode is None
    assert source.read() is not None


@pytest.mark.parametrize(
    ("name", "fourcc", "size", "rate"),
    [
        ("camera:0", MJPG, (1280, 720), 30),
        ("camera:0?size=1280x720&fps=60", MJPG, (1280, 720), 60),
        ("camera:0?size=640x480&fps=30", YUYV, (640, 480), 30),
        ("camera:0?size=640x480&fps=30&format=MJPG", MJPG, (640, 480), 30),
        ("camera:0?size=1920x1200&fps=60", MJPG, (1920, 1080), 30),
    ],
)
def test_a_mode_that_the_camera_has_is_asked_for(
    machine: FakeLinux, name: str, fourcc: int, size: tuple[int, int], rate: int
) -> None:
    capture = FakeCapture([picture()])
    machine.plug_in(FakeNode(modes=WEBCAM_MODES, captures=[capture]))
    make_source(name).open()
    assert [key for key, _ in capture.settings] == [
        cv2.CAP_PROP_FOURCC,
        cv2.CAP_PROP_FRAME_WIDTH,
        cv2.CAP_PROP_FRAME_HEIGHT,
        cv2.CAP_PROP_FPS,
        cv2.CAP_PROP_BUFFERSIZE,
        *([cv2.CAP_PROP_CONVERT_RGB] if fourcc == MJPG else []),  # its JPEGs are decoded here, to know damaged ones
    ]
    wished = {key: value for key, value in settings_of(capture).items() if key != cv2.CAP_PROP_CONVERT_RGB}
    assert wished == {
        cv2.CAP_PROP_FOURCC: fourcc,
        cv2.CAP_PROP_FRAME_WIDTH: size[0],
        cv2.CAP_PROP_FRAME_HEIGHT: size[1],
        cv2.CAP_PROP_FPS: rate,
        cv2.CAP_PROP_BUFFERSIZE: 1,
    }


def test_a_camera_that_is_unplugged_is_lost_at_once_and_the_same_one_comes_back(machine: FakeLinux) -> None:
    machine.plug_in(FakeNode(captures=[FakeCapture([picture()])]), serial="MINE", name="Mine")
    machine.plug_in(serial="OTHER", first=2, port="1-6", name="Other")
    name = list_cameras()[0].source_name()
    source = make_source(name)
    source.open()
    assert source.label == "Mine"
    assert source.read() is not None
    machine.unplug(0)
    with pytest.raises(SourceError) as caught:
        source.read()
    assert caught.value.problem is SourceProblem.LOST
    assert_one_clear_sentence(caught.value, "Mine was unplugged", "plug it in")
    assert problem_of(make_source(name)) is SourceProblem.MISSING, "the other one is not the same"

    machine.plug_in(serial="MINE", first=7, port="1-2", name="Mine")
    back = make_source(name)
    back.open()
    assert back.read() is not None
    assert machine.opened == [0, 7]


def test_a_camera_that_was_unplugged_and_plugged_in_between_two_reads(machine: FakeLinux) -> None:
    """What is open then never sends again, though its node is there."""
    capture = FakeCapture([picture()])
    machine.plug_in(FakeNode(captures=[capture]))
    source = make_source("camera:0")
    source.open()
    (machine.dev / "keep-the-inode").hardlink_to(machine.dev / "video0")
    machine.unplug(0)
    machine.plug_in(FakeNode())
    with pytest.raises(SourceError, match="was unplugged"):
        source.read()
        source.read()
    assert capture.released == 1


def test_a_camera_that_hangs_is_not_waited_for_five_times(machine: FakeLinux, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock:
        now_s = 0.0

        def perf_counter(self) -> float:
            return self.now_s

    clock = Clock()

    class Hanging(FakeCapture):
        reads = 0

        def read(self) -> tuple[bool, None]:
            self.reads += 1
            clock.now_s += 2.1  # the time after which OpenCV gives up
            return False, None

    capture = Hanging([])
    machine.plug_in(FakeNode(captures=[capture]))
    monkeypatch.setattr("fkd_desktop.live.sources.camera.time", clock)
    source = make_source("camera:0")
    source.open()
    with pytest.raises(SourceError, match="stopped sending pictures") as caught:
        source.read()
    assert caught.value.problem is SourceProblem.LOST
    assert capture.reads == 2
