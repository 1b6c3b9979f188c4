"""What the application remembers, and where it keeps its files."""

from __future__ import annotations

import json
import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

import platformdirs
from PySide6.QtCore import QByteArray, QSettings, QTimer

from fkd_desktop import APP_ID
from fkd_desktop.crashes import owners_alone
from fkd_desktop.live.smoothing import SmoothingLevel
from fkd_desktop.settings_migration import FORMAT_VERSION, VERSION_KEY, cannot_be_kept, keep_private, open_settings
from trainer.core.text import Text, one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import TextIOWrapper


def settings_path() -> Path:
    """Return the settings file's path."""
    return platformdirs.user_config_path(APP_ID, appauthor=False) / "settings.ini"


def log_path() -> Path:
    """Return the log file's path."""
    return platformdirs.user_log_path(APP_ID, appauthor=False) / "fkd-desktop.log"


def crashes_path() -> Path:
    """Return the folder that traces of crashes are written to."""
    return log_path().parent / "crashes"


def runs_path() -> Path:
    """Return the folder that the application's training runs are written to."""
    return platformdirs.user_data_path(APP_ID, appauthor=False) / "runs"


def overlays_path() -> Path:
    """Return the folder of the user's own overlays."""
    return platformdirs.user_data_path(APP_ID, appauthor=False) / "overlays"


