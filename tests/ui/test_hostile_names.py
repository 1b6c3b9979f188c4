"""Names of files, overlays and cameras are shown as they are, whatever Qt could read into them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from fkd_desktop.crashes import Mishap
from fkd_desktop.ui.banner import Banner
from fkd_desktop.ui.elided_label import ElidedLabel
from fkd_desktop.ui.empty_state import EmptyState
from fkd_desktop.ui.words import plain_tip

NAME = "<b>a</b><img src='http://example.org/a.png'><a href='file:///etc/passwd'>b</a>.mp4"


def shows_as_it_is(label: QLabel) -> bool:
    is_plain = label.textFormat() is Qt.TextFormat.PlainText or "<" not in label.text()
    return is_plain and not label.openExternalLinks()


@pytest.fixture
def widgets(qtbot):
    banner, empty, elided = Banner(), EmptyState(), ElidedLabel()
    for widget in (banner, empty, elided):
        qtbot.addWidget(widget)
    banner.show_notice(NAME)
    empty.show_state(icon="warning", title=NAME, text=NAME)
    elided.setText(NAME)
    return banner, empty, elided


def test_no_name_is_taken_for_rich_text(widgets) -> None:
    found = [item for widget in widgets for item in (widget, *widget.findChildren(QLabel))]
    labels = [item for item in found if isinstance(item, QLabel)]
    assert sum(NAME in label.text() for label in labels) == 4
    assert all(shows_as_it_is(label) for label in labels)


def test_a_tooltip_shows_the_name(qtbot, widgets) -> None:
    assert widgets[2].toolTip().startswith("<span>&lt;b&gt;a&lt;/b&gt;&lt;img")
    assert plain_tip("a & b.mp4") == "a & b.mp4"


def test_what_an_exception_says_is_shown_as_it_is(qtbot) -> None:
    from fkd_desktop.controller import Controller
    from fkd_desktop.settings import Settings
    from fkd_desktop.ui.crash_dialog import CrashDialog
    from fkd_desktop.ui.main_window import MainWindow

    window = MainWindow(Controller(), Settings())
    qtbot.addWidget(window)
    dialog = CrashDialog(window)
    dialog.show_mishaps([Mishap("a", NAME, f"ValueError: {NAME}", 1)])
    assert NAME in dialog.trace.toPlainText()
    assert all(shows_as_it_is(label) for label in dialog.findChildren(QLabel))
    window.leave()
