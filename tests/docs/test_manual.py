"""The manual: whole, true to the program, the same at each build, and nothing in it comes from elsewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fkd_desktop.controller import Controller
from fkd_desktop.settings import Settings
from fkd_desktop.ui.main_window import MainWindow
from fkd_desktop.ui.shortcuts_dialog import ShortcutsDialog

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "docs" / "manual"
PAGES = sorted(MANUAL.glob("*.md"))
LARGEST_MB = 4
WANTED = {
    *("quick-start", "live", "overlays", "making-overlays", "keeping", "training", "training-commands", "formats"),
    *("commands", "shortcuts", "start-menu", "performance", "troubleshooting", "privacy", "credits"),
}


def load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build(folder):
    environment = {**os.environ, "PYTHONHASHSEED": "random"}
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "build_manual.py", folder],
        env=environment, check=False, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def manual(tmp_path_factory):
    return build(tmp_path_factory.mktemp("built") / "manual")


@pytest.fixture
def window(qtbot, tmp_path):
    window = MainWindow(Controller(device="cpu"), Settings(tmp_path / "settings.ini"))
    qtbot.addWidget(window)
    yield window
    window.leave()


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_it_says_of_options_and_keys_is_what_the_program_has(window):
    """Run docs/make_reference.py where it is not."""
    reference = load("make_reference")
    made = reference.parts(window)
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        found += [match[2] for match in reference.MADE.finditer(text)]
        assert reference.updated(text, made) == text, f"{page.name}: run python docs/make_reference.py"
    assert sorted(found) == sorted(made)


def test_the_readmes_table_has_every_key(window):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text[text.index("## Keys") : text.index("## Figures")]
    dialog = ShortcutsDialog(window)
    for _, lines in dialog.groups:
        for does, keys in lines:
            assert f"`{keys.split('  ')[0]}`" in table, does
    dialog.deleteLater()


def test_every_option_of_every_command_is_in_it():
    text = (MANUAL / "commands.md").read_text(encoding="utf-8")
    for option in (
        "--install-launcher",
        "--new-instance",
        "--overwrite",
        "--learning-rate",
        "--teacher-share",
        "--fix",
    ):
        assert f"`{option}" in text


def test_it_has_the_pages_that_users_look_for(manual):
    assert {page.stem for page in PAGES} == WANTED | {"index"}
    index = (manual / "index.html").read_text(encoding="utf-8")
    for name in WANTED:
        assert f'href="{name}.html"' in index
        assert (manual / "pages" / f"{name}.html").is_file()


def test_the_same_sources_give_the_same_bytes(manual, tmp_path):
    again = build(tmp_path / "again")
    assert files(manual) == files(again)


def test_nothing_in_it_is_fetched_and_it_is_small(manual):
    content = files(manual)
    assert sum(map(len, content.values())) < LARGEST_MB * 1e6
    assert not [name for name in content if name.startswith((".", "_sources"))]
    for name, data in content.items():
        if name.endswith((".html", ".css", ".js")):
            text = data.decode("utf-8")
            fetched = re.findall(r"""(?:\ssrc=|<link[^>]*\shref=|url\(|@import\s)["']?(?:https?:)?//[^"')\s]+""", text)
            assert not fetched, f"{name}: {fetched}"


def test_pictures_are_there_and_described(manual):
    pages = [path.read_text(encoding="utf-8") for path in (manual / "pages").glob("*.html")]
    pictures = [picture for page in pages for picture in re.findall(r"<img[^>]*>", page)]
    assert len(pictures) > 15
    for picture in pictures:
        assert re.search(r'alt="[^"]{10,}"', picture), picture
        assert (manual / "pages" / re.search(r'src="([^"]*)"', picture)[1]).is_file(), picture


def test_search_works_without_a_server(manual):
    """Its index is a script, which a browser loads from a file too; JSON it would not."""
    assert (manual / "searchindex.js").read_text(encoding="utf-8").startswith("Search.setIndex(")
    assert "searchindex.js" in (manual / "search.html").read_text(encoding="utf-8")


def test_each_place_that_help_buttons_name_is_there(manual):
    named = set()
    for path in (ROOT / "fkd_desktop" / "ui").rglob("*.py"):
        named |= set(re.findall(r'(?:help_button|show_manual)\("([\w-]+)"(?:, "([\w-]+)")?', path.read_text("utf-8")))
    assert {page for page, _ in named} == {"live", "formats", "overlays", "training"}
    for page, section in named:
        text = (manual / "pages" / f"{page}.html").read_text(encoding="utf-8")
        assert not section or f'id="{section}"' in text, (page, section)


def test_a_link_to_nowhere_fails_the_build(tmp_path):
    """Sphinx's warnings are errors, in a copy of the project with one wrong link."""
    for name in (
        "docs/build_manual.py",
        "docs/manual/conf.py",
        "fkd_desktop/__init__.py",
        "docs/manual/style/manual.css",
    ):
        to = tmp_path / name
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes((ROOT / name).read_bytes())
    (tmp_path / "assets" / "icons").mkdir(parents=True)
    (tmp_path / "assets" / "icons" / "fkd-desktop.svg").write_text("<svg/>")
    (tmp_path / "docs" / "manual" / "index.md").write_text("# Title\n\n[nowhere](nowhere.md)\n")
    done = subprocess.run(
        [sys.executable, tmp_path / "docs" / "build_manual.py"], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    assert "nowhere" in done.stderr
    assert not (tmp_path / "assets" / "manual").exists()
