"""The webcam of fake_v4l2.c: tests run a script of theirs with its driver, which a folder commands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

HERE: Final = Path(__file__).parent
COMPILER: Final = shutil.which("cc") or shutil.which("gcc")
LACKS: Final = (
    "only Linux has V4L2"
    if not sys.platform.startswith("linux")
    else "the driver is made by a C compiler from the kernel's headers, and this machine lacks one of them"
    if COMPILER is None or not Path("/usr/include/linux/videodev2.h").exists()
    else ""
)
"""Why there can be no such webcam here; empty if there can."""
RED: Final = (10, 20, 200)


class Webcam:
    """A webcam that is plugged in, red and well, until something else is said.

    Parameters
    ----------
    folder
        What the driver looks into; see fake_v4l2.c.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dev, self.sysfs = folder / "dev", folder / "sys"

    def make(self) -> None:
        """Build it."""
        for path in (self.dev, self.sysfs / "video42"):
            path.mkdir(parents=True)
        (self.sysfs / "video42" / "name").write_text("Fake webcam\n")
        (self.sysfs / "video42" / "index").write_text("0\n")
        for width, height in ((640, 480), (1280, 720)):
            self.send(jpeg(np.full((height, width, 3), RED, np.uint8)), width=width)
        assert COMPILER is not None
        driver = [COMPILER, "-shared", "-fPIC", "-o", self.folder / "driver.so", HERE / "fake_v4l2.c", "-ldl"]
        subprocess.run(driver, check=True)
        self.plug_in()

    def run(self, script: Path, *arguments: str, **environment: str) -> dict[str, Any]:
        """Run a script with the driver and more in its environment; return what it prints, as JSON."""
        environment |= {
            "LD_PRELOAD": str(self.folder / "driver.so"),
            "FAKE_V4L2": str(self.folder),
            "PYTHONPATH": str(HERE.parents[1]),
        }
        done = subprocess.run(
            [sys.executable, script, *arguments],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def plug_in(self) -> None:
        """Give it a node, which is never the one that it had before."""
        node = self.folder / "node"  # where the driver does not answer
        node.touch()
        node.rename(self.dev / "video42")
        (self.folder / "old").unlink(missing_ok=True)
        self.set("plugged")

    def unplug(self) -> None:
        """Take it away, with its node."""
        self.clear("plugged")
        (self.dev / "video42").rename(self.folder / "old")  # kept, so that its inode's number is not given again

    def set(self, fault: str, text: str = "") -> None:
        """Begin a fault: "busy", "denied", "stalled", "hung", "backwards", "rate", "slept"."""
        part = self.folder / f"{fault}.part"
        part.write_text(text)
        part.replace(self.folder / fault)

    def clear(self, *faults: str) -> None:
        """End faults."""
        for fault in faults:
            (self.folder / fault).unlink()

    def send(self, data: bytes, *, width: int = 640) -> None:
        """Have it send these bytes for each JPEG of a width."""
        part = self.folder / "jpeg.part"
        part.write_bytes(data)
        part.replace(self.folder / f"{width}.jpg")  # never half written where the driver reads it


def told_once(factory: pytest.TempPathFactory, name: str, tell: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """Return what a script tells of which many tests read: it is run once, however many processes the tests are in.

    Parameters
    ----------
    factory
        Whose folders all processes of one test run share.
    name
        Of the script, among others.
    tell
        Runs it in a folder of its own.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return tell(factory.mktemp(name))
    kept = factory.getbasetemp().parent / f"{name}.json"
    with FileLock(f"{kept}.lock"):
        if not kept.exists():
            kept.write_text(json.dumps(tell(factory.mktemp(name))))
    told: dict[str, Any] = json.loads(kept.read_text())
    return told


def jpeg(image: np.ndarray) -> bytes:
    """Encode a picture."""
    return bytes(cv2.imencode(".jpg", image)[1])


def damaged(picture: bytes) -> dict[str, bytes]:
    """Return what becomes of a JPEG on a bad cable, as long as nothing of it can be decoded."""
    noise = np.random.default_rng(11).integers(0, 256, 5000, np.uint8).tobytes()
    return {
        "empty": b"",
        "noise": noise,
        "zeros": bytes(5000),
        "only a header": picture[:200],
        "cut off": picture[: len(picture) // 2],
    }
