"""The entry on Linux: written, judged, mended, removed, and nobody else's things touched."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fkd_desktop.desktop_entry import LauncherError, Presence, describe_removed, describe_written, linux
from fkd_desktop.desktop_entry.linux import ENTRY, TYPES_CACHE, LinuxLauncher
from tests.desktop_entry.test_freedesktop import ODD

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX paths")


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "old place" / "python"
    path.parent.mkdir()
    path.touch(0o755)
    return path


@pytest.fixture
def share(tmp_path):
    return tmp_path / "share"


@pytest.fixture(autouse=True)
def no_packages(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "system"))


@pytest.fixture
def caches(monkeypatch):
    """Imitate what the desktop's tools do to the folder; return what they were asked."""
    asked = []

    def run(*command):
        asked.append(command[0])
        if command[0] == "update-desktop-database":
            folder = Path(command[-1])
            types = [f"video/mp4={path.name};\n" for path in sorted(folder.glob("*.desktop"))]
            (folder / "mimeinfo.cache").write_text("[MIME Cache]\n" + "".join(types))

    monkeypatch.setattr(linux, "_run", run)
    return asked


def tree(folder):
    return {path: path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def test_the_first_time_all_is_written_and_the_second_time_nothing(program, share, caches):
    launcher = LinuxLauncher([str(program)], share)
    assert launcher.state().presence is Presence.ABSENT
    written = launcher.install()
    assert set(written) == {share / name for name in linux.share_files([str(program)])}
    assert launcher.state().presence is Presence.CURRENT
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o644 for path in written)
    before, asked = tree(share), len(caches)
    assert launcher.install() == ()
    assert tree(share) == before and len(caches) == asked


def test_the_entry_comes_last_so_that_menus_find_its_icon(program, share, caches):
    assert list(linux.share_files([str(program)]))[-1] == ENTRY
    (share / "icons/hicolor/scalable").mkdir(parents=True)
    (share / "icons/hicolor/scalable/apps").touch()  # where a folder should be
    with pytest.raises(LauncherError):
        LinuxLauncher([str(program)], share).install()
    assert not (share / ENTRY).exists()


def test_removal_leaves_nothing(program, share, caches, tmp_path):
    launcher = LinuxLauncher([str(program)], share)
    launcher.install()
    assert len(launcher.remove()) == len(linux.share_files([str(program)]))
    assert not share.exists()
    assert launcher.state().presence is Presence.ABSENT
    assert launcher.remove() == ()


def test_removal_leaves_what_others_have_there(program, share, caches):
    (share / "icons/hicolor/48x48/apps").mkdir(parents=True)
    (share / "icons/hicolor/48x48/apps/other.png").write_bytes(b"x")
    (share / "empty before").mkdir()
    launcher = LinuxLauncher([str(program)], share)
    before = tree(share)
    launcher.install()
    launcher.remove()
    assert tree(share) == before
    launcher.install()
    (share / "applications/other.desktop").write_text("[Desktop Entry]\n")
    launcher.remove()
    left = {path.relative_to(share).as_posix() for path in tree(share)} - {
        path.relative_to(share).as_posix() for path in before
    }
    assert left == {"applications", "applications/other.desktop", TYPES_CACHE}


def test_folders_that_were_there_empty_stay(program, share, caches):
    (share / "applications").mkdir(parents=True)
    launcher = LinuxLauncher([str(program)], share)
    launcher.install()
    launcher.remove()
    assert [path.name for path in tree(share)] == ["applications"]


def test_an_interpreter_that_moved_is_found_out_and_mended(program, share, caches):
    LinuxLauncher([str(program)], share).install()
    moved = program.parent.rename(program.parent.with_name("neuer Ort, ä % $")) / "python"
    launcher = LinuxLauncher([str(moved)], share)
    state = launcher.state()
    assert (state.presence, state.is_broken) == (Presence.OUTDATED, True)
    assert state.reason == f"it starts {program}, which is not there any more"
    assert launcher.install() == (share / ENTRY,)
    assert launcher.state().presence is Presence.CURRENT
    launcher.remove()
    assert not share.exists(), "it still knows which folders were made the first time"


