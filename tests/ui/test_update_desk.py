"""A start from the menu after an update of the files: what is new is installed in sight, what lacks is said."""

from __future__ import annotations

import hashlib
import json
import os
import sys

import pytest
from PySide6.QtWidgets import QApplication, QMessageBox

from fkd_desktop import app
from fkd_desktop.installation import outdated_by
from fkd_desktop.ui import update_desk
from fkd_desktop.ui.update_desk import bring_up_to_date

NOTE = """
import hashlib, json, sys
from pathlib import Path
root = Path(__file__).parent
(root / "asked").write_text(" ".join(sys.argv[1:]))
project = hashlib.sha256((root / "pyproject.toml").read_bytes()).hexdigest()
(root / ".venv/start-stamp.json").write_text(json.dumps({"project": project, "root": str(root)}))
"""
FAIL = """
import sys
from pathlib import Path
Path(__file__).parent.joinpath(".venv/start-stamp.json").unlink()  # as start.py does before it installs
print("      ERROR: No matching distribution found for new.")
print("Installing failed as shown above. The whole output is in install.log", file=sys.stderr)
sys.exit(2)
"""


class BegunError(Exception):
    """Stands for the process that begins anew."""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a project whose files were replaced since start.py installed it."""
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/start.lock").touch()
    (tmp_path / "pyproject.toml").write_text("[project]\ndependencies = ['new']\n")
    stamp = {"project": hashlib.sha256(b"[project]\n").hexdigest(), "root": str(tmp_path)}
    (tmp_path / ".venv/start-stamp.json").write_text(json.dumps(stamp))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    return tmp_path


@pytest.fixture
def begun(monkeypatch):
    """Return the commands of processes that began anew."""
    commands = []

    def execv(program, command):
        commands.append((program, command))
        raise BegunError

    monkeypatch.setattr(os, "execv", execv)
    return commands


@pytest.fixture
def warned(monkeypatch):
    said = []
    monkeypatch.setattr(QMessageBox, "warning", lambda parent, title, text: said.append(text))
    return said


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot become another one")
def test_what_is_new_is_installed_and_the_program_begins_anew(project, qapp, begun, warned):
    (project / "start.py").write_text(NOTE)
    with pytest.raises(BegunError):
        bring_up_to_date(project / "start.py")
    assert (project / "asked").read_text() == "-- --version"
    assert begun == [(sys.executable, [sys.executable, *sys.orig_argv[1:]])] and not warned


def test_what_cannot_be_installed_is_said_in_pips_words_and_the_start_goes_on(
    project, qapp, begun, warned, is_one_sentence
):
    (project / "start.py").write_text(FAIL)
    bring_up_to_date(project / "start.py")
    (said,) = warned
    assert "could not be installed: No matching distribution found for new; see" in said and is_one_sentence(said)
    assert not begun and not any(window.isVisible() for window in QApplication.topLevelWidgets())


def test_a_start_that_cannot_even_begin_is_said(project, qapp, begun, warned, monkeypatch):
    (project / "start.py").write_text(NOTE)
    monkeypatch.setattr(sys, "executable", str(project / "gone"))
    bring_up_to_date(project / "start.py")
    assert len(warned) == 1 and not begun


@pytest.mark.parametrize(("arguments", "updates"), [(["--from-menu"], True), ([], False)])
def test_only_a_start_from_the_menu_installs(project, qapp, monkeypatch, arguments, updates):
    (project / "start.py").touch()
    asked = []

    def install(script):
        asked.append(script)
        raise BegunError

    monkeypatch.setattr(update_desk, "bring_up_to_date", install)
    monkeypatch.setattr(app, "_run_session", lambda *_: 7)
    if updates:
        with pytest.raises(BegunError):
            app.main([*arguments, "--new-instance"])
    else:
        assert app.main([*arguments, "--new-instance"]) == 7
    assert asked == ([outdated_by()] if updates else [])


@pytest.mark.parametrize(("arguments", "says"), [(["--from-menu"], True), ([], False)])
def test_a_missing_package_is_said_to_who_sees_no_terminal(qapp, warned, monkeypatch, arguments, says, is_one_sentence):
    def main():
        raise ModuleNotFoundError("No module named 'new'", name="new")

    monkeypatch.setattr(app, "main", main)
    monkeypatch.setattr(sys, "argv", ["fkd-desktop", *arguments])
    monkeypatch.setattr(os, "_exit", sys.exit)  # threads of other tests
    with pytest.raises(SystemExit if says else ModuleNotFoundError):
        app.run()
    assert len(warned) == says
    if says:
        assert is_one_sentence(warned[0]) and "the Python package new is missing" in warned[0]
