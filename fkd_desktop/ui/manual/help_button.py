"""The button that opens the manual's page on what a window does."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QPushButton, QToolTip

from fkd_desktop.ui.manual.window import show_manual


def help_button(page: str, section: str = "") -> QPushButton:
    """Return a button that opens a page of the manual, also by F1 in its window.

    Parameters
    ----------
    page
        The page's name.
    section
        Of the page; its heading in lower case, with hyphens between the words.
    """
    button = QPushButton(QCoreApplication.translate("HelpButton", "Help"))
    button.setShortcut(QKeySequence(Qt.Key.Key_F1))
    button.setAutoDefault(False)
    button.setToolTip(QCoreApplication.translate("HelpButton", "Open the manual at this place (F1)"))

    def show() -> None:
        if trouble := show_manual(page, section):
            QToolTip.showText(button.mapToGlobal(button.rect().topLeft()), trouble, button)

    button.clicked.connect(show)
    return button
