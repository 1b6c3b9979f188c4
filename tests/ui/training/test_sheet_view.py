"""The page of validation faces beside the curves."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from tests.ui.training.told_training import epoch, wait_for_sheet, write_sheet
from trainer.runs import SHEET


def test_the_faces_open_in_full_size_by_click_and_enter(training, open_view, qtbot):
    view = open_view(training)
    training.begin()
    training.tell_started()
    qtbot.mouseClick(view.sheet.picture, Qt.MouseButton.LeftButton)
    assert view.sheet.window_shown is None  # there is nothing to show yet
    training.tell_epoch(1)
    wait_for_sheet(qtbot, view, 1)
    qtbot.mouseClick(view.sheet.picture, Qt.MouseButton.LeftButton)
    window = view.sheet.window_shown
    assert window.isWindow() and not window.isModal()
    assert window.windowTitle() == "Validation faces after epoch 1"
    assert window.widget().pixmap().size() == view.sheet.picture.image.size()
    training.tell_epoch(2)
    qtbot.waitUntil(lambda: window.windowTitle() == "Validation faces after epoch 2")
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert view.sheet.window_shown is None
    qtbot.keyClick(view.sheet.picture, Qt.Key.Key_Return)
    assert view.sheet.window_shown is not None


def test_faces_that_are_gone_leave_those_that_were_there(training, open_view, qtbot):
    view = open_view(training)
    training.begin()
    training.tell_started()
    training.tell_epoch(1)
    wait_for_sheet(qtbot, view, 1)
    (training.folder / SHEET).unlink()
    training.tell(epoch(2))
    qtbot.waitUntil(lambda: view.sheet._job is None)
    assert view.sheet.caption == "Validation faces after epoch 1"
    assert view.sheet.picture.image is not None


def test_faces_that_never_were_there_are_told(training, open_view, qtbot):
    view = open_view(training)
    training.begin()
    training.tell_started()
    training.tell(epoch(1))
    qtbot.waitUntil(lambda: "not there any more" in view.sheet.picture.accessibleName())


def test_of_epochs_faster_than_the_disk_the_last_is_shown(training, open_view, qtbot):
    view = open_view(training)
    shown = []
    view.sheet.sheet_shown.connect(lambda: shown.append(view.sheet.caption))
    training.begin()
    training.tell_started()
    write_sheet(training.folder, QColor("red"))
    for number in range(1, 31):
        training.tell(epoch(number))
    wait_for_sheet(qtbot, view, 30)
    qtbot.waitUntil(lambda: view.sheet._job is None)
    assert len(shown) == 2
