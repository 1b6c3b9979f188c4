"""The menu of cameras and their sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QLocale, QObject, QPoint, Qt, Signal

from fkd_desktop.live.sources.cameras import CameraInfo, CameraName
from fkd_desktop.live.sources.modes import USUAL_MODES, CameraMode
from fkd_desktop.ui.sources.camera_menu import CameraMenu, offered_modes
from fkd_desktop.ui.sources.words import mode_text, slow_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtGui import QAction
    from pytestqt.qtbot import QtBot

FULL, HD, VGA = CameraMode(1920, 1080, 30, "MJPG"), CameraMode(1280, 720, 60, "MJPG"), CameraMode(640, 480, 30, "YUYV")
WEBCAM = CameraInfo("usb:1:2:A:1.0@1-5", "HD Webcam", 0, (FULL, HD, VGA), tells_modes=True)
PHONE = CameraInfo("phone", "Phone & camera", 1)


class FakeWatcher(QObject):
    """Knows what it is told."""

    cameras_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.cameras: tuple[CameraInfo, ...] = ()
        self.is_known = False

    def tell(self, *cameras: CameraInfo) -> None:
        self.cameras, self.is_known = cameras, True
        self.cameras_changed.emit(cameras)


@pytest.fixture(autouse=True)
def _english_numbers() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale(QLocale.Language.English))
    yield
    QLocale.setDefault(before)


@pytest.fixture
def watcher(qtbot: QtBot) -> FakeWatcher:
    return FakeWatcher()


@pytest.fixture
def menu(qtbot: QtBot, watcher: FakeWatcher) -> CameraMenu:
    menu = CameraMenu(watcher)  # type: ignore[arg-type]
    qtbot.addWidget(menu)
    return menu


def texts(menu: object) -> list[str]:
    """What stands in a menu; "x" before what is marked, brackets around what cannot be chosen."""
    found = []
    for action in menu.actions():  # type: ignore[attr-defined]
        if not action.isSeparator():
            text = ("x " if action.isChecked() else "") + action.text()
            found.append(text if action.isEnabled() else f"({text})")
    return found


def action(menu: object, text: str) -> QAction:
    return next(a for a in menu.actions() if a.text() == text)  # type: ignore[attr-defined,no-any-return]


def test_before_the_system_has_answered(menu: CameraMenu) -> None:
    assert texts(menu) == ["(Looking for cameras…)", "(&Size and rate)"]


def test_no_camera(menu: CameraMenu, watcher: FakeWatcher) -> None:
    watcher.tell()
    assert texts(menu) == ["(No camera found)", "(Plug one in: it appears here by itself)", "(&Size and rate)"]


def test_choosing_a_camera(qtbot: QtBot, menu: CameraMenu, watcher: FakeWatcher) -> None:
    watcher.tell(WEBCAM, PHONE)
    menu.set_source(WEBCAM.source_name())
    assert texts(menu) == ["x HD Webcam", "Phone && camera", "&Size and rate"]
    with qtbot.waitSignal(menu.camera_chosen) as signal:
        action(menu, "Phone && camera").trigger()
    assert signal.args == [PHONE.source_name()]


def test_the_camera_in_use_is_known_by_its_number_too(menu: CameraMenu, watcher: FakeWatcher) -> None:
    menu.set_source("camera:1")
    watcher.tell(WEBCAM, PHONE)
    assert texts(menu)[:2] == ["HD Webcam", "x Phone && camera"]
    assert menu.camera_in_use == PHONE


@pytest.mark.parametrize("name", ["demo", "/home/me/video.mp4", "camera:nonsense", ""])
def test_other_sources_mark_no_camera(menu: CameraMenu, watcher: FakeWatcher, name: str) -> None:
    watcher.tell(WEBCAM)
    menu.set_source(WEBCAM.source_name())
    menu.set_source(name)
    assert texts(menu) == ["HD Webcam", "(&Size and rate)"]


def test_the_camera_in_use_stays_in_the_list_while_it_is_unplugged(menu: CameraMenu, watcher: FakeWatcher) -> None:
    watcher.tell(WEBCAM, PHONE)
    menu.set_source(WEBCAM.source_name(VGA))
    watcher.tell(PHONE)
    assert texts(menu) == ["Phone && camera", "x HD Webcam (not connected)", "(&Size and rate)"]
    watcher.tell(WEBCAM, PHONE)
    assert texts(menu) == ["x HD Webcam", "Phone && camera", "&Size and rate"]


def test_choosing_a_mode(qtbot: QtBot, menu: CameraMenu, watcher: FakeWatcher) -> None:
    watcher.tell(WEBCAM)
    menu.set_source(WEBCAM.source_name())
    assert texts(menu.modes_menu) == ["x &Automatic", "1920 × 1080, 30/s", "1280 × 720, 60/s", "640 × 480, 30/s"]
    with qtbot.waitSignal(menu.camera_chosen) as signal:
        action(menu.modes_menu, "640 × 480, 30/s").trigger()
    assert CameraName.parse(signal.args[0].removeprefix("camera:")).mode == VGA

    menu.set_source(signal.args[0])
    menu.set_mode(CameraMode(640, 480, 30, "YUYV"))
    assert texts(menu.modes_menu) == [
        "(Now: 640 × 480, 30/s (YUYV))",
        "&Automatic",
        "1920 × 1080, 30/s",
        "1280 × 720, 60/s",
        "x 640 × 480, 30/s",
    ]
    with qtbot.waitSignal(menu.camera_chosen) as signal:
        action(menu.modes_menu, "&Automatic").trigger()
    assert signal.args == [WEBCAM.source_name()]


def test_choosing_the_camera_in_use_again_keeps_its_mode(qtbot: QtBot, menu: CameraMenu, watcher: FakeWatcher) -> None:
    watcher.tell(WEBCAM)
    menu.set_source(WEBCAM.source_name(VGA))
    with qtbot.waitSignal(menu.camera_chosen) as signal:
        action(menu, "HD Webcam").trigger()
    assert signal.args == [WEBCAM.source_name(VGA)]


def test_what_was_agreed_on_with_another_source_is_not_shown(menu: CameraMenu, watcher: FakeWatcher) -> None:
    watcher.tell(WEBCAM, PHONE)
    menu.set_source(WEBCAM.source_name())
    menu.set_mode(FULL)
    menu.set_source(PHONE.source_name())
    assert not [text for text in texts(menu.modes_menu) if "Now" in text]


def test_a_system_that_does_not_tell_modes(menu: CameraMenu, watcher: FakeWatcher) -> None:
    watcher.tell(PHONE)
    menu.set_source(PHONE.source_name())
    assert texts(menu.modes_menu)[-1] == "(The camera takes the nearest that it has)"
    assert len(texts(menu.modes_menu)) == 1 + len(USUAL_MODES) + 1


def test_it_follows_while_it_is_open_and_keeps_the_keyboard_s_place(
    qtbot: QtBot, menu: CameraMenu, watcher: FakeWatcher
) -> None:
    watcher.tell(PHONE)
    menu.popup(QPoint(0, 0))
    qtbot.keyClick(menu, Qt.Key.Key_Down)
    active = menu.activeAction()
    assert active is not None and active.text() == "Phone && camera"
    height = menu.height()
    watcher.tell(WEBCAM, PHONE)
    assert menu.isVisible()
    assert texts(menu)[:2] == ["HD Webcam", "Phone && camera"]
    active = menu.activeAction()
    assert active is not None and active.text() == "Phone && camera"
    assert menu.height() > height
    with qtbot.waitSignal(menu.camera_chosen) as signal:
        qtbot.keyClick(menu, Qt.Key.Key_Return)
    assert signal.args == [PHONE.source_name()]


def test_a_long_list_of_modes_is_cut_to_what_is_useful() -> None:
    modes = [CameraMode(1280, 720, rate) for rate in (60, 30, 24, 15, 5)] + [CameraMode(160, 120, 30)]
    assert offered_modes(modes) == [CameraMode(1280, 720, 60), CameraMode(1280, 720, 30)]


@pytest.mark.parametrize(
    ("rate", "text"), [(30, "640 × 480, 30/s"), (29.97, "640 × 480, 30/s"), (7.5, "640 × 480, 7.5/s"), (0, "640 × 480")]
)
def test_words_for_a_mode(rate: float, text: str) -> None:
    assert mode_text(CameraMode(640, 480, rate, "MJPG")) == text
    assert mode_text(CameraMode(640, 480, rate, "MJPG"), with_format=True) == f"{text} (MJPG)"


def test_words_for_a_dark_room() -> None:
    assert "light" in slow_text(FULL, 10)
    assert slow_text(FULL, 29) == ""
