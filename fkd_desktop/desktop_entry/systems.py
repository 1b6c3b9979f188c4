"""Which start menu is this system's."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fkd_desktop.desktop_entry.launcher import Launcher


def make_launcher(command: Sequence[str] | None = None) -> Launcher:
    """Return this system's launcher.

    Parameters
    ----------
    command
        What the entry starts; None for this installation.

    Raises
    ------
    LauncherError
        If this installation cannot be started from a start menu.
    """
    from fkd_desktop.desktop_entry.command import start_command  # noqa: PLC0415 (importlib.metadata: a part of the start)

    own = tuple(command or start_command())
    if sys.platform == "win32":
        from fkd_desktop.desktop_entry.windows import WindowsLauncher  # noqa: PLC0415

        return WindowsLauncher(own)
    if sys.platform == "darwin":
        from fkd_desktop.desktop_entry.macos import MacLauncher  # noqa: PLC0415

        return MacLauncher(own)
    from fkd_desktop.desktop_entry.linux import LinuxLauncher  # noqa: PLC0415

    return LinuxLauncher(own)
