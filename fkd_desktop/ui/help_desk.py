"""Help of the main window: the manual, keys, versions, the log, and what someone who helps asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMainWindow

from fkd_desktop.settings import log_path
from fkd_desktop.ui.sources.words import mode_text

if TYPE_CHECKING:
    from fkd_desktop.controller import Controller
    from fkd_desktop.ui.overlay_desk import OverlayDesk
    from fkd_desktop.ui.session_bar import SessionBar

SAID_MS = 4000


class HelpDesk(QObject):
    """Shows what helps; none of it stands in the session's way.

    Parameters
    ----------
    controller, overlays, bar
        What they know of the session goes into reports.
    window
        Parent of the dialogs.
    """

    noticed = Signal(str)
    """A sentence that the user should see."""

    def __init__(self, controller: Controller, *, overlays: OverlayDesk, bar: SessionBar, window: QMainWindow) -> None:
        super().__init__(window)
        self._controller, self._overlays, self._bar, self._window = controller, overlays, bar, window

    @Slot()
    def show_manual(self) -> None:
        """Open the manual, or say where else there is something to read."""
        from fkd_desktop.ui.manual import show_manual  # noqa: PLC0415 (see `Settling`)

        if trouble := show_manual():
            self.noticed.emit(trouble)

    @Slot()
    def show_shortcuts(self) -> None:
        """List every action that has a key."""
        from fkd_desktop.ui.shortcuts_dialog import ShortcutsDialog  # noqa: PLC0415 (see `Settling`)

        ShortcutsDialog(self._window).open()  # the picture moves on behind it

    @Slot()
    def show_about(self) -> None:
        """Say what this is, in which version, on what."""
        from fkd_desktop.ui.about import AboutDialog  # noqa: PLC0415 (see `Settling`)

        facts = self.session_facts()
        for in_english in ("Source", "State"):  # words of the program, for reports
            facts.pop(in_english, None)
        dialog = AboutDialog(facts, self._window)
        dialog.diagnostics_requested.connect(self.copy_diagnostics)
        dialog.open()

    @Slot()
    def copy_diagnostics(self) -> None:
        """Put what a helper asks for on the clipboard."""
        from fkd_desktop import diagnostics  # noqa: PLC0415 (see `Settling`)

        QGuiApplication.clipboard().setText(diagnostics.report(self.session_facts()))
        self._window.statusBar().showMessage(self.tr("Diagnostics are on the clipboard"), SAID_MS)

    @Slot()
    def open_log(self) -> None:
        """Show the log in whatever the desktop opens text with."""
        if not log_path().exists() or not QDesktopServices.openUrl(QUrl.fromLocalFile(str(log_path()))):
            self.noticed.emit(self.tr("The log cannot be opened here; it is {0}.").format(log_path()))

    def session_facts(self) -> dict[str, str]:
        """Return what is known of the session, by name, for those who help with a problem: no names of files."""
        controller = self._controller
        predictor = controller.predictor
        kind = controller.source_name.partition(":")[0] if ":" in controller.source_name else "file"
        return {
            "Source": "demo" if controller.source_name == "demo" else kind,
            "State": controller.session_state.name.lower(),
            "Camera mode": mode_text(controller.source_mode, with_format=True) or "-",
            "Network": f"{predictor.network_name}, {predictor.device}, {predictor.engine_name}" if predictor else "-",
            "Overlays": ", ".join(overlay.name for overlay in self._overlays.stack.active) or "-",
            **self._bar.figures(),
        }
