"""What training has led to: the runs on disk, and how their weights compare with others."""

from __future__ import annotations

import logging
import time
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal, Slot

from fkd_desktop.workers.job import Job
from trainer.core.text import Text
from trainer.runs import BEST, copy_weights, delete_run, list_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from trainer.comparison import Comparison
    from trainer.runs import RunSummary

_log = logging.getLogger(__name__)

SHUTDOWN_S: Final = 2.0


class ComparisonState(Enum):
    """What there is of a comparison."""

    NONE = auto()
    COMPUTING = auto()
    DONE = auto()
    FAILED = auto()


class ResultsController(QObject):
    """Lists, compares, copies and deletes runs. Lives in the GUI thread and never blocks it.

    Parameters
    ----------
    runs_root
        The folder that has the runs; it need not be there yet.
    device
        Where networks are compared. The processor by default: the graphics card's memory may be full of a training.
    """

    runs_changed = Signal()
    """`runs` was read anew."""
    comparison_changed = Signal()
    """`comparison_state`, `progress`, `message` or `comparison` has changed."""
    saved = Signal(object)
    """Weights were saved to this path."""
    failed = Signal(str)
    """Something that was asked for could not be done: a sentence for the user."""

    def __init__(self, runs_root: Path, *, device: str = "cpu") -> None:
        super().__init__()
        self.runs_root, self._device = runs_root, device
        self._jobs: set[Job] = set()
        self._listing: Job | None = None
        self._must_list_again = False
        self._comparing: Job | None = None
        self._old: Path | None = None
        self.runs: list[RunSummary] = []
        """The latest first."""
        self.has_listed = False
        """Whether `runs` was read at all."""
        self.comparison_state = ComparisonState.NONE
        self.progress = (0, 0)
        """Faces that are done, and of how many; 0 of 0 before that is known."""
        self.message = ""
        """Why the comparison failed, in a sentence."""
        self.comparison: Comparison | None = None
        """The last one that came to its end, until the next begins."""
        self.compared_run: Path | None = None
        """The folder that the comparison is about."""

    # --- runs

    def refresh(self) -> None:
        """Read the list of runs anew."""
        if self._listing is not None:
            self._must_list_again = True  # what changed may have been read already
            return
        root = self.runs_root
        self._listing = self._start(
            Text("listing the runs"), lambda _: list_runs(root), self._on_listed, self._on_not_listed
        )

    def delete(self, run: RunSummary) -> None:
        """Delete a run's files and list anew; one that trains is left alone, and `failed` says so."""
        path = run.path
        self._start(
            Text("deleting the run {name}", name=path.name),
            lambda _: delete_run(path),
            self._on_deleted,
            self._on_not_deleted,
        )

    def save_as(self, weights: Path, target: Path) -> None:
        """Copy weights to another place, whole or not at all; `saved` or `failed` tells the end."""
        self._start(
            Text("saving {name}", name=target.name),
            lambda _: copy_weights(weights, target),
            lambda _: self.saved.emit(target),
            self.failed.emit,
        )

    @Slot(object)
    def _on_listed(self, runs: list[RunSummary]) -> None:
        self.runs, self.has_listed = runs, True
        self.runs_changed.emit()
        self._list_again()

    @Slot(str)
    def _on_not_listed(self, message: str) -> None:
        self.failed.emit(message)
        self._list_again()

    def _list_again(self) -> None:
        self._listing = None
        if self._must_list_again:
            self._must_list_again = False
            self.refresh()

    @Slot(object)
    def _on_deleted(self, _: object) -> None:
        self.refresh()

    @Slot(str)
    def _on_not_deleted(self, message: str) -> None:
        self.failed.emit(message)
        self.refresh()  # some of it may be gone

    # --- comparison

    def compare(self, run_folder: Path, old: Path | None) -> None:
        """Judge a run's weights against older ones on the same faces, in place of any comparison before.

        Parameters
        ----------
        run_folder
            The run's.
        old
            Weights to compare with; None for the shipped ones, and those also stand in where ``old`` is the run's own.
        """
        self._cancel_job()
        if old is not None and old.absolute() == (run_folder / BEST).absolute():
            old = None
        self.compared_run, self._old = run_folder, old
        self.comparison, self.message, self.progress = None, "", (0, 0)
        device = self._device

        def work(job: Job) -> Comparison:
            return _compare(job, run_folder, old, device)

        self._comparing = self._start(
            Text("comparing the run {name}", name=run_folder.name),
            work,
            self._on_compared,
            self._on_not_compared,
            self._on_progressed,
        )
        self._set_comparison_state(ComparisonState.COMPUTING)

    def compare_again(self) -> None:
        """Try the last comparison once more."""
        if self.compared_run is not None:
            self.compare(self.compared_run, self._old)

    def cancel_comparison(self) -> None:
        """Drop the comparison under way."""
        if self.comparison_state is ComparisonState.COMPUTING:
            self._cancel_job()
            self._set_comparison_state(ComparisonState.NONE)

    def _cancel_job(self) -> None:
        if self._comparing is not None:
            self._comparing.cancel()
            self._comparing = None

    @Slot(object)
    def _on_progressed(self, progress: tuple[int, int]) -> None:
        self.progress = progress
        self.comparison_changed.emit()

    @Slot(object)
    def _on_compared(self, comparison: Comparison) -> None:
        _log.info("compared %s: %s", comparison.run, comparison.sentence)
        self.comparison = comparison
        self._set_comparison_state(ComparisonState.DONE)

    @Slot(str)
    def _on_not_compared(self, message: str) -> None:
        self.message = message
        self._set_comparison_state(ComparisonState.FAILED)

    def _set_comparison_state(self, state: ComparisonState) -> None:
        self.comparison_state = state
        self.comparison_changed.emit()

    # --- jobs

    def shut_down(self) -> None:
        """Drop all work, waiting at most `SHUTDOWN_S`; what is being written is written whole or not at all."""
        for job in self._jobs:
            job.cancel()
        deadline_s = time.monotonic() + SHUTDOWN_S
        for job in self._jobs:  # a process that ends while torch computes aborts
            job.wait(max(0.0, deadline_s - time.monotonic()))
        self._jobs.clear()

    def _start(
        self,
        name: str,
        work: Callable[[Job], Any],
        on_success: Callable[[Any], object],
        on_failure: Callable[[str], object],
        on_progress: Callable[[Any], object] | None = None,
    ) -> Job:
        self._jobs = {job for job in self._jobs if job.is_running or not job.should_stop()}
        job = Job(name, work)
        self._jobs.add(job)

        def end(then: Callable[[Any], object], result: Any) -> None:
            self._jobs.discard(job)
            then(result)

        job.succeeded.connect(lambda result: end(on_success, result))
        job.failed.connect(lambda message: end(on_failure, message))
        if on_progress is not None:
            job.progressed.connect(on_progress)
        job.start()
        return job


def _compare(job: Job, run_folder: Path, old: Path | None, device: str) -> Comparison:
    import torch  # noqa: PLC0415 (takes seconds: only in the thread of the job)

    from trainer.comparison import compare  # noqa: PLC0415

    torch.set_num_threads(1)  # two would wait for each other while a live session computes
    return compare(
        run_folder,
        old=old,
        device=device,
        on_progress=lambda done, total: job.tell((done, total)),
        should_stop=job.should_stop,
    )