def test_another_installation_is_named_and_not_taken_for_broken(program, share, caches):
    LinuxLauncher([str(program)], share).install()
    state = LinuxLauncher(["/elsewhere/python"], share).state()
    assert (state.presence, state.is_broken) == (Presence.OUTDATED, False)
    assert str(program) in state.reason


@pytest.mark.parametrize("name", [ENTRY, "icons/hicolor/48x48/apps/fkd-desktop.png"])
def test_a_file_that_was_lost_or_changed_is_written_again(program, share, caches, name):
    launcher = LinuxLauncher([str(program)], share)
    launcher.install()
    with (share / name).open("ab") as file:
        file.write(b"\n# more\n")
    assert launcher.state().presence is Presence.OUTDATED
    assert launcher.install() == (share / name,)
    if name != ENTRY:
        (share / name).unlink()
        assert launcher.state().presence is Presence.OUTDATED
        assert launcher.install() == (share / name,)
    assert launcher.state().presence is Presence.CURRENT


@pytest.mark.parametrize("foreign", ["text", "binary", "folder", "dangling"])
def test_what_is_not_ours_is_left_alone(program, share, caches, foreign, is_one_sentence):
    path = share / ENTRY
    path.parent.mkdir(parents=True)
    if foreign == "text":
        path.write_text("[Desktop Entry]\nName=Mine\n")
    elif foreign == "binary":
        path.write_bytes(b"\xff\xfe")
    elif foreign == "folder":
        path.mkdir()
    else:
        path.symlink_to("nowhere")
    launcher, before = LinuxLauncher([str(program)], share), tree(share)
    assert launcher.state().presence is Presence.ABSENT
    with pytest.raises(LauncherError) as failure:
        launcher.install()
    assert is_one_sentence(failure.value) and str(path) in str(failure.value)
    assert launcher.remove() == ()
    assert tree(share) == before


def test_a_link_in_place_of_an_icon_is_replaced_not_followed(program, share, caches, tmp_path):
    other = tmp_path / "other.png"
    other.write_bytes(b"theirs")
    icon = share / "icons/hicolor/48x48/apps/fkd-desktop.png"
    icon.parent.mkdir(parents=True)
    icon.symlink_to(other)
    LinuxLauncher([str(program)], share).install()
    assert other.read_bytes() == b"theirs" and not icon.is_symlink()


def test_a_file_in_place_of_the_folder_is_a_sentence(program, share, caches, is_one_sentence):
    share.write_text("")
    with pytest.raises(LauncherError) as failure:
        LinuxLauncher([str(program)], share).install()
    assert is_one_sentence(failure.value)
    assert share.read_text() == ""


def test_a_path_that_is_not_utf8_is_a_sentence(share, caches, is_one_sentence):
    launcher = LinuxLauncher([os.fsdecode(b"/srv/\xff/python")], share)
    with pytest.raises(LauncherError) as failure:
        launcher.install()
    assert is_one_sentence(failure.value)
    assert not share.exists() and launcher.state().presence is Presence.ABSENT


def test_a_packages_entry_for_this_program_is_enough(program, share, caches, tmp_path, monkeypatch):
    linux.files.write(tmp_path / "system", linux.share_files([str(program)]))
    (tmp_path / "link").symlink_to(program)
    assert LinuxLauncher([str(tmp_path / "link")], share).state().presence is Presence.PACKAGED
    assert LinuxLauncher(["/elsewhere/python"], share).state().presence is Presence.ABSENT


