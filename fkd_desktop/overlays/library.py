"""All overlays there are: the drawn layers, those that come with the program, and the user's own."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from PySide6.QtCore import QCoreApplication

from fkd_desktop.errors import OverlayError
from fkd_desktop.i18n import translated
from fkd_desktop.overlays.builtin import BUILTIN, BuiltinLayer
from fkd_desktop.overlays.description import DESCRIPTION_NAME, OverlayDescription
from fkd_desktop.overlays.description_file import read_description
from fkd_desktop.overlays.loading import check_overlay, load_overlay
from fkd_desktop.overlays.saving import remove_folder
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fkd_desktop.overlays.layer import Layer

_GALLERY: Final = (
    "sunglasses", "sunglasses-round", "sunglasses-heart", "moustache", "hat", "dog", "party-mask", "blur", "pixelate",
)  # fmt: skip
"""The shipped ones in the gallery; any others follow by title."""

_DEVICES: Final = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})
"""Names that Windows keeps for itself."""

_Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class OverlayInfo:
    """What the gallery, the menus and the command line know of an overlay without loading it.

    Attributes
    ----------
    name
        For commands and settings: its folder's name.
    title
        For people, in the application's language.
    kind
        Drawn by the program, an effect on the face itself, or pictures.
    origin
        Whose it is.
    order
        Where it goes when it is switched on: a higher one lies in front.
    key
        Its number key, "1" to "9".
    folder
        Where its files are; None for what is built in.
    opacity_fixed
        Whether it takes no opacity: a half-transparent blur would hide nothing.
    """

    name: str
    title: str
    kind: Literal["drawn", "effect", "picture"]
    origin: Literal["built-in", "user"]
    order: int
    key: str | None = None
    folder: Path | None = None
    opacity_fixed: bool = False


@dataclass(frozen=True)
class BrokenOverlay:
    """A folder whose overlay cannot be used, and a sentence that says why."""

    folder: Path
    reason: str


@dataclass(frozen=True)
class _Found:
    """A folder that was looked at, in this state of its files."""

    stamp: _Stamp
    description: OverlayDescription | None
    error: OverlayError | None


class OverlayLibrary:
    """Finds overlays and keeps the loaded ones.

    To be used in the GUI thread; the layers that it hands out may be painted in any.

    Parameters
    ----------
    user_folder
        Where the user's own overlays are, a folder each; it need not exist. None: nowhere.
    """

    def __init__(self, user_folder: Path | None = None) -> None:
        self.user_folder = user_folder
        self._lock = threading.RLock()
        self._found: dict[Path, _Found] = {}
        self._layers: dict[tuple[str, Path | None], tuple[_Stamp, Layer]] = {}
        self._infos: tuple[OverlayInfo, ...] = ()
        self._broken: tuple[BrokenOverlay, ...] = ()
        self.reload()

    @property
    def infos(self) -> tuple[OverlayInfo, ...]:
        """All usable overlays: drawn layers first, then the shipped ones, then the user's by title."""
        return self._infos

    @property
    def broken(self) -> tuple[BrokenOverlay, ...]:
        """The folders that hold an overlay which cannot be used."""
        return self._broken

    def info(self, name: str) -> OverlayInfo:
        """Return what is known of an overlay.

        Raises
        ------
        KeyError
            If there is none of that name.
        """
        for info in self._infos:
            if info.name == name:
                return info
        raise KeyError(name)

    def layer(self, name: str) -> Layer:
        """Return an overlay's layer: loaded once, and kept while its files stay as they are.

        Raises
        ------
        KeyError
            If there is none of that name.
        OverlayError
            If it turns out to be broken; it is then among `broken`.
        """
        with self._lock:
            info = self.info(name)
            found = self._found.get(info.folder) if info.folder is not None else None
            stamp = found.stamp if found else ()
            kept = self._layers.get((name, info.folder))
            if kept and kept[0] == stamp:
                return kept[1]
            if info.folder is None:
                layer: Layer = BUILTIN[name].make()
            else:
                try:
                    layer = load_overlay(name, info.folder, title=info.title)
                except OverlayError as error:
                    self._found[info.folder] = _Found(stamp, None, error)
                    self._list()
                    raise
            self._layers[name, info.folder] = stamp, layer
            return layer

    def reload(self) -> None:
        """Look at the folders again; only those whose files changed are read."""
        with self._lock:
            found: dict[Path, _Found] = {}
            for folder in (*_folders(assets_dir() / "overlays"), *_folders(self.user_folder)):
                stamp = _stamp(folder)
                known = self._found.get(folder)
                found[folder] = known if known and known.stamp == stamp else _look_at(folder, stamp)
            self._found = found
            self._list()
            usable = {(info.name, info.folder) for info in self._infos}
            self._layers = {key: kept for key, kept in self._layers.items() if key in usable}

    def description(self, name: str) -> OverlayDescription | None:
        """Return what an overlay's file says, to edit it; None for what is built in.

        Raises
        ------
        KeyError
            If there is none of that name.
        """
        folder = self.info(name).folder
        return self._found[folder].description if folder is not None else None

    def free_folder(self, title: str) -> Path:
        """Return a folder for a new overlay of the user's, with a name that is not taken yet.

        Raises
        ------
        OverlayError
            If there is no folder for the user's overlays.
        """
        if self.user_folder is None:
            raise OverlayError("there is no folder for overlays of your own; choose one")
        base = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].strip("-") or "overlay"
        taken = {info.name for info in self._infos} | {folder.name for folder in self._found} | set(BUILTIN)
        taken |= _DEVICES
        name, number = base, 1
        while name in taken or (self.user_folder / name).exists():
            number += 1
            name = f"{base}-{number}"
        return self.user_folder / name

    def remove(self, folder: Path) -> None:
        """Delete an overlay of the user's, whole or broken, and look again.

        Raises
        ------
        OverlayError
            If it is not one of the user's, or cannot be deleted.
        """
        if folder not in self._found or folder.parent != self.user_folder:
            raise OverlayError("{folder} is not one of your own overlays; choose one that is", folder=folder)
        remove_folder(folder)
        self.reload()

    def _list(self) -> None:
        shipped: list[OverlayInfo] = []
        own: list[OverlayInfo] = []
        broken: list[BrokenOverlay] = []
        language = translation_language()
        taken = {info.name for info in _drawn()}
        keys = {info.key for info in _drawn()}
        for folder, found in self._found.items():
            error, is_own = found.error, folder.parent == self.user_folder
            if error is None and is_own and (folder.name in taken or folder.name in BUILTIN):
                error = OverlayError(
                    "the overlay {folder} has the name of one that comes with the program; give its folder another",
                    folder=folder,
                )
            if error is not None or found.description is None:
                broken.append(BrokenOverlay(folder, translated(error) if error is not None else ""))
                continue
            info = _info(folder, found.description, language)
            taken.add(info.name)
            if is_own or info.key in keys:
                info = replace(info, key=None, origin="user" if is_own else "built-in")
            keys.add(info.key)
            (own if is_own else shipped).append(info)
        shipped += [_builtin_info(name) for name in BUILTIN if name not in taken]
        shipped.sort(key=lambda info: (_place(info.name), info.title.casefold()))
        own.sort(key=lambda info: (info.title.casefold(), info.name))
        self._infos, self._broken = (*_drawn(), *shipped, *own), tuple(broken)


