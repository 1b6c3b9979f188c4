"""What capturing shows over the picture: the countdown, and what was kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QGuiApplication, QImage

from fkd_desktop.ui.capture.countdown_overlay import CountdownOverlay
from fkd_desktop.ui.capture.toast import Kept, Toast
from fkd_desktop.workers.job import Job

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from fkd_desktop.capture.controller import CaptureController


class CaptureSurface(QObject):
    """Connects a capture controller with the countdown and the toast over a widget.

    Parameters
    ----------
    capture
        Tells them.
    over
        The picture.
    """

    def __init__(self, capture: CaptureController, over: QWidget) -> None:
        super().__init__(over)
        self.countdown = CountdownOverlay(over)
        self.toast = Toast(over)
        self._copying: Job | None = None
        capture.countdown_changed.connect(self.countdown.show_seconds)
        self.countdown.cancel_requested.connect(capture.cancel_countdown)
        capture.picture_saved.connect(self._on_capture_picture_saved)
        capture.picture_copied.connect(self._on_capture_picture_copied)
        capture.burst_changed.connect(self._on_capture_burst_changed)
        capture.burst_saved.connect(self._on_capture_burst_saved)
        capture.recording_saved.connect(self._on_capture_recording_saved)
        capture.recording_recovered.connect(self._on_capture_recording_recovered)
        self.toast.copy_requested.connect(self._on_toast_copy_requested)

    @Slot(str)
    def _on_capture_picture_saved(self, path: str) -> None:
        self.toast.show_kept(Kept(self.tr("Picture saved"), Path(path), can_copy=True))

    @Slot()
    def _on_capture_picture_copied(self) -> None:
        self.toast.show_kept(Kept(self.tr("Picture copied")))

    @Slot(int, int)
    def _on_capture_burst_changed(self, written: int, wanted: int) -> None:
        if wanted:
            self.toast.show_kept(Kept(self.tr("Taking pictures: {0} of {1}").format(written, wanted)))

    @Slot(str, int)
    def _on_capture_burst_saved(self, folder: str, pictures: int) -> None:
        self.toast.show_kept(Kept(self.tr("%n picture(s) saved", "", pictures), Path(folder)))

    @Slot(str)
    def _on_capture_recording_saved(self, path: str) -> None:
        self.toast.show_kept(Kept(self.tr("Recording saved"), Path(path)))

    @Slot(str)
    def _on_capture_recording_recovered(self, path: str) -> None:
        self.toast.show_kept(Kept(self.tr("A recording that was cut off last time was kept"), Path(path)))

    @Slot(str)
    def _on_toast_copy_requested(self, path: str) -> None:
        """Copy a saved picture: what was kept, not what is on the screen by now."""
        self._copying = Job("copying the picture", lambda _: QImage(path))
        self._copying.succeeded.connect(self._on_copying_succeeded)
        self._copying.start()

    @Slot(object)
    def _on_copying_succeeded(self, image: QImage) -> None:
        if not image.isNull():
            QGuiApplication.clipboard().setImage(image)
            self.toast.show_kept(Kept(self.tr("Picture copied")))
