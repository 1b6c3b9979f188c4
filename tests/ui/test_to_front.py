"""Coming to the front: what is told to X11, and what is read from the desktop's tokens."""

from __future__ import annotations

import os

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from fkd_desktop.ui import to_front, x11


@pytest.mark.parametrize(
    ("token", "time_ms"),
    [
        ("dex/python/123-0-host_TIME8715", 8715),
        ("a_TIME1_TIME22", 22),
        ("x_TIME4294967297", 1),
        ("no time", 0),
        ("x_TIME", 0),
        ("", 0),
    ],
)
def test_the_time_of_a_start_is_in_its_identifier(token, time_ms):
    assert to_front.startup_time_ms(token) == time_ms


def test_the_end_of_a_start_is_quoted():
    assert x11.removal_message('a "b" \\ c') == b'remove: ID="a \\"b\\" \\\\ c"\0'


def test_a_start_whose_identifier_is_not_utf8_ends_too():
    assert x11.removal_message(os.fsdecode(b"caf\xe9_TIME5")) == b'remove: ID="caf\xe9_TIME5"\0'


def test_a_minimised_or_hidden_window_is_shown(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.showMinimized()
    to_front.bring_to_front(window, "token_TIME5")
    assert window.isVisible() and not window.isMinimized()
    window.showFullScreen()
    window.hide()
    to_front.bring_to_front(window)
    assert window.isVisible() and window.isFullScreen(), "it stays as it was otherwise"


def test_wayland_finds_the_token_while_the_window_is_activated_and_not_afterwards(qtbot, monkeypatch):
    seen = []
    window = QWidget()
    qtbot.addWidget(window)
    monkeypatch.setattr(QGuiApplication, "platformName", lambda: "wayland")
    monkeypatch.setattr(window, "activateWindow", lambda: seen.append(os.environ.get("XDG_ACTIVATION_TOKEN")))
    to_front.bring_to_front(window, "the token")
    assert seen == ["the token"]
    assert "XDG_ACTIVATION_TOKEN" not in os.environ


def test_an_x_server_that_cannot_be_reached_is_a_line_in_the_log(qtbot, monkeypatch, caplog):
    window = QWidget()
    qtbot.addWidget(window)
    monkeypatch.setattr(QGuiApplication, "platformName", lambda: "xcb")
    monkeypatch.setenv("DISPLAY", ":9753")
    to_front.bring_to_front(window, "x_TIME1")
    assert "not reported" in caplog.text
