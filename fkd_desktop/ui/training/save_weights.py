"""Asking where weights are to be saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QFileDialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

SUFFIX: Final = "safetensors"


def ask_where_to_save(parent: QWidget, name: str, on_chosen: Callable[[Path], object]) -> QFileDialog:
    """Open a file dialog that keeps nobody from anything else; it deletes itself.

    Parameters
    ----------
    parent
        The window that asks.
    name
        What to call the file, without its suffix.
    on_chosen
        Called with the path; the user has agreed to replace what is there.
    """
    dialog = QFileDialog(parent, QCoreApplication.translate("save_weights", "Save weights"))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilter(QCoreApplication.translate("save_weights", "Weights (*.safetensors)"))
    dialog.setDefaultSuffix(SUFFIX)
    dialog.selectFile(f"{name}.{SUFFIX}")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowModality(Qt.WindowModality.NonModal)
    dialog.fileSelected.connect(lambda path: on_chosen(Path(path)))
    dialog.show()
    return dialog
