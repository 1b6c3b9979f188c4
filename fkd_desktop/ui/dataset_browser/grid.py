"""The grid of thumbnails: only what is in sight is painted or made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPaintEvent, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from fkd_desktop.i18n import numeral
from fkd_desktop.ui.dataset_browser.marks import GROUND_COLOUR, INK, PLATE
from fkd_desktop.ui.dataset_browser.words import reason_of
from fkd_desktop.ui.icons import tinted_pixmap

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QPixmap

    from fkd_desktop.training.entries import Entry
    from fkd_desktop.training.thumbnails import ThumbnailMaker
    from fkd_desktop.ui.dataset_browser.model import EntryModel

PADDING_PX: Final = 6
CAPTION_PX: Final = 20
LOOK_AFTER_MS: Final = 15
"""After the last movement: a long scroll asks for what it ends at, not for all that it passes."""
_NME_PX: Final = 44
"""Room for an NME beside the name."""
_NAMES_KEPT: Final = 20_000
_TO_THE_LEFT: Final = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_TO_THE_RIGHT: Final = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
WARNING_COLOUR: Final = QColor("#ffca58")


class ThumbnailDelegate(QStyledItemDelegate):
    """Paints one cell: the thumbnail or why there is none, a name, and the NME."""

    def __init__(
        self, model: EntryModel, thumbnails: ThumbnailMaker, nme_of: Callable[[Entry], float | None], parent: QListView
    ) -> None:
        super().__init__(parent)
        self._model, self._thumbnails, self._nme_of = model, thumbnails, nme_of
        self._view = parent
        self._warnings: dict[int, QPixmap] = {}
        self._small: tuple[QFont, QFont, QFontMetrics] | None = None
        self._names: dict[tuple[str, int], str] = {}
        self.side_px = 120

    @property
    def device_side_px(self) -> int:
        """Side of a thumbnail in device pixels."""
        return round(self.side_px * self._view.devicePixelRatioF())

    @property
    def cell_size(self) -> QSize:
        """Size of a cell in logical pixels."""
        return QSize(self.side_px + 2 * PADDING_PX, self.side_px + 2 * PADDING_PX + CAPTION_PX)

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        """See `QStyledItemDelegate.sizeHint`."""
        return self._view.gridSize()

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """See `QStyledItemDelegate.paint`."""
        entry = self._model.entries[index.row()]
        cell: QRect = option.rect
        palette: QPalette = option.palette
        state: QStyle.StateFlag = option.state
        left = cell.left() + (cell.width() - self.side_px) // 2
        place = QRect(left, cell.top() + PADDING_PX, self.side_px, self.side_px)
        image = self._thumbnails.get(entry, self.device_side_px) if entry.is_usable else reason_of(entry)
        if isinstance(image, QImage):
            painter.drawImage(place, image)
        else:
            painter.fillRect(place, GROUND_COLOUR)
            if image is not None:
                self._paint_reason(painter, place, image)
        if entry.warnings:
            self._paint_warning(painter, place)
        self._paint_caption(painter, place, entry, palette)
        if state & QStyle.StateFlag.State_Selected:
            group = QPalette.ColorGroup.Active if self._view.hasFocus() else QPalette.ColorGroup.Inactive
            pen = QPen(palette.color(group, QPalette.ColorRole.Highlight), 3)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(place.adjusted(-2, -2, 1, 1))

    def _paint_reason(self, painter: QPainter, place: QRect, reason: str) -> None:
        font, metrics = self._small_font()
        painter.setFont(font)
        icon = self._warning_pixmap(22)
        painter.drawPixmap(place.center().x() - 11, place.top() + 9, icon)
        painter.setPen(INK)
        room = place.adjusted(7, 34, -7, -5)
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(room, int(flags), _cut(_breakable(reason), metrics, room, int(flags)))

    def _paint_warning(self, painter: QPainter, place: QRect) -> None:
        plate = QRectF(place.right() - 24, place.top() + 4, 21, 21)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(PLATE)
        painter.drawEllipse(plate)
        painter.drawPixmap(round(plate.left()) + 3, round(plate.top()) + 2, self._warning_pixmap(15))

    def _warning_pixmap(self, size_px: int) -> QPixmap:
        if size_px not in self._warnings:
            ratio = self._view.devicePixelRatioF()
            self._warnings[size_px] = tinted_pixmap("warning", size_px, WARNING_COLOUR, ratio)
        return self._warnings[size_px]

    def _paint_caption(self, painter: QPainter, place: QRect, entry: Entry, palette: QPalette) -> None:
        font, metrics = self._small_font()
        painter.setFont(font)
        line = QRect(place.left(), place.bottom() + 3, self.side_px, CAPTION_PX)
        ink = palette.color(QPalette.ColorRole.Text)
        painter.setPen(ink)
        nme = self._nme_of(entry)
        if nme is not None:
            painter.drawText(line, _TO_THE_RIGHT, numeral(f"{nme:.1%}"))
            line.setRight(line.right() - _NME_PX)
        ink.setAlphaF(0.72)
        painter.setPen(ink)
        key = (entry.name, line.width())
        if key not in self._names:  # shortening takes longer than painting
            if len(self._names) > _NAMES_KEPT:
                self._names.clear()
            self._names[key] = metrics.elidedText(entry.name, Qt.TextElideMode.ElideMiddle, line.width())
        painter.drawText(line, _TO_THE_LEFT, self._names[key])

    def _small_font(self) -> tuple[QFont, QFontMetrics]:
        base = self._view.font()
        if self._small is None or self._small[0] != base:
            font = QFont(base)
            font.setPixelSize(11)
            self._small = (base, font, QFontMetrics(font))
            self._names.clear()
        return self._small[1:]


class ThumbnailGrid(QListView):
    """Cells of one size in lines; thumbnails are made for what is in sight."""

    entry_chosen = Signal(object)
    """The current `Entry`, or None."""

    def __init__(
        self,
        model: EntryModel,
        thumbnails: ThumbnailMaker,
        nme_of: Callable[[Entry], float | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("thumbnail_grid")
        self.setAccessibleName(self.tr("Faces of the data set"))
        self._entry_model, self._thumbnails = model, thumbnails
        self._delegate = ThumbnailDelegate(model, thumbnails, nme_of, self)
        # Not IconMode, which keeps a tree of every cell's place: a list that wraps only computes them.
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setItemDelegate(self._delegate)
        self.setModel(model)
        self._look = QTimer(self, singleShot=True, interval=LOOK_AFTER_MS)
        self._look.timeout.connect(self._on_look_timeout)
        self.set_side(self._delegate.side_px)
        self.verticalScrollBar().valueChanged.connect(self._look_soon)
        model.modelReset.connect(self._on_model_reset)
        model.rowsInserted.connect(self._look_soon)
        model.dataChanged.connect(self._look_soon)
        thumbnails.made.connect(self.viewport().update)
        self.selectionModel().currentChanged.connect(self._on_current_changed)

    def set_side(self, side_px: int) -> None:
        """Choose how large thumbnails are, in logical pixels."""
        self._delegate.side_px = side_px
        self.verticalScrollBar().setSingleStep(self._delegate.cell_size.height() // 2)
        self._fill_width()
        self._look_soon()

    def _fill_width(self) -> None:
        """Give the cells of a line the room that is left over."""
        cell = self._delegate.cell_size
        columns = self._columns_of(cell.width())
        size = QSize(max(cell.width(), (self.viewport().width() - 1) // columns), cell.height())
        if size != self.gridSize():
            self.setGridSize(size)

    def _columns_of(self, width_px: int) -> int:
        """Return how many cells Qt puts in a line: one that would just fit goes to the next."""
        return max(1, (self.viewport().width() - 1) // width_px)

    @property
    def side_px(self) -> int:
        """Side of a thumbnail in logical pixels."""
        return self._delegate.side_px

    @property
    def current_entry(self) -> Entry | None:
        """The one that is chosen."""
        index = self.currentIndex()
        return self._entry_model.entries[index.row()] if index.isValid() else None

    def choose(self, row: int) -> None:
        """Make a row the current one and bring it into sight."""
        if 0 <= row < len(self._entry_model.entries):
            index = self._entry_model.index(row)
            self.setCurrentIndex(index)
            self.scrollTo(index)

    def rows_in_sight(self) -> range:
        """Return the rows that are in sight, in part at least."""
        columns = self._columns_of(self.gridSize().width())
        height = self.gridSize().height()
        top = self.verticalScrollBar().value()
        first, last = top // height, (top + self.viewport().height() - 1) // height
        count = len(self._entry_model.entries)
        return range(min(first * columns, count), min((last + 1) * columns, count))

    @Slot()
    def _look_soon(self) -> None:
        self._look.start()

    @Slot()
    def _on_model_reset(self) -> None:
        self.scrollToTop()
        self._look_soon()

    @Slot()
    def _on_look_timeout(self) -> None:
        if not self.isVisible():  # the window has gone, and its threads with it
            return
        sight, entries = self.rows_in_sight(), self._entry_model.entries
        ahead = entries[sight.stop : sight.stop + len(sight)]
        behind = entries[max(0, sight.start - len(sight)) : sight.start]
        self._thumbnails.want([*entries[sight.start : sight.stop], *ahead, *behind], self._delegate.device_side_px)

    @Slot()
    def _on_current_changed(self) -> None:
        self.entry_chosen.emit(self.current_entry)

    def paintEvent(self, event: QPaintEvent) -> None:
        """See `QListView.paintEvent`; from here, for so the interpreter's lock is waited for once, not at each cell."""
        super().paintEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See `QListView.resizeEvent`."""
        self._fill_width()
        super().resizeEvent(event)
        self._look_soon()

    def event(self, event: QEvent) -> bool:
        """Make thumbnails anew for a screen of another density."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._look_soon()
        return super().event(event)


def _breakable(text: str) -> str:
    """Let a text go to the next line within file names too."""
    for mark in "/\\_.-":
        text = text.replace(mark, f"{mark}\u200b")
    return text


def _cut(text: str, metrics: QFontMetrics, room: QRect, flags: int) -> str:
    """Cut a text to what fits into a rectangle of several lines."""
    if metrics.boundingRect(room, flags, text).height() <= room.height():
        return text
    low, high = 0, len(text)
    while low < high - 1:
        middle = (low + high) // 2
        if metrics.boundingRect(room, flags, text[:middle] + "…").height() <= room.height():
            low = middle
        else:
            high = middle
    return text[:low].rstrip() + "…"
