"""Memory is given back after what took much of it has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Slot

from fkd_desktop.memory import give_back

if TYPE_CHECKING:
    from fkd_desktop.capture.controller import CaptureController
    from fkd_desktop.controller import Controller

TIDY_MS: Final = 1500
"""After the last change; the first frames of another source come before anything else."""


class Tidying(QObject):
    """Gives memory back some time after another source was opened, or a recording ended.

    Parameters
    ----------
    controller, capture
        They tell of sessions and recordings.
    """

    def __init__(self, controller: Controller, capture: CaptureController) -> None:
        super().__init__()
        self._timer = QTimer(self, singleShot=True, interval=TIDY_MS)
        self._timer.timeout.connect(give_back)
        controller.session_changed.connect(self._on_something_changed)
        capture.recording_changed.connect(self._on_something_changed)

    def end(self) -> None:
        """Begin nothing more: the application ends."""
        self._timer.stop()

    @Slot()
    def _on_something_changed(self) -> None:
        self._timer.start()
