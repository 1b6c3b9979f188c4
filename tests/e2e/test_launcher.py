"""From the start menu of a real desktop: a menu, a window manager, GLib's launcher, and the window that comes of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.virtual_desktop import TIMEOUT_S, Desktop, stacking, virtual_desktop, x_server
from trainer.core.resources import assets_dir

ROOT = str(Path(__file__).parents[2])
TOOLS = ("Xvfb", "xdotool", "xprop", "xev", "openbox")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}"),
]


@pytest.fixture
def desktop(tmp_path):
    with x_server() as display, virtual_desktop(Desktop(tmp_path, display)) as desktop:
        yield desktop


@pytest.fixture
def python(tmp_path):
    """Return this interpreter under a path that asks for quoting: all that Qt itself bears (no quotes, backslashes)."""
    odd = tmp_path / "it's 50 % & $HOME `x` a=b größe"
    odd.symlink_to(sys.prefix)
    return odd / Path(sys.executable).relative_to(sys.prefix)


def install(desktop, python=sys.executable):
    done = subprocess.run(
        [str(python), "-P", "-m", "fkd_desktop", "--install-launcher"],
        env=desktop.environment, cwd=desktop.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "finds FKD Desktop only in this folder" in done.stderr:
        pytest.skip("a checkout that is not installed cannot be started from a menu")
    assert done.stdout.startswith("FKD Desktop is in the start menu now"), done.stderr
    return desktop.folder / "data/applications/fkd-desktop.desktop"


def keys(entry):
    lines = entry.read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


@pytest.mark.skipif(shutil.which("jgmenu") is None, reason="needs jgmenu, a menu")
def test_a_menu_finds_it_and_starts_it(desktop):
    entry = install(desktop)
    desktop.xdotool("mousemove", "300", "200")
    for _ in range(3):  # keys that come before the menu has taken the keyboard are lost
        menu = desktop.begin("jgmenu", "--at-pointer", "--simple", "--csv-cmd=jgmenu_run apps")
        desktop.xdotool("search", "--sync", "--onlyvisible", "--class", "jgmenu")
        desktop.xdotool("type", "--delay", "50", "fkd")
        desktop.xdotool("key", "Return")
        if desktop.comes(desktop.processes, 10):
            break
        menu.kill()
    window = desktop.window()
    name = keys(entry)["StartupWMClass"]
    assert desktop.ask("xprop", "-id", window, "WM_CLASS") == f'WM_CLASS(STRING) = "{name}", "{name}"'
    desktop.close(window)


@pytest.mark.skipif(shutil.which("gio") is None, reason="needs gio, GLib's launcher")
def test_glib_starts_it_whatever_its_path_and_a_second_time_raises_it(desktop, python, tmp_path):
    clip = tmp_path / "ein Film, 100 %.mp4"
    clip.symlink_to(assets_dir() / "demo/demo.mp4")
    entry = install(desktop, python)
    desktop.begin("gio", "launch", str(entry), str(assets_dir() / "demo/demo.mp4"))
    window = desktop.window()
    icons = icons_bgra(desktop, window)
    assert icons
    for side, icon in icons.items():
        own = cv2.imread(str(assets_dir() / f"icons/fkd-desktop-{side}.png"), cv2.IMREAD_UNCHANGED)
        opaque = own[..., 3] == 255  # others were rounded on their way
        assert np.abs(icon.astype(int) - own)[opaque].max() <= 1, f"the icon of {side} px is another"
    other = cover(desktop)
    desktop.begin("gio", "launch", str(entry), str(clip))
    desktop.until(lambda: stacking(desktop)[-1] == int(window), "the window on top")
    desktop.until(lambda: desktop.active() == window, "the keyboard's focus")
    desktop.until(lambda: desktop.shows(clip), "the file in the first window")
    assert other in stacking(desktop)
    desktop.until(lambda: len(desktop.processes()) == 1, "the end of the second process")
    desktop.close(window)


def test_the_desktops_token_brings_it_up_and_ends_the_busy_pointer(desktop):
    """As menus start it: the token is the user's leave to take the focus."""
    spy = desktop.begin("xev", "-root", "-event", "property", stdout=desktop.folder / "messages")
    desktop.begin(sys.executable, "-m", "fkd_desktop", "--source", "demo", PYTHONPATH=ROOT)
    window = desktop.window()
    cover(desktop)
    desktop.xdotool("windowminimize", "--sync", window)
    token = "menu-1-host_TIME2000000000"
    later = desktop.begin(sys.executable, "-m", "fkd_desktop", DESKTOP_STARTUP_ID=token, PYTHONPATH=ROOT)
    assert later.wait(TIMEOUT_S) == 0
    desktop.until(lambda: desktop.active() == window, "the keyboard's focus")
    desktop.close(window)
    spy.terminate()
    spy.wait()
    assert "_NET_STARTUP_INFO_BEGIN" in (desktop.folder / "messages").read_text()


def cover(desktop):
    """Put another application's window over all, with the focus; return its X11 identifier."""
    code = (
        "from PySide6.QtWidgets import QApplication, QWidget; app = QApplication(['other']); w = QWidget(); "
        "w.setWindowTitle('the other one'); w.showMaximized(); app.exec()"
    )
    desktop.begin(sys.executable, "-c", code)
    window = desktop.named("^the other one$")
    desktop.activate(window)
    desktop.until(lambda: stacking(desktop)[-1] == int(window), "the other window on top")
    return int(window)


def icons_bgra(desktop, window):
    """Return the window's icons by their side in pixels: (S, S, 4) uint8."""
    form = ("-len", "10000000", "-f", "_NET_WM_ICON", "32c", "_NET_WM_ICON")  # whole, and as numbers
    text = desktop.ask("xprop", "-id", window, *form).partition("=")[2]
    numbers = np.array([int(number) for number in text.split(",")], np.uint32)
    found = {}
    while numbers.size:
        width, height = (int(side) for side in numbers[:2])
        end = 2 + width * height
        found[width] = numbers[2:end].astype("<u4").view(np.uint8).reshape(height, width, 4)
        numbers = numbers[end:]
    return found
