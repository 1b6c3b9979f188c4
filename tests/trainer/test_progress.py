import math
import time

import pytest

from trainer import progress
from trainer.progress import KeptState, Progress
from trainer.runs import TrainingError


def test_losses_add_up_and_the_last_is_told() -> None:
    done = Progress(epoch=2, batch=3, loss_sum=1.0)
    assert done.add([2.0, 3.0], 0.1) == 3.0
    assert done.loss_sum == 6.0
    assert math.isnan(done.add([], 0.1))
    assert done.loss_sum == 6.0


def test_a_loss_that_is_no_number_is_told_with_its_batch() -> None:
    done = Progress(epoch=2, batch=9)
    with pytest.raises(TrainingError, match=r"nan in batch 8 of epoch 2; .* below 0.1"):
        done.add([1.0, math.nan, 1.0], 0.1)


@pytest.mark.parametrize(
    "facts",
    [
        {"epoch": 0}, {"epoch": 1.5}, {"epoch": "1"}, {"epoch": True}, {"batch": -1}, {"batch": None}, {"faces": {}},
        {"faces": 10**400}, {"loss_sum": "0"}, {"loss_sum": []}, {"best_nme": None}, {"best_nme": math.nan},
    ],
    ids=str,
)  # fmt: skip
def test_what_a_damaged_state_tells_is_no_place_in_a_run(facts: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a run"):
        Progress(**facts)


def test_small_states_are_written_after_every_epoch() -> None:
    assert KeptState(written_s=time.perf_counter()).is_old_enough(int(progress.LARGE) - 1)


def test_large_states_are_written_when_that_takes_a_small_share_of_the_time() -> None:
    size = 2 * int(progress.LARGE)
    seconds = size / progress.BYTES_PER_S / progress.TIME_SHARE
    now = time.perf_counter()
    assert not KeptState(written_s=now - seconds / 2).is_old_enough(size)
    assert KeptState(written_s=now - 2 * seconds).is_old_enough(size)


def test_what_is_kept_is_of_one_moment() -> None:
    assert KeptState().is_of(Progress())  # a run that begins needs none
    kept = KeptState.of(Progress(epoch=2, batch=3))
    assert kept.is_of(Progress(epoch=2, batch=3, loss_sum=5.0))
    assert not kept.is_of(Progress(epoch=2, batch=4))
    assert not kept.is_of(Progress(epoch=3, batch=0))
