"""OpenCV's own V4L2 code and ours with a webcam's driver, which a library plays that is preloaded into a process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.live.webcam import HERE, LACKS, RED, Webcam

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.skipif(bool(LACKS), reason=LACKS)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    webcam = Webcam(tmp_path_factory.mktemp("v4l2"))
    webcam.make()
    return webcam.run(HERE / "opencv_camera_script.py")


def test_name_and_modes(told: dict[str, Any]) -> None:
    assert told["name"] == "Fake webcam"
    assert told["modes"] == [[1280, 720, 30, "MJPG"], [1280, 720, 10, "YUYV"], [640, 480, 30, "YUYV"]]


def test_automatic_is_compressed_and_quick(told: dict[str, Any]) -> None:
    automatic = told["automatic"]
    assert automatic["mode"] == [1280, 720, 30, "MJPG"]
    assert automatic["shape"] == [720, 1280, 3]
    assert np.abs(np.array(automatic["colour"]) - RED).max() < 4


@pytest.mark.parametrize(
    ("step", "mode"), [("uncompressed", [1280, 720, 10, "YUYV"]), ("small", [640, 480, 30, "YUYV"])]
)
def test_a_mode_that_is_wished_for(told: dict[str, Any], step: str, mode: list[Any]) -> None:
    assert told[step]["mode"] == mode
    assert told[step]["shape"] == [mode[1], mode[0], 3]
    assert told[step]["rate"] < 1.1 * mode[2]


@pytest.mark.parametrize(
    ("step", "problem"), [("busy", "BUSY"), ("denied", "DENIED"), ("unplugged", "LOST"), ("missing", "MISSING")]
)
def test_what_is_wrong_is_known_at_once(told: dict[str, Any], step: str, problem: str) -> None:
    assert told[step][0] == problem
    assert told[step][1] < 1.5


def test_it_comes_back(told: dict[str, Any]) -> None:
    assert told["back"]["mode"] == told["automatic"]["mode"]
