"""Several notices at once: the most pressing one first, and none is lost unread."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton, QToolButton

from fkd_desktop.ui.banner import Banner
from fkd_desktop.ui.notices import Notices


@pytest.fixture
def banner(qtbot) -> Banner:
    banner = Banner()
    qtbot.addWidget(banner)
    return banner


@pytest.fixture
def notices(banner: Banner) -> Notices:
    return Notices(banner)


def close(banner: Banner) -> None:
    banner.findChild(QToolButton).click()


def test_the_next_notice_comes_when_one_was_read(banner: Banner, notices: Notices) -> None:
    notices.show("settings", "the settings were damaged")
    notices.show("session", "the camera is silent")
    notices.show("capture", "the disk is full")
    read = []
    while not banner.isHidden():
        read.append(banner.text)
        close(banner)
    assert read == ["The camera is silent.", "The disk is full.", "The settings were damaged."]


def test_one_that_was_read_does_not_come_again_with_another(banner: Banner, notices: Notices) -> None:
    notices.show("session", "the camera is silent")
    close(banner)
    notices.show("crash", "it ended unexpectedly")
    assert banner.text == "It ended unexpectedly."
    close(banner)
    assert banner.isHidden() and banner.text == ""


def test_one_whose_cause_is_gone_gives_way_to_the_next(banner: Banner, notices: Notices) -> None:
    notices.show("desk", "the folder was moved")
    notices.show("picture", "the picture is black")
    notices.show("picture", "")
    assert banner.text == "The folder was moved."
    notices.show("desk", "")
    assert banner.isHidden()


def test_its_way_out_is_its_own_and_the_next_notice_comes(qtbot, banner: Banner, notices: Notices) -> None:
    way_out = QAction("Show &log", banner)
    notices.show("crash", "it ended unexpectedly", way_out)
    notices.show("session", "the camera is silent")
    button = banner.findChild(QPushButton)
    assert button.isHidden()
    close(banner)
    assert not button.isHidden() and button.text() == "Show log"
    notices.show("settings", "")
    notices.show("network", "")
    with qtbot.waitSignal(way_out.triggered):
        button.click()
    assert banner.isHidden()
