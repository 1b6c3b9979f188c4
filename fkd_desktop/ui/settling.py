"""What the start of the window leaves for later, and for whom there is no picture to hold up any more."""

from __future__ import annotations

import gc
from typing import Final

from PySide6.QtCore import QObject, QTimer, Slot

from fkd_desktop.controller import Controller, NetworkState
from fkd_desktop.workers.job import Job
from trainer.core.text import Text

SETTLE_MS: Final = 1000
"""After the network is there; the first faces come before anything else."""


class Settling(QObject):
    """Imports the dialogs' modules in a thread once the first faces are there, then lets Python's collector run.

    The window comes up without these modules, which would hold it up; and nobody who then opens a dialog stalls the
    picture for its import. What the start has imported and made stays: the collector's rounds pass it over, and are
    shorter. Not what the session makes, of which something may be left to it.

    Parameters
    ----------
    controller
        Tells when the network is loaded, or that it cannot be.
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        gc.freeze()
        self._controller = controller
        self._job: Job | None = None
        self._timer = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._timer.timeout.connect(self._on_timer_timeout)
        controller.network_changed.connect(self._on_controller_network_changed)

    def end(self) -> None:
        """Begin nothing more: the application ends."""
        self._timer.stop()
        if self._job is not None:
            self._job.cancel()

    @Slot(object, str)
    def _on_controller_network_changed(self, state: NetworkState, _message: str) -> None:
        if state is not NetworkState.LOADING:
            self._controller.network_changed.disconnect(self._on_controller_network_changed)
            self._timer.start()

    @Slot()
    def _on_timer_timeout(self) -> None:
        self._job = Job(Text("loading the dialogs"), _import_dialogs)
        self._job.succeeded.connect(self._on_job_ended)
        self._job.failed.connect(self._on_job_ended)
        self._job.start()

    @Slot(object)
    def _on_job_ended(self, _outcome: object) -> None:
        gc.enable()


def _import_dialogs(_job: Job) -> None:
    from fkd_desktop import diagnostics  # noqa: F401, PLC0415
    from fkd_desktop.ui import about, export_dialog, preferences, shortcuts_dialog  # noqa: F401, PLC0415
    from fkd_desktop.ui.capture import virtual_camera_dialog  # noqa: F401, PLC0415
    from fkd_desktop.ui.overlays import editor  # noqa: F401, PLC0415
    from fkd_desktop.ui.sources import url_dialog  # noqa: F401, PLC0415
