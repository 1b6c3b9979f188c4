"""What other programs see, with a stand-in for pyvirtualcam of the real one's API."""

from __future__ import annotations

import gc
import sys
import threading
import weakref

import pytest

from fkd_desktop.capture.look import Look, paint
from fkd_desktop.capture.virtual_camera import VirtualCamera, VirtualCameraState
from fkd_desktop.live.sinks import SinkSet
from fkd_desktop.workers import virtual_camera as module
from fkd_desktop.workers.virtual_camera import VirtualCameraNeed, VirtualCameraThread, virtual_camera_needs
from tests.capture import fake_pyvirtualcam
from tests.capture.live_frames import RedLayer, live_frame


@pytest.fixture
def package(monkeypatch):
    return fake_pyvirtualcam.install(monkeypatch)


@pytest.fixture
def start(qapp, qtbot):
    threads = []

    def make(look=Look, **options):
        thread = VirtualCameraThread(look=look, paint=paint, **{"frames_per_s": 100, **options})
        threads.append(thread)
        thread.told = []
        thread.opened.connect(thread.told.append)
        thread.failed.connect(thread.told.append)
        thread.start()
        return thread

    yield make
    for thread in threads:
        thread.stop()
        assert thread.wait(5000)


def last_after(qtbot, camera, count):
    """Return the newest picture, once so many more were sent."""
    until = len(camera.frames) + count
    qtbot.waitUntil(lambda: len(camera.frames) >= until, timeout=5000)
    return camera.frames[-1]


def test_frames_go_out_in_one_size_with_bars(package, start, qtbot):
    thread = start(size_px=(640, 360))
    qtbot.waitUntil(lambda: thread.told == ["/dev/video7"], timeout=5000)
    (camera,) = package.cameras
    assert (camera.width, camera.height, camera.fps, camera.fmt.name) == (640, 360, 100, "BGR")
    thread.offer(live_frame(200, width=320, height=240))
    qtbot.waitUntil(lambda: bool(camera.frames) and camera.frames[-1][180, 320, 0] == 200, timeout=5000)
    assert camera.frames[-1][180, 20, 0] == 0, "bars at the sides"
    thread.offer(live_frame(100, width=1280, height=720))
    qtbot.waitUntil(lambda: camera.frames[-1][180, 20, 0] == 100, timeout=5000)
    thread.stop()
    assert thread.wait(5000)
    assert not camera.is_open
    assert threading.main_thread() not in camera.threads


def test_the_last_picture_is_repeated_at_the_rate_and_overlays_change_on_it(package, start, qtbot):
    layers = [()]
    thread = start(lambda: Look(layers[0]), size_px=(320, 240), frames_per_s=50)
    thread.offer(live_frame(90, faces=1))
    qtbot.waitUntil(lambda: bool(package.cameras), timeout=5000)
    (camera,) = package.cameras
    assert tuple(last_after(qtbot, camera, 5)[120, 20]) == (90, 90, 90)
    layers[0] = (RedLayer(),)
    assert tuple(last_after(qtbot, camera, 3)[120, 20]) == (0, 0, 255)


def test_it_does_not_send_faster_than_its_rate(package, start, qtbot):
    import time

    thread = start(size_px=(320, 240), frames_per_s=25)
    qtbot.waitUntil(lambda: thread.sent >= 1, timeout=5000)
    begin_s, before = time.perf_counter(), thread.sent
    for _ in range(100):
        thread.offer(live_frame())
    qtbot.waitUntil(lambda: thread.sent >= before + 10, timeout=5000)
    assert time.perf_counter() - begin_s > 9 / 25 - 0.05


def test_after_the_session_was_stopped_nobody_sees_its_last_picture(package, start, qtbot):
    thread = start(size_px=(320, 240))
    thread.offer(live_frame(200))
    qtbot.waitUntil(lambda: bool(package.cameras and package.cameras[0].frames), timeout=5000)
    (camera,) = package.cameras
    assert last_after(qtbot, camera, 3).mean() == 200
    thread.clear()
    assert last_after(qtbot, camera, 3).max() < 40
    thread.offer(live_frame(150))
    assert last_after(qtbot, camera, 3).mean() == 150


def failure_of(start, qtbot):
    thread = start()
    assert thread.wait(5000)
    qtbot.waitUntil(lambda: bool(thread.told), timeout=5000)
    return thread.told[-1]


def test_without_the_package_it_is_a_sentence(monkeypatch, start, qtbot, is_one_sentence):
    fake_pyvirtualcam.uninstall(monkeypatch)
    message = failure_of(start, qtbot)
    assert is_one_sentence(message) and "install it" in message and "pyvirtualcam" in message


