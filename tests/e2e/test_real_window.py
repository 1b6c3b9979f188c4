"""A separate process with a real window on a virtual X server, operated from outside by keyboard."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.virtual_desktop import x_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool, which are not installed"
    ),
]


@pytest.fixture
def display():
    with x_server() as display:
        yield display


@pytest.fixture
def application(display, tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("QT_", "WAYLAND"))}
    environment |= {"DISPLAY": display, "XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "fkd_desktop", "--source", "demo"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.environment = environment
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def xdotool(application, *arguments):
    return subprocess.run(
        ["xdotool", *arguments], env=application.environment, capture_output=True, text=True, timeout=40, check=True
    ).stdout.strip()


def wait_for_window(application):
    return xdotool(application, "search", "--sync", "--onlyvisible", "--name", "^FKD Desktop$").splitlines()[0]


def test_a_window_comes_up_takes_keys_and_closes_within_two_seconds(application, tmp_path):
    window = wait_for_window(application)
    xdotool(application, "windowfocus", "--sync", window)
    xdotool(application, "key", "4")
    xdotool(application, "key", "m")
    settings = tmp_path / "fkd-desktop" / "settings.ini"
    xdotool(application, "key", "ctrl+q")
    start_s = time.monotonic()
    stdout, stderr = application.communicate(timeout=20)
    assert time.monotonic() - start_s < 2.5
    assert application.returncode == 0, stderr
    assert (stdout, stderr) == ("", "")
    text = settings.read_text()
    assert '[\\"sunglasses\\", 1.0]' in text and '[\\"keypoints\\", 1.0]' in text
    assert "mirrored=true" in text


def test_ctrl_c_in_the_terminal_ends_the_application(application):
    wait_for_window(application)
    application.send_signal(signal.SIGINT)
    _, stderr = application.communicate(timeout=10)
    assert application.returncode == 130
    assert "Traceback" not in stderr


@pytest.mark.parametrize("library", ["QtCore", "cv2.abi3", "QtWidgets"])
def test_ctrl_c_during_the_start_ends_it_without_a_word(application, library):
    """The moment is that at which the process has loaded a library."""
    maps = Path(f"/proc/{application.pid}/maps")
    while application.poll() is None and library not in maps.read_text():
        with contextlib.suppress(subprocess.TimeoutExpired):
            application.wait(0.005)
    application.send_signal(signal.SIGINT)
    _, stderr = application.communicate(timeout=10)
    assert application.returncode == 130
    assert stderr == ""
