"""Names of files, overlays, cameras and networks are shown as they are, whatever Qt could read into them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6 import QtGui
from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QLabel, QMessageBox, QWidget

from fkd_desktop.crashes import Mishap
from fkd_desktop.ui.banner import Banner
from fkd_desktop.ui.elided_label import ElidedLabel
from fkd_desktop.ui.empty_state import EmptyState
from fkd_desktop.ui.words import plain_tip
from tests.overlays.folders import TWO_ANCHORS, toml, write_overlay

NAME = "<b>a</b><img src='http://example.org/a.png'><a href='file:///etc/passwd'>b</a>.mp4"
FILE = "<b>a <img src='a.png'><a href='b'>b.mp4"


def shows_as_it_is(label: QLabel) -> bool:
    is_plain = label.textFormat() is Qt.TextFormat.PlainText or "<" not in label.text()
    return is_plain and not label.openExternalLinks()


def seen(tip: str) -> str:
    """Return what Qt paints of a tooltip."""
    document = QTextDocument()
    (document.setHtml if QtGui.Qt.mightBeRichText(tip) else document.setPlainText)(tip)
    return document.toPlainText()


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
    assert seen(plain_tip(f"a\n{NAME}")) == f"a\n{NAME}"
    assert seen(NAME) != NAME, "this is what a name could do"


# --- labels, one by one


def of_export() -> QWidget:
    from fkd_desktop.live.smoothing import SmoothingLevel
    from fkd_desktop.ui.export_dialog import ExportDialog

    dialog = ExportDialog(lambda: None, tuple, lambda: SmoothingLevel.HIGH)
    for label in (dialog.session_label, dialog.result_label):
        label.setText(NAME)
    return dialog


def of_session_bar() -> QWidget:
    from fkd_desktop.ui.session_bar import SessionBar

    bar = SessionBar()
    bar.show_source(NAME, NAME)
    bar.show_network(NAME, "cpu")
    return bar


def of_virtual_camera() -> QWidget:
    from fkd_desktop.capture.virtual_camera import VirtualCamera, VirtualCameraState
    from fkd_desktop.ui.capture.virtual_camera_dialog import VirtualCameraDialog

    camera = VirtualCamera(sinks=None, newest=lambda: None, layers=tuple)  # type: ignore[arg-type]
    camera.state, camera.message = VirtualCameraState.ON, NAME
    dialog = VirtualCameraDialog(camera)
    camera.setParent(dialog)
    return dialog


def of_devices() -> QWidget:
    from fkd_desktop.ui.preferences.device_list import DeviceList

    devices = DeviceList("auto", weights=None)
    devices.findChild(QLabel).setText(NAME)  # as a job does that failed
    return devices


def of_data() -> QWidget:
    from fkd_desktop.ui.training.data_widgets import DataNotice

    notice = DataNotice()
    notice.show_notice(icon="warning", title=NAME, text=NAME)
    return notice


def of_address() -> QWidget:
    from fkd_desktop.ui.sources.url_dialog import UrlDialog

    dialog = UrlDialog(f"gopher://{NAME}")
    dialog.trouble.setText(NAME)
    return dialog


def of_feature_maps() -> QWidget:
    from fkd_desktop.ui.network_inspector.look_bar import PageBar

    bar = PageBar()
    bar.caption.setText(NAME)
    return bar


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (of_export, 2),
        (of_session_bar, 3),
        (of_virtual_camera, 1),
        (of_devices, 1),
        (of_data, 2),
        (of_address, 1),
        (of_feature_maps, 1),
    ],
)
def test_a_label_shows_the_name(qtbot, make, count) -> None:
    widget = make()
    qtbot.addWidget(widget)
    labels = [label for label in widget.findChildren(QLabel) if "<b>a</b>" in label.text()]
    assert len(labels) == count
    assert all(shows_as_it_is(label) for label in labels)


# --- tooltips, one by one


def tips_of(model: QAbstractItemModel) -> list[str]:
    return [model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)]


def tips_of_paths(qtbot, folder: Path) -> Iterator[str]:
    from fkd_desktop.ui.capture.toast import Kept, Toast
    from fkd_desktop.ui.network_menu import NetworkMenu
    from fkd_desktop.ui.preferences.folder_row import FolderRow
    from fkd_desktop.ui.recent_menu import RecentMenu

    row, over = FolderRow("pictures"), QWidget()
    qtbot.addWidget(row)
    qtbot.addWidget(over)
    row.show_path(Path(FILE))
    yield row._path.toolTip()
    toast = Toast(over)
    toast.show_kept(Kept("kept", Path(FILE)))
    yield toast._name.toolTip()
    recent = RecentMenu()
    qtbot.addWidget(recent)
    recent.set_entries([FILE])
    yield recent.actions()[0].toolTip()
    for is_there in (True, False):
        recent._on_checked({FILE: is_there})
        yield recent.actions()[0].toolTip()
    controller = SimpleNamespace(weights=Path(FILE), predictor=None)
    workshop = SimpleNamespace(results=SimpleNamespace(runs=[]))
    networks = NetworkMenu(controller, workshop, None)  # type: ignore[arg-type]
    qtbot.addWidget(networks)
    yield next(action for action in networks.actions() if FILE in action.text()).toolTip()


def tips_of_training(qtbot, folder: Path) -> Iterator[str]:
    from fkd_desktop.ui.training.comparison_table import ComparisonTable
    from fkd_desktop.ui.training.data_problems import ProblemsModel
    from fkd_desktop.ui.training.editors import ChoiceEditor
    from fkd_desktop.ui.training.runs_model import Column, RunsModel
    from fkd_desktop.ui.training.start_editor import StartEditor
    from trainer.comparison import Comparison, Contender, Difference
    from trainer.config import TrainConfig
    from trainer.evaluate import judge
    from trainer.label_files import Problem
    from trainer.runs import RunState, RunSummary

    runs = RunsModel()
    runs.set_runs([RunSummary(Path(FILE), TrainConfig(), RunState.FAILED, (), 0.0, message=f"{FILE} is gone")])
    for column in (Column.NAME, Column.STATE):
        yield runs.index(0, column).data(Qt.ItemDataRole.ToolTipRole)
    owner, table, start, choice = QWidget(), ComparisonTable(), StartEditor(), ChoiceEditor(["cuda"], {}, {})
    for widget in (owner, table, start, choice):
        qtbot.addWidget(widget)
    problems = ProblemsModel(owner)
    problems.show_problems([Problem(Path(FILE), 1, None, "is no number")], [])
    yield from tips_of(problems)
    truth = np.random.default_rng(1).uniform(0, 100, (20, 68, 2)).astype(np.float32)
    contenders = [Contender(Path(FILE), "compact", judge(truth, truth)) for _ in range(2)]
    table.show_comparison(Comparison(Path(FILE), *contenders, 10, Difference(0.0, 0.1), (), {}))
    yield table.horizontalHeaderItem(1).toolTip()
    start.set_value(FILE)
    yield start.box.toolTip()
    yield start.box.currentData(Qt.ItemDataRole.ToolTipRole)
    choice.set_available("cuda", FILE)
    yield choice.box.itemData(0, Qt.ItemDataRole.ToolTipRole)


def tips_of_others(qtbot, folder: Path) -> Iterator[str]:
    from fkd_desktop.overlays import OverlayLibrary
    from fkd_desktop.overlays.stack import OverlayStack
    from fkd_desktop.training.entries import Entry
    from fkd_desktop.ui.dataset_browser.model import EntryModel
    from fkd_desktop.ui.overlays.actions import OverlayActions
    from fkd_desktop.ui.overlays.active_row import ActiveRow
    from fkd_desktop.ui.session_bar import SessionBar
    from trainer.label_files import Part

    faces = EntryModel()
    faces.show_entries([Entry((Path(FILE), 1), next(iter(Part)), Path(FILE), None, "", problem="it is no picture")])
    yield from tips_of(faces)
    row = ActiveRow("a", FILE, "hat", opacity_fixed=False, faces_in_view=tuple)
    qtbot.addWidget(row)
    yield from (button.toolTip() for button in (row.up_button, row.down_button, row.remove_button))
    bar = SessionBar()
    qtbot.addWidget(bar)
    bar.show_source("camera", "640 x 480")
    bar.show_hint(FILE)
    yield bar._mode.toolTip()
    write_overlay(folder / "mine", toml(*TWO_ANCHORS).replace("Test picture", FILE))
    library, window = OverlayLibrary(folder), QWidget()
    qtbot.addWidget(window)
    yield OverlayActions(OverlayStack(library), library, window).actions["mine"].toolTip()


@pytest.mark.parametrize("tips", [tips_of_paths, tips_of_training, tips_of_others])
def test_each_tooltip_with_a_name_shows_it(qtbot, tips, tmp_path: Path) -> None:
    shown = [seen(tip) for tip in tips(qtbot, tmp_path)]
    assert len(shown) >= 5
    assert [text for text in shown if FILE not in text] == []


# --- boxes and notifications


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


def test_what_pip_says_is_shown_as_it_is(monkeypatch) -> None:
    from fkd_desktop.ui import update_desk
    from trainer.core.text import Text

    said: list[str] = []
    monkeypatch.setattr(QMessageBox, "warning", lambda _parent, _title, text: said.append(text))
    update_desk.warn(Text("pip said: {reason}", reason=NAME))
    assert [seen(text) for text in said] == [f"pip said: {NAME}"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="notifications of Linux's desktops have markup")
def test_a_notification_shows_the_name(qtbot, tmp_path: Path, monkeypatch) -> None:
    from fkd_desktop.ui.notifier import Notifier

    program, told, window = tmp_path / "notify-send", tmp_path / "told", QWidget()
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > '{told}.part'\nmv '{told}.part' '{told}'\n")
    program.chmod(0o755)
    qtbot.addWidget(window)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    Notifier(window).notify("Training is done", f"{FILE}: best NME 3 % & more")
    qtbot.waitUntil(told.exists, timeout=10_000)
    body = told.read_text().splitlines()[-1]
    assert "<" not in body and seen(f"<span>{body}</span>") == f"{FILE}: best NME 3 % & more"
