"""Training runs on disk, as whoever lists, compares or deletes them sees them. Torch-free.

`trainer.run_folder` writes what is read here.
"""

from __future__ import annotations

import csv
import os
import shutil
import uuid
from contextlib import suppress
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Any, Final

from trainer import events
from trainer.config import ConfigError, TrainConfig
from trainer.core.errors import FkdError

CONFIG: Final = "config.json"
METRICS: Final = "metrics.csv"
EVENTS: Final = "events.jsonl"
STATE: Final = "state.safetensors"
BEST: Final = "best.safetensors"
LAST: Final = "last.safetensors"
CURVES: Final = "curves.png"
SHEET: Final = "validation.png"
LOCK: Final = ".lock"
ALL_FILES: Final = (CONFIG, METRICS, EVENTS, STATE, BEST, LAST, CURVES, SHEET, LOCK)
_TAIL_BYTES: Final = 20_000
_COLUMNS: Final = {field.name for field in fields(events.EpochDone)}
"""Of the table of figures."""
_TRUTH: Final = {"True": True, "False": False}


class TrainingError(FkdError, RuntimeError):
    """Training cannot begin or go on; the message is one sentence for the user."""


class RunState(Enum):
    """How far a run came."""

    TRAINING = "training"
    FINISHED = "finished"
    STOPPED = "stopped"
    """By the user, or with its process: it can go on."""
    FAILED = "failed"
    """By an error that it could tell of; it can be tried again."""


@dataclass(frozen=True)
class RunSummary:
    """A run in one line.

    Attributes
    ----------
    path
        Its folder.
    config
        What it was asked to do.
    state
        How far it came.
    epochs
        What was measured after each epoch, in their order.
    started_s
        When it was started or last went on, in seconds since 1970.
    message
        Why it failed, in a sentence; else empty.
    """

    path: Path
    config: TrainConfig
    state: RunState
    epochs: tuple[events.EpochDone, ...]
    started_s: float
    message: str = ""

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def best(self) -> events.EpochDone | None:
        """The epoch with the lowest NME; None before there is one."""
        return min(self.epochs, key=lambda epoch: epoch.nme_mean, default=None)

    @property
    def seconds(self) -> float:
        """How long its epochs took together."""
        return sum(epoch.seconds for epoch in self.epochs)

    @property
    def weights(self) -> Path | None:
        """The best weights; None where there are none."""
        path = self.path / BEST
        return path if path.is_file() else None

    @property
    def can_resume(self) -> bool:
        """Whether something is left to do."""
        return self.state in (RunState.STOPPED, RunState.FAILED) and len(self.epochs) <= self.config.epochs


def list_runs(root: Path) -> list[RunSummary]:
    """Return the runs in a folder, the latest first. What is no run, or cannot be read, is left out."""
    runs = []
    with suppress(OSError):
        for path in root.iterdir():
            with suppress(TrainingError):
                runs.append(summarise(path))
    return sorted(runs, key=lambda run: run.started_s, reverse=True)


def summarise(path: Path) -> RunSummary:
    """Read a run's folder.

    Raises
    ------
    TrainingError
        If there is no run, or its configuration cannot be read.
    """
    config = read_config(path)
    told = tuple(_epoch(row) for row in read_metrics(path))
    last = _last_event(path / EVENTS)
    message = ""
    if is_training(path):
        state = RunState.TRAINING
    elif isinstance(last, events.RunFailed):
        state, message = RunState.FAILED, last.message
    elif not (path / STATE).is_file() and told and told[-1].epoch >= config.epochs and _is_an_end(last):
        state = RunState.FINISHED
    else:
        state = RunState.STOPPED
    with suppress(OSError):
        return RunSummary(path, config, state, told, (path / CONFIG).stat().st_mtime, message)
    raise TrainingError("the run in {path} was deleted; refresh the list", path=path)


def has_ended(path: Path) -> bool:
    """Whether a run has told of its end; also if nothing that it told is there any more."""
    return _is_an_end(_last_event(path / EVENTS))


def is_free(path: Path) -> bool:
    """Whether a new run may go there: nothing is there, or what is left of one that was killed before it began."""
    try:
        names = {file.name for file in path.iterdir()}
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return LOCK in names and all(name == LOCK or name.startswith(f".{CONFIG}.") for name in names)


