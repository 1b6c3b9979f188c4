"""The real main(), driven as a user would, offscreen."""

from __future__ import annotations

import platform
import signal
import subprocess
import sys

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTimer
from PySide6.QtWidgets import QApplication

from fkd_desktop import app
from fkd_desktop.ui.main_window import MainWindow

pytestmark = pytest.mark.usefixtures("threads_end")


def run_main(qtbot, arguments, use):
    """Run main() and let `use(window)` loose on the window; what it raises is the test's."""
    failure = []

    def drive():
        window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible())
        try:
            use(window)
        except BaseException as error:
            failure.append(error)
        finally:
            window.close()  # the last window: main() ends

    QTimer.singleShot(0, lambda: QTimer.singleShot(50, drive))
    code = app.main(arguments)
    QCoreApplication.removePostedEvents(QApplication.instance(), QEvent.Type.Quit)  # the next test has this one's qapp
    if failure:
        raise failure[0]
    return code


def test_a_user_sees_keypoints_then_sunglasses_on_the_demo_clip(qapp, qtbot):
    def use(window):
        qtbot.waitUntil(
            lambda: window.view.live_frame is not None and len(window.view.live_frame.result), timeout=30_000
        )
        assert [n for n, a in window.overlays.actions.actions.items() if a.isChecked()] == ["keypoints"]
        qtbot.keyClick(window, Qt.Key.Key_4)
        qtbot.keyClick(window, Qt.Key.Key_1)
        with qtbot.waitSignal(window.view.frame_painted, timeout=5000):
            pass
        assert [n for n, a in window.overlays.actions.actions.items() if a.isChecked()] == ["sunglasses"]
        first = window.view.live_frame.result.timestamp_s
        qtbot.waitUntil(lambda: window.view.live_frame.result.timestamp_s > first + 1, timeout=10_000)

    assert run_main(qtbot, ["--source", "demo", "--overlay", "keypoints", "--device", "cpu"], use) == 0


def test_without_a_camera_the_window_says_so_and_the_demo_is_one_click_away(qapp, qtbot):
    def use(window):
        qtbot.waitUntil(lambda: window.empty_state.title == "Camera 96 is not there", timeout=10_000)
        qtbot.mouseClick(window.empty_state.buttons()[0], Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: window.view.live_frame is not None, timeout=10_000)

    assert run_main(qtbot, ["--source", "camera:96"], use) == 0


def test_threads_hand_the_interpreter_over_quickly(monkeypatch):
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.005)
    try:
        app.prepare_process()
        assert sys.getswitchinterval() == pytest.approx(0.0005)
    finally:
        sys.setswitchinterval(before)


ARENAS = """
import ctypes, threading
from fkd_desktop import app
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fdopen.restype = ctypes.c_void_p
libc.fdopen.argtypes = [ctypes.c_int, ctypes.c_char_p]
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
app.prepare_process()
together = threading.Barrier(9)
def work():
    libc.malloc(1000)
    together.wait()
for _ in range(8):
    threading.Thread(target=work).start()
together.wait()
libc.malloc_info(0, libc.fdopen(1, b"w"))
libc.fflush(None)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives each thread a heap of its own")
def test_threads_share_their_heaps(monkeypatch):
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    done = subprocess.run([sys.executable, "-c", ARENAS], check=True, capture_output=True, text=True, timeout=60)
    assert 1 <= done.stdout.count("<heap nr=") <= 2


def test_overlays_given_on_the_command_line_are_painted(qapp, qtbot):
    def use(window):
        assert {n for n, a in window.overlays.actions.actions.items() if a.isChecked()} == {"boxes", "sunglasses"}

    assert run_main(qtbot, ["--source", "demo", "--overlay", "boxes", "--overlay", "sunglasses"], use) == 0


def test_a_still_picture_is_annotated_and_stays(qapp, qtbot, tmp_path, short_clip):
    import cv2

    picture = tmp_path / "picture with a wrong suffix.mp3"
    frame = cv2.VideoCapture(str(short_clip)).read()[1]
    picture.write_bytes(cv2.imencode(".png", frame)[1].tobytes())

    def use(window):
        qtbot.waitUntil(lambda: window.session_bar.texts()["faces"] == "1 face", timeout=30_000)
        assert window.view.live_frame.annotated
        assert window.pane.shows_picture
        assert window.view._note == ""

    assert run_main(qtbot, ["--source", str(picture)], use) == 0


@pytest.mark.parametrize("arguments", [["--overlay", "nonsense"], ["--device", "tpu"], ["--nonsense"]])
def test_a_bad_command_line_exits_with_2_and_says_why(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        app.main(arguments)
    assert stopped.value.code == 2
    assert arguments[-1] in capsys.readouterr().err


def test_a_driver_that_never_returns_does_not_keep_the_process():
    """A process of its own: its source asks it to end and then hangs in the driver for good."""
    code = """
import os, signal, sys, threading
from fkd_desktop import app
from fkd_desktop.live.sources import FrameSource, register_source
class Hanging(FrameSource):
    label, is_live = "Hanging camera", True
    def open(self): pass
    def close(self): pass
    def read(self):
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait()
register_source("hanging", lambda _text: Hanging())
sys.argv[1:] = ["--source", "hanging:"]
app.run()
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    assert "Traceback" not in done.stderr
