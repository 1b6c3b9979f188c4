"""The overlays of the main window: what there is, what is on, and the widgets for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu

from fkd_desktop.overlays.library import OverlayLibrary
from fkd_desktop.overlays.stack import OverlayStack
from fkd_desktop.settings import overlays_path
from fkd_desktop.ui.overlays.actions import OverlayActions
from fkd_desktop.ui.overlays.face_menu import FaceMenu
from fkd_desktop.ui.overlays.gallery import OverlayGallery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from PySide6.QtGui import QAction

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.settings import Settings
    from fkd_desktop.ui.video_view import VideoView

SAID_MS: Final = 4000
FIRST_OVERLAYS: Final = ("keypoints",)
"""On at the very first start: they show best what this is."""


class OverlayDesk(QObject):
    """Keeps the stack, the settings and the picture in step, and has the gallery in a dock.

    Parameters
    ----------
    view
        Shows what is on.
    settings
        Remembers it.
    newest_result
        Gives the newest result, for live thumbnails.
    window
        Gets the actions and the dock.
    """

    noticed = Signal(str)
    """A sentence that the user should see."""

    def __init__(
        self,
        view: VideoView,
        settings: Settings,
        *,
        newest_result: Callable[[], FrameResult | None],
        window: QMainWindow,
    ) -> None:
        super().__init__(window)
        self._view, self._settings = view, settings
        self.library = OverlayLibrary(overlays_path())
        self.stack = OverlayStack(self.library, self)
        self.actions = OverlayActions(self.stack, self.library, window)
        self.actions.keys = settings.overlay_keys
        self.face_menu = FaceMenu(self.stack, self.library, window)
        self.menu = QMenu(self.tr("&Overlays"), window)
        self._menu_end: tuple[QAction, ...] = ()
        self.gallery = OverlayGallery(self.stack, self.library, self.actions, newest_result)
        self.gallery.splitter_state = settings.gallery_splitter
        self.dock = QDockWidget(self.tr("Overlays"), window)
        self.dock.setObjectName("overlays")
        self.dock.setAllowedAreas(Qt.DockWidgetArea.LeftDockWidgetArea | Qt.DockWidgetArea.RightDockWidgetArea)
        self.dock.setWidget(self.gallery)
        self._fill_menu()
        self.stack.changed.connect(self._on_stack_changed)
        self.stack.failed.connect(self.noticed)
        self.gallery.noticed.connect(self.noticed)
        self.gallery.own.done.connect(lambda text: window.statusBar().showMessage(text, SAID_MS))
        self.actions.refilled.connect(self._fill_menu)
        self.actions.keys_changed.connect(self._on_actions_keys_changed)

    def restore(self, names: Iterable[str] | None) -> None:
        """Switch on what was on last time, or these; at the very first start what shows best what this is."""
        if names is None and self._settings.overlays:
            self.stack.restore(self._settings.overlays)
            return
        wanted = set(FIRST_OVERLAYS if names is None else names)
        for info in self.library.infos:
            self.stack.set_on(info.name, info.name in wanted)

    def end_menu_with(self, *actions: QAction) -> None:
        """Put these below the overlays in the menu."""
        self._menu_end = actions
        self._fill_menu()

    def set_mirrored(self, mirrored: bool) -> None:
        """Show the picture, and the gallery's live tiles, as in a mirror or not."""
        self._view.set_mirrored(mirrored)
        self.gallery.mirrored = mirrored

    def forget_faces(self) -> None:
        """Put every overlay onto all faces: another session numbers its faces from the start."""
        for overlay in self.stack.active:
            if overlay.face_id is not None:
                self.stack.set_face(overlay.name, None)

    def may_leave(self) -> bool:
        """Whether nothing would be lost with the window; else the editor asks what is to become of it."""
        if self.gallery.has_unsaved_changes and self.gallery.editor is not None:
            self.gallery.editor.reject()
            return False
        return True

    def shut_down(self) -> None:
        """Close the editor: the user was asked, or is not to be."""
        if self.gallery.editor is not None:
            self.gallery.editor.discard()

    def remember(self) -> None:
        """Store how the gallery is arranged."""
        self._settings.gallery_splitter = self.gallery.splitter_state

    @Slot()
    def _on_stack_changed(self) -> None:
        self._view.set_layers(self.stack.layers())
        self._settings.overlays = self.stack.to_text()

    @Slot()
    def _on_actions_keys_changed(self) -> None:
        self._settings.overlay_keys = self.actions.keys

    @Slot()
    def _fill_menu(self) -> None:
        self.menu.clear()  # which deletes its separators
        self.menu.addActions(list(self.actions.actions.values()))
        if self._menu_end:
            self.menu.addSeparator()
            self.menu.addActions(list(self._menu_end))
