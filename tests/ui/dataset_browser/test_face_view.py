"""The large view: where things are painted, and what the mouse finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent

from fkd_desktop.ui.dataset_browser.face_view import FaceView
from fkd_desktop.ui.dataset_browser.marks import PREDICTED_COLOUR, TRUE_COLOUR
from tests.ui.dataset_browser.conftest import pixels

OFFSET_PX = np.array([6, 2], np.float32)


@pytest.fixture
def points(drawn):
    return drawn.points(x=200, y=140, width=120)


@pytest.fixture
def view(qtbot, drawn, points):
    view = FaceView()
    qtbot.addWidget(view)
    view.resize(600, 500)
    view.show()
    qtbot.waitExposed(view)
    image = np.full((300, 400, 3), 60, np.uint8)
    drawn.paint(image, points)
    view.show_face((image,), truth_px=points, predicted_px=points + OFFSET_PX)
    return view


def is_colour(image, x, y, colour):
    row, column = round(y), round(x)
    near = image[row - 1 : row + 2, column - 1 : column + 2].reshape(-1, 3)
    return bool((np.abs(near - [colour.red(), colour.green(), colour.blue()]).sum(axis=1) < 60).any())


@pytest.mark.parametrize("ratio", [1.0, 2.0])
@pytest.mark.parametrize("whole_image", [False, True])
def test_keypoints_are_painted_on_the_middle_of_their_pixels(view, points, ratio, whole_image):
    view.marks = replace(view.marks, whole_image=whole_image)
    image = pixels(view.picture_of_view(ratio))
    assert image.shape[:2] == (500 * ratio, 600 * ratio)
    pane = view.panes()[0]
    for x, y in view.viewport.to_view(points, pane):
        assert is_colour(image, x * ratio, y * ratio, TRUE_COLOUR), (x, y)
    if whole_image:  # 400 x 300 in 600 x 500: 1.5 times as large, 25 below the top
        x, y = view.viewport.to_view(points[:1], pane)[0]
        assert (x, y) == pytest.approx(((points[0, 0] + 0.5) * 1.5, (points[0, 1] + 0.5) * 1.5 + 25))


def test_the_face_fills_the_view_unless_the_whole_image_is_asked_for(view, points):
    close = view.viewport.to_view(points, view.panes()[0])
    assert np.ptp(close[:, 0]) > 250
    view.marks = replace(view.marks, whole_image=True)
    assert np.ptp(view.viewport.to_view(points, view.panes()[0])[:, 0]) == pytest.approx(180, abs=1)


def test_truth_and_prediction_are_switched_apart_and_stand_side_by_side(view, points):
    def seen():
        image = pixels(view.picture_of_view(1.0))
        return [
            [
                np.mean([is_colour(image, x, y, colour) for x, y in view.viewport.to_view(px, pane)]) > 0.9
                for px, colour in ((points, TRUE_COLOUR), (points + OFFSET_PX, PREDICTED_COLOUR))
            ]
            for pane in view.panes()
        ]

    assert seen() == [[True, False]]
    view.marks = replace(view.marks, truth=False, prediction=True)
    assert seen() == [[False, True]]
    view.marks = replace(view.marks, truth=True, side_by_side=True)
    assert seen() == [[True, False], [False, True]]


def test_the_wheel_zooms_about_the_mouse_and_a_double_click_shows_all_again(view, qtbot):
    pane, mouse = view.panes()[0], QPointF(150, 320)
    before = view.viewport.to_picture(mouse, pane)
    wheel = QWheelEvent(
        mouse, mouse, QPoint(), QPoint(0, 360), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    view.wheelEvent(wheel)
    assert view.viewport.zoom == pytest.approx(1.2**3)
    after = view.viewport.to_picture(mouse, pane)
    assert (after.x(), after.y()) == pytest.approx((before.x(), before.y()))
    qtbot.mouseDClick(view, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))
    assert view.viewport.zoom == 1.0


def test_dragging_moves_the_picture_with_the_mouse(view, qtbot, points):
    pane = view.panes()[0]
    before = view.viewport.to_view(points, pane)
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(300, 250))
    qtbot.mouseMove(view, QPoint(340, 220))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(340, 220))
    np.testing.assert_allclose(view.viewport.to_view(points, pane) - before, [[40, -30]] * 68, atol=1e-6)
    qtbot.mouseMove(view, QPoint(100, 100))
    np.testing.assert_allclose(view.viewport.to_view(points, pane) - before, [[40, -30]] * 68, atol=1e-6)


def test_the_point_under_the_mouse_is_named(view, qtbot, points):
    x, y = view.viewport.to_view(points, view.panes()[0])[36]
    qtbot.mouseMove(view, QPoint(round(x) + 2, round(y)))
    assert view.hover_text == f"36 · right eye · x {points[36, 0]:.1f}, y {points[36, 1]:.1f}"
    view.marks = replace(view.marks, prediction=True)
    qtbot.mouseMove(view, QPoint(round(x), round(y)))
    assert view.hover_text.endswith("6.3 px apart")
    qtbot.mouseMove(view, QPoint(3, 3))
    assert view.hover_text == ""


def test_numbers_and_names_are_painted_when_asked_for(view):
    plain = pixels(view.picture_of_view(1.0))
    view.marks = replace(view.marks, numbers=True)
    numbered = pixels(view.picture_of_view(1.0))
    view.marks = replace(view.marks, numbers=False, names=True)
    named = pixels(view.picture_of_view(1.0))
    changed = [(np.abs(image - plain).max(axis=2) > 30).sum() for image in (numbered, named)]
    assert min(changed) > 1500


def test_a_message_stands_in_for_a_picture(view):
    view.show_face((), truth_px=None, message="There is no image.")
    assert not view.has_picture
    assert (pixels(view.picture_of_view(1.0)) > 180).any(), "the message is bright on dark"


def test_keys_zoom_and_step(view, qtbot):
    with qtbot.waitSignal(view.stepped) as told:
        qtbot.keyClick(view, Qt.Key.Key_Down)
    assert told.args == [1]
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    assert view.viewport.zoom > 1
    qtbot.keyClick(view, Qt.Key.Key_0)
    assert view.viewport.zoom == 1
