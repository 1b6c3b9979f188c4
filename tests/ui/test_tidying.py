"""Memory is given back after sources and recordings."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PySide6.QtCore import QObject, Signal

from fkd_desktop.ui import tidying
from fkd_desktop.ui.tidying import Tidying


class Teller(QObject):
    session_changed = Signal(object, str)
    recording_changed = Signal(bool)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    times = SimpleNamespace(times=0)
    monkeypatch.setattr(tidying, "give_back", lambda: setattr(times, "times", times.times + 1))
    monkeypatch.setattr(tidying, "TIDY_MS", 0)
    return times


def test_once_after_whatever_changed(qtbot, given: SimpleNamespace) -> None:
    teller = Teller()
    tidying = Tidying(teller, teller)  # type: ignore[arg-type]
    qtbot.wait_until(lambda: not tidying._timer.isActive())
    assert not given.times
    for change in (lambda: teller.session_changed.emit(None, ""), lambda: teller.recording_changed.emit(False)):
        before = given.times
        change()
        change()
        qtbot.wait_until(lambda before=before: given.times == before + 1)
        assert not tidying._timer.isActive()


def test_not_when_the_application_ends(qtbot, given: SimpleNamespace) -> None:
    teller = Teller()
    tidying = Tidying(teller, teller)  # type: ignore[arg-type]
    teller.session_changed.emit(None, "")
    tidying.end()
    assert not tidying._timer.isActive() and not given.times
