"""Runs on disk, as whoever lists, copies or deletes them sees them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trainer.tiny import ROOT, names_in, small_disk
from trainer import events
from trainer.config import TrainConfig
from trainer.run_folder import RunFolder
from trainer.runs import ALL_FILES, RunState, TrainingError, copy_weights, delete_run, list_runs, summarise

HALF_WRITTEN = ".best.safetensors." + "0123456789abcdef" * 2


def epoch(number: int, nme: float = 0.1, seconds: float = 60.0) -> events.EpochDone:
    return events.EpochDone(
        epoch=number,
        training_loss=1 / number,
        nme_mean=nme,
        failure_rate=0.25,
        auc=0.5,
        face_accuracy=1.0,
        seconds=seconds,
        is_best=number == 1,
    )


@pytest.fixture
def write_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write a run's folder as the trainer leaves it."""
    monkeypatch.setattr(RunFolder, "draw_curves", lambda _: None)

    def write(
        name: str,
        *nmes: float,
        epochs: int = 3,
        has_state: bool = False,
        last: events.Event | None = None,
        at_s: float | None = None,
    ) -> Path:
        run = RunFolder(tmp_path / "runs" / name)
        with run.locked():
            run.write_config(TrainConfig(model="compact", epochs=epochs))
            for number, nme in enumerate(nmes, start=1):
                run.add_metrics(epoch(number, nme))
            if nmes:
                (run.path / "best.safetensors").write_bytes(b"weights")
            if has_state:
                run.write_state(b"state")
            if last is not None:
                run.record(last)
        if at_s is not None:
            os.utime(run.path / "config.json", (at_s, at_s))
        return run.path

    return write


# --- reading


def test_a_finished_run_in_one_line(write_run) -> None:
    path = write_run("first", 0.3, 0.1, 0.2, at_s=1_700_000_000.0)
    run = summarise(path)
    assert (run.name, run.config.model, run.state) == ("first", "compact", RunState.FINISHED)
    assert run.epochs == (epoch(1, 0.3), epoch(2, 0.1), epoch(3, 0.2))
    assert run.best == epoch(2, 0.1)
    assert run.seconds == 180
    assert run.started_s == 1_700_000_000.0
    assert run.weights == path / "best.safetensors"
    assert not run.can_resume


def test_a_real_run_in_one_line(trained_run) -> None:
    run = summarise(trained_run.folder)
    assert run.state is RunState.FINISHED
    assert list(run.epochs) == [event for event in trained_run.told if isinstance(event, events.EpochDone)]
    assert run.weights is not None


@pytest.mark.parametrize(
    ("nmes", "has_state", "last", "state", "can_resume"),
    [
        ((), False, None, RunState.STOPPED, True),
        ((0.1,), True, events.RunFinished("x", 1, 0.1, stopped=True), RunState.STOPPED, True),
        ((0.3, 0.2, 0.1), True, events.RunFinished("x", 3, 0.1, stopped=True), RunState.STOPPED, True),
        ((0.3, 0.2, 0.1), False, events.RunFinished("x", 3, 0.1, stopped=False), RunState.FINISHED, False),
        ((0.1,), True, events.RunFailed("the disk is full"), RunState.FAILED, True),
        ((0.1,), True, events.BatchDone(2, 5, 0.1, 9.0), RunState.STOPPED, True),
    ],
)
def test_how_far_a_run_came(write_run, nmes, has_state, last, state: RunState, can_resume: bool) -> None:
    run = summarise(write_run("run", *nmes, has_state=has_state, last=last))
    assert run.state is state
    assert run.can_resume is can_resume
    assert run.message == ("the disk is full" if state is RunState.FAILED else "")


def test_a_run_that_never_got_to_weights(write_run) -> None:
    run = summarise(write_run("run"))
    assert run.best is None
    assert run.weights is None
    assert run.seconds == 0


def test_a_run_that_trains_now(write_run) -> None:
    path = write_run("run", 0.1, has_state=True, last=events.RunFailed("of the time before"))
    with RunFolder(path).locked():
        run = summarise(path)
    assert (run.state, run.message, run.can_resume) == (RunState.TRAINING, "", False)
    assert summarise(path).state is RunState.FAILED


def test_a_line_that_a_crash_cut_short_is_passed_over(write_run) -> None:
    path = write_run("run", 0.1, has_state=True, last=events.RunFailed("the disk is full"))
    with (path / "events.jsonl").open("ab") as file:
        file.write(b'{"event": "Batch')
    assert summarise(path).message == "the disk is full"


def test_a_damaged_table_of_figures_loses_no_run(write_run) -> None:
    path = write_run("run", 0.1, 0.2)
    (path / "metrics.csv").write_bytes(b"\xff\x00 not a table")
    assert summarise(path).epochs == ()
    assert summarise(path).weights is not None


def test_the_latest_run_is_the_first(write_run, tmp_path: Path) -> None:
    for name, at_s in (("b", 200.0), ("a", 300.0), ("c", 100.0)):
        write_run(name, 0.1, at_s=at_s)
    assert [run.name for run in list_runs(tmp_path / "runs")] == ["a", "b", "c"]


def test_what_is_no_run_is_left_out(write_run, tmp_path: Path) -> None:
    write_run("good", 0.1)
    (write_run("of a later version", 0.1) / "config.json").write_text('{"shoe_size": 43}', encoding="utf-8")
    (tmp_path / "runs" / "empty").mkdir()
    (tmp_path / "runs" / "a file").touch()
    assert [run.name for run in list_runs(tmp_path / "runs")] == ["good"]
    assert list_runs(tmp_path / "nowhere") == []


