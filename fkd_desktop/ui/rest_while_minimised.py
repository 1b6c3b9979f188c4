"""Letting go of the camera while nobody sees the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

from fkd_desktop.controller import Controller, SessionState

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.settings import Settings


class RestWhileMinimised(QObject):
    """Stops a camera's session when the window is minimised, if the user wishes that, and starts it again after.

    Parameters
    ----------
    controller
        Whose session it is.
    settings
        Say whether the user wishes it.
    is_camera
        Whether what runs is a camera or stream: a file is nobody's eye.
    resume
        Starts the session again.
    window
        Is watched.
    """

    def __init__(
        self,
        controller: Controller,
        settings: Settings,
        *,
        is_camera: Callable[[], bool],
        resume: Callable[[], None],
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._controller, self._settings, self._window = controller, settings, window
        self._is_camera, self._resume = is_camera, resume
        self._rests = False
        window.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Follow the window; it gets its events all the same."""
        if event.type() == QEvent.Type.WindowStateChange:
            self._follow()
        return False

    def _follow(self) -> None:
        controller = self._controller
        if self._window.isMinimized():
            is_on = controller.session_state.is_running and self._is_camera()
            if is_on and self._settings.releases_camera_when_minimised:
                self._rests = True
                controller.stop()
        elif self._rests:
            self._rests = False
            if controller.session_state is SessionState.STOPPED:
                self._resume()
