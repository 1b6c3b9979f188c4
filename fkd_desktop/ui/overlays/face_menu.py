"""What a right click on a face offers: which overlays it gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from fkd_desktop.ui.icons import action_icon
from fkd_desktop.ui.overlays.actions import icon_name

if TYPE_CHECKING:
    from fkd_desktop.overlays.library import OverlayInfo, OverlayLibrary
    from fkd_desktop.overlays.stack import ActiveOverlay, OverlayStack


class FaceMenu(QMenu):
    """Gives overlays to one face alone, or back to all.

    Parameters
    ----------
    stack
        What is on.
    library
        What there is.
    """

    def __init__(self, stack: OverlayStack, library: OverlayLibrary, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stack, self._library = stack, library
        self._face_id = 0
        self.setAccessibleName(self.tr("Overlays of a face"))
        self.setToolTipsVisible(True)

    @property
    def face_id(self) -> int:
        """The face that it is about."""
        return self._face_id

    def for_face(self, face_id: int) -> FaceMenu:
        """Offer what there is for a face, and return the menu, to be popped up."""
        self._face_id = face_id
        self.clear()
        self.addSection(self.tr("Face {0}").format(face_id))
        active = [overlay for overlay in reversed(self._stack.active) if self._knows(overlay.name)]
        for overlay in active:
            self.addAction(self._only_here(overlay, self._library.info(overlay.name)))
        if not active:
            nothing = self.addAction(self.tr("No overlay is on"))
            nothing.setEnabled(False)
        if any(overlay.face_id is not None for overlay in active):
            self.addSeparator()
            all_faces = self.addAction(action_icon("faces"), self.tr("All overlays on every face"))
            all_faces.triggered.connect(self._free_all)
        off = [info for info in self._library.infos if not self._stack.is_on(info.name)]
        if off:
            self.addSeparator()
            add = self.addMenu(action_icon("add"), self.tr("Add to this face"))
            for info in off:
                action = add.addAction(action_icon(icon_name(info)), info.title.replace("&", "&&"))
                action.triggered.connect(lambda _checked=False, name=info.name: self._add_here(name))
        return self

    def _knows(self, name: str) -> bool:
        return any(info.name == name for info in self._library.infos)

    def _only_here(self, overlay: ActiveOverlay, info: OverlayInfo) -> QAction:
        is_elsewhere = overlay.face_id not in (None, self._face_id)
        text = (
            self.tr("{0} on this face instead of face {1}").format(info.title, overlay.face_id)
            if is_elsewhere
            else self.tr("{0} only on this face").format(info.title)
        )
        action = QAction(text.replace("&", "&&"), self)  # without an icon, which would hide the check mark
        action.setCheckable(True)
        action.setChecked(overlay.face_id == self._face_id)
        action.triggered.connect(
            lambda checked, name=overlay.name: self._stack.set_face(name, self._face_id if checked else None)
        )
        return action

    def _free_all(self) -> None:
        for overlay in self._stack.active:
            self._stack.set_face(overlay.name, None)

    def _add_here(self, name: str) -> None:
        self._stack.set_on(name, True)
        self._stack.set_face(name, self._face_id)
