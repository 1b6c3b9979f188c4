"""What is dropped on a window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtCore import QMimeData
    from PySide6.QtGui import QDragEnterEvent


def take_files(event: QDragEnterEvent) -> None:
    """Accept a drag that carries files."""
    if dropped_path(event.mimeData()) is not None:
        event.acceptProposedAction()


def dropped_path(mime: QMimeData) -> Path | None:
    """Return the first file or folder of this computer that is dropped; None where there is none."""
    return next((Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()), None)