def is_training(path: Path) -> bool:
    """Whether a process is training in a folder now."""
    if not (path / LOCK).is_file():
        return False
    from filelock import FileLock, Timeout  # noqa: PLC0415 (slow to import, and seldom needed)

    try:
        with FileLock(path / LOCK, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # read-only: nobody trains there
        return False


def delete_run(path: Path) -> None:
    """Delete everything that a run wrote, and the folder if nothing else is in it.

    Raises
    ------
    TrainingError
        If it is training, or the files cannot be deleted.
    """
    if is_training(path):
        raise TrainingError("the run {name} is training; stop it before you delete it", name=path.name)
    try:
        remove_files(path)
    except OSError as error:
        raise TrainingError(
            "{path} cannot be deleted ({reason}); check who may write there", path=path, reason=error.strerror
        ) from error


def remove_files(path: Path) -> None:
    """Do what `delete_run` does, without a look at who trains.

    Raises
    ------
    OSError
        If a file cannot be deleted.
    """
    remove_half_written(path)
    for name in reversed(ALL_FILES):  # the configuration last: what could not be deleted stays in the list
        (path / name).unlink(missing_ok=True)
    if path.is_dir() and not any(path.iterdir()):
        path.rmdir()


def remove_half_written(path: Path) -> None:
    """Delete what a process left that was killed within `trainer.core.files.write_atomically`."""
    for name in ALL_FILES:
        for half in path.glob(f".{name}." + 32 * "[0-9a-f]"):
            half.unlink(missing_ok=True)


def copy_weights(source: Path, target: Path) -> None:
    """Copy a weights file so that a crash or a full disk leaves the old target, or none, never half of the new one.

    Raises
    ------
    TrainingError
        If both are the same file, the source is gone, or the target cannot be written.
    """
    if not source.is_file():
        raise TrainingError("the weights {source} are gone; refresh the list of runs", source=source)
    half = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        if target.exists() and target.samefile(source):
            raise TrainingError(
                "{name} is the file that is to be saved; choose another name or folder", name=target.name
            )
        try:
            shutil.copyfile(source, half)  # not in one piece: weights may have gigabytes
            with half.open("rb+") as file:
                os.fsync(file.fileno())
            half.replace(target)
        finally:
            half.unlink(missing_ok=True)
    except OSError as error:
        raise TrainingError(
            "{target} could not be written ({reason}); choose another folder, or free some space",
            target=target,
            reason=error.strerror,
        ) from error


def read_config(folder: Path) -> TrainConfig:
    """Return the configuration of the run in a folder.

    Raises
    ------
    TrainingError
        If there is no run, or its configuration cannot be read.
    """
    path = folder / CONFIG
    try:
        if not path.is_file():  # a pipe would be waited for
            raise FileNotFoundError(path)
        return TrainConfig.from_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise TrainingError(
            "there is no run in {folder} (no {file}); choose a folder that training wrote",
            folder=folder,
            file=CONFIG,
        ) from error
    except (OSError, UnicodeDecodeError, ConfigError) as error:
        raise TrainingError(
            "{path} cannot be used ({error}); train into a new folder", path=path, error=error
        ) from error


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of a run's table of figures; none where it is not there or damaged."""
    path = folder / METRICS
    try:
        if not path.is_file():
            return []
        with path.open(newline="", encoding="utf-8") as file:
            return [row for row in csv.DictReader(file) if _is_epoch(row)]
    except (OSError, UnicodeDecodeError, csv.Error):
        return []  # a table of figures is no reason to lose a run


def _is_epoch(row: dict[str, Any]) -> bool:
    try:
        return set(row) == _COLUMNS and events.is_sound(_epoch(row))
    except (KeyError, TypeError, ValueError):
        return False


def _epoch(row: dict[str, Any]) -> events.EpochDone:
    measures = {name: float(row[name]) for name in _COLUMNS - {"epoch", "is_best"}}
    return events.EpochDone(epoch=int(row["epoch"]), is_best=_TRUTH[row["is_best"]], **measures)


def _is_an_end(last: events.Event | None) -> bool:
    return last is None or isinstance(last, events.RunFinished)


def _last_event(path: Path) -> events.Event | None:
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
            lines = file.read().splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        with suppress(ValueError):
            return events.from_json_line(line.decode("utf-8", errors="replace"))
    return None
