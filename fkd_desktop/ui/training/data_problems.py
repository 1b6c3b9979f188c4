"""What is wrong with a data set as a list, however long, and the picture that an entry of it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QAction, QGuiApplication, QIcon, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from fkd_desktop.i18n import translated
from fkd_desktop.ui.icons import tinted_pixmap
from fkd_desktop.ui.training.data_widgets import fault_colour, note_colour
from fkd_desktop.ui.words import plain_tip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.label_files import Problem

_ICON_PX: Final = 16
_PLACE_WIDTH_PX: Final = 190
_MIN_HEIGHT_PX: Final = 96
_MAX_HEIGHT_PX: Final = 16_777_215
"""What Qt takes for no limit."""
_Index = QModelIndex | QPersistentModelIndex
_NO_INDEX: Final = QModelIndex()


class ProblemsModel(QAbstractTableModel):
    """Problems, then warnings: where, and what."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._widget = parent
        self._rows: tuple[Problem, ...] = ()
        self._faults = 0
        self._icons: dict[bool, QIcon] = {}
        self.refresh_icons()

    def show_problems(self, problems: Sequence[Problem], warnings: Sequence[Problem]) -> None:
        """Replace what is listed."""
        self.beginResetModel()
        self._rows, self._faults = (*problems, *warnings), len(problems)
        self.endResetModel()

    def refresh_icons(self) -> None:
        """Give the icons the palette's new colours."""
        palette, ratio = self._widget.palette(), self._widget.devicePixelRatioF()
        self._icons = {
            True: QIcon(tinted_pixmap("warning", _ICON_PX, fault_colour(palette), ratio)),
            False: QIcon(tinted_pixmap("info", _ICON_PX, note_colour(palette), ratio)),
        }

    def problem(self, row: int) -> Problem:
        """Return what a row shows."""
        return self._rows[row]

    def rowCount(self, parent: _Index = _NO_INDEX) -> int:
        """Return how many there are."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = _NO_INDEX) -> int:
        """Return 2: where, and what."""
        return 0 if parent.isValid() else 2

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell."""
        problem, is_fault = self._rows[index.row()], index.row() < self._faults
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return _place(problem) if index.column() == 0 else translated(problem.reason)
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tip(_line(problem))
            case Qt.ItemDataRole.DecorationRole if index.column() == 0:
                return self._icons[is_fault]
            case Qt.ItemDataRole.AccessibleTextRole if index.column() == 0:
                spoken = self.tr("problem: {0}") if is_fault else self.tr("good to know: {0}")
                return spoken.format(_place(problem))
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's title."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (self.tr("Where"), self.tr("What"))[section]
        return None


class _PlaceDelegate(QStyledItemDelegate):
    """Shortens a place in its middle: its end is the line."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: _Index) -> None:
        super().initStyleOption(option, index)
        option.textElideMode = Qt.TextElideMode.ElideMiddle


class ProblemsView(QTableView):
    """The list of problems. Double click or Enter opens one; Ctrl+C and the context menu copy what is selected."""

    opened = Signal(object)
    """`Problem`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = ProblemsModel(self)
        self.setModel(self._model)
        self.setAccessibleName(self.tr("problems of the data set"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setItemDelegateForColumn(0, _PlaceDelegate(self))
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        # All rows are equally high: a list of any length is laid out without asking one of them.
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.horizontalHeader().setStretchLastSection(True)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.horizontalHeader().resizeSection(0, _PLACE_WIDTH_PX)
        self.open_action = QAction(self.tr("Open the picture"), self)
        self.copy_action = QAction(self.tr("Copy"), self)
        self.copy_action.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        self.copy_action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.addAction(self.copy_action)
        self.open_action.triggered.connect(self._on_open_triggered)
        self.copy_action.triggered.connect(self._on_copy_triggered)
        self.activated.connect(self._on_activated)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._on_context_menu_requested)

    @property
    def count(self) -> int:
        """How many entries there are."""
        return self._model.rowCount()

    def show_problems(self, problems: Sequence[Problem], warnings: Sequence[Problem]) -> None:
        """Replace what is listed; the list becomes no higher than that needs."""
        self._model.show_problems(problems, warnings)
        rows_px = self.count * self.verticalHeader().defaultSectionSize()
        height_px = rows_px + self.horizontalHeader().sizeHint().height() + 2 * self.frameWidth() + 2
        self.setMinimumHeight(min(height_px, _MIN_HEIGHT_PX))
        self.setMaximumHeight(min(height_px, _MAX_HEIGHT_PX))

    def changeEvent(self, event: QEvent) -> None:
        """Give the icons the new theme's colours."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_model"):  # Qt sends some before that
            self._model.refresh_icons()
        super().changeEvent(event)

    @Slot(QModelIndex)
    def _on_activated(self, index: QModelIndex) -> None:
        self.opened.emit(self._model.problem(index.row()))

    @Slot()
    def _on_open_triggered(self) -> None:
        if self.currentIndex().isValid():
            self._on_activated(self.currentIndex())

    @Slot()
    def _on_copy_triggered(self) -> None:
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        if rows:
            QGuiApplication.clipboard().setText("\n".join(_line(self._model.problem(row)) for row in rows))

    @Slot(QPoint)
    def _on_context_menu_requested(self, at: QPoint) -> None:
        if not self.indexAt(at).isValid():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions([self.open_action, self.copy_action])
        menu.popup(self.viewport().mapToGlobal(at))


def _place(problem: Problem) -> str:
    return f"{problem.file.name}:{problem.line}" if problem.line else problem.file.name


def _line(problem: Problem) -> str:
    place = f"{problem.file}:{problem.line}" if problem.line else f"{problem.file}"
    return f"{place}: {translated(problem.reason)}"
