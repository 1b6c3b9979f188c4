"""The training run of this application: starts it, follows it, ends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from trainer import events

if TYPE_CHECKING:
    from trainer.config import TrainConfig


class TrainingState(Enum):
    """What the run is doing, or how the last one ended."""

    IDLE = auto()
    """There was none yet."""
    STARTING = auto()
    """The process starts and reads the data."""
    TRAINING = auto()
    STOPPING = auto()
    """It was asked to stop and keeps what it has."""
    CANCELLING = auto()
    FINISHED = auto()
    STOPPED = auto()
    """Before its end; it can go on."""
    CANCELLED = auto()
    """Nothing is left of it."""
    FAILED = auto()

    @property
    def is_active(self) -> bool:
        """Whether a process is at work."""
        return self in (
            TrainingState.STARTING,
            TrainingState.TRAINING,
            TrainingState.STOPPING,
            TrainingState.CANCELLING,
        )


@dataclass(frozen=True)
class Failure:
    """Why a run ended with an error.

    Attributes
    ----------
    message
        One sentence for the user.
    last_lines
        The last lines that the process wrote, as a developer wants them.
    log_path
        All of them.
    """

    message: str
    last_lines: tuple[str, ...]
    log_path: Path


@dataclass
class RunRecord:
    """Everything that a run has told.

    Attributes
    ----------
    config
        What it was asked to do.
    folder
        Its run folder.
    """

    config: TrainConfig
    folder: Path
    started: events.RunStarted | None = None
    started_s: float = 0.0
    """`time.monotonic` when `started` came."""
    batch: events.BatchDone | None = None
    epochs: list[events.EpochDone] = field(default_factory=list)
    """In their order; a resumed run's begin with those it had before."""
    notices: list[str] = field(default_factory=list)
    finished: events.RunFinished | None = None
    failure: Failure | None = None

    @property
    def best(self) -> events.EpochDone | None:
        """The epoch with the lowest NME; None before there is one."""
        return min(self.epochs, key=lambda epoch: epoch.nme_mean, default=None)


class TrainingController(QObject):
    """Runs the trainer as a child process, one run at a time. Lives in the GUI thread and never blocks it."""

    state_changed = Signal(object)
    """`TrainingState`."""
    event_received = Signal(object)
    """A `trainer.events.Event`; `record` has it already."""

    def __init__(self) -> None:
        super().__init__()
        self.state = TrainingState.IDLE
        self.record: RunRecord | None = None

    def start(self, config: TrainConfig) -> None:
        """Start a run."""
        raise NotImplementedError

    def resume(self, folder: Path) -> None:
        """Go on with a run."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ask the run to end after the batch under way and keep what it has."""
        raise NotImplementedError

    def cancel(self) -> None:
        """Ask the run to end and remove everything it wrote."""
        raise NotImplementedError
