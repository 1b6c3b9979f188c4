"""How times and sizes of films are written."""

from __future__ import annotations

from PySide6.QtCore import QLocale


def duration_text(seconds: float) -> str:
    """Return minutes and seconds, with hours where there are any: ``1:05``, ``1:02:03``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size_text(size_bytes: int) -> str:
    """Return a file's size in the units that file managers use."""
    return QLocale().formattedDataSize(size_bytes, 1, QLocale.DataSizeFormat.DataSizeSIFormat)
