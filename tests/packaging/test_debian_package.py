"""The Debian package as users meet it: installed, started from the menu, trained in, used, removed.

Run before a release, as root, on a machine where the package may be installed and purged again::

    FKD_PACKAGE=dist/fkd-desktop_0.1.0_amd64.deb python start.py test tests/packaging -s

``FKD_PACKAGE=build`` makes the package first. FKD_SCREENSHOTS names a folder that keeps the pictures; look at them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from fkd_desktop.desktop_entry.words import COMPONENT_ID
from tests.live.webcam import LACKS, Webcam, jpeg
from tests.packaging.faces import write_faces
from tests.virtual_desktop import Desktop, virtual_desktop, x_server

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = os.environ.get("FKD_PACKAGE", "")
TOOLS = ("dpkg", "apt-get", "Xvfb", "openbox", "jgmenu", "xdotool", "import", "desktop-file-validate", "appstreamcli")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
HOME = Path("/usr/lib/fkd-desktop")
TRACES = ("/usr", "/etc", "/opt", "/var/lib", "/var/cache")
EPOCHS, START, USE = ("817", "115"), ("1060", "757"), ("92", "755")
"""Where to click in the trainer's window of 1120 x 780, from its left upper corner."""
JAW_POINTS = 17
PLUGGED_IN = """
cd "$0"
mkdir class real
cp -r sys class/video4linux
mount --bind class /sys/class
mount --rbind /dev real
mount -t tmpfs none /dev
for name in null zero full random urandom tty; do touch "/dev/$name"; mount --bind "real/$name" "/dev/$name"; done
mkdir -m 1777 /dev/shm
cp dev/video42 /dev
cd
export FAKE_V4L2="$0" LD_PRELOAD="$0/driver.so"
exec fkd-desktop --source camera:42
"""
"""Start it where the folder of a fake webcam, $0, is seen as the system's devices; by nobody else."""
DOT_PX = (4, 150)
"""The least and the most pixels of a keypoint; a button in the same blue has thousands."""

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

    def trains(self):
        """Whether the trainer's own process is there."""
        return any(b"fkd-train" in Path(f"/proc/{number}/cmdline").read_bytes() for number in self.processes())

    def click(self, window, place, *more):
        self.xdotool("windowactivate", "--sync", window)
        self.xdotool("mousemove", "--window", window, *place, "click", *(more or ("1",)))

    def patiently(self, *command):
        """Run a command that may take minutes; return what it prints."""
        return subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=600, check=True
        ).stdout


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
    """Install it with what it depends on; purge it in the end, and see that no trace is left."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    assert shutil.which("fkd-desktop") is None, (
        "it is installed already: purge it first, so that its traces can be told"
    )
    before = traces()
    subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", package], check=True, env=environment)
    yield
    subprocess.run(["dpkg", "--purge", "fkd-desktop"], check=True)
    left = traces() - before
    assert not left, f"the package is purged, and this is left of it: {left}"
    assert shutil.which("fkd-desktop") is None
    assert "fkd" not in read(Path("/usr/share/applications/mimeinfo.cache"))


@pytest.fixture
def desktop(tmp_path):
    with x_server("1600x1200") as display:
        desktop = PackagedDesktop(tmp_path, display)
        for name in ("PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH"):
            desktop.environment.pop(name, None)
        with virtual_desktop(desktop):
            yield desktop


def traces():
    """Return all paths of this system that bear the application's name, but what dpkg remembers of a removed one."""
    command = ["find", *TRACES, "-xdev", "(", "-iname", "*fkd[-_]*", "-o", "-ipath", "*/fkd-desktop/*", ")"]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return {path for path in found if not path.startswith("/usr/share/doc-base")}


