"""Listing, comparing, saving and deleting runs behind a window."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from fkd_desktop.training import results as results_module
from fkd_desktop.training.results import ComparisonState, ResultsController
from tests.training.run_folders import SHARE, write_run, write_weights
from trainer.comparison import Comparison
from trainer.run_folder import RunFolder
from trainer.runs import RunState

WAIT_MS = 60_000


@pytest.fixture
def results(tmp_path: Path):
    controller = ResultsController(tmp_path / "runs")
    yield controller
    controller.shut_down()


@pytest.fixture
def run(tmp_path: Path, tiny_data: Path) -> Path:
    """A run with real weights on the drawn faces."""
    folder = write_run(tmp_path / "runs", "mine", 0.1, data=str(tiny_data), validation_share=SHARE)
    write_weights(folder / "best.safetensors", seed=1)
    return folder


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return write_weights(tmp_path / "old.safetensors")


def names(results: ResultsController) -> list[str]:
    return [run.name for run in results.runs]


# --- runs


def test_runs_are_listed_behind_the_window(qtbot, results, tmp_path: Path) -> None:
    write_run(tmp_path / "runs", "a", 0.1, at_s=100.0)
    write_run(tmp_path / "runs", "b", 0.1, at_s=200.0)
    assert not results.has_listed
    with qtbot.waitSignal(results.runs_changed, timeout=WAIT_MS):
        results.refresh()
        assert results.runs == []  # not in this thread
    assert names(results) == ["b", "a"]
    assert results.has_listed


def test_a_folder_that_is_not_there_yet_has_no_runs(qtbot, results) -> None:
    with qtbot.waitSignal(results.runs_changed, timeout=WAIT_MS):
        results.refresh()
    assert results.runs == []
    assert results.has_listed


def test_a_change_while_the_list_is_read_is_not_missed(qtbot, results, tmp_path: Path, monkeypatch) -> None:
    reading, go_on = threading.Event(), threading.Event()
    original = results_module.list_runs

    def slow(root: Path):
        runs = original(root)
        reading.set()
        assert go_on.wait(30)
        return runs

    monkeypatch.setattr(results_module, "list_runs", slow)
    results.refresh()
    assert reading.wait(30)
    write_run(tmp_path / "runs", "late", 0.1)
    results.refresh()
    go_on.set()
    qtbot.waitUntil(lambda: names(results) == ["late"], timeout=WAIT_MS)


def test_a_deleted_run_leaves_the_list(qtbot, results, tmp_path: Path) -> None:
    path = write_run(tmp_path / "runs", "a", 0.1)
    write_run(tmp_path / "runs", "b", 0.1)
    with qtbot.waitSignal(results.runs_changed, timeout=WAIT_MS):
        results.refresh()
    with qtbot.waitSignal(results.runs_changed, timeout=WAIT_MS):
        results.delete(next(run for run in results.runs if run.name == "a"))
    assert names(results) == ["b"]
    assert not path.exists()


def test_a_run_that_trains_is_not_deleted(qtbot, results, tmp_path: Path) -> None:
    path = write_run(tmp_path / "runs", "a", 0.1)
    with qtbot.waitSignal(results.runs_changed, timeout=WAIT_MS):
        results.refresh()
    told: list[str] = []
    results.failed.connect(told.append)
    with RunFolder(path).locked(), qtbot.waitSignal(results.runs_changed, timeout=WAIT_MS):
        results.delete(results.runs[0])
    assert told == ["the run a is training; stop it before you delete it"]
    assert results.runs[0].state is RunState.TRAINING
    assert (path / "best.safetensors").is_file()


# --- saving


def test_weights_are_saved_elsewhere(qtbot, results, run: Path, tmp_path: Path) -> None:
    target = tmp_path / "kept.safetensors"
    with qtbot.waitSignal(results.saved, timeout=WAIT_MS) as told:
        results.save_as(run / "best.safetensors", target)
    assert told.args == [target]
    assert target.read_bytes() == (run / "best.safetensors").read_bytes()


def test_weights_are_not_saved_over_themselves(qtbot, results, run: Path) -> None:
    before = (run / "best.safetensors").read_bytes()
    with qtbot.waitSignal(results.failed, timeout=WAIT_MS) as told:
        results.save_as(run / "best.safetensors", run / "best.safetensors")
    assert "choose another name" in told.args[0]
    assert (run / "best.safetensors").read_bytes() == before


# --- comparing


def test_a_comparison_tells_its_progress_and_its_result(qtbot, results, run: Path, old: Path) -> None:
    seen: list[tuple[ComparisonState, tuple[int, int]]] = []
    results.comparison_changed.connect(lambda: seen.append((results.comparison_state, results.progress)))
    results.compare(run, old)
    assert results.comparison_state is ComparisonState.COMPUTING
    assert results.compared_run == run
    qtbot.waitUntil(lambda: results.comparison_state is not ComparisonState.COMPUTING, timeout=WAIT_MS)
    assert results.comparison_state is ComparisonState.DONE
    assert isinstance(results.comparison, Comparison)
    assert (results.comparison.old.path, results.comparison.run) == (old, run)
    assert results.comparison.faces == 24
    assert (ComparisonState.COMPUTING, (0, 24)) in seen
    assert seen[-1][0] is ComparisonState.DONE


def test_a_run_in_use_is_compared_with_the_shipped_weights(qtbot, results, run: Path) -> None:
    results.compare(run, run / "best.safetensors")
    qtbot.waitUntil(lambda: results.comparison_state is ComparisonState.DONE, timeout=WAIT_MS)
    assert results.comparison.old.path.parent != run


def test_a_failed_comparison_says_why_and_can_be_tried_again(qtbot, results, run: Path, old: Path) -> None:
    content = old.read_bytes()
    old.unlink()
    results.compare(run, old)
    qtbot.waitUntil(lambda: results.comparison_state is ComparisonState.FAILED, timeout=WAIT_MS)
    assert "are gone" in results.message
    assert results.comparison is None
    old.write_bytes(content)
    results.compare_again()
    assert results.message == ""
    qtbot.waitUntil(lambda: results.comparison_state is ComparisonState.DONE, timeout=WAIT_MS)
    assert results.comparison.old.path == old


def test_a_cancelled_comparison_tells_nothing_more(qtbot, results, run: Path, old: Path, monkeypatch) -> None:
    stopped = threading.Event()

    def endless(job, *_):
        while not job.should_stop():
            job.tell((1, 24))
        stopped.set()
        raise RuntimeError("nobody hears of this")

    monkeypatch.setattr(results_module, "_compare", endless)
    results.compare(run, old)
    qtbot.waitUntil(lambda: results.progress == (1, 24), timeout=WAIT_MS)
    results.cancel_comparison()
    assert results.comparison_state is ComparisonState.NONE
    assert stopped.wait(30)
    results.comparison_changed.connect(lambda: pytest.fail("it told something"))
    with qtbot.waitSignal(results.runs_changed, timeout=WAIT_MS):  # comes after anything of the comparison
        results.refresh()
    assert (results.comparison_state, results.message) == (ComparisonState.NONE, "")


def test_another_comparison_takes_the_place_of_the_first(qtbot, results, run: Path, old: Path, tmp_path: Path) -> None:
    other = write_run(tmp_path / "runs", "other", 0.1, data="/nowhere/faces")
    results.compare(other, old)
    results.compare(run, old)
    qtbot.waitUntil(lambda: results.comparison_state is not ComparisonState.COMPUTING, timeout=WAIT_MS)
    assert results.comparison_state is ComparisonState.DONE
    assert results.comparison.run == run


def test_shutting_down_ends_all_work(results, run: Path, old: Path, monkeypatch) -> None:
    stopped = threading.Event()

    def endless(job, *_):
        while not job.should_stop():
            pass
        stopped.set()

    monkeypatch.setattr(results_module, "_compare", endless)
    results.compare(run, old)
    results.shut_down()
    assert stopped.wait(30)
