"""Keeping the list of cameras up to date while they are plugged in and out."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal, Slot

from fkd_desktop.live.sources import cameras as system
from fkd_desktop.workers.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.live.sources.cameras import CameraInfo

_log = logging.getLogger(__name__)

SETTLE_MS: Final = 300
"""A camera's nodes come one after the other, and get their owner and rights a little later."""
POLL_MS: Final = 2000
"""Where nothing tells that a camera came, it is looked for this often."""


class CameraWatcher(QObject):
    """Tells which cameras there are, whenever that changes.

    On Linux the folder of device nodes is watched, which costs nothing while nothing happens; elsewhere the system is
    asked every two seconds. The asking itself takes up to some tenths of a second, so it has a thread of its own.

    Parameters
    ----------
    list_cameras
        Asks the system.
    """

    cameras_changed = Signal(object)
    """The cameras that there are now, a tuple of `CameraInfo`."""

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        list_cameras: Callable[[], tuple[CameraInfo, ...]] = system.list_cameras,
    ) -> None:
        super().__init__(parent)
        self._list_cameras = list_cameras
        self._cameras: tuple[CameraInfo, ...] = ()
        self._is_known = False
        self._is_running = False
        self._is_outdated = False
        self._nodes: tuple[tuple[object, ...], ...] = ()
        self._job: Job | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.refresh)
        self._folder: QFileSystemWatcher | None = None

    @property
    def cameras(self) -> tuple[CameraInfo, ...]:
        """Those that are there; empty until the first answer."""
        return self._cameras

    @property
    def is_known(self) -> bool:
        """Whether the system has answered yet: until then, no camera in the list does not mean that there is none."""
        return self._is_known

    def start(self) -> None:
        """Look now, and from now on."""
        if self._is_running:
            return
        self._is_running = True
        if sys.platform.startswith("linux"):
            self._folder = QFileSystemWatcher(self)
            self._folder.directoryChanged.connect(self._on_folder_changed)
            if not self._folder.addPath(str(system.DEV)):
                _log.warning("%s cannot be watched: cameras are looked for every %d ms", system.DEV, POLL_MS)
                self._stop_watching()
        self._nodes = _nodes()
        self.refresh()

    def stop(self) -> None:
        """Look no longer. Nobody waits for a question to the system that hangs."""
        self._is_running = False
        self._timer.stop()
        self._stop_watching()
        if self._job is not None:
            self._job.cancel()
            self._job = None

    @Slot()
    def refresh(self) -> None:
        """Look now, also if nothing tells that something changed."""
        if not self._is_running:
            return
        if self._job is not None:
            self._is_outdated = True
            return
        list_cameras = self._list_cameras  # not `self`: a job that hangs must not keep the watcher
        self._job = Job("camera-list", lambda _job: list_cameras())
        self._job.succeeded.connect(self._on_job_succeeded)
        self._job.failed.connect(self._on_job_failed)
        self._job.start()

    @Slot(str)
    def _on_folder_changed(self, _path: str) -> None:
        # Terminals, disks and much else come and go in this folder, too.
        nodes = _nodes()
        if nodes != self._nodes:
            self._nodes = nodes
            self._timer.start(SETTLE_MS)

    @Slot(object)
    def _on_job_succeeded(self, cameras: tuple[CameraInfo, ...]) -> None:
        changed = not self._is_known or cameras != self._cameras
        self._cameras, self._is_known = cameras, True
        if changed:
            _log.info("cameras: %s", ", ".join(camera.name for camera in cameras) or "none")
            self.cameras_changed.emit(cameras)
        self._go_on()

    @Slot(str)
    def _on_job_failed(self, reason: str) -> None:
        _log.warning("cameras cannot be listed: %s", reason)
        self._go_on()

    def _go_on(self) -> None:
        self._job = None
        if not self._is_running:
            return
        if self._is_outdated:
            self._is_outdated = False
            self.refresh()
        elif self._folder is None:
            self._timer.start(POLL_MS)

    def _stop_watching(self) -> None:
        if self._folder is not None:
            # Dies here and now: its socket notifier must not be left to Python's collector, which runs in any thread.
            self._folder.setParent(None)
            self._folder = None


def _nodes() -> tuple[tuple[object, ...], ...]:
    """Return what the folder says of the cameras' nodes: names, owners, rights, and when the latter changed."""
    try:
        with os.scandir(system.DEV) as entries:
            stats = [(entry.name, entry.stat()) for entry in entries if entry.name.startswith("video")]
    except OSError:
        return ()
    return tuple(sorted((name, s.st_ino, s.st_mode, s.st_uid, s.st_gid, s.st_ctime_ns) for name, s in stats))
