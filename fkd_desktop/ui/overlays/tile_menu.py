"""What a right click on an overlay in the gallery offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from fkd_desktop.ui.icons import action_icon
from fkd_desktop.ui.overlays.actions import NUMBER_KEYS

if TYPE_CHECKING:
    from fkd_desktop.overlays.library import OverlayInfo, OverlayLibrary
    from fkd_desktop.overlays.stack import OverlayStack
    from fkd_desktop.ui.overlays.actions import OverlayActions
    from fkd_desktop.ui.overlays.own_overlays import OwnOverlays


class TileMenu(QMenu):
    """Switches an overlay, chooses its number key, and for the user's own: edits, renames, deletes.

    Parameters
    ----------
    info
        The overlay.
    stack, library, actions, own
        What does it.
    """

    edit_requested = Signal()

    def __init__(
        self,
        info: OverlayInfo,
        *,
        stack: OverlayStack,
        library: OverlayLibrary,
        actions: OverlayActions,
        own: OwnOverlays,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._info, self._library, self._actions, self._own = info, library, actions, own
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setToolTipsVisible(True)
        switch = self.addAction(self.tr("On the picture"))
        switch.setCheckable(True)
        switch.setChecked(stack.is_on(info.name))
        switch.triggered.connect(lambda checked: stack.set_on(info.name, checked))
        self._add_keys(self.addMenu(self.tr("Number key")))
        if info.origin == "user":
            self._add_changes()

    def _add_keys(self, menu: QMenu) -> None:
        group = QActionGroup(menu)
        mine = self._actions.key_of(self._info.name)
        titles = {self._actions.key_of(info.name): info.title for info in self._library.infos}
        for key in ("", *NUMBER_KEYS):
            text = key or self.tr("None")
            if key and key in titles and key != mine:
                text = self.tr("{0} (now {1})").format(key, titles[key].replace("&", "&&"))
            action = QAction(text, menu)
            action.setData(key)
            action.setCheckable(True)
            action.setChecked(key == mine)
            action.triggered.connect(lambda _checked=False, key=key: self._actions.set_key(self._info.name, key))
            group.addAction(action)
            menu.addAction(action)

    def _add_changes(self) -> None:
        info, own, folder = self._info, self._own, self._info.folder
        assert folder is not None, "what is the user's has a folder"
        self.addSeparator()
        edit = self.addAction(action_icon("edit"), self.tr("Edit…"))
        edit.triggered.connect(self.edit_requested)
        from fkd_desktop.ui.overlays.editor import OverlayEditor  # noqa: PLC0415 (see `Settling`)

        if not OverlayEditor.can_edit(self._library, info.name):
            edit.setEnabled(False)
            edit.setToolTip(self.tr("It is more than one picture; change the files in its folder"))
        self.addAction(self.tr("Rename…")).triggered.connect(lambda: own.ask_rename(info.name))
        show = self.addAction(action_icon("folder"), self.tr("Open folder"))
        show.triggered.connect(lambda: own.open_folder(folder))
        self.addSeparator()
        delete = self.addAction(action_icon("remove"), self.tr("Delete…"))
        delete.triggered.connect(lambda: own.ask_delete(folder, info.title))
