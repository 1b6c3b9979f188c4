"""A fault of the program, in words for its user, and with what helps those who mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QVBoxLayout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fkd_desktop.crashes import Mishap
    from fkd_desktop.ui.main_window import MainWindow


class CrashDialog(QDialog):
    """Shows exceptions that nobody caught, or the trace of a crash, and does not stand in the window's way.

    Parameters
    ----------
    window
        Parent; its help knows the session's facts and opens the log.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._help = window.help
        self._seen = 0
        self.setWindowTitle("FKD Desktop")
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)  # keys go on to where they went
        self.message = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.count = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.trace = QPlainTextEdit(readOnly=True, lineWrapMode=QPlainTextEdit.LineWrapMode.NoWrap)
        self.trace.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.trace.setAccessibleName(self.tr("Where it happened"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy_button = buttons.addButton(self.tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        self.copy_button.setToolTip(self.tr("Copy this with versions, devices and the log's last lines"))
        self.log_button = buttons.addButton(self.tr("Open log"), QDialogButtonBox.ButtonRole.ActionRole)
        self.copy_button.clicked.connect(self._on_copy_clicked)
        self.log_button.clicked.connect(self._help.open_log)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(self.message)
        layout.addWidget(self.count)
        layout.addWidget(self.trace, 1)
        layout.addWidget(buttons)
        self.resize(620, 400)

    def show_mishaps(self, mishaps: Sequence[Mishap]) -> None:
        """Show exceptions, each kind once; come up only where there is one that was not shown before."""
        times = sum(mishap.count for mishap in mishaps)
        self.message.setText(
            self.tr(
                "Something in FKD Desktop went wrong that should not. The session goes on where it can; if the picture "
                "stands still, open its source again."
            )
        )
        self.count.setText(self.tr("It happened %n time(s).", "", times) if times > 1 else "")
        self.count.setVisible(times > 1)
        if len(mishaps) > self._seen:
            self._seen = len(mishaps)
            self.trace.setPlainText("\n".join(mishap.trace or mishap.summary for mishap in mishaps))
            self.show()

    def show_crash(self, trace: str) -> None:
        """Show what a crash left."""
        self.message.setText(
            self.tr(
                "FKD Desktop ended unexpectedly last time, and this is where. If it happens again, copy this into a "
                "problem report; nothing is sent by itself."
            )
        )
        self.count.hide()
        self.trace.setPlainText(trace)
        self.show()

    @Slot()
    def _on_copy_clicked(self) -> None:
        from fkd_desktop import diagnostics  # noqa: PLC0415 (see `Settling`)

        report = diagnostics.report(self._help.session_facts(), trace=self.trace.toPlainText())
        QGuiApplication.clipboard().setText(report)
