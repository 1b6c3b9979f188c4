"""What a start menu is told to start."""

from __future__ import annotations

import importlib.metadata
import sys

import pytest

from fkd_desktop.desktop_entry import LauncherError, make_launcher
from fkd_desktop.desktop_entry.command import start_command
from fkd_desktop.desktop_entry.linux import LinuxLauncher
from fkd_desktop.desktop_entry.macos import MacLauncher
from fkd_desktop.desktop_entry.windows import WindowsLauncher


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: name)


def test_the_interpreter_starts_the_package_and_nothing_of_the_current_folder(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/a b/python")
    assert start_command() == ("/a b/python", "-P", "-m", "fkd_desktop", "--from-menu")


def test_a_frozen_program_starts_itself(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", "/opt/fkd-desktop/fkd-desktop")
    assert start_command() == ("/opt/fkd-desktop/fkd-desktop",)


def test_windows_gets_the_interpreter_without_a_console(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python.exe"))
    assert start_command()[0].endswith("python.exe")
    (tmp_path / "pythonw.exe").touch()
    assert start_command()[0] == str(tmp_path / "pythonw.exe")


def test_what_is_not_installed_cannot_be_started_from_elsewhere(monkeypatch, is_one_sentence):
    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", absent)
    with pytest.raises(LauncherError) as failure:
        start_command()
    assert is_one_sentence(failure.value) and sys.executable in str(failure.value)


@pytest.mark.parametrize(
    ("platform", "kind"),
    [("linux", LinuxLauncher), ("freebsd14", LinuxLauncher), ("darwin", MacLauncher), ("win32", WindowsLauncher)],
)
def test_each_system_has_its_own(monkeypatch, platform, kind):
    monkeypatch.setattr(sys, "platform", platform)
    assert type(make_launcher(["x"])) is kind
