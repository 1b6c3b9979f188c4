"""The panel of overlays: what there is, live, and what is on."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QByteArray, QEvent, QPoint, QSize, Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop.ui.dropping import dropped_path, take_files
from fkd_desktop.ui.icons import action_icon
from fkd_desktop.ui.overlays.actions import OverlayActions, icon_name
from fkd_desktop.ui.overlays.active_list import ActiveList
from fkd_desktop.ui.overlays.broken_row import BrokenRow
from fkd_desktop.ui.overlays.own_overlays import OwnOverlays
from fkd_desktop.ui.overlays.thumbnails import LiveThumbnails
from fkd_desktop.ui.overlays.tile import OverlayTile
from fkd_desktop.ui.overlays.tile_grid import TileGroup
from fkd_desktop.ui.overlays.tile_menu import TileMenu

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.overlays.library import OverlayInfo, OverlayLibrary
    from fkd_desktop.overlays.stack import OverlayStack
    from fkd_desktop.ui.overlays.editor import OverlayEditor

_GROUPS: Final = ("drawn", "fun", "privacy", "own")


class OverlayGallery(QWidget):
    """Tiles of all overlays above, the list of those that are on below. For a dock of 260 px or more.

    Parameters
    ----------
    stack
        What is on: shown and changed here.
    library
        What there is.
    actions
        Gives the number keys, and is kept up to date with the library.
    newest_result
        Returns the newest result of the session, or None; called in the GUI thread, a few times a second.
    """

    noticed = Signal(str)
    """A sentence for the user."""

    def __init__(
        self,
        stack: OverlayStack,
        library: OverlayLibrary,
        actions: OverlayActions,
        newest_result: Callable[[], FrameResult | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._stack, self._library, self._actions, self._newest_result = stack, library, actions, newest_result
        self.setObjectName("overlay_gallery")
        self.setAccessibleName(self.tr("Overlays"))
        self.setAcceptDrops(True)
        self.editor: OverlayEditor | None = None
        self.tiles: dict[str, OverlayTile] = {}
        self.broken_rows: list[BrokenRow] = []
        self.own = OwnOverlays(library, self)
        self.own.changed.connect(self._on_library_changed)
        self.own.noticed.connect(self.noticed)
        self.thumbnails = LiveThumbnails(library, newest_result, self._all_tiles, self)
        self.active_list = ActiveList(stack, library, newest_result)
        self._make_widgets()
        stack.changed.connect(self._on_stack_changed)
        actions.keys_changed.connect(self._show_keys)
        self.refresh()

    def _make_widgets(self) -> None:
        self.add_button = QPushButton(self.tr("Add your own…"))
        self.add_button.setToolTip(self.tr("Make an overlay from a picture; one can be dropped here, too"))
        self.add_button.clicked.connect(self._on_add_button_clicked)
        self.add_button.setHidden(self._library.user_folder is None)
        titles = {
            "drawn": self.tr("Drawn"),
            "fun": self.tr("Fun"),
            "privacy": self.tr("Privacy"),
            "own": self.tr("Your own"),
        }
        self.groups = {name: TileGroup(titles[name]) for name in _GROUPS}
        self._broken_heading = QLabel(self.tr("Not usable"))
        font = self._broken_heading.font()
        font.setBold(True)
        self._broken_heading.setFont(font)
        self._broken = QVBoxLayout()
        self._broken.setSpacing(2)
        self._content = QWidget()
        lines = QVBoxLayout(self._content)
        lines.setContentsMargins(8, 8, 8, 8)
        lines.setSpacing(2)
        lines.addWidget(self.add_button)
        lines.addSpacing(6)
        for group in self.groups.values():
            lines.addWidget(group)
        lines.addWidget(self._broken_heading)
        lines.addLayout(self._broken)
        lines.addStretch(1)
        self.scroll_area = QScrollArea()
        self.scroll_area.setWidgetResizable(True)
        self.scroll_area.setFrameShape(QFrame.Shape.NoFrame)
        # Always: one that comes and goes changes the number of columns, and with it whether it is needed.
        self.scroll_area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.scroll_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll_area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.scroll_area.setWidget(self._content)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.scroll_area)
        self.splitter.addWidget(self.active_list)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)
        self._tint()

    def sizeHint(self) -> QSize:
        """See `QWidget.sizeHint`."""
        return QSize(340, 700)

    def minimumSizeHint(self) -> QSize:
        """See `QWidget.minimumSizeHint`."""
        return QSize(260, 300)

    # --- state

    @property
    def mirrored(self) -> bool:
        """Whether faces are shown as in a mirror, as the picture is."""
        return self.thumbnails.mirrored

    @mirrored.setter
    def mirrored(self, mirrored: bool) -> None:
        self.thumbnails.mirrored = mirrored

    @property
    def splitter_state(self) -> QByteArray:
        """How the room is divided, to be stored."""
        return self.splitter.saveState()

    @splitter_state.setter
    def splitter_state(self, state: QByteArray) -> None:
        self.splitter.restoreState(state)

    # --- what there is

    def reload(self) -> None:
        """Look at the folders again, and follow what changed there."""
        before = (self._library.infos, self._library.broken)
        self._library.reload()
        if (self._library.infos, self._library.broken) != before:
            self._on_library_changed()
        else:
            self._stack.refresh()  # a picture may be another one

    def refresh(self) -> None:
        """Show what the library has now; after a reload of it."""
        infos = {info.name: info for info in self._library.infos}
        for name in [name for name, tile in self.tiles.items() if name not in infos or _differs(tile, infos[name])]:
            tile = self.tiles.pop(name)
            tile.hide()
            tile.deleteLater()
        for name, info in infos.items():
            if name not in self.tiles:
                self.tiles[name] = self._make_tile(info)
        self.tiles = {name: self.tiles[name] for name in infos}  # in the library's order
        groups = {name: _group(info) for name, info in infos.items()}
        last: QWidget = self.add_button
        for group_name, group in self.groups.items():
            group.set_tiles([tile for name, tile in self.tiles.items() if groups[name] == group_name])
            for tile in group.grid.tiles:
                QWidget.setTabOrder(last, tile)
                last = tile
        self._show_broken()
        self._show_keys()
        self._on_stack_changed()
        self.thumbnails.forget()

    def _all_tiles(self) -> list[OverlayTile]:
        return list(self.tiles.values())

    def _make_tile(self, info: OverlayInfo) -> OverlayTile:
        tile = OverlayTile(info.name, info.title, icon_name(info))
        tile.clicked.connect(lambda checked: self._stack.set_on(info.name, checked))
        tile.arrow_pressed.connect(lambda key: self._go_from(tile, Qt.Key(key)))
        tile.menu_requested.connect(lambda place: self._open_menu(info.name, place))
        return tile

    def _show_broken(self) -> None:
        for row in self.broken_rows:
            self._broken.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.broken_rows = []
        for broken in self._library.broken:
            row = BrokenRow(broken, can_remove=broken.folder.parent == self._library.user_folder)
            row.folder_requested.connect(lambda folder=broken.folder: self.own.open_folder(folder))
            row.removal_requested.connect(
                lambda folder=broken.folder: self.own.ask_delete(folder, folder.name),
            )
            self._broken.addWidget(row)
            self.broken_rows.append(row)
        self._broken_heading.setVisible(bool(self.broken_rows))

    @Slot()
    def _show_keys(self) -> None:
        for name, tile in self.tiles.items():
            tile.set_key(self._actions.key_of(name))

    @Slot()
    def _on_stack_changed(self) -> None:
        for name, tile in self.tiles.items():
            tile.setChecked(self._stack.is_on(name))

    @Slot()
    def _on_library_changed(self) -> None:
        self._stack.refresh()
        self._actions.refill()
        self.refresh()
        self.active_list.refresh()

    # --- moving by keys

    def _go_from(self, tile: OverlayTile, key: Qt.Key) -> None:
        """Give the focus to the next tile in a direction; across groups, too."""
        tiles = list(itertools.chain.from_iterable(group.grid.tiles for group in self.groups.values()))
        here = tiles.index(tile)
        if key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            there = 0 if key == Qt.Key.Key_Home else len(tiles) - 1
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            step = 1 if (key == Qt.Key.Key_Right) == (self.layoutDirection() == Qt.LayoutDirection.LeftToRight) else -1
            there = min(max(here + step, 0), len(tiles) - 1)
        else:
            there = self._above_or_below(tiles, here, is_down=key == Qt.Key.Key_Down)
        tiles[there].setFocus(Qt.FocusReason.TabFocusReason)
        self.scroll_area.ensureWidgetVisible(tiles[there], 0, 24)

    def _above_or_below(self, tiles: list[OverlayTile], here: int, *, is_down: bool) -> int:
        places = [tile.mapTo(self._content, tile.rect().center()) for tile in tiles]
        at = places[here]
        sign = 1 if is_down else -1
        ahead = [i for i, place in enumerate(places) if sign * (place.y() - at.y()) > 0]
        if not ahead:
            return here
        return min(ahead, key=lambda i: (abs(places[i].y() - at.y()), abs(places[i].x() - at.x())))

    # --- menu of a tile

    def menu_of(self, name: str) -> TileMenu:
        """Return the context menu of an overlay, to be popped up."""
        menu = TileMenu(
            self._library.info(name),
            stack=self._stack,
            library=self._library,
            actions=self._actions,
            own=self.own,
            parent=self,
        )
        menu.edit_requested.connect(lambda: self.open_editor(name))
        return menu

    def _open_menu(self, name: str, place: QPoint) -> None:
        self.menu_of(name).popup(place)

    # --- the editor

    @property
    def has_unsaved_changes(self) -> bool:
        """Whether closing the application now would lose work in the editor."""
        return self.editor is not None and self.editor.document.is_modified

    def open_editor(self, name: str | None = None, *, picture: Path | None = None) -> OverlayEditor | None:
        """Open the editor on a new overlay, or on one of the user's.

        Parameters
        ----------
        name
            Which to edit; None for a new one.
        picture
            The picture of a new one, if it is known already.
        """
        if self.editor is not None:
            self.editor.raise_()
            self.editor.activateWindow()
            if picture is not None:
                self.editor.choose(picture)
            return self.editor
        from fkd_desktop.ui.overlays.editor import OverlayEditor  # noqa: PLC0415 (see `Settling`)

        editor = OverlayEditor(self._library, self._newest_result, name=name, parent=self.window())
        editor.saved.connect(self._on_editor_saved)
        editor.finished.connect(self._on_editor_finished)
        self.editor = editor
        editor.show()
        if picture is not None:
            editor.choose(picture)
        return editor

    @Slot()
    def _on_add_button_clicked(self) -> None:
        self.open_editor()

    @Slot(str)
    def _on_editor_saved(self, name: str) -> None:
        self._on_library_changed()
        self._stack.set_on(name, True)
        if (tile := self.tiles.get(name)) is not None:
            self.scroll_area.ensureWidgetVisible(tile)

    @Slot()
    def _on_editor_finished(self) -> None:
        self.editor = None

    # --- events

    def showEvent(self, event: QShowEvent) -> None:
        """Keep the pictures live."""
        self.thumbnails.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Do nothing where nobody looks."""
        self.thumbnails.stop()
        super().hideEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take a picture that is dragged here."""
        take_files(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Make an overlay of the picture."""
        if (path := dropped_path(event.mimeData())) is not None:
            event.acceptProposedAction()
            self.open_editor(picture=path)

    def changeEvent(self, event: QEvent) -> None:
        """Give the icons the new theme's colours."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "splitter"):  # Qt sends some before that
            self._tint()
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow() and self.isVisible():
            self.reload()  # somebody may come back from the folder of an overlay
        super().changeEvent(event)

    def _tint(self) -> None:
        self.add_button.setIcon(action_icon("add"))


def _differs(tile: OverlayTile, info: OverlayInfo) -> bool:
    return tile.text() != info.title


def _group(info: OverlayInfo) -> str:
    if info.origin == "user":
        return "own"
    return {"drawn": "drawn", "effect": "privacy", "picture": "fun"}[info.kind]