def test_a_tampered_list_of_folders_removes_nothing_outside(program, share, caches, tmp_path):
    (tmp_path / "precious").mkdir()
    launcher = LinuxLauncher([str(program)], share)
    launcher.install()
    text = (share / ENTRY).read_text()
    (share / ENTRY).write_text(text.replace("Made=.;", f"Made=.;../precious;{tmp_path}/precious;"))
    launcher.remove()
    assert (tmp_path / "precious").is_dir()


def test_an_icon_cache_that_is_there_is_kept_up_to_date(program, share, caches):
    launcher = LinuxLauncher([str(program)], share)
    launcher.install()
    assert "gtk-update-icon-cache" not in caches, "none is made where none was"
    (share / "icons/hicolor/icon-theme.cache").touch()
    launcher.remove()
    assert "gtk-update-icon-cache" in caches


def test_tools_that_are_missing_fail_or_hang_do_not_matter(monkeypatch, tmp_path, caplog):
    linux._run("no-such-tool-here")
    assert caplog.text == ""
    linux._run("false")
    assert "false ended with 1" in caplog.text
    monkeypatch.setattr(linux, "TOOL_TIMEOUT_S", 0.01)
    linux._run("sleep", "5")
    assert "timed out" in caplog.text


def test_the_users_data_folder_is_where_it_goes(program, caches):
    launcher = LinuxLauncher([str(program)])
    launcher.install()
    assert (Path(os.environ["XDG_DATA_HOME"]) / ENTRY).exists()


def test_what_was_done_is_said(tmp_path, is_one_sentence):
    for paths in ((), (tmp_path / "a",)):
        assert is_one_sentence(describe_written(paths)) and is_one_sentence(describe_removed(paths))


@pytest.mark.parametrize(("tool", "key"), [("update-desktop-database", TYPES_CACHE)])
def test_the_real_tools_leave_nothing_either(program, share, tool, key):
    linux.shutil.which(tool) or pytest.skip(f"needs {tool}")
    launcher = LinuxLauncher([str(program)], share)
    launcher.install()
    assert b"video/mp4=fkd-desktop.desktop" in (share / key).read_bytes()
    launcher.remove()
    assert not share.exists()


@pytest.mark.skipif(shutil.which("gio") is None, reason="needs gio, GLib's launcher")
@pytest.mark.parametrize("name", [program.strip("/").replace("/", "-") for program in ODD if "\n" not in program])
def test_glib_starts_a_program_whatever_it_is_called(tmp_path, share, name):
    """The launcher of GNOME, Xfce and most menus."""
    out, program = tmp_path / "out", tmp_path / name
    program.write_text(f'#!/bin/sh\nprintf "<%s>" "$0" "$@" > {out}.new\nmv {out}.new {out}\n')
    program.chmod(0o755)
    LinuxLauncher([str(program), "-m", "a $b"], share).install()
    subprocess.run(["gio", "launch", str(share / ENTRY), "/a b.mp4", "/ü.png"], check=True, timeout=60)
    deadline_s = time.monotonic() + 60
    while not out.exists() and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert out.read_text() == f"<{program}><-m><a $b></a b.mp4></ü.png>"


def test_the_command_works_from_another_folder(tmp_path):
    """The real command line, as start.py and packages' scripts use it."""
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path / "data"), "XDG_STATE_HOME": str(tmp_path)}

    def run(option):
        command = [sys.executable, "-P", "-m", "fkd_desktop", option]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    if "finds FKD Desktop only in this folder" in (done := run("--install-launcher")).stderr:
        pytest.skip("a checkout that is not installed cannot be started from a menu")
    assert done.stdout.startswith("FKD Desktop is in the start menu now")
    assert run("--install-launcher").stdout.startswith("FKD Desktop is in the start menu already")
    assert run("--remove-launcher").stdout == "FKD Desktop is no longer in the start menu.\n"
    assert run("--remove-launcher").stdout.startswith("FKD Desktop was not in the start menu")
    assert not (tmp_path / "data").exists()
    assert (failed := run("--install-launcher=x")).returncode == 2 and "Traceback" not in failed.stderr
