"""The list of past runs, and what can be done with one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QMessageBox,
    QPushButton,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop.ui.banner import Banner
from fkd_desktop.ui.elided_label import ElidedLabel
from fkd_desktop.ui.training.data_widgets import DataNotice
from fkd_desktop.ui.training.runs_model import SORT_ROLE, Column, RunsModel
from fkd_desktop.ui.training.save_weights import ask_where_to_save
from fkd_desktop.ui.words import plain_tip, sentence
from trainer.runs import RunState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fkd_desktop.training.results import ResultsController
    from trainer.runs import RunSummary


class RunsPage(QWidget):
    """Lists the runs, the newest first, and offers what their state allows.

    Parameters
    ----------
    results
        Reads, copies and deletes them.
    """

    use_requested = Signal(object)
    """Path of the weights that the live session should use."""
    resume_requested = Signal(object)
    """Folder of the run that should go on."""
    compare_requested = Signal(object)
    """Folder of the run whose weights should be compared with those in use."""
    settings_requested = Signal(object)
    """`RunSummary` of the run that a new one should be like."""

    def __init__(self, results: ResultsController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._results = results
        self._is_training = False
        self._question: QMessageBox | None = None
        self.model = RunsModel()
        self._make_table()
        self._make_actions()
        self._notice = DataNotice()
        self._done = ElidedLabel()
        self.banner = Banner()
        self._pane = QStackedWidget()
        self._pane.addWidget(self._notice)
        self._pane.addWidget(self._table_page())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.banner)
        layout.addWidget(self._pane, 1)
        results.runs_changed.connect(self._on_results_runs_changed)
        results.failed.connect(self._on_results_failed)
        results.saved.connect(self._on_results_saved)
        self._show_runs()

    # --- making

    def _make_table(self) -> None:
        self._proxy = QSortFilterProxyModel(self)
        self._proxy.setSourceModel(self.model)
        self._proxy.setSortRole(SORT_ROLE)
        table = QTableView()
        table.setModel(self._proxy)
        table.setAccessibleName(self.tr("Past runs"))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        table.setSortingEnabled(True)
        table.sortByColumn(Column.DATE, Qt.SortOrder.DescendingOrder)
        table.setShowGrid(False)
        table.setAlternatingRowColors(True)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 12)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(Column.NAME, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(90)
        table.doubleClicked.connect(self._on_table_double_clicked)
        table.selectionModel().selectionChanged.connect(self._on_table_selection_changed)
        self.table = table

    def _make_actions(self) -> None:
        self.compare_action = self._add_action(self.tr("Compare with the network in use"), self._compare, "Return")
        self.use_action = self._add_action(self.tr("Use its weights"), self._use)
        self.resume_action = self._add_action(self.tr("Resume"), self._resume)
        self.settings_action = self._add_action(self.tr("New run like it"), self._take_settings)
        self.save_action = self._add_action(self.tr("Save weights as…"), self._save)
        self.folder_action = self._add_action(self.tr("Open folder"), self._open_folder)
        self.delete_action = self._add_action(self.tr("Delete…"), self._ask_to_delete, QKeySequence.StandardKey.Delete)

    def _add_action(
        self, text: str, do: Callable[[RunSummary], object], key: QKeySequence.StandardKey | str | None = None
    ) -> QAction:
        action = QAction(text, self.table)
        if key is not None:
            action.setShortcut(QKeySequence(key))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)

        def on_triggered() -> None:
            if (run := self.selected_run) is not None:
                do(run)

        action.triggered.connect(on_triggered)
        self.table.addAction(action)
        return action

    def _table_page(self) -> QWidget:
        page = QWidget()
        row = QHBoxLayout()
        row.setSpacing(8)
        for action in self.table.actions():
            if action is self.delete_action:
                row.addWidget(self._done, 1)
            row.addWidget(_button_for(action))
        layout = QVBoxLayout(page)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.setSpacing(10)
        layout.addWidget(self.table, 1)
        layout.addLayout(row)
        return page

    # --- what others tell

    @property
    def selected_run(self) -> RunSummary | None:
        """The run that is selected."""
        rows = self.table.selectionModel().selectedRows()
        return self.model.runs[self._proxy.mapToSource(rows[0]).row()] if rows else None

    def select(self, folder: Path) -> None:
        """Select a run, if it is in the list."""
        for row, run in enumerate(self.model.runs):
            if run.path == folder:
                self.table.selectRow(self._proxy.mapFromSource(self.model.index(row, 0)).row())

    def set_weights_in_use(self, weights: Path | None) -> None:
        """Say which weights the live session uses; None for the shipped ones."""
        self.model.set_weights_in_use(weights)
        self._refresh_actions()

    def set_training(self, is_training: bool) -> None:
        """Say whether a run is under way, as no other can be resumed then; reads the list anew."""
        self._is_training = is_training
        self._refresh_actions()
        self._results.refresh()

    @Slot()
    def _on_results_runs_changed(self) -> None:
        run = self.selected_run
        place = self.table.verticalScrollBar().value()
        self.model.set_runs(self._results.runs)
        if run is not None:
            self.select(run.path)
        elif self._results.runs:  # the buttons are about something from the start
            self.select(self._results.runs[0].path)
        self.table.verticalScrollBar().setValue(place)
        self._show_runs()

    @Slot(str)
    def _on_results_failed(self, message: str) -> None:
        if self.isVisible():
            self.banner.show_notice(sentence(message))

    @Slot(object)
    def _on_results_saved(self, path: Path) -> None:
        if self.isVisible():
            self.banner.clear()
            self._done.setText(self.tr("Saved as {0}").format(path.stem))
            self._done.setToolTip(plain_tip(str(path)))

    def _show_runs(self) -> None:
        if self.model.runs:
            self._pane.setCurrentIndex(1)
        elif self._results.has_listed:
            self._notice.show_notice(
                icon="train",
                title=self.tr("No runs yet"),
                text=self.tr("Every run that you start is listed here, to be compared, used or resumed later."),
            )
            self._pane.setCurrentIndex(0)
        else:
            self._notice.show_notice(icon="train", title=self.tr("Past runs"), text=self.tr("Reading the list…"))
            self._pane.setCurrentIndex(0)
        self._refresh_actions()

    @Slot()
    def _refresh_actions(self) -> None:
        run = self.selected_run
        is_there, trains = run is not None, run is not None and run.state is RunState.TRAINING
        has_weights = run is not None and run.weights is not None
        in_use = run is not None and self.model.is_in_use(run)
        no_weights = self.tr("It has no weights yet") if is_there and not has_weights else ""
        self.compare_action.setText(
            self.tr("Compare with the shipped network") if in_use else self.tr("Compare with the network in use")
        )
        _allow(self.compare_action, has_weights, no_weights)
        _allow(self.use_action, has_weights and not in_use, self.tr("They are in use") if in_use else no_weights)
        can_resume = run is not None and run.can_resume and not self._is_training
        _allow(self.resume_action, can_resume, self._why_not_resume(run))
        _allow(self.settings_action, is_there, self.tr("Fill the form of a new run with its settings"))
        _allow(self.save_action, has_weights, no_weights)
        _allow(self.folder_action, is_there, "")
        _allow(self.delete_action, is_there and not trains, self.tr("Stop it first") if trains else "")

    def _why_not_resume(self, run: RunSummary | None) -> str:
        if run is None:
            return ""
        if run.state is RunState.FINISHED:
            return self.tr("It has all its epochs")
        if run.state is RunState.TRAINING:
            return self.tr("It is training")
        return self.tr("Another run is training") if self._is_training else ""

    # --- what a user does

    @Slot()
    def _on_table_selection_changed(self) -> None:
        self._done.setText("")
        self._refresh_actions()

    @Slot(QModelIndex)
    def _on_table_double_clicked(self, _index: QModelIndex | QPersistentModelIndex) -> None:
        self.compare_action.trigger()

    def _compare(self, run: RunSummary) -> None:
        self.compare_requested.emit(run.path)

    def _use(self, run: RunSummary) -> None:
        self.use_requested.emit(run.weights)

    def _resume(self, run: RunSummary) -> None:
        self.resume_requested.emit(run.path)

    def _take_settings(self, run: RunSummary) -> None:
        self.settings_requested.emit(run)

    def _save(self, run: RunSummary) -> None:
        if (weights := run.weights) is not None:
            ask_where_to_save(self, run.name, lambda target: self._results.save_as(weights, target))

    def _open_folder(self, run: RunSummary) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(run.path))):
            self.banner.show_notice(self.tr("No program here opens folders; this one is {0}.").format(run.path))

    def _ask_to_delete(self, run: RunSummary) -> None:
        if self._question is not None:  # about another run
            self._question.close()
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(self.tr("Delete a run"))
        box.setTextFormat(Qt.TextFormat.PlainText)  # it quotes the run's name
        box.setText(self.tr("Delete the run {0}?").format(run.name))
        box.setInformativeText(
            self.tr("Its weights, which the live session uses, and its figures are deleted from the disk for good.")
            if self.model.is_in_use(run)
            else self.tr("Its weights and figures are deleted from the disk for good.")
        )
        delete = box.addButton(self.tr("Delete"), QMessageBox.ButtonRole.DestructiveRole)
        keep = box.addButton(self.tr("Keep it"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        box.setWindowModality(Qt.WindowModality.NonModal)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def on_finished() -> None:
            if self._question is box:
                self._question = None
            if box.clickedButton() is delete:
                self._results.delete(run)

        box.finished.connect(on_finished)
        self._question = box
        box.show()

    # --- events

    def showEvent(self, event: QShowEvent) -> None:
        """Look what is there now."""
        super().showEvent(event)
        self._results.refresh()


def _allow(action: QAction, is_allowed: bool, tool_tip: str) -> None:
    action.setEnabled(is_allowed)
    action.setToolTip(tool_tip)


def _button_for(action: QAction) -> QPushButton:
    """Return a button that is always as its action is."""
    button = QPushButton()

    def on_changed() -> None:
        button.setText(action.text())
        button.setEnabled(action.isEnabled())
        button.setToolTip(action.toolTip())

    action.changed.connect(on_changed)
    button.clicked.connect(action.trigger)
    on_changed()
    return button
