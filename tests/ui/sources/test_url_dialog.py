"""Typing an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel

from fkd_desktop.ui.sources.url_dialog import UrlDialog

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.fixture
def dialog(qtbot: QtBot) -> UrlDialog:
    dialog = UrlDialog()
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("rtsp://me:secret@camera/live", "rtsp://me:secret@camera/live"),
        ("  HTTP://camera/video ", "http://camera/video"),
        ("192.168.1.20:8080/video", "http://192.168.1.20:8080/video"),
    ],
)
def test_an_address_is_taken(qtbot: QtBot, dialog: UrlDialog, typed: str, url: str) -> None:
    qtbot.keyClicks(dialog.address, typed)
    with qtbot.waitSignal(dialog.accepted):
        qtbot.keyClick(dialog.address, Qt.Key.Key_Return)
    assert dialog.url == url
    assert dialog.result() == QDialog.DialogCode.Accepted


@pytest.mark.parametrize(
    "typed", ["ftp://camera/video", "rtsp://", "rtsp:/camera/live", "camera:port/video", "my camera"]
)
def test_what_is_no_address_is_said(qtbot: QtBot, dialog: UrlDialog, typed: str) -> None:
    qtbot.keyClicks(dialog.address, typed)
    assert not dialog.trouble.isVisible()
    with qtbot.assertNotEmitted(dialog.accepted):
        qtbot.keyClick(dialog.address, Qt.Key.Key_Return)
    assert dialog.isVisible() and dialog.trouble.isVisible()
    assert dialog.trouble.text().startswith("This is not an address") and dialog.trouble.text().endswith(".")
    assert dialog.address.selectedText() == typed
    for label in dialog.findChildren(QLabel):
        assert label.height() >= label.heightForWidth(label.width()), f"{label.text()!r} is cut off"
    qtbot.keyClicks(dialog.address, "x")
    assert not dialog.trouble.isVisible()


def test_nothing_typed_cannot_be_opened(dialog: UrlDialog) -> None:
    button = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Open)  # type: ignore[union-attr]
    assert not button.isEnabled()
    dialog.address.setText("rtsp://camera/live")
    assert button.isEnabled()


def test_it_begins_with_what_it_is_given_and_can_be_left(qtbot: QtBot) -> None:
    dialog = UrlDialog("rtsp://camera/live")
    qtbot.addWidget(dialog)
    assert dialog.url == "rtsp://camera/live"
    with qtbot.waitSignal(dialog.rejected):
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)


def test_every_field_has_a_name(dialog: UrlDialog) -> None:
    assert dialog.address.accessibleName() and dialog.trouble.accessibleName()
