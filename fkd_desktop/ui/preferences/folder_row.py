"""Choosing a folder."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget

from fkd_desktop.ui.words import plain_tip


class FolderRow(QWidget):
    """A folder's path, and a button that asks for another one.

    Parameters
    ----------
    name
        What the folder is for, for screen readers and the dialog's title.
    """

    chosen = Signal(str)
    """The path of an existing folder, or of one that can be made."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._path = QLineEdit(readOnly=True)
        self._path.setAccessibleName(name)
        self._button = QPushButton(self.tr("Choose…"))
        self._button.setAccessibleName(self.tr("Choose: {0}").format(name))
        self._button.setAutoDefault(False)
        self._button.clicked.connect(self._on_button_clicked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._path, 1)
        layout.addWidget(self._button)
        self.setFocusProxy(self._button)

    @property
    def path(self) -> str:
        """The folder on show."""
        return self._path.text()

    def show_path(self, path: Path) -> None:
        """Show a folder."""
        self._path.setText(str(path))
        self._path.setCursorPosition(0)
        self._path.setToolTip(plain_tip(str(path)))

    @Slot()
    def _on_button_clicked(self) -> None:
        start = Path(self._path.text())
        while not start.is_dir() and start != start.parent:
            start = start.parent
        if folder := QFileDialog.getExistingDirectory(self, self._name, str(start)):
            self.show_path(Path(folder))
            self.chosen.emit(folder)