def translation_language() -> str:
    """Return the code of the language that texts are shown in, as the translation itself says it."""
    return QCoreApplication.translate("Overlays", "en", "the code of the language of this translation, such as de")


def _drawn() -> tuple[OverlayInfo, ...]:
    return tuple(_builtin_info(name) for name, layer in BUILTIN.items() if layer.kind == "drawn")


def _builtin_info(name: str) -> OverlayInfo:
    layer: BuiltinLayer = BUILTIN[name]
    return OverlayInfo(
        name=name,
        title=layer.title(),
        kind=layer.kind,
        origin="built-in",
        order=layer.order,
        key=layer.key,
        opacity_fixed=layer.kind == "effect",
    )


def _info(folder: Path, description: OverlayDescription, language: str) -> OverlayInfo:
    return OverlayInfo(
        name=folder.name,
        title=description.title(language),
        kind="picture" if description.effect is None else "effect",
        origin="built-in",
        order=description.order,
        key=description.key,
        folder=folder,
        opacity_fixed=description.effect is not None,
    )


def _place(name: str) -> int:
    return _GALLERY.index(name) if name in _GALLERY else len(_GALLERY)


def _folders(parent: Path | None) -> Iterator[Path]:
    """Give the folders that mean to be overlays; hidden ones are just being written."""
    if parent is None:
        return
    try:
        entries = sorted(entry for entry in parent.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except OSError:
        return
    yield from entries


def _stamp(folder: Path) -> _Stamp:
    """Return names, times and sizes of a folder's files."""
    stamps = []
    try:
        for path in sorted(folder.iterdir()):
            status = path.stat()
            stamps.append((path.name, status.st_mtime_ns, status.st_size))
    except OSError:
        return ()
    return tuple(stamps)


def _look_at(folder: Path, stamp: _Stamp) -> _Found:
    try:
        description = read_description(folder / DESCRIPTION_NAME)
        check_overlay(folder, description)
    except OverlayError as error:
        return _Found(stamp, None, error)
    return _Found(stamp, description, None)
