"""The part of the trainer's window where the data set is chosen, offscreen, with real data sets and real checks."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog

from docs.shooting import dark_palette
from fkd_desktop.settings import Settings
from fkd_desktop.training import data as data_module
from fkd_desktop.training.data import DataController, DataState
from fkd_desktop.ui.training.data_panel import DataPanel
from trainer.check import check
from trainer.download import default_folder

TIMEOUT_MS = 30_000


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path / "settings.ini")


@pytest.fixture
def panel(qtbot, settings):
    panel = DataPanel(DataController(), settings)
    panel.data = panel._data
    qtbot.addWidget(panel)
    panel.resize(560, 620)
    panel.show()
    yield panel
    panel.data.shut_down()


@pytest.fixture
def choose(qtbot):
    def run(panel: DataPanel, path: Path) -> None:
        panel.data.choose(path)
        qtbot.waitUntil(lambda: not panel.data.state.is_busy, timeout=TIMEOUT_MS)

    return run


@pytest.fixture
def bad_copy(data_copy, edit_table):
    def damage(lines: list[str]) -> None:
        lines[2] = "gone.jpg" + lines[2][lines[2].index(",") :]
        lines[3] = ",".join(lines[3].split(",")[:-2])

    edit_table(data_copy / "training_frames_keypoints.csv", damage)
    (data_copy / "training" / "Person_01_1.jpg").write_bytes(b"no image")
    return data_copy


@pytest.fixture
def held_check(monkeypatch):
    """Checks tell that 5 of 20 images are done and wait for this event."""
    go_on = threading.Event()

    def tell_and_wait(root, *, on_progress, **options):
        on_progress(5, 20)
        assert go_on.wait(TIMEOUT_MS / 1000)
        return check(root, **options)

    monkeypatch.setattr(data_module, "check", tell_and_wait)
    yield go_on
    go_on.set()


def drag_over(panel: DataPanel, *paths: Path) -> bool:
    """Whether the panel takes these."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(QPoint(9, 9), action, mime, button, keys)
    QApplication.sendEvent(panel, entering)
    if entering.isAccepted():
        QApplication.sendEvent(panel, QDropEvent(QPointF(9, 9), action, mime, button, keys))
    return entering.isAccepted()


def grabbed(widget) -> bytes:
    image = widget.grab().toImage()
    return bytes(image.constBits())


# --- choosing


def test_an_empty_panel_invites_to_choose_drop_or_download(panel):
    assert panel.notice.isVisible()
    assert "drop" in panel.notice.text
    assert [button.text() for button in panel.notice.buttons() if button.isVisible()] == [
        "Choose folder…",
        "Choose table…",
        "Download the data set…",
    ]
    assert not panel.details.isVisible()


def test_a_chosen_folder_is_checked_shown_and_remembered(
    panel, settings, tiny_data, qtbot, monkeypatch, capture_dialog
):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", capture_dialog(str(tiny_data)))
    panel.notice.buttons()[0].click()
    qtbot.waitUntil(panel.details.isVisible, timeout=TIMEOUT_MS)
    assert panel.details.verdict == "Training can start on these faces."
    figures = panel.details.figures()
    assert figures["Training"] == "32 faces of 8 people"
    assert figures["Test"] == "3 faces of 3 people"
    assert {"Pictures", "Inter-ocular distance"} <= figures.keys()
    assert panel.details.strip.count == 24
    assert settings.data_folder == str(tiny_data)
    capture_dialog.asked.clear()
    panel.choose_folder_button.click()
    assert capture_dialog.asked[0][2] == str(tiny_data.parent), "the dialog begins where the last one was"
    qtbot.waitUntil(lambda: not panel.data.state.is_busy, timeout=TIMEOUT_MS)


@pytest.fixture
def capture_dialog():
    def answer_with(answer):
        def ask(*arguments):
            ask_all.asked.append(arguments)
            return answer

        return staticmethod(ask)

    ask_all = answer_with
    ask_all.asked = []
    return ask_all


def test_a_table_can_be_chosen(panel, csv_data, qtbot, monkeypatch, capture_dialog):
    table = csv_data / "labels.csv"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", capture_dialog((str(table), "")))
    panel.notice.buttons()[1].click()
    qtbot.waitUntil(panel.details.isVisible, timeout=TIMEOUT_MS)
    assert panel.data.folder == table
    assert "Test" not in panel.details.figures()


def test_a_dialog_that_is_dismissed_changes_nothing(panel, monkeypatch, capture_dialog):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", capture_dialog(""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", capture_dialog(("", "")))
    panel.notice.buttons()[0].click()
    panel.notice.buttons()[1].click()
    assert len(capture_dialog.asked) == 2
    assert panel.data.state is DataState.NONE


