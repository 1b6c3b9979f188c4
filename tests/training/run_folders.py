"""Run folders as the trainer leaves them, written without training."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from trainer import events
from trainer.config import TrainConfig
from trainer.core.checkpoint import save_checkpoint
from trainer.core.models import build_network
from trainer.run_folder import RunFolder

SHARE = 0.75


def write_run(
    root: Path,
    name: str,
    *nmes: float,
    at_s: float = 1_700_000_000.0,
    has_state: bool = False,
    last: events.Event | None = None,
    **settings: object,
) -> Path:
    """Write a run with an epoch of 90 s for each NME and, if there are any, a file that stands for weights."""
    run = RunFolder(root / name)
    run.draw_curves = lambda: None  # type: ignore[method-assign]
    config = TrainConfig(**{"epochs": max(1, len(nmes)), **settings})
    with run.locked():
        run.write_config(config)
        for number, nme in enumerate(nmes, start=1):
            run.add_metrics(events.EpochDone(number, 1.0, nme, 0.1, 0.5, 0.99, 90.0, nme == min(nmes[:number])))
        if nmes:
            (run.path / "best.safetensors").write_bytes(b"weights of " + name.encode())
        if has_state:
            run.write_state(b"state")
        if last is not None:
            run.record(last)
    os.utime(run.path / "config.json", (at_s, at_s))
    return run.path


def write_weights(path: Path, *, seed: int = 0, share: float = SHARE) -> Path:
    """Write random weights of `compact` whose run kept `share` of the drawn people aside."""
    torch.manual_seed(seed)
    info = {"config": {"validation_share": share, "seed": 1}}
    save_checkpoint(path, build_network("compact"), name="compact", info=info)
    return path
