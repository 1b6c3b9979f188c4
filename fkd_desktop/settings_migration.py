"""Settings of other versions: older files are brought up to date, newer ones are left as they are.

A change of what a key means, or of where a value is kept, raises `FORMAT_VERSION` by one and adds one entry to
`MIGRATIONS`, with a test that has such an old file in it. A new key with a sensible default needs neither.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSettings

from trainer.core.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORMAT_VERSION: Final = 2
"""Of the settings file."""
VERSION_KEY: Final = "application/version"


def _take_over_layers(store: QSettings) -> None:
    """0 to 1: what is painted was the names of layers, back to front, between blanks."""
    names = store.value("view/layers")
    if names is not None and not store.contains("view/overlays"):
        store.setValue("view/overlays", json.dumps([[name, 1.0] for name in str(names).split(" ") if name]))
    store.remove("view/layers")


def _greet_newcomers_only(store: QSettings) -> None:
    """1 to 2: whoever has settings is no newcomer, who would be welcomed."""
    store.setValue("application/welcomed", "true")


MIGRATIONS: Final[Mapping[int, Callable[[QSettings], None]]] = {0: _take_over_layers, 1: _greet_newcomers_only}
"""What makes a file of one version a file of the next one. Version 0.1 wrote no version: that is 0."""


def open_settings(path: Path) -> tuple[QSettings, Text | None]:
    """Open a settings file for this version of the application.

    Parameters
    ----------
    path
        The file; it need not be there.

    Returns
    -------
    The settings, in this version's format; and a sentence for the user where they are another file's, because the one
    asked for was written by a newer version: it is not touched, and its values are where this version begins.
    """
    store = _ini(path)
    if not store.allKeys():
        return store, None  # and nothing is written, until there is something to remember
    if (version := _version(store)) <= FORMAT_VERSION:
        _migrate(store, version)
        return store, None
    own_path = path.with_name(f"{path.stem}-format-{FORMAT_VERSION}{path.suffix}")
    own = _ini(own_path)
    if not own.allKeys():
        for key in store.allKeys():
            own.setValue(key, store.value(key))
    own.setValue(VERSION_KEY, str(FORMAT_VERSION))
    return own, Text(
        "The settings are of a newer version of FKD Desktop; they stay as they are, and changes go to {file} until "
        "you update",
        file=own_path.name,
    )


def _ini(path: Path) -> QSettings:
    return QSettings(str(path), QSettings.Format.IniFormat)


def _version(store: QSettings) -> int:
    try:
        return int(str(store.value(VERSION_KEY, 0)))
    except ValueError:
        return 0


def _migrate(store: QSettings, version: int) -> None:
    for old in range(max(version, 0), FORMAT_VERSION):
        MIGRATIONS[old](store)
    if version != FORMAT_VERSION:
        store.setValue(VERSION_KEY, str(FORMAT_VERSION))
