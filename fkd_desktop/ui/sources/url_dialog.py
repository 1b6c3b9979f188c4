"""Typing the address of a network camera or stream."""

from __future__ import annotations

import re
from typing import Final

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QLineEdit, QStyle, QVBoxLayout, QWidget

from fkd_desktop.errors import SourceError
from fkd_desktop.i18n import translated
from fkd_desktop.live.sources.stream import check_url
from fkd_desktop.ui.words import sentence

_MISTYPED: Final = re.compile(r"[a-z]+:/", re.IGNORECASE)


class UrlDialog(QDialog):
    """Asks for an address and takes only one that can be a stream's. It remembers nothing.

    Parameters
    ----------
    url
        What to begin with.
    """

    def __init__(self, url: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Open stream"))
        label = QLabel(self.tr("&Address of the network camera or stream:"))
        self.address = QLineEdit(url)
        self.address.setPlaceholderText("rtsp://192.168.1.20/stream")
        self.address.setAccessibleName(self.tr("Address of the network camera or stream"))
        self.address.setClearButtonEnabled(True)
        self.address.setMinimumWidth(self.fontMetrics().averageCharWidth() * 56)
        label.setBuddy(self.address)
        promise = QLabel(
            self.tr(
                "Only this address is asked for pictures; nothing is sent anywhere else. A user name and password can "
                "be part of it: rtsp://user:password@host/path."
            )
        )
        promise.setWordWrap(True)
        self.trouble = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.trouble.setWordWrap(True)
        self.trouble.setAccessibleName(self.tr("What is wrong with the address"))
        sign = QLabel(alignment=Qt.AlignmentFlag.AlignTop)
        size_px = self.style().pixelMetric(QStyle.PixelMetric.PM_SmallIconSize)
        sign.setPixmap(self.style().standardIcon(QStyle.StandardPixmap.SP_MessageBoxWarning).pixmap(size_px))
        self._trouble_row = QWidget()
        row = QHBoxLayout(self._trouble_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(sign)
        row.addWidget(self.trouble, 1)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (label, self.address, self._trouble_row, promise):
            layout.addWidget(widget)
        layout.addStretch(1)
        layout.addSpacing(8)
        layout.addWidget(self._buttons)
        self.address.textChanged.connect(self._on_address_changed)
        self._on_address_changed()

    @property
    def url(self) -> str:
        """The address, for `make_source`; http:// stands before one that was typed without."""
        text = self.address.text().strip()
        scheme, separator, rest = text.partition("://")
        if separator:
            return f"{scheme.lower()}://{rest}"
        if _MISTYPED.match(text):
            return text  # which is refused, in words, instead of asking a host of that name
        return f"http://{text}"

    def accept(self) -> None:
        """Close if it is an address, else say what is wrong."""
        try:
            check_url(self.url)
        except SourceError as error:
            self.trouble.setText(sentence(translated(error)))
            self._trouble_row.show()
            self._fit()
            self.address.setFocus()
            self.address.selectAll()
            return
        super().accept()

    @Slot()
    def _on_address_changed(self) -> None:
        self._trouble_row.hide()
        self._buttons.button(QDialogButtonBox.StandardButton.Open).setEnabled(bool(self.address.text().strip()))

    def _fit(self) -> None:
        """Grow to the height that the texts need at this width: a layout alone would cut them off."""
        layout = self.layout()
        assert layout is not None
        layout.activate()
        self.resize(self.width(), max(self.height(), layout.totalHeightForWidth(self.width())))
