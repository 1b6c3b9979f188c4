"""Shortcuts, against the layout that Microsoft publishes: read field by field here, not by the module's reader."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from fkd_desktop.desktop_entry import LauncherError, Presence
from fkd_desktop.desktop_entry.shell_link import ShellLink
from fkd_desktop.desktop_entry.windows import LINK, WindowsLauncher, programs_folder
from fkd_desktop.desktop_entry.words import COMPONENT_ID
from trainer.core.resources import assets_dir

WHOLE = ShellLink(
    r"C:\Users\Jörg Müller\日本\pythonw.exe",
    arguments="-P -m fkd_desktop",
    working_folder="%USERPROFILE%",
    description="Punkte & Brillen",
    icon=r"C:\x\fkd-desktop.ico",
    app_id="org.example.App",
)


def test_the_installer_has_the_same_identity():
    text = (Path(__file__).parents[2] / "packaging/windows/fkd-desktop.iss").read_text(encoding="utf-8")
    assert f"AppId={COMPONENT_ID}\n" in text and f'AppUserModelID: "{COMPONENT_ID}"' in text


class Reader:
    """Takes fields off the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        self.at += count
        assert self.at <= len(self.data)
        return self.data[self.at - count : self.at]

    def number(self, bits):
        return int.from_bytes(self.take(bits // 8), "little")

    def string(self):
        return self.take(2 * self.number(16)).decode("utf-16-le")


def test_the_header_is_that_of_section_2_1():
    read = Reader(WHOLE.to_bytes())
    assert read.number(32) == 0x4C
    assert UUID(bytes_le=read.take(16)) == UUID("00021401-0000-0000-C000-000000000046")
    flags = read.number(32)
    # HasName, HasWorkingDir, HasArguments, HasIconLocation, IsUnicode, HasExpString; no IDList, LinkInfo, RelativePath
    assert flags == 1 << 2 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 9
    assert read.take(4 + 3 * 8 + 4 + 4) == bytes(36), "attributes, times, size, icon index: nothing known"
    assert read.number(32) == 1, "SW_SHOWNORMAL"
    assert read.take(2 + 2 + 4 + 4) == bytes(12), "no hot key; reserved"
    assert read.at == 76


def test_strings_and_blocks_are_those_of_sections_2_4_and_2_5():
    read = Reader(WHOLE.to_bytes())
    read.take(76)
    texts = [read.string() for _ in range(4)]  # NAME_STRING, WORKING_DIR, COMMAND_LINE_ARGUMENTS, ICON_LOCATION
    assert texts == [WHOLE.description, WHOLE.working_folder, WHOLE.arguments, WHOLE.icon]
    assert (read.number(32), read.number(32)) == (0x314, 0xA0000001), "EnvironmentVariableDataBlock"
    assert read.take(260).rstrip(b"\0") == "C:\\Users\\Jörg Müller\\??\\pythonw.exe".encode("cp1252")
    assert read.take(520).decode("utf-16-le").rstrip("\0") == WHOLE.target
    size, signature = read.number(32), read.number(32)
    assert signature == 0xA0000009, "PropertyStoreDataBlock"
    store = Reader(read.take(size - 8))
    assert read.take(4) == bytes(4), "TerminalBlock"
    assert read.at == len(read.data)
    # [MS-PROPSTORE] 2.2: storage size, version "1SPS", format; one value by number; ends of values and of storages
    assert store.number(32) == len(store.data) - 4
    assert store.take(4) == b"1SPS"
    assert UUID(bytes_le=store.take(16)) == UUID("9F4C2855-9F79-4B39-A8D0-E1D42DE1D5F3"), "System.AppUserModel"
    value_size = store.number(32)
    assert (store.number(32), store.number(8)) == (5, 0), "ID"
    assert (store.number(16), store.number(16)) == (0x1F, 0), "VT_LPWSTR and padding"
    characters = store.number(32)
    assert store.take(2 * characters).decode("utf-16-le") == WHOLE.app_id + "\0"
    padding = -2 * characters % 4
    assert store.take(padding) == bytes(padding)
    assert value_size == 4 + 4 + 1 + 4 + 4 + 2 * characters + padding
    assert store.take(8) == bytes(8)
    assert store.at == len(store.data)


@pytest.mark.parametrize(
    "change", [{}, {"arguments": ""}, {"app_id": ""}, {"icon": ""}, {"target": ""}, {"app_id": "ab"}]
)
def test_a_link_comes_back(change):
    link = replace(WHOLE, **change)
    assert ShellLink.from_bytes(link.to_bytes()) == link


def test_a_link_that_windows_wrote_anew_is_read(tmp_path):
    """With item identifiers, link information and a relative path, and with blocks of other kinds before ours."""
    data = WHOLE.to_bytes()
    flags = struct.unpack_from("<I", data, 20)[0] | 0x1 | 0x2 | 0x8
    id_list = struct.pack("<H", 7) + b"\x05\0abc\0\0"
    information = struct.pack("<I", 40) + bytes(36)
    name_end = 76 + 2 + 2 * len(WHOLE.description)
    relative = struct.pack("<H", 3) + "..x".encode("utf-16-le")
    blocks = data.index(struct.pack("<II", 0x314, 0xA0000001))
    tracker = struct.pack("<II", 0x60, 0xA0000003) + bytes(0x58)
    whole = data[:20] + struct.pack("<I", flags) + data[24:76] + id_list + information + data[76:name_end]
    whole += relative + data[name_end:blocks] + tracker + data[blocks:]
    assert ShellLink.from_bytes(whole) == WHOLE


@pytest.mark.parametrize("length", [0, 10, 76, 80, 150, 900, -1])
def test_half_a_link_or_none_is_an_error_not_a_crash(length):
    with pytest.raises(ValueError, match="shortcut"):
        ShellLink.from_bytes(WHOLE.to_bytes()[:length])
    with pytest.raises(ValueError, match="shortcut"):
        ShellLink.from_bytes(b"MZ" + WHOLE.to_bytes()[2:])


def test_a_target_beyond_the_format_is_refused():
    assert ShellLink("C:\\" + "x" * 256).to_bytes()
    with pytest.raises(ValueError, match="259"):
        ShellLink("C:\\" + "x" * 257).to_bytes()


@pytest.fixture
def programs(tmp_path):
    return tmp_path / "Programs"


@pytest.fixture
def python(tmp_path):
    path = tmp_path / "a place" / "pythonw.exe"
    path.parent.mkdir()
    path.touch()
    return path


def test_the_entry_starts_quotes_groups_and_shows_its_icon(programs, python):
    launcher = WindowsLauncher([str(python), "-P", "-m", "fkd_desktop", "two words", 'a "b"'], programs)
    assert launcher.state().presence is Presence.ABSENT
    assert launcher.install() == (programs / LINK,)
    link = ShellLink.from_bytes((programs / LINK).read_bytes())
    assert link.target == str(python)
    assert link.arguments == '-P -m fkd_desktop "two words" "a \\"b\\""'
    assert link.app_id == COMPONENT_ID and len(COMPONENT_ID) <= 128 and " " not in COMPONENT_ID
    assert Path(link.icon) == assets_dir() / "icons" / "fkd-desktop.ico" and Path(link.icon).exists()
    assert launcher.state().presence is Presence.CURRENT
    assert launcher.install() == ()


def test_it_is_mended_when_python_moved_and_removed_alone(programs, python):
    WindowsLauncher([str(python)], programs).install()
    (programs / "Other.lnk").write_bytes(b"x")
    moved = python.rename(python.with_name("pythonw2.exe"))
    launcher = WindowsLauncher([str(moved)], programs)
    state = launcher.state()
    assert (state.presence, state.is_broken) == (Presence.OUTDATED, True) and str(python) in state.reason
    assert launcher.install() == (programs / LINK,)
    assert launcher.state().presence is Presence.CURRENT
    assert launcher.remove() == (programs / LINK,)
    assert launcher.remove() == ()
    assert [path.name for path in programs.iterdir()] == ["Other.lnk"]


@pytest.mark.parametrize("foreign", [b"not a link", ShellLink("C:\\other.exe", app_id="other").to_bytes()])
def test_what_is_not_ours_is_left_alone(programs, python, foreign, is_one_sentence):
    programs.mkdir()
    (programs / LINK).write_bytes(foreign)
    launcher = WindowsLauncher([str(python)], programs)
    assert launcher.state().presence is Presence.ABSENT
    with pytest.raises(LauncherError) as failure:
        launcher.install()
    assert is_one_sentence(failure.value)
    assert launcher.remove() == ()
    assert (programs / LINK).read_bytes() == foreign


def test_a_path_too_long_is_a_sentence(programs, is_one_sentence):
    with pytest.raises(LauncherError) as failure:
        WindowsLauncher(["C:\\" + "x" * 300], programs).install()
    assert is_one_sentence(failure.value)


def test_the_start_menus_folder(monkeypatch):
    monkeypatch.setenv("APPDATA", "/roaming")
    assert programs_folder() == Path("/roaming/Microsoft/Windows/Start Menu/Programs")
    monkeypatch.delenv("APPDATA")
    assert programs_folder() == Path.home() / "AppData/Roaming/Microsoft/Windows/Start Menu/Programs"
