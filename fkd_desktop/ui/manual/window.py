"""A window that shows the manual: at once, without a browser or a network, beside the live picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, QEvent, Qt, QUrl, Slot
from PySide6.QtGui import QCloseEvent, QDesktopServices, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop.ui.icons import action_icon, app_icon
from fkd_desktop.ui.manual.page_view import PageView
from fkd_desktop.ui.manual.pages import FIRST, Page, browser_page, read_pages

if TYPE_CHECKING:
    from pathlib import Path

SIZE: Final = (980, 760)
CONTENTS_PX: Final = 230
_NAME: Final = Qt.ItemDataRole.UserRole


class ManualWindow(QWidget):
    """Contents and search on the left, a page on the right.

    Parameters
    ----------
    pages
        The manual's, the first one first.
    """

    def __init__(self, pages: list[Page]) -> None:
        super().__init__()
        self._pages = {page.name: page for page in pages}
        self.setWindowTitle(self.tr("Manual"))
        self.setWindowIcon(app_icon())
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, on=False)  # it keeps no application from ending
        self.resize(*SIZE)
        self.view = PageView()
        self.view.setAccessibleName(self.tr("Page of the manual"))
        self.view.sourceChanged.connect(self._on_view_source_changed)
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search (Ctrl+F)"))
        self.search.setAccessibleName(self.tr("Search the manual"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._on_search_text_changed)
        self.search.returnPressed.connect(self._find_next)
        self.contents = QListWidget()
        self.contents.setSpacing(2)
        self.contents.setAccessibleName(self.tr("Contents"))
        for page in pages:
            item = QListWidgetItem(page.title, self.contents)
            item.setData(_NAME, page.name)
        self.contents.currentItemChanged.connect(self._on_contents_current_item_changed)
        self._nothing = QLabel(self.tr("No page has this."))
        self._nothing.setWordWrap(True)
        self._nothing.hide()
        self._back = self._make_tool("previous", self.tr("Back"), QKeySequence.StandardKey.Back)
        self._forward = self._make_tool("next", self.tr("Forward"), QKeySequence.StandardKey.Forward)
        self._back.clicked.connect(self.view.backward)
        self._forward.clicked.connect(self.view.forward)
        self.view.backwardAvailable.connect(self._back.setEnabled)
        self.view.forwardAvailable.connect(self._forward.setEnabled)
        self._back.setEnabled(False)
        self._forward.setEnabled(False)
        self.in_browser = QPushButton(self.tr("Open in the browser"))
        self.in_browser.setVisible(browser_page(FIRST) is not None)
        self.in_browser.clicked.connect(self._on_in_browser_clicked)
        self._lay_out()
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self, self._focus_search)
        QShortcut(QKeySequence(QKeySequence.StandardKey.FindNext), self, self._find_next)
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self._on_escape)
        self.show_page(FIRST)

    def show_page(self, name: str, section: str = "") -> None:
        """Show a page, the first one if there is none of this name, from a section on."""
        page = self._pages.get(name) or self._pages[FIRST]
        url = QUrl.fromLocalFile(str(page.path))
        if section:
            url.setFragment(section)
        self.view.setSource(url)

    @property
    def page_name(self) -> str:
        """Name of the page on show."""
        return _stem(self.view.source())

    def _make_tool(self, icon: str, text: str, key: QKeySequence.StandardKey) -> QToolButton:
        button = QToolButton()
        button.setIcon(action_icon(icon))
        button.setAutoRaise(True)
        button.setShortcut(QKeySequence(key))
        button.setAccessibleName(text)
        keys = button.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        button.setToolTip(f"{text} ({keys})" if keys else text)
        return button

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self._back)
        row.addWidget(self._forward)
        row.addWidget(self.search, 1)
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(8, 8, 0, 8)
        column.addLayout(row)
        column.addWidget(self._nothing)
        column.addWidget(self.contents, 1)
        column.addWidget(self.in_browser)
        splitter = QSplitter()
        splitter.addWidget(side)
        splitter.addWidget(self.view)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([CONTENTS_PX, SIZE[0] - CONTENTS_PX])
        splitter.setChildrenCollapsible(False)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)
        self.view.setFocus()

    # --- search

    @Slot(str)
    def _on_search_text_changed(self, text: str) -> None:
        """Leave the pages that have all words, and show the first of them."""
        words = text.casefold().split()
        fitting = [name for name, page in self._pages.items() if all(word in page.text for word in words)]
        for row in range(self.contents.count()):
            item = self.contents.item(row)
            item.setHidden(item.data(_NAME) not in fitting)
        self._nothing.setVisible(not fitting)
        if words and fitting:
            if self.page_name not in fitting:
                self.show_page(fitting[0])
            self.view.find_from_top(words[0])

    @Slot()
    def _find_next(self) -> None:
        """Go to the next place, and behind a page's last one to the next page that has it."""
        words = self.search.text().split()
        if not words or self.view.find(words[0]):
            return
        names = [
            self.contents.item(row).data(_NAME)
            for row in range(self.contents.count())
            if not self.contents.item(row).isHidden()
        ]
        if names:
            here = names.index(self.page_name) if self.page_name in names else -1
            self.show_page(names[(here + 1) % len(names)])
            self.view.find_from_top(words[0])

    @Slot()
    def _focus_search(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    @Slot()
    def _on_escape(self) -> None:
        """Leave the search, else the manual."""
        if self.search.text():
            self.search.clear()
        else:
            self.close()

    # --- pages

    @Slot(QUrl)
    def _on_view_source_changed(self, url: QUrl) -> None:
        for row in range(self.contents.count()):
            if self.contents.item(row).data(_NAME) == _stem(url):
                self.contents.blockSignals(True)
                self.contents.setCurrentRow(row)
                self.contents.blockSignals(False)

    @Slot(QListWidgetItem, QListWidgetItem)
    def _on_contents_current_item_changed(self, item: QListWidgetItem | None, _before: QListWidgetItem | None) -> None:
        if item is not None:
            self.show_page(item.data(_NAME))

    @Slot()
    def _on_in_browser_clicked(self) -> None:
        page = browser_page(self.page_name)
        if page is None or not open_in_browser(page):
            self.in_browser.setEnabled(False)
            self.in_browser.setText(self.tr("No browser was found"))

    def changeEvent(self, event: QEvent) -> None:
        """Give the icons the new theme's colours."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_forward"):
            self._back.setIcon(action_icon("previous"))
            self._forward.setIcon(action_icon("next"))
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Forget the window: the next one reads the pages anew."""
        _open_windows.clear()
        self.deleteLater()
        super().closeEvent(event)


_open_windows: Final[list[ManualWindow]] = []
"""The one that is open, which belongs to no other window and is kept from being collected here."""


def show_manual(name: str = FIRST, section: str = "") -> str:
    """Show a page of the manual from a section on, in the window that is open or in a new one.

    Returns
    -------
    An empty text, or a sentence for the user where there is no manual.
    """
    if not _open_windows:
        pages = read_pages()
        if not pages:
            return QCoreApplication.translate(
                "ManualWindow", "The manual was not installed; README.md in the project's folder has the essentials."
            )
        window = ManualWindow(pages)
        application = QCoreApplication.instance()
        assert application is not None
        application.aboutToQuit.connect(window.close)
        _open_windows.append(window)
    (window,) = _open_windows
    window.show_page(name, section)
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()
    return ""


def open_in_browser(page: Path) -> bool:
    """Open a page in the user's browser; whether there is one that was asked to."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(page)))


def _stem(url: QUrl) -> str:
    return url.fileName().rpartition(".")[0]
