"""The export of a session, from its start to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fkd_desktop.live.sinks import SinkSet
from fkd_desktop.workers.session_export import SessionExport
from tests.workers.test_export_thread import live, rows_of

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot


def test_what_comes_between_start_and_stop_is_written(qtbot: QtBot, tmp_path: Path) -> None:
    sinks = SinkSet()
    export = SessionExport(sinks)
    states: list[bool] = []
    export.running_changed.connect(states.append)
    sinks.offer(live(1.0))
    export.start(tmp_path, "a", ("csv",))
    assert export.is_running and states == [True]
    export.start(tmp_path, "b", ("csv",))
    sinks.offer(live(2.0))
    sinks.offer(live(3.0))
    with qtbot.waitSignal(export.saved, timeout=5000) as caught:
        export.stop()
        sinks.offer(live(4.0))
    assert caught.args[0].frames == 2 and caught.args[0].paths == (tmp_path / "a.csv",)
    assert states == [True, False] and not export.is_running and not sinks._sinks
    assert len(rows_of(tmp_path / "a.csv")) == 2
    assert not (tmp_path / "b.csv").exists(), "a second one was begun beside the first"


def test_it_can_be_started_again_after_a_failure(qtbot: QtBot, tmp_path: Path) -> None:
    sinks = SinkSet()
    export = SessionExport(sinks)
    (tmp_path / "a.csv").mkdir()
    with qtbot.waitSignal(export.failed, timeout=5000) as caught:
        export.start(tmp_path, "a", ("csv",))
    assert str(tmp_path / "a.csv") in caught.args[0]
    assert not export.is_running and not sinks._sinks
    export.start(tmp_path, "b", ("jsonl",))
    with qtbot.waitSignal(export.saved, timeout=5000):
        export.stop()


def test_without_a_format_nothing_is_begun(qtbot: QtBot, tmp_path: Path) -> None:
    export = SessionExport(SinkSet())
    export.start(tmp_path, "a", ())
    assert not export.is_running and export.shut_down()


def test_leaving_the_application_writes_what_is_waiting(qtbot: QtBot, tmp_path: Path) -> None:
    sinks = SinkSet()
    export = SessionExport(sinks)
    export.start(tmp_path, "a", ("csv",))
    for i in range(100):
        sinks.offer(live(i / 25))
    assert export.shut_down()
    assert len(rows_of(tmp_path / "a.csv")) == 100
