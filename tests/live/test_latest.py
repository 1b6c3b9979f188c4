"""The slot between two threads: the newest wins, every loss is counted, and nobody waits."""

from __future__ import annotations

import threading
import time

import pytest

from fkd_desktop.live.latest import LatestSlot
from tests.live.helpers import WAIT_S


def test_newest_wins_and_what_nobody_took_is_counted() -> None:
    slot: LatestSlot[str] = LatestSlot()
    for item in ("a", "b", "c"):
        slot.put(item)
    assert slot.take() == "c"
    assert slot.take() is None
    assert slot.dropped == 2


def test_only_an_empty_slot_needs_a_wake_up() -> None:
    slot: LatestSlot[str] = LatestSlot()
    assert slot.put("a")
    assert not slot.put("b")
    slot.take()
    assert slot.put("c")


def test_a_flood_never_blocks_the_writer_and_drops_are_counted_exactly() -> None:
    count = 50_000
    slot: LatestSlot[int] = LatestSlot()
    wake_ups: list[int] = []

    def flood() -> None:
        wake_ups.extend(i for i in range(1, count + 1) if slot.put(i))

    writer = threading.Thread(target=flood)
    writer.start()
    taken: list[int] = []
    while not taken or taken[-1] != count:
        item = slot.take(timeout_s=WAIT_S)
        assert item is not None, "the last item was lost"
        taken.append(item)
    writer.join(WAIT_S)
    assert taken == sorted(set(taken)), "an older item came after a newer one"
    assert slot.dropped == count - len(taken) > 0
    # One wake-up for each time the slot was filled, so one for each item that was taken: none is lost, none is spare.
    assert len(wake_ups) == len(taken)


def test_the_flooded_slot_holds_one_item() -> None:
    slot: LatestSlot[object] = LatestSlot()
    alive = threading.Semaphore(0)

    class Item:
        def __del__(self) -> None:
            alive.release()

    for _ in range(100):
        slot.put(Item())
    collected = sum(alive.acquire(blocking=False) for _ in range(100))
    assert collected == 99


def test_a_put_wakes_a_take_and_a_take_wakes_wait_empty() -> None:
    """Two threads hand one item to and fro; were a wake-up missing, one of them would sleep its whole time out."""
    rounds = 300
    there: LatestSlot[int] = LatestSlot()
    back: LatestSlot[int] = LatestSlot()
    echoed: list[int | None] = []

    def echo() -> None:
        for _ in range(rounds):
            item = there.take(timeout_s=WAIT_S)
            assert item is not None
            back.put(item)
            echoed.append(item)
            assert back.wait_empty(timeout_s=WAIT_S)

    other = threading.Thread(target=echo)
    other.start()
    start_s = time.perf_counter()
    for i in range(rounds):
        there.put(i)
        assert back.take(timeout_s=WAIT_S) == i
    other.join(WAIT_S)
    assert echoed == list(range(rounds))
    assert time.perf_counter() - start_s < WAIT_S


def test_take_gives_up_when_the_time_is_over() -> None:
    assert LatestSlot[str]().take(timeout_s=0.01) is None


@pytest.mark.parametrize("is_filled", [False, True])
def test_wait_empty_says_whether_the_item_was_taken(is_filled: bool) -> None:
    slot: LatestSlot[str] = LatestSlot()
    if is_filled:
        slot.put("a")
    assert slot.wait_empty(timeout_s=0.01) is not is_filled