def test_folders_and_tables_can_be_dropped(panel, tiny_data, csv_data, qtbot):
    for path in (tiny_data, csv_data / "labels.csv"):
        assert drag_over(panel, path)
        assert panel.data.folder == path
        qtbot.waitUntil(panel.details.isVisible, timeout=TIMEOUT_MS)


def test_nothing_else_can_be_dropped(panel, tiny_data, csv_data):
    assert not drag_over(panel, next((tiny_data / "test").iterdir()))
    assert not drag_over(panel, tiny_data, csv_data)
    assert panel.data.state is DataState.NONE


def test_the_panel_is_framed_while_a_folder_is_over_it(panel, tiny_data, qtbot):
    before = grabbed(panel)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tiny_data))])
    action, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    panel.dragEnterEvent(QDragEnterEvent(QPoint(9, 9), action, mime, button, keys))
    assert grabbed(panel) != before
    panel.dragLeaveEvent(None)
    assert grabbed(panel) == before


def test_the_last_data_set_is_opened_again(panel, settings, tiny_data, qtbot):
    settings.data_folder = str(tiny_data)
    panel.restore()
    assert panel.data.folder == tiny_data
    qtbot.waitUntil(panel.details.isVisible, timeout=TIMEOUT_MS)


def test_restoring_leaves_a_data_set_that_is_there_already(panel, settings, tiny_data, csv_data, choose):
    choose(panel, tiny_data)
    settings.data_folder = str(csv_data)
    panel.restore()
    assert panel.data.folder == tiny_data


def test_without_a_choice_the_downloaded_data_set_is_opened(panel, drawn, qtbot):
    panel.restore()
    assert panel.data.state is DataState.NONE
    drawn.write_split(default_folder(), "training", people=2, images_each=1)
    panel.restore()
    assert panel.data.folder == default_folder()
    qtbot.waitUntil(panel.details.isVisible, timeout=TIMEOUT_MS)


def test_a_data_set_that_vanished_is_told_and_not_forgotten(panel, settings, tmp_path, qtbot):
    settings.data_folder = str(tmp_path / "unplugged")
    panel.restore()
    qtbot.waitUntil(lambda: not panel.data.state.is_busy, timeout=TIMEOUT_MS)
    assert panel.notice.isVisible()
    assert panel.notice.title == "Training cannot start on this"
    assert panel.notice.text.startswith(f"There is no folder {tmp_path / 'unplugged'}")
    assert panel.check_button.isVisible()
    assert settings.data_folder == str(tmp_path / "unplugged")


# --- checking


def test_a_check_shows_how_far_it_is_and_can_be_cancelled(panel, tiny_data, held_check, qtbot):
    panel.data.choose(tiny_data)
    assert panel.notice.title == "Checking the data set"
    assert panel.notice.text == "Reading the labels…"
    assert panel.notice.bar.maximum() == 0, "busy, without an end yet"
    qtbot.waitUntil(lambda: panel.notice.text == "5 of 20 pictures", timeout=TIMEOUT_MS)
    assert (panel.notice.bar.value(), panel.notice.bar.maximum()) == (250, 1000)
    assert not panel.check_button.isEnabled()
    qtbot.mouseClick(panel.cancel_button, Qt.MouseButton.LeftButton)
    assert panel.data.state is DataState.UNUSABLE
    assert "stopped" in panel.notice.text
    assert not panel.notice.bar.isVisible()
    held_check.set()
    qtbot.mouseClick(panel.check_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(panel.details.isVisible, timeout=TIMEOUT_MS)


def test_the_data_set_browser_is_asked_for_with_its_path(panel, csv_data, choose, qtbot):
    choose(panel, csv_data / "labels.csv")
    with qtbot.waitSignal(panel.browse_requested) as asked:
        qtbot.mouseClick(panel.details.browse_button, Qt.MouseButton.LeftButton)
    assert asked.args == [csv_data / "labels.csv"]


def test_problems_are_listed_with_the_reason_why_training_cannot_start(panel, bad_copy, choose):
    choose(panel, bad_copy)
    details = panel.details
    assert details.verdict.startswith("3 training labels of the data set cannot be used")
    model = details.problems.model()
    shown = [(model.index(row, 0).data(), model.index(row, 1).data()) for row in range(model.rowCount())]
    assert [place for place, _ in shown[:3]] == [f"training_frames_keypoints.csv:{line}" for line in (3, 4, 7)]
    for (_, reason), words in zip(shown[:3], ("no image 'gone.jpg'", "67 keypoints", "not an image"), strict=True):
        assert words in reason
    assert model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole).startswith("problem: ")


