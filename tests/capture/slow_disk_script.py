"""Keeps everything at once on the disk of slow_disk.c; prints what came of it, as JSON. Run by test_slow_disk.py."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QCoreApplication

from fkd_desktop.capture.controller import CaptureController
from fkd_desktop.live.export import EXPORT_FORMATS
from fkd_desktop.live.sinks import SinkSet
from fkd_desktop.workers.export_thread import ExportThread
from tests.capture.live_frames import live_frame

BEGIN_S = 1000.0
FRAMES = 300
"""Ten seconds of the camera."""


def main(folder: Path) -> dict[str, object]:
    """Let the session go on for ten seconds of which the disk takes nothing, then for a moment in which it does."""
    app = QCoreApplication([])
    rng = np.random.default_rng(0)
    sinks = SinkSet()
    noisy = live_frame(faces=1, captured_s=BEGIN_S)
    noisy.result.frame_bgr[:] = rng.integers(0, 255, noisy.result.frame_bgr.shape, dtype=np.uint8)
    capture = CaptureController(sinks=sinks, newest=lambda: noisy, layers=tuple, mirrored=lambda: False)
    capture.pictures_folder = capture.videos_folder = folder
    export = ExportThread(folder, "session", EXPORT_FORMATS)
    sinks.add(export)
    said: list[str] = []
    for signal in (capture.failed, export.failed):
        signal.connect(said.append)
    saved: list[object] = []
    for signal in (capture.picture_saved, capture.recording_saved, export.saved):
        signal.connect(saved.append)

    (folder / "hold").touch()
    capture.start_recording()
    export.start()
    capture.take_snapshot()
    for i in range(FRAMES):
        live = live_frame(faces=1, captured_s=BEGIN_S + i / 30)
        live.result.frame_bgr[:] = noisy.result.frame_bgr
        sinks.offer(replace(live, result=replace(live.result, timestamp_s=i / 30)))
        app.processEvents()
    capture.stop_recording()
    export.stop()
    app.processEvents()
    waited_for = len(saved)
    (folder / "hold").unlink()

    while len(saved) + len(said) < 3:
        app.processEvents()
    assert capture.shut_down() and export.wait(10_000)
    return {"saved while it was slow": waited_for, "said": said}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
