"""What a training run tells while it goes: frozen events, to and from JSON lines."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Final


@dataclass(frozen=True)
class RunStarted:
    """A run has its data and is about to train."""

    run: str
    network: str
    device: str
    epochs: int
    batches_per_epoch: int
    training_faces: int
    validation_faces: int


@dataclass(frozen=True)
class BatchDone:
    """A step was taken. Epochs and batches count from 1."""

    epoch: int
    batch: int
    loss: float
    images_per_s: float


@dataclass(frozen=True)
class EpochDone:
    """An epoch was trained and judged on the validation identities; NME and rates as fractions."""

    epoch: int
    training_loss: float
    nme_mean: float
    failure_rate: float
    auc: float
    face_accuracy: float
    seconds: float
    is_best: bool


@dataclass(frozen=True)
class CheckpointSaved:
    """Weights were written."""

    path: str
    epoch: int


@dataclass(frozen=True)
class RunFinished:
    """The run ended as planned, or was stopped and kept what it had."""

    run: str
    epochs_done: int
    best_nme_mean: float
    stopped: bool


@dataclass(frozen=True)
class RunFailed:
    """The run ended with an error; the message is one sentence for the user."""

    message: str


Event = RunStarted | BatchDone | EpochDone | CheckpointSaved | RunFinished | RunFailed

_EVENT_TYPES: Final[dict[str, type[Any]]] = {
    kind.__name__: kind for kind in (RunStarted, BatchDone, EpochDone, CheckpointSaved, RunFinished, RunFailed)
}


def to_json_line(event: Event) -> str:
    """Return an event as one line of JSON, without the line break."""
    return json.dumps({"event": type(event).__name__, **asdict(event)})


def from_json_line(line: str) -> Event:
    """Read what `to_json_line` wrote.

    Raises
    ------
    ValueError
        If the line is no event.
    """
    try:
        fields = json.loads(line)
        kind = _EVENT_TYPES[fields.pop("event")]
        return kind(**fields)  # type: ignore[no-any-return]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a training event: {line[:200]!r}") from error
