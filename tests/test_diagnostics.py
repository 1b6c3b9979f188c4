"""What someone who helps is told, and what not."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from fkd_desktop import __version__, diagnostics
from fkd_desktop.settings import log_path, set_up_logging


def test_versions_name_everything_the_session_stands_on(qapp):
    versions = diagnostics.versions()
    assert versions["FKD Desktop"] == __version__
    assert {*diagnostics.PACKAGES, "Python", "Qt"} < set(versions)
    assert "?" not in versions.values()


@pytest.mark.parametrize(
    ("package", "licence"), [("av", "BSD-3-Clause"), ("PySide6-Essentials", "LGPL"), ("no-such-package", "")]
)
def test_licences_are_what_the_packages_say(package, licence):
    assert licence in diagnostics.licence_of(package)
    assert len(diagnostics.licence_of(package)) <= 80


def test_every_package_named_has_a_licence():
    assert all(diagnostics.licence_of(package) for package in diagnostics.PACKAGES)


def test_the_report_has_the_session_and_the_logs_end_but_no_home(qapp):
    root = logging.getLogger()
    before = list(root.handlers)
    assert set_up_logging() == log_path()
    try:
        for number in range(diagnostics.LOG_LINES + 5):
            logging.getLogger("test").warning("line %d about %s", number, Path.home() / "secret.mp4")
        report = diagnostics.report({"Source": "camera"})
    finally:
        for handler in set(root.handlers) - set(before):
            root.removeHandler(handler)
            handler.close()
    assert "Source: camera" in report
    assert f"line {diagnostics.LOG_LINES + 4} about ~/secret.mp4" in report
    assert "line 4 about" not in report
    assert str(Path.home()) not in report


def test_without_a_log_the_report_says_so(qapp):
    assert "(there is no log)" in diagnostics.report({})
