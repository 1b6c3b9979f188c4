"""The list of past runs, offscreen, on run folders in a temporary place."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QLocale, QPoint, Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMessageBox, QPushButton

from fkd_desktop.training.results import ResultsController
from fkd_desktop.ui.training.runs_model import Column, RunsModel
from fkd_desktop.ui.training.runs_page import RunsPage
from tests.training.run_folders import write_run
from trainer import events
from trainer.run_folder import RunFolder
from trainer.runs import list_runs

WAIT_MS = 30_000
STOPPED = {"has_state": True, "last": events.RunFinished("x", 2, 0.2, stopped=True)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four runs, the newest first: failed, stopped, finished, and one that never got to weights."""
    root = tmp_path / "runs"
    write_run(root, "none", at_s=100.0, epochs=60)
    write_run(root, "finished", 0.3, 0.1, 0.2, at_s=200.0, model="simple")
    write_run(root, "stopped", 0.3, 0.05, at_s=300.0, epochs=60, **STOPPED)
    write_run(root, "failed", 0.4, at_s=400.0, epochs=9, has_state=True, last=events.RunFailed("the disk is full"))
    return root


@pytest.fixture
def make_page(qtbot):
    controllers = []

    def make(root: Path) -> RunsPage:
        results = ResultsController(root)
        controllers.append(results)
        page = RunsPage(results)
        page.results = results
        qtbot.addWidget(page)
        page.resize(1040, 640)
        with qtbot.waitSignal(results.runs_changed, timeout=WAIT_MS):
            page.show()
        return page

    yield make
    for results in controllers:
        results.shut_down()


@pytest.fixture
def page(make_page, root: Path) -> RunsPage:
    return make_page(root)


def names(page: RunsPage) -> list[str]:
    model = page.table.model()
    return [model.index(row, Column.NAME).data() for row in range(model.rowCount())]


def row_of(page: RunsPage, name: str) -> dict[Column, str]:
    model = page.table.model()
    row = names(page).index(name)
    return {column: model.index(row, column).data() for column in Column}


def refresh(qtbot, page: RunsPage) -> None:
    with qtbot.waitSignal(page.results.runs_changed, timeout=WAIT_MS):
        page.results.refresh()


def enabled(page: RunsPage) -> set[str]:
    return {button.text() for button in page.findChildren(QPushButton) if button.isVisible() and button.isEnabled()}


def button(page: RunsPage, text: str) -> QPushButton:
    return next(button for button in page.findChildren(QPushButton) if button.text() == text)


# --- the table


def test_the_newest_run_is_the_first(page) -> None:
    assert names(page) == ["failed", "stopped", "finished", "none"]


def test_a_run_is_told_in_words_and_figures(page) -> None:
    date = page.table.model().index(1, Column.DATE)
    assert date.data() == QLocale().toString(_local(300), QLocale.FormatType.ShortFormat)
    assert row_of(page, "stopped") == {
        Column.NAME: "stopped",
        Column.NETWORK: "compact",
        Column.STATE: "Stopped",
        Column.DATE: date.data(),
        Column.NME: "5.00\u00a0%",
        Column.EPOCHS: "2 of 60",
        Column.LENGTH: "3 min",
    }
    finished, none, failed = (row_of(page, name) for name in ("finished", "none", "failed"))
    assert (finished[Column.NETWORK], finished[Column.STATE], finished[Column.EPOCHS]) == (
        "simple",
        "Finished",
        "3 of 3",
    )
    assert (none[Column.NME], none[Column.EPOCHS], none[Column.LENGTH]) == ("\u2013", "0 of 60", "\u2013")
    assert failed[Column.STATE] == "Failed"
    tool_tip = page.table.model().index(0, Column.STATE).data(Qt.ItemDataRole.ToolTipRole)
    assert tool_tip == "The disk is full."


def _local(seconds: int):
    from PySide6.QtCore import QDateTime

    return QDateTime.fromSecsSinceEpoch(seconds)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (Column.NAME, ["failed", "finished", "none", "stopped"]),
        (Column.NME, ["stopped", "finished", "failed", "none"]),
        (Column.EPOCHS, ["none", "failed", "stopped", "finished"]),
        (Column.DATE, ["none", "finished", "stopped", "failed"]),
        (Column.LENGTH, ["none", "failed", "stopped", "finished"]),
    ],
)
def test_runs_are_sorted_by_what_they_are_not_by_their_words(page, column: Column, expected: list[str]) -> None:
    page.table.sortByColumn(column, Qt.SortOrder.AscendingOrder)
    assert names(page) == expected


