"""One training run on several processes, as `torchrun` starts them; alone without it."""

from __future__ import annotations

import os
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import distributed
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor, nn
    from torch.distributed.distributed_c10d import Store

TIMEOUT: Final = timedelta(minutes=10)
"""How long a process waits for the others before it gives up."""
GREETING: Final = timedelta(seconds=2)


@dataclass(frozen=True)
class Team:
    """The processes of a run.

    Attributes
    ----------
    rank, size
        This process's number, and how many there are.
    """

    rank: int = 0
    size: int = 1

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

    def total(self, value: Tensor) -> Tensor:
        """Add up a () tensor over all processes, without waiting for a GPU."""
        if self.size == 1:
            return value
        total = value.to(torch.float32, copy=True)
        distributed.all_reduce(total)
        return total

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


def is_leader() -> bool:
    """Tell whether this process is the first of its team, or alone; known before it has joined."""
    return not is_distributed() or os.environ["RANK"] == "0"


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
    shared, rank, size = next(rendezvous("env://", timeout=TIMEOUT))
    backend = "nccl" if device.type == "cuda" else "gloo"
    store = _own_store(shared, rank, size)
    distributed.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=TIMEOUT)
    try:
        yield Team(rank, size)
    finally:
        distributed.destroy_process_group()


def _own_store(shared: Store, rank: int, size: int) -> Store:
    """Return a store that only the processes of this start see.

    That of `torchrun` outlives a restart, and the addresses that dead processes left in it mislead the new ones: they
    wait for each other for ever (https://github.com/pytorch/pytorch/issues/135712). So the first process names the
    start, and greets each of the others that has got the name right.
    """
    if rank == 0:
        start = uuid.uuid4().hex
        shared.set("start", start)
        for other in range(1, size):
            token = shared.get(f"{start}/hello/{other}").decode()
            shared.set(f"{start}/welcome/{token}", "")
        return PrefixStore(start, shared)
    token, deadline_s = uuid.uuid4().hex, time.monotonic() + TIMEOUT.total_seconds()
    while True:
        start = shared.get("start").decode()
        shared.set(f"{start}/hello/{rank}", token)
        try:
            shared.wait([f"{start}/welcome/{token}"], GREETING)
        except distributed.DistStoreError:  # the name was an earlier start's
            if time.monotonic() > deadline_s:
                raise
        else:
            return PrefixStore(start, shared)
