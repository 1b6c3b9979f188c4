"""What the start leaves for later."""

from __future__ import annotations

import gc
import weakref

import pytest

from fkd_desktop.controller import Controller, NetworkState
from fkd_desktop.ui.settling import Settling


@pytest.fixture
def controller():
    """Return a controller without a network, with Python's collector off as at the start."""
    gc.disable()
    try:
        yield Controller()
    finally:
        gc.unfreeze()
        gc.enable()


@pytest.mark.parametrize("state", [NetworkState.READY, NetworkState.FAILED])
def test_once_the_network_is_there_or_not_the_dialogs_are_imported_and_the_collector_runs(qtbot, controller, state):
    settling = Settling(controller)
    settling._timer.setInterval(0)
    controller.network_changed.emit(NetworkState.LOADING, "")
    assert not settling._timer.isActive()
    controller.network_changed.emit(state, "")
    assert not gc.isenabled()
    qtbot.waitUntil(gc.isenabled, timeout=20_000)
    controller.network_changed.emit(NetworkState.READY, "")  # another network, later
    assert not settling._timer.isActive()


class Kept:
    """Something that holds on to itself, as a closed video's decoder does."""

    def __init__(self) -> None:
        self.itself = self


def test_what_the_session_makes_is_still_collected(qtbot, controller):
    from_the_start = weakref.ref(Kept())
    settling = Settling(controller)
    from_the_session = weakref.ref(Kept())
    gc.collect()
    assert from_the_start() is not None, "what the start made is passed over"
    assert from_the_session() is None
    settling.end()


def test_at_the_end_nothing_more_begins(qtbot, controller):
    settling = Settling(controller)
    settling._timer.setInterval(0)
    controller.network_changed.emit(NetworkState.READY, "")
    settling.end()
    assert not settling._timer.isActive()