def test_its_files_are_valid(installed, desktop):
    share = Path("/usr/share")
    desktop.ask("desktop-file-validate", str(share / "applications/fkd-desktop.desktop"))
    desktop.ask("appstreamcli", "validate", "--no-net", str(share / f"metainfo/{COMPONENT_ID}.metainfo.xml"))
    for name in ("fkd-desktop", "fkd-annotate", "fkd-train"):
        assert name in desktop.ask("man", "-P", "cat", "-l", str(share / f"man/man1/{name}.1.gz"))
    assert (share / "doc/fkd-desktop/copyright").stat().st_size > 1000


@pytest.mark.skipif(shutil.which("lintian") is None, reason="needs lintian")
def test_lintian_has_nothing_to_say(package, desktop):
    said = desktop.patiently("lintian", "--allow-root", "--fail-on", "none", "--no-cfg", str(package))
    assert not said, said


def test_its_commands_work(installed, desktop, tmp_path):
    faces, run = write_faces(tmp_path / "Gesichter & mehr", people=4, pictures=2), tmp_path / "run"
    desktop.patiently("fkd-train", "train", "--data", str(faces), "--out", str(run), "--epochs", "1", "--device", "cpu")
    for kind, checks in (("onnx", 2), ("torchscript", 1)):
        said = desktop.patiently("fkd-train", "export", "--weights", str(run / "best.safetensors"), "--format", kind)
        assert said.count("the same as the network") == checks, said
    clip = HOME / "_internal/fkd_assets/demo/demo.mp4"
    desktop.patiently("fkd-annotate", str(clip), "--out", str(tmp_path / "film"))
    assert any((tmp_path / "film").rglob("*.mp4"))


