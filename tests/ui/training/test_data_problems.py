"""The list of what is wrong with a data set, and the window with the picture of an entry."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from fkd_desktop.ui.training.data_problems import ProblemsModel, ProblemsView
from fkd_desktop.ui.training.data_viewer import LONGEST_SIDE_PX, ProblemViewer, nearest_folder
from trainer.label_files import Problem

TIMEOUT_MS = 30_000


@pytest.fixture
def long_list(qtbot, tmp_path):
    view = ProblemsView()
    qtbot.addWidget(view)
    problems = [Problem(tmp_path / "labels.csv", line, None, f"reason {line}") for line in range(2, 20_002)]
    view.show_problems(problems[:-1], problems[-1:])
    view.resize(500, 300)
    view.show()
    return view


@pytest.fixture
def rows_asked(monkeypatch):
    """Rows that a list has asked its model for."""
    asked = set()
    real = ProblemsModel.data

    def data(self, index, role=Qt.ItemDataRole.DisplayRole):
        asked.add(index.row())
        return real(self, index, role)

    monkeypatch.setattr(ProblemsModel, "data", data)
    return asked


def test_a_long_list_asks_only_for_what_is_seen(rows_asked, long_list):
    long_list.scrollToBottom()
    long_list.grab()
    assert 0 < len(rows_asked) < 100
    assert max(rows_asked) == 19_999


def test_selected_problems_are_copied_as_file_line_and_reason(long_list, tmp_path, qtbot):
    long_list.selectRow(3)
    long_list.setFocus()
    long_list.copy_action.trigger()
    assert QGuiApplication.clipboard().text() == f"{tmp_path / 'labels.csv'}:5: reason 5"
    long_list.selectAll()
    long_list.copy_action.trigger()
    assert len(QGuiApplication.clipboard().text().splitlines()) == 20_000


def test_the_context_menu_offers_to_open_and_copy(long_list, qtbot):
    at = long_list.visualRect(long_list.model().index(1, 0)).center()
    long_list.customContextMenuRequested.emit(at)
    (menu,) = long_list.findChildren(QMenu)
    assert [action.text() for action in menu.actions()] == ["Open the picture", "Copy"]
    long_list.selectRow(1)
    with qtbot.waitSignal(long_list.opened) as opened:
        menu.actions()[0].trigger()
    assert opened.args[0].line == 3
    menu.close()


# --- the viewer


@pytest.fixture
def viewer(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    yield ProblemViewer(parent)
    parent.close()  # which lives until here


@pytest.fixture
def problem(tmp_path):
    """A problem with an image, which is not there yet."""
    return Problem(tmp_path / "labels.csv", 7, tmp_path / "faces" / "a.png", "has the same pixels as another")


def write_image(path, height: int, width: int) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    image[:, : width // 2] = (0, 0, 255)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(cv2.imencode(".png", image)[1].tobytes())


def test_the_picture_is_shown_as_it_is(viewer, problem, qtbot):
    write_image(problem.image, 90, 120)
    viewer.show_problem(problem)
    qtbot.waitUntil(lambda: viewer.image is not None, timeout=TIMEOUT_MS)
    assert (viewer.image.width(), viewer.image.height()) == (120, 90)
    assert viewer.reason == "Has the same pixels as another."
    painted = viewer._picture.grab().toImage()
    y = painted.height() // 2
    assert painted.pixelColor(painted.width() // 4, y).getRgb()[:3] == (255, 0, 0)
    assert painted.pixelColor(3 * painted.width() // 4, y).getRgb()[:3] == (0, 0, 0)


def test_a_huge_picture_is_made_smaller(viewer, problem, qtbot):
    write_image(problem.image, 30, 2 * LONGEST_SIDE_PX)
    viewer.show_problem(problem)
    qtbot.waitUntil(lambda: viewer.image is not None, timeout=TIMEOUT_MS)
    assert (viewer.image.width(), viewer.image.height()) == (LONGEST_SIDE_PX, 15)


def test_a_missing_picture_is_told_and_its_folder_can_be_opened(viewer, problem, qtbot, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    viewer.show_problem(problem)
    qtbot.waitUntil(lambda: "a.png cannot be read" in viewer.text, timeout=TIMEOUT_MS)
    assert viewer.image is None
    qtbot.mouseClick(viewer.folder_button, Qt.MouseButton.LeftButton)
    assert opened == [str(problem.file.parent)], "its own folder is missing too"


def test_a_problem_without_a_picture_says_so(viewer, tmp_path):
    viewer.show_problem(Problem(tmp_path / "labels.csv", 3, None, "66 keypoints instead of 68"))
    assert "not about a single picture" in viewer.text
    assert viewer.windowTitle() == "labels.csv"


def test_the_picture_asked_for_last_is_shown(viewer, problem, tmp_path, qtbot):
    write_image(problem.image, 90, 120)
    viewer.show_problem(problem)
    first = viewer._job
    viewer.show_problem(Problem(tmp_path / "labels.csv", 3, None, "66 keypoints instead of 68"))
    assert first.wait(TIMEOUT_MS / 1000)
    qtbot.wait(1)  # what the job has sent has arrived by now
    assert viewer.image is None


def test_the_nearest_folder_that_is_there_is_opened(tmp_path):
    assert nearest_folder(tmp_path / "gone" / "further" / "a.jpg") == tmp_path
