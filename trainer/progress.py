"""Where a run is, and how old the state on disk is that it could go on from."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Final, Self

from trainer.runs import TrainingError

LARGE: Final = 256e6  # bytes
BYTES_PER_S: Final = 200e6
MOST: Final = 10**9  # epochs, batches or faces
TIME_SHARE: Final = 0.1
"""A large state is not written after each epoch, but so often that it takes about this share of the time."""


@dataclass
class Progress:
    """Where a run is: what must be kept, beside the learner's state, to go on."""

    epoch: int = 1
    batch: int = 0  # done in that epoch
    loss_sum: float = 0.0  # of those
    best_nme: float = math.inf
    faces: int = 0  # to train on: others would be another run

    def __post_init__(self) -> None:
        """Check what may come from a file.

        Raises
        ------
        ValueError
            For what no run can be at.
        """
        least = ((self.epoch, 1), (self.batch, 0), (self.faces, 0))
        if any(type(count) is not int or not first <= count < MOST for count, first in least):
            raise ValueError(f"{self} is no place in a run")
        if type(self.loss_sum) is not float or type(self.best_nme) is not float or math.isnan(self.best_nme):
            raise ValueError(f"{self} tells no figures of a run")

    def add(self, losses: list[float], learning_rate: float) -> float:
        """Add the losses of the last batches; return the very last.

        Raises
        ------
        TrainingError
            For a loss that is no number.
        """
        for batch, loss in enumerate(losses, self.batch - len(losses) + 1):
            if not math.isfinite(loss):
                raise TrainingError(
                    "the loss became {loss} in batch {batch} of epoch {epoch}; try a learning "
                    "rate below {learning_rate:g}; the best weights so far are kept",
                    loss=loss,
                    batch=batch,
                    epoch=self.epoch,
                    learning_rate=learning_rate,
                )
            self.loss_sum += loss
        return losses[-1] if losses else math.nan


@dataclass(frozen=True)
class KeptState:
    """The state on disk; at a run's beginning, where none is needed, that.

    Attributes
    ----------
    epoch, batch
        Where the run was.
    written_s
        When it was written, on `time.perf_counter`.
    """

    epoch: int = 1
    batch: int = 0
    written_s: float = field(default_factory=time.perf_counter)

    @classmethod
    def of(cls, progress: Progress) -> Self:
        """Return what is on disk when a state of that progress was written just now."""
        return cls(progress.epoch, progress.batch)

    def is_of(self, progress: Progress) -> bool:
        """Whether nothing has been learned since."""
        return (self.epoch, self.batch) == (progress.epoch, progress.batch)

    def is_old_enough(self, size: int) -> bool:
        """Whether to write a new one of `size` bytes takes little of the time that a crash would cost without it."""
        return size < LARGE or time.perf_counter() - self.written_s > size / BYTES_PER_S / TIME_SHARE
