"""Bringing a window to the front on behalf of a later start.

A desktop lets no program push itself before the one that the user works with. What shows that the user did ask is the
token that the desktop gave the later start: so this start uses it in its place.
"""

from __future__ import annotations

import logging
import os
import re
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from fkd_desktop.ui import x11

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

_log = logging.getLogger(__name__)

_WAYLAND_TOKEN: Final = "XDG_ACTIVATION_TOKEN"


def bring_to_front(window: QWidget, token: str = "") -> None:
    """Show a window, wherever it was hidden, above all others and with the keyboard's focus.

    Parameters
    ----------
    window
        A top-level window.
    token
        The later start's XDG_ACTIVATION_TOKEN (Wayland) or DESKTOP_STARTUP_ID (X11); empty where it had none.
    """
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    if token and QGuiApplication.platformName() == "wayland":
        os.environ[_WAYLAND_TOKEN] = token  # where Qt looks for it
    window.activateWindow()
    os.environ.pop(_WAYLAND_TOKEN, None)
    if token and QGuiApplication.platformName() == "xcb":
        try:
            x11.activate(int(window.winId()), time_ms=startup_time_ms(token), startup_id=token)
        except (OSError, AttributeError) as error:  # no libxcb to load, or no display: Qt has done what it can
            _log.warning("the start was not reported to the desktop: %s", error)


def startup_time_ms(startup_id: str) -> int:
    """Return when the user asked for a start, in the X server's time: what a startup identifier ends with; else 0."""
    found = re.search(r"_TIME(\d+)$", startup_id)
    return int(found.group(1)) & 0xFFFFFFFF if found else 0
