"""Networks that cost nothing, and what tests ask of runs and of the trainer in a process of its own.

Run as a script it is the trainer's command line, with the networks of this file for `simple` and `two_conv`, and
without pictures of a run.
"""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import psutil
import pytest
import torch
from torch import nn
from torch.nn import functional

from trainer import events, loop, plots
from trainer.core import models
from trainer.core.checkpoint import load_checkpoint
from trainer.core.models import InputSpec, KeypointNetwork, NetworkOutput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 60


class Tiny(KeypointNetwork):
    """One layer on a picture of 8 x 8, without a say on faces: its results do not depend on how a batch is divided."""

    input_spec = InputSpec(size_px=32, crop_per_box=1.4)
    loss_unit = 1 / 32
    most_crops: ClassVar[int] = 10**9
    """More at once do not fit into the memory."""

    def __init__(self) -> None:
        super().__init__()
        self.points = nn.Linear(64, 136)

    def forward(self, crops: torch.Tensor) -> NetworkOutput:
        if len(crops) > self.most_crops:
            raise torch.OutOfMemoryError(f"tried to allocate {len(crops)} crops")
        return NetworkOutput(self.points(self._seen(crops)).view(-1, 68, 2) / 10 + 0.5, None)

    @staticmethod
    def _seen(crops: torch.Tensor) -> torch.Tensor:
        return functional.avg_pool2d(crops, 4).flatten(1) - 0.5


class TinyTeller(Tiny):
    """The same, and it tells faces from others."""

    def __init__(self) -> None:
        super().__init__()
        self.face = nn.Linear(64, 1)

    def forward(self, crops: torch.Tensor) -> NetworkOutput:
        return super().forward(crops)._replace(face_logit=self.face(self._seen(crops))[:, 0])


def of_type(told: list[events.Event], kind: type) -> list[Any]:
    return [event for event in told if isinstance(event, kind)]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def weights_of(folder: Path, name: str = "last.safetensors") -> dict[str, torch.Tensor]:
    return load_checkpoint(folder / name).network.state_dict()


def are_equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    """Whether two networks' weights are the same bit for bit."""
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def go_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `simple` and `two_conv` be networks that cost nothing, and draw no pictures: they take longer than that."""
    monkeypatch.setitem(models.NETWORKS, "simple", Tiny)
    monkeypatch.setitem(models.NETWORKS, "two_conv", TinyTeller)
    monkeypatch.setattr(plots, "write_curves", lambda *_: None)
    monkeypatch.setattr(loop, "validation_sheet", lambda *_: np.zeros((1, 1, 3), np.uint8))


def only_failure(event: events.Event) -> None:
    """An `on_event` for a run that must not begin."""
    assert isinstance(event, events.RunFailed), event


def wait_for_end(process: psutil.Process, *, timeout_s: float = TIMEOUT_S) -> None:
    """Wait until a process has ended that is nobody's child any more: one that nobody has buried yet counts.

    Raises
    ------
    TimeoutError
        If it goes on for longer.
    """
    deadline_s = time.monotonic() + timeout_s
    with suppress(psutil.NoSuchProcess):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"process {process.pid} goes on")
            time.sleep(0.02)


@contextmanager
def small_disk() -> Iterator[Callable[[int], None]]:
    """Give a function after which files cannot grow beyond some bytes: writing more fails half-way, as on a full disk.

    It ends with the `with`, and must not last longer: pytest's own output may go to a file.
    """
    resource = pytest.importorskip("resource", reason="limits the size of files by a POSIX call")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class Stop:
    """A `should_stop` that says yes once it was asked `after` times since training began.

    It is asked before each batch, and once between two epochs.
    """

    def __init__(self, after: int) -> None:
        self.told: list[events.Event] = []
        self._left = after

    def on_event(self, event: events.Event) -> None:
        self.told.append(event)

    def __call__(self) -> bool:
        if not of_type(self.told, events.RunStarted):
            return False
        self._left -= 1
        return self._left < 0


class Child:
    """The trainer in a process of its own, telling JSON lines; killed at the end of a `with` if it still runs."""

    def __init__(self, *arguments: object, tiny: bool = True, launcher: tuple[str, ...] = ()) -> None:
        trainer = [str(Path(__file__))] if tiny else ["-m", "trainer"]
        self._launches_others = bool(launcher)
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", *launcher, *trainer, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            cwd=ROOT,
            env=environment(),
        )
        self.told: list[events.Event] = []
        self.lines: list[str] = []
        """What it printed beside events."""
        self.errors = ""
        self._queue: queue.Queue[str | None] = queue.Queue()
        self._readers = [
            threading.Thread(target=self._read_output, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        if self._launches_others and self.process.poll() is None:  # killed, it would leave them behind
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(TIMEOUT_S)
        self.process.kill()
        self.process.wait(TIMEOUT_S)
        for reader in self._readers:
            reader.join(TIMEOUT_S)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()

    def _read_output(self) -> None:
        for line in self.process.stdout:
            self._queue.put(line)
        self._queue.put(None)

    def _read_errors(self) -> None:
        self.errors = self.process.stderr.read()

    def wait_for(self, kind: type, *, count: int = 1) -> list[events.Event]:
        """Wait until it has told `count` events of a kind from now; return those from now."""
        start = len(self.told)
        while len(of_type(self.told[start:], kind)) < count:
            assert self._take(), f"it ended before {count} {kind.__name__}: {self.told[-3:]} {self.errors}"
        return self.told[start:]

    def _take(self) -> bool:
        line = self._queue.get(timeout=TIMEOUT_S)
        if line is None:
            return False
        try:
            self.told.append(events.from_json_line(line))
        except ValueError:
            self.lines.append(line)
        return True

    def say(self, line: str) -> None:
        """Give it a command."""
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def wait(self) -> int:
        """Wait for its end; return its exit code."""
        while self._take():
            pass
        code = self.process.wait(TIMEOUT_S)
        for reader in self._readers:
            reader.join(TIMEOUT_S)
        return code


def environment() -> dict[str, str]:
    """What a trainer in a process of its own sees: this source tree, and one thread a process."""
    import os

    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


if __name__ == "__main__":
    from trainer.cli import main

    go_tiny(pytest.MonkeyPatch())
    sys.exit(main())