def set_up_logging() -> Path | None:
    """Log to a file that is kept small; None where none can be written, which is no reason not to start."""
    path = log_path()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = _LogFile(path, maxBytes=1_000_000, backupCount=3, encoding="utf-8")
    except OSError:
        return None
    handler.setFormatter(_OneEntry("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return path


class _LogFile(RotatingFileHandler):
    """A log that only its owner may read: it names files."""

    def _open(self) -> TextIOWrapper:
        number = owners_alone(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return os.fdopen(number, "a", encoding=self.encoding)


class _OneEntry(logging.Formatter):
    """Lets no name or message look like another entry, or command a terminal that the log is shown in."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        record.message = one_line(record.message, longest=len(record.message))
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 (logging's name)
        lines = super().formatException(ei).splitlines()
        return "\n".join(f"  {one_line(line, longest=len(line))}" for line in lines)


T = TypeVar("T")


class _Setting(Generic[T]):
    """One value of the settings file, as an attribute. What makes no sense in the file reads as the default."""

    def __init__(self, key: str, default: T, read: Callable[[str], T], write: Callable[[T], str] = str) -> None:
        self.key, self.default = key, default
        self._read, self._write = read, write

    @overload
    def __get__(self, owner: None, kind: type[Settings]) -> _Setting[T]: ...
    @overload
    def __get__(self, owner: Settings, kind: type[Settings]) -> T: ...
    def __get__(self, owner: Settings | None, kind: type[Settings]) -> _Setting[T] | T:
        if owner is None:
            return self
        value = owner.store.value(self.key)
        if not isinstance(value, str):  # Qt makes lists, sizes and the like of what is not in quotes
            return self.default
        try:
            return self._read(value)
        except (ValueError, KeyError, RecursionError):
            return self.default

    def __set__(self, owner: Settings, value: T) -> None:
        owner._write(self.key, self._write(value))
        if not owner.store.contains(VERSION_KEY):  # a new file, which a crash would leave without one
            owner.store.setValue(VERSION_KEY, str(FORMAT_VERSION))


def _flag(key: str, *, default: bool) -> _Setting[bool]:
    return _Setting(key, default, {"true": True, "false": False}.__getitem__, lambda on: "true" if on else "false")


def _text(key: str, default: str = "") -> _Setting[str]:
    return _Setting(key, default, str)


def _choice(key: str, default: T, values: tuple[T, ...]) -> _Setting[T]:
    return _Setting(key, default, {str(value): value for value in values}.__getitem__)


def _texts(key: str, default: tuple[str, ...] = ()) -> _Setting[tuple[str, ...]]:
    return _Setting(key, default, _read_texts, lambda texts: json.dumps(list(texts)))


def _read_texts(text: str) -> tuple[str, ...]:
    items = json.loads(text)
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ValueError(text)
    return tuple(items)


def _read_keys(text: str) -> dict[str, str]:
    items = json.loads(text)
    if not isinstance(items, dict) or not all(isinstance(value, str) for value in items.values()):
        raise ValueError(text)
    return items


def _read_size(text: str) -> tuple[int, int]:
    width, height = (int(side) for side in text.split("x"))
    if not (16 <= width <= 7680 and 16 <= height <= 4320):
        raise ValueError(text)
    return width, height


class Settings:
    """Typed access to the settings file. Names are what the application calls things; the file's keys stay.

    Parameters
    ----------
    path
        The INI file; None for the user's.

    Attributes
    ----------
    notice
        A sentence for the user where the file is a newer version's, which is left as it is, or damaged, or cannot be
        written; else None.
    on_trouble
        Told once, in a sentence for the user, when the file can no longer be written; None for nobody.
    """

    # What is shown
    overlays = _text("view/overlays")
    """What is painted, as `OverlayStack.to_text` writes it; empty if never set."""
    overlay_keys: _Setting[dict[str, str]] = _Setting("view/overlay_keys", {}, _read_keys, json.dumps)
    """Number keys that the user gave to overlays, by name."""
    shows_gallery = _flag("view/gallery", default=False)
    mirrored = _flag("view/mirrored", default=False)
    smoothing = _Setting(
        "view/smoothing",
        SmoothingLevel.LOW,
        lambda name: SmoothingLevel[name.upper()],
        lambda level: level.name.lower(),
    )
    # Where the picture comes from
    source = _text("source/name", "camera:0")
    """The last session's, as `make_source` takes it: cameras by what they keep, not by their number."""
    starts_with_last_source = _flag("source/start_with_last", default=True)
    recent_sources = _texts("source/recent")
    last_folder = _text("source/folder")
    loops_videos = _flag("source/loop", default=False)
    releases_camera_when_minimised = _flag("source/release_when_minimised", default=False)
    # The network
    weights = _text("network/weights")
    """Path of the weights in use; empty for the shipped ones."""
    device = _choice("network/device", "auto", ("auto", "cpu", "cuda", "mps"))
    # What is kept
    pictures_folder = _text("capture/pictures")
    """Where snapshots go; empty for the usual folder."""
    videos_folder = _text("capture/videos")
    countdown_s = _choice("capture/countdown", 0, (0, 3, 5, 10))
    picture_format: _Setting[Literal["png", "jpg"]] = _choice("capture/format", "png", ("png", "jpg"))
    export_folder = _text("capture/export")
    export_formats = _texts("capture/export_formats", ("csv",))
    virtual_camera_size: _Setting[tuple[int, int]] = _Setting(
        "capture/virtual_camera", (1280, 720), _read_size, lambda size: f"{size[0]}x{size[1]}"
    )
    # The rest. No group may be called "general": Qt reads such a one back as "General", which is another one.
    data_folder = _text("training/data")
    """The data set that was trained on or looked at last; empty if never set."""
    language = _text("application/language")
    """A language's code, such as ``de``; empty for the system's."""
    welcomed = _flag("application/welcomed", default=False)
    """Whether the welcome was shown."""
    version = _Setting(VERSION_KEY, FORMAT_VERSION, int)

    def __init__(self, path: Path | None = None) -> None:
        path = path or settings_path()
        self.store, self.notice = open_settings(path)
        self.on_trouble: Callable[[Text], None] | None = None
        self._is_told = self.notice == cannot_be_kept(path)

    def _write(self, key: str, value: str) -> None:
        self.store.setValue(key, value)
        if self.on_trouble is not None and not self._is_told:
            QTimer.singleShot(0, self._look_for_trouble)  # Qt writes before

    def _look_for_trouble(self) -> None:
        if self.on_trouble is not None and not self._is_told and self.store.status() is QSettings.Status.AccessError:
            self._is_told = True
            self.on_trouble(cannot_be_kept(Path(self.store.fileName())))

    @property
    def geometry(self) -> QByteArray:
        """The window's place and size, as Qt saved it; empty if never set."""
        return self._bytes("window/geometry")

    @geometry.setter
    def geometry(self, geometry: QByteArray) -> None:
        self.store.setValue("window/geometry", geometry)

    @property
    def docks(self) -> QByteArray:
        """The place and size of the window's bars and docks, as Qt saved it; empty if never set."""
        return self._bytes("window/docks")

    @docks.setter
    def docks(self, docks: QByteArray) -> None:
        self.store.setValue("window/docks", docks)

    @property
    def gallery_splitter(self) -> QByteArray:
        """How the gallery's height is shared, as Qt saved it; empty if never set."""
        return self._bytes("window/gallery_splitter")

    @gallery_splitter.setter
    def gallery_splitter(self, state: QByteArray) -> None:
        self.store.setValue("window/gallery_splitter", state)

    def save(self) -> None:
        """Write the file now."""
        self.version = FORMAT_VERSION
        self.store.sync()
        keep_private(Path(self.store.fileName()))

    def reset(self) -> None:
        """Forget everything but the list of recent files, which is the user's, and that the user is no newcomer."""
        recent = self.recent_sources
        self.store.clear()
        self.recent_sources = recent
        self.version, self.welcomed = FORMAT_VERSION, True

    def _bytes(self, key: str) -> QByteArray:
        value: Any = self.store.value(key)
        return value if isinstance(value, QByteArray) else QByteArray()
