"""Why a run failed, as the window tells it."""

from __future__ import annotations

import platform

import pytest
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QColor, QDesktopServices, QGuiApplication, QPalette

import fkd_desktop
from fkd_desktop.training.run import Failure
from fkd_desktop.ui.training.failure_panel import FailurePanel

LINES = tuple(f"line {number}" for number in range(30))


class Opener(QObject):
    """What the desktop does with files."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.opened.append(url.toLocalFile())


@pytest.fixture
def failure(tmp_path) -> Failure:
    path = tmp_path / "a run.log"
    path.write_text("\n".join(LINES))
    return Failure("the memory is full; choose a smaller batch size", LINES, path)


@pytest.fixture
def panel(qtbot, failure) -> FailurePanel:
    made = FailurePanel()
    qtbot.addWidget(made)
    made.resize(800, 240)
    made.show_failure(failure, can_resume=True)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_the_reason_is_a_sentence_and_the_last_lines_can_be_read(panel, qtbot):
    assert panel.text == "The memory is full; choose a smaller batch size."
    assert panel.last_lines.toPlainText() == "\n".join(LINES)
    assert panel.last_lines.isReadOnly()
    bar = panel.last_lines.verticalScrollBar()
    assert bar.maximum() > 0
    assert bar.value() == bar.maximum()


def test_a_failure_without_lines_shows_no_empty_box(panel, failure):
    panel.show_failure(Failure("the data set is empty", (), failure.log_path), can_resume=False)
    assert panel.text == "The data set is empty."
    assert not panel.last_lines.isVisible()
    assert "Last lines" not in panel.report()


def test_copy_takes_what_a_bug_report_needs(panel, qtbot):
    qtbot.mouseClick(panel.copy_button, Qt.MouseButton.LeftButton)
    text = QGuiApplication.clipboard().text()
    assert text.startswith("The memory is full; choose a smaller batch size.\n")
    assert fkd_desktop.__version__ in text
    assert platform.platform() in text
    assert text.endswith("\n".join(LINES) + "\n")
    assert panel.copy_button.text() == "Copied"
    qtbot.waitUntil(lambda: panel.copy_button.text() == "C&opy", timeout=10_000)


def test_the_log_is_opened_by_the_desktop(panel, failure, qtbot):
    opener = Opener()
    QDesktopServices.setUrlHandler("file", opener, "open")
    try:
        qtbot.mouseClick(panel.log_button, Qt.MouseButton.LeftButton)
    finally:
        QDesktopServices.unsetUrlHandler("file")
    assert opener.opened == [str(failure.log_path).replace("\\", "/")]
    assert panel.log_note == ""


def test_where_nothing_opens_the_log_its_path_is_told(panel, failure, qtbot, monkeypatch):
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _url: False)
    qtbot.mouseClick(panel.log_button, Qt.MouseButton.LeftButton)
    assert str(failure.log_path) in panel.log_note


def test_a_log_that_is_gone_is_told(panel, failure, qtbot):
    failure.log_path.unlink()
    qtbot.mouseClick(panel.log_button, Qt.MouseButton.LeftButton)
    assert panel.log_note == f"There is no log at {failure.log_path}."


def test_a_new_failure_forgets_what_was_said_of_the_old_log(panel, failure, qtbot):
    failure.log_path.unlink()
    qtbot.mouseClick(panel.log_button, Qt.MouseButton.LeftButton)
    panel.show_failure(Failure("again", (), failure.log_path), can_resume=False)
    assert panel.log_note == ""


def test_resume_is_offered_only_where_it_can_go_on(panel, failure, qtbot):
    with qtbot.waitSignal(panel.resume_requested):
        qtbot.mouseClick(panel.resume_button, Qt.MouseButton.LeftButton)
    panel.show_failure(failure, can_resume=False)
    assert not panel.resume_button.isVisible()


def test_markup_in_a_message_is_shown_as_it_is(panel, failure):
    panel.show_failure(Failure("<b>odd</b> file.csv cannot be read", (), failure.log_path), can_resume=False)
    assert panel.text == "<b>odd</b> file.csv cannot be read."
    assert panel._reason.textFormat() is Qt.TextFormat.PlainText


def test_the_icon_follows_the_palette(panel):
    def colour() -> QColor:
        image = panel._icon.pixmap().toImage()
        points = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
        return max(points, key=lambda point: point.alpha())

    light = colour()
    panel.setPalette(QPalette(QColor("#2b2f36"), QColor("#22262c")))
    assert colour().lightnessF() > light.lightnessF()


def test_nothing_is_copied_before_a_run_failed(qtbot):
    made = FailurePanel()
    qtbot.addWidget(made)
    assert made.report() == ""
