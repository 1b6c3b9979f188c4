"""The data set browser's window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QGuiApplication, QHideEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import QFileDialog, QMainWindow, QStackedWidget, QToolBar

from fkd_desktop.i18n import numeral, translated
from fkd_desktop.training.browsing import Browsing, BrowsingState
from fkd_desktop.ui.dataset_browser.content import Content
from fkd_desktop.ui.dataset_browser.model import Order, chosen
from fkd_desktop.ui.dataset_browser.save import as_png_path, saving
from fkd_desktop.ui.dataset_browser.status_line import StatusLine
from fkd_desktop.ui.dataset_browser.words import reason_of
from fkd_desktop.ui.dropping import dropped_path, take_files
from fkd_desktop.ui.empty_state import EmptyState
from fkd_desktop.ui.icons import app_icon
from fkd_desktop.ui.words import sentence
from fkd_desktop.workers.job import Job

if TYPE_CHECKING:
    from fkd_desktop.settings import Settings
    from fkd_desktop.training.entries import Entry
    from trainer.preview import Variants


class DatasetBrowser(QMainWindow):
    """A window over any supported data set.

    Parameters
    ----------
    folder
        The data set: its folder, or its CSV table; None for none yet.
    settings
        What to remember.
    weights
        The network that judges; None for the shipped weights.
    device
        Where it computes.
    """

    def __init__(self, folder: Path | None, *, settings: Settings, weights: Path | None, device: str) -> None:
        super().__init__()
        self._settings = settings
        self._picture_of: Entry | None = None
        self._writer: Job | None = None
        self._order = Order.AS_WRITTEN
        self.browsing = Browsing(weights=weights, device=device)
        self.setWindowTitle(self.tr("Data set browser"))
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self.resize(1180, 780)
        self._make_actions()
        self._make_widgets()
        self._connect()
        if folder is not None:
            self.show_dataset(folder)
        else:
            self._show_nothing()

    # --- making

    def _make_actions(self) -> None:
        self.open_action = QAction(self.tr("&Open another data set…"), self)
        self.open_action.setIconText(self.tr("Open another data set…"))  # else Qt drops the dots
        self.open_action.setShortcut(QKeySequence.StandardKey.Open)
        self.again_action = QAction(self.tr("&Read again"), self)
        self.again_action.setShortcut(QKeySequence.StandardKey.Refresh)
        self.judge_action = QAction(self.tr("&Judge with the network"), self)
        self.judge_action.setToolTip(self.tr("Run the network over all faces and show how far off it is"))
        self.copy_action = QAction(self.tr("Copy"), self)
        self.copy_action.setShortcut(QKeySequence.StandardKey.Copy)
        self.save_action = QAction(self.tr("Save…"), self)
        self.save_action.setShortcut(QKeySequence.StandardKey.Save)
        self.addActions([self.copy_action, self.save_action])
        toolbar = QToolBar(self.tr("Data set"))
        toolbar.setMovable(False)
        toolbar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        toolbar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        toolbar.addActions([self.open_action, self.again_action, self.judge_action])
        self.addToolBar(toolbar)

    def _make_widgets(self) -> None:
        self.empty_state = EmptyState()
        self.content = Content(self.browsing.thumbnails, self._nme_of)
        self.model, self.grid = self.content.model, self.content.grid
        self.filter_bar, self.banner = self.content.filter_bar, self.content.banner
        self.face_panel, self.augmentation = self.content.face_panel, self.content.augmentation
        self.pane = QStackedWidget()
        self.pane.addWidget(self.empty_state)
        self.pane.addWidget(self.content)
        self.setCentralWidget(self.pane)
        self.status_line = StatusLine()
        self.setStatusBar(self.status_line)

    def _connect(self) -> None:
        browsing = self.browsing
        browsing.state_changed.connect(self._on_browsing_state_changed)
        browsing.catalogue_changed.connect(self._on_browsing_catalogue_changed)
        browsing.check_progressed.connect(self._on_browsing_check_progressed)
        browsing.check_ended.connect(self._on_browsing_check_ended)
        browsing.judging_progressed.connect(self._on_browsing_judging_progressed)
        browsing.judging_ended.connect(self._on_browsing_judging_ended)
        browsing.predicted.connect(self._on_browsing_predicted)
        browsing.prediction_failed.connect(self._show_notice)
        browsing.picture_read.connect(self._on_browsing_picture_read)
        browsing.variants_made.connect(self._on_browsing_variants_made)
        self.filter_bar.changed.connect(self._on_filter_bar_changed)
        self.filter_bar.side_changed.connect(self.grid.set_side)
        self.grid.entry_chosen.connect(self._on_grid_entry_chosen)
        self.face_panel.view.stepped.connect(self._on_view_stepped)
        self.face_panel.marks_changed.connect(self._on_panel_marks_changed)
        self.face_panel.copy_requested.connect(self.copy_picture)
        self.face_panel.save_requested.connect(self.choose_picture_file)
        self.augmentation.wished.connect(self._on_augmentation_wished)
        self.content.tabs.currentChanged.connect(self._on_augmentation_wished)
        self.content.clear_requested.connect(self._on_content_clear_requested)
        self.status_line.stop_requested.connect(browsing.stop_judging)
        self.open_action.triggered.connect(self.choose_dataset)
        self.again_action.triggered.connect(self._on_again_triggered)
        self.judge_action.triggered.connect(browsing.judge_all)
        self.judge_action.triggered.connect(self._show_judging)
        self.copy_action.triggered.connect(self.copy_picture)
        self.save_action.triggered.connect(self.choose_picture_file)

    # --- what a user does

    def show_dataset(self, folder: Path) -> None:
        """Show a data set, in place of the one before; one that is on show already stays as it is."""
        is_there = self.browsing.state in (BrowsingState.READING, BrowsingState.READY)
        if not (is_there and Path(folder) == self.browsing.root):
            self._read(Path(folder))

    def show_network(self, weights: Path | None) -> None:
        """Let other weights judge (None: the shipped ones); what those before said is forgotten."""
        self.browsing.set_weights(weights)
        self._ask_for_prediction()

    def _read(self, folder: Path) -> None:
        self.banner.clear()
        self.filter_bar.clear()
        self._order = Order.AS_WRITTEN
        self.browsing.open(folder)

    def choose_dataset(self) -> None:
        """Ask for a folder and show it."""
        folder = QFileDialog.getExistingDirectory(
            self, self.tr("Open a data set"), str(self.browsing.root or self._settings.data_folder)
        )
        if folder:
            self.show_dataset(Path(folder))

    def copy_picture(self) -> None:
        """Copy the large view as an image."""
        if self.face_panel.view.has_picture:
            QGuiApplication.clipboard().setImage(self.face_panel.view.picture_of_view())
            self.status_line.showMessage(self.tr("Copied"), 2000)

    def choose_picture_file(self) -> None:
        """Ask for a name and save the large view."""
        if not self.face_panel.view.has_picture:
            return
        start = Path(self._settings.last_folder or Path.home()) / "face.png"
        kinds = self.tr("PNG images (*.png)")
        name, _ = QFileDialog.getSaveFileName(self, self.tr("Save this view"), str(start), kinds)
        if name:
            self.save_picture(Path(name))

    def save_picture(self, path: Path) -> None:
        """Save the large view as a PNG file, behind the window."""
        path = as_png_path(path)
        self._writer = saving(path, self.face_panel.view.picture_of_view())
        self._writer.succeeded.connect(self._on_writer_succeeded)
        self._writer.failed.connect(self._show_notice)
        self._writer.start()

    @Slot(object)
    def _on_writer_succeeded(self, path: Path) -> None:
        self.status_line.showMessage(self.tr("Saved as {0}").format(path.name), 3000)

    # --- what is read

    @Slot(object, str)
    def _on_browsing_state_changed(self, state: BrowsingState, message: str) -> None:
        root = self.browsing.root
        if state is BrowsingState.READING:
            self.empty_state.show_state(
                icon="open",
                title=self.tr("Reading {0}…").format(root.name if root else ""),
                text=self.tr("The first faces come in a moment."),
            )
            self.pane.setCurrentWidget(self.empty_state)
            self.status_line.show_progress(self.tr("Reading the labels…"))
        elif state is BrowsingState.FAILED:
            self.status_line.show_progress("")
            self._show_dead_end(self.tr("This data set cannot be read"), sentence(message))
        elif state is BrowsingState.READY and root is not None:
            self._settings.data_folder = str(root)
        self.judge_action.setEnabled(state is BrowsingState.READY)
        self.again_action.setEnabled(True)
        self._show_counts()

    def _show_nothing(self) -> None:
        self.empty_state.show_state(
            icon="open",
            title=self.tr("No data set yet"),
            text=self.tr("Open a folder with pictures of faces and their keypoints, or drop it here."),
            actions=[self.open_action],
        )
        self.pane.setCurrentWidget(self.empty_state)
        self.judge_action.setEnabled(False)
        self.again_action.setEnabled(False)

    def _show_dead_end(self, title: str, text: str) -> None:
        self.empty_state.show_state(
            icon="warning", title=title, text=text, actions=[self.open_action, self.again_action]
        )
        self.pane.setCurrentWidget(self.empty_state)

    @Slot()
    def _on_browsing_catalogue_changed(self) -> None:
        catalogue = self.browsing.catalogue
        if catalogue is None:
            self.model.show_entries([])
            self.face_panel.show_nothing()
            return
        if catalogue.is_whole and not catalogue.entries:
            notes = " ".join(f"{translated(note)}." for note in catalogue.notes)
            self._show_dead_end(self.tr("There are no faces in this data set"), notes)
            return
        self.filter_bar.show_identities(catalogue.identities, has_test="test" in catalogue.source.parts)
        if catalogue.entries:
            self.pane.setCurrentWidget(self.content)
            self._show_chosen()
        if catalogue.notes and catalogue.is_whole:
            self.banner.show_notice(" ".join(f"{translated(note)}." for note in catalogue.notes))

    def _show_chosen(self) -> None:
        """Show what the filter lets through; the face on show stays the current one if it is among them."""
        catalogue = self.browsing.catalogue
        entries = chosen(catalogue.entries, self.filter_bar.filter, self.browsing.predictions) if catalogue else []
        self.content.show_entries(entries)
        if entries:
            self._on_grid_entry_chosen(self.grid.current_entry)
        else:
            self._picture_of = None
            self.face_panel.show_nothing()
            self.augmentation.sheet.show_variants(None)
        self._show_counts()

    def _show_counts(self) -> None:
        self.status_line.show_counts(self.browsing.catalogue, len(self.model.entries))

    @Slot(int, int)
    def _on_browsing_check_progressed(self, done: int, total: int) -> None:
        if not self.browsing.is_judging:
            self.status_line.show_progress(self.tr("Looking for problems…"), done, total)

    @Slot(str)
    def _on_browsing_check_ended(self, message: str) -> None:
        if not self.browsing.is_judging:
            self.status_line.show_progress("")
        if message:
            self.banner.show_notice(sentence(message), self.again_action)

    # --- the face on show

    @Slot(object)
    def _on_grid_entry_chosen(self, entry: Entry | None) -> None:
        if entry is None:
            return
        before, self._picture_of = self._picture_of, entry
        if before is not None and before.looks_like(entry):
            self.face_panel.update_entry(entry, self.browsing.prediction(entry))
        else:
            self.browsing.read_picture(entry)
            self._on_augmentation_wished()
        self._ask_for_prediction()

    @Slot(object, object, str)
    def _on_browsing_picture_read(self, entry: Entry, levels: tuple, message: str) -> None:  # type: ignore[type-arg]
        if self._picture_of is not None and entry.place == self._picture_of.place:
            now = self._picture_of
            self.face_panel.show_entry(now, levels, self.browsing.prediction(now), sentence(message))

    @Slot(int)
    def _on_view_stepped(self, step: int) -> None:
        self.grid.choose(self.grid.currentIndex().row() + step)

    @Slot()
    def _on_panel_marks_changed(self) -> None:
        self._ask_for_prediction()

    def _ask_for_prediction(self) -> None:
        if self._picture_of is not None and self.face_panel.prediction.isChecked():
            self.browsing.judge(self._picture_of)

    @Slot()
    def _on_augmentation_wished(self) -> None:
        entry = self._picture_of
        if entry is None or not self.content.shows_augmentation:
            return
        if entry.is_usable:
            self.browsing.make_variants(entry, self.augmentation.wish)
        else:
            self.augmentation.sheet.show_variants(None, reason_of(entry))

    @Slot(object, object, str)
    def _on_browsing_variants_made(self, entry: Entry, variants: Variants | None, message: str) -> None:
        if self._picture_of is not None and entry.place == self._picture_of.place:
            self.augmentation.sheet.show_variants(variants, sentence(message))

    # --- filters and the network's opinion

    @Slot()
    def _on_filter_bar_changed(self) -> None:
        before, self._order = self._order, self.filter_bar.filter.order
        asks_for_worst = before is not self._order and self._order is Order.WORST_FIRST
        if asks_for_worst and self.browsing.unjudged:
            self.browsing.judge_all()
            self._show_judging()
        self._show_chosen()
        if asks_for_worst:
            self.grid.choose(0)

    @Slot()
    def _on_content_clear_requested(self) -> None:
        self.filter_bar.clear()
        self._show_chosen()

    def _nme_of(self, entry: Entry) -> float | None:
        prediction = self.browsing.prediction(entry)
        return None if prediction is None else prediction.nme

    @Slot()
    def _show_judging(self) -> None:
        self.judge_action.setEnabled(not self.browsing.is_judging)
        if self.browsing.is_judging:
            self.status_line.show_progress(self.tr("Loading the network…"), can_stop=True)

    @Slot(int, int)
    def _on_browsing_judging_progressed(self, done: int, total: int) -> None:
        text = self.tr("Judging {0} of {1}").format(numeral(f"{done:,}"), numeral(f"{total:,}"))
        self.status_line.show_progress(text, done, total, can_stop=True)

    @Slot(str)
    def _on_browsing_judging_ended(self, message: str) -> None:
        self.judge_action.setEnabled(True)
        self.status_line.show_progress("")
        if message:
            self._show_notice(message)
        if self.filter_bar.filter.order is Order.WORST_FIRST:
            self._show_chosen()
            self.grid.choose(0)

    @Slot()
    def _on_browsing_predicted(self) -> None:
        self.grid.viewport().update()
        if self._picture_of is not None:
            self.face_panel.update_entry(self._picture_of, self.browsing.prediction(self._picture_of))

    # --- words

    @Slot(str)
    def _show_notice(self, message: str) -> None:
        self.banner.show_notice(sentence(message))

    # --- events

    @Slot()
    def _on_again_triggered(self) -> None:
        if self.browsing.root is not None:
            self._read(self.browsing.root)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take folders and tables."""
        take_files(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Show the first one."""
        if (path := dropped_path(event.mimeData())) is not None:
            self.show_dataset(path)

    def showEvent(self, event: QShowEvent) -> None:
        """Read again what was on show before the window was closed."""
        if self.browsing.state is BrowsingState.EMPTY and self.browsing.root is not None:
            self._read(self.browsing.root)
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Let go of everything that is under way, however the window goes; a picture being saved is still written."""
        if not event.spontaneous():  # else it is only minimised
            self.browsing.close()
        super().hideEvent(event)
