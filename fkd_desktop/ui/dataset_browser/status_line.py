"""How many faces there are, what is being done, and what was found wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QStatusBar, QWidget

from fkd_desktop.i18n import numeral

if TYPE_CHECKING:
    from fkd_desktop.training.entries import Catalogue


class StatusLine(QStatusBar):
    """The window's last line."""

    stop_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.count = QLabel()
        self.count.setContentsMargins(8, 0, 0, 0)
        self.doing = QLabel()
        self.progress = QProgressBar()
        self.progress.setFixedWidth(160)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(self.tr("Progress"))
        self.stop = QPushButton(self.tr("S&top"))
        self.stop.setToolTip(self.tr("Stop judging; what has been judged stays"))
        self.stop.clicked.connect(self.stop_requested)
        self.summary = QLabel()
        self.summary.setContentsMargins(4, 0, 8, 0)
        self.setSizeGripEnabled(False)
        self.setMinimumHeight(self.stop.sizeHint().height() + 6)  # so that it does not grow when the button comes
        self.addWidget(self.count)
        for widget in (self.doing, self.progress, self.stop, self.summary):
            self.addPermanentWidget(widget)
        self.show_progress("")

    def show_progress(self, text: str, done: int = 0, total: int = 0, *, can_stop: bool = False) -> None:
        """Say what is being done; an empty text for nothing, no total for no end in sight."""
        self.doing.setText(text)
        self.progress.setVisible(bool(text))
        self.stop.setVisible(can_stop)
        self.progress.setRange(0, total)
        self.progress.setValue(done)

    def show_counts(self, catalogue: Catalogue | None, shown: int) -> None:
        """Say how many of a data set's faces are shown, and how many are not as they should be."""
        if catalogue is None:
            self.count.clear()
            self.summary.clear()
            return
        total = len(catalogue.entries)
        if not catalogue.is_whole:
            self.count.setText(self.tr("the first {0} faces").format(numeral(f"{shown:,}")))
        elif shown == total:
            self.count.setText(self.tr("{0} faces").format(numeral(f"{total:,}")))
        else:
            self.count.setText(self.tr("{0} of {1} faces").format(numeral(f"{shown:,}"), numeral(f"{total:,}")))
        bad = sum(not entry.is_usable for entry in catalogue.entries)
        odd = sum(bool(entry.warnings) for entry in catalogue.entries)
        found = [self.tr("{0} cannot be used").format(numeral(f"{bad:,}"))] if bad else []
        found += [self.tr("{0} with a warning").format(numeral(f"{odd:,}"))] if odd else []
        if not found and catalogue.is_checked:
            found = [self.tr("no problems")]
        self.summary.setText(", ".join(found))
