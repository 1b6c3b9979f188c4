"""What the window holds once there are faces: filters, the grid, and the face that is chosen in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QSplitter, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from fkd_desktop.ui.banner import Banner
from fkd_desktop.ui.dataset_browser.augmentation_panel import AugmentationPanel
from fkd_desktop.ui.dataset_browser.face_panel import FacePanel
from fkd_desktop.ui.dataset_browser.filter_bar import FilterBar
from fkd_desktop.ui.dataset_browser.grid import ThumbnailGrid
from fkd_desktop.ui.dataset_browser.model import EntryModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.training.entries import Entry
    from fkd_desktop.training.thumbnails import ThumbnailMaker


class Content(QWidget):
    """Lays the parts out.

    Parameters
    ----------
    thumbnails
        Makes the grid's.
    nme_of
        An entry's NME, where the network was asked.
    """

    clear_requested = Signal()
    """Show all faces again."""

    def __init__(self, thumbnails: ThumbnailMaker, nme_of: Callable[[Entry], float | None]) -> None:
        super().__init__()
        self.model = EntryModel(self)
        self.grid = ThumbnailGrid(self.model, thumbnails, nme_of)
        self.filter_bar = FilterBar()
        self.face_panel = FacePanel()
        self.augmentation = AugmentationPanel()
        self.banner = Banner()
        self._left = QStackedWidget()
        self._left.addWidget(self.grid)
        self._left.addWidget(self._make_no_match())
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.face_panel, self.tr("&Face"))
        self.tabs.addTab(self.augmentation, self.tr("As &training sees it"))
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self._left)
        splitter.addWidget(self.tabs)
        splitter.setSizes([570, 610])
        for position in range(2):
            splitter.setStretchFactor(position, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.banner)
        layout.addWidget(self.filter_bar)
        layout.addWidget(splitter, 1)

    def _make_no_match(self) -> QWidget:
        page = QWidget()
        self.show_all = QPushButton(self.tr("Show all faces"))
        self.show_all.clicked.connect(self.clear_requested)
        layout = QVBoxLayout(page)
        layout.setSpacing(10)
        layout.addStretch(1)
        layout.addWidget(QLabel(self.tr("No face matches this choice.")), alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self.show_all, alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        return page

    @property
    def shows_augmentation(self) -> bool:
        """Whether variants of the face are in sight, and not the face itself."""
        return self.tabs.currentWidget() is self.augmentation

    @property
    def shows_grid(self) -> bool:
        """Whether any face matches the filters."""
        return self._left.currentWidget() is self.grid

    def show_entries(self, entries: list[Entry]) -> None:
        """Show these in the grid; the one that was chosen stays so where it is among them, else the first is."""
        before = self.grid.current_entry
        self.model.show_entries(entries)
        self._left.setCurrentIndex(0 if entries else 1)
        if entries:
            row = self.model.row_of(before) if before is not None else None
            if row is None or row != self.grid.currentIndex().row():
                self.grid.choose(row or 0)
