"""How to start this installation from anywhere."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

from fkd_desktop import APP_ID
from fkd_desktop.desktop_entry.launcher import LauncherError
from fkd_desktop.installation import FROM_MENU


def start_command() -> tuple[str, ...]:
    """Return the program and arguments that start this installation, whatever the current folder is.

    The interpreter itself is started, not the `fkd-desktop` script beside it: scripts have the interpreter's path in
    their first line, which is cut off or split by some systems where it is long or has blanks. ``-P`` keeps the
    current folder out of the module search path: a start menu starts programs in the user's home, and a file
    ``random.py`` there must not take the place of the library's. ``--from-menu`` has what goes wrong said in windows.

    Raises
    ------
    LauncherError
        If the interpreter would not find the application from elsewhere.
    """
    if getattr(sys, "frozen", False):
        return (sys.executable,)
    try:
        importlib.metadata.distribution(APP_ID)
    except importlib.metadata.PackageNotFoundError:
        raise LauncherError(
            "{python} finds FKD Desktop only in this folder, so a start menu could not start it; start it with "
            "start.py, or install it with pip",
            python=sys.executable,
        ) from None
    return (str(_windowed(Path(sys.executable))), "-P", "-m", "fkd_desktop", FROM_MENU)


def _windowed(python: Path) -> Path:
    """Return the interpreter that opens no console window beside the application's (Windows has one of its own)."""
    windowed = python.with_name("pythonw.exe")
    return windowed if python.name.lower() == "python.exe" and windowed.exists() else python
