"""One call of a function in a thread of its own."""

from __future__ import annotations

import gc
import logging
import weakref

import pytest

from fkd_desktop.workers.job import Job
from trainer.core.errors import FkdError


class Result:
    """What a job returns; can be watched."""


def fail(_job):
    raise FkdError("it cannot be done")


@pytest.mark.parametrize(("work", "signal"), [(lambda _: Result(), "succeeded"), (fail, "failed")])
def test_a_job_that_is_over_is_let_go_of_though_its_connections_hold_it(qapp, qtbot, caplog, work, signal):
    caplog.set_level(logging.CRITICAL)  # a record has the error, which has the frames that it came through
    told = []

    def begin():
        job = Job("work", work)
        getattr(job, signal).connect(lambda outcome: told.append((weakref.ref(job), type(outcome))))
        job.start()

    begin()
    qtbot.waitUntil(lambda: bool(told), timeout=5000)

    def is_gone() -> bool:
        gc.collect()
        return told[0][0]() is None

    qtbot.waitUntil(is_gone, timeout=5000)
