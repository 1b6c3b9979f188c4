"""The bundle on macOS, as far as another system can tell: its files, their formats, and what the starter runs."""

from __future__ import annotations

import os
import plistlib
import re
import struct
import subprocess
import sys

import cv2
import numpy as np
import pytest

from fkd_desktop.desktop_entry import LauncherError, Presence
from fkd_desktop.desktop_entry.macos import BUNDLE, ICON_TYPES, INFO, STARTER, MacLauncher, bundle_files
from fkd_desktop.desktop_entry.words import WORDS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX paths and modes")


@pytest.fixture
def python(tmp_path):
    path = tmp_path / "a \"b\" $c 'd' 5% \\ ü" / "python"
    path.parent.mkdir()
    path.write_text('#!/bin/sh\nprintf "<%s>" "$@"\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def applications(tmp_path):
    return tmp_path / "Applications"


def test_the_starter_runs_the_command_with_the_files_it_is_given(python, applications):
    MacLauncher([str(python), "-P", "-m", "fkd_desktop"], applications).install()
    starter = applications / STARTER
    assert os.access(starter, os.X_OK)
    done = subprocess.run([str(starter), "/a b.mp4"], capture_output=True, text=True, check=True)
    assert done.stdout == "<-P><-m><fkd_desktop></a b.mp4>"


def test_the_information_has_what_the_system_asks_for(python, applications):
    MacLauncher([str(python)], applications).install()
    info = plistlib.loads((applications / INFO).read_bytes())
    assert re.fullmatch(r"[A-Za-z0-9.-]+", info["CFBundleIdentifier"])
    assert info["CFBundlePackageType"] == "APPL"
    assert (applications / BUNDLE / "Contents/MacOS" / info["CFBundleExecutable"]).is_file()
    assert (applications / BUNDLE / f"Contents/Resources/{info['CFBundleIconFile']}.icns").is_file()
    assert info["NSCameraUsageDescription"]
    kinds = {kind for document in info["CFBundleDocumentTypes"] for kind in document["LSItemContentTypes"]}
    assert kinds == {"public.movie", "public.image"}
    assert {document["LSHandlerRank"] for document in info["CFBundleDocumentTypes"]} == {"Alternate"}
    for language in WORDS:
        strings = applications / BUNDLE / f"Contents/Resources/{language}.lproj/InfoPlist.strings"
        assert re.fullmatch(r'"NSCameraUsageDescription" = "[^"\\]+";\n', strings.read_text(encoding="utf-8"))


def test_the_icon_holds_a_picture_of_the_right_size_for_each_type():
    data = next(content for name, content in bundle_files(["x"]).items() if name.endswith(".icns"))
    assert data[:4] == b"icns" and struct.unpack(">I", data[4:8])[0] == len(data)
    found, at = {}, 8
    while at < len(data):
        kind, length = struct.unpack_from(">4sI", data, at)
        picture = cv2.imdecode(np.frombuffer(data[at + 8 : at + length], np.uint8), cv2.IMREAD_UNCHANGED)
        found[kind.decode()] = picture.shape
        at += length
    # points and pixels a point: 16@2, 32@2, 128, 128@2, 256, 256@2, 512
    sides = {"ic11": 32, "ic12": 64, "ic07": 128, "ic13": 256, "ic08": 256, "ic14": 512, "ic09": 512}
    assert sides == ICON_TYPES
    assert found == {kind: (side, side, 4) for kind, side in sides.items()}


def test_it_is_written_once_mended_and_removed_without_trace(python, applications):
    launcher = MacLauncher([str(python)], applications)
    assert launcher.state().presence is Presence.ABSENT
    assert launcher.install()[0] == applications / INFO
    assert launcher.state().presence is Presence.CURRENT
    assert launcher.install() == ()
    moved = python.rename(python.with_name("python4"))
    launcher = MacLauncher([str(moved)], applications)
    state = launcher.state()
    assert (state.presence, state.is_broken) == (Presence.OUTDATED, True) and str(python) in state.reason
    assert set(launcher.install()) == {applications / INFO, applications / STARTER}
    assert launcher.state().presence is Presence.CURRENT
    launcher.remove()
    assert not applications.exists()
    assert launcher.remove() == ()


def test_removal_leaves_what_others_have_there(python, applications):
    launcher = MacLauncher([str(python)], applications)
    launcher.install()
    (applications / "Other.app").mkdir()
    (applications / BUNDLE / "Contents/Resources/mine.txt").touch()
    launcher.remove()
    left = [path.relative_to(applications).as_posix() for path in applications.rglob("*") if path.is_file()]
    assert left == [f"{BUNDLE}/Contents/Resources/mine.txt"]
    assert (applications / "Other.app").is_dir()


@pytest.mark.parametrize(
    "content", [b"", b"junk", plistlib.dumps({"CFBundleName": "FKD Desktop"}), plistlib.dumps([1])]
)
def test_what_is_not_ours_is_left_alone(python, applications, content, is_one_sentence):
    (applications / INFO).parent.mkdir(parents=True)
    (applications / INFO).write_bytes(content)
    launcher = MacLauncher([str(python)], applications)
    assert launcher.state().presence is Presence.ABSENT
    with pytest.raises(LauncherError) as failure:
        launcher.install()
    assert is_one_sentence(failure.value)
    assert launcher.remove() == ()
    assert [path.name for path in applications.rglob("*") if path.is_file()] == ["Info.plist"]
