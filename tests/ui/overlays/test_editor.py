"""Making an overlay in the real dialog, by mouse and keys."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt

from fkd_desktop.overlays.description import Blend, Fit
from tests.ui.overlays.helpers import LEFT, at_keypoints, drag, red_where
from trainer.core.keypoints import LEFT_EYE, RIGHT_EYE


def test_it_begins_with_an_invitation_and_nothing_to_save(open_editor):
    editor = open_editor()
    assert not editor.isModal()
    assert not editor.save_button.isEnabled()
    assert not any(button.isEnabled() for button in editor.placing.presets.values())
    assert not editor.placing.undo_button.isEnabled()
    assert not red_where(editor.face_pane).any()


def test_a_picture_is_put_on_the_model_at_once(editor):
    assert editor.name_edit.text() == "Red glasses"
    red = red_where(editor.face_pane)
    assert red.mean() > 0.01
    ys, xs = np.nonzero(red)
    eyes = [at_keypoints(editor.face_pane, eye) for eye in (RIGHT_EYE, LEFT_EYE)]
    assert xs.mean() == pytest.approx((eyes[0].x() + eyes[1].x()) / 2, abs=4)
    assert ys.mean() == pytest.approx((eyes[0].y() + eyes[1].y()) / 2, abs=6)
    assert np.ptp(xs) == pytest.approx(2 * (eyes[1].x() - eyes[0].x()), abs=4)


def test_anchors_are_dragged_on_the_picture_and_the_face_follows(editor):
    pane = editor.picture_pane
    before = red_where(editor.face_pane)
    first = pane.handles()[0]
    # Both anchors nearer to each other on the picture: the picture is larger on the face.
    drag(pane, first + QPointF(3, -2), first + QPointF(43, -2))
    x, y = editor.document.draft.anchors[0].image_px
    scale = 400 / pane.picture_rect().width()
    assert (x, y) == pytest.approx((100 + 40 * scale, 80), abs=0.5)
    after = red_where(editor.face_pane)
    assert np.ptp(np.nonzero(after)[1]) > np.ptp(np.nonzero(before)[1]) * 1.2
    editor.placing.undo_button.click()
    assert editor.document.draft.anchors[0].image_px == (100, 80)
    assert (red_where(editor.face_pane) == before).all()


def test_an_anchor_dragged_over_the_face_snaps_to_the_nearest_place(editor):
    pane = editor.face_pane
    start, end = pane.handles()[0], at_keypoints(pane, (48,))
    drag(pane, start, end + QPointF(2, 1))
    assert editor.document.draft.anchors[0].keypoints == (48,)
    assert (pane.handles()[0] - end).manhattanLength() < 0.01
    other = pane.handles()[1]
    drag(pane, pane.handles()[0], other)
    assert editor.document.draft.anchors[0].keypoints != LEFT_EYE, "two anchors cannot be in one place"
    assert editor.document.draft.anchors[1].keypoints == LEFT_EYE


def test_pressing_beside_the_anchors_changes_nothing(editor):
    draft = editor.document.draft
    for pane in (editor.picture_pane, editor.face_pane):
        corner = QPointF(3, 3)
        drag(pane, corner, corner + QPointF(60, 60))
    assert editor.document.draft is draft


def test_keys_choose_nudge_and_walk(qtbot, editor):
    pane, document = editor.picture_pane, editor.document
    pane.setFocus()
    qtbot.keyClick(pane, Qt.Key.Key_2)
    assert document.selected == 1
    qtbot.keyClick(pane, Qt.Key.Key_Right)
    qtbot.keyClick(pane, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert document.draft.anchors[1].image_px == pytest.approx((300.4, 84))
    qtbot.keyClick(pane, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert document.draft.anchors[1].image_px == (300, 80), "nudges in a row are one step"
    qtbot.keyClick(pane, Qt.Key.Key_PageDown)
    assert document.selected == 0
    face = editor.face_pane
    face.setFocus()
    qtbot.keyClick(face, Qt.Key.Key_Down)
    moved = document.draft.anchors[0].keypoints
    assert moved != RIGHT_EYE
    points = face.face.keypoints_px[0]
    assert points[list(moved)].mean(axis=0)[1] > points[list(RIGHT_EYE)].mean(axis=0)[1]
    qtbot.keyClick(editor.placing.add_button, Qt.Key.Key_Space)
    assert len(document.draft.anchors) == 3
    qtbot.keyClick(face, Qt.Key.Key_Delete)
    assert len(document.draft.anchors) == 2


@pytest.mark.parametrize(("name", "above"), [("hat", True), ("moustache", False), ("face", None), ("glasses", None)])
def test_presets_put_the_picture_where_it_belongs(editor, name, above):
    editor.placing.presets[name].click()
    rows = np.nonzero(red_where(editor.face_pane))[0]
    brows, nose = (at_keypoints(editor.face_pane, points).y() for points in ((19, 24), (30,)))
    if above is True:
        assert np.median(rows) < brows
    elif above is False:
        assert np.median(rows) > nose
    else:
        assert rows.min() < brows < rows.max()


def test_choices_are_kept_in_the_draft_and_undone(qtbot, editor):
    look, document = editor.look, editor.document
    look.opacity.setValue(60)
    look.opacity.setValue(40)
    look.blend.setCurrentIndex(look.blend.findData("multiply"))
    look.blend.activated.emit(look.blend.currentIndex())
    look.order.setCurrentIndex(look.order.findData(95))
    look.order.activated.emit(look.order.currentIndex())
    qtbot.mouseClick(look.mirror, LEFT, pos=QPoint(8, look.mirror.height() // 2))
    draft = document.draft
    assert (draft.opacity, draft.blend, draft.order, draft.mirror) == (0.4, Blend.MULTIPLY, 95, True)
    for _ in range(4):
        editor.placing.undo_button.click()
    assert (look.opacity.value(), look.blend.currentData(), look.order.currentData()) == (100, "normal", 50)
    assert not look.mirror.isChecked()
    assert not look.keep_shape.isEnabled()
    editor.placing.presets["face"].click()
    assert look.keep_shape.isEnabled() and not look.keep_shape.isChecked()
    look.keep_shape.click()
    assert document.draft.fit is Fit.SIMILARITY
