"""What a training run leaves on disk, so written that a crash at any moment loses at most the epoch under way.

Of networks with gigabytes of state (see `trainer.progress`), a few minutes.
"""

from __future__ import annotations

import csv
import errno
import io
import os
import time
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from filelock import FileLock, Timeout

from trainer import events, plots
from trainer.config import TrainConfig
from trainer.contact_sheet import write_png
from trainer.core.checkpoint import save_checkpoint
from trainer.core.files import link_or_copy, replacing, write_atomically
from trainer.runs import (
    ALL_FILES,
    CONFIG,
    CURVES,
    EVENTS,
    LOCK,
    METRICS,
    SHEET,
    STATE,
    TrainingError,
    read_metrics,
    remove_files,
    remove_half_written,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from trainer.core.models import KeypointNetwork

CURVES_EVERY_S: Final = 20.0
LOCK_PATIENCE_S: Final = 1.0
"""Who only looks whether somebody trains (`trainer.runs.is_training`) holds the lock for a moment."""
NO_SPACE: Final = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


def dated_folder() -> Path:
    """Return where a run goes that was given no place: what the clock says, also when it has said that before."""
    name = f"{datetime.now():%Y-%m-%d-%H%M%S}"
    names = (name, *(f"{name}-{number}" for number in range(2, 100)))
    return next((path for path in map(Path("runs").joinpath, names) if not path.exists()), Path("runs") / name)


class RunFolder:
    """A run's folder: config.json, metrics.csv, events.jsonl, best and last weights, resume state and two pictures.

    Parameters
    ----------
    path
        The folder; made by `locked`, or there already for a run that goes on.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(path / LOCK, timeout=0)
        self._rows: list[dict[str, Any]] = []
        self._curves_drawn_s = -CURVES_EVERY_S

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out of the folder, which is made if it is not there, and tidy up after one that died.

        Raises
        ------
        TrainingError
            If the folder cannot be made or written, or another process trains in it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=LOCK_PATIENCE_S)
        except Timeout as error:
            raise TrainingError(
                "another process is training in {path}; wait until it has ended, or choose another --out",
                path=self.path,
            ) from error
        except OSError as error:
            raise self._unfit(error) from error
        try:
            try:
                remove_half_written(self.path)
                added_to = self.path / EVENTS
                if added_to.is_symlink() or added_to.is_fifo():  # all else takes the place of what is there
                    added_to.unlink()
            except OSError as error:
                raise self._unfit(error) from error
            yield
        finally:
            self._lock.release()

    @property
    def holds_a_run(self) -> bool:
        """Whether a run was started here, or any file of one lies here."""
        # os.path's: no error for a path that cannot be, which `locked` explains
        return any(os.path.exists(self.path / name) for name in ALL_FILES if name != LOCK)  # noqa: PTH110

    def refuse_taken(self) -> None:
        """Raise a `TrainingError` if it holds a run."""
        if self.holds_a_run:
            raise TrainingError(
                "{path} already holds a run; choose another --out, or go on with --resume", path=self.path
            )

    @property
    def holds_state(self) -> bool:
        """Whether there is something to go on from."""
        return (self.path / STATE).is_file()

    def remove(self) -> None:
        """Delete everything that a run writes, and the folder if nothing else is in it."""
        self._lock.release()  # Windows deletes no open file
        remove_files(self.path)

    def write_config(self, config: TrainConfig) -> None:
        """Begin a run."""
        self._write(CONFIG, config.to_json().encode())

    def record(self, event: events.Event) -> None:
        """Add an event to events.jsonl."""
        # Opened anew each time: a file that is kept open, and cannot be written, cannot be closed either.
        with self._explained(EVENTS), (self.path / EVENTS).open("ab+") as file:
            if file.seek(0, io.SEEK_END):
                file.seek(-1, io.SEEK_END)
                if file.read() != b"\n":  # a crash, or a full disk, cut the last one short
                    file.write(b"\n")
            file.write(events.to_json_line(event).encode() + b"\n")

    def save_weights(self, file_name: str, network: KeypointNetwork, *, name: str, info: dict[str, Any]) -> Path:
        """Replace a weights file; return its path."""
        path = self.path / file_name
        with self._explained(file_name):
            save_checkpoint(path, network, name=name, info=info)
        return path

    def keep_as(self, file_name: str, saved: str) -> Path:
        """Replace a weights file by what was just saved as another; return its path."""
        path = self.path / file_name
        with self._explained(file_name), replacing(path) as temporary:
            link_or_copy(self.path / saved, temporary)
        return path

    def write_state(self, content: bytes) -> None:
        """Replace the state that `--resume` goes on from."""
        self._write(STATE, content)

    def read_state(self) -> bytes | None:
        """Return what `write_state` last wrote, or None if the run ended before its first epoch did."""
        try:
            return None if (self.path / STATE).is_fifo() else (self.path / STATE).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TrainingError(
                "{path} cannot be read ({reason}); check the disk", path=self.path / STATE, reason=error.strerror
            ) from error

    def damaged_state(self) -> TrainingError:
        """Return the error for a state that cannot be used."""
        return TrainingError(
            "{path} is damaged, or of another network or version; start a new run from the run's "
            "best weights with --finetune",
            path=self.path / STATE,
        )

    def remove_state(self) -> None:
        """Drop the state of a run that has come to its end."""
        with self._explained(STATE):
            (self.path / STATE).unlink(missing_ok=True)

    def judged_epochs(self) -> dict[int, float]:
        """Return the epochs that metrics.csv tells of, and the NME after each."""
        return {int(row["epoch"]): float(row["nme_mean"]) for row in read_metrics(self.path)}

    def keep_metrics_before(self, epoch: int) -> None:
        """Take over what metrics.csv tells of the epochs before one; that and later ones will be trained again."""
        self._rows = [row for row in read_metrics(self.path) if int(row["epoch"]) < epoch]

    def add_metrics(self, done: events.EpochDone) -> None:
        """Add an epoch to metrics.csv, and to curves.png now and then."""
        self._rows = [*self._rows, asdict(done)]
        table = io.StringIO()
        writer = csv.DictWriter(table, fieldnames=list(asdict(done)), lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(self._rows)
        self._write(METRICS, table.getvalue().encode())
        if time.monotonic() - self._curves_drawn_s > CURVES_EVERY_S:
            self.draw_curves()

    def draw_curves(self) -> None:
        """Replace curves.png."""
        if not self._rows:
            return
        with self._explained(CURVES):
            plots.write_curves(
                self.path / CURVES,
                [int(row["epoch"]) for row in self._rows],
                [float(row["training_loss"]) for row in self._rows],
                [float(row["nme_mean"]) for row in self._rows],
            )
        self._curves_drawn_s = time.monotonic()

    def write_sheet(self, image: NDArray[np.uint8]) -> None:
        """Replace validation.png."""
        with self._explained(SHEET):
            write_png(self.path / SHEET, image)

    def _write(self, name: str, content: bytes) -> None:
        with self._explained(name):
            write_atomically(self.path / name, content)

    @contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        gone = TrainingError(
            "the run's folder {path} is gone; if it was moved, go on with --resume and its new place", path=self.path
        )
        if self._is_gone():  # what is written now would be half a run
            raise gone
        try:
            yield
        except OSError as error:
            if self._is_gone():
                raise gone from error
            if not self.holds_a_run:  # there is nothing to go on with
                raise self._unfit(error) from error
            values = {"path": self.path / name, "reason": error.strerror, "folder": self.path}
            if error.errno in NO_SPACE:
                raise TrainingError(
                    "{path} could not be written ({reason}); free some space, then go on with --resume {folder}",
                    **values,
                ) from error
            raise TrainingError(
                "{path} could not be written ({reason}); check the disk, then go on with --resume {folder}", **values
            ) from error

    def _unfit(self, error: OSError) -> TrainingError:
        return TrainingError(
            "{path} cannot be written ({reason}); choose another --out", path=self.path, reason=error.strerror
        )

    def _is_gone(self) -> bool:
        """Whether the folder was moved or deleted; a write under way may have made another in its place."""
        return not self.path.is_dir() or (self._lock.is_locked and not (self.path / LOCK).exists())
