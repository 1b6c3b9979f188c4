"""Pictures of what helps: the welcome of the first start, and the manual's window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import screenshots_live as live
from shooting import load_network, new_window, rest, shoot

from fkd_desktop.ui.manual import ManualWindow, read_pages

if TYPE_CHECKING:
    from pathlib import Path


def shoot_help(home: Path) -> None:
    """Take them; the manual's needs what docs/build_manual.py makes."""
    window = new_window(home, "keypoints")
    load_network(window)
    live.open_camera(window)
    window.welcome.greet()
    shoot(window, "welcome")
    window.welcome.panel.next_button.click()
    window.overlays.stack.set_on("hat", True)
    shoot(window, "welcome-overlays")
    window.leave()
    manual = ManualWindow(read_pages())
    manual.show()
    manual.show_page("troubleshooting")
    rest(1.0)
    shoot(manual, "manual", rest_s=1.0)
    manual.close()