def test_the_selection_stays_when_the_list_changes(qtbot, page, root: Path) -> None:
    page.select(root / "stopped")
    write_run(root, "newer", 0.1, at_s=900.0)
    refresh(qtbot, page)
    assert names(page)[0] == "newer"
    assert page.selected_run.name == "stopped"
    write_run(root, "stopped", 0.3, 0.05, 0.01, at_s=300.0, epochs=60, **STOPPED)
    refresh(qtbot, page)
    assert page.selected_run.best.nme_mean == 0.01
    assert row_of(page, "stopped")[Column.EPOCHS] == "3 of 60"


def test_the_same_runs_stay_the_same_rows(qtbot, root: Path) -> None:
    model = RunsModel()
    model.set_runs(list_runs(root))
    model.modelReset.connect(lambda: pytest.fail("the rows were thrown away"))
    with qtbot.waitSignal(model.dataChanged):
        model.set_runs(list_runs(root))


def test_without_runs_it_says_what_comes_here(make_page, qtbot, tmp_path: Path) -> None:
    page = make_page(tmp_path / "nowhere")
    assert page._notice.isVisible()
    assert page._notice.title == "No runs yet"
    assert not page.table.isVisible()
    write_run(tmp_path / "nowhere", "first", 0.1)
    refresh(qtbot, page)
    assert page.table.isVisible()


def test_the_run_in_use_is_marked(page, root: Path) -> None:
    page.set_weights_in_use(root / "finished" / "best.safetensors")
    assert names(page) == ["failed", "stopped", "finished (in use)", "none"]
    page.select(root / "finished")
    assert "Use its weights" not in enabled(page)
    assert "Compare with the shipped network" in enabled(page)
    page.set_weights_in_use(None)
    assert names(page) == ["failed", "stopped", "finished", "none"]
    assert {"Use its weights", "Compare with the network in use"} <= enabled(page)


# --- what can be done


def test_the_latest_run_is_selected_from_the_start(page) -> None:
    assert page.selected_run.name == "failed"


ALL = {
    "Compare with the network in use",
    "Use its weights",
    "Resume",
    "New run like it",
    "Save weights as…",
    "Open folder",
    "Delete…",
}


@pytest.mark.parametrize(
    ("name", "impossible"),
    [
        ("stopped", set()),
        ("failed", set()),
        ("finished", {"Resume"}),
        ("none", {"Compare with the network in use", "Use its weights", "Save weights as…"}),
        ("", ALL),
    ],
)
def test_what_can_be_done_follows_from_the_run(page, root: Path, name: str, impossible: set[str]) -> None:
    if name:
        page.select(root / name)
    else:
        page.table.clearSelection()
    assert enabled(page) == ALL - impossible
    assert {action.text() for action in page.table.actions() if action.isEnabled()} == ALL - impossible


def test_a_run_that_trains_is_neither_resumed_nor_deleted(qtbot, page, root: Path) -> None:
    page.select(root / "stopped")
    with RunFolder(root / "stopped").locked():
        refresh(qtbot, page)
        assert row_of(page, "stopped")[Column.STATE] == "Training now"
        assert enabled(page) == ALL - {"Resume", "Delete…"}


def test_while_one_trains_no_other_is_resumed(qtbot, page, root: Path) -> None:
    page.select(root / "stopped")
    with qtbot.waitSignal(page.results.runs_changed, timeout=WAIT_MS):
        page.set_training(True)
    assert enabled(page) == ALL - {"Resume"}
    with qtbot.waitSignal(page.results.runs_changed, timeout=WAIT_MS):
        page.set_training(False)
    assert enabled(page) == ALL


@pytest.mark.parametrize(
    ("text", "signal", "what"),
    [
        ("Compare with the network in use", "compare_requested", "stopped"),
        ("Resume", "resume_requested", "stopped"),
        ("Use its weights", "use_requested", "stopped/best.safetensors"),
    ],
)
def test_a_button_asks_for_what_it_says(qtbot, page, root: Path, text: str, signal: str, what: str) -> None:
    page.select(root / "stopped")
    with qtbot.waitSignal(getattr(page, signal)) as told:
        qtbot.mouseClick(button(page, text), Qt.MouseButton.LeftButton)
    assert told.args == [root / what]


def test_a_new_run_can_be_like_an_old_one(qtbot, page, root: Path) -> None:
    page.select(root / "finished")
    with qtbot.waitSignal(page.settings_requested) as told:
        qtbot.mouseClick(button(page, "New run like it"), Qt.MouseButton.LeftButton)
    assert told.args[0].config.model == "simple"


def test_double_click_and_enter_compare(qtbot, page, root: Path) -> None:
    table = page.table
    at = table.visualRect(table.model().index(1, Column.NAME)).center()
    with qtbot.waitSignal(page.compare_requested) as told:
        qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=at)
        qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert told.args == [root / "stopped"]
    page.activateWindow()
    table.setFocus()
    qtbot.waitUntil(table.hasFocus)
    with qtbot.waitSignal(page.compare_requested) as told:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert told.args == [root / "stopped"]


