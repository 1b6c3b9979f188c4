"""The live session's stories: the real main(), driven as a user would, offscreen."""

from __future__ import annotations

import csv
import os
import threading
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPalette
from PySide6.QtWidgets import QApplication, QDialog, QStatusBar, QToolBar, QWidget

from fkd_desktop.controller import SessionState
from fkd_desktop.errors import SourceError, SourceProblem
from fkd_desktop.live.smoothing import SmoothingLevel
from fkd_desktop.overlays.render import render
from fkd_desktop.settings import Settings, overlays_path
from tests.e2e.test_main_in_process import run_main
from tests.fakes import FakeCamera
from trainer.core.resources import assets_dir

pytestmark = pytest.mark.usefixtures("threads_end", "nothing_is_left")

DEMO = assets_dir() / "demo" / "demo.mp4"
"""Opened by its path, it is a video like any other."""
CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def kept(tmp_path):
    """Where pictures, films and tables go."""
    settings = Settings()
    folders = {name: tmp_path / name for name in ("pictures", "videos", "tables")}
    settings.pictures_folder, settings.videos_folder = str(folders["pictures"]), str(folders["videos"])
    settings.export_folder = str(folders["tables"])
    settings.save()
    return folders


@pytest.fixture
def nothing_is_left(tmp_path):
    """Fail if a thread that does work, a process or half a file is there after the test."""
    threads = set(threading.enumerate())
    yield
    half = [path for path in tmp_path.rglob("*") if path.name.startswith(".") or path.stat().st_size == 0]
    assert not half
    assert [thread.name for thread in threading.enumerate() if thread not in threads and not thread.daemon] == []
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    assert not children.exists() or children.read_text().split() == []
    assert not [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]


