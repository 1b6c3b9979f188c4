"""Pictures of the main window while it shows something: overlays, files, captures, menus."""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING

import cv2
from fake_camera import CAMERAS, LEAD_S, Stage
from shooting import load_network, new_window, rest, set_layers, shoot, wait

from fkd_desktop.controller import SessionState
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from pathlib import Path

    from fkd_desktop.ui.main_window import MainWindow

ONE_FACE_S, TURNED_FACE_S, TWO_FACES_S = 2.6, 7.4, 16.8
DEMO = assets_dir() / "demo" / "demo.mp4"


def open_camera(window: MainWindow, *, time_s: float = ONE_FACE_S) -> None:
    """Show the camera that there is, at a moment of the clip."""
    Stage.time_s = time_s
    watcher = window.opener.watcher
    watcher._list_cameras = lambda: CAMERAS
    watcher.refresh()
    wait(lambda: watcher.cameras == CAMERAS)
    window.opener.open(CAMERAS[0].source_name())
    wait_for_moment(window, 1 if time_s != TWO_FACES_S else 2)


def wait_for_moment(window: MainWindow, faces: int = 1) -> None:
    """Wait until the camera stays on its frame, and so many faces are followed there."""
    wait(lambda: window.view.live_frame is not None)
    rest(LEAD_S + 0.6)
    wait(partial(sees, window, faces))


def sees(window: MainWindow, faces: int) -> bool:
    live = window.view.live_frame
    return live is not None and live.annotated and len(live.result) == faces


def shoot_live(home: Path) -> None:
    """Take them all."""
    window = new_window(home, "keypoints")
    Stage.time_s = ONE_FACE_S
    window.opener.open(CAMERAS[0].source_name())
    wait(lambda: window.view.live_frame is not None)
    shoot(window, "loading", rest_s=0.1)
    load_network(window)
    open_camera(window)
    shoot(window, "keypoints")
    shoot_menu(window)
    set_layers(window, "mesh", "pose")
    Stage.time_s = TURNED_FACE_S
    wait_for_moment(window)
    shoot(window, "mesh-and-pose")
    set_layers(window, "boxes", "numbers")
    Stage.time_s = TWO_FACES_S
    wait_for_moment(window, 2)
    shoot(window, "several-faces")
    set_layers(window, "blur")
    shoot(window, "privacy")
    shoot_captures(window)
    shoot_files(window, home)
    window.leave()


def shoot_menu(window: MainWindow) -> None:
    cameras = window.opener.cameras
    window.opener.recent.set_entries([str(DEMO)])
    menu = window.commands._source_button.menu()
    shoot(
        window,
        "camera-menu",
        menus=((menu, cameras.menuAction()), (cameras, cameras.modes_menu.menuAction()), (cameras.modes_menu, None)),
    )
    window.opener.recent.set_entries([])


def shoot_captures(window: MainWindow) -> None:
    capture = window.capture.controller
    set_layers(window, "keypoints")
    Stage.time_s = ONE_FACE_S
    wait_for_moment(window)
    capture.start_recording()
    rest(7.0)
    with_toast: list[str] = []
    capture.picture_saved.connect(with_toast.append)
    capture.take_snapshot()
    wait(lambda: bool(with_toast))
    shoot(window, "recording", rest_s=2.2)
    kept: list[str] = []
    capture.recording_saved.connect(kept.append)
    capture.stop_recording()
    wait(lambda: bool(kept))
    capture.countdown_s = 10
    rest(6.5)  # until the toasts are gone
    capture.take_snapshot()
    wait(lambda: capture.countdown_left_s == 3)
    shoot(window, "countdown", rest_s=0.1)
    capture.cancel_countdown()
    capture.countdown_s = 0


def shoot_files(window: MainWindow, home: Path) -> None:
    controller = window._controller
    film = home / "Portrait.mp4"
    shutil.copy(DEMO, film)
    window.open_path(str(film))
    wait(lambda: controller.session_state is SessionState.LIVE)
    controller.playback.pause()
    controller.playback.seek(TURNED_FACE_S)
    rest(1.5)
    shoot(window, "video-paused", rest_s=0.6)
    controller.playback.seek(19.7)
    controller.playback.resume()
    wait(lambda: controller.session_state is SessionState.ENDED)
    shoot(window, "video-ended", rest_s=0.6)
    folder = home / "Holiday"
    write_pictures(folder)
    set_layers(window, "keypoints", "boxes")
    window.open_path(str(folder / "IMG_0002.png"))
    wait(partial(sees, window, 2))
    shoot(window, "picture", rest_s=0.6)


def write_pictures(folder: Path) -> None:
    """Write some frames of the clip as pictures."""
    folder.mkdir()
    clip = cv2.VideoCapture(str(DEMO))
    for number, seconds in enumerate((ONE_FACE_S, TWO_FACES_S, TURNED_FACE_S), start=1):
        clip.set(cv2.CAP_PROP_POS_FRAMES, round(30 * seconds))
        cv2.imwrite(str(folder / f"IMG_{number:04d}.png"), clip.read()[1])
    clip.release()
