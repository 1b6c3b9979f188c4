"""Telling a user who looks elsewhere that something has come to its end."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from fkd_desktop.ui.icons import app_icon
from fkd_desktop.workers.job import Job
from trainer.core.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)

SHOW_MS: Final = 10_000
SEND_TIMEOUT_S: Final = 5


class Notifier(QObject):
    """Desktop notifications.

    By the tray where there is one; on Linux desktops without, by the desktop's own ``notify-send``. Always the window
    asks for attention in the task bar.

    Parameters
    ----------
    window
        Asks for attention.
    """

    clicked = Signal()
    """The user clicked the notification; not every desktop tells."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._tray: QSystemTrayIcon | None = None

    def notify(self, title: str, text: str) -> None:
        """Show a notification."""
        QApplication.alert(self._window)
        if QSystemTrayIcon.isSystemTrayAvailable():
            if self._tray is None:
                self._tray = QSystemTrayIcon(app_icon(), self)
                self._tray.setToolTip("FKD Desktop")
                self._tray.messageClicked.connect(self._on_tray_message_clicked)
                self._tray.activated.connect(self.clicked)
            self._tray.show()
            self._tray.showMessage(title, _plain(text), app_icon(), SHOW_MS)
        elif sys.platform.startswith("linux") and (program := shutil.which("notify-send")):
            Job(Text("desktop notification"), _sending(program, title, text)).start()

    @Slot()
    def _on_tray_message_clicked(self) -> None:
        self.clicked.emit()


def _plain(text: str) -> str:
    """Return a body that shows a text as it is; desktops of Linux take for markup what looks like it."""
    if "<" not in text or not sys.platform.startswith("linux"):
        return text
    from html import escape  # noqa: PLC0415 (a part of the start)

    return escape(text, quote=False)


def _sending(program: str, title: str, text: str) -> Callable[[Job], None]:
    def send(_job: Job) -> None:
        command = [program, "--app-name=FKD Desktop", "--icon=fkd-desktop", "--", title, _plain(text)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=SEND_TIMEOUT_S)
        except (OSError, subprocess.SubprocessError) as error:  # nobody is there to show it: no reason to complain
            _log.info("no desktop notification (%s): %s", error, title)

    return send
