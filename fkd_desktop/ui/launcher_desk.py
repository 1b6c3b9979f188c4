"""The window's part in the start menu: adding the application to it, taking it out, and mending a broken entry."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal, Slot

from fkd_desktop.desktop_entry import (
    LauncherError,
    LauncherState,
    Presence,
    describe_removed,
    describe_written,
    make_launcher,
)
from fkd_desktop.i18n import translated
from fkd_desktop.ui.icons import action_icon
from fkd_desktop.workers.job import Job
from trainer.core.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QMainWindow

_log = logging.getLogger(__name__)

SAID_MS: Final = 8000
_ICONS: Final = {Presence.ABSENT: "add", Presence.OUTDATED: "retry", Presence.CURRENT: "remove"}


class LauncherDesk(QObject):
    """Lets one action do what the start menu lacks. Files are read and written beside the GUI thread.

    Parameters
    ----------
    action
        Gets its words here.
    window
        Says in its status bar what was done.
    """

    noticed = Signal(str)
    """A sentence that the user should see: what went wrong."""
    looked = Signal()
    """The action says what is true now."""

    def __init__(self, action: QAction, window: QMainWindow) -> None:
        super().__init__(window)
        self._action, self._window = action, window
        self._job: Job | None = None
        self._presence = Presence.ABSENT
        self._show(Presence.ABSENT)
        action.triggered.connect(self._on_action_triggered)

    @Slot()
    def look(self) -> None:
        """Find out what is there; an entry that starts nothing any more is made to start this installation."""
        self._start(_look, self._on_job_looked)

    def _start(self, work: Callable[[Job], object], on_end: Callable[..., None]) -> None:
        self._job = job = Job(Text("the start menu"), work)
        job.succeeded.connect(on_end)
        job.failed.connect(self._on_job_failed)
        self._action.setEnabled(False)
        job.start()

    @Slot()
    def _on_action_triggered(self) -> None:
        self._start(_remove if self._presence is Presence.CURRENT else _install, self._on_job_changed)

    @Slot(object)
    def _on_job_looked(self, presence: Presence) -> None:
        self._show(presence)
        self.looked.emit()

    @Slot(object)
    def _on_job_changed(self, outcome: tuple[Text, Presence]) -> None:
        self._window.statusBar().showMessage(translated(outcome[0]), SAID_MS)
        self._on_job_looked(outcome[1])

    @Slot(str)
    def _on_job_failed(self, message: str) -> None:
        self._action.setEnabled(True)
        self.noticed.emit(message)

    def _show(self, presence: Presence) -> None:
        self._presence = presence
        is_mac = sys.platform == "darwin"
        if presence is Presence.CURRENT:
            text = self.tr("Remove from Applications") if is_mac else self.tr("&Remove from the start menu")
        elif presence is Presence.OUTDATED:
            text = self.tr("Mend the entry in Applications") if is_mac else self.tr("&Mend the start menu's entry")
        else:
            text = self.tr("Add to Applications") if is_mac else self.tr("Add to the &start menu")
        self._action.setText(text)
        self._action.setVisible(presence is not Presence.PACKAGED)
        self._action.setEnabled(True)
        if presence in _ICONS:
            self._action.setData(_ICONS[presence])
            self._action.setIcon(action_icon(_ICONS[presence]))


def _look(_job: Job) -> Presence:
    try:
        launcher = make_launcher()
    except LauncherError:  # which the user reads when it is wanted
        return Presence.ABSENT
    state: LauncherState = launcher.state()
    if not state.is_broken:
        return state.presence
    _log.info("the start menu's entry is mended: %s", state.reason)
    try:
        launcher.install()
    except LauncherError as error:
        _log.warning("%s", error)
    return launcher.state().presence


def _install(_job: Job) -> tuple[Text, Presence]:
    launcher = make_launcher()
    return describe_written(launcher.install()), launcher.state().presence


def _remove(_job: Job) -> tuple[Text, Presence]:
    launcher = make_launcher()
    return describe_removed(launcher.remove()), launcher.state().presence
