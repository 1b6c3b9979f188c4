"""OpenCV's own V4L2 code and ours with a webcam's driver, which a library plays that is preloaded into a process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

HERE = Path(__file__).parent
COMPILER = shutil.which("cc") or shutil.which("gcc")

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has V4L2"),
    pytest.mark.skipif(
        COMPILER is None or not Path("/usr/include/linux/videodev2.h").exists(),
        reason="the driver is made by a C compiler from the kernel's headers, and this machine lacks one of them",
    ),
]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("v4l2")
    for path in ("dev", "sys/video42"):
        (folder / path).mkdir(parents=True)
    for path in ("plugged", "dev/video42", "node"):
        (folder / path).touch()
    (folder / "sys/video42/name").write_text("Fake webcam\n")
    (folder / "sys/video42/index").write_text("0\n")
    for width, height in ((640, 480), (1280, 720)):
        image = np.full((height, width, 3), (10, 20, 200), np.uint8)
        (folder / f"{width}.jpg").write_bytes(cv2.imencode(".jpg", image)[1].tobytes())
    driver = folder / "driver.so"
    assert COMPILER is not None
    subprocess.run([COMPILER, "-shared", "-fPIC", "-o", driver, HERE / "fake_v4l2.c", "-ldl"], check=True)
    done = subprocess.run(
        [sys.executable, HERE / "opencv_camera_script.py"],
        env={**os.environ, "LD_PRELOAD": str(driver), "FAKE_V4L2": str(folder), "PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_name_and_modes(told: dict[str, Any]) -> None:
    assert told["name"] == "Fake webcam"
    assert told["modes"] == [[1280, 720, 30, "MJPG"], [1280, 720, 10, "YUYV"], [640, 480, 30, "YUYV"]]


def test_automatic_is_compressed_and_quick(told: dict[str, Any]) -> None:
    automatic = told["automatic"]
    assert automatic["mode"] == [1280, 720, 30, "MJPG"]
    assert automatic["shape"] == [720, 1280, 3]
    assert np.abs(np.array(automatic["colour"]) - (10, 20, 200)).max() < 4


@pytest.mark.parametrize(
    ("step", "mode"), [("uncompressed", [1280, 720, 10, "YUYV"]), ("small", [640, 480, 30, "YUYV"])]
)
def test_a_mode_that_is_wished_for(told: dict[str, Any], step: str, mode: list[Any]) -> None:
    assert told[step]["mode"] == mode
    assert told[step]["shape"] == [mode[1], mode[0], 3]
    assert told[step]["rate"] < 1.1 * mode[2]


@pytest.mark.parametrize(("step", "problem"), [("busy", "BUSY"), ("unplugged", "LOST"), ("missing", "MISSING")])
def test_what_is_wrong_is_known_at_once(told: dict[str, Any], step: str, problem: str) -> None:
    assert told[step][0] == problem
    assert told[step][1] < 1.5


def test_it_comes_back(told: dict[str, Any]) -> None:
    assert told["back"]["mode"] == told["automatic"]["mode"]
