"""What a training run's state and figures are called in the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fkd_desktop.i18n import numeral, translated
from fkd_desktop.training.eta import describe_duration
from fkd_desktop.training.run import TrainingState
from trainer.core.text import Text

if TYPE_CHECKING:
    from fkd_desktop.training.run import RunRecord

NOTHING: Final = "–"


_STATES: Final = {
    TrainingState.IDLE: Text("Nothing is being trained."),
    TrainingState.STARTING: Text("Reading the data set…"),
    TrainingState.TRAINING: Text("Training…"),
    TrainingState.STOPPING: Text("Stopping after this batch…"),
    TrainingState.CANCELLING: Text("Cancelling…"),
    TrainingState.CANCELLED: Text("Cancelled. Nothing was kept."),
    TrainingState.STOPPED: Text("Stopped before the first epoch was judged. Nothing was kept."),
    TrainingState.FINISHED: Text("Done."),
    TrainingState.FAILED: Text("Training failed."),
}
"""Of the ended ones, those that learned nothing."""


def state_words(state: TrainingState, record: RunRecord | None, *, seconds: float) -> str:
    """Return a run's state as a sentence, `seconds` being how long it took so far."""
    said = _STATES[state]
    if record is not None and record.best is not None:
        match state:
            case TrainingState.FINISHED:
                said = Text("Done in {duration}: {best}.", duration=describe_duration(seconds), best=_best(record))
            case TrainingState.STOPPED:
                said = Text("Stopped after %n epoch(s): {best}.", n=len(record.epochs), best=_best(record))
            case TrainingState.FAILED:
                said = Text("Training failed after %n epoch(s): {best}.", n=len(record.epochs), best=_best(record))
    return translated(said)


def best_words(record: RunRecord | None) -> str:
    """Return the best NME of a run and when it came."""
    return translated(_best(record))


def _best(record: RunRecord | None) -> Text:
    best = record.best if record else None
    if best is None:
        return Text("nothing was judged")
    return Text("best NME {nme} in epoch {epoch}", nme=percent(best.nme_mean), epoch=best.epoch)


def position(state: TrainingState, record: RunRecord) -> tuple[int, int, str]:
    """Return how many batches of a run are done, of how many, and where that is; (0, 0, "") before it started."""
    started = record.started
    if started is None:
        return 0, 0, ""
    size, epochs = started.batches_per_epoch, started.epochs
    judged = max((epoch.epoch for epoch in record.epochs), default=started.epochs_done)
    batch = record.batch if record.batch and record.batch.epoch > started.epochs_done else None
    if state is TrainingState.FINISHED:
        return epochs * size, epochs * size, _epoch_of(epochs, epochs)
    # A stop judges the epoch that it cuts short: then where it was cut counts.
    is_cut = batch is not None and batch.epoch == judged and state in (TrainingState.STOPPING, TrainingState.STOPPED)
    if batch is not None and (batch.epoch > judged or is_cut):
        done = (batch.epoch - 1) * size + batch.batch
        words = Text(
            "Epoch {epoch} of {epochs}, batch {batch} of {batches}",
            epoch=batch.epoch,
            epochs=epochs,
            batch=batch.batch,
            batches=size,
        )
        return done, epochs * size, translated(words)
    if judged >= epochs:
        return epochs * size, epochs * size, _epoch_of(epochs, epochs)
    return judged * size, epochs * size, _epoch_of(judged + 1, epochs)


def percent(fraction: float) -> str:
    """Return an NME as the window shows it."""
    return numeral(f"{100 * fraction:.2f} %")


def memory_words(size_bytes: int) -> str:
    """Return an amount of memory as people say it."""
    if size_bytes <= 0:
        return NOTHING
    return numeral(f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 0.9995e9 else f"{size_bytes / 1e6:.0f} MB")


def rate_words(images_per_s: float) -> str:
    """Return a speed with two digits or all before the point."""
    return numeral(f"{images_per_s:.1f}" if images_per_s < 10 else f"{images_per_s:,.0f}")


def _epoch_of(epoch: int, epochs: int) -> str:
    return translated(Text("Epoch {epoch} of {epochs}", epoch=epoch, epochs=epochs))
