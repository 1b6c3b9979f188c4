"""Starts from a menu after the project's files were updated: nobody sees a terminal there, so it is said in windows."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn

from PySide6.QtCore import QCoreApplication, QEventLoop, QProcess, Qt
from PySide6.QtWidgets import QApplication, QMessageBox, QProgressDialog

from fkd_desktop import APP_ID
from fkd_desktop.i18n import install_language, translated
from fkd_desktop.installation import outdated_by
from fkd_desktop.ui.icons import app_icon
from fkd_desktop.ui.words import plain_tip
from trainer.core.text import Text

if TYPE_CHECKING:
    from pathlib import Path


def bring_up_to_date(script: Path) -> None:
    """Let start.py install what is new, before the user's eyes, and begin anew with it.

    Returns only where that failed, which was said: what is there may be enough.

    Parameters
    ----------
    script
        The start.py of this environment.
    """
    _dress()
    dialog = QProgressDialog(
        QCoreApplication.translate(
            "UpdateDesk", "FKD Desktop was updated. What it newly needs is being installed; this may take minutes."
        ),
        "",
        0,
        0,
    )
    dialog.setCancelButton(None)  # half an installation helps nobody
    dialog.setWindowFlag(Qt.WindowType.WindowCloseButtonHint, False)
    dialog.setMinimumDuration(0)
    dialog.show()
    process, loop = QProcess(), QEventLoop()
    process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
    process.finished.connect(loop.quit)
    process.errorOccurred.connect(loop.quit)
    process.start(sys.executable, [str(script), "--", "--version"])
    if process.state() is not QProcess.ProcessState.NotRunning:
        loop.exec()
    said = bytes(process.readAll().data()).decode(errors="replace").strip()
    has_worked = process.exitStatus() is QProcess.ExitStatus.NormalExit and process.exitCode() == 0
    if has_worked and outdated_by() is None:
        _begin_anew()
    dialog.close()
    lines = said.splitlines() or [process.errorString()]
    reasons = [line.partition("ERROR: ")[2] for line in lines if "ERROR: " in line]  # pip's own word
    warn(
        Text(
            "What the updated FKD Desktop newly needs could not be installed: {reason}; see to the cause, often the "
            "network, and start FKD Desktop again (now it opens without, if it can)",
            reason=(reasons or lines)[-1].rstrip("."),
        )
    )


def say_missing(package: str) -> None:
    """Say that the application cannot start, as a package is missing.

    Parameters
    ----------
    package
        The name by which it was to be imported.
    """
    application = QApplication.instance() or QApplication([APP_ID])
    _dress()
    warn(
        Text(
            "FKD Desktop cannot start, as the Python package {package} is missing; start it once with start.py, or "
            "install it again with pip, in a terminal",
            package=package,
        )
    )
    del application


def warn(said: Text) -> None:
    """Show a sentence until it is closed."""
    QMessageBox.warning(None, "FKD Desktop", plain_tip(translated(said)))  # it quotes what pip said


def _dress() -> None:
    """Give these windows, which come before settings are read, the application's icon and the system's language."""
    QApplication.setWindowIcon(app_icon())
    install_language()


def _begin_anew() -> NoReturn:
    """Start this process's program again, which loads what was installed."""
    if sys.platform == "win32":
        sys.exit(subprocess.call([sys.executable, *sys.orig_argv[1:]]))
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
