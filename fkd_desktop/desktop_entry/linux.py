"""The start menu of Linux and other systems whose desktops follow freedesktop.org."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from fkd_desktop import APP_ID
from fkd_desktop.desktop_entry import files
from fkd_desktop.desktop_entry.freedesktop import (
    MADE_KEY,
    PROGRAM_KEY,
    entry_text,
    metainfo_text,
    read_keys,
    read_string_value,
)
from fkd_desktop.desktop_entry.launcher import Launcher, LauncherError, LauncherState, Presence, outdated
from fkd_desktop.desktop_entry.words import COMPONENT_ID
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Sequence

_log = logging.getLogger(__name__)

ENTRY: Final = f"applications/{APP_ID}.desktop"
TYPES_CACHE: Final = "applications/mimeinfo.cache"
THEME: Final = "icons/hicolor"
ICON_SIZES_PX: Final = (16, 24, 32, 48, 64, 128, 256, 512)
TOOL_TIMEOUT_S: Final = 20


def share_files(command: Sequence[str], made: Sequence[str] = ()) -> dict[str, bytes]:
    """Return icons, metainfo and the entry, by their names under a folder of shared data.

    Packages of a system put them into ``/usr/share``. The entry is the last: a menu that sees it finds its icon, and it
    says by its presence what is ours.

    Parameters
    ----------
    command
        Program and arguments that start the application.
    made
        See `entry_text`; nothing for a package.

    Raises
    ------
    LauncherError
        If the command cannot be written in such a file.
    """
    icons = assets_dir() / "icons"
    try:
        entry = entry_text(command, made).encode()
    except UnicodeEncodeError as error:
        raise LauncherError(
            "{path} is no path that a start menu can hold, as it is not UTF-8; rename the folder",
            path=ascii(command[0]),
        ) from error
    return {
        **{
            f"{THEME}/{side}x{side}/apps/{APP_ID}.png": (icons / f"{APP_ID}-{side}.png").read_bytes()
            for side in ICON_SIZES_PX
        },
        f"{THEME}/scalable/apps/{APP_ID}.svg": (icons / f"{APP_ID}.svg").read_bytes(),
        f"metainfo/{COMPONENT_ID}.metainfo.xml": metainfo_text().encode(),
        ENTRY: entry,
    }


class LinuxLauncher(Launcher):
    """A desktop entry with icons and metainfo among the user's shared data.

    Parameters
    ----------
    command
        Program and arguments that start the application.
    share
        The folder of shared data; None for the user's.
    """

    def __init__(self, command: Sequence[str], share: Path | None = None) -> None:
        self._command = tuple(command)
        self._share = share or platformdirs.user_data_path()

    def state(self) -> LauncherState:
        """See `Launcher.state`."""
        keys = _read_entry(self._share / ENTRY)
        if keys is None or PROGRAM_KEY not in keys:
            return LauncherState(Presence.PACKAGED if self._is_packaged() else Presence.ABSENT)
        program = read_string_value(keys[PROGRAM_KEY])
        try:
            wanted = share_files(self._command, _made(keys))
        except LauncherError:
            wanted = {ENTRY: b""}
        if all(files.has(self._share / name, content) for name, content in wanted.items()):
            return LauncherState(Presence.CURRENT)
        return outdated(program, self._command[0], exists=Path(program).exists())

    def install(self) -> tuple[Path, ...]:
        """See `Launcher.install`."""
        path = self._share / ENTRY
        keys = _read_entry(path)
        if keys is None and (path.exists() or path.is_symlink()):
            keys = {}  # a folder, a link to nowhere or what cannot be read: not ours
        if keys is not None and PROGRAM_KEY not in keys:
            raise LauncherError(
                "{path} is there already and was not made by FKD Desktop; move it away, then try again", path=path
            )
        names = list(share_files(self._command))
        made = [*_made(keys or {}), *files.missing_folders(self._share, names)]
        if not (self._share / TYPES_CACHE).exists():
            made.append(TYPES_CACHE)
        written = files.write(self._share, share_files(self._command, list(dict.fromkeys(made))))
        if written:
            self._refresh_caches()
        return tuple(reversed(written))  # first what the user is told of

    def remove(self) -> tuple[Path, ...]:
        """See `Launcher.remove`."""
        keys = _read_entry(self._share / ENTRY)
        if keys is None or PROGRAM_KEY not in keys:
            return ()
        made = _made(keys)
        removed = files.remove(self._share, share_files(("",)))
        self._refresh_caches()
        cache = self._share / TYPES_CACHE
        if TYPES_CACHE in made and files.has(cache, b"[MIME Cache]\n"):
            cache.unlink(missing_ok=True)
        files.remove_empty_folders(self._share, [name for name in made if name != TYPES_CACHE])
        return tuple(removed)

    def _is_packaged(self) -> bool:
        """Whether an entry for all users starts this very program."""
        own = Path(self._command[0]).resolve()
        for folder in (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":"):
            keys = _read_entry(Path(folder) / ENTRY) if folder else None
            program = shutil.which(read_string_value((keys or {}).get(PROGRAM_KEY, "")))
            if program is not None and Path(program).resolve() == own:
                return True
        return False

    def _refresh_caches(self) -> None:
        """Tell desktops that keep what they have read; most notice by themselves."""
        theme = self._share / THEME
        if (self._share / "applications").is_dir():
            _run("update-desktop-database", "-q", str(self._share / "applications"))
        if theme.is_dir():
            with suppress(OSError):
                os.utime(theme)  # by which the icon theme specification has changes noticed
            if (theme / "icon-theme.cache").exists():
                _run("gtk-update-icon-cache", "-q", "-t", "-f", str(theme))


def _read_entry(path: Path) -> dict[str, str] | None:
    try:
        return read_keys(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def _made(keys: dict[str, str]) -> list[str]:
    return [name for name in keys.get(MADE_KEY, "").split(";") if name and ".." not in name and name[0] != "/"]


def _run(*command: str) -> None:
    if shutil.which(command[0]) is None:
        return
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TOOL_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        _log.warning("%s: %s", command[0], error)
        return
    if done.returncode != 0:
        _log.warning("%s ended with %d: %s", command[0], done.returncode, done.stderr.strip())
