"""What every test gets: an offscreen Qt, folders of its own, and no message box that nobody expected."""

from __future__ import annotations

import json
import os
import threading
import time
from typing import TYPE_CHECKING

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import fkd_desktop  # noqa: F401, I001 (sets OpenCV's environment before cv2 is imported)
import cv2
import pytest

from fkd_desktop.app import clear_opencv_qt_paths
from fkd_desktop.live.sources import registry as sources
from tests.drawn import csv_data, data_copy, drawn, edit_table, pts_data, tiny_data  # noqa: F401 (fixtures)
from tests.live.helpers import DemoFrame
from trainer.core.resources import assets_dir

clear_opencv_qt_paths()

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from PySide6.QtWidgets import QApplication

    from fkd_desktop.live.sources import FrameSource


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path_factory.mktemp("home")
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(home / name.lower()))


@pytest.fixture(scope="session")
def qapp(qapp: QApplication) -> QApplication:
    """Return pytest-qt's application; it speaks English, plural forms included."""
    from fkd_desktop.i18n import install_language

    install_language("en")
    return qapp


@pytest.fixture(autouse=True)
def _no_unexpected_message_box(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from PySide6.QtWidgets import QMessageBox

    shown: list[str] = []
    for name in ("critical", "warning", "information", "question"):
        monkeypatch.setattr(QMessageBox, name, lambda *args, **_: shown.append(str(args)))
    yield
    assert not shown, f"an unexpected message box was shown: {shown}"


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[str], FrameSource]], None]:
    """Add a kind of source to the real registry, for this test."""

    def add(scheme: str, factory: Callable[[str], FrameSource]) -> None:
        monkeypatch.setitem(sources._SCHEMES, scheme, factory)

    return add


@pytest.fixture
def threads_end() -> Iterator[None]:
    """Fail if a reader or capture thread is still there 2 s after the test."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 2
    left = [t for t in threading.enumerate() if t not in before and t.name.startswith(("frame-reader", "capture"))]
    for thread in left:
        thread.join(max(0.0, deadline - time.monotonic()))
    assert not [t.name for t in left if t.is_alive()]


@pytest.fixture(scope="session")
def short_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the first second of the demo clip, as a file of its own that ends."""
    import cv2

    from fkd_desktop.live.video_writer import VideoWriter
    from trainer.core.resources import assets_dir

    path = tmp_path_factory.mktemp("clip") / "short.mp4"
    capture = cv2.VideoCapture(str(assets_dir() / "demo" / "demo.mp4"))
    with VideoWriter(path) as writer:
        for number in range(30):
            writer.write(capture.read()[1], number / 30)
    capture.release()
    return path


@pytest.fixture(scope="session")
def demo() -> dict[int, DemoFrame]:
    """Return some frames of the demo clip with their faces, by number: one upright face, a tilted one, two faces."""
    truth = json.loads((assets_dir() / "demo" / "demo_truth.json").read_text(encoding="utf-8"))["frames"]
    wanted, frames = {0, 40, 240, 500}, {}
    capture = cv2.VideoCapture(str(assets_dir() / "demo" / "demo.mp4"))
    for number in range(max(wanted) + 1):
        image = capture.read()[1]
        if number in wanted:
            image.setflags(write=False)
            frames[number] = DemoFrame(image, truth[number])
    capture.release()
    return frames


@pytest.fixture(scope="session")
def portrait(demo: dict[int, DemoFrame]) -> np.ndarray:
    """Return 360 x 360 px around the clip's first face, whose box is 150 px wide and centred on (180, 178)."""
    return demo[0].image_bgr[40:400, 140:500]


@pytest.fixture
def is_one_sentence() -> Callable[[object], bool]:
    """Whether a message is fit for a user: one line, no traceback, no "error:" of a library in front."""

    def check(message: object) -> bool:
        text = str(message)
        return 20 < len(text) < 500 and os.linesep not in text and "\n" not in text and "Traceback" not in text

    return check