def test_listing_needs_no_torch() -> None:
    program = "import sys, trainer.runs, trainer.comparison; print('torch' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=100, check=True
    )
    assert run.stdout.strip() == "False"


# --- deleting


def test_a_deleted_run_leaves_nothing(write_run, tmp_path: Path) -> None:
    path = write_run("run", 0.1, has_state=True, last=events.RunFailed("x"))
    (path / HALF_WRITTEN).touch()
    delete_run(path)
    assert names_in(tmp_path / "runs") == []


def test_what_the_user_put_there_stays(write_run) -> None:
    path = write_run("run", 0.1)
    (path / "notes.txt").write_text("mine", encoding="utf-8")
    delete_run(path)
    assert names_in(path) == ["notes.txt"]


def test_a_run_that_trains_is_not_deleted(write_run, is_one_sentence) -> None:
    path = write_run("run", 0.1)
    with RunFolder(path).locked():
        with pytest.raises(TrainingError, match="run is training; stop it") as caught:
            delete_run(path)
        assert (path / "best.safetensors").is_file()
    assert is_one_sentence(caught.value)


def test_files_that_cannot_be_deleted_are_told(write_run, is_one_sentence) -> None:
    path = write_run("run", 0.1)
    (path / "curves.png").mkdir()
    with pytest.raises(TrainingError, match="cannot be deleted") as caught:
        delete_run(path)
    assert is_one_sentence(caught.value)
    assert [run.name for run in list_runs(path.parent)] == ["run"]  # to try again


# --- copying


@pytest.fixture
def weights(write_run) -> Path:
    return write_run("run", 0.1) / "best.safetensors"


def test_a_copy_is_the_file(weights: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine.safetensors"
    target.write_bytes(b"old")
    copy_weights(weights, target)
    assert target.read_bytes() == weights.read_bytes()
    assert names_in(tmp_path) == ["mine.safetensors", "runs"]


def test_a_file_is_not_copied_over_itself(weights: Path, tmp_path: Path, is_one_sentence) -> None:
    link = tmp_path / "link.safetensors"
    link.hardlink_to(weights)
    for target in (weights, link):
        with pytest.raises(TrainingError, match="choose another name") as caught:
            copy_weights(weights, target)
        assert is_one_sentence(caught.value)
    assert weights.read_bytes() == b"weights"


def test_weights_that_are_gone_are_told(weights: Path, tmp_path: Path, is_one_sentence) -> None:
    weights.unlink()
    with pytest.raises(TrainingError, match="are gone") as caught:
        copy_weights(weights, tmp_path / "x")
    assert is_one_sentence(caught.value)
    assert names_in(tmp_path) == ["runs"]


def test_a_folder_that_cannot_be_written_is_told(weights: Path, tmp_path: Path, is_one_sentence) -> None:
    with pytest.raises(TrainingError, match="could not be written") as caught:
        copy_weights(weights, tmp_path / "nowhere" / "x.safetensors")
    assert is_one_sentence(caught.value)


def test_a_copy_onto_a_full_disk_leaves_the_old_file(weights: Path, tmp_path: Path) -> None:
    weights.write_bytes(b"x" * 100_000)
    target = tmp_path / "mine.safetensors"
    target.write_bytes(b"old")
    with small_disk() as fill, pytest.raises(TrainingError, match="could not be written"):
        fill(1000)
        copy_weights(weights, target)
    assert target.read_bytes() == b"old"
    assert names_in(tmp_path) == ["mine.safetensors", "runs"]


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_a_run_with_links_in_it_does_no_harm_where_they_lead(write_run: Callable[..., Path], tmp_path: Path) -> None:
    """Whoever lists or deletes a folder that came from elsewhere touches nothing outside of it."""
    run, mine = write_run("mine", 0.1), tmp_path / "mine.txt"
    mine.write_text("precious", encoding="utf-8")
    for name in (".lock", "best.safetensors", "events.jsonl", "curves.png"):
        (run / name).unlink(missing_ok=True)
        (run / name).symlink_to(mine)
    assert summarise(run).state is RunState.STOPPED
    delete_run(run)
    assert mine.read_text(encoding="utf-8") == "precious" and not run.exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names")
@pytest.mark.parametrize("name", ALL_FILES)
def test_a_pipe_in_a_run_is_not_waited_for(name: str, write_run: Callable[..., Path]) -> None:
    run = write_run("mine", 0.1)
    (run / name).unlink(missing_ok=True)
    os.mkfifo(run / name)
    assert len(list_runs(run.parent)) == (name != "config.json")
    delete_run(run)
    assert not run.exists()


@pytest.mark.parametrize("cell", ["nan", "inf", "1e300", "", "x", "-1e999"])
@pytest.mark.parametrize("column", ["auc", "seconds", "training_loss"])
def test_a_row_of_figures_that_are_none_is_passed_over(column: str, cell: str, write_run: Callable[..., Path]) -> None:
    table = write_run("a", 0.2, 0.1) / "metrics.csv"
    names, first, second = table.read_text(encoding="utf-8").splitlines()
    cells = first.split(",")
    cells[names.split(",").index(column)] = cell
    table.write_text("\n".join([names, ",".join(cells), second]), encoding="utf-8")
    assert [done.epoch for done in summarise(table.parent).epochs] == [2]


def test_a_row_that_breaks_off_is_passed_over(write_run: Callable[..., Path]) -> None:
    table = write_run("a", 0.2, 0.1) / "metrics.csv"
    for share in range(20, 100, 7):
        whole = table.read_bytes()
        table.write_bytes(whole[: len(whole) * share // 100])
        assert len(summarise(table.parent).epochs) < 2
        table.write_bytes(whole)