def key(qtbot, window, which, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(window.focusWidget() or window, which, modifier)


def wait_for_face(qtbot, window):
    qtbot.waitUntil(lambda: window.view.live_frame is not None and len(window.view.live_frame.result), timeout=30_000)


def wait_for_place(qtbot, window, low_s, high_s):
    qtbot.waitUntil(lambda: low_s <= window.view.live_frame.position.time_s <= high_s, timeout=10_000)


def pause(qtbot, window):
    """Hold the picture, and wait until no frame is on its way any more."""
    key(qtbot, window, Qt.Key.Key_Space)
    assert window.commands.start.text() == "&Play"
    seen = []

    def is_still() -> bool:
        seen.append(id(window.view.live_frame))
        return len(seen) > 8 and len(set(seen[-8:])) == 1

    qtbot.waitUntil(is_still, timeout=5000)


def pixels(widget: QWidget) -> np.ndarray:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_BGR888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def frames_of(path: Path) -> tuple[list[np.ndarray], list[float]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [frame.to_ndarray(format="bgr24").astype(int) for frame in frames], [float(frame.time) for frame in frames]


def test_a_video_is_watched_paused_sought_and_recorded_with_a_hat(qapp, qtbot, kept):
    seen = {}

    def use(window):
        wait_for_face(qtbot, window)
        transport, capture = window.pane.transport, window.capture.controller
        assert transport.isVisible()
        pause(qtbot, window)
        slider = transport._slider
        qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() // 2, slider.height() // 2))
        wait_for_place(qtbot, window, 9, 11)
        assert window._controller.playback.paused
        key(qtbot, window, Qt.Key.Key_Home)
        wait_for_place(qtbot, window, 0, 0.01)
        wait_for_face(qtbot, window)
        key(qtbot, window, Qt.Key.Key_6)
        assert window.overlays.stack.is_on("hat")
        key(qtbot, window, Qt.Key.Key_R, CTRL)
        key(qtbot, window, Qt.Key.Key_Space)
        wait_for_place(qtbot, window, 1, 20)
        pause(qtbot, window)
        seen["live"], seen["layers"] = window.view.live_frame, window.overlays.stack.layers()
        with qtbot.waitSignal(capture.recording_saved, timeout=10_000) as saved:
            key(qtbot, window, Qt.Key.Key_R, CTRL)
        seen["film"] = Path(saved.args[0])

    assert run_main(qtbot, ["--source", str(DEMO), "--overlay", "none", "--device", "cpu"], use) == 0
    assert seen["film"].parent == kept["videos"]
    films, times_s = frames_of(seen["film"])
    assert len(films) > 15 and times_s[0] == 0 and (np.diff(times_s) > 0).all()
    result = seen["live"].result
    with_hat = render(result, seen["layers"]).astype(int)
    hat = np.abs(with_hat - result.frame_bgr).max(axis=2) > 60
    assert hat.sum() > 2000
    assert np.abs(films[-1] - with_hat)[hat].mean() < 10  # the film's last picture is the one that was paused on
    assert np.abs(films[-1] - result.frame_bgr.astype(int))[hat].mean() > 40


def test_a_snapshot_is_what_the_screen_shows_pixel_for_pixel(qapp, qtbot, kept):
    seen = {}

    def use(window):
        wait_for_face(qtbot, window)
        pause(qtbot, window)
        window.resize(790, 700)
        for which in (Qt.Key.Key_4, Qt.Key.Key_5, Qt.Key.Key_M, Qt.Key.Key_Z):  # at its actual size
            key(qtbot, window, which)
        view = window.view
        qtbot.waitUntil(lambda: not view._zoom_note.isActive() and view.zoom_factor == 1, timeout=5000)
        with qtbot.waitSignal(window.capture.controller.picture_saved, timeout=10_000) as saved:
            key(qtbot, window, Qt.Key.Key_S, CTRL)
        window.capture.surface.toast.hide()
        seen["screen"], seen["rect"] = pixels(view), view.picture_rect().toRect()
        seen["picture"] = cv2.imread(saved.args[0]).astype(int)
        seen["plain"] = view.live_frame.result.frame_bgr[:, ::-1].astype(int)

    arguments = ["--source", str(DEMO), "--overlay", "keypoints", "--device", "cpu"]
    assert run_main(qtbot, arguments, use) == 0
    rect, screen, picture = seen["rect"], seen["screen"], seen["picture"]
    left, top = max(0, rect.left()), max(0, rect.top())
    part = screen[top : rect.bottom() + 1, left : rect.right() + 1]
    same = picture[top - rect.top() :, left - rect.left() :][: part.shape[0], : part.shape[1]]
    assert part.shape[0] > 300 and part.shape[1] > 300
    np.testing.assert_array_equal(part, same)
    assert (np.abs(picture - seen["plain"]).max(axis=2) > 60).sum() > 2000  # there is something on it


def test_landmarks_of_a_session_are_exported_and_read_back(qapp, qtbot, kept):
    seen = {}

    def use(window):
        wait_for_face(qtbot, window)
        key(qtbot, window, Qt.Key.Key_E, CTRL)
        dialog = window.export.dialog
        assert dialog.isVisible()
        dialog.session_button.click()
        qtbot.waitUntil(lambda: dialog._session_frames > 15, timeout=10_000)
        dialog.close()  # the export goes on
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow, timeout=5000)
        pause(qtbot, window)
        key(qtbot, window, Qt.Key.Key_E, CTRL)
        assert "stop" in dialog.session_button.text().lower()
        with qtbot.waitSignal(window.export.export.saved, timeout=10_000) as saved:
            dialog.session_button.click()
        seen["live"], seen["paths"] = window.view.live_frame, saved.args[0].paths

    assert run_main(qtbot, ["--source", str(DEMO), "--device", "cpu"], use) == 0
    (path,) = seen["paths"]
    assert path.parent == kept["tables"]
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    wanted = ["frame", "face_id", "timestamp", "confidence", "success"]
    assert list(rows[0]) == wanted + [f"{axis}_{i}" for axis in "xy" for i in range(68)]
    assert len(rows) > 15
    result = seen["live"].result
    points = np.array([[float(rows[-1][f"{axis}_{i}"]) for axis in "xy"] for i in range(68)])
    np.testing.assert_allclose(points, result.keypoints_px[0], atol=0.06)
    assert float(rows[-1]["timestamp"]) == pytest.approx(result.timestamp_s, abs=0.001)


def test_everything_in_the_window_follows_a_theme_that_changes(qapp, qtbot):
    before = qapp.palette()

    def use(window):
        wait_for_face(qtbot, window)
        key(qtbot, window, Qt.Key.Key_G, CTRL)
        icon = window.commands.mirror.icon().pixmap(20).toImage()
        try:
            qapp.setPalette(QPalette(QColor("#24282e"), QColor("#24282e")))
            qtbot.waitUntil(lambda: window.palette().window().color().name() == "#24282e", timeout=5000)
            for part in (window, *window.findChildren(QToolBar), *window.findChildren(QStatusBar)):
                assert part.palette().window().color().name() == "#24282e", part
            speed = window.pane.transport._speed
            assert speed.palette().windowText().color() == Qt.GlobalColor.white
            assert window.commands.mirror.icon().pixmap(20).toImage() != icon
        finally:
            qapp.setPalette(before)

    assert run_main(qtbot, ["--source", str(DEMO), "--device", "cpu"], use) == 0


def red_disc(path: Path) -> Path:
    image = QImage(200, 100, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setBrush(QColor(255, 0, 0))
    painter.drawEllipse(20, 0, 160, 100)
    painter.end()
    assert image.save(str(path))
    return path


def red_pixels(window) -> int:
    screen = pixels(window.view)
    return int(((screen[:, :, 2] > 230) & (screen[:, :, :2].max(axis=2) < 30)).sum())


def test_an_own_overlay_is_made_used_and_there_at_the_next_start(qapp, qtbot, tmp_path, kept):
    picture = red_disc(tmp_path / "red disc.png")

    def make(window):
        wait_for_face(qtbot, window)
        pause(qtbot, window)
        assert red_pixels(window) == 0
        key(qtbot, window, Qt.Key.Key_G, CTRL)
        gallery = window.overlays.gallery
        qtbot.mouseClick(gallery.add_button, Qt.MouseButton.LeftButton)
        editor = gallery.editor
        editor.choose(picture)
        qtbot.waitUntil(lambda: editor.document.draft.picture is not None, timeout=5000)
        assert editor.name_edit.text() == "Red disc"
        editor.save()
        qtbot.waitUntil(lambda: gallery.editor is None, timeout=5000)
        qtbot.waitUntil(lambda: red_pixels(window) > 500, timeout=5000)

    def use_again(window):
        assert window.overlays.stack.is_on("red-disc")
        assert window.overlays.dock.isVisible() and window.overlays.gallery.tiles["red-disc"].isChecked()
        wait_for_face(qtbot, window)
        qtbot.waitUntil(lambda: red_pixels(window) > 500, timeout=5000)
        window.overlays.actions.actions["red-disc"].trigger()
        qtbot.waitUntil(lambda: red_pixels(window) == 0, timeout=5000)

    assert run_main(qtbot, ["--source", str(DEMO), "--overlay", "none", "--device", "cpu"], make) == 0
    assert sorted(path.name for path in (overlays_path() / "red-disc").iterdir()) == ["overlay.toml", "picture.png"]
    assert run_main(qtbot, ["--device", "cpu"], use_again) == 0  # the source is remembered, too


def test_a_camera_is_lost_and_comes_back_while_recording(qapp, qtbot, register, kept):
    camera = FakeCamera(frames_per_s=30)
    register("fake", lambda _text: camera)
    seen = {}

    def use(window):
        states = []
        window._controller.session_changed.connect(lambda state, _message: states.append(state))
        qtbot.waitUntil(lambda: window._controller.session_state is SessionState.LIVE, timeout=10_000)
        key(qtbot, window, Qt.Key.Key_R, CTRL)
        qtbot.waitUntil(lambda: camera.read_count > 20, timeout=10_000)
        camera.fail_to_open = [SourceError("it is gone", problem=SourceProblem.MISSING)]
        camera.fail_with = SourceError("it is gone", problem=SourceProblem.LOST)
        qtbot.waitUntil(lambda: SessionState.LOST in states, timeout=10_000)
        assert "Waiting for" in window.empty_state.title and not window.pane.shows_picture
        camera.fail_with = None
        qtbot.waitUntil(lambda: states[-1] is SessionState.LIVE, timeout=10_000)
        seen["before"] = camera.read_count
        qtbot.waitUntil(lambda: camera.read_count > seen["before"] + 15, timeout=10_000)
        assert window.pane.shows_picture and window.capture.controller.is_recording

    assert run_main(qtbot, ["--source", "fake:", "--device", "cpu"], use) == 0  # closed while it records
    assert camera.opened == 2 and camera.closed >= 2
    (film,) = kept["videos"].iterdir()
    frames, times_s = frames_of(film)
    gaps_s = np.diff(times_s)
    assert len(frames) > 25 and gaps_s.max() > 0.2, "the time that it was away is in the film"
    assert gaps_s.max() <= 2.01
    assert times_s[int(gaps_s.argmax())] > 0.2 and times_s[-1] - times_s[int(gaps_s.argmax()) + 1] > 0.2


def test_preferences_change_the_session_and_are_there_at_the_next_start(qapp, qtbot, kept, tmp_path):
    def choose(combo, value):
        combo.setCurrentIndex(combo.findData(value))
        combo.activated.emit(combo.currentIndex())

    def change(window):
        wait_for_face(qtbot, window)
        key(qtbot, window, Qt.Key.Key_Comma, CTRL)
        dialog = window.preferences
        assert dialog.isVisible()
        assert not window.view._mirrored and window._controller.smoothing is SmoothingLevel.LOW
        dialog.mirror.click()
        choose(dialog.smoothing, SmoothingLevel.HIGH)
        dialog.loop.click()
        choose(dialog.countdown, 3)
        choose(dialog.format, "jpg")
        assert window.view._mirrored and window.overlays.gallery.mirrored and window.commands.mirror.isChecked()
        assert window._controller.smoothing is SmoothingLevel.HIGH
        assert window.commands.smoothing[SmoothingLevel.HIGH].isChecked()
        assert window._controller.playback.loop
        dialog.close()
        window.overlays.actions.set_key("mesh", "7")
        key(qtbot, window, Qt.Key.Key_S, CTRL)
        assert window.capture.controller.countdown_left_s == 3
        key(qtbot, window, Qt.Key.Key_Escape)
        assert window.capture.controller.countdown_left_s == 0
        window.capture.actions.set_countdown(0)
        with qtbot.waitSignal(window.capture.controller.picture_saved, timeout=10_000) as saved:
            key(qtbot, window, Qt.Key.Key_S, CTRL)
        assert saved.args[0].endswith(".jpg") and cv2.imread(saved.args[0]) is not None

    def look_and_reset(window):
        wait_for_face(qtbot, window)
        assert window.view._mirrored and window._controller.smoothing is SmoothingLevel.HIGH
        assert window._controller.playback.loop and window._settings.picture_format == "jpg"
        assert window.overlays.actions.key_of("mesh") == "7"
        key(qtbot, window, Qt.Key.Key_Comma, CTRL)
        window.preferences._reset.click()
        box = window.preferences._question
        assert isinstance(box, QDialog) and box.isVisible()
        next(button for button in box.buttons() if button.text() == "Reset").click()
        assert not window.view._mirrored and window._controller.smoothing is SmoothingLevel.LOW
        assert window.overlays.actions.key_of("mesh") == ""
        assert not window._controller.playback.loop and not window.preferences.mirror.isChecked()

    assert run_main(qtbot, ["--source", str(DEMO), "--device", "cpu"], change) == 0
    assert run_main(qtbot, ["--device", "cpu"], look_and_reset) == 0
