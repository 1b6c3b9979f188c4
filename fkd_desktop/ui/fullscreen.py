"""The window's place and size, and its fullscreen: nothing but the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QMainWindow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QDockWidget, QWidget

    from fkd_desktop.settings import Settings

FIRST_SIZE_PX = (1080, 800)


class Fullscreen(QObject):
    """Goes to fullscreen and back, and remembers the window as it is when it is not in it.

    Parameters
    ----------
    window
        The window.
    settings
        Remember its place and size, and whether the dock is wished for.
    action
        Is checked in fullscreen.
    bars
        Are hidden there.
    dock
        Is hidden there, too; but who asks for it in fullscreen gets it, and then has it afterwards too.
    """

    changed = Signal(bool)
    """Whether there is nothing but the picture from now on."""

    def __init__(
        self,
        window: QMainWindow,
        settings: Settings,
        *,
        action: QAction,
        bars: Sequence[QWidget],
        dock: QDockWidget,
    ) -> None:
        super().__init__(window)
        self._window, self._settings, self._action, self._bars, self._dock = window, settings, action, bars, dock
        self._before = QByteArray(), QByteArray()
        action.toggled.connect(self._on_action_toggled)

    def restore(self) -> None:
        """Give the window the place and size that it had when it was closed."""
        if not self._window.restoreGeometry(self._settings.geometry):
            self._window.resize(*FIRST_SIZE_PX)
        self._window.restoreState(self._settings.docks)
        self._dock.setVisible(self._settings.shows_gallery)

    def remember(self) -> None:
        """Store place and size; those from before fullscreen if it is in that."""
        here = self._before if self._action.isChecked() else self._here()
        self._settings.geometry, self._settings.docks = here

    def _here(self) -> tuple[QByteArray, QByteArray]:
        return self._window.saveGeometry(), self._window.saveState()

    @Slot(bool)
    def _on_action_toggled(self, checked: bool) -> None:
        if checked:
            self._before = self._here()
        for bar in self._bars:
            bar.setVisible(not checked)
        shows_gallery = self._settings.shows_gallery
        self._dock.setVisible(shows_gallery and not checked)
        self._settings.shows_gallery = shows_gallery
        state = self._window.windowState()
        fullscreen = Qt.WindowState.WindowFullScreen
        self._window.setWindowState(state | fullscreen if checked else state & ~fullscreen)
        self.changed.emit(checked)
