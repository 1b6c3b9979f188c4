"""Writing what is on show as a picture."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QIODevice

from fkd_desktop.errors import cannot_write
from fkd_desktop.workers.job import Job
from trainer.core.files import write_atomically
from trainer.core.text import Text

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QImage


def as_png_path(path: Path) -> Path:
    """Return a path whose name ends in .png."""
    return path if path.suffix.lower() == ".png" else path.with_name(f"{path.name}.png")


def saving(path: Path, image: QImage) -> Job:
    """Return a job, not yet started, that writes an image and succeeds with its path."""
    return Job(Text("saving {name}", name=path.name), partial(write_image, path, image))


def write_image(path: Path, image: QImage, _job: Job) -> Path:
    """Write a PNG file, for a job; return its path.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    try:
        write_atomically(path, bytes(buffer.data().data()))
    except OSError as error:
        raise cannot_write(path, error) from error
    return path
