"""Which cameras there are, what they are called and offer, and that the same one is found again."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from fkd_desktop.errors import SourceError, SourceProblem
from fkd_desktop.live.sources import cameras, make_source, v4l2
from fkd_desktop.live.sources.cameras import CameraInfo, CameraName, find_camera, list_cameras
from fkd_desktop.live.sources.modes import USUAL_MODES, CameraMode
from tests.live.fake_linux import OF_A_GRAPH, WEBCAM_MODES, FakeLinux, FakeNode
from tests.live.helpers import assert_one_clear_sentence


def test_no_cameras(machine: FakeLinux) -> None:
    assert list_cameras() == ()


def test_a_webcam_is_one_camera_with_its_name_and_modes(machine: FakeLinux) -> None:
    machine.plug_in()
    (webcam,) = list_cameras()
    assert webcam.name == "HD Webcam"
    assert webcam.index == 0
    assert webcam.id == "usb:046d:082d:A1B2:1.0@1-5"
    assert webcam.tells_modes
    assert webcam.modes == (
        CameraMode(1920, 1080, 30, "MJPG"),
        CameraMode(1920, 1080, 5, "YUYV"),
        CameraMode(1280, 720, 60, "MJPG"),
        CameraMode(1280, 720, 30, "MJPG"),
        CameraMode(1280, 720, 10, "YUYV"),
        CameraMode(1280, 720, 5, "YUYV"),
        CameraMode(640, 480, 30, "YUYV"),
        CameraMode(640, 480, 15, "YUYV"),
    )


def test_cameras_come_in_the_order_of_their_numbers(machine: FakeLinux) -> None:
    machine.plug_in(first=10, port="1-2", name="Ten", serial="10")
    machine.plug_in(first=2, port="1-3", name="Two", serial="2")
    assert [(camera.name, camera.index) for camera in list_cameras()] == [("Two", 2), ("Ten", 10)]


def test_two_of_a_kind_have_different_names_and_ids(machine: FakeLinux) -> None:
    machine.plug_in(serial="", port="1-1")
    machine.plug_in(serial="", port="1-2", first=2)
    one, other = list_cameras()
    assert (one.name, other.name) == ("HD Webcam (1)", "HD Webcam (2)")
    assert one.id != other.id


def test_what_opencv_cannot_open_is_no_camera(machine: FakeLinux) -> None:
    """Laptops with Intel's image processor have dozens of nodes that only a media controller's graph feeds."""
    machine.plug_in(FakeNode(device_caps=OF_A_GRAPH), name="Intel IPU6 ISYS Capture 0")
    assert list_cameras() == ()


def test_a_second_node_of_the_same_device_is_not_another_camera(machine: FakeLinux) -> None:
    machine.plug_in(FakeNode(modes=WEBCAM_MODES), FakeNode(modes={"H264": {(1920, 1080): [(1, 30)]}}))
    assert [camera.index for camera in list_cameras()] == [0]


def test_a_virtual_camera_is_found_by_its_name(machine: FakeLinux) -> None:
    machine.add_virtual(10, FakeNode(modes=WEBCAM_MODES), "OBS Virtual Camera")
    (before,) = list_cameras()
    machine.unplug(10)
    machine.add_virtual(11, FakeNode(modes=WEBCAM_MODES), "OBS Virtual Camera")
    assert find_camera(before.id, list_cameras()) == list_cameras()[0]


def test_a_camera_that_may_not_be_opened_is_listed_all_the_same(machine: FakeLinux) -> None:
    machine.plug_in(FakeNode(is_denied=True), FakeNode(is_denied=True))
    (webcam,) = list_cameras()
    assert (webcam.name, webcam.index, webcam.modes, webcam.tells_modes) == ("HD Webcam", 0, USUAL_MODES, False)


def test_a_driver_that_takes_every_size_is_offered_the_usual_ones(machine: FakeLinux) -> None:
    machine.plug_in(FakeNode(range=(2, 1300, 2, 1000)))
    assert list_cameras()[0].modes == (
        CameraMode(1280, 720, 30, "YUYV"),
        CameraMode(1280, 720, 15, "YUYV"),
        CameraMode(640, 480, 30, "YUYV"),
        CameraMode(640, 480, 15, "YUYV"),
    )


@pytest.mark.parametrize("serial", ["A1B2", ""])
def test_the_same_camera_is_found_under_another_number(machine: FakeLinux, serial: str) -> None:
    machine.plug_in(serial=serial)
    before = list_cameras()[0]
    machine.unplug(0, 1)
    machine.plug_in(serial=serial, first=4)
    found = find_camera(before.id, list_cameras())
    assert found is not None and found.index == 4


@pytest.mark.parametrize("serial", ["A1B2", ""])
def test_the_same_camera_is_found_in_another_port(machine: FakeLinux, serial: str) -> None:
    machine.plug_in(serial=serial, port="1-1")
    before = list_cameras()[0]
    machine.unplug(0, 1)
    machine.plug_in(serial=serial, port="1-2.4", first=2)
    found = find_camera(before.id, list_cameras())
    assert found is not None and found.index == 2


def test_two_of_a_kind_are_never_mistaken_for_each_other(machine: FakeLinux) -> None:
    machine.plug_in(serial="", port="1-1")
    machine.plug_in(serial="", port="1-2", first=2)
    gone = list_cameras()[0]
    assert find_camera(gone.id, list_cameras()) == gone
    machine.unplug(0, 1)
    assert find_camera(gone.id, list_cameras()) is None, "the one that is left was there beside it"


def test_one_of_two_that_may_both_be_meant_is_not_guessed(machine: FakeLinux) -> None:
    machine.plug_in(serial="", port="1-1")
    machine.plug_in(serial="", port="1-2", first=2)
    assert find_camera("usb:046d:082d::1.0@1-3", list_cameras()) is None


def test_a_camera_with_the_same_serial_number_as_another_is_told_by_its_port(machine: FakeLinux) -> None:
    """Cheap ones all have "200901010001"."""
    machine.plug_in(port="1-1")
    machine.plug_in(port="1-2", first=2)
    for camera in list_cameras():
        assert find_camera(camera.id, list_cameras()) == camera


IDS = [
    "usb:046d:082d:A1 B2?&%=ü/#:1.0@1-5.2",
    r"\\?\usb#vid_046d&pid_0825&mi_00#7&2d8ae1b2&0&0000#{e5323777-f976-4f5b-9b55-b94699c46e44}\global",
    "0x8020000005ac8514",
    "virtual:OBS (Cam) 100%@video10",
]


@pytest.mark.parametrize("camera_id", IDS)
@pytest.mark.parametrize("mode", [None, CameraMode(1280, 720, 30), CameraMode(640, 480, 29.97, "YUYV")])
@pytest.mark.parametrize("label", ["", "C920 & Söhne=100%?"])
def test_every_name_of_a_camera_can_be_read_back(camera_id: str, mode: CameraMode | None, label: str) -> None:
    name = CameraName(id=camera_id, mode=mode, label=label)
    assert name.text.startswith("camera:id=")
    assert CameraName.parse(name.text.removeprefix("camera:")) == name


def test_names_that_people_write() -> None:
    assert CameraName.parse("2") == CameraName(index=2)
    assert CameraName.parse("0?size=640x480") == CameraName(index=0, mode=CameraMode(640, 480, 30))
    assert CameraName.parse("0?fps=60") == CameraName(index=0, mode=CameraMode(1280, 720, 60))
    assert CameraName(index=1, mode=CameraMode(800, 600, 30)).text == "camera:1?size=800x600&fps=30"


@pytest.mark.parametrize(
    "text",
    ["0?size=0x480", "0?size=640", "0?size=-1x5", "0?fps=0", "0?fps=x", "0?fps=nan", "0?fps=1e9", "0?colour=red"],
)
def test_modes_that_make_no_sense(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        make_source(f"camera:{text}")
    assert_one_clear_sentence(caught.value, f"camera:{text}", "size=1280x720")


@pytest.mark.parametrize("digits", [30, 400, 5000])
def test_a_number_that_no_camera_has(digits: int) -> None:
    with pytest.raises(SourceError, match="not a camera"):
        make_source("camera:" + "9" * digits)


def test_a_camera_without_an_id_is_named_by_its_number() -> None:
    assert CameraInfo("", "Camera", 3).source_name() == "camera:3"
    assert CameraInfo("x", "My camera", 3).source_name() == "camera:id=x?name=My%20camera"


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_other_systems_are_asked_by_the_library(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    library = ModuleType("cv2_enumerate_cameras")
    asked: list[int] = []

    def enumerate_cameras(backend: int) -> list[SimpleNamespace]:
        asked.append(backend)
        return [
            SimpleNamespace(index=0, name="FaceTime HD Camera", path="0x14200000", vid=None, pid=None),
            SimpleNamespace(index=1, name=None, path=None, vid=None, pid=None),
        ]

    library.enumerate_cameras = enumerate_cameras  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cv2_enumerate_cameras", library)
    monkeypatch.setattr(cameras, "sys", SimpleNamespace(platform=platform))
    assert list_cameras() == (CameraInfo("0x14200000", "FaceTime HD Camera", 0), CameraInfo("index:1", "Camera 1", 1))
    assert asked == [cameras.BACKENDS[platform]]


def test_without_the_library_the_first_camera_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2_enumerate_cameras", None)
    monkeypatch.setattr(cameras, "sys", SimpleNamespace(platform="win32"))
    (camera,) = list_cameras()
    assert camera.source_name() == "camera:0"


@pytest.mark.parametrize(
    ("node", "problem"),
    [
        (FakeNode(), None),
        (FakeNode(is_busy=True), SourceProblem.BUSY),
        (FakeNode(is_denied=True), SourceProblem.DENIED),
        (None, SourceProblem.MISSING),
    ],
)
def test_why_a_camera_cannot_be_used(machine: FakeLinux, node: FakeNode | None, problem: SourceProblem | None) -> None:
    if node is not None:
        machine.plug_in(node)
    assert v4l2.find_problem(machine.dev / "video0") is problem


def test_a_file_that_is_no_camera_offers_nothing(tmp_path: Path) -> None:
    """The real ioctl, on a file that knows none of it."""
    pytest.importorskip("fcntl", reason="this system has no ioctls")
    path = tmp_path / "video0"
    path.write_bytes(b"")
    assert not v4l2.gives_pictures(path)
    assert v4l2.read_modes(path) == ()


REAL_NODES = sorted(Path("/sys/class/video4linux").glob("video*"))


@pytest.mark.skipif(not REAL_NODES, reason="this machine has no V4L2 device (no camera, no vivid, no v4l2loopback)")
def test_real_cameras_are_listed_and_send() -> None:
    found = list_cameras()
    if not found:
        pytest.skip("none of this machine's V4L2 devices is a camera")
    for camera in found:
        assert camera.name and camera.id and find_camera(camera.id, found) == camera
        source = make_source(camera.source_name())
        try:
            source.open()
            frame = source.read()
            assert frame is not None and frame.image_bgr.ndim == 3
        except SourceError as error:  # taken or forbidden: then that must be what is said
            assert error.problem in {SourceProblem.BUSY, SourceProblem.DENIED}
        finally:
            source.close()
