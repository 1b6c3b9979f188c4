"""What a user does with overlays of their own that are there: rename, open the folder, delete."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QFile, QObject, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QInputDialog, QMessageBox, QWidget

from fkd_desktop.errors import OverlayError
from fkd_desktop.i18n import translated
from fkd_desktop.overlays.description import DESCRIPTION_NAME
from fkd_desktop.overlays.saving import to_toml
from fkd_desktop.ui.overlays.draft import MAX_TITLE_LENGTH
from fkd_desktop.ui.words import sentence
from trainer.core.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from fkd_desktop.overlays.library import OverlayLibrary

_DELETE_ON_CLOSE: Final = Qt.WidgetAttribute.WA_DeleteOnClose


class OwnOverlays(QObject):
    """Asks, does it, and tells; dialogs are modal to their window only, so that the session goes on.

    Parameters
    ----------
    library
        What there is; reloaded after each change.
    window
        Over which dialogs open.
    """

    changed = Signal()
    """The library was reloaded."""
    noticed = Signal(str)
    """A sentence for the user: why something was not done."""
    done = Signal(str)
    """A sentence for the user: what was done."""

    def __init__(self, library: OverlayLibrary, window: QWidget) -> None:
        super().__init__(window)
        self._library, self._window = library, window

    def open_folder(self, folder: Path) -> None:
        """Show a folder in the system's file manager."""
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.noticed.emit(self.tr("No file manager opened {0}.").format(folder))

    def ask_rename(self, name: str) -> QInputDialog:
        """Ask for another title; the folder keeps its name, which settings know it by."""
        dialog = QInputDialog(self._window)
        dialog.setAttribute(_DELETE_ON_CLOSE)
        dialog.setWindowTitle(self.tr("Rename overlay"))
        dialog.setLabelText(self.tr("Name of the overlay:"))
        dialog.setTextValue(self._library.info(name).title)
        dialog.textValueSelected.connect(lambda title: self.rename(name, title))
        dialog.open()
        return dialog

    def rename(self, name: str, title: str) -> None:
        """Give an overlay another title."""
        title = " ".join(title.split())[:MAX_TITLE_LENGTH]
        folder, description = self._library.info(name).folder, self._library.description(name)
        if not title or folder is None or description is None or not title.isprintable():
            return
        try:
            # Titles in other languages were those of the old one.
            text = to_toml(replace(description, name=title, names=()))
            write_atomically(folder / DESCRIPTION_NAME, text.encode())
        except OSError as error:
            message = self.tr("{0} cannot be renamed: {1}.")
            self.noticed.emit(message.format(self._library.info(name).title, error.strerror or error))
            return
        self._reload()

    def ask_delete(self, folder: Path, title: str) -> QMessageBox:
        """Ask whether an overlay may go to the trash."""
        box = self._box(
            self.tr("Delete “{0}”?").format(title),
            self.tr("Its folder is moved to the trash:\n{0}").format(folder),
            self.tr("Move to trash"),
        )
        box.accepted.connect(lambda: self._delete(folder, title))
        box.open()
        return box

    def _delete(self, folder: Path, title: str) -> None:
        if self._library.user_folder is None or folder.parent != self._library.user_folder:
            return
        # A link goes, not what it leads to.
        if not folder.is_symlink() and move_to_trash(folder):
            self._reload()
            self.done.emit(self.tr("“{0}” is in the trash.").format(title))
            return
        box = self._box(
            self.tr("There is no trash for “{0}”.").format(title),
            self.tr("Delete it for good? This cannot be undone."),
            self.tr("Delete for good"),
        )
        box.accepted.connect(lambda: self._delete_for_good(folder, title))
        box.open()

    def _delete_for_good(self, folder: Path, title: str) -> None:
        try:
            self._library.remove(folder)
        except OverlayError as error:
            self.noticed.emit(sentence(translated(error)))
            return
        self.changed.emit()
        self.done.emit(self.tr("“{0}” is deleted.").format(title))

    def _reload(self) -> None:
        self._library.reload()
        self.changed.emit()

    def _box(self, text: str, details: str, yes: str) -> QMessageBox:
        box = QMessageBox(self._window)
        box.setAttribute(_DELETE_ON_CLOSE)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle(self.tr("Delete overlay"))
        box.setTextFormat(Qt.TextFormat.PlainText)  # it quotes the overlay's name
        box.setText(text)
        box.setInformativeText(details)
        box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
        cancel = box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(cancel)
        return box


def move_to_trash(folder: Path) -> bool:
    """Move a folder to the system's trash; whether that was possible."""
    moved = QFile.moveToTrash(str(folder))
    return bool(moved[0] if isinstance(moved, tuple) else moved) and not folder.exists()
