"""The Debian package as users meet it: installed, started from the menu, trained in, used, removed.

Run before a release, as root, on a machine where the package may be installed and purged again::

    FKD_PACKAGE=dist/fkd-desktop_0.1.0_amd64.deb python start.py test tests/packaging -s

``FKD_PACKAGE=build`` makes the package first. FKD_SCREENSHOTS names a folder that keeps the pictures; look at them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest

from tests.e2e.test_launcher import Desktop
from tests.packaging.faces import write_faces

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = os.environ.get("FKD_PACKAGE", "")
TOOLS = ("dpkg", "apt-get", "Xvfb", "openbox", "jgmenu", "xdotool", "import", "desktop-file-validate", "appstreamcli")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
HOME = Path("/usr/lib/fkd-desktop")
TRACES = ("/usr", "/etc", "/opt", "/var/lib")
START_BUTTON = (-90, -40)
"""Where the button is, from the trainer window's right lower corner."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not PACKAGE, reason="installs a system package: only with FKD_PACKAGE=PATH.deb or =build"),
    pytest.mark.skipif(bool(PACKAGE and MISSING), reason=f"needs {', '.join(MISSING)}"),
]


class PackagedDesktop(Desktop):
    """A desktop whose processes are those of the package."""

    def processes(self):
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (path / "exe").resolve().is_relative_to(HOME):
                    found.append(int(path.name))
        return found

    def picture(self, name):
        """Take a picture of the whole screen."""
        folder = Path(os.environ.get("FKD_SCREENSHOTS", self.folder))
        folder.mkdir(parents=True, exist_ok=True)
        self.ask("import", "-window", "root", str(folder / f"{name}.png"))
        return cv2.imread(str(folder / f"{name}.png"))

    def geometry(self, window):
        """Return x, y, width, height of a window on the screen."""
        lines = self.xdotool("getwindowgeometry", "--shell", window).splitlines()
        said = dict(line.split("=") for line in lines)
        return tuple(int(said[key]) for key in ("X", "Y", "WIDTH", "HEIGHT"))

    def named(self, name):
        """Wait for a window of the application by its title; return its X11 identifier."""
        return self.xdotool("search", "--sync", "--onlyvisible", "--name", name).splitlines()[0]

    def click(self, x, y):
        self.xdotool("mousemove", str(x), str(y), "click", "1")


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    if PACKAGE != "build":
        return Path(PACKAGE).resolve()
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, ROOT / "packaging/build.py", "--deb", "--out", out]
    subprocess.run(command, check=True)
    (path,) = out.glob("*.deb")
    return path


@pytest.fixture(scope="module")
def installed(package):
    """Install it with what it depends on; purge it in the end."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    before = traces()
    subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", package], check=True, env=environment)
    yield before
    if shutil.which("fkd-desktop"):
        subprocess.run(["dpkg", "--purge", "fkd-desktop"], check=False)


@pytest.fixture
def desktop(tmp_path):
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
        pass_fds=[write_end],
    )
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        display = f":{pipe.readline().strip()}"
    desktop = PackagedDesktop(tmp_path, display)
    for name in ("PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH"):
        desktop.environment.pop(name, None)
    try:
        desktop.begin("openbox")
        desktop.until(
            lambda: "not found" not in desktop.ask("xprop", "-root", "_NET_SUPPORTING_WM_CHECK"), "the window manager"
        )
        yield desktop
    finally:
        for number in desktop.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        for process in desktop.started:
            process.kill()
            process.wait()
        server.terminate()
        server.wait(10)


def traces():
    """Return all paths of this system that bear the application's name, but what dpkg remembers of a removed one."""
    command = ["find", *TRACES, "-xdev", "(", "-iname", "*fkd[-_]*", "-o", "-ipath", "*/fkd-desktop/*", ")"]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return {path for path in found if not path.startswith("/usr/share/doc-base")}


def colours(picture):
    """Count the pixels of a picture that are painted in the keypoints' or overlays' full colours."""
    spread = picture.max(axis=2).astype(int) - picture.min(axis=2)
    return int((spread > 110).sum())


def test_the_package_lives_its_life(installed, desktop, tmp_path):
    share = Path("/usr/share")
    desktop.ask("desktop-file-validate", str(share / "applications/fkd-desktop.desktop"))
    desktop.ask("appstreamcli", "validate", "--no-net", str(share / "metainfo/fkd-desktop.metainfo.xml"))

    # Its commands, and all that they import: two epochs, both exports with their checks, a film
    faces = write_faces(tmp_path / "Gesichter & mehr")
    run = tmp_path / "run"
    desktop.ask("fkd-train", "check", str(faces))
    desktop.patiently("fkd-train", "train", "--data", str(faces), "--out", str(run), "--epochs", "1", "--device", "cpu")
    for kind in ("onnx", "torchscript"):
        said = desktop.patiently("fkd-train", "export", "--weights", str(run / "best.safetensors"), "--format", kind)
        assert said.count("the same as the network") == {"onnx": 2, "torchscript": 1}[kind], said
    desktop.patiently("fkd-annotate", str(HOME / "_internal/fkd_assets/demo/demo.mp4"), "--out", str(tmp_path / "film"))
    assert any((tmp_path / "film").rglob("*.mp4"))

    # From the menu
    settings = desktop.folder / "config/fkd-desktop/settings.ini"
    settings.parent.mkdir()
    settings.write_text(f"[session]\nsource=demo\n[training]\ndata={faces}\n", encoding="utf-8")
    desktop.xdotool("mousemove", "300", "200")
    desktop.begin("jgmenu", "--at-pointer", "--simple", "--csv-cmd=jgmenu_run apps")
    desktop.xdotool("search", "--sync", "--onlyvisible", "--class", "jgmenu")
    desktop.xdotool("type", "--delay", "50", "fkd")
    desktop.picture("1-menu")
    desktop.xdotool("key", "Return")
    window = desktop.window()
    desktop.xdotool("windowactivate", "--sync", window, "key", "ctrl+d")
    desktop.until(lambda: colours(desktop.picture("2-annotated")) > 2000, "an annotated picture")

    # Two epochs in the trainer
    desktop.xdotool("windowactivate", "--sync", window, "key", "ctrl+t")
    trainer = desktop.named("Training")
    desktop.picture("3-trainer")
    assert trainer


def test_it_is_gone(installed):
    subprocess.run(["dpkg", "--purge", "fkd-desktop"], check=True)
    left = traces() - installed
    assert not left, left
    assert shutil.which("fkd-desktop") is None
