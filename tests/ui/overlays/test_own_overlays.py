"""Renaming and deleting overlays of one's own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QFile
from PySide6.QtWidgets import QInputDialog, QMessageBox

from fkd_desktop.overlays.library import OverlayLibrary
from fkd_desktop.ui.overlays import own_overlays as module


@pytest.fixture
def own(gallery, add_own, library):
    add_own("mine", "Mine")
    library.reload()
    gallery._on_library_changed()
    return gallery.own


def press(box: QMessageBox, text: str) -> None:
    next(button for button in box.buttons() if text in button.text()).click()


def newest_box(window) -> QMessageBox:
    return window.findChildren(QMessageBox)[-1]


def test_a_new_title_is_kept_and_the_folder_keeps_its_name(own, gallery, user_folder, stack):
    stack.set_on("mine", True)
    dialog: QInputDialog = own.ask_rename("mine")
    assert dialog.textValue() == "Mine"
    dialog.setTextValue('  Grandma\'s "best"  glasses ')
    dialog.accept()
    assert OverlayLibrary(user_folder).info("mine").title == 'Grandma\'s "best" glasses'
    assert gallery.tiles["mine"].text() == 'Grandma\'s "best" glasses'
    assert stack.is_on("mine")
    own.rename("mine", "   ")
    assert gallery.tiles["mine"].text() == 'Grandma\'s "best" glasses'


def test_a_rename_that_cannot_be_written_is_told(qtbot, own, gallery, monkeypatch):
    def fail(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_atomically", fail)
    with qtbot.waitSignal(gallery.noticed) as told:
        own.rename("mine", "Other")
    assert "No space left" in told.args[0]
    assert gallery.tiles["mine"].text() == "Mine"


def test_deleting_asks_and_moves_to_the_trash(qtbot, own, gallery, user_folder, monkeypatch):
    trashed = []

    def to_trash(path):
        trashed.append(path)
        (user_folder / "mine").rename(user_folder.parent / "trashed")
        return True, str(user_folder.parent / "trashed")

    monkeypatch.setattr(module, "QFile", type("FakeFile", (QFile,), {"moveToTrash": staticmethod(to_trash)}))
    press(own.ask_delete(user_folder / "mine", "Mine"), "Cancel")
    assert (user_folder / "mine").exists() and not trashed
    box = own.ask_delete(user_folder / "mine", "Mine")
    assert "Mine" in box.text() and str(user_folder / "mine") in box.informativeText()
    with qtbot.waitSignal(own.done) as told:
        press(box, "Move to trash")
    assert "trash" in told.args[0]
    assert trashed == [str(user_folder / "mine")]
    assert "mine" not in gallery.tiles


def test_the_systems_own_trash_takes_a_folder(own, user_folder, tmp_path):
    trash_home = Path(os.environ["XDG_DATA_HOME"])
    if sys.platform != "linux" or Path.home().stat().st_dev != tmp_path.stat().st_dev:
        pytest.skip("the trash of another disk is not the test's own")
    trash_home.mkdir(parents=True, exist_ok=True)
    assert module.move_to_trash(user_folder / "mine")
    assert not (user_folder / "mine").exists()
    assert (trash_home / "Trash" / "files" / "mine" / "overlay.toml").exists()
    assert not module.move_to_trash(user_folder / "not there")


def test_without_a_trash_it_asks_again_before_deleting_for_good(qtbot, own, gallery, user_folder, monkeypatch):
    monkeypatch.setattr(module, "move_to_trash", lambda folder: False)
    press(own.ask_delete(user_folder / "mine", "Mine"), "Move to trash")
    second = newest_box(gallery)
    assert "cannot be undone" in second.informativeText()
    assert (user_folder / "mine").exists()
    press(second, "Cancel")
    assert (user_folder / "mine").exists()
    press(own.ask_delete(user_folder / "mine", "Mine"), "Move to trash")
    with qtbot.waitSignal(own.done):
        press(newest_box(gallery), "Delete for good")
    assert not (user_folder / "mine").exists()
    assert "mine" not in gallery.tiles


def test_a_link_goes_and_what_it_leads_to_stays(own, gallery, user_folder, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    (user_folder / "mine").rename(elsewhere)
    (user_folder / "mine").symlink_to(elsewhere, target_is_directory=True)
    press(own.ask_delete(user_folder / "mine", "Mine"), "Move to trash")
    press(newest_box(gallery), "Delete for good")
    assert not (user_folder / "mine").is_symlink()
    assert (elsewhere / "overlay.toml").exists()


def test_nothing_outside_the_users_folder_is_deleted(own, tmp_path, monkeypatch):
    (tmp_path / "precious").mkdir()
    monkeypatch.setattr(module, "move_to_trash", lambda folder: pytest.fail("it would be gone"))
    press(own.ask_delete(tmp_path / "precious", "precious"), "Move to trash")
    assert (tmp_path / "precious").exists()


def test_a_broken_one_is_removed_from_its_row(qtbot, gallery, add_broken, library, user_folder, monkeypatch):
    add_broken("spoilt")
    library.reload()
    gallery._on_library_changed()
    monkeypatch.setattr(module, "move_to_trash", lambda folder: False)
    gallery.broken_rows[0].remove_button.click()
    press(newest_box(gallery), "Move to trash")
    press(newest_box(gallery), "Delete for good")
    assert gallery.broken_rows == []
    assert not (user_folder / "spoilt").exists()


def test_the_folder_is_shown_in_the_file_manager(qtbot, own, gallery, user_folder, monkeypatch):
    opened = []
    monkeypatch.setattr(
        module, "QDesktopServices", type("Fake", (), {"openUrl": staticmethod(lambda url: not opened.append(url))})
    )
    own.open_folder(user_folder / "mine")
    assert opened[0].toLocalFile() == str(user_folder / "mine")
    monkeypatch.setattr(module, "QDesktopServices", type("Fake", (), {"openUrl": staticmethod(lambda url: False)}))
    with qtbot.waitSignal(gallery.noticed):
        own.open_folder(user_folder / "mine")
