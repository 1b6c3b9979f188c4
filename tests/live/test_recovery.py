"""What is told about a source in trouble, and how long is waited."""

from __future__ import annotations

import pytest

from fkd_desktop.errors import SourceError, SourceProblem
from fkd_desktop.live.recovery import RETRY_S, Recovery, Trouble


def error(problem: SourceProblem) -> SourceError:
    return SourceError("the camera is away", problem=problem)


@pytest.mark.parametrize(
    ("problem", "trouble"),
    [
        (SourceProblem.MISSING, Trouble.MISSING),
        (SourceProblem.BUSY, Trouble.BUSY),
        (SourceProblem.DENIED, Trouble.DENIED),
        (SourceProblem.LOST, Trouble.MISSING),  # it never gave a picture
    ],
)
def test_before_the_first_picture_the_problem_is_told_once(problem: SourceProblem, trouble: Trouble) -> None:
    recovery = Recovery()
    assert recovery.failed(error(problem)) is trouble
    assert recovery.retries() is None
    assert recovery.failed(error(problem)) is None


def test_a_lost_camera_is_lost_then_reconnecting_until_it_is_back() -> None:
    recovery = Recovery()
    assert not recovery.went_live()
    assert recovery.failed(error(SourceProblem.LOST)) is Trouble.LOST
    assert recovery.retries() is Trouble.RECONNECTING
    for _ in range(3):
        assert recovery.failed(error(SourceProblem.MISSING)) is None
        assert recovery.retries() is None
    assert recovery.went_live()
    assert recovery.failed(error(SourceProblem.LOST)) is Trouble.LOST


def test_a_lost_camera_that_another_program_took_is_busy() -> None:
    recovery = Recovery()
    recovery.went_live()
    recovery.failed(error(SourceProblem.LOST))
    recovery.retries()
    assert recovery.failed(error(SourceProblem.BUSY)) is Trouble.BUSY
    assert recovery.retries() is None
    assert recovery.failed(error(SourceProblem.MISSING)) is Trouble.RECONNECTING


def test_pauses_grow_and_start_afresh_with_a_picture() -> None:
    recovery = Recovery()
    pauses = []
    for _ in range(len(RETRY_S) + 2):
        pauses.append(recovery.pause_s)
        recovery.failed(error(SourceProblem.MISSING))
        recovery.retries()
    assert pauses == [*RETRY_S, RETRY_S[-1], RETRY_S[-1]]
    recovery.went_live()
    assert recovery.pause_s == RETRY_S[0]
