"""Whether what start.py installed is what the project's files ask for."""

from __future__ import annotations

import hashlib
import json
import sys

import pytest

from fkd_desktop.installation import missing_package, outdated_by


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a project that start.py has installed."""
    root = tmp_path / "project"
    (root / ".venv").mkdir(parents=True)
    (root / "start.py").touch()
    (root / ".venv/start.lock").touch()
    (root / "pyproject.toml").write_text("[project]\n")
    project = hashlib.sha256((root / "pyproject.toml").read_bytes()).hexdigest()
    (root / ".venv/start-stamp.json").write_text(json.dumps({"project": project, "root": str(root)}))
    monkeypatch.setattr(sys, "prefix", str(root / ".venv"))
    return root


def test_files_that_ask_for_something_else_are_noticed(project, monkeypatch, tmp_path):
    assert outdated_by() is None
    (project / "pyproject.toml").write_text("[project]\ndependencies = ['new']\n")
    assert outdated_by() == project / "start.py"
    (tmp_path / "link").symlink_to(project / ".venv")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "link"))
    assert outdated_by() == project / "start.py"


def test_what_failed_is_tried_again_but_not_what_was_killed(project):
    (project / ".venv/start-stamp.json").unlink()
    assert outdated_by() == project / "start.py"
    (project / ".venv/start-unfinished").touch()
    assert outdated_by() is None


def test_an_environment_of_another_make_is_left_alone(project):
    (project / "pyproject.toml").write_text("[project]\ndependencies = ['new']\n")
    (project / ".venv/start.lock").unlink()
    assert outdated_by() is None
    (project / ".venv/start-stamp.json").unlink()
    assert outdated_by() is None


@pytest.mark.parametrize(
    "stamp", ["", "[]", "{}", '{"root": 1, "project": 2}', "\xff", '{"root": "elsewhere", "project": ""}']
)
def test_a_damaged_note_or_a_moved_environment_is_left_to_start_py(project, stamp):
    (project / "pyproject.toml").write_text("[project]\ndependencies = ['new']\n")
    (project / ".venv/start-stamp.json").write_text(stamp, encoding="latin-1")
    assert outdated_by() is None


def test_where_start_py_is_gone_nothing_is_tried(project):
    (project / "pyproject.toml").write_text("[project]\ndependencies = ['new']\n")
    (project / "start.py").unlink()
    assert outdated_by() is None


@pytest.mark.parametrize(
    ("error", "package"),
    [
        (ModuleNotFoundError("No", name="onnx.helper"), "onnx"),
        (ModuleNotFoundError("No", name="fkd_desktop.nothing"), ""),
        (ModuleNotFoundError("No", name="trainer"), ""),
        (ImportError("cannot import name", name="numpy"), ""),
        (ModuleNotFoundError("No"), ""),
    ],
)
def test_only_packages_of_others_are_said_to_be_missing(error, package):
    assert missing_package(error) == package
