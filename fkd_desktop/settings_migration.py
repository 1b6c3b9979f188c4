"""Settings files as they are found: older ones are brought up to date, newer ones left alone, damaged ones set aside.

A change of what a key means, or of where a value is kept, raises `FORMAT_VERSION` by one and adds one entry to
`MIGRATIONS`, with a test that has such an old file in it. A new key with a sensible default needs neither.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
from contextlib import suppress
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

_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]*)|([0-7]+)|.)", re.DOTALL)
_NO_LETTER: Final = re.compile(r"[^A-Za-z@(]")
_OBJECTS: Final = ("@Variant(", "@DateTime(")


def open_settings(path: Path) -> tuple[QSettings, Text | None]:
    """Open a settings file for this version of the application.

    Parameters
    ----------
    path
        The file; it need not be there.

    Returns
    -------
    The settings, in this version's format; and a sentence for the user where something is wrong with them. The file of
    a newer version is not touched: its values are where another one begins. A damaged file is kept under another name,
    and what could be read of it goes on. Of one that cannot be written, changes last until the end.
    """
    with suppress(OSError):  # which is said below
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    keep_private(path)
    own_path = path.with_name(f"{path.stem}-format-{FORMAT_VERSION}{path.suffix}")
    try:
        kept = _take_out_objects(path)
        _take_out_objects(own_path)
        store = _ini(path)
        store.allKeys()  # only now the file is read
        if kept is None and store.isWritable() and store.status() is QSettings.Status.FormatError:
            kept = _copy_aside(path)
    except OSError:
        return _ini(path / "none"), cannot_be_kept(path)  # below a file nothing can be
    if not store.isWritable():
        return store, cannot_be_kept(path)
    if kept is not None:
        store.setValue(VERSION_KEY, store.value(VERSION_KEY, str(FORMAT_VERSION)))
        store.sync()
        return _ini(path), Text(
            "The settings were damaged: what could be read of them is in use, and the damaged file is kept as {file}",
            file=kept,
        )
    if not store.allKeys():
        return store, None  # and nothing is written, until there is something to remember
    if (version := _version(store)) <= FORMAT_VERSION:
        _migrate(store, version)
        return store, None
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


def keep_private(path: Path) -> None:
    """Make a settings file its owner's alone: addresses of streams may have passwords in them."""
    with suppress(OSError):
        path.chmod(0o600)


def cannot_be_kept(path: Path) -> Text:
    """Return what to say where the settings cannot be written."""
    return Text(
        "Settings cannot be kept, so changes last until you close the window; see that {file} can be written and that "
        "its disk has room",
        file=path,
    )


def _take_out_objects(path: Path) -> Path | None:
    """Leave out values that are written as objects, before Qt reads them; return where the file from before is kept.

    PySide unpickles such a value, and with it runs whatever a stranger's file says. This application writes none.
    """
    if not path.is_file():
        return None
    content = path.read_bytes().decode("latin-1")
    if not _has_object(content):
        return None
    kept = _copy_aside(path)
    lines = [line for line in content.splitlines(keepends=True) if not _has_object(line)]
    rest = "".join(lines)
    path.write_bytes(b"" if _has_object(rest) else rest.encode("latin-1"))
    return kept


def _has_object(text: str) -> bool:
    """Whether Qt may find an object in it, whose mark may be written with escapes, quotes and blanks in between."""
    plain = _ESCAPE.sub(_letter, text)
    return any(mark in _NO_LETTER.sub("", plain) for mark in _OBJECTS)


def _letter(escape: re.Match[str]) -> str:
    """Return what Qt reads an escape as, as far as it may be of a mark."""
    if escape[1] or escape[2]:
        return chr(int(escape[1] or escape[2], 16 if escape[1] else 8) & 0xFF)
    return ""


def _copy_aside(path: Path) -> Path:
    for number in itertools.count(1):
        kept = path.with_name(f"{path.stem}-damaged-{number}{path.suffix}")
        if not kept.exists():
            break
    shutil.copy2(path, kept)
    return kept


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
