"""What the network's tests share beside the drawn faces of tests/drawn.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import pytest
import torch

from trainer import events
from trainer.config import TrainConfig
from trainer.core.checkpoint import save_checkpoint
from trainer.core.models import build_network
from trainer.loop import fit

SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "youtube_faces"


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Keep results the same on every machine, and leave its other cores alone."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


@pytest.fixture(scope="session")
def youtube_faces() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the YouTube Faces data set is not at {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture(scope="session")
def compact_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of the default network; never written to."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "compact.safetensors"
    save_checkpoint(path, build_network("compact"), name="compact")
    return path


@dataclass(frozen=True)
class TrainedRun:
    config: TrainConfig
    folder: Path
    told: list[events.Event]


@pytest.fixture(scope="session")
def trained_run(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """Three real epochs on the drawn faces; its folder is never written to."""
    out = tmp_path_factory.mktemp("runs") / "first"
    config = TrainConfig(data=str(tiny_data), out=str(out), epochs=3, batch_size=8, device="cpu", threads=1)
    told: list[events.Event] = []
    return TrainedRun(config, fit(config, on_event=told.append), told)
