"""The real window, offscreen, on real and misbehaving sources."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage
from PySide6.QtWidgets import QLabel

from fkd_desktop.controller import Controller, NetworkState, SessionState
from fkd_desktop.errors import SourceError, SourceProblem
from fkd_desktop.live import darkness
from fkd_desktop.live.sources.cameras import CameraInfo
from fkd_desktop.settings import Settings
from fkd_desktop.ui.about import AboutDialog
from fkd_desktop.ui.main_window import MainWindow
from fkd_desktop.ui.shortcuts_dialog import ShortcutsDialog
from tests.fakes import FakeCamera

pytestmark = pytest.mark.usefixtures("threads_end")


@pytest.fixture
def window(qtbot, tmp_path):
    controller = Controller(device="cpu")
    window = MainWindow(controller, Settings(tmp_path / "settings.ini"))
    window.controller = controller
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    yield window
    window.close()


@pytest.fixture
def live_window(window, qtbot):
    window.controller.load_network()
    window.start_demo()
    qtbot.waitUntil(
        lambda: window.view.live_frame is not None and len(window.view.live_frame.result) == 1, timeout=30_000
    )
    return window


def grab(widget) -> np.ndarray:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return pixels[:, : 4 * image.width()].reshape(image.height(), image.width(), 4)[:, :, :3].astype(int)


def press(qtbot, window, key, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(window.focusWidget() or window, key, modifier)


def test_the_demo_is_shown_with_keypoints_on_the_face(live_window, qtbot):
    view = live_window.view
    live = view.live_frame
    live_window.controller.stop()
    live_window.pane.show_live(live)  # a still picture to compare
    view.set_layers([])
    plain = grab(view)
    view.set_layers([live_window.overlays.library.layer("keypoints")])
    painted = grab(view)
    changed = np.abs(painted - plain).max(axis=2) > 40
    target, scale = view.picture_rect(), view.picture_rect().width() / live.result.frame_bgr.shape[1]
    for x, y in live.result.keypoints_px[0]:
        column, row = round(target.left() + (x + 0.5) * scale), round(target.top() + (y + 0.5) * scale)
        assert changed[row - 2 : row + 3, column - 2 : column + 3].any(), (x, y)
    face = live.result.boxes_xywh[0] * scale
    far = np.ones_like(changed)
    left, top = int(target.left() + face[0]), int(target.top() + face[1])
    far[top - 20 : top + int(1.4 * face[3]), left - 40 : left + int(face[2]) + 40] = False
    assert not changed[far].any()


def test_number_keys_switch_layers_and_zero_clears(window, qtbot):
    actions = window.overlays.actions.actions
    assert [name for name, action in actions.items() if action.isChecked()] == ["keypoints"]
    for key, name in ((Qt.Key.Key_2, "numbers"), (Qt.Key.Key_3, "boxes"), (Qt.Key.Key_4, "sunglasses")):
        press(qtbot, window, key)
        assert actions[name].isChecked()
    press(qtbot, window, Qt.Key.Key_1)
    assert not actions["keypoints"].isChecked()
    press(qtbot, window, Qt.Key.Key_0)
    assert not any(action.isChecked() for action in actions.values())
    assert window._settings.overlays == "[]"


def test_mirror_shows_the_picture_the_other_way_round(live_window, qtbot):
    view = live_window.view
    live = view.live_frame
    live_window.controller.stop()
    live_window.pane.show_live(live)  # a still picture to compare
    view.set_layers([])
    plain = grab(view)
    press(qtbot, live_window, Qt.Key.Key_M)
    mirrored = grab(view)
    target = view.picture_rect().toRect()
    area = (slice(target.top(), target.bottom() + 1), slice(target.left(), target.right() + 1))
    assert np.abs(plain[area][:, ::-1] - mirrored[area]).mean() < 2
    assert np.abs(plain[area] - mirrored[area]).mean() > 5


def test_fullscreen_leaves_only_the_picture_and_escape_comes_back(window, qtbot):
    press(qtbot, window, Qt.Key.Key_F11)
    assert window.isFullScreen()
    assert not window._toolbar.isVisible()
    assert not window.menuBar().isVisible()
    press(qtbot, window, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.isFullScreen())
    assert window._toolbar.isVisible()
    press(qtbot, window, Qt.Key.Key_Escape)
    assert not window.isFullScreen()


def test_no_camera_fills_the_pane_with_why_and_ways_out(window, qtbot):
    window.controller.start("camera:97")
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.MISSING, timeout=5000)
    assert not window.pane.shows_picture
    assert window.empty_state.title == "Camera 97 is not there"
    assert "camera 97" in window.empty_state.text.lower()
    assert "by itself" in window.empty_state.text
    assert [button.text() for button in window.empty_state.buttons()] == [
        "Try the demo clip",
        "Open video or image…",
        "Retry",
    ]


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or Path("/dev/video0").exists(), reason="there is a camera here"
)
def test_without_any_camera_whichever_is_plugged_in_is_the_one(window, qtbot):
    window.opener.watcher.stop()
    window.controller.start("camera:0")
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.MISSING, timeout=5000)
    assert window.empty_state.title == "No camera found"
    assert window.empty_state.text == "Plug one in, and its picture comes by itself."
    window.opener._on_watcher_cameras_changed((CameraInfo("usb-1", "Front camera", 2, (), False),))
    assert window.controller.source_name.startswith("camera:id=usb-1")
    assert window.empty_state.title == "Opening Front camera…"


def test_the_demo_button_of_the_empty_state_goes_live(window, qtbot):
    window.controller.start("camera:97")
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.MISSING, timeout=5000)
    qtbot.mouseClick(window.empty_state.buttons()[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.view.live_frame is not None, timeout=10_000)
    assert window.pane.shows_picture


@pytest.mark.parametrize(
    ("problem", "title", "first_way_out"),
    [
        (SourceProblem.MISSING, "Fake camera is not there", "Try the demo clip"),
        (SourceProblem.BUSY, "Fake camera is in use elsewhere", "Retry"),
        (SourceProblem.DENIED, "No permission to use Fake camera", "Retry"),
    ],
)
def test_every_trouble_has_its_words_and_ends_by_itself(window, qtbot, register, problem, title, first_way_out):
    camera = FakeCamera()
    camera.fail_to_open = [SourceError("somebody has it", problem=problem)] * 2
    register("fake", lambda _: camera)
    window.controller.start("fake:")
    qtbot.waitUntil(lambda: window.controller.session_state.is_waiting, timeout=5000)
    assert window.empty_state.title == title
    assert window.empty_state.text.startswith("Somebody has it.")
    assert window.empty_state.buttons()[0].text() == first_way_out
    assert window.commands.start.text() == "&Stop"
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.LIVE, timeout=10_000)
    qtbot.waitUntil(lambda: window.pane.shows_picture, timeout=5000)


def test_a_camera_that_is_unplugged_is_waited_for_in_words_and_can_be_let_go(window, qtbot, register):
    camera = FakeCamera()
    register("fake", lambda _: camera)
    window.controller.start("fake:")
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.LIVE, timeout=5000)
    camera.fail_to_open = [SourceError("still gone", problem=SourceProblem.MISSING)] * 100
    camera.fail_with = SourceError("the cable is out", problem=SourceProblem.LOST)
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.RECONNECTING, timeout=5000)
    assert window.empty_state.title == "Waiting for Fake camera"
    assert window.empty_state.text == "The cable is out. Once it is back, the picture goes on by itself."
    qtbot.mouseClick(window.empty_state.buttons()[-1], Qt.MouseButton.LeftButton)
    assert window.controller.session_state is SessionState.STOPPED


def test_opening_can_be_cancelled(window, qtbot, register):
    camera = FakeCamera()
    camera.hang_in_open = True
    register("fake", lambda _: camera)
    window.controller.start("fake:")
    qtbot.waitUntil(camera.blocked.is_set, timeout=5000)
    assert window.empty_state.title == "Opening fake:…"
    qtbot.mouseClick(window.empty_state.buttons()[0], Qt.MouseButton.LeftButton)
    assert window.controller.session_state is SessionState.STOPPED
    camera.release.set()


def test_retry_opens_the_same_source_again(window, qtbot, register):
    attempts = []

    def make(_text):
        attempts.append(1)
        camera = FakeCamera()
        if len(attempts) == 1:
            camera.fail_with = "not yet"
        return camera

    register("fake", make)
    window.controller.start("fake:")
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.FAILED, timeout=5000)
    assert window.empty_state.text == "Not yet."
    qtbot.mouseClick(window.empty_state.buttons()[2], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.LIVE, timeout=5000)


def test_space_stops_a_camera_and_starts_it_again(window, qtbot, register):
    register("fake", lambda _: FakeCamera())
    window.controller.start("fake:")
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.LIVE, timeout=5000)
    press(qtbot, window, Qt.Key.Key_Space)
    assert window.controller.session_state is SessionState.STOPPED
    assert window.empty_state.title == "Stopped"
    assert window.session_bar.texts()["frame rate"] == ""
    press(qtbot, window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.LIVE, timeout=5000)
    assert window.controller.source_name == "fake:"


def test_space_pauses_a_video_and_plays_it_on(live_window, qtbot):
    assert live_window.commands.start.text() == "&Pause"
    press(qtbot, live_window, Qt.Key.Key_Space)
    assert live_window.controller.playback.paused
    assert live_window.commands.start.text() == "&Play"
    assert live_window.controller.session_state is SessionState.LIVE, "the picture stays"
    qtbot.waitUntil(lambda: live_window.session_bar.texts()["frame rate"] == "", timeout=5000)
    press(qtbot, live_window, Qt.Key.Key_Space)
    before = live_window.view.live_frame.result.timestamp_s
    qtbot.waitUntil(lambda: live_window.view.live_frame.result.timestamp_s > before, timeout=5000)


def test_stopping_a_video_lets_go_of_it(live_window, qtbot):
    press(qtbot, live_window, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    assert live_window.controller.session_state is SessionState.STOPPED
    assert not live_window.pane.transport.isVisible()
    assert live_window.commands.start.text() == "&Start"


def test_the_status_bar_shows_what_is_measured(live_window, qtbot):
    def measured():
        texts = live_window.session_bar.texts()
        return texts["faces"] == "1 face" and float(texts["frame rate"].split()[0]) > 1

    qtbot.waitUntil(measured, timeout=10_000)
    texts = live_window.session_bar.texts()
    assert texts["source"] == "Demo clip"
    assert texts["network"] == "compact, CPU"
    assert 0 < float(texts["latency"].split()[0]) < 5000
    assert texts["drops"].endswith(" dropped")


def test_loading_is_said_until_the_network_is_there(window, qtbot, register):
    register("fake", lambda _: FakeCamera())
    window.controller.start("fake:")
    assert window.view._note == "Loading the network…"
    assert window.session_bar.texts()["network"] == "loading…"
    window.controller.load_network()
    qtbot.waitUntil(lambda: window.controller.network_state is NetworkState.READY, timeout=30_000)
    assert window.view._note == ""


def test_bad_weights_are_a_notice_with_a_way_out_and_the_picture_moves_on(window, qtbot, register, tmp_path):
    register("fake", lambda _: FakeCamera())
    window.controller.start("fake:")
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.LIVE, timeout=5000)
    window.controller.load_network(tmp_path / "none.safetensors")
    qtbot.waitUntil(window.banner.isVisible, timeout=30_000)
    assert "none.safetensors" in window.banner.text
    assert window.session_bar.texts()["network"] == "no network"
    with qtbot.waitSignal(window.view.frame_painted, timeout=5000):
        pass
    qtbot.mouseClick(window.banner._button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.controller.network_state is NetworkState.READY, timeout=30_000)
    assert not window.banner.isVisible()


def test_a_notice_about_the_network_outlives_another_source_until_it_is_closed(window, qtbot, register, tmp_path):
    register("fake", lambda _: FakeCamera())
    window.controller.load_network(tmp_path / "none.safetensors")
    qtbot.waitUntil(window.banner.isVisible, timeout=30_000)
    window.controller.start("fake:")
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.LIVE, timeout=5000)
    assert "none.safetensors" in window.banner.text
    qtbot.mouseClick(window.banner._close, Qt.MouseButton.LeftButton)
    window.controller.start("fake:")
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.LIVE, timeout=5000)
    assert not window.banner.isVisible()


def test_a_stall_is_a_notice_that_goes_when_pictures_come_again(window, qtbot, register):
    camera = FakeCamera()
    register("fake", lambda _: camera)
    window.controller.start("fake:")
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.LIVE, timeout=5000)
    camera.hang_in_read = True
    qtbot.waitUntil(window.banner.isVisible, timeout=6000)
    assert window.view.live_frame is not None
    camera.hang_in_read = False
    camera.release.set()
    qtbot.waitUntil(lambda: not window.banner.isVisible(), timeout=5000)


def test_a_black_picture_has_a_hint_until_there_is_light_or_another_source(window, qtbot, register, monkeypatch):
    monkeypatch.setattr(darkness, "DARK_S", 0.1)
    camera = FakeCamera()
    register("fake", lambda _: camera)
    hint = "Fake camera sends a black picture; open the cover of its lens, make more light, or choose another camera."
    for way_out in (lambda: setattr(camera, "grey", 90), window.controller.stop):
        camera.grey = 0
        window.controller.start("fake:")
        qtbot.waitUntil(window.banner.isVisible, timeout=5000)
        assert window.banner.text == hint
        assert window.controller.session_state is SessionState.LIVE
        way_out()
        qtbot.waitUntil(lambda: not window.banner.isVisible(), timeout=5000)


def test_a_dropped_file_is_opened(window, qtbot, short_clip):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(short_clip))])
    event = QDropEvent(
        QPointF(QPoint(50, 50)),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(event)
    qtbot.waitUntil(lambda: window.view.live_frame is not None, timeout=10_000)
    assert window.controller.source_label == "short.mp4"


def test_the_end_of_a_video_is_said_and_space_plays_it_again(window, qtbot, short_clip):
    window.controller.load_network()
    window.open_path(str(short_clip))
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.ENDED, timeout=30_000)
    assert "Space" in window.view._note
    assert window.pane.shows_picture
    press(qtbot, window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.controller.session_state is SessionState.LIVE, timeout=5000)
    assert window.view._note == ""


def test_what_is_chosen_is_remembered(qtbot, tmp_path):
    for turn in range(2):
        window = MainWindow(Controller(device="cpu"), Settings(tmp_path / "settings.ini"))
        qtbot.addWidget(window)
        chosen = {name for name, action in window.overlays.actions.actions.items() if action.isChecked()}
        if turn == 0:
            assert chosen == {"keypoints"}
            window.overlays.actions.actions["sunglasses"].trigger()
            window.commands.mirror.trigger()
        else:
            assert chosen == {"keypoints", "sunglasses"}
            assert window.commands.mirror.isChecked()
        window.close()


def test_a_damaged_settings_file_is_no_reason_not_to_start(qtbot, tmp_path):
    (tmp_path / "settings.ini").write_bytes(b"\xff\xfe[view\nlayers=@@@@\nmirrored=maybe\n[window]\ngeometry=12")
    window = MainWindow(Controller(device="cpu"), Settings(tmp_path / "settings.ini"))
    qtbot.addWidget(window)
    assert not window.commands.mirror.isChecked()
    window.close()


@pytest.mark.parametrize("after_ms", [0, 30, 300, 1500])
def test_closing_at_any_moment_ends_every_thread(qtbot, tmp_path, after_ms):
    controller = Controller(device="cpu")
    window = MainWindow(controller, Settings(tmp_path / "settings.ini"))
    qtbot.addWidget(window)
    window.show()
    controller.start("demo")
    controller.load_network()
    qtbot.wait(after_ms)
    window.close()
    assert not window.isVisible()
    assert not controller._retiring


def test_shortcuts_and_about_are_shown_without_stopping_the_picture(live_window, qtbot):
    for show, kind, words in (
        (live_window.help.show_shortcuts, ShortcutsDialog, "F11"),
        (live_window.help.show_about, AboutDialog, "FKD Desktop"),
    ):
        show()
        box = live_window.findChildren(kind)[-1]
        assert any(words in label.text() for label in box.findChildren(QLabel))
        with qtbot.waitSignal(live_window.view.frame_painted, timeout=5000):
            pass
        box.close()
        qtbot.waitUntil(lambda kind=kind: not live_window.findChildren(kind), timeout=5000)


def test_every_action_has_words_and_no_key_is_taken_twice(window):
    keys = [action.shortcut().toString() for action in window.actions() if not action.shortcut().isEmpty()]
    assert len(keys) == len(set(keys))
    assert all(action.text() for action in window.actions())


def test_a_new_theme_recolours_the_icons(window, qapp):
    before = window.commands.open.icon().cacheKey()
    palette = qapp.palette()
    try:
        dark = qapp.palette()
        dark.setColor(dark.ColorRole.ButtonText, Qt.GlobalColor.red)
        qapp.setPalette(dark)
        qapp.processEvents()
        assert window.commands.open.icon().cacheKey() != before
        image = window.commands.open.icon().pixmap(24, 24).toImage()
        colours = {image.pixelColor(x, y).getRgb() for x in range(24) for y in range(24)}
        assert any(red > 200 and green < 60 and alpha > 200 for red, green, _, alpha in colours)
    finally:
        qapp.setPalette(palette)
