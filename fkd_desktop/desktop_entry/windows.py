"""The start menu of Windows: a shortcut among the user's programs. Never run there; see docs/manual/start-menu.md."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fkd_desktop.desktop_entry import files
from fkd_desktop.desktop_entry.launcher import Launcher, LauncherError, LauncherState, Presence, outdated
from fkd_desktop.desktop_entry.shell_link import ShellLink
from fkd_desktop.desktop_entry.words import COMPONENT_ID, NAME, WORDS
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Sequence

LINK: Final = f"{NAME}.lnk"


def group_windows_under_launcher() -> None:
    """Let the taskbar put this process's windows under the shortcut, not under Python; called before there are any."""
    if sys.platform == "win32":
        ctypes.windll.shell32.SetCurrentProcessExplicitAppUserModelID(COMPONENT_ID)


def programs_folder() -> Path:
    """Return the folder of the user's part of the start menu, where Windows has it by default."""
    roaming = os.environ.get("APPDATA") or str(Path.home() / "AppData" / "Roaming")
    return Path(roaming) / "Microsoft" / "Windows" / "Start Menu" / "Programs"


class WindowsLauncher(Launcher):
    """A shortcut in the start menu.

    Parameters
    ----------
    command
        Program and arguments that start the application.
    programs
        The folder of the start menu; None for the user's.
    """

    def __init__(self, command: Sequence[str], programs: Path | None = None) -> None:
        self._link = ShellLink(
            command[0],
            arguments=subprocess.list2cmdline(command[1:]),
            working_folder="%USERPROFILE%",
            description=WORDS["en"]["comment"],
            icon=str(assets_dir() / "icons" / "fkd-desktop.ico"),
            app_id=COMPONENT_ID,
        )
        self._programs = programs or programs_folder()

    def state(self) -> LauncherState:
        """See `Launcher.state`."""
        link = self._read()
        if link is None or link.app_id != COMPONENT_ID:
            return LauncherState(Presence.ABSENT)
        if link == self._link:
            return LauncherState(Presence.CURRENT)
        return outdated(link.target, self._link.target, exists=Path(link.target).exists())

    def install(self) -> tuple[Path, ...]:
        """See `Launcher.install`."""
        path, link = self._programs / LINK, self._read()
        if link == self._link:
            return ()
        if path.exists() and (link is None or link.app_id != COMPONENT_ID):
            raise LauncherError(
                "{path} is there already and was not made by FKD Desktop; move it away, then try again", path=path
            )
        try:
            content = self._link.to_bytes()
        except ValueError as error:
            raise LauncherError(
                "{path} is too long for a shortcut; move FKD Desktop to a folder with a shorter path",
                path=self._link.target,
            ) from error
        return tuple(files.write(self._programs, {LINK: content}))

    def remove(self) -> tuple[Path, ...]:
        """See `Launcher.remove`."""
        link = self._read()
        if link is None or link.app_id != COMPONENT_ID:
            return ()
        return tuple(files.remove(self._programs, [LINK]))

    def _read(self) -> ShellLink | None:
        try:
            return ShellLink.from_bytes((self._programs / LINK).read_bytes())
        except (OSError, ValueError):
            return None
