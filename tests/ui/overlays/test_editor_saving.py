"""From the editor to the library and back, and what is asked and told on the way."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage
from PySide6.QtWidgets import QMessageBox

from fkd_desktop.overlays import render
from fkd_desktop.overlays.library import OverlayLibrary
from fkd_desktop.ui.overlays import editor as module
from fkd_desktop.ui.overlays.editor import OverlayEditor
from tests.ui.overlays.conftest import glasses_image
from tests.ui.overlays.helpers import LEFT, choose, drag, red_where


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
