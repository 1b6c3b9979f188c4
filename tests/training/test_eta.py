"""The time that a run still takes."""

from __future__ import annotations

import pytest

from fkd_desktop.training.eta import TimeLeft, describe_duration, describe_time_left
from trainer.events import BatchDone, EpochDone, RunStarted

BATCHES = 100
EPOCHS = 10
BATCH_S = 0.05
JUDGING_S = 2.0
EPOCH_S = BATCHES * BATCH_S + JUDGING_S


class Run:
    """A run at an even pace, and a clock."""

    def __init__(self, *, epochs_done: int = 0) -> None:
        self.started = RunStarted("run", "compact", "cpu", EPOCHS, BATCHES, 3200, 640, epochs_done)
        self.left = TimeLeft(self.started, batch_size=32)
        self.now_s = 1000.0

    def batches(self, epoch: int, numbers: range, *, batch_s: float = BATCH_S) -> None:
        """Tell of every fifth batch."""
        for number in numbers:
            self.now_s += batch_s
            if number % 5 == 0:
                self.left.on_batch(BatchDone(epoch, number, 3.0, 32 / batch_s), self.now_s)

    def epoch(self, number: int) -> None:
        self.batches(number, range(1, BATCHES + 1))
        self.now_s += JUDGING_S
        self.left.on_epoch(epoch_done(number), self.now_s)

    def seconds(self) -> float | None:
        return self.left.seconds(self.now_s)


def epoch_done(number: int, seconds: float = BATCHES * BATCH_S) -> EpochDone:
    return EpochDone(number, 3.0, 0.05, 0.1, 0.5, 0.9, seconds, True)


def test_nothing_is_said_before_a_few_reports_came() -> None:
    run = Run()
    assert run.seconds() is None
    run.batches(1, range(1, 11))
    assert run.seconds() is None
    run.batches(1, range(11, 41))
    assert run.seconds() is not None


def test_an_even_run_is_foretold() -> None:
    run = Run()
    for number in (1, 2, 3):
        run.epoch(number)
    assert run.seconds() == pytest.approx(7 * EPOCH_S, rel=0.02)
    run.batches(4, range(1, 51))
    assert run.seconds() == pytest.approx(6 * EPOCH_S + EPOCH_S - 50 * BATCH_S, rel=0.02)


def test_the_time_of_judging_counts_from_the_first_epoch_on() -> None:
    run = Run()
    run.epoch(1)
    assert run.seconds() == pytest.approx(9 * EPOCH_S, rel=0.02)


def test_an_hour_of_sleep_and_a_burst_of_reports_do_not_count() -> None:
    run = Run()
    run.epoch(1)
    run.batches(2, range(1, 21))
    run.now_s += 3600
    run.batches(2, range(21, 41))
    for number in (41, 42, 43):
        run.now_s += 1e-4
        run.left.on_batch(BatchDone(2, number, 3.0, 640), run.now_s)
    assert run.seconds() == pytest.approx(9 * EPOCH_S - 43 * BATCH_S, rel=0.03)


def test_a_slower_computer_is_noticed_within_the_epoch() -> None:
    run = Run()
    run.epoch(1)
    before = run.seconds()
    assert before is not None
    for epoch in range(2, 11):
        run.batches(epoch, range(1, BATCHES + 1), batch_s=3 * BATCH_S)
        if epoch == 9:
            break
        run.now_s += JUDGING_S
        run.left.on_epoch(epoch_done(epoch, 3 * BATCHES * BATCH_S), run.now_s)
    # left: judging epoch 9, then all of epoch 10
    assert run.seconds() == pytest.approx(2 * JUDGING_S + BATCHES * 3 * BATCH_S, rel=0.05)


def test_between_reports_the_time_runs_on_but_never_below_what_must_still_come() -> None:
    run = Run()
    for number in (1, 2):
        run.epoch(number)
    at_once = run.seconds()
    assert at_once is not None
    assert run.left.seconds(run.now_s + 3) == pytest.approx(at_once - 3)
    assert run.left.seconds(run.now_s + 3600) == pytest.approx(7 * EPOCH_S, rel=0.05)


def test_at_the_end_nothing_is_left() -> None:
    run = Run()
    for number in range(1, EPOCHS + 1):
        run.epoch(number)
    assert run.seconds() == 0


def test_epochs_too_short_for_reports_of_batches_are_enough() -> None:
    run = Run()
    for number in (1, 2, 3):
        run.now_s += 0.5
        run.left.on_epoch(epoch_done(number, 0.2), run.now_s)
    assert run.seconds() == pytest.approx(7 * 0.5, rel=0.02)


def test_a_resumed_run_has_only_its_rest_before_it() -> None:
    run = Run(epochs_done=6)
    run.epoch(7)
    assert run.seconds() == pytest.approx(3 * EPOCH_S, rel=0.02)


def test_who_comes_in_the_middle_knows_at_once() -> None:
    run = Run(epochs_done=1)
    told = [epoch_done(number, 999.0 if number == 1 else BATCHES * BATCH_S) for number in (1, 2, 3)]
    batch = BatchDone(4, 50, 3.0, 32 / BATCH_S)
    run.left.catch_up(told, batch, started_s=1000.0, now_s=1000.0 + 2 * EPOCH_S + 50 * BATCH_S)
    left = run.left.seconds(1000.0 + 2 * EPOCH_S + 50 * BATCH_S)
    assert left == pytest.approx(7 * EPOCH_S - 50 * BATCH_S, rel=0.02)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (8.4, "8 s"),
        (59.4, "59 s"),
        (59.7, "1 min"),
        (2460, "41 min"),
        (3599, "1 h"),
        (4800, "1 h 20 min"),
        (86_399, "1 day"),
        (183_600, "2 days 3 h"),
        (-3, "0 s"),
    ],
)
def test_durations_read_as_people_say_them(seconds: float, words: str) -> None:
    assert describe_duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "estimating…"), (0.0, "about 5 s"), (41.0, "about 40 s"), (58.0, "about 1 min"), (721.0, "about 12 min")],
)
def test_an_estimate_is_no_more_precise_than_it_is(seconds: float | None, words: str) -> None:
    assert describe_time_left(seconds) == words
