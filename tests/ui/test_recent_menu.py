"""The list of what was opened lately."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fkd_desktop.ui.recent_menu import MAX_ENTRIES, RecentMenu

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QAction
    from pytestqt.qtbot import QtBot


@pytest.fixture
def menu(qtbot: QtBot) -> RecentMenu:
    menu = RecentMenu()
    qtbot.addWidget(menu)
    return menu


def listed(menu: RecentMenu) -> list[QAction]:
    return [action for action in menu.actions() if action.text().startswith("&") and action.text()[1].isdigit()]


def names(menu: RecentMenu) -> list[str]:
    return [action.text().split("  ", 1)[1] for action in listed(menu)]


def test_the_newest_is_first_and_nothing_is_listed_twice(menu: RecentMenu, qtbot: QtBot) -> None:
    menu.set_entries(["/a/one.mp4", "/a/two.mp4"])
    with qtbot.waitSignal(menu.entries_changed):
        menu.add("/a/two.mp4")
    assert menu.entries == ["/a/two.mp4", "/a/one.mp4"]
    assert names(menu) == ["two.mp4", "one.mp4"]
    with qtbot.assertNotEmitted(menu.entries_changed):
        menu.add("/a/two.mp4")


def test_only_the_last_ten_are_kept(menu: RecentMenu) -> None:
    for number in range(MAX_ENTRIES + 3):
        menu.add(f"/a/{number}.mp4")
    assert menu.entries == [f"/a/{number}.mp4" for number in range(12, 2, -1)]


def test_stored_nonsense_does_no_harm(menu: RecentMenu, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(menu.entries_changed):
        menu.set_entries(["", "/a", "/a", *(str(i) for i in range(50))])
    assert menu.entries[:2] == ["/a", "0"] and len(menu.entries) == MAX_ENTRIES


def test_choosing_tells_the_whole_path(menu: RecentMenu, qtbot: QtBot) -> None:
    menu.set_entries(["/a/one.mp4", "rtsp://host/path"])
    with qtbot.waitSignal(menu.chosen) as told:
        listed(menu)[1].trigger()
    assert told.args == ["rtsp://host/path"]


def test_what_is_gone_is_greyed_out_until_it_is_back(menu: RecentMenu, qtbot: QtBot, tmp_path: Path) -> None:
    here, gone = tmp_path / "here.mp4", tmp_path / "gone.mp4"
    here.write_bytes(b"x")
    menu.set_entries([str(here), str(gone), "rtsp://nobody.invalid/path"])
    menu.popup(menu.pos())
    qtbot.waitUntil(lambda: not listed(menu)[1].isEnabled())
    assert listed(menu)[0].isEnabled() and listed(menu)[2].isEnabled()
    assert "is not there any more" in listed(menu)[1].toolTip()
    menu.hide()
    gone.write_bytes(b"x")
    menu.popup(menu.pos())
    qtbot.waitUntil(listed(menu)[1].isEnabled)
    menu.hide()


def test_files_of_the_same_name_are_told_apart(menu: RecentMenu) -> None:
    menu.set_entries(["/holiday/clip.mp4", "/office/clip.mp4", "/office/Q&A.mp4"])
    assert [name.replace("\\", "/") for name in names(menu)] == ["holiday/clip.mp4", "office/clip.mp4", "Q&&A.mp4"]


def test_passwords_and_keys_are_not_shown(menu: RecentMenu) -> None:
    menu.set_entries(["rtsp://me:secret@host:554/live?key=secret"])
    assert names(menu) == ["rtsp://me@host:554/live"]
    assert "secret" not in listed(menu)[0].toolTip()


def test_the_list_can_be_cleared_and_is_then_not_offered(menu: RecentMenu, qtbot: QtBot) -> None:
    assert not menu.menuAction().isEnabled()
    menu.set_entries(["/a"])
    assert menu.menuAction().isEnabled()
    with qtbot.waitSignal(menu.entries_changed):
        menu.actions()[-1].trigger()
    assert menu.entries == [] and not menu.menuAction().isEnabled()
