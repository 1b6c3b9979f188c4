"""Making an overlay: the real dialog, by mouse and keys, from a file to the library and back."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage, QMouseEvent
from PySide6.QtWidgets import QApplication, QMessageBox

from fkd_desktop.overlays import render
from fkd_desktop.overlays.description import Blend, Fit
from fkd_desktop.overlays.library import OverlayLibrary
from fkd_desktop.ui.overlays import editor as module
from fkd_desktop.ui.overlays.editor import OverlayEditor
from tests.ui.overlays.conftest import glasses_image
from trainer.core.keypoints import LEFT_EYE, RIGHT_EYE

LEFT = Qt.MouseButton.LeftButton


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


def choose(qtbot, editor, path):
    editor.choose(path)
    qtbot.waitUntil(lambda: not editor.is_busy)


def drag(pane, start: QPointF, end: QPointF, *, steps: int = 6) -> None:
    """Press, move with the button down, release."""
    none, plain = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier

    def send(kind, at, button, buttons):
        place = QPointF(pane.mapToGlobal(at.toPoint()))
        QApplication.sendEvent(pane, QMouseEvent(kind, at, place, button, buttons, plain))

    send(QEvent.Type.MouseButtonPress, start, LEFT, LEFT)
    for step in range(1, steps + 1):
        send(QEvent.Type.MouseMove, start + (end - start) * (step / steps), none, LEFT)
    send(QEvent.Type.MouseButtonRelease, end, LEFT, none)


def red_where(pane) -> np.ndarray:
    """(H, W) bool: where a pane shows the red of the glasses."""
    image = pane.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    blue, green, red = np.moveaxis(
        rows[:, : 4 * image.width()].reshape(image.height(), -1, 4)[:, :, :3].astype(int), 2, 0
    )
    return (red > 240) & (green < 15) & (blue < 15)


def at_keypoints(pane, keypoints) -> QPointF:
    return pane.to_widget(*pane.face.keypoints_px[0][list(keypoints)].mean(axis=0).tolist())


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


def test_a_name_of_any_kind_becomes_a_safe_folder(qtbot, editor, library, user_folder):
    editor.name_edit.clear()
    qtbot.keyClicks(editor.name_edit, "Mask: Ä/../x")
    with qtbot.waitSignal(editor.saved) as saved:
        qtbot.mouseClick(editor.save_button, LEFT)
    assert not editor.isVisible()
    name = saved.args[0]
    assert (user_folder / name).parent == user_folder
    assert name.isascii() and "/" not in name and "." not in name
    assert library.info(name).title == "Mask: Ä/../x"
    assert library.broken == ()


@pytest.mark.parametrize(("preset", "more"), [("glasses", 0), ("face", 0), ("face", 1), ("face", 2), ("hat", 1)])
def test_what_is_saved_is_painted_where_the_editor_showed_it(qtbot, editor, user_folder, preset, more):
    editor.placing.presets[preset].click()
    for _ in range(more):
        editor.placing.add_button.click()
    pane = editor.face_pane
    first = pane.handles()[0]
    drag(pane, first, first + QPointF(0, 30))
    # The anchors are in the way: what is compared is the outline, which they do not reach.
    shown_ys, shown_xs = np.nonzero(red_where(pane))
    with qtbot.waitSignal(editor.saved) as saved:
        editor.save()
    painted = render(pane.face, [OverlayLibrary(user_folder).layer(saved.args[0])])
    ys, xs = np.nonzero((painted[:, :, 2] > 240) & (painted[:, :, :2].max(axis=2) < 15))
    rect, scale = pane.picture_rect(), pane.picture_rect().width() / pane.face.frame_bgr.shape[1]
    assert len(xs) > 500
    for saved_px, shown_px, offset in ((xs, shown_xs, rect.left()), (ys, shown_ys, rect.top())):
        for edge in (np.min, np.max):
            assert (edge(saved_px) + 0.5) * scale + offset == pytest.approx(edge(shown_px) + 0.5, abs=3)


def test_two_of_the_same_name_get_folders_of_their_own(qtbot, open_editor, glasses_png, library):
    names = []
    for _ in range(2):
        editor = open_editor()
        choose(qtbot, editor, glasses_png)
        editor.document.change("", title="Keypoints")
        with qtbot.waitSignal(editor.saved) as saved:
            editor.save()
        names.append(saved.args[0])
    assert len(set(names)) == 2 and "keypoints" not in names
    assert [info.title for info in library.infos if info.origin == "user"] == ["Keypoints", "Keypoints"]


def test_one_is_opened_changed_and_saved_in_its_place(qtbot, add_own, library, open_editor, user_folder):
    add_own("mine", "Mine", order=37)
    library.reload()
    editor = open_editor("mine")
    qtbot.waitUntil(lambda: editor.document.draft.picture is not None)
    draft = editor.document.draft
    assert (draft.title, draft.order) == ("Mine", 37)
    assert draft.anchors[0].image_px == (100, 80)
    assert "37" in editor.look.order.currentText()
    assert not editor.document.is_modified
    editor.picture_pane.setFocus()
    qtbot.keyClick(editor.picture_pane, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    editor.name_edit.selectAll()
    qtbot.keyClicks(editor.name_edit, "Yours")
    with qtbot.waitSignal(editor.saved) as saved:
        editor.save()
    assert saved.args == ["mine"]
    assert sorted(path.name for path in user_folder.iterdir()) == ["mine"]
    assert library.info("mine").title == "Yours"
    assert library.description("mine").pictures[0].anchors[0].image_px == (104, 80)


def test_only_what_the_editor_could_have_made_is_edited(library, add_own, user_folder):
    add_own("mine", "Mine")
    toml = (user_folder / "mine" / "overlay.toml").read_text(encoding="utf-8")
    picture = toml[toml.index("[[pictures]]") :]
    library.reload()
    assert OverlayEditor.can_edit(library, "mine")
    (user_folder / "mine" / "overlay.toml").write_text(f"{toml}\n{picture}", encoding="utf-8")
    library.reload()
    assert not library.broken
    assert not OverlayEditor.can_edit(library, "mine")
    assert not OverlayEditor.can_edit(library, "sunglasses")
    assert not OverlayEditor.can_edit(library, "keypoints")


def test_a_bad_file_is_told_and_nothing_is_lost(qtbot, editor, tmp_path):
    draft = editor.document.draft
    bad = tmp_path / "letter.png"
    bad.write_text("Dear Sir", encoding="utf-8")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(bad))])
    copy, plain = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    editor.dropEvent(QDropEvent(QPointF(9, 9), copy, mime, LEFT, plain))
    qtbot.waitUntil(lambda: not editor.is_busy)
    assert "letter.png" in editor.message and editor.message.endswith(".")
    assert editor.document.draft is draft
    assert editor.save_button.isEnabled()


def test_a_large_picture_is_kept_smaller_and_saved_with_its_anchors(qtbot, open_editor, tmp_path, library):
    path = tmp_path / "huge.png"
    assert glasses_image(8000, 3200).save(str(path))
    editor = open_editor()
    choose(qtbot, editor, path)
    assert "2048 × 819" in editor.message
    with qtbot.waitSignal(editor.saved, timeout=20_000) as saved:
        editor.save()
    folder = library.info(saved.args[0]).folder
    assert QImage(str(folder / "picture.png")).width() == 2048
    anchors = library.description(saved.args[0]).pictures[0].anchors
    assert anchors[0].image_px == pytest.approx((512, 409.5))


def test_anchors_on_a_line_and_a_missing_name_are_told_before_saving(qtbot, editor, user_folder):
    editor.placing.presets["face"].click()
    document = editor.document
    (_, first_y), (_, second_y), _ = (anchor.image_px for anchor in document.draft.anchors)
    document.move_on_picture(2, (200, (first_y + second_y) / 2), "drag")
    assert "one line" in editor.message
    editor.save()
    assert not editor.is_busy
    document.undo_stack.undo()
    assert editor.message == ""
    editor.name_edit.clear()
    editor.name_edit.textEdited.emit("")
    editor.save()
    assert "name" in editor.message and not editor.is_busy
    assert not user_folder.exists()


def test_a_failed_save_is_told_and_can_be_tried_again(qtbot, editor, user_folder, monkeypatch):
    user_folder.write_text("a file where the folder should be", encoding="utf-8")
    editor.save()
    qtbot.waitUntil(lambda: editor.message != "" and not editor.is_busy)
    assert str(user_folder) in editor.message
    assert editor.isVisible() and editor.document.is_modified
    user_folder.unlink()
    with qtbot.waitSignal(editor.saved):
        editor.save()


def test_one_that_was_deleted_meanwhile_is_told(qtbot, add_own, library, open_editor, user_folder):
    add_own("mine", "Mine")
    library.reload()
    editor = open_editor("mine")
    qtbot.waitUntil(lambda: editor.document.draft.picture is not None)
    library.remove(user_folder / "mine")
    editor.save()
    assert "not there any more" in editor.message and not editor.is_busy


def test_nothing_is_changed_or_closed_while_it_is_saved(qtbot, editor, monkeypatch):
    go_on = threading.Event()
    save = module.save_overlay
    monkeypatch.setattr(module, "save_overlay", lambda *args, **names: (go_on.wait(10), save(*args, **names)))
    editor.save()
    try:
        assert editor.is_busy
        assert not any(
            widget.isEnabled() for widget in (editor.picture_pane, editor.face_pane, editor.look, editor.name_edit)
        )
        editor.close()
        editor.reject()
        assert editor.isVisible()
    finally:
        go_on.set()
    qtbot.waitUntil(lambda: not editor.isVisible())


def test_closing_asks_when_something_would_be_lost(qtbot, editor, user_folder):
    def answer(text):
        (box,) = [box for box in editor.findChildren(QMessageBox) if box.isVisible()]
        next(button for button in box.buttons() if text in button.text()).click()

    editor.close()
    assert editor.isVisible()
    answer("Go on editing")
    assert editor.isVisible()
    editor.reject()
    with qtbot.waitSignal(editor.saved):
        answer("Save")
    assert not editor.isVisible()
    assert len(list(user_folder.iterdir())) == 1


def test_discarding_writes_nothing_and_an_untouched_dialog_just_closes(qtbot, editor, open_editor, user_folder):
    editor.reject()
    (box,) = [box for box in editor.findChildren(QMessageBox) if box.isVisible()]
    next(button for button in box.buttons() if "Discard" in button.text()).click()
    assert not editor.isVisible() and not user_folder.exists()
    untouched = open_editor()
    untouched.close()
    assert not untouched.isVisible()


def test_the_live_face_is_shown_on_demand_and_waits_while_an_anchor_is_dragged(qtbot, editor, session, faces_in):
    model = editor.face_pane.face
    side = editor.face_side
    side.live_box.setChecked(True)
    assert "Nobody" in side.note.text()
    assert editor.face_pane.face is model
    session.result = faces_in(5)
    qtbot.waitUntil(lambda: list(editor.face_pane.face.ids) == [5])
    assert side.note.text() == ""
    assert red_where(editor.face_pane).mean() > 0.01
    pane = editor.face_pane
    qtbot.mousePress(pane, LEFT, pos=pane.handles()[0].toPoint())
    held = pane.face
    session.result = faces_in(6)
    side._show_newest()
    assert pane.face is held
    qtbot.mouseRelease(pane, LEFT)
    qtbot.waitUntil(lambda: list(pane.face.ids) == [6])
    side.live_box.setChecked(False)
    assert pane.face is model


def test_the_copy_for_the_preview_is_deleted_with_the_dialog(qtbot, editor, monkeypatch):
    folder = module.Path(editor._preview._folder.name)
    assert folder.is_dir()
    editor.document.undo_stack.setClean()
    editor.close()
    assert not folder.exists()
