"""The architecture table: one row a layer."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from fkd_desktop.i18n import numeral, translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.inspection import LayerInfo

Index = QModelIndex | QPersistentModelIndex

SHARE_ROLE: Final = Qt.ItemDataRole.UserRole
"""Share of the time over the largest share of a layer: how long the bar is."""
_ROOT: Final = QModelIndex()


class Column(IntEnum):
    """What a column shows."""

    NAME = 0
    KIND = 1
    SHAPE = 2
    PARAMETERS = 3
    TIME = 4


class LayerModel(QAbstractTableModel):
    """The layers of one network."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers: Sequence[LayerInfo] = ()
        self._headings = {
            Column.NAME: self.tr("Layer"),
            Column.KIND: self.tr("Kind"),
            Column.SHAPE: self.tr("Output"),
            Column.PARAMETERS: self.tr("Parameters"),
            Column.TIME: self.tr("Time"),
        }
        self._tips = {
            Column.SHAPE: self.tr("What comes out for one face: maps, height and width, or how many values"),
            Column.PARAMETERS: self.tr("Numbers that training has set, as the weights file holds them"),
            Column.TIME: self.tr("Share of the time that the network takes for one face"),
        }

    @property
    def layers(self) -> Sequence[LayerInfo]:
        """The rows."""
        return self._layers

    def show_layers(self, layers: Sequence[LayerInfo]) -> None:
        """Replace the rows."""
        self.beginResetModel()
        self._layers = layers
        self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        """See `QAbstractItemModel`."""
        return 0 if parent.isValid() else len(self._layers)

    def columnCount(self, parent: Index = _ROOT) -> int:
        """See `QAbstractItemModel`."""
        return 0 if parent.isValid() else len(Column)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """See `QAbstractItemModel`."""
        layer, column = self._layers[index.row()], Column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(layer, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            right = column in (Column.SHAPE, Column.PARAMETERS, Column.TIME)
            return (
                Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            ) | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(layer, column)
        if role == SHARE_ROLE and column is Column.TIME:
            return layer.time_share / max(other.time_share for other in self._layers)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """See `QAbstractItemModel`."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._headings[Column(section)]
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.ToolTipRole:
            return self._tips.get(Column(section))
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            right = section >= Column.SHAPE
            return (
                Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            ) | Qt.AlignmentFlag.AlignVCenter
        return None

    @staticmethod
    def _text(layer: LayerInfo, column: Column) -> str:
        match column:
            case Column.NAME:
                return layer.name
            case Column.KIND:
                return translated(layer.kind)
            case Column.SHAPE:
                return " × ".join(map(str, layer.output_shape))
            case Column.PARAMETERS:
                return numeral(f"{layer.parameters:,}") if layer.parameters else "–"
            case Column.TIME:
                return numeral(f"{layer.time_share:.0%}" if layer.time_share >= 0.005 else "< 1%")

    def _tip(self, layer: LayerInfo, column: Column) -> str:
        if column is Column.TIME:
            return self.tr("{0} ms for one face, {1} of the whole").format(
                numeral(f"{layer.time_ms:.2f}"), numeral(f"{layer.time_share:.1%}")
            )
        if layer.is_whole:
            return self.tr("The keypoints, and all that is computed between and after the layers")
        if layer.has_norm:
            return self.tr("{0}, with its batch normalisation folded in").format(translated(layer.kind))
        return translated(layer.kind)


class _RoomyDelegate(QStyledItemDelegate):
    """Rows with air between the lines."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """See `QStyledItemDelegate`."""
        size = super().sizeHint(option, index)
        return QSize(size.width() + 2, max(size.height(), option.fontMetrics.height() + 7))


class ShareDelegate(_RoomyDelegate):
    """A share of time as a number over a bar."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """See `QStyledItemDelegate`."""
        self.initStyleOption(option, index)
        text, option.text = option.text, ""
        style = option.widget.style() if option.widget else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        active = bool(option.state & QStyle.StateFlag.State_Active)
        group = QPalette.ColorGroup.Active if active else QPalette.ColorGroup.Inactive
        ink = option.palette.color(group, QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text)
        bar = QColor(ink if selected else option.palette.color(QPalette.ColorRole.Highlight))
        bar.setAlpha(110)
        room = option.rect.adjusted(4, 4, -4, -4)
        length = max(1, round(room.width() * float(index.data(SHARE_ROLE))))
        painter.fillRect(room.adjusted(0, 0, length - room.width(), 0), bar)
        painter.setPen(ink)
        painter.drawText(
            option.rect.adjusted(0, 0, -8, 0), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text
        )


class LayerTable(QTreeView):
    """Shows a `LayerModel`; the row that is chosen is the layer to look at."""

    layer_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Layers of the network"))
        self.layer_model = LayerModel(self)
        self.setModel(self.layer_model)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAlternatingRowColors(True)
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setItemDelegate(_RoomyDelegate(self))
        self.setItemDelegateForColumn(Column.TIME, ShareDelegate(self))
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(64)
        for column in Column:
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(Column.KIND, QHeaderView.ResizeMode.Stretch)
        self.selectionModel().currentRowChanged.connect(self._on_selection_current_row_changed)
        self.activated.connect(self._on_self_activated)
        self.clicked.connect(self._on_self_activated)

    def show_layers(self, layers: Sequence[LayerInfo], *, chosen: str = "") -> None:
        """Replace the rows and choose one: the one of that name if there is one, else the first."""
        self.layer_model.show_layers(layers)
        if layers:
            row = next((row for row, layer in enumerate(layers) if layer.name == chosen), 0)
            index = self.layer_model.index(row, 0)
            rows = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.selectionModel().setCurrentIndex(index, rows)

    @property
    def chosen(self) -> LayerInfo | None:
        """The layer to look at."""
        index = self.currentIndex()
        return self.layer_model.layers[index.row()] if index.isValid() else None

    def _on_selection_current_row_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid():
            self.layer_chosen.emit(self.layer_model.layers[current.row()].name)

    def _on_self_activated(self, index: QModelIndex) -> None:
        """Tell of a row that is chosen already too: another view may be on show."""
        self.layer_chosen.emit(self.layer_model.layers[index.row()].name)
