"""Groups of tiles, in as many columns as fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fkd_desktop.ui.overlays.tile import OverlayTile

LEAST_TILE_PX: Final = 96
MOST_TILE_PX: Final = 150
GAP_PX: Final = 4


class TileGrid(QWidget):
    """Tiles of one size in rows that fill the width."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tiles: tuple[OverlayTile, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_tiles(self, tiles: Sequence[OverlayTile]) -> None:
        """Show these; the grid becomes their parent."""
        self.tiles = tuple(tiles)
        for tile in self.tiles:
            tile.setParent(self)
            tile.show()
        self._place()

    def columns(self, width: int) -> int:
        """Return how many fit side by side; at least two."""
        return max(2, (width + GAP_PX) // (LEAST_TILE_PX + GAP_PX))

    def height_for(self, width: int) -> int:
        """Return the height that the tiles take in a width."""
        if not self.tiles:
            return 0
        rows = -(-len(self.tiles) // self.columns(width))
        return rows * (self.tiles[0].heightForWidth(self._tile_width(width)) + GAP_PX) - GAP_PX

    def minimumSizeHint(self) -> QSize:
        """See `QWidget.minimumSizeHint`."""
        return QSize(2 * 80 + GAP_PX, self.minimumHeight())

    def _tile_width(self, width: int) -> int:
        columns = self.columns(width)
        return min((width - GAP_PX * (columns - 1)) // columns, MOST_TILE_PX)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the tiles anew."""
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        # Not by heightForWidth: box layouts within box layouts within a scroll area get it wrong by a row.
        self.setFixedHeight(self.height_for(self.width()))
        if not self.tiles:
            return
        columns, width = self.columns(self.width()), self._tile_width(self.width())
        height = self.tiles[0].heightForWidth(width)
        for number, tile in enumerate(self.tiles):
            row, column = divmod(number, columns)
            tile.setGeometry(column * (width + GAP_PX), row * (height + GAP_PX), width, height)


class TileGroup(QWidget):
    """A title and the tiles under it; hidden while there are none.

    Parameters
    ----------
    title
        What they have in common.
    """

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading = QLabel(title)
        font = self.heading.font()
        font.setBold(True)
        self.heading.setFont(font)
        self.heading.setTextFormat(Qt.TextFormat.PlainText)
        self.heading.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.grid = TileGrid()
        self.grid.setAccessibleName(title)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 8)
        self._layout.setSpacing(4)
        self._layout.addWidget(self.heading)
        self._layout.addWidget(self.grid)

    def set_tiles(self, tiles: Sequence[OverlayTile]) -> None:
        """Show these tiles."""
        self.grid.set_tiles(tiles)
        self.setVisible(bool(tiles))
