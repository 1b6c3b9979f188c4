"""Run by test_camera_opencv.py in a process of its own, with a driver preloaded: prints what our camera source did."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import fkd_desktop  # noqa: F401 (sets OpenCV's environment)
from fkd_desktop.errors import SourceError
from fkd_desktop.live.sources import cameras, make_source
from tests.live.webcam import Webcam

webcam = Webcam(Path(os.environ["FAKE_V4L2"]))
cameras.DEV, cameras.SYSFS = webcam.dev, webcam.sysfs  # type: ignore[misc]
told: dict[str, object] = {}


def problem_of(name: str, step: str) -> None:
    started_s = time.perf_counter()
    source = make_source(name)
    try:
        source.open()
        while source.read() is not None:
            pass
    except SourceError as error:
        told[step] = [error.problem.name, time.perf_counter() - started_s]
    finally:
        source.close()


def pictures_of(name: str, step: str) -> None:
    source = make_source(name)
    source.open()
    frames = [source.read() for _ in range(6)]
    assert all(frames)
    first, *_, last = [frame for frame in frames if frame]
    mode = source.mode
    assert mode is not None
    told[step] = {
        "mode": [mode.width, mode.height, mode.frames_per_s, mode.fourcc],
        "shape": last.image_bgr.shape,
        "colour": last.image_bgr[5, 5].tolist(),
        "rate": 5 / (last.timestamp_s - first.timestamp_s),
    }
    source.close()


(camera,) = cameras.list_cameras()
told["name"] = camera.name
told["modes"] = [[mode.width, mode.height, mode.frames_per_s, mode.fourcc] for mode in camera.modes]
name = camera.source_name()
pictures_of(name, "automatic")
pictures_of(camera.source_name(camera.modes[1]), "uncompressed")
pictures_of("camera:42?size=640x480&fps=30", "small")

webcam.set("busy")
problem_of(name, "busy")
webcam.clear("busy")
webcam.set("denied")
problem_of(name, "denied")
webcam.clear("denied")

source = make_source(name)
source.open()
source.read()
webcam.unplug()
started_s = time.perf_counter()
try:
    while source.read() is not None:
        pass
except SourceError as error:
    told["unplugged"] = [error.problem.name, time.perf_counter() - started_s]
problem_of("camera:42", "missing")

webcam.plug_in()
pictures_of(name, "back")
json.dump(told, sys.stdout)
