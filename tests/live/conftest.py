"""Real weights, real frames, and helpers to make and judge sources."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import cv2
import pytest

from fkd_desktop.live.sources import camera as sources
from fkd_desktop.live.sources import cameras
from fkd_desktop.live.sources.cameras import CameraInfo
from tests.live.fake_linux import FakeLinux
from tests.live.helpers import FakeCapture
from trainer.core.engines.eager import PyTorchEngine
from trainer.core.engines.onnx_runtime import OnnxRuntimeEngine
from trainer.core.predictor import Predictor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np


@pytest.fixture(scope="session")
def predictor() -> Predictor:
    """Return the shipped network, on one core."""
    return Predictor.load(device="cpu")


@pytest.fixture
def network_calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect the batch size of every call of any network."""
    batches: list[int] = []

    def counted(compute: Callable[..., object]) -> Callable[..., object]:
        def count(engine: object, crops: np.ndarray) -> object:
            batches.append(len(crops))
            return compute(engine, crops)

        return count

    for kind in (OnnxRuntimeEngine, PyTorchEngine):
        monkeypatch.setattr(kind, "__call__", counted(kind.__call__))
    return batches


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeCapture], None]:
    """Make OpenCV answer with a fake for every camera, on a system where only opening one shows whether it is there."""

    def use(*captures: FakeCapture) -> None:
        left = list(captures)
        fake_cv2 = SimpleNamespace(**{name: getattr(cv2, name) for name in dir(cv2) if not name.startswith("__")})
        fake_cv2.VideoCapture = lambda *_: left.pop(0)
        monkeypatch.setattr(sources, "cv2", fake_cv2)
        monkeypatch.setattr(sources, "sys", SimpleNamespace(platform="win32"))
        monkeypatch.setattr(cameras, "list_cameras", lambda: (CameraInfo("", "Camera 0", 0),))

    return use


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeLinux:
    """Return a Linux machine without cameras: tests plug them in."""
    if not hasattr(os, "O_NONBLOCK"):
        pytest.skip("this system has no device nodes")
    monkeypatch.setattr(cameras, "_others", {})
    return FakeLinux(tmp_path / "machine", monkeypatch)
