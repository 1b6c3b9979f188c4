"""What a training run's state and figures are called in the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fkd_desktop.training.eta import describe_duration
from fkd_desktop.training.run import TrainingState

if TYPE_CHECKING:
    from fkd_desktop.training.run import RunRecord

NOTHING: Final = "–"  # noqa: RUF001 (a dash stands for a figure that is not there yet)


_STATES: Final = {
    TrainingState.IDLE: "Nothing is being trained.",
    TrainingState.STARTING: "Reading the data set…",
    TrainingState.TRAINING: "Training…",
    TrainingState.STOPPING: "Stopping after this batch…",
    TrainingState.CANCELLING: "Cancelling…",
    TrainingState.CANCELLED: "Cancelled. Nothing was kept.",
    TrainingState.STOPPED: "Stopped before the first epoch was judged. Nothing was kept.",
    TrainingState.FINISHED: "Done.",
    TrainingState.FAILED: "Training failed.",
}
"""Of the ended ones, those that learned nothing."""


def state_words(state: TrainingState, record: RunRecord | None, *, seconds: float) -> str:
    """Return a run's state as a sentence, `seconds` being how long it took so far."""
    if record is not None and record.best is not None:
        match state:
            case TrainingState.FINISHED:
                return f"Done in {describe_duration(seconds)}: {best_words(record)}."
            case TrainingState.STOPPED:
                return f"Stopped after {_epochs(record)}: {best_words(record)}."
            case TrainingState.FAILED:
                return f"Training failed after {_epochs(record)}: {best_words(record)}."
    return _STATES[state]


def best_words(record: RunRecord | None) -> str:
    """Return the best NME of a run and when it came."""
    best = record.best if record else None
    return f"best NME {percent(best.nme_mean)} in epoch {best.epoch}" if best else "nothing was judged"


def position(state: TrainingState, record: RunRecord) -> tuple[int, int, str]:
    """Return how many batches of a run are done, of how many, and where that is; (0, 0, "") before it started."""
    started = record.started
    if started is None:
        return 0, 0, ""
    size, epochs = started.batches_per_epoch, started.epochs
    judged = max((epoch.epoch for epoch in record.epochs), default=started.epochs_done)
    batch = record.batch if record.batch and record.batch.epoch > started.epochs_done else None
    if state is TrainingState.FINISHED:
        return epochs * size, epochs * size, f"Epoch {epochs} of {epochs}"
    # A stop judges the epoch that it cuts short: then where it was cut counts.
    is_cut = batch is not None and batch.epoch == judged and state in (TrainingState.STOPPING, TrainingState.STOPPED)
    if batch is not None and (batch.epoch > judged or is_cut):
        done = (batch.epoch - 1) * size + batch.batch
        return done, epochs * size, f"Epoch {batch.epoch} of {epochs}, batch {batch.batch} of {size}"
    if judged >= epochs:
        return epochs * size, epochs * size, f"Epoch {epochs} of {epochs}"
    return judged * size, epochs * size, f"Epoch {judged + 1} of {epochs}"


def percent(fraction: float) -> str:
    """Return an NME as the window shows it."""
    return f"{100 * fraction:.2f} %"


def memory_words(size_bytes: int) -> str:
    """Return an amount of memory as people say it."""
    if size_bytes <= 0:
        return NOTHING
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 0.9995e9 else f"{size_bytes / 1e6:.0f} MB"


def rate_words(images_per_s: float) -> str:
    """Return a speed with two digits or all before the point."""
    return f"{images_per_s:.1f}" if images_per_s < 10 else f"{images_per_s:,.0f}"


def _epochs(record: RunRecord) -> str:
    count = len(record.epochs)
    return "1 epoch" if count == 1 else f"{count} epochs"
