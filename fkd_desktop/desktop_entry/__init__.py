"""The application's place in the start menu: made, judged and removed in each system's own way.

`make_launcher` gives the one for this system. Nothing here needs Qt or a display.
"""

from __future__ import annotations

from fkd_desktop.desktop_entry.launcher import (
    Launcher,
    LauncherError,
    LauncherState,
    Presence,
    describe_removed,
    describe_written,
)
from fkd_desktop.desktop_entry.systems import make_launcher

__all__ = [
    "Launcher",
    "LauncherError",
    "LauncherState",
    "Presence",
    "describe_removed",
    "describe_written",
    "make_launcher",
]
