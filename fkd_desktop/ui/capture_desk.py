"""What the main window keeps and passes on: pictures, films, tables, the virtual camera, and the widgets for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QMainWindow

from fkd_desktop.capture.controller import CaptureController
from fkd_desktop.capture.files import default_pictures_folder, default_videos_folder
from fkd_desktop.controller import Controller, SessionState
from fkd_desktop.ui.capture.actions import CaptureActions
from fkd_desktop.ui.capture.indicator import FloatingIndicator, RecordingIndicator
from fkd_desktop.ui.capture.surface import CaptureSurface

if TYPE_CHECKING:
    from fkd_desktop.settings import Settings
    from fkd_desktop.ui.capture.virtual_camera_dialog import VirtualCameraDialog
    from fkd_desktop.ui.overlay_desk import OverlayDesk
    from fkd_desktop.ui.session_pane import SessionPane


class CaptureDesk(QObject):
    """Has everything that keeps or passes on the picture work on the session, the overlays and the settings.

    Parameters
    ----------
    session
        Gives the results.
    settings
        Remembers folders and choices.
    pane
        Shows the picture, the countdown and what was kept.
    overlays
        What is painted: the same as on the screen.
    window
        Gets the actions and dialogs.
    """

    noticed = Signal(str)
    """A sentence that the user should see."""

    def __init__(
        self, session: Controller, settings: Settings, *, pane: SessionPane, overlays: OverlayDesk, window: QMainWindow
    ) -> None:
        super().__init__(window)
        self._session, self._settings, self._window = session, settings, window
        self._mirrored = settings.mirrored  # read in other threads: the settings are not
        self.controller = CaptureController(
            sinks=session.sinks,
            newest=lambda: pane.view.live_frame,
            layers=overlays.stack.layers,
            mirrored=lambda: self._mirrored,
            plain_layers=overlays.stack.privacy_layers,
            parent=self,
        )
        self.actions = CaptureActions(self.controller, window)
        self.indicator = RecordingIndicator(self.controller)
        self.floating = FloatingIndicator(self.controller, pane.view)
        self.floating.stop_requested.connect(self.controller.stop_recording)
        self.surface = CaptureSurface(self.controller, pane.stage)
        self._virtual_camera: VirtualCameraDialog | None = None
        self.controller.failed.connect(self.noticed)
        self.indicator.stop_requested.connect(self.controller.stop_recording)
        self.actions.countdown_chosen.connect(self._on_actions_countdown_chosen)
        self.actions.virtual_camera.triggered.connect(self.open_virtual_camera)
        session.session_changed.connect(self._on_session_session_changed)
        self.controller.virtual_camera.size_px = settings.virtual_camera_size
        self.apply()
        self.controller.recover_recordings()  # which the last start may have left behind

    @Slot()
    def apply(self) -> None:
        """Take the settings as they are now."""
        settings = self._settings
        self._mirrored = settings.mirrored
        self.controller.pictures_folder = Path(settings.pictures_folder or default_pictures_folder())
        self.controller.videos_folder = Path(settings.videos_folder or default_videos_folder())
        self.controller.picture_format = settings.picture_format
        self.actions.set_countdown(settings.countdown_s)

    @Slot()
    def open_virtual_camera(self) -> None:
        """Show the dialog for the virtual camera."""
        if self._virtual_camera is None:
            from fkd_desktop.ui.capture.virtual_camera_dialog import VirtualCameraDialog  # noqa: PLC0415 (see `Settling`)

            self._virtual_camera = VirtualCameraDialog(self.controller.virtual_camera, self._window)
            self._virtual_camera.size_chosen.connect(self._on_virtual_camera_size_chosen)
        self._virtual_camera.show()
        self._virtual_camera.raise_()
        self._virtual_camera.activateWindow()

    def shut_down(self) -> None:
        """Finish what is being kept."""
        if self._virtual_camera is not None:
            self._virtual_camera.close()
        self.controller.shut_down()

    @Slot(int)
    def _on_actions_countdown_chosen(self, seconds: int) -> None:
        self._settings.countdown_s = seconds

    @Slot(int, int)
    def _on_virtual_camera_size_chosen(self, width: int, height: int) -> None:
        self._settings.virtual_camera_size = (width, height)

    @Slot(object, str)
    def _on_session_session_changed(self, state: SessionState, _message: str) -> None:
        has_picture = state in (SessionState.LIVE, SessionState.STALLED, SessionState.ENDED)
        self.actions.set_picture_there(has_picture)
        if state is SessionState.STOPPED:
            self.controller.clear_picture()
