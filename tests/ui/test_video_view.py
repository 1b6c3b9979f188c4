"""The picture: where it lies, zoomed and moved about, and which face is under a point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QAction, QColor, QContextMenuEvent, QImage, QKeySequence, QWheelEvent
from PySide6.QtWidgets import QApplication

from fkd_desktop.live.result import FrameResult, LiveFrame, Position
from fkd_desktop.ui.video_view import BACKGROUND, VideoView
from fkd_desktop.ui.zoom import MAX_ZOOM, Reductions, Zoom

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter
    from pytestqt.qtbot import QtBot

    from fkd_desktop.overlays.layer import PaintContext

STILL = Position("pictures", 0, 3)


class Square:
    """A layer that fills the first face's box."""

    name, title = "square", "Square"

    def paint(self, painter: QPainter, result: FrameResult, context: PaintContext) -> None:
        assert context.device_per_frame > 0
        painter.fillRect(QRectF(*(float(side) for side in result.boxes_xywh[0])), QColor("#ff0000"))


def live(
    width: int = 640,
    height: int = 480,
    *,
    boxes: list[tuple[float, ...]] | None = None,
    position: Position | None = None,
) -> LiveFrame:
    """Return a frame whose blue is the column and whose green is the row, modulo 256."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, :, 0], image[:, :, 1] = np.arange(width) % 256, np.arange(height)[:, None] % 256
    faces = np.array(boxes or [], np.float32).reshape(-1, 4)
    result = FrameResult(
        image, 0.0, faces, np.arange(len(faces)) + 7, np.zeros((len(faces), 68, 2), np.float32),
        np.ones(len(faces), np.float32),
    )  # fmt: skip
    return LiveFrame(result, 0.0, annotated=True, position=position)


@pytest.fixture
def view(qtbot: QtBot) -> VideoView:
    view = VideoView()
    qtbot.addWidget(view)
    view.resize(640, 480)
    view.addActions(view.actions_for_window())
    with qtbot.waitExposed(view):
        view.show()
    return view


def seen(view: VideoView) -> QImage:
    """Return what is on the screen, without the note of the zoom."""
    view._zoom_note.stop()
    return view.grab().toImage()


def wheel(view: VideoView, at: QPointF, steps: int, *, ctrl: bool) -> None:
    modifiers = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
    buttons, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
    angle = QPoint(0, 120 * steps)
    event = QWheelEvent(at, QPointF(view.mapToGlobal(at)), QPoint(), angle, buttons, modifiers, phase, False)
    QApplication.sendEvent(view, event)


# --- the zoom itself


@pytest.fixture
def zoom() -> Zoom:
    zoom = Zoom()
    zoom.set_sizes(QSizeF(800, 600), QSizeF(4000, 2000), 1.0)
    return zoom


def test_at_first_all_of_it_is_seen(zoom: Zoom) -> None:
    assert zoom.is_fit and not zoom.can_pan
    assert zoom.rect() == QRectF(0, 100, 800, 400)
    assert zoom.factor == pytest.approx(0.2)


@pytest.mark.parametrize("at", [QPointF(400, 300), QPointF(100, 150), QPointF(799, 499)])
def test_what_is_under_the_pointer_stays_there(zoom: Zoom, at: QPointF) -> None:
    zoom.zoom_to(1.0, QPointF(400, 300))
    before = zoom.to_frame(at)
    for factor in (2.0, 1.25, 0.5):
        zoom.zoom_by(factor, at)
        after = zoom.to_frame(at)
        assert (after - before).manhattanLength() < 1.5, "by more than the rounding to whole pixels"


def test_no_border_of_a_magnified_picture_comes_into_sight(zoom: Zoom) -> None:
    zoom.zoom_to(1.0, QPointF(400, 300))
    for by in (QPointF(1e6, 1e6), QPointF(-1e6, -1e6), QPointF(1e6, -1e6)):
        zoom.pan(by)
        rect = zoom.rect()
        assert rect.contains(QRectF(0, 0, 800, 600)) and rect.width() == 4000


def test_zooming_has_limits_and_ends_at_the_whole(zoom: Zoom) -> None:
    zoom.zoom_by(1e6, QPointF(400, 300))
    assert zoom.factor == MAX_ZOOM
    zoom.zoom_by(1e-6, QPointF(400, 300))
    assert zoom.is_fit
    zoom.set_sizes(QSizeF(800, 600), QSizeF(80, 60), 1.0)
    zoom.zoom_by(1e-6, QPointF(400, 300))
    assert zoom.factor == 1.0 and not zoom.is_fit, "a small picture is magnified to fit, and can be seen as it is"
    assert zoom.rect() == QRectF(360, 270, 80, 60)


def test_the_place_is_kept_from_frame_to_frame_but_not_for_another_size(zoom: Zoom) -> None:
    zoom.zoom_to(1.0, QPointF(100, 300))
    rect = zoom.rect()
    zoom.set_sizes(QSizeF(800, 600), QSizeF(4000, 2000), 1.0)
    assert zoom.rect() == rect
    zoom.set_sizes(QSizeF(900, 700), QSizeF(4000, 2000), 1.0)
    assert zoom.factor == 1.0 and zoom.rect().contains(QRectF(0, 0, 900, 700))
    zoom.set_sizes(QSizeF(800, 600), QSizeF(640, 480), 1.0)
    assert zoom.is_fit


def test_actual_size_counts_the_screens_pixels() -> None:
    zoom = Zoom()
    zoom.set_sizes(QSizeF(800, 600), QSizeF(4000, 2000), 2.0)
    zoom.zoom_to(1.0, QPointF(123, 77))
    rect = zoom.rect()
    assert (rect.width(), rect.height()) == (2000, 1000)
    assert (2 * rect.left()).is_integer() and (2 * rect.top()).is_integer(), "between two pixels all is blurred"


def test_large_pictures_are_reduced_once_and_marks_stay_in_place() -> None:
    result = live(4000, 2000, boxes=[(400, 200, 800, 600)]).result
    reductions = Reductions()
    assert reductions.for_factor(result, 0.6) is result
    half = reductions.for_factor(result, 0.5)
    assert half.frame_bgr.shape == (1000, 2000, 3) and half.frame_bgr.flags.c_contiguous
    assert half.boxes_xywh[0].tolist() == [200, 100, 400, 300]
    assert reductions.for_factor(result, 0.4) is half, "it was made anew"
    assert reductions.for_factor(result, 0.2).frame_bgr.shape == (500, 1000, 3)
    small = live(640, 480).result
    assert reductions.for_factor(small, 0.1) is small


# --- painting


def test_at_actual_size_each_pixel_is_the_pictures(view: VideoView) -> None:
    frame = live(2000, 1500)
    view.show_frame(frame)
    view.zoom_to_actual(QPointF(320, 240))
    rect = view.picture_rect()
    image = seen(view)
    for x, y in ((0, 0), (639, 479), (100, 333), (640 // 2, 200)):
        column, row = x - round(rect.left()), y - round(rect.top())
        colour = image.pixelColor(x, y)
        assert (colour.blue(), colour.green()) == (column % 256, row % 256)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("factor", [None, 1.0, 2.7, 9.0])
def test_layers_are_where_the_picture_is_at_every_zoom(view: VideoView, mirrored: bool, factor: float | None) -> None:
    view.set_mirrored(mirrored)
    view.set_layers([Square()])
    view.show_frame(live(1600, 1200, boxes=[(790, 590, 20, 20)]))
    if factor is not None:
        view._measured().zoom_to(factor, QPointF(320, 240))
    image = seen(view)
    red = [(x, y) for x in range(640) for y in range(480) if image.pixelColor(x, y).name() == "#ff0000"]
    assert red
    for corner in (min(red), max(red)):
        place = view.frame_at(QPointF(corner[0] + 0.5, corner[1] + 0.5))
        assert place is not None
        scale = view.zoom_factor
        assert abs(np.array(place) - (800, 600)) == pytest.approx(np.full(2, 10), abs=1 + 1 / scale)


@pytest.mark.parametrize("zoomed", [False, True])
def test_beside_the_picture_there_is_the_background(view: VideoView, zoomed: bool) -> None:
    view.show_frame(live(2000, 300))
    if zoomed:
        view.zoom_to_actual()
    image = seen(view)
    assert image.pixelColor(320, 5) == BACKGROUND == image.pixelColor(320, 474)
    assert image.pixelColor(320, 240) != BACKGROUND


def test_each_frame_is_reported_once_however_often_it_is_painted(view: VideoView, qtbot: QtBot) -> None:
    told: list[tuple[float, float]] = []
    view.frame_painted.connect(lambda *times: told.append(times))
    view.show_frame(live())
    qtbot.waitUntil(lambda: len(told) == 1)
    view.grab()
    view.zoom_in()
    view.grab()
    assert len(told) == 1
    assert view.paint_ms > 0


# --- places


def test_points_and_faces_are_found_under_the_pointer(view: VideoView) -> None:
    view.show_frame(live(1280, 720, boxes=[(100, 100, 200, 200), (250, 150, 100, 100)]))
    assert view.frame_at(QPointF(0, 0)) is None, "beside the picture"
    assert view.frame_at(QPointF(320, 240)) == pytest.approx((640, 360))
    scale = view.picture_rect().width() / 1280
    top = view.picture_rect().top()

    def under(x: float, y: float) -> int | None:
        return view.face_at(QPointF(x * scale, top + y * scale))

    assert under(150, 150) == 7
    assert under(290, 200) == 8, "of two, the one whose middle is nearer"
    assert under(600, 200) is None
    view.set_mirrored(True)
    assert under(1280 - 150, 150) == 7 and under(150, 150) is None
    assert view.frame_at(QPointF(0, 240)) == pytest.approx((1280, 360))


def test_a_right_click_on_a_face_asks_for_its_menu(view: VideoView, qtbot: QtBot) -> None:
    view.show_frame(live(boxes=[(100, 100, 200, 200)]))

    def click(at: QPoint, reason: QContextMenuEvent.Reason = QContextMenuEvent.Reason.Mouse) -> None:
        QApplication.sendEvent(view, QContextMenuEvent(reason, at, view.mapToGlobal(at)))

    with qtbot.waitSignal(view.face_context_requested) as told:
        click(QPoint(150, 150))
    assert told.args == [7, view.mapToGlobal(QPoint(150, 150))]
    with qtbot.assertNotEmitted(view.face_context_requested):
        click(QPoint(500, 400))
    with qtbot.waitSignal(view.face_context_requested) as told:
        click(QPoint(500, 400), QContextMenuEvent.Reason.Keyboard)
    assert told.args is not None and told.args[0] == 7


def test_without_a_frame_nothing_is_anywhere(view: VideoView) -> None:
    assert view.picture_rect().isEmpty()
    assert view.frame_at(QPoint(10, 10)) is None and view.face_at(QPoint(10, 10)) is None
    view.zoom_in()
    view.zoom_to_actual()
    assert not view.is_zoomed
    assert not any(action.isEnabled() for action in view.actions_for_window())


# --- what the user does


def test_the_wheel_zooms_stills_and_with_ctrl_all(view: VideoView) -> None:
    view.show_frame(live(2000, 1500))
    wheel(view, QPointF(100, 100), 1, ctrl=False)
    assert not view.is_zoomed, "a wheel over a camera's picture does nothing"
    before = view.frame_at(QPointF(100, 100))
    wheel(view, QPointF(100, 100), 3, ctrl=True)
    assert view.is_zoomed and view.frame_at(QPointF(100, 100)) == pytest.approx(before, abs=4)
    top = view.picture_rect().top()
    wheel(view, QPointF(100, 100), -1, ctrl=False)
    assert view.picture_rect().top() < top, "magnified, it moves"
    view.show_frame(None)
    view.show_frame(live(2000, 1500, position=STILL))
    wheel(view, QPointF(100, 100), 1, ctrl=False)
    assert view.is_zoomed


def test_a_magnified_picture_is_dragged(view: VideoView, qtbot: QtBot) -> None:
    view.show_frame(live(2000, 1500))
    view.zoom_to_actual()
    before = view.picture_rect().topLeft()
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(300, 300))
    qtbot.mouseMove(view, QPoint(260, 330))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(260, 330))
    assert view.picture_rect().topLeft() - before == QPointF(-40, 30)
    view.show_frame(live(2000, 1500))
    assert view.picture_rect().topLeft() - before == QPointF(-40, 30), "the next frame is seen in the same place"


def test_a_double_click_shows_the_actual_size_and_the_whole_again(view: VideoView, qtbot: QtBot) -> None:
    view.show_frame(live(2000, 1500))
    before = view.frame_at(QPointF(200, 150))
    qtbot.mouseDClick(view, Qt.MouseButton.LeftButton, pos=QPoint(200, 150))
    assert view.zoom_factor == 1.0
    assert view.frame_at(QPointF(200, 150)) == pytest.approx(before, abs=2)
    qtbot.mouseDClick(view, Qt.MouseButton.LeftButton, pos=QPoint(200, 150))
    assert not view.is_zoomed


def test_keys_zoom(view: VideoView, qtbot: QtBot) -> None:
    view.show_frame(live(2000, 1500))
    fit = view.zoom_factor
    with qtbot.waitSignal(view.zoom_changed):
        qtbot.keyClick(view, Qt.Key.Key_Plus)
    assert view.zoom_factor == pytest.approx(1.25 * fit)
    qtbot.keyClick(view, Qt.Key.Key_Minus)
    assert not view.is_zoomed
    qtbot.keyClick(view, Qt.Key.Key_Z)
    assert view.zoom_factor == 1.0
    qtbot.keyClick(view, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert not view.is_zoomed


def test_arrow_keys_move_a_magnified_picture_and_are_shortcuts_otherwise(view: VideoView, qtbot: QtBot) -> None:
    pressed: list[int] = []
    shortcut = QAction(view)
    shortcut.setShortcut(QKeySequence("Right"))
    shortcut.triggered.connect(lambda: pressed.append(1))
    view.addAction(shortcut)
    view.setFocus()
    view.show_frame(live(2000, 1500))
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert pressed == [1]
    view.zoom_to_actual()
    left = view.picture_rect().left()
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert pressed == [1] and view.picture_rect().left() < left


def test_another_source_is_seen_as_a_whole(view: VideoView) -> None:
    view.show_frame(live(2000, 1500))
    view.zoom_to_actual()
    view.show_frame(None)
    view.show_frame(live(2000, 1500))
    assert not view.is_zoomed


def test_icons_follow_the_palette(view: VideoView) -> None:
    keys = [action.icon().cacheKey() for action in view.actions_for_window()]
    QApplication.sendEvent(view, QEvent(QEvent.Type.PaletteChange))
    assert all(action.icon().cacheKey() != key for action, key in zip(view.actions_for_window(), keys, strict=True))