def test_without_a_device_it_is_a_sentence(package, start, qtbot, is_one_sentence):
    package.refuse_with = (
        "'v4l2loopback' backend: No v4l2 loopback device found at /dev/video[0-99]. Did you run 'modprobe "
        "v4l2loopback'? See also pyvirtualcam's documentation."
    )
    message = failure_of(start, qtbot)
    assert message == (
        "the virtual camera does not work (No v4l2 loopback device found at /dev/video[0-99]); see in its dialog what "
        "it needs"
    )
    assert is_one_sentence(message)


def test_a_device_that_goes_is_a_sentence_and_closed(package, start, qtbot):
    package.fail_after = 3
    assert "the device has gone" in failure_of(start, qtbot)
    assert not package.cameras[0].is_open


def test_a_device_that_cannot_even_be_closed_any_more_is_told_once(package, start, qtbot):
    package.fail_after = 3
    package.fails_to_close = True
    assert "the device has gone" in failure_of(start, qtbot)


# --- what is missing


def test_without_the_package_that_is_what_is_missing(monkeypatch):
    fake_pyvirtualcam.uninstall(monkeypatch)
    assert VirtualCameraNeed.PACKAGE in virtual_camera_needs()


def test_on_linux_a_loopback_device_is_looked_for(monkeypatch, package, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(module, "_LINUX_DEVICES", tmp_path / "devices")
    monkeypatch.setattr(module, "_LINUX_NODES", tmp_path)
    assert virtual_camera_needs() == {VirtualCameraNeed.DRIVER}
    (tmp_path / "devices" / "video7").mkdir(parents=True)
    assert virtual_camera_needs() == {VirtualCameraNeed.PERMISSION}  # its node is not there, let alone writable
    (tmp_path / "video7").touch()
    assert virtual_camera_needs() == frozenset()


def test_on_macos_obs_is_looked_for(monkeypatch, package, tmp_path):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(module, "_MACOS_FOLDERS", (tmp_path,))
    assert virtual_camera_needs() == {VirtualCameraNeed.DRIVER}
    (tmp_path / "OBS.app").mkdir()
    assert virtual_camera_needs() == frozenset()


@pytest.mark.parametrize(("is_there", "need"), [(True, set()), (False, {VirtualCameraNeed.DRIVER})])
def test_on_windows_obs_is_looked_for(monkeypatch, package, is_there, need):
    class Winreg:
        HKEY_LOCAL_MACHINE = 1

        @staticmethod
        def OpenKey(root, name):  # noqa: N802
            if not is_there:
                raise FileNotFoundError(name)
            return name

        @staticmethod
        def CloseKey(key):  # noqa: N802
            pass

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "winreg", Winreg)
    assert virtual_camera_needs() == need


# --- switched on and off


@pytest.fixture
def camera(qapp):
    shown = live_frame(120)
    camera = VirtualCamera(sinks=SinkSet(), newest=lambda: shown, layers=lambda: ())
    camera.size_px = (320, 240)
    yield camera
    assert camera.shut_down()
    qapp.processEvents()


def test_it_is_off_until_it_is_started_and_can_be_switched_quickly(camera, package, qtbot):
    assert camera.state is VirtualCameraState.OFF and not camera.is_on
    states = []
    camera.changed.connect(lambda state, _: states.append(state))
    camera.start()
    qtbot.waitUntil(lambda: camera.state is VirtualCameraState.ON, timeout=5000)
    assert camera.message == "/dev/video7"
    camera.stop()
    camera.start()  # the device is opened again only after the first thread has let go of it
    qtbot.waitUntil(lambda: camera.state is VirtualCameraState.ON, timeout=5000)
    assert [c.is_open for c in package.cameras] == [False, True]
    qtbot.waitUntil(lambda: bool(package.cameras[1].frames), timeout=5000)
    assert package.cameras[1].frames[-1].mean() == 120, "what was on the screen when it began"
    camera.stop()
    assert states[-1] is VirtualCameraState.OFF and not camera.is_on


def test_what_is_over_is_let_go_of(camera, package, qtbot):
    camera.start()
    feed = weakref.ref(camera._thread)
    qtbot.waitUntil(lambda: camera.state is VirtualCameraState.ON, timeout=5000)
    camera.stop()

    def is_gone() -> bool:
        gc.collect()
        return feed() is None

    qtbot.waitUntil(is_gone, timeout=5000)


def test_a_failure_switches_it_off_and_it_can_be_tried_again(camera, package, qtbot):
    package.refuse_with = "no device"
    with qtbot.waitSignal(camera.failed, timeout=5000) as failed:
        camera.start()
    assert camera.state is VirtualCameraState.FAILED and camera.message == failed.args[0] and not camera.is_on
    package.refuse_with = ""
    camera.start()
    qtbot.waitUntil(lambda: camera.state is VirtualCameraState.ON, timeout=5000)


def test_shutting_down_closes_it(camera, package, qtbot):
    camera.start()
    qtbot.waitUntil(lambda: camera.state is VirtualCameraState.ON, timeout=5000)
    assert camera.shut_down()
    assert not package.cameras[0].is_open
