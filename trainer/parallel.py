"""One training run on several processes, as `torchrun` starts them; alone without it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import nn

TIMEOUT: Final = timedelta(minutes=10)
"""How long a process waits for the others before it gives up."""


@dataclass(frozen=True)
class Team:
    """The processes of a run.

    Attributes
    ----------
    rank, size
        This process's number, and how many there are.
    restarts
        How often `torchrun` has started the team anew after a process died.
    """

    rank: int = 0
    size: int = 1
    restarts: int = 0

    @property
    def is_leader(self) -> bool:
        """Whether this process writes the run folder and tells the events."""
        return self.rank == 0

    def sum(self, values: NDArray[np.float64], device: torch.device) -> NDArray[np.float64]:
        """Add up an array of the same shape over all processes."""
        if self.size == 1:
            return values
        # float32: MPS and some backends know no other; the values are losses, flags and errors of a face.
        total = torch.from_numpy(values.astype(np.float32)).to(device)
        distributed.all_reduce(total)
        return total.cpu().numpy().astype(np.float64)

    def from_leader(self, content: bytes | None, device: torch.device) -> bytes:
        """Give every process what the leader has; the others' `content` does not matter."""
        if self.size == 1:
            return content or b""
        length = torch.tensor([len(content or b"") if self.is_leader else 0], device=device)
        distributed.broadcast(length, src=0)
        buffer = torch.zeros(int(length), dtype=torch.uint8, device=device)
        if self.is_leader and content:
            buffer = torch.from_numpy(np.frombuffer(content, np.uint8).copy()).to(device)
        distributed.broadcast(buffer, src=0)
        return buffer.cpu().numpy().tobytes()

    def wrap(self, network: nn.Module, device: torch.device) -> nn.Module:
        """Return the module whose backward pass averages gradients over the team; the network itself when alone."""
        if self.size == 1:
            return network
        ids = [device.index] if device.type == "cuda" else None
        return DistributedDataParallel(network, device_ids=ids)


ALONE: Final = Team()


def is_distributed() -> bool:
    """Tell whether `torchrun` started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ and "RANK" in os.environ


def local_device(device: torch.device) -> torch.device:
    """Return this process's own GPU where the run is on CUDA, else the device as it is."""
    if device.type == "cuda" and is_distributed():
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return device


@contextmanager
def joined_team(device: torch.device) -> Iterator[Team]:
    """Join the processes that `torchrun` started, for the time of a run; `ALONE` without it."""
    if not is_distributed():
        yield ALONE
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=TIMEOUT)
    try:
        yield Team(
            distributed.get_rank(),
            distributed.get_world_size(),
            int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")),
        )
    finally:
        distributed.destroy_process_group()
