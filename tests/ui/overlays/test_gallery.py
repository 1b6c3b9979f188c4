"""The panel of overlays: tiles, groups, keys, menus, and what is broken."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QContextMenuEvent, QDropEvent, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QMenu

from fkd_desktop.ui.overlays.tile import OverlayTile


def of_group(gallery, name):
    return [tile.name for tile in gallery.groups[name].grid.tiles]


def submenu(menu, text):
    return next(action.menu() for action in menu.actions() if text in action.text())


def item(menu, text):
    return next(action for action in menu.actions() if text in action.text())


def reload(gallery):
    gallery._library.reload()
    gallery._on_library_changed()


def test_every_overlay_has_a_tile_in_its_group(gallery, library, add_own):
    assert of_group(gallery, "drawn")[:3] == ["keypoints", "numbers", "boxes"]
    assert "sunglasses" in of_group(gallery, "fun")
    assert set(of_group(gallery, "privacy")) == {"blur", "pixelate"}
    assert not gallery.groups["own"].isVisible()
    add_own("mine", "My glasses")
    reload(gallery)
    assert of_group(gallery, "own") == ["mine"]
    assert gallery.groups["own"].isVisible()
    assert sorted(gallery.tiles) == sorted(info.name for info in library.infos)


def test_a_click_switches_and_the_stack_is_followed(qtbot, gallery, stack):
    tile = gallery.tiles["sunglasses"]
    qtbot.mouseClick(tile, Qt.MouseButton.LeftButton)
    assert stack.is_on("sunglasses") and tile.isChecked()
    stack.clear()
    assert not tile.isChecked()


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_keys_switch_the_tile_with_the_focus(qtbot, gallery, stack, key):
    tile = gallery.tiles["numbers"]
    tile.setFocus()
    qtbot.keyClick(tile, key)
    assert stack.is_on("numbers")
    qtbot.keyClick(tile, key)
    assert not stack.is_on("numbers")


def test_arrows_go_from_tile_to_tile_over_the_groups(qtbot, gallery, window):
    window.activateWindow()
    drawn, fun = gallery.groups["drawn"].grid, gallery.groups["fun"].grid
    columns = drawn.columns(drawn.width())
    drawn.tiles[0].setFocus()

    def press(key):
        qtbot.keyClick(QApplication.focusWidget(), key)
        return QApplication.focusWidget()

    assert press(Qt.Key.Key_Right) is drawn.tiles[1]
    assert press(Qt.Key.Key_Left) is drawn.tiles[0]
    assert press(Qt.Key.Key_Left) is drawn.tiles[0]
    assert press(Qt.Key.Key_Down) is drawn.tiles[columns]
    assert press(Qt.Key.Key_Down) is fun.tiles[0]
    assert press(Qt.Key.Key_Up) is drawn.tiles[columns]
    assert press(Qt.Key.Key_End) is gallery.groups["privacy"].grid.tiles[-1]
    assert not QApplication.focusWidget().visibleRegion().isEmpty(), "it is scrolled into sight"
    assert press(Qt.Key.Key_Down) is gallery.groups["privacy"].grid.tiles[-1]
    assert press(Qt.Key.Key_Home) is drawn.tiles[0]


@pytest.mark.parametrize(("width", "columns"), [(260, 2), (340, 3), (420, 3)])
def test_tiles_fill_the_width_without_overlapping(qtbot, gallery, window, width, columns):
    window.resize(width, 900)
    qtbot.waitUntil(lambda: gallery.width() == width)
    grid = gallery.groups["drawn"].grid
    assert grid.columns(grid.width()) == columns
    qtbot.waitUntil(lambda: all(grid.rect().contains(tile.geometry()) for tile in grid.tiles))
    places = [tile.geometry() for tile in grid.tiles]
    assert not any(a.intersects(b) for i, a in enumerate(places) for b in places[:i])
    assert gallery.scroll_area.horizontalScrollBar().maximum() == 0
    headings = [group.heading for group in gallery.groups.values() if group.isVisible()]
    assert all(label.height() < 30 for label in headings)


def test_a_tile_says_what_it_is_to_screen_readers(gallery, actions):
    tile = gallery.tiles["keypoints"]
    assert tile.accessibleName() == "Keypoints"
    assert tile.accessibleDescription() == "key 1"
    actions.set_key("keypoints", "")
    assert tile.accessibleDescription() == ""
    assert tile.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_the_menu_of_a_shipped_overlay_switches_it_and_sets_its_key(qtbot, gallery, stack, actions):
    menu = gallery.menu_of("numbers")
    item(menu, "On the picture").trigger()
    assert stack.is_on("numbers")
    keys = submenu(menu, "Number key")
    assert [action.data() for action in keys.actions() if action.isChecked()] == ["2"]
    assert item(keys, "1 (now Keypoints)").isEnabled()
    with qtbot.waitSignal(actions.keys_changed):
        item(keys, "1 (now Keypoints)").trigger()
    assert (gallery.tiles["numbers"].key, gallery.tiles["keypoints"].key) == ("1", "")
    with qtbot.waitSignal(actions.keys_changed):
        item(submenu(gallery.menu_of("numbers"), "Number key"), "None").trigger()
    assert gallery.tiles["numbers"].key == ""
    assert not any("Delete" in action.text() or "Edit" in action.text() for action in menu.actions())


def test_the_menu_of_ones_own_edits_renames_and_deletes(qtbot, gallery, add_own, user_folder):
    add_own("mine", "Mine")
    gallery.reload()
    menu = gallery.menu_of("mine")
    texts = [action.text() for action in menu.actions()]
    assert [text for text in ("Edit…", "Rename…", "Open folder", "Delete…") if text not in texts] == []
    item(menu, "Edit").trigger()
    qtbot.waitUntil(lambda: gallery.editor.document.draft.title == "Mine")
    gallery.editor.reject()
    assert gallery.editor is None
    toml = (user_folder / "mine" / "overlay.toml").read_text(encoding="utf-8")
    picture = toml[toml.index("[[pictures]]") :]
    (user_folder / "mine" / "overlay.toml").write_text(f"{toml}\n{picture}", encoding="utf-8")
    gallery.reload()
    edit = item(gallery.menu_of("mine"), "Edit")
    assert not edit.isEnabled() and "folder" in edit.toolTip()


def test_the_menu_opens_by_mouse_and_by_keyboard(qtbot, gallery):
    tile: OverlayTile = gallery.tiles["numbers"]
    for reason in (QContextMenuEvent.Reason.Mouse, QContextMenuEvent.Reason.Keyboard):
        event = QContextMenuEvent(reason, QPoint(5, 5), tile.mapToGlobal(QPoint(5, 5)))
        QApplication.sendEvent(tile, event)
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        menu.close()


def test_a_broken_overlay_is_listed_with_its_reason_at_the_end(qtbot, gallery, add_broken, library):
    assert gallery.broken_rows == []
    add_broken("spoilt")
    reload(gallery)
    (row,) = gallery.broken_rows
    texts = [label.text() for label in row.findChildren(QLabel)]
    assert "spoilt" in texts
    plain = row.reason.text().replace("\u200b", "")
    assert library.broken[0].reason in plain[0].lower() + plain[1:]
    qtbot.waitUntil(row.remove_button.isVisible)
    assert row.accessibleName() and row.accessibleDescription() == library.broken[0].reason
    last = max(group.mapTo(gallery, QPoint(0, group.height())).y() for group in gallery.groups.values())
    assert row.mapTo(gallery, QPoint(0, 0)).y() >= last - 8
    assert row.width() <= gallery.scroll_area.viewport().width()


def test_a_rename_outside_is_followed_and_what_is_gone_goes(gallery, add_own, user_folder, library, stack, actions):
    add_own("mine", "First")
    reload(gallery)
    stack.set_on("mine", True)
    assert gallery.active_list.rows["mine"].title == "First"
    library.remove(user_folder / "mine")
    add_own("mine", "Second")
    reload(gallery)
    assert gallery.tiles["mine"].text() == "Second"
    assert gallery.active_list.rows["mine"].title == "Second"
    assert actions.actions["mine"].text() == "Second"
    library.remove(user_folder / "mine")
    reload(gallery)
    assert "mine" not in gallery.tiles
    assert "mine" not in gallery.active_list.rows
    assert not stack.is_on("mine")


def test_a_file_that_was_mended_is_seen_when_the_window_comes_back(qtbot, gallery, add_broken, user_folder, library):
    add_broken("spoilt")
    gallery.reload()
    assert len(gallery.broken_rows) == 1
    good = (library.info("sunglasses").folder / "overlay.toml").read_text(encoding="utf-8")
    image = library.description("sunglasses").pictures[0].image
    (user_folder / "spoilt" / image).write_bytes((library.info("sunglasses").folder / image).read_bytes())
    (user_folder / "spoilt" / "overlay.toml").write_text(good, encoding="utf-8")
    gallery.window().activateWindow()
    qtbot.waitUntil(gallery.isActiveWindow)
    QApplication.sendEvent(gallery, QEvent(QEvent.Type.ActivationChange))
    assert gallery.broken_rows == []
    assert of_group(gallery, "own") == ["spoilt"]


def test_the_editor_opens_once_and_a_dropped_picture_goes_into_it(qtbot, gallery, glasses_png):
    qtbot.mouseClick(gallery.add_button, Qt.MouseButton.LeftButton)
    editor = gallery.editor
    assert editor.isVisible() and not editor.isModal()
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(glasses_png))])
    copy, left, plain = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    gallery.dropEvent(QDropEvent(QPointF(9, 9), copy, mime, left, plain))
    assert gallery.editor is editor
    qtbot.waitUntil(lambda: editor.document.draft.picture is not None)
    assert gallery.has_unsaved_changes
    editor.save()
    qtbot.waitUntil(lambda: gallery.editor is None)
    assert of_group(gallery, "own") == ["red-glasses"]
    assert gallery.tiles["red-glasses"].isChecked(), "what was just made is on"
    assert not gallery.has_unsaved_changes


def test_the_division_of_the_room_is_restored(qtbot, gallery, stack, library, actions, session):
    gallery.splitter.setSizes([300, 500])
    sizes, state = gallery.splitter.sizes(), gallery.splitter_state
    gallery.splitter.setSizes([600, 200])
    assert gallery.splitter.sizes() != sizes
    gallery.splitter_state = state
    assert gallery.splitter.sizes() == sizes


def test_icons_follow_the_theme(qtbot, gallery, stack):
    stack.set_on("hat", True)
    row = gallery.active_list.rows["hat"]
    before = [gallery.add_button.icon().cacheKey(), row.up_button.icon().cacheKey()]
    dark = QPalette(gallery.palette())
    dark.setColor(QPalette.ColorRole.WindowText, Qt.GlobalColor.white)
    gallery.setPalette(dark)
    qtbot.waitUntil(lambda: gallery.add_button.icon().cacheKey() != before[0])
    assert row.up_button.icon().cacheKey() != before[1]
