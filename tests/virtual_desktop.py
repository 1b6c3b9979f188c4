"""A virtual desktop of a user's own: an X server, a window manager, folders, and whatever is started there."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

TIMEOUT_S = 60


class Desktop:
    """An X server with a window manager, and a user's own folders."""

    def __init__(self, folder, display):
        self.folder = folder
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("QT_", "WAYLAND", "XDG_", "DESKTOP_"))}
        self.environment = {**kept, "DISPLAY": display, "HOME": str(folder), "LANG": "C.UTF-8"}
        for name in ("config", "data", "state", "cache", "runtime"):
            (folder / name).mkdir(mode=0o700)
            self.environment[f"XDG_{name.upper()}_{'DIR' if name == 'runtime' else 'HOME'}"] = str(folder / name)
        (folder / "config/jgmenu").mkdir()
        (folder / "config/jgmenu/jgmenurc").write_text("icon_theme = hicolor\n")
        self.started = []

    def begin(self, *command, stdout=os.devnull, **more):
        with Path(stdout).open("w") as out:
            process = subprocess.Popen(
                command,
                env={**self.environment, **more},
                cwd=self.folder,
                start_new_session=True,
                stdout=out,
                stderr=subprocess.DEVNULL,
            )
        self.started.append(process)
        return process

    def ask(self, *command):
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=True
        ).stdout.strip()

    def xdotool(self, *arguments):
        return self.ask("xdotool", *arguments)

    def window(self):
        """Wait for the application's window; return its X11 identifier."""
        return self.named("^FKD Desktop$")

    def named(self, pattern):
        """Wait for a window by its title; return its X11 identifier."""
        found = []

        def is_there():
            # Not with --sync: a window that goes while xdotool looks, as a toast, ends it.
            command = ["xdotool", "search", "--onlyvisible", "--name", pattern]
            done = subprocess.run(
                command, env=self.environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
            )
            found[:] = done.stdout.split()
            return bool(found)

        self.until(is_there, f"a window named {pattern}")
        return found[0]

    def comes(self, check, timeout_s):
        """Whether something becomes true in time."""
        deadline_s = time.monotonic() + timeout_s
        while not (is_true := check()) and time.monotonic() < deadline_s:
            time.sleep(0.05)
        return bool(is_true)

    def until(self, check, what):
        assert self.comes(check, TIMEOUT_S), f"in vain: {what}"

    def processes(self):
        """Return the numbers of all processes of this user's desktop that run the application."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                is_ours = b"fkd_desktop" in (path / "cmdline").read_bytes()
                if is_ours and f"HOME={self.folder}".encode() in (path / "environ").read_bytes().split(b"\0"):
                    found.append(int(path.name))
        return found

    def shows(self, path):
        """Whether the live session is on a file: what the application remembers of it."""
        settings = self.folder / "config/fkd-desktop/settings.ini"
        return settings.exists() and Path(path).name in settings.read_text(encoding="utf-8")

    def active(self):
        """Return the window with the focus, "" while there is none."""
        command = ["xdotool", "getactivewindow"]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        ).stdout.strip()

    def activate(self, window):
        """Give a window the focus as a taskbar does: again where it was not ready for it."""

        def is_active():
            if self.active() != window:
                with contextlib.suppress(subprocess.CalledProcessError):
                    self.xdotool("windowactivate", window)
            return self.active() == window

        is_there = self.comes(is_active, TIMEOUT_S)
        assert is_there, f"{window} has no focus, but {self.active()} of {stacking(self)}; {self.started} run"

    def close(self, window):
        self.activate(window)
        self.xdotool("key", "ctrl+q")
        self.until(lambda: not self.processes(), "the end of all processes")


def stacking(desktop):
    """Return the windows from the lowest to the topmost."""
    text = desktop.ask("xprop", "-root", "_NET_CLIENT_LIST_STACKING").partition("#")[2]
    return [int(number, 16) for number in text.split(",") if number.strip()]


@contextlib.contextmanager
def x_server(size="1280x1024"):
    """Run an X server; gives its display."""
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_end), "-screen", "0", f"{size}x24", "-nolisten", "tcp"],
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    try:
        with os.fdopen(read_end) as pipe:
            number = pipe.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(10)


@contextlib.contextmanager
def virtual_desktop(desktop):
    """Run a window manager on a desktop; ends all that was started there."""

    def is_managed():
        if not desktop.started or desktop.started[-1].poll() is not None:  # it gives up where the server is not ready
            desktop.begin("openbox")
        return "window id" in desktop.ask("xprop", "-root", "_NET_SUPPORTING_WM_CHECK")

    try:
        desktop.until(is_managed, "the window manager")
        yield desktop
    finally:
        for number in desktop.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        for process in desktop.started:
            process.kill()
            process.wait()
