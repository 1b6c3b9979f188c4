"""Run by test_camera_faults.py in a process of its own, with a webcam's driver preloaded: a live session in all its
faults, one after the other. Prints what was told and what was left.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fkd_desktop.live import darkness, recovery, session
from fkd_desktop.live.sources import CameraSource, cameras
from tests.live.running import WAIT_S, Running
from tests.live.webcam import Webcam, damaged, jpeg
from trainer.core.predictor import Predictor
from trainer.core.resources import assets_dir

WARM_REPLUGS = 10
"""Only what grows after these is a leak."""


def belongings() -> dict[str, Any]:
    """What this process has of what may leak, after Python and the C library gave back what they can."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "megabytes": pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
    }


def replugs(webcam: Webcam, running: Running, times: int) -> dict[str, object]:
    webcam.set("rate", "240")
    told, took_s, before = [], [], belongings()
    for number in range(times):
        if number == WARM_REPLUGS:
            before = belongings()
        webcam.unplug()
        told += running.wait_for("LOST")
        start_s = time.perf_counter()
        webcam.plug_in()
        running.session.retry_now()  # as the list of cameras does when it hears of the new node
        told += running.wait_for("RESUMED")
        assert running.take().annotated
        took_s.append(time.perf_counter() - start_s)
    after = belongings()
    webcam.clear("rate")
    return {
        "told": sorted(set(told)),
        "times": told.count("RESUMED"),
        "median s": sorted(took_s)[times // 2],
        "before": before,
        "after": after,
    }


def stalls(webcam: Webcam, running: Running, fault: str) -> dict[str, object]:
    """Send nothing for `STALL_S` and longer, then go on."""
    webcam.set(fault)
    told = running.wait_for("STALLED")
    webcam.clear(fault)
    told += running.wait_for("RESUMED")
    running.take()
    return {"told": told}


def silence(webcam: Webcam, running: Running, fault: str) -> dict[str, object]:
    """Send nothing until it is opened anew."""
    webcam.set(fault)
    told = running.wait_for("RECONNECTING")
    sentence = running.sentence
    webcam.clear(fault)
    told += running.wait_for("RESUMED")
    running.take()
    return {"told": told, "sentence": sentence}


def damage(webcam: Webcam, running: Running, good: bytes) -> dict[str, object]:
    """Send some damaged pictures of each kind between whole ones, then nothing else any more."""
    found: dict[str, object] = {}
    for kind, data in damaged(good).items():
        running.take()
        dropped = running.session.dropped
        webcam.send(data)
        deadline_s = time.monotonic() + WAIT_S
        # The last whole ones, and until some were left out: a machine that has other work is slow to read them.
        while running.slot.take(timeout_s=0.15) is not None or running.session.dropped < dropped + 2:
            assert time.monotonic() < deadline_s, f"{kind} is shown"
        webcam.send(good)
        running.take()
        found[kind] = running.session.dropped - dropped
    CameraSource._DAMAGED_TO_LOSE = 20  # type: ignore[misc]
    webcam.send(damaged(good)["noise"])
    found["told"] = running.wait_for("RECONNECTING")
    found["sentence"] = running.sentence
    webcam.send(good)
    found["told then"] = running.wait_for("RESUMED")
    return found


def sizes(webcam: Webcam, running: Running, face: np.ndarray) -> dict[str, object]:
    """Change size, and colour to grey, in mid-stream."""
    faces = {}
    for name, image in {
        "larger": cv2.resize(face, (960, 720)),
        "smaller": cv2.resize(face, (320, 240)),
        "upright": face[:, 80:400],
        "grey": cv2.cvtColor(face, cv2.COLOR_BGR2GRAY),
        "tiny": face[:2, :2],
        "as before": face,
    }.items():
        webcam.send(jpeg(image))
        live = running.take_like((*image.shape[:2], 3))
        deadline_s = time.monotonic() + WAIT_S
        while len(live.result) == 0 and name != "tiny" and time.monotonic() < deadline_s:
            live = running.take()
        assert np.isfinite(live.result.keypoints_px).all()
        faces[name] = len(live.result)
    return {"faces": faces, "told": list(running.told)}


def times(webcam: Webcam, running: Running) -> dict[str, object]:
    """Let the driver's clock run backwards, and the wall clock jump by eight hours, as after sleep."""
    found: dict[str, object] = {}
    for fault, text in (("backwards", ""), ("slept", str(8 * 3600))):
        first, wall_s = running.take().result, time.time()
        webcam.set(fault, text)
        later = [running.take().result for _ in range(15)]
        found[f"{fault}: wall clock"] = time.time() - wall_s
        webcam.clear(fault)
        later += [running.take().result for _ in range(5)]
        steps_s = np.diff([result.timestamp_s for result in (first, *later)])
        found[fault] = [float(steps_s.min()), float(steps_s.max())]
        found[f"{fault}: faces"] = sorted({int(number) for result in (first, *later) for number in result.ids})
    found["told"] = list(running.told)
    return found


def rates(webcam: Webcam, running: Running) -> dict[str, object]:
    found: dict[str, object] = {}
    for rate in (5, 240):
        webcam.set("rate", str(rate))
        running.take()
        dropped, ids = running.session.dropped, set()
        start_s, frames = time.perf_counter(), 0
        while time.perf_counter() - start_s < 0.8:
            result = running.take().result
            frames += 1
            ids |= {int(number) for number in result.ids}
        found[str(rate)] = {
            "frames": (frames + running.session.dropped - dropped) / (time.perf_counter() - start_s),
            "faces": sorted(ids),
        }
        webcam.clear("rate")
    found["told"] = list(running.told)
    return found


def black(webcam: Webcam, running: Running, good: bytes) -> dict[str, object]:
    darkness.DARK_S = 0.5  # type: ignore[misc]
    webcam.send(jpeg(np.zeros((480, 640, 3), np.uint8)))
    told = running.wait_for("DARK")
    webcam.send(good)
    told += running.wait_for("LIGHT")
    return {"told": told}


def refusals(webcam: Webcam, running: Running) -> dict[str, object]:
    """Come back in the hands of another program, then forbidden, then free."""
    found: dict[str, object] = {}
    webcam.unplug()
    running.wait_for("RECONNECTING")
    found["absent"] = running.sentence
    for fault in ("busy", "denied"):
        webcam.set(fault)
        if fault == "busy":
            webcam.plug_in()
        else:
            webcam.clear("busy")
        running.wait_for(fault.upper())
        found[fault] = running.sentence
    webcam.clear("denied")
    running.wait_for("RESUMED")
    running.take()
    return found


def patience(webcam: Webcam, running: Running) -> dict[str, object]:
    """Send nothing for 10 s."""
    start_s = time.perf_counter()
    webcam.set("stalled")
    found = {"patient": running.wait_for("RECONNECTING")}
    threading.Event().wait(10 - (time.perf_counter() - start_s))
    webcam.clear("stalled")
    return {**found, "patient then": running.wait_for("RESUMED")}


def all_faults(webcam: Webcam, running: Running, face: np.ndarray) -> dict[str, object]:
    good = jpeg(face)
    told: dict[str, object] = {
        "damage": damage(webcam, running, good),
        "sizes": sizes(webcam, running, face),
        "times": times(webcam, running),
        "rates": rates(webcam, running),
        "dark": black(webcam, running, good),
        "refusals": refusals(webcam, running),
    }
    session.STALL_S = 0.3  # type: ignore[misc]  (from here on, only to be quicker)
    told |= {fault: stalls(webcam, running, fault) for fault in ("stalled", "hung")}
    session.GIVE_UP_S = 0.6  # type: ignore[misc]
    return told | {"silent": silence(webcam, running, "stalled"), "stuck": silence(webcam, running, "hung")}


def main(*wishes: str) -> dict[str, object]:
    webcam = Webcam(Path(os.environ["FAKE_V4L2"]))
    cameras.DEV, cameras.SYSFS = webcam.dev, webcam.sysfs  # type: ignore[misc]
    capture = cv2.VideoCapture(str(assets_dir() / "demo" / "demo.mp4"))
    face = cv2.resize(capture.read()[1], (640, 480))
    capture.release()
    webcam.send(jpeg(face))
    predictor = Predictor.load(device="cpu")
    threads = set(threading.enumerate())
    running = Running("camera:42?size=640x480&fps=30&format=MJPG", predictor)
    told: dict[str, object] = {"start": running.wait_for("OPENED")}
    if wishes == ("patient",):
        told |= patience(webcam, running)
    else:
        told["replugs"] = replugs(webcam, running, int(wishes[0].removeprefix("replugs=")))
        if "only" not in wishes:
            recovery.RETRY_S = (0.1,)  # type: ignore[misc]
            told |= all_faults(webcam, running, face)
    running.end()
    for thread in set(threading.enumerate()) - threads:
        thread.join(2)  # a reader that was left behind in a call ends when that returns
    told["left"] = sorted(thread.name for thread in set(threading.enumerate()) - threads)
    return told


if __name__ == "__main__":
    json.dump(main(*sys.argv[1:]), sys.stdout)
