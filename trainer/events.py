"""What a training run tells while it goes: frozen events, to and from JSON lines."""

from __future__ import annotations

import json
import math
import re
import string
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, NoReturn, get_args, get_type_hints

from trainer.core.text import Text, one_line


@dataclass(frozen=True)
class RunStarted:
    """A run has its data and is about to train; `epochs_done` says from where a resumed one goes on."""

    run: str
    network: str
    device: str
    epochs: int
    batches_per_epoch: int
    training_faces: int
    validation_faces: int
    epochs_done: int = 0


@dataclass(frozen=True)
class BatchDone:
    """A step was taken. Epochs and batches count from 1; the memory is the GPU's on CUDA, else the process's."""

    epoch: int
    batch: int
    loss: float
    images_per_s: float
    memory_bytes: int = 0


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
    """The run ended as planned, or was stopped and kept what it had.

    `epochs_done` counts the epochs that were judged, of which a stop may have cut the last one short. `best_nme_mean`
    is None when there was none, and then there are no weights. A discarded run left no folder.
    """

    run: str
    epochs_done: int
    best_nme_mean: float | None
    stopped: bool
    discarded: bool = False


@dataclass(frozen=True)
class Notice:
    """Something the user should know while the run goes on, in a sentence, which may be a `Text`."""

    message: str


@dataclass(frozen=True)
class RunFailed:
    """The run ended with an error; the message is one sentence for the user, which may be a `Text`."""

    message: str


Event = RunStarted | BatchDone | EpochDone | CheckpointSaved | RunFinished | Notice | RunFailed

_EVENT_TYPES: Final[dict[str, type[Any]]] = {
    kind.__name__: kind for kind in (RunStarted, BatchDone, EpochDone, CheckpointSaved, RunFinished, Notice, RunFailed)
}


_LONGEST_MESSAGE: Final = 1000
_MOST: Final = 2**63
"""No count is larger, and no measure: sums and products of what was read stay numbers."""
_TEMPLATE_FORMAT: Final = re.compile(r"[.,]?\d{0,2}[a-z%]?")

_FIELD_TYPES: Final = {name: get_type_hints(kind) for name, kind in _EVENT_TYPES.items()}


def to_json_line(event: Event) -> str:
    """Return an event as one line of JSON, without the line break."""
    content = {"event": type(event).__name__, **asdict(event)}
    message = getattr(event, "message", None)
    if isinstance(message, Text):  # for who shows it in another language
        content["said"] = _as_json(message)
    return json.dumps(content, allow_nan=False)


def from_json_line(line: str) -> Event:
    """Read what `to_json_line` wrote.

    Raises
    ------
    ValueError
        If the line is no event, or a field is not of its type.
    """
    try:
        fields = json.loads(line, parse_constant=_refuse_constant)
        name, said = fields.pop("event"), fields.pop("said", None)
        event: Event = _EVENT_TYPES[name](**fields)
        if not is_sound(event):
            raise TypeError("a field is not of its type")
        if isinstance(event, RunStarted) and not (event.epochs and event.batches_per_epoch):
            raise ValueError("a run without batches")
        if isinstance(event, Notice | RunFailed):
            event = replace(event, message=one_line(event.message, longest=_LONGEST_MESSAGE))
            if said is not None:
                event = replace(event, message=_text_from_json(said))
        return event
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a training event: {line[:200]!r}") from error


def _as_json(value: Any) -> Any:
    """Make JSON of a text, or of one of its values: numbers stay what they are, everything else is as it is said."""
    if isinstance(value, Text):
        return {"text": value.template, "values": {name: _as_json(one) for name, one in value.values.items()}}
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return str(value)
    return value


def _text_from_json(said: dict[str, Any]) -> Text:
    """Read what `_as_json` wrote of a text; `TypeError`, `KeyError` or `ValueError` where it is nothing of the kind."""
    values = {
        name: _text_from_json(value) if isinstance(value, dict) else value for name, value in said["values"].items()
    }
    template = one_line(said["text"], longest=_LONGEST_MESSAGE)
    for _, name, how, conversion in string.Formatter().parse(template):
        # Names only, and no width: a format can reach into objects, and ask for a line of gigabytes.
        if name is not None and not (name in values and _TEMPLATE_FORMAT.fullmatch(how or "") and conversion != "a"):
            raise TypeError(f"{template!r} is no text")
    return Text(template, **values)


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def is_sound(event: Event) -> bool:
    """Whether each field of an event that was read is of its type, and no number is beyond all measure."""
    return all(_fits(value, _FIELD_TYPES[type(event).__name__][name]) for name, value in vars(event).items())


def _fits(value: object, kind: Any) -> bool:
    kinds = get_args(kind) or (kind,)
    if isinstance(value, float) and not -_MOST < value < _MOST:  # 1e999, for one
        return False
    if isinstance(value, int) and not 0 <= value < _MOST:  # they all count something
        return False
    return type(value) in kinds or (type(value) is int and float in kinds)  # type(): True is an int to isinstance
