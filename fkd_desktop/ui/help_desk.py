"""Help of the main window: the manual, keys, versions, the log, and what someone who helps asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMainWindow

from fkd_desktop.settings import log_path

if TYPE_CHECKING:
    from collections.abc import Callable

SAID_MS = 4000


class HelpDesk(QObject):
    """Shows what helps; none of it stands in the session's way.

    Parameters
    ----------
    session_facts
        Gives what is known of the session, by name.
    window
        Parent of the dialogs.
    """

    noticed = Signal(str)
    """A sentence that the user should see."""

    def __init__(self, *, session_facts: Callable[[], dict[str, str]], window: QMainWindow) -> None:
        super().__init__(window)
        self._session_facts, self._window = session_facts, window

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

        facts = self._session_facts()
        for in_english in ("Source", "State"):  # words of the program, for reports
            facts.pop(in_english, None)
        dialog = AboutDialog(facts, self._window)
        dialog.diagnostics_requested.connect(self.copy_diagnostics)
        dialog.open()

    @Slot()
    def copy_diagnostics(self) -> None:
        """Put what a helper asks for on the clipboard."""
        from fkd_desktop import diagnostics  # noqa: PLC0415 (see `Settling`)

        QGuiApplication.clipboard().setText(diagnostics.report(self._session_facts()))
        self._window.statusBar().showMessage(self.tr("Diagnostics are on the clipboard"), SAID_MS)

    @Slot()
    def open_log(self) -> None:
        """Show the log in whatever the desktop opens text with."""
        if not log_path().exists() or not QDesktopServices.openUrl(QUrl.fromLocalFile(str(log_path()))):
            self.noticed.emit(self.tr("The log cannot be opened here; it is {0}.").format(log_path()))
