"""The controller with real threads, real weights and sources that misbehave."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from pathlib import Path

import pytest

from fkd_desktop.controller import Controller, NetworkState, SessionState
from fkd_desktop.errors import SourceError, SourceProblem
from tests.fakes import BrokenGpu, FakeCamera
from trainer.core.detector import CASCADE_NAME

pytestmark = pytest.mark.usefixtures("threads_end")


@pytest.fixture
def controller(qapp):
    controller = Controller(device="cpu")
    yield controller
    assert controller.shut_down()


def states_of(controller):
    seen = []
    controller.session_changed.connect(lambda state, message: seen.append((state, message)))
    return seen


def test_demo_goes_live_and_finds_the_face_once_the_network_is_there(controller, qtbot):
    controller.load_network()
    controller.start("demo")
    found = []

    def take():
        if (live := controller.take_frame()) is not None and live.annotated:
            found.append(live.result)
        return any(len(result) == 1 for result in found)

    qtbot.waitUntil(take, timeout=30_000)
    assert controller.session_state is SessionState.LIVE
    assert controller.source_label == "Demo clip"
    assert controller.network_state is NetworkState.READY
    assert controller.predictor.network_name == "compact"


def test_frames_come_before_the_network_is_there(controller, qtbot, register):
    register("fake", lambda _: FakeCamera())
    with qtbot.waitSignal(controller.frame_ready, timeout=5000):
        controller.start("fake:")
    live = controller.take_frame()
    assert not live.annotated
    assert len(live.result) == 0


def test_stop_returns_at_once_and_the_camera_is_released(controller, qtbot, register):
    camera = FakeCamera()
    register("fake", lambda _: camera)
    controller.start("fake:")
    qtbot.waitUntil(lambda: controller.session_state is SessionState.LIVE, timeout=5000)
    start_s = time.perf_counter()
    controller.stop()
    assert time.perf_counter() - start_s < 0.5
    assert controller.session_state is SessionState.STOPPED
    qtbot.waitUntil(lambda: camera.closed == 1, timeout=2000)
    assert controller.take_frame() is None


@pytest.mark.parametrize("end", ["stopped", "replaced", "failed"])
def test_a_session_that_is_over_is_let_go_of(controller, qtbot, register, end):
    cameras = []
    register("fake", lambda _: cameras.append(FakeCamera()) or cameras[-1])
    controller.start("fake:")
    with qtbot.waitSignal(controller.frame_ready, timeout=5000):
        pass
    session = weakref.ref(controller._thread._session)
    if end == "failed":
        cameras[0].fail_with = SourceError("it broke", problem=SourceProblem.UNUSABLE)
        qtbot.waitUntil(lambda: controller.session_state is SessionState.FAILED, timeout=5000)
    if end == "stopped":
        controller.stop()
    else:
        controller.start("fake:")

    cameras.clear()  # the error has the frames that it came through

    def is_gone() -> bool:
        gc.collect()
        return session() is None

    qtbot.waitUntil(is_gone, timeout=5000)


def test_starting_again_waits_until_the_last_session_let_go(controller, qtbot, register):
    cameras = []

    def make(_text):
        assert all(camera.closed for camera in cameras), "two sessions hold the camera at once"
        cameras.append(FakeCamera())
        return cameras[-1]

    register("fake", make)
    for _ in range(5):
        controller.start("fake:")
        qtbot.wait(20)
    qtbot.waitUntil(lambda: controller.session_state is SessionState.LIVE, timeout=5000)
    assert sum(camera.closed == 0 for camera in cameras) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("camera:front", "camera:front"),
        ("no/such/file.mp4", "no/such/file.mp4"),
        (str(Path(__file__)), "test_controller.py"),
    ],
)
def test_a_source_that_cannot_open_is_one_sentence(controller, qtbot, name, words):
    seen = states_of(controller)
    controller.start(name)
    qtbot.waitUntil(lambda: controller.session_state is SessionState.FAILED, timeout=5000)
    message = seen[-1][1]
    assert words in message
    assert "\n" not in message
    assert "Traceback" not in message


def test_a_camera_that_is_not_there_is_waited_for_with_a_sentence(controller, qtbot):
    seen = states_of(controller)
    controller.start("camera:97")
    qtbot.waitUntil(lambda: controller.session_state is SessionState.MISSING, timeout=5000)
    assert "camera 97" in seen[-1][1]
    assert controller.session_state.is_running and controller.session_state.is_waiting
    controller.stop()
    assert controller.session_state is SessionState.STOPPED


def test_a_camera_that_comes_back_is_live_again_and_says_what_it_was_doing(controller, qtbot, register):
    camera = FakeCamera()
    register("fake", lambda _: camera)
    seen = states_of(controller)
    controller.start("fake:")
    qtbot.waitUntil(lambda: controller.session_state is SessionState.LIVE, timeout=5000)
    camera.fail_to_open = [SourceError("gone", problem=SourceProblem.MISSING)]
    camera.fail_with = SourceError("the fake camera was unplugged", problem=SourceProblem.LOST)
    qtbot.waitUntil(lambda: controller.session_state is SessionState.RECONNECTING, timeout=5000)
    camera.fail_with = None
    controller.retry_now()
    qtbot.waitUntil(lambda: controller.session_state is SessionState.LIVE, timeout=5000)
    assert [state for state, _ in seen] == [
        SessionState.OPENING,
        SessionState.LIVE,
        SessionState.LOST,
        SessionState.RECONNECTING,
        SessionState.LIVE,
    ]
    assert seen[2][1] == seen[3][1] == "the fake camera was unplugged"


def test_a_source_that_breaks_fails_and_the_next_one_works(controller, qtbot, register):
    camera = FakeCamera()
    register("fake", lambda _: camera)
    register("good", lambda _: FakeCamera())
    seen = states_of(controller)
    controller.start("fake:")
    qtbot.waitUntil(lambda: controller.session_state is SessionState.LIVE, timeout=5000)
    camera.fail_with = "the fake camera was unplugged"
    qtbot.waitUntil(lambda: controller.session_state is SessionState.FAILED, timeout=5000)
    assert seen[-1] == (SessionState.FAILED, "the fake camera was unplugged")
    controller.start("good:")
    qtbot.waitUntil(lambda: controller.session_state is SessionState.LIVE, timeout=5000)


def test_an_unexpected_error_in_a_source_is_a_message_too(controller, qtbot, register):
    def make(_text):
        raise RuntimeError("driver says boo")

    register("fake", make)
    seen = states_of(controller)
    controller.start("fake:")
    qtbot.waitUntil(lambda: controller.session_state is SessionState.FAILED, timeout=5000)
    assert "driver says boo" in seen[-1][1]


def test_a_stalled_source_is_told_and_comes_back(controller, qtbot, register):
    camera = FakeCamera()
    register("fake", lambda _: camera)
    seen = states_of(controller)
    controller.start("fake:")
    qtbot.waitUntil(lambda: controller.session_state is SessionState.LIVE, timeout=5000)
    camera.hang_in_read = True
    qtbot.waitUntil(lambda: controller.session_state is SessionState.STALLED, timeout=6000)
    assert "Fake camera sends no pictures" in seen[-1][1]
    camera.hang_in_read = False
    camera.release.set()
    qtbot.waitUntil(lambda: controller.session_state is SessionState.LIVE, timeout=5000)


@pytest.mark.parametrize("where", ["hang_in_open", "hang_in_read"])
def test_shutting_down_does_not_wait_for_a_driver_that_hangs(qapp, qtbot, register, where):
    camera = FakeCamera()
    setattr(camera, where, True)
    register("fake", lambda _: camera)
    controller = Controller(device="cpu")
    controller.start("fake:")
    qtbot.waitUntil(camera.blocked.is_set, timeout=5000)
    start_s = time.perf_counter()
    assert controller.shut_down()
    assert time.perf_counter() - start_s < 2.0
    camera.release.set()  # the abandoned reader then closes the source by itself
    qtbot.waitUntil(lambda: camera.closed == 1, timeout=2000)


def test_a_source_that_ends_says_so(controller, qtbot, register):
    register("fake", lambda _: FakeCamera(frames=3))
    controller.start("fake:")
    qtbot.waitUntil(lambda: controller.session_state is SessionState.LIVE, timeout=5000)
    controller.load_network()  # the last frame is annotated before the end is told
    qtbot.waitUntil(lambda: controller.session_state is SessionState.ENDED, timeout=30_000)
    assert controller.take_frame().annotated


def test_a_frame_size_that_changes_in_mid_stream_goes_on(controller, qtbot, register):
    register("fake", lambda _: FakeCamera(sizes=((240, 320),) * 5 + ((97, 131),)))
    controller.load_network()
    qtbot.waitUntil(lambda: controller.network_state is NetworkState.READY, timeout=30_000)
    controller.start("fake:")
    shapes = set()

    def both_seen():
        if (live := controller.take_frame()) is not None:
            shapes.add(live.result.frame_bgr.shape[:2])
        return (97, 131) in shapes

    qtbot.waitUntil(both_seen, timeout=5000)
    assert controller.session_state is SessionState.LIVE


def test_weights_that_do_not_load_leave_the_session_and_the_old_network_alone(controller, qtbot, register, tmp_path):
    register("fake", lambda _: FakeCamera())
    messages = []
    controller.network_changed.connect(lambda state, message: messages.append((state, message)))
    controller.start("fake:")
    controller.load_network()
    qtbot.waitUntil(lambda: controller.network_state is NetworkState.READY, timeout=30_000)
    before = controller.predictor
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\x10\0\0\0\0\0\0\0{no json at all}")
    controller.load_network(broken)
    qtbot.waitUntil(lambda: controller.network_state is NetworkState.FAILED, timeout=30_000)
    assert str(broken) in messages[-1][1]
    assert controller.predictor is before
    assert controller.session_state is SessionState.LIVE


def test_a_device_that_is_not_there_gives_way_to_the_cpu_with_a_notice(qapp, qtbot):
    controller = Controller(device="mps")
    notices = []
    controller.noticed.connect(notices.append)
    controller.load_network()
    qtbot.waitUntil(lambda: controller.network_state is NetworkState.READY, timeout=30_000)
    if controller.predictor.device == "cpu":  # else this machine has one
        qtbot.waitUntil(lambda: bool(notices), timeout=1000)
        assert "'mps' is not available here" in notices[0]
        assert "runs on the CPU instead" in notices[0]
    assert controller.shut_down()


def test_a_device_that_breaks_in_mid_session_gives_way_to_the_cpu(controller, qtbot, register):
    """The real network behind a device that fails as torch tells it."""
    register("fake", lambda _: FakeCamera())
    controller.load_network()
    qtbot.waitUntil(lambda: controller.network_state is NetworkState.READY, timeout=30_000)
    controller._predictor = broken = BrokenGpu(controller.predictor, device="cuda")
    controller.device = "cuda"
    notices = []
    controller.noticed.connect(notices.append)
    controller.start("fake:")
    qtbot.waitUntil(lambda: bool(notices), timeout=10_000)
    assert notices[0] == "CUDA failed (CUDA error: device lost). The network runs on the CPU from now on."
    qtbot.waitUntil(lambda: controller.predictor is not broken, timeout=30_000)
    assert controller.device == "cpu"
    assert controller.session_state is SessionState.LIVE

    def annotated():
        live = controller.take_frame()
        return live is not None and live.annotated

    qtbot.waitUntil(annotated, timeout=10_000)
    assert len(notices) == 1


def test_another_device_is_a_new_load_of_the_same_weights(controller, qtbot):
    controller.load_network()
    qtbot.waitUntil(lambda: controller.network_state is NetworkState.READY, timeout=30_000)
    before = controller.predictor
    controller.set_device("auto")
    qtbot.waitUntil(lambda: controller.network_state is NetworkState.READY, timeout=30_000)
    assert controller.device == "auto" and controller.weights is None
    assert controller.predictor is not before
    before = controller.predictor
    controller.set_device("auto")
    assert controller.network_state is NetworkState.READY, "nothing to do"


def test_everything_is_told_in_the_gui_thread(controller, qtbot, register):
    register("fake", lambda _: FakeCamera())
    heard_in = {}
    for name in ("session_changed", "network_changed", "frame_ready"):
        signal = getattr(controller, name)
        signal.connect(lambda *_, name=name: heard_in.setdefault(name, set()).add(threading.current_thread()))
    controller.load_network()
    controller.start("fake:")
    qtbot.waitUntil(lambda: controller.network_state is NetworkState.READY, timeout=30_000)
    qtbot.waitUntil(lambda: controller.session_state is SessionState.LIVE, timeout=5000)
    qtbot.waitUntil(lambda: len(heard_in) == 3, timeout=5000)
    assert all(threads == {threading.main_thread()} for threads in heard_in.values())


@pytest.mark.parametrize("content", [None, b"", b"<opencv_storage></opencv_storage>"])
def test_a_face_detector_that_does_not_load_is_one_sentence(
    controller, qtbot, register, monkeypatch, tmp_path, content
):
    if content is not None:
        (tmp_path / CASCADE_NAME).write_bytes(content)
    monkeypatch.setattr("cv2.data.haarcascades", str(tmp_path))
    register("fake", lambda _: FakeCamera())
    seen = states_of(controller)
    controller.load_network()
    controller.start("fake:")
    qtbot.waitUntil(lambda: controller.session_state is SessionState.FAILED, timeout=30_000)
    assert str(tmp_path / CASCADE_NAME) in seen[-1][1]
    monkeypatch.undo()  # mended: the next session works
    register("fake", lambda _: FakeCamera())
    controller.start("fake:")
    qtbot.waitUntil(lambda: controller.session_state is SessionState.LIVE, timeout=5000)