def test_from_the_menu_to_weights_of_ones_own(installed, desktop, tmp_path):
    faces = write_faces(tmp_path / "Gesichter & mehr")
    settings = desktop.folder / "config/fkd-desktop/settings.ini"
    settings.parent.mkdir()
    settings.write_text(f"[source]\nname=demo\n[training]\ndata={faces}\n", encoding="utf-8")
    desktop.xdotool("mousemove", "300", "200")
    desktop.begin("jgmenu", "--at-pointer", "--simple", "--csv-cmd=jgmenu_run apps")
    desktop.xdotool("search", "--sync", "--onlyvisible", "--class", "jgmenu")
    desktop.xdotool("type", "--delay", "50", "fkd")
    desktop.picture("1-menu")
    desktop.xdotool("key", "Return")
    window = desktop.window()
    desktop.until(lambda: dots(desktop.picture("2-annotated")) > JAW_POINTS // 2, "keypoints on the picture")

    desktop.xdotool("windowactivate", "--sync", window, "key", "ctrl+t")
    trainer = desktop.named("Trainer")
    desktop.until(lambda: shows_faces(desktop), "data that can be trained on")
    desktop.click(trainer, EPOCHS, "--repeat", "3", "1")
    desktop.xdotool("key", "ctrl+a", "type", "2")
    desktop.picture("3-trainer")
    desktop.click(trainer, START)
    runs = desktop.folder / "data/fkd-desktop/runs"
    desktop.until(lambda: ended(runs), "the end of the run")
    desktop.picture("4-trained")
    desktop.until(lambda: not desktop.trains(), "the end of the trainer's process")
    (run,) = runs.iterdir()
    assert len((run / "metrics.csv").read_text(encoding="utf-8").splitlines()) == 3  # a head and two epochs
    desktop.xdotool("windowactivate", "--sync", trainer, "key", "alt+c")
    desktop.until(lambda: uses(desktop, trainer, settings, run), "the new weights in use")
    log = desktop.folder / "state/fkd-desktop/log/fkd-desktop.log"
    desktop.until(lambda: read(log).count("the compact network is computed by") == 2, "the new network")
    desktop.activate(window)
    desktop.until(lambda: dots(desktop.picture("5-in-use")) < JAW_POINTS // 2, "no face by two epochs")
    desktop.xdotool("key", "ctrl+q")
    desktop.until(lambda: not desktop.processes(), "the end of all processes")
    assert (run / "best.safetensors").exists()  # the user's own stays
    assert "Traceback" not in read(log) and "No module named" not in read(log), read(log)


@pytest.mark.skipif(bool(LACKS), reason=LACKS)
def test_a_camera_a_recording_and_the_manual_in_german(installed, desktop, tmp_path):
    webcam = Webcam(tmp_path / "webcam")
    webcam.make()
    clip = cv2.VideoCapture(str(HOME / "_internal/fkd_assets/demo/demo.mp4"))
    picture = cv2.resize(clip.read()[1], (960, 720))
    webcam.send(jpeg(cv2.copyMakeBorder(picture, 0, 0, 160, 160, cv2.BORDER_REPLICATE)), width=1280)
    clip.release()
    desktop.begin("unshare", "-m", "sh", "-ec", PLUGGED_IN, str(webcam.folder), LANG="de_DE.UTF-8", LANGUAGE="de")
    window = desktop.window()
    desktop.until(lambda: dots(desktop.picture("6-camera")) > JAW_POINTS // 2, "keypoints on the camera's picture")
    desktop.activate(window)
    desktop.xdotool("key", "ctrl+r")
    desktop.until(lambda: list(desktop.folder.rglob("*.mp4*")), "a film")
    desktop.comes(lambda: False, 2)  # seconds of it
    desktop.picture("7-recording")
    desktop.xdotool("key", "ctrl+r")
    desktop.until(lambda: any(map(length, desktop.folder.rglob("*.mp4"))), "a finished film")
    desktop.activate(window)
    desktop.xdotool("key", "F1")
    desktop.activate(desktop.named("Handbuch"))
    desktop.comes(lambda: False, 1)  # in which its pictures are read
    desktop.picture("8-manual")
    desktop.close(window)
    log = read(desktop.folder / "state/fkd-desktop/log/fkd-desktop.log")
    assert "Traceback" not in log and "No module named" not in log, log


def test_the_build_puts_itself_into_the_menu_and_leaves_nothing_there(installed, desktop):
    def share():
        return sorted((desktop.folder / "data").rglob("*"))

    before = share()
    assert desktop.ask("fkd-desktop", "--install-launcher").startswith("FKD Desktop is in the start menu now")
    entry = desktop.folder / "data/applications/fkd-desktop.desktop"
    desktop.ask("desktop-file-validate", str(entry))
    assert f"\nExec={HOME}/fkd-desktop %F\n" in read(entry)
    assert "already" in desktop.ask("fkd-desktop", "--install-launcher")
    assert desktop.ask("fkd-desktop", "--remove-launcher") == "FKD Desktop is no longer in the start menu."
    assert share() == before


def length(path):
    """Return the number of a film's frames; 0 where it cannot be read."""
    film = cv2.VideoCapture(str(path))
    return int(film.get(cv2.CAP_PROP_FRAME_COUNT))


def shows_faces(desktop):
    """Whether thumbnails of faces with blue keypoints are in the trainer: the check of the data is done."""
    return keypoints(desktop.picture("3-data")) > 3000


def ended(runs):
    return any('"RunFinished"' in text for text in map(read, runs.glob("*/events.jsonl")))


def read(path):
    return path.read_text(encoding="utf-8")


def uses(desktop, trainer, settings, run):
    """Click "Use these weights now", which may come late, until they are remembered as the session's."""
    desktop.click(trainer, USE)
    return f"{run.name}/best.safetensors" in read(settings)


def keypoints(picture):
    """Count the pixels in the blue of the jaw's and the thumbnails' keypoints."""
    return int(is_blue(picture).sum())


def dots(picture):
    """Count the spots of that blue that are as small as a keypoint."""
    _, _, facts, _ = cv2.connectedComponentsWithStats(is_blue(picture).astype("uint8"))
    areas = facts[1:, cv2.CC_STAT_AREA]  # the first is all the rest
    return int(((areas >= DOT_PX[0]) & (areas <= DOT_PX[1])).sum())


def is_blue(picture):
    blue, green, red = (picture[..., channel].astype(int) for channel in range(3))
    return (blue > 180) & (green > 150) & (red < 110)
