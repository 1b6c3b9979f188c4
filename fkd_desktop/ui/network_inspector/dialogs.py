"""Asking for files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from fkd_desktop.live.sources import IMAGE_SUFFIXES

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from fkd_desktop.settings import Settings


def ask_for_image(parent: QWidget, settings: Settings) -> Path | None:
    """Ask which image to open; None if none."""
    suffixes = " ".join(f"*{suffix}" for suffix in sorted(IMAGE_SUFFIXES))
    path, _ = QFileDialog.getOpenFileName(
        parent,
        parent.tr("Open image"),
        settings.last_folder,
        f"{parent.tr('Images')} ({suffixes});;{parent.tr('All files')} (*)",
    )
    return Path(path) if path else None


def ask_where_to_save(parent: QWidget, settings: Settings, name: str) -> Path | None:
    """Ask where to write a PNG file, proposing a name; None for nowhere."""
    path, _ = QFileDialog.getSaveFileName(
        parent,
        parent.tr("Save as PNG"),
        str(Path(settings.last_folder) / name),
        parent.tr("PNG images (*.png)"),
    )
    if not path:
        return None
    # Not by `suffix`: names of layers have dots.
    target = Path(path if path.lower().endswith(".png") else f"{path}.png")
    settings.last_folder = str(target.parent)
    return target
