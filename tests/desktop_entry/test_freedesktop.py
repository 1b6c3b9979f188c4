"""The texts: quoting, keys, languages, and what the specifications' own checkers say."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest

from fkd_desktop.desktop_entry import freedesktop
from fkd_desktop.desktop_entry.words import WORDS
from fkd_desktop.i18n import LANGUAGES
from fkd_desktop.live.sources import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from tests.desktop_entry.exec_reader import read_exec

ODD = [
    "/usr/bin/python3",
    "/home/a b/.venv/bin/python",
    '/home/the "best"/python',
    "/home/o'neill/python",
    "/srv/100 % sure/python",
    "/srv/50%F/python",
    "/srv/$HOME/`id`/python",
    "/srv/back\\slash\\\\two/python",
    "/srv/ends in \\/python",
    "/srv/zwölf Größen ü/日本/python",
    "/srv/tab\there/new\nline/python",
    "/srv/a;b&c|d<e>f(g)*h?i#j~k/python",
    "/srv/~/python",
]


def keys_of(text):
    groups: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        if line.startswith("["):
            group = groups.setdefault(line.strip("[]"), {})
        elif line:
            key, _, value = line.partition("=")
            assert key not in group, f"{key} twice"
            group[key] = value
    return groups


@pytest.mark.parametrize("program", ODD)
def test_every_path_comes_through_exec(program):
    command = [program, "-m", "fkd_desktop", "", 'say "%F"', "$x"]
    read = read_exec(freedesktop.exec_value(command, "%F"), ("/a b.mp4", "/c.png"))
    if "%" in program:  # GLib looks for a program under the name with its percent signs doubled
        assert read[:3] == ["/bin/sh", "-c", 'exec "$0" "$@"']
        read = read[3:]
    assert read == [*command, "/a b.mp4", "/c.png"]


def test_a_forbidden_program_is_started_by_a_shell_that_becomes_it(tmp_path):
    program = tmp_path / "a=b 5% $x"
    program.write_text('#!/bin/sh\nprintf "<%s>" "$0" "$@"\n')
    program.chmod(0o755)
    command = read_exec(freedesktop.exec_value([str(program), "two words"], "%F"), ("file",))
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert out == f"<{program}><two words><file>"


def test_the_reader_of_these_tests_is_strict():
    for wrong in ("/a=b x", "/a/b$c", '"/a`b"', '"/a"b', "/a %f%", '"/a \\\\x"'):
        with pytest.raises((ValueError, KeyError)):
            read_exec(wrong)


@pytest.mark.parametrize("text", [*ODD, " leading", "\\s", "\\\\", "trailing\\"])
def test_a_string_is_one_line_and_comes_back(text):
    written = freedesktop.string_value(text)
    assert "\n" not in written and not written.startswith(" ")
    assert freedesktop.read_string_value(written) == text
    keys = freedesktop.read_keys(freedesktop.entry_text([text]))
    assert freedesktop.read_string_value(keys[freedesktop.PROGRAM_KEY]) == text


def test_the_entry_says_what_desktops_ask_for():
    groups = keys_of(freedesktop.entry_text(["/opt/fkd/fkd-desktop"], [".", "applications"]))
    entry, demo = groups["Desktop Entry"], groups["Desktop Action demo"]
    assert entry["Exec"] == "/opt/fkd/fkd-desktop %F"
    assert entry["TryExec"] == "/opt/fkd/fkd-desktop"
    assert entry["Icon"] == entry["StartupWMClass"] == "fkd-desktop"
    assert entry["StartupNotify"] == "true"
    assert entry["Actions"] == "demo;"
    assert demo["Exec"] == "/opt/fkd/fkd-desktop --source demo"
    assert entry[freedesktop.MADE_KEY] == ".;applications;"
    for language in set(LANGUAGES) - {"en"}:
        for group, keys in ((entry, ("GenericName", "Comment", "Keywords")), (demo, ("Name",))):
            assert all(group[f"{key}[{language}]"] != group[key] for key in keys)


def test_no_tryexec_where_menus_do_not_agree_how_to_read_it():
    assert "TryExec" not in keys_of(freedesktop.entry_text(["/a b/python"]))["Desktop Entry"]


def test_every_language_of_the_application_has_every_text():
    assert set(WORDS) == set(LANGUAGES)
    assert all(set(words) == set(WORDS["en"]) and all(words.values()) for words in WORDS.values())


def test_every_kind_of_file_that_is_opened_has_its_type():
    assert set(freedesktop.MEDIA_TYPES) == VIDEO_SUFFIXES | IMAGE_SUFFIXES


def test_the_metainfo_is_well_formed_and_names_the_entry():
    root = ET.fromstring(freedesktop.metainfo_text())
    assert root.findtext("launchable") == "fkd-desktop.desktop"
    assert {node.text for node in root.iter("mediatype")} == set(freedesktop.media_types())
    language = "{http://www.w3.org/XML/1998/namespace}lang"
    assert {node.get(language) for node in root.iter("summary")} == {None, "de"}
    assert len(list(root.iter("p"))) == 2 * len(WORDS)


@pytest.mark.skipif(shutil.which("desktop-file-validate") is None, reason="needs desktop-file-validate")
@pytest.mark.parametrize("program", ODD)
def test_the_specifications_checker_accepts_the_entry(tmp_path, program):
    path = tmp_path / "fkd-desktop.desktop"
    path.write_text(freedesktop.entry_text([program, "-m", "x"], ["."]), encoding="utf-8")
    done = subprocess.run(["desktop-file-validate", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    path.write_text(path.read_text(encoding="utf-8").replace("Exec=", "Exec=%z ", 1), encoding="utf-8")
    assert subprocess.run(["desktop-file-validate", str(path)], capture_output=True, check=False).returncode == 1


@pytest.mark.skipif(shutil.which("appstreamcli") is None, reason="needs appstreamcli")
def test_appstreams_checker_accepts_the_metainfo(tmp_path):
    path = tmp_path / "fkd-desktop.metainfo.xml"
    path.write_text(freedesktop.metainfo_text(), encoding="utf-8")
    command = ["appstreamcli", "validate", "--no-net", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    path.write_text(freedesktop.metainfo_text().replace("metadata_license", "licence"), encoding="utf-8")
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
