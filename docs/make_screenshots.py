"""Make the pictures in docs/screenshots/ from the real window on the demo clip.

python docs/make_screenshots.py

Needs no display: Qt's offscreen platform paints the same widgets. Each picture is of a state that a user comes to.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QEventLoop, QTimer
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QMessageBox

from fkd_desktop.app import prepare_process
from fkd_desktop.controller import Controller, NetworkState, SessionState
from fkd_desktop.settings import Settings
from fkd_desktop.ui.main_window import MainWindow

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).parent / "screenshots"
FRAME_LIMIT_S = 180.0


def main() -> int:
    prepare_process()
    application = QApplication(sys.argv[:1])
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_STATE_HOME"] = home
        shoot_live(Path(home))
        shoot_faults(Path(home))
        application.setPalette(dark_palette())
        shoot_dark(Path(home))
    return 0


def new_window(home: Path, *layers: str) -> MainWindow:
    window = MainWindow(Controller(device="cpu"), Settings(home / "settings.ini"), layer_names=layers)
    window.resize(1000, 780)
    window.show()
    return window


def shoot_live(home: Path) -> None:
    window = new_window(home, "keypoints")
    window.start_demo()
    wait(lambda: window.view.live_frame is not None)
    save(window, "loading")
    window._controller.load_network()
    wait(lambda: window._controller.network_state is NetworkState.READY)
    wait_for_clip_time(window, 2.6)
    save(window, "keypoints")
    set_layers(window, "sunglasses")
    wait_for_clip_time(window, 16.8)
    save(window, "sunglasses")
    set_layers(window, "boxes", "numbers")
    wait_for_clip_time(window, 7.4)
    save(window, "boxes-and-numbers")
    window.toggle_session()
    save(window, "stopped")
    window.close()


def shoot_faults(home: Path) -> None:
    window = new_window(home, "keypoints")
    window._controller.start("camera:99")
    wait(lambda: window._controller.session_state is SessionState.FAILED)
    save(window, "no-camera")
    window.start_demo()
    window._controller.load_network(Path("my-weights.safetensors"))
    wait(lambda: window._controller.network_state is NetworkState.FAILED and window.view.live_frame is not None)
    save(window, "bad-weights")
    window.help.show_shortcuts()
    window.findChildren(QMessageBox)[-1].grab().save(str(FOLDER / "shortcuts.png"))
    window.close()


def shoot_dark(home: Path) -> None:
    window = new_window(home, "keypoints", "boxes")
    window.start_demo()
    window._controller.load_network()
    wait(lambda: window._controller.network_state is NetworkState.READY)
    wait_for_clip_time(window, 3.4)
    save(window, "dark")
    window.close()


def dark_palette() -> QPalette:
    palette = QPalette(QColor("#2b2f36"), QColor("#22262c"))
    palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText, QColor("#757d88"))
    return palette


def set_layers(window: MainWindow, *names: str) -> None:
    for name, action in window.overlays.actions.actions.items():
        action.setChecked(name in names)


def wait_for_clip_time(window: MainWindow, seconds: float) -> None:
    """Wait until the looping clip is within a quarter of a second of a time in it, with faces found."""

    def there() -> bool:
        live = window.view.live_frame
        return live is not None and len(live.result) > 0 and 0 <= live.result.timestamp_s % 20.0 - seconds < 0.25

    wait(there)


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + FRAME_LIMIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the window did not come to the wanted state")
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)


def save(window: MainWindow, name: str) -> None:
    loop = QEventLoop()  # let the status bar take in its figures
    QTimer.singleShot(0 if name in ("loading", "stopped") else 600, loop.quit)
    loop.exec()
    window.grab().save(str(FOLDER / f"{name}.png"))


if __name__ == "__main__":
    sys.exit(main())
