"""A library with a folder of the user's own, a stack, and faces to look at."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QMainWindow

from fkd_desktop.live.result import FrameResult
from fkd_desktop.overlays.description import Anchor, OverlayDescription, PictureDescription
from fkd_desktop.overlays.library import OverlayLibrary
from fkd_desktop.overlays.saving import save_overlay
from fkd_desktop.overlays.stack import OverlayStack
from fkd_desktop.ui.overlays.actions import OverlayActions
from fkd_desktop.ui.overlays.editor import OverlayEditor
from fkd_desktop.ui.overlays.gallery import OverlayGallery
from fkd_desktop.ui.overlays.picture_file import png_bytes
from tests.ui.overlays.helpers import choose
from trainer.core.preprocess import box_from_keypoints


@dataclass
class Session:
    """What the gallery and the editor ask for the newest result."""

    result: FrameResult | None = None
    asked: int = field(default=0)

    def newest(self) -> FrameResult | None:
        self.asked += 1
        return self.result


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def faces_in(drawn):
    """Make a result with faces of these numbers, side by side, the first the largest."""

    def make(*ids: int, width: int = 640, height: int = 480, grey: int = 60) -> FrameResult:
        frame = np.full((height, width, 3), grey, np.uint8)
        if not ids:
            return FrameResult(frame, 0.0)
        points = []
        for place, _ in enumerate(ids):
            face = drawn.points(x=width * (place + 1) / (len(ids) + 1), y=height / 2, width=110 - 20 * place)
            drawn.paint(frame, face)
            points.append(face)
        keypoints_px = np.array(points, np.float32)
        return FrameResult(
            frame,
            0.0,
            boxes_xywh=box_from_keypoints(keypoints_px),
            ids=np.array(ids, np.int64),
            keypoints_px=keypoints_px,
            confidences=np.ones(len(ids), np.float32),
        )

    return make


def glasses_image(width: int = 400, height: int = 160) -> QImage:
    """Two red lenses whose middles are at a quarter and three quarters of the width, and nothing else."""
    image = QImage(width, height, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(255, 0, 0))
    for left in (0, width // 2):
        painter.drawRect(left, 0, width // 2, height)
    painter.end()
    return image


@pytest.fixture
def glasses_png(qapp, tmp_path):
    path = tmp_path / "red_glasses.png"
    assert glasses_image().save(str(path))
    return path


@pytest.fixture
def user_folder(tmp_path):
    return tmp_path / "overlays"


@pytest.fixture
def add_own(qapp, user_folder):
    """Write an overlay of the user's."""

    def write(name: str, title: str, *, order: int = 50) -> None:
        anchors = (Anchor((100, 80), tuple(range(36, 42))), Anchor((300, 80), tuple(range(42, 48))))
        description = OverlayDescription(title, (PictureDescription("picture.png", anchors),), order=order)
        save_overlay(user_folder / name, description, png_bytes(glasses_image()))

    return write


@pytest.fixture
def add_broken(user_folder):
    def write(name: str) -> None:
        (user_folder / name).mkdir(parents=True)
        (user_folder / name / "overlay.toml").write_text("format = 2\nname = 7\n", encoding="utf-8")

    return write


@pytest.fixture
def library(qapp, user_folder) -> OverlayLibrary:
    return OverlayLibrary(user_folder)


@pytest.fixture
def stack(library) -> OverlayStack:
    return OverlayStack(library)


@pytest.fixture
def window(qtbot) -> QMainWindow:
    window = QMainWindow()
    qtbot.addWidget(window)
    return window


@pytest.fixture
def actions(stack, library, window) -> OverlayActions:
    return OverlayActions(stack, library, window)


@pytest.fixture
def gallery(qtbot, stack, library, actions, session, window) -> OverlayGallery:
    """The gallery, on show in a window."""
    gallery = OverlayGallery(stack, library, actions, session.newest)
    window.setCentralWidget(gallery)
    window.resize(340, 900)
    window.show()
    qtbot.waitExposed(window)
    return gallery


@pytest.fixture
def open_editor(qtbot, library, session):
    editors = []

    def make(name=None) -> OverlayEditor:
        editor = OverlayEditor(library, session.newest, name=name)
        editor.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(editor, before_close_func=lambda editor: setattr(editor, "_is_leaving", True))
        editor.resize(900, 700)
        editor.show()
        qtbot.waitExposed(editor)
        editors.append(editor)
        return editor

    yield make
    for editor in editors:
        qtbot.waitUntil(lambda editor=editor: not editor.is_busy)


@pytest.fixture
def editor(qtbot, open_editor, glasses_png) -> OverlayEditor:
    """With a picture."""
    editor = open_editor()
    choose(qtbot, editor, glasses_png)
    return editor
