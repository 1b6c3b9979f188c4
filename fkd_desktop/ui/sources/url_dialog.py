"""Typing the address of a network camera or stream."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from fkd_desktop.errors import SourceError
from fkd_desktop.i18n import translated
from fkd_desktop.live.sources.stream import check_url
from fkd_desktop.ui.words import sentence


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
        self.trouble = QLabel()
        self.trouble.setWordWrap(True)
        self.trouble.setAccessibleName(self.tr("What is wrong with the address"))
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (label, self.address, self.trouble, promise):
            layout.addWidget(widget)
        layout.addStretch(1)
        layout.addWidget(self._buttons)
        self.address.textChanged.connect(self._on_address_changed)
        self._on_address_changed()

    @property
    def url(self) -> str:
        """The address, for `make_source`; http:// stands before one that was typed without."""
        text = self.address.text().strip()
        scheme, separator, rest = text.partition("://")
        return f"{scheme.lower()}://{rest}" if separator else f"http://{text}"

    def accept(self) -> None:
        """Close if it is an address, else say what is wrong."""
        try:
            check_url(self.url)
        except SourceError as error:
            self.trouble.setText(sentence(translated(error)))
            self.trouble.show()
            self.address.setFocus()
            self.address.selectAll()
            return
        super().accept()

    @Slot()
    def _on_address_changed(self) -> None:
        self.trouble.hide()
        self._buttons.button(QDialogButtonBox.StandardButton.Open).setEnabled(bool(self.address.text().strip()))