def test_a_data_set_with_warnings_can_be_trained_on(panel, data_copy, edit_table, choose):
    edit_table(data_copy / "training_frames_keypoints.csv", lambda lines: lines.append(lines[1]))
    choose(panel, data_copy)
    assert panel.details.verdict == "Training can start on these faces."
    assert panel.details.problems.isVisible()
    first = panel.details.problems.model().index(0, 0)
    assert first.data(Qt.ItemDataRole.AccessibleTextRole).startswith("good to know: ")


def test_a_data_set_without_fault_has_no_list(panel, csv_data, choose):
    choose(panel, csv_data)
    assert panel.details.isVisible()
    assert not panel.details.problems.isVisible()


def test_bad_labels_are_left_out_after_a_question(panel, bad_copy, choose, qtbot):
    choose(panel, bad_copy)
    qtbot.mouseClick(panel.details.leave_out_button, Qt.MouseButton.LeftButton)
    assert "29 good faces" in panel.notice.text
    assert str(bad_copy) in panel.notice.text
    qtbot.mouseClick(panel.no_button, Qt.MouseButton.LeftButton)
    assert panel.details.isVisible()
    assert not (bad_copy / "good_rows.csv").exists()
    qtbot.mouseClick(panel.details.leave_out_button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(panel.yes_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(panel.details.isVisible, timeout=TIMEOUT_MS)
    assert panel.data.state is DataState.READY
    assert panel.data.folder == bad_copy / "good_rows.csv"
    assert not panel.details.leave_out_button.isVisible()


# --- the list and the viewer


def open_row(panel: DataPanel, qtbot, row: int):
    """Open an entry of the list with Enter; return the viewer."""
    view = panel.details.problems
    view.selectRow(row)
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Return)
    return panel._viewer


def test_enter_opens_the_picture_of_a_problem(panel, data_copy, edit_table, choose, qtbot):
    def push(lines: list[str]) -> None:
        name, *cells = lines[1].split(",")
        lines[1] = ",".join([name, *(str(float(cell) + 400) for cell in cells)])

    edit_table(data_copy / "training_frames_keypoints.csv", push)
    choose(panel, data_copy)
    viewer = open_row(panel, qtbot, 0)
    assert viewer.isVisible()
    assert not viewer.isModal()
    qtbot.waitUntil(lambda: viewer.image is not None, timeout=TIMEOUT_MS)
    assert "outside the image" in viewer.reason
    assert viewer.windowTitle() == "Person_00_0.jpg"
    before = grabbed(viewer)
    viewer._picture.show_text("")
    assert grabbed(viewer) != before, "the picture was painted"
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    assert not viewer.isVisible()


def test_a_double_click_opens_too(panel, bad_copy, choose, qtbot):
    choose(panel, bad_copy)
    view = panel.details.problems
    at = view.visualRect(view.model().index(2, 1)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(lambda: "not an image that can be decoded" in panel._viewer.text, timeout=TIMEOUT_MS)
    assert panel._viewer.image is None


def test_the_viewer_closes_with_the_panel(panel, bad_copy, choose, qtbot):
    choose(panel, bad_copy)
    viewer = open_row(panel, qtbot, 0)
    panel.close()
    assert not viewer.isVisible()


def test_a_question_stays_when_a_check_ends_behind_it(panel, tiny_data, held_check, qtbot):
    panel.data.choose(tiny_data)
    panel.ask_to_download()
    held_check.set()
    qtbot.waitUntil(lambda: panel.data.state is DataState.READY, timeout=TIMEOUT_MS)
    assert panel.yes_button.isVisible()
    panel.no_button.click()
    assert panel.details.isVisible()


# --- looks


def test_everything_fits_into_the_least_window(panel, bad_copy, choose):
    choose(panel, bad_copy)
    hint = panel.minimumSizeHint()
    assert hint.width() <= 560
    assert hint.height() <= 620


def test_icons_follow_the_palette(panel, data_copy, edit_table, choose, qapp, qtbot):
    edit_table(data_copy / "training_frames_keypoints.csv", lambda lines: lines.append(lines[1]))
    choose(panel, data_copy)

    def icons() -> list[object]:
        warning = panel.details.problems.model().index(0, 0).data(Qt.ItemDataRole.DecorationRole)
        return [image.toImage() for image in (panel.details._icon.pixmap(), warning.pixmap(16, 16))]

    light, before = qapp.palette(), icons()
    try:
        qapp.setPalette(dark_palette())
        qtbot.waitUntil(lambda: all(new != old for new, old in zip(icons(), before, strict=True)))
    finally:
        qapp.setPalette(light)
        qtbot.waitUntil(lambda: icons() == before)
