"""Work for what is on the screen now: of what was asked for in a row only the newest matters."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from fkd_desktop.workers.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable


class Newest:
    """One job at a time; of what is asked for meanwhile only the last is done.

    Parameters
    ----------
    name
        Of the jobs, for the log.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._job: Job | None = None
        self._next: deque[tuple[Callable[[Job], object], Callable[..., object], Callable[[str], object]]] = deque(
            maxlen=1
        )

    def ask(
        self, work: Callable[[Job], object], on_success: Callable[..., object], on_failure: Callable[[str], object]
    ) -> None:
        """Do something as soon as nothing else is being done, and tell how it ended."""
        self._next.append((work, on_success, on_failure))
        self._go_on()

    def cancel(self) -> None:
        """Forget what was asked for; nothing is told of it."""
        self._next.clear()
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def _go_on(self) -> None:
        if self._job is not None or not self._next:
            return
        work, on_success, on_failure = self._next.pop()
        job = self._job = Job(self._name, work)
        job.succeeded.connect(partial(self._on_ended, job, on_success))
        job.failed.connect(partial(self._on_ended, job, on_failure))
        job.start()

    def _on_ended(self, job: Job, then: Callable[..., object], result: object) -> None:
        if job is self._job:
            self._job = None
            self._go_on()
            then(result)