def test_double_click_on_a_run_without_weights_does_nothing(qtbot, page) -> None:
    table = page.table
    at: QPoint = table.visualRect(table.model().index(3, Column.NAME)).center()
    with qtbot.assertNotEmitted(page.compare_requested):
        qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=at)
        qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert page.selected_run.name == "none"


def test_the_folder_is_opened(qtbot, page, root: Path, monkeypatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()) or len(opened) == 1)
    page.select(root / "stopped")
    qtbot.mouseClick(button(page, "Open folder"), Qt.MouseButton.LeftButton)
    assert opened == [str(root / "stopped")]
    assert not page.banner.isVisible()
    qtbot.mouseClick(button(page, "Open folder"), Qt.MouseButton.LeftButton)  # nothing can open it
    assert str(root / "stopped") in page.banner.text


def test_weights_are_saved_where_the_user_says(qtbot, page, root: Path, tmp_path: Path) -> None:
    page.select(root / "stopped")
    qtbot.mouseClick(button(page, "Save weights as…"), Qt.MouseButton.LeftButton)
    dialog = page.findChild(QFileDialog)
    assert dialog.windowModality() is Qt.WindowModality.NonModal
    assert Path(dialog.selectedFiles()[0]).name == "stopped.safetensors"
    with qtbot.waitSignal(page.results.saved, timeout=WAIT_MS):
        dialog.fileSelected.emit(str(tmp_path / "mine.safetensors"))
    dialog.close()
    assert (tmp_path / "mine.safetensors").read_bytes() == b"weights of stopped"
    assert page._done.text() == "Saved as mine"
    assert page._done.toolTip() == str(tmp_path / "mine.safetensors")
    page.select(root / "failed")
    assert page._done.text() == ""


def test_what_could_not_be_done_is_told_above_the_list(qtbot, page, root: Path) -> None:
    page.select(root / "stopped")
    weights = root / "stopped" / "best.safetensors"
    with qtbot.waitSignal(page.results.failed, timeout=WAIT_MS):
        page.results.save_as(weights, weights)
    assert page.banner.isVisible()
    assert page.banner.text.startswith("Best.safetensors is the file")
    assert page.banner.text.endswith(".")


# --- deleting


def asked(page: RunsPage) -> QMessageBox:
    return page.findChildren(QMessageBox)[-1]


def press(qtbot, box: QMessageBox, text: str) -> None:
    qtbot.mouseClick(next(b for b in box.buttons() if b.text() == text), Qt.MouseButton.LeftButton)


def test_the_delete_key_asks_and_deletes(qtbot, page, root: Path) -> None:
    page.select(root / "stopped")
    page.activateWindow()
    page.table.setFocus()
    qtbot.waitUntil(page.table.hasFocus)
    qtbot.keyClick(page.table, Qt.Key.Key_Delete)
    box = asked(page)
    assert not box.isModal()
    assert "stopped" in box.text()
    assert (root / "stopped").is_dir()
    with qtbot.waitSignal(page.results.runs_changed, timeout=WAIT_MS):
        press(qtbot, box, "Delete")
    assert names(page) == ["failed", "finished", "none"]
    assert not (root / "stopped").exists()


def test_a_run_is_kept_unless_the_user_is_sure(qtbot, page, root: Path) -> None:
    page.select(root / "stopped")
    for answer in ("Keep it", None):
        page.delete_action.trigger()
        box = asked(page)
        if answer:
            press(qtbot, box, answer)
        else:
            qtbot.keyClick(box, Qt.Key.Key_Escape)
        qtbot.waitUntil(lambda: page._question is None)
    refresh(qtbot, page)
    assert (root / "stopped" / "best.safetensors").is_file()
    assert names(page) == ["failed", "stopped", "finished", "none"]


def test_the_question_is_about_the_run_it_names(qtbot, page, root: Path) -> None:
    page.select(root / "stopped")
    page.delete_action.trigger()
    box = asked(page)
    page.select(root / "failed")
    with qtbot.waitSignal(page.results.runs_changed, timeout=WAIT_MS):
        press(qtbot, box, "Delete")
    assert names(page) == ["failed", "finished", "none"]


def test_deleting_the_run_in_use_is_said_to_be_that(page, root: Path) -> None:
    page.set_weights_in_use(root / "stopped" / "best.safetensors")
    page.select(root / "stopped")
    page.delete_action.trigger()
    assert "which the live session uses" in asked(page).informativeText()
    asked(page).close()
