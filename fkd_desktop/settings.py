"""What the application remembers, and where it keeps its files."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs
from PySide6.QtCore import QByteArray, QSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

APP_ID: Final = "fkd-desktop"


def settings_path() -> Path:
    """Return the settings file's path."""
    return platformdirs.user_config_path(APP_ID, appauthor=False) / "settings.ini"


def log_path() -> Path:
    """Return the log file's path."""
    return platformdirs.user_log_path(APP_ID, appauthor=False) / "fkd-desktop.log"


def runs_path() -> Path:
    """Return the folder that the application's training runs are written to."""
    return platformdirs.user_data_path(APP_ID, appauthor=False) / "runs"


def set_up_logging() -> Path | None:
    """Log to a file that is kept small; None where none can be written, which is no reason not to start."""
    path = log_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=1_000_000, backupCount=3, encoding="utf-8")
    except OSError:
        return None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return path


class Settings:
    """Typed access to the settings file. A value that makes no sense reads as the default.

    Parameters
    ----------
    path
        The INI file; None for the user's.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._store = QSettings(str(path or settings_path()), QSettings.Format.IniFormat)

    @property
    def layer_names(self) -> tuple[str, ...] | None:
        """Names of the layers that are on; None if never set."""
        value = self._store.value("view/layers")
        return None if value is None else tuple(name for name in str(value).split(" ") if name)

    @layer_names.setter
    def layer_names(self, names: Iterable[str]) -> None:
        self._store.setValue("view/layers", " ".join(names))

    @property
    def mirrored(self) -> bool:
        """Whether the preview is mirrored."""
        return str(self._store.value("view/mirrored", "false")) == "true"

    @mirrored.setter
    def mirrored(self, mirrored: bool) -> None:
        self._store.setValue("view/mirrored", "true" if mirrored else "false")

    @property
    def geometry(self) -> QByteArray:
        """The window's place and size, as Qt saved it; empty if never set."""
        value = self._store.value("window/geometry")
        return value if isinstance(value, QByteArray) else QByteArray()

    @geometry.setter
    def geometry(self, geometry: QByteArray) -> None:
        self._store.setValue("window/geometry", geometry)

    @property
    def last_folder(self) -> str:
        """Where a file was opened last."""
        return str(self._store.value("source/folder", ""))

    @last_folder.setter
    def last_folder(self, folder: str) -> None:
        self._store.setValue("source/folder", folder)

    @property
    def weights(self) -> str:
        """Path of the weights in use; empty for the shipped ones."""
        return str(self._store.value("network/weights", ""))

    @weights.setter
    def weights(self, path: str) -> None:
        self._store.setValue("network/weights", path)

    @property
    def data_folder(self) -> str:
        """The data set that was trained on or looked at last; empty if never set."""
        return str(self._store.value("training/data", ""))

    @data_folder.setter
    def data_folder(self, path: str) -> None:
        self._store.setValue("training/data", path)

    def save(self) -> None:
        """Write the file now."""
        self._store.sync()
