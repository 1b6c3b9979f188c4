"""Landmark export of the main window: the dialog, the session's export and what is remembered of both."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from fkd_desktop.capture.files import FOLDER_NAME, stem_now
from fkd_desktop.controller import Controller, SessionState
from fkd_desktop.workers.session_export import SessionExport

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.overlays import Layer
    from fkd_desktop.settings import Settings
    from fkd_desktop.ui.export_dialog import ExportDialog
    from trainer.core.predictor import Predictor


class ExportDesk(QObject):
    """Exports the session's landmarks, and has the dialog for that; the session's export outlives the dialog.

    Parameters
    ----------
    session
        Gives the results and says which network finds them.
    settings
        Remembers formats and folder.
    layers
        Gives what is painted, for files.
    window
        Parent of the dialog.
    """

    noticed = Signal(str)
    """A sentence that the user should see, where the dialog is closed."""
    running_changed = Signal(bool)

    def __init__(
        self, session: Controller, settings: Settings, *, layers: Callable[[], tuple[Layer, ...]], window: QWidget
    ) -> None:
        super().__init__(window)
        self._session, self._settings, self._layers, self._window = session, settings, layers, window
        self.dialog: ExportDialog | None = None
        self.export = SessionExport(session.sinks, self)
        self.export.running_changed.connect(self.running_changed)
        self.export.failed.connect(self._on_export_failed)
        session.session_changed.connect(self._on_session_session_changed)

    @Slot()
    def open(self) -> None:
        """Show the dialog."""
        if self.dialog is None:
            self.dialog = self._make_dialog()
        self._on_session_session_changed(self._session.session_state, "")
        name = self._session.source_name
        self.dialog.set_file(Path(name) if os.path.isfile(name) else None)  # noqa: PTH113 (of any length)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def shut_down(self) -> None:
        """End what goes on, and keep what it has."""
        self.export.shut_down()
        if self.dialog is not None:
            self.dialog.shut_down()
            self.dialog.close()

    def _make_dialog(self) -> ExportDialog:
        from fkd_desktop.ui.export_dialog import ExportDialog  # noqa: PLC0415 (see `Settling`)

        settings = self._settings
        dialog = ExportDialog(
            _predictor_maker(self._session), self._layers, lambda: self._session.smoothing, self._window
        )
        dialog.set_formats(settings.export_formats)
        dialog.set_folder(Path(settings.export_folder or platformdirs.user_documents_path() / FOLDER_NAME))
        dialog.formats_chosen.connect(self._on_dialog_formats_chosen)
        dialog.folder_chosen.connect(self._on_dialog_folder_chosen)
        dialog.session_start_requested.connect(self._on_dialog_session_start_requested)
        dialog.session_stop_requested.connect(self.export.stop)
        self.export.running_changed.connect(dialog.show_session_running)
        self.export.progressed.connect(dialog.show_session_progress)
        self.export.saved.connect(dialog.show_session_saved)
        self.export.failed.connect(dialog.show_failure)
        return dialog

    @Slot()
    def _on_dialog_session_start_requested(self) -> None:
        assert self.dialog is not None
        self.export.start(self.dialog.folder, stem_now(), self.dialog.formats)

    @Slot(object)
    def _on_dialog_formats_chosen(self, formats: tuple[str, ...]) -> None:
        self._settings.export_formats = formats

    @Slot(str)
    def _on_dialog_folder_chosen(self, folder: str) -> None:
        self._settings.export_folder = folder

    @Slot(str)
    def _on_export_failed(self, message: str) -> None:
        if self.dialog is None or not self.dialog.isVisible():
            self.noticed.emit(message)

    @Slot(object, str)
    def _on_session_session_changed(self, state: SessionState, _message: str) -> None:
        if self.dialog is not None:
            self.dialog.set_session_available(state in (SessionState.LIVE, SessionState.STALLED, SessionState.ENDED))


def _predictor_maker(session: Controller) -> Callable[[], Predictor]:
    """Return what loads the session's network once more: one serves one thread."""

    def make() -> Predictor:
        from fkd_desktop.live.network import load_predictor_somewhere  # noqa: PLC0415 (may import torch)

        return load_predictor_somewhere(session.weights, device=session.device).predictor

    return make
