"""Why a training run failed, and what can be done about it."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Final

import PySide6
from PySide6.QtCore import QEvent, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QColor, QDesktopServices, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

import fkd_desktop
from fkd_desktop.ui.icons import tinted_pixmap
from fkd_desktop.ui.words import sentence

if TYPE_CHECKING:
    from fkd_desktop.training.run import Failure

_ICON_PX: Final = 24
_LINES_SHOWN: Final = 6
_COPIED_FOR_MS: Final = 2000


class FailurePanel(QFrame):
    """The reason in a sentence, the process's last lines, and buttons: copy all that, open the log, go on."""

    resume_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._failure: Failure | None = None
        self._icon = QLabel()
        self._reason = _selectable_label()
        font = self._reason.font()
        font.setBold(True)
        self._reason.setFont(font)
        self._log_note = _selectable_label()
        self.last_lines = QPlainTextEdit(readOnly=True, lineWrapMode=QPlainTextEdit.LineWrapMode.NoWrap)
        self.last_lines.setAccessibleName(self.tr("Last lines of the training process"))
        self.last_lines.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.last_lines.setTabChangesFocus(True)
        bar = self.last_lines.verticalScrollBar()
        bar.rangeChanged.connect(lambda _low, high: bar.setValue(high))  # the last line says most
        self.copy_button = self._make_button(
            self.tr("C&opy"), self.tr("Copy the reason and the last lines, for a bug report")
        )
        self.log_button = self._make_button(self.tr("Open &log"), self.tr("Open everything that the process wrote"))
        self.resume_button = self._make_button(
            self.tr("R&esume"), self.tr("Go on with the run from where its last epoch ended")
        )
        self.copy_button.clicked.connect(self._on_copy_clicked)
        self.log_button.clicked.connect(self._on_log_clicked)
        self.resume_button.clicked.connect(self.resume_requested)
        self._copied_timer = QTimer(self, interval=_COPIED_FOR_MS, singleShot=True)
        self._copied_timer.timeout.connect(self._on_copied_timer_timeout)
        self._lay_out()
        self._tint()

    def _make_button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, autoDefault=False)
        button.setToolTip(tip)
        return button

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self._icon, alignment=Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._reason, 1)
        buttons = QHBoxLayout()
        buttons.addWidget(self._log_note, 1)
        for button in (self.copy_button, self.log_button, self.resume_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(10)
        layout.addLayout(head)
        layout.addWidget(self.last_lines)
        layout.addLayout(buttons)

    @property
    def text(self) -> str:
        """The reason on show."""
        return self._reason.text()

    @property
    def log_note(self) -> str:
        """What there is to say about the log."""
        return self._log_note.text()

    def show_failure(self, failure: Failure, *, can_resume: bool) -> None:
        """Show why a run failed; `can_resume` is whether it can go on."""
        self.resume_button.setVisible(can_resume)
        if failure is self._failure:
            return
        self._failure = failure
        self._reason.setText(sentence(failure.message))
        self._log_note.clear()
        self.last_lines.setPlainText("\n".join(failure.last_lines))
        self.last_lines.setVisible(bool(failure.last_lines))
        rows = min(max(len(failure.last_lines), 2), _LINES_SHOWN)
        margins = 2 * (round(self.last_lines.document().documentMargin()) + self.last_lines.frameWidth())
        bar_px = self.last_lines.horizontalScrollBar().sizeHint().height()
        self.last_lines.setFixedHeight(rows * self.last_lines.fontMetrics().lineSpacing() + margins + bar_px)

    def report(self) -> str:
        """Return what Copy puts into the clipboard."""
        if self._failure is None:
            return ""
        versions = (
            f"FKD Desktop {fkd_desktop.__version__}, Python {platform.python_version()}, Qt {PySide6.__version__}"
        )
        lines = [sentence(self._failure.message), "", f"{versions}, {platform.platform()}"]
        if self._failure.last_lines:
            lines += ["", self.tr("Last lines:"), *self._failure.last_lines]
        return "\n".join(lines) + "\n"

    def _on_copy_clicked(self) -> None:
        QGuiApplication.clipboard().setText(self.report())
        self.copy_button.setText(self.tr("Copied"))
        self._copied_timer.start()

    def _on_copied_timer_timeout(self) -> None:
        self.copy_button.setText(self.tr("C&opy"))

    def _on_log_clicked(self) -> None:
        if self._failure is None:
            return
        path = self._failure.log_path
        if not path.is_file():
            self._log_note.setText(self.tr("There is no log at {0}.").format(path))
        elif not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
            self._log_note.setText(self.tr("No program opens it; the log is {0}.").format(path))

    def changeEvent(self, event: QEvent) -> None:
        """Give the icon a colour that is seen on the new theme's ground."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_icon"):  # Qt sends some before that
            self._tint()
        super().changeEvent(event)

    def _tint(self) -> None:
        is_dark = self.palette().color(QPalette.ColorRole.Window).lightnessF() < 0.5
        colour = QColor("#ff8f73" if is_dark else "#b3361c")
        self._icon.setPixmap(tinted_pixmap("warning", _ICON_PX, colour, self.devicePixelRatioF()))


def _selectable_label() -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    return label
