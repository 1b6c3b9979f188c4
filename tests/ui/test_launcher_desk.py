"""The start menu from the window's menu."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow

from fkd_desktop.desktop_entry import LauncherError, LauncherState, Presence
from fkd_desktop.ui import launcher_desk
from fkd_desktop.ui.launcher_desk import LauncherDesk


class FakeLauncher:
    """Keeps its state in memory."""

    def __init__(self):
        self.now = LauncherState(Presence.ABSENT)
        self.error = None

    def state(self):
        return self.now

    def install(self):
        if self.error:
            raise self.error
        self.now = LauncherState(Presence.CURRENT)
        return ("/x/fkd-desktop.desktop",)

    def remove(self):
        self.now = LauncherState(Presence.ABSENT)
        return ("/x/fkd-desktop.desktop",)


@pytest.fixture
def launcher(monkeypatch):
    launcher = FakeLauncher()
    monkeypatch.setattr(launcher_desk, "make_launcher", lambda: launcher)
    monkeypatch.setattr(launcher_desk.sys, "platform", "linux")
    return launcher


@pytest.fixture
def desk(qtbot, launcher):
    window = QMainWindow()
    qtbot.addWidget(window)
    desk = LauncherDesk(QAction(window), window)
    desk.action, desk.window = desk._action, window
    return desk


def words(desk):
    return desk.action.text().replace("&", "")


def test_it_adds_then_removes_and_says_so(qtbot, desk):
    with qtbot.waitSignal(desk.looked, timeout=5000):
        desk.look()
    assert words(desk) == "Add to the start menu"
    with qtbot.waitSignal(desk.looked, timeout=5000):
        desk.action.trigger()
        assert not desk.action.isEnabled(), "not twice at once"
    said = desk.window.statusBar().currentMessage()
    assert said == "FKD Desktop is in the start menu now (/x/fkd-desktop.desktop)."
    assert words(desk) == "Remove from the start menu"
    with qtbot.waitSignal(desk.looked, timeout=5000):
        desk.action.trigger()
    assert desk.window.statusBar().currentMessage() == "FKD Desktop is no longer in the start menu."
    assert words(desk) == "Add to the start menu"


def test_where_a_package_brought_the_entry_there_is_nothing_to_do(qtbot, desk, launcher):
    launcher.now = LauncherState(Presence.PACKAGED)
    with qtbot.waitSignal(desk.looked, timeout=5000):
        desk.look()
    assert not desk.action.isVisible()


def test_an_entry_of_another_installation_is_the_users_to_change(qtbot, desk, launcher):
    launcher.now = LauncherState(Presence.OUTDATED, "it starts another installation")
    with qtbot.waitSignal(desk.looked, timeout=5000):
        desk.look()
    assert words(desk) == "Mend the start menu's entry"
    with qtbot.waitSignal(desk.looked, timeout=5000):
        desk.action.trigger()
    assert launcher.now.presence is Presence.CURRENT


def test_an_entry_that_starts_nothing_any_more_is_mended_without_a_word(qtbot, desk, launcher):
    launcher.now = LauncherState(Presence.OUTDATED, "it starts /gone", is_broken=True)
    with qtbot.assertNotEmitted(desk.noticed), qtbot.waitSignal(desk.looked, timeout=5000):
        desk.look()
    assert launcher.now.presence is Presence.CURRENT
    assert words(desk) == "Remove from the start menu"


def test_a_failure_is_said_and_can_be_tried_again(qtbot, desk, launcher):
    launcher.error = LauncherError("{path} cannot be written", path="/x")
    with qtbot.waitSignal(desk.noticed, timeout=5000) as said:
        desk.action.trigger()
    assert said.args == ["/x cannot be written"]
    assert desk.action.isEnabled() and words(desk) == "Add to the start menu"
    launcher.now = LauncherState(Presence.OUTDATED, "gone", is_broken=True)
    with qtbot.waitSignal(desk.looked, timeout=5000):
        desk.look()
    assert words(desk) == "Mend the start menu's entry"


def test_what_cannot_be_started_from_a_menu_says_so_when_asked(qtbot, desk, monkeypatch):
    def fail():
        raise LauncherError("not installed")

    monkeypatch.setattr(launcher_desk, "make_launcher", fail)
    with qtbot.assertNotEmitted(desk.noticed), qtbot.waitSignal(desk.looked, timeout=5000):
        desk.look()
    with qtbot.waitSignal(desk.noticed, timeout=5000):
        desk.action.trigger()


def test_macos_has_no_start_menu(desk, monkeypatch):
    monkeypatch.setattr(launcher_desk.sys, "platform", "darwin")
    for presence in (Presence.ABSENT, Presence.CURRENT, Presence.OUTDATED):
        desk._show(presence)
        assert "Applications" in words(desk)
