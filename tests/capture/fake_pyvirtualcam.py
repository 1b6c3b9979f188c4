"""A stand-in for pyvirtualcam 0.15 with the part of its API that is used, as strict as the real one."""

from __future__ import annotations

import enum
import importlib.machinery
import sys
import threading
import types
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pytest


class PixelFormat(enum.Enum):
    RGB = "raw "
    BGR = "24BG"


class FakeModule(types.ModuleType):
    """The module, with what its cameras got."""

    PixelFormat = PixelFormat

    def __init__(self) -> None:
        super().__init__("pyvirtualcam")
        self.__spec__ = importlib.machinery.ModuleSpec("pyvirtualcam", None)
        self.cameras: list[Camera] = []
        self.refuse_with = ""
        self.fail_after: int | None = None
        self.fails_to_close = False
        module = self

        class Camera:
            def __init__(
                self, width, height, fps, *, fmt=PixelFormat.RGB, device=None, backend=None, print_fps=False, **kw
            ):
                if module.refuse_with:
                    raise RuntimeError(module.refuse_with)
                if any(camera.is_open for camera in module.cameras):
                    raise RuntimeError("'v4l2loopback' backend: Device /dev/video7 is already in use.")
                self.width, self.height, self.fps, self.fmt = width, height, fps, fmt
                self.device = device or "/dev/video7"
                self.frames: list[np.ndarray] = []
                self.is_open = True
                self.threads = {threading.current_thread()}
                module.cameras.append(self)

            def send(self, frame):
                assert self.is_open
                if frame.dtype != np.uint8:
                    raise TypeError(f"unexpected frame dtype: {frame.dtype} != uint8")
                if frame.shape != (self.height, self.width, 3):
                    raise ValueError(f"unexpected frame shape: {frame.shape}")
                if module.fail_after is not None and len(self.frames) >= module.fail_after:
                    raise RuntimeError("the device has gone")
                self.frames.append(frame.copy())
                self.threads.add(threading.current_thread())

            def close(self):
                self.is_open = False
                if module.fails_to_close:
                    raise RuntimeError("the device has gone")

        self.Camera = Camera


def install(monkeypatch: pytest.MonkeyPatch) -> FakeModule:
    """Make `import pyvirtualcam` find a fake one."""
    module = FakeModule()
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)
    return module


def uninstall(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `import pyvirtualcam` fail as where it is not installed."""
    monkeypatch.delitem(sys.modules, "pyvirtualcam", raising=False)
    real = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *args: None if name == "pyvirtualcam" else real(name))

    class Blocker:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == "pyvirtualcam":
                raise ModuleNotFoundError("No module named 'pyvirtualcam'", name=name)

    monkeypatch.setattr(sys, "meta_path", [Blocker, *sys.meta_path])
