"""Real weights, real frames, and helpers to make and judge sources."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import torch

from fkd_desktop.live import source as sources
from tests.live.helpers import DemoFrame, FakeCapture
from trainer.core.models import KeypointNetwork
from trainer.core.predictor import Predictor
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def predictor() -> Predictor:
    """Return the shipped network, on one core."""
    torch.set_num_threads(1)
    return Predictor.load(device="cpu")


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
def network_calls() -> Iterator[list[int]]:
    """Collect the batch size of every forward pass of any network."""
    batches: list[int] = []

    def note(module: torch.nn.Module, arguments: tuple[torch.Tensor, ...], _output: object) -> None:
        if isinstance(module, KeypointNetwork):
            batches.append(len(arguments[0]))

    hook = torch.nn.modules.module.register_module_forward_hook(note)
    yield batches
    hook.remove()


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeCapture], None]:
    """Make OpenCV answer with a fake for every camera, on a system where only opening one shows whether it is there."""

    def use(*captures: FakeCapture) -> None:
        left = list(captures)
        fake_cv2 = SimpleNamespace(**{name: getattr(cv2, name) for name in dir(cv2) if not name.startswith("__")})
        fake_cv2.VideoCapture = lambda *_: left.pop(0)
        monkeypatch.setattr(sources, "cv2", fake_cv2)
        monkeypatch.setattr(sources, "sys", SimpleNamespace(platform="win32"))

    return use
