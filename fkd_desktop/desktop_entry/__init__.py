"""The application's place in the start menu: made, judged and removed in each system's own way.

`make_launcher` gives the one for this system. Nothing here needs Qt or a display.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fkd_desktop.desktop_entry.launcher import (
    Launcher,
    LauncherError,
    LauncherState,
    Presence,
    describe_removed,
    describe_written,
    make_launcher,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Launcher",
    "LauncherError",
    "LauncherState",
    "Presence",
    "describe_removed",
    "describe_written",
    "make_launcher",
    "share_files",
]


def share_files(command: Sequence[str]) -> dict[str, bytes]:
    """Return what a Linux package puts into ``/usr/share``, by name: see `fkd_desktop.desktop_entry.linux`."""
    from fkd_desktop.desktop_entry import linux  # noqa: PLC0415 (the window, which imports this package, needs none of it)

    return linux.share_files(command)
