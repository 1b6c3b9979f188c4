"""Opening sources: by menu, dialog, drop or from the list of recent ones; and remembering them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from fkd_desktop.controller import Controller, SessionState
from fkd_desktop.live.sources import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from fkd_desktop.live.sources.stream import STREAM_SCHEMES
from fkd_desktop.ui.icons import action_icon
from fkd_desktop.ui.recent_menu import RecentMenu
from fkd_desktop.ui.sources.camera_menu import CameraMenu
from fkd_desktop.workers.camera_watcher import CameraWatcher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fkd_desktop.live.sources.cameras import CameraInfo
    from fkd_desktop.settings import Settings
    from fkd_desktop.ui.sources.url_dialog import UrlDialog


FIRST_CAMERA: Final = "camera:0"


class SourceOpener(QObject):
    """Knows the cameras and the recent files, asks for others, and starts sessions on them.

    Parameters
    ----------
    controller
        Starts the sessions.
    settings
        Remembers the source, the recent ones and the folder.
    window
        Parent of the dialogs.
    """

    def __init__(self, controller: Controller, settings: Settings, window: QWidget) -> None:
        super().__init__(window)
        self._controller, self._settings, self._window = controller, settings, window
        self._dialog: UrlDialog | None = None
        self.watcher = CameraWatcher(self)
        self.cameras = CameraMenu(self.watcher, window)
        self.cameras.setTitle(self.tr("C&hoose a camera"))
        self.cameras.setIcon(action_icon("camera"))
        self.recent = RecentMenu(window)
        self.recent.setIcon(action_icon("recent"))
        self.recent.set_entries(list(settings.recent_sources))
        self.watcher.cameras_changed.connect(self._on_watcher_cameras_changed)
        self.cameras.camera_chosen.connect(self.open)
        self.recent.chosen.connect(self.open)
        self.recent.entries_changed.connect(self._on_recent_entries_changed)
        controller.session_changed.connect(self._on_controller_session_changed)

    def open(self, name: str) -> None:
        """Start a session on a source, and remember it.

        Parameters
        ----------
        name
            See `fkd_desktop.live.sources.make_source`.
        """
        if _is_address(name):
            if not _has_secret(name):
                self.recent.add(name)
        elif os.path.exists(name):  # noqa: PTH110 (pathlib's raises for what is too long to be a path)
            name = os.path.abspath(name)  # noqa: PTH100 (the next start may be elsewhere; no link is followed)
            self._settings.last_folder = str(Path(name).parent)
            self.recent.add(name)
        self._controller.start(name, loop=self._settings.loops_videos or name == "demo")

    def open_camera(self) -> None:
        """Show the camera that was used last, else the first one: its number need not be 0."""
        last = self._settings.source
        if last.startswith("camera:") and last != FIRST_CAMERA:
            self.open(last)
        else:
            self.open(self.watcher.cameras[0].source_name() if self.watcher.cameras else FIRST_CAMERA)

    def open_path(self, path: Path | str) -> None:
        """Show a file or folder."""
        self.open(str(path))

    def open_files(self, paths: Sequence[str]) -> None:
        """Show the first of several files; the others are one click away, among the recent ones."""
        for path in reversed(paths[1:]):
            if os.path.exists(path):  # noqa: PTH110
                self.recent.add(path)
        self.open(paths[0])

    def choose_file(self) -> None:
        """Ask for a video or picture and show it."""
        videos, images = (" ".join(f"*{s}" for s in sorted(kind)) for kind in (VIDEO_SUFFIXES, IMAGE_SUFFIXES))
        path, _ = QFileDialog.getOpenFileName(
            self._window,
            self.tr("Open video or image"),
            self._settings.last_folder,
            f"{self.tr('Videos and images')} ({videos} {images});;{self.tr('All files')} (*)",
        )
        if path:
            self.open(path)

    def choose_folder(self) -> None:
        """Ask for a folder of pictures and show them."""
        path = QFileDialog.getExistingDirectory(
            self._window, self.tr("Open a folder of pictures"), self._settings.last_folder
        )
        if path:
            self.open(path)

    def ask_stream(self) -> None:
        """Ask for a network address and show what comes from it."""
        if self._dialog is None:
            from fkd_desktop.ui.sources.url_dialog import UrlDialog  # noqa: PLC0415 (see `Settling`)

            self._dialog = UrlDialog(parent=self._window)
            self._dialog.accepted.connect(self._on_dialog_accepted)
        self._dialog.open()

    @Slot()
    def _on_dialog_accepted(self) -> None:
        assert self._dialog is not None
        self.open(self._dialog.url)

    def refresh_icons(self) -> None:
        """Give the menus' icons the palette's new colours."""
        self.cameras.setIcon(action_icon("camera"))
        self.recent.setIcon(action_icon("recent"))

    @property
    def waits_for_any_camera(self) -> bool:
        """Whether the first camera is wanted and there is none at all: whichever comes is the one."""
        controller = self._controller
        is_missing = controller.session_state is SessionState.MISSING and controller.source_name == FIRST_CAMERA
        return is_missing and not any(camera.index == 0 for camera in self.watcher.cameras)

    @Slot(object)
    def _on_watcher_cameras_changed(self, cameras: Sequence[CameraInfo]) -> None:
        if self.waits_for_any_camera and cameras:
            self.open(cameras[0].source_name())
        else:
            self._controller.retry_now()

    @Slot()
    def _on_recent_entries_changed(self) -> None:
        self._settings.recent_sources = tuple(self.recent.entries)

    @Slot(object, str)
    def _on_controller_session_changed(self, state: SessionState, _message: str) -> None:
        name = self._controller.source_name
        self.cameras.set_source("" if state is SessionState.STOPPED else name)
        self.cameras.set_mode(self._controller.source_mode)
        if state is SessionState.LIVE:
            self._remember(name)

    def _remember(self, name: str) -> None:
        """Keep what is live for the next start: a camera by what it keeps, as numbers change with the plugs."""
        if _is_address(name) and _has_secret(name):
            return
        camera = self.cameras.camera_in_use
        if camera is not None and "id=" not in name:
            name = camera.source_name()
        self._settings.source = name


def _is_address(name: str) -> bool:
    return name.partition(":")[0].lower() in STREAM_SCHEMES


def _has_secret(address: str) -> bool:
    """Whether an address may hold a password or key: that has no place in a settings file."""
    try:
        parts = urlsplit(address)
    except ValueError:  # a bracket that is not closed: who knows what it holds
        return True
    return bool(parts.username or parts.password or parts.query)
