"""How long a training run will still take, from what it has told so far."""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import TYPE_CHECKING, Final

from trainer.core.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trainer.events import BatchDone, EpochDone, RunStarted

RECENT_REPORTS: Final = 160
"""About forty seconds where batches are fast: long enough to be calm, short enough to notice a busier computer."""
ENOUGH_REPORTS: Final = 8
RECENT_EPOCHS: Final = 5
JUDGING_SHARE: Final = 0.5
"""Of a training step's time: what a validation face costs against a training face, until an epoch has shown it."""


class TimeLeft:
    """Estimates the time that is left, a step at a time.

    A batch's cost is a trimmed mean over recent reports, so that neither a computer that slept for an hour nor reports
    that came all at once count. What an epoch costs beside its batches (judging, writing) is measured too.

    Parameters
    ----------
    started
        What the run told of itself.
    batch_size
        Faces a batch.

    Notes
    -----
    Times are seconds of one clock that never goes back, such as `time.monotonic`.
    """

    def __init__(self, started: RunStarted, *, batch_size: int) -> None:
        self._started, self._batch_size = started, batch_size
        self._done = started.epochs_done * started.batches_per_epoch  # batches
        self._judged = started.epochs_done
        self._last: tuple[int, int, float] | None = None  # epoch, batch, when
        self._reports: deque[tuple[float, int]] = deque(maxlen=RECENT_REPORTS)  # seconds, batches
        self._epoch_batch_s: deque[float] = deque(maxlen=RECENT_EPOCHS)
        self._beside_s: deque[float] = deque(maxlen=RECENT_EPOCHS)
        self._rate_s: float | None = None  # of a batch, as the run says it
        self._last_epoch_s: float | None = None
        self._told_s = 0.0

    def catch_up(self, epochs: Sequence[EpochDone], batch: BatchDone | None, *, started_s: float, now_s: float) -> None:
        """Take in what was told before anyone listened.

        Parameters
        ----------
        epochs, batch
            The run's epochs, also those of before it was resumed, and its last batch.
        started_s, now_s
            When the run started, and the time now.
        """
        trained = [epoch for epoch in epochs if epoch.epoch > self._started.epochs_done]
        for epoch in trained:
            self._count_epoch(epoch)
        busy_s = sum(epoch.seconds for epoch in trained)
        if batch is not None and batch.epoch > self._started.epochs_done:
            self._count_batch(batch)
            if not trained or batch.epoch > trained[-1].epoch:
                busy_s += batch.batch * self._rate_s if self._rate_s else 0.0
        if trained:
            self._beside_s.append(max(0.0, now_s - started_s - busy_s) / len(trained))
        self._told_s = now_s

    def on_batch(self, batch: BatchDone, now_s: float) -> None:
        """Take in a batch that was told now."""
        if self._last and self._last[0] == batch.epoch and batch.batch > self._last[1] and now_s > self._last[2]:
            self._reports.append((now_s - self._last[2], batch.batch - self._last[1]))
        self._last = (batch.epoch, batch.batch, now_s)
        self._count_batch(batch)
        self._told_s = now_s

    def on_epoch(self, epoch: EpochDone, now_s: float) -> None:
        """Take in an epoch that was judged now."""
        if self._last_epoch_s is not None:
            self._beside_s.append(max(0.0, now_s - self._last_epoch_s - epoch.seconds))
        elif self._last and self._last[0] == epoch.epoch and (batch_s := self._batch_s()):
            rest_s = (self._started.batches_per_epoch - self._last[1]) * batch_s
            self._beside_s.append(max(0.0, now_s - self._last[2] - rest_s))
        self._last_epoch_s = self._told_s = now_s
        self._count_epoch(epoch)

    def seconds(self, now_s: float) -> float | None:
        """Return how long the run will still take; None before that can be said."""
        batch_s = self._batch_s()
        if batch_s is None:
            return None
        run = self._started
        left = max(0, run.epochs * run.batches_per_epoch - self._done)
        epochs_left = run.epochs - self._judged
        beside_s = median(self._beside_s) if self._beside_s else self._judging_guess_s(batch_s)
        # Between reports the time runs on, but not beyond the epoch's end: who waits for a stopped process is not done.
        to_next_s = ((self._judged + 1) * run.batches_per_epoch - self._done) * batch_s + beside_s
        return max(0.0, left * batch_s + epochs_left * beside_s - min(now_s - self._told_s, to_next_s))

    def _count_batch(self, batch: BatchDone) -> None:
        self._done = max(self._done, (batch.epoch - 1) * self._started.batches_per_epoch + batch.batch)
        if batch.images_per_s > 0:
            self._rate_s = self._batch_size / batch.images_per_s

    def _count_epoch(self, epoch: EpochDone) -> None:
        self._judged = max(self._judged, epoch.epoch)
        self._done = max(self._done, epoch.epoch * self._started.batches_per_epoch)
        self._epoch_batch_s.append(epoch.seconds / self._started.batches_per_epoch)

    def _batch_s(self) -> float | None:
        if len(self._reports) >= ENOUGH_REPORTS:
            return _trimmed_mean(self._reports)
        if self._epoch_batch_s:
            return median(self._epoch_batch_s)
        # One report a quarter of a second: the first ones are of a process that warms up.
        return self._rate_s if self._rate_s and len(self._reports) >= ENOUGH_REPORTS // 2 else None

    def _judging_guess_s(self, batch_s: float) -> float:
        share = self._started.validation_faces / max(1, self._started.training_faces)
        return JUDGING_SHARE * share * self._started.batches_per_epoch * batch_s


def _trimmed_mean(reports: Iterable[tuple[float, int]]) -> float:
    """Return the seconds of a batch without the fastest and slowest tenth of the reports."""
    ordered = sorted(reports, key=lambda report: report[0] / report[1])
    cut = max(1, len(ordered) // 10)
    kept = ordered[cut:-cut]
    return sum(seconds for seconds, _ in kept) / sum(batches for _, batches in kept)


def describe_duration(seconds: float) -> Text:
    """Return a duration as people say it: "8 s", "41 min", "1 h 20 min", "2 days 3 h"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return Text("{seconds} s", seconds=whole)
    minutes = round(whole / 60)
    if minutes < 60:
        return Text("{minutes} min", minutes=minutes)
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return (
            Text("{hours} h {minutes} min", hours=hours, minutes=minutes) if minutes else Text("{hours} h", hours=hours)
        )
    days, hours = divmod(round(hours + minutes / 60), 24)
    return Text("%n day(s) {hours} h", n=days, hours=hours) if hours else Text("%n day(s)", n=days)


def describe_time_left(seconds: float | None) -> Text:
    """Return an estimate, no more precise than it is: "estimating…", "about 40 s", "about 12 min"."""
    if seconds is None:
        return Text("estimating…")
    if seconds < 60:
        about = Text("{seconds} s", seconds=max(5, 5 * round(seconds / 5)))
        return Text("about {duration}", duration=about if seconds < 57.5 else Text("{minutes} min", minutes=1))
    return Text("about {duration}", duration=describe_duration(seconds))
