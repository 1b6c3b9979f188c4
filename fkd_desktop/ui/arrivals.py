"""What reaches a running application from outside: later starts, and files that the system hands it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Slot
from PySide6.QtGui import QFileOpenEvent, QGuiApplication

from fkd_desktop.ui.to_front import bring_to_front

if TYPE_CHECKING:
    from fkd_desktop.controller import Controller
    from fkd_desktop.instance import Request
    from fkd_desktop.ui.main_window import MainWindow


class Arrivals(QObject):
    """Brings the window to the front and shows what was asked for.

    Parameters
    ----------
    window
        The application's only one that sessions are shown in.
    controller
        Loads networks.
    """

    def __init__(self, window: MainWindow, controller: Controller) -> None:
        super().__init__(window)
        self._window, self._controller = window, controller
        application = QGuiApplication.instance()
        assert application is not None
        application.installEventFilter(self)

    @Slot(object)
    def take(self, request: Request) -> None:
        """Do what a later start was asked for. The session goes on where it names no source."""
        window = self._window
        if request.overlays is not None:
            window.overlays.restore(request.overlays)
        if request.model:
            self._controller.load_network(Path(request.model))
        self.open(request)
        bring_to_front(window, request.activation_token)

    def open(self, request: Request) -> bool:
        """Open the source or the files of a request; return whether it has any."""
        if request.files:
            self._window.opener.open_files(request.files)
        elif request.source:
            self._window.opener.open(request.source)
        return bool(request.files or request.source)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Open a file that macOS hands over: by a double click on it, or a drop on the icon."""
        if event.type() == QEvent.Type.FileOpen and isinstance(event, QFileOpenEvent) and event.file():
            self._window.opener.open_path(event.file())
            return True
        return super().eventFilter(watched, event)
