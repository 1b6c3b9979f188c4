import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from filelock import FileLock

from tests.trainer.tiny import TIMEOUT_S, Tiny, environment, go_tiny, names_in, small_disk
from trainer import events, run_folder
from trainer.config import TrainConfig
from trainer.core.checkpoint import load_checkpoint
from trainer.run_folder import RunFolder
from trainer.runs import ALL_FILES, TrainingError, is_free, read_config

HALF_WRITTEN = ".last.safetensors." + "0123456789abcdef" * 2


def epoch(number: int, nme: float = 0.1) -> events.EpochDone:
    return events.EpochDone(
        epoch=number,
        training_loss=1 / number,
        nme_mean=nme,
        failure_rate=0.25,
        auc=0.5,
        face_accuracy=1.0,
        seconds=1.5,
        is_best=number == 1,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    """A folder that this process keeps others out of."""
    run = RunFolder(tmp_path / "run")
    with run.locked():
        yield run


# --- the lock ---


def test_a_folder_is_for_one_at_a_time(folder: RunFolder, is_one_sentence) -> None:
    with pytest.raises(TrainingError, match="another process is training") as caught, RunFolder(folder.path).locked():
        pass
    assert str(folder.path) in str(caught.value)
    assert is_one_sentence(caught.value)


def test_a_folder_is_free_when_its_run_has_ended(tmp_path: Path) -> None:
    for _ in range(2):
        with RunFolder(tmp_path / "run").locked():
            pass
    with pytest.raises(ZeroDivisionError), RunFolder(tmp_path / "run").locked():
        raise ZeroDivisionError
    with RunFolder(tmp_path / "run").locked():
        pass


def test_who_only_looks_stops_no_run(tmp_path: Path, monkeypatch) -> None:
    """The list of runs asks whether somebody trains just when a run begins, and has its lock for a moment."""
    run = RunFolder(tmp_path / "run")
    with run.locked():
        pass
    looking = FileLock(run.path / ".lock")
    looking.acquire()
    monkeypatch.setattr("time.sleep", lambda _: looking.release())
    with run.locked():
        assert not looking.is_locked


def test_the_lock_vanishes_with_its_process(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from filelock import FileLock\n"
        "lock = FileLock(sys.argv[1], timeout=0)\n"
        "lock.acquire()\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()\n"
    )
    (tmp_path / "run").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "run" / ".lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    try:
        assert process.stdout.readline().strip() == b"locked"
        with pytest.raises(TrainingError, match="another process"), RunFolder(tmp_path / "run").locked():
            pass
    finally:
        process.kill()
        process.wait(TIMEOUT_S)
        process.stdin.close()
        process.stdout.close()
    with RunFolder(tmp_path / "run").locked():
        pass


@pytest.mark.parametrize("below", ["file", "file/run", "x" * 300])
def test_a_folder_that_cannot_be_made(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    run = RunFolder(tmp_path / below)
    assert not run.holds_a_run
    with pytest.raises(TrainingError, match="cannot be written") as caught, run.locked():
        pass
    assert "choose another --out" in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_written(tmp_path: Path, is_one_sentence) -> None:
    (tmp_path / "run").mkdir(mode=0o555)
    with pytest.raises(TrainingError, match="cannot be written") as caught, RunFolder(tmp_path / "run").locked():
        pass
    assert is_one_sentence(caught.value)


# --- what a killed process leaves ---


def test_half_written_files_are_tidied_up(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    others = ["notes.txt", ".config.json.swp", ".notes.txt." + "0" * 32, ".last.safetensors.bak"]
    for name in (HALF_WRITTEN, *others):
        (tmp_path / "run" / name).write_bytes(b"half")
    with RunFolder(tmp_path / "run").locked():
        assert set(names_in(tmp_path / "run")) == {*others, ".lock"}


def test_removing_takes_all_that_is_the_runs(folder: RunFolder) -> None:
    for name in (*ALL_FILES, HALF_WRITTEN):
        (folder.path / name).write_bytes(b"")
    folder.remove()
    assert not folder.path.exists()


def test_removing_spares_what_is_others(folder: RunFolder) -> None:
    folder.write_config(TrainConfig())
    folder.record(events.Notice("begun"))
    (folder.path / "notes.txt").write_bytes(b"mine")
    folder.remove()
    assert names_in(folder.path) == ["notes.txt"]


def test_what_a_run_left_that_was_killed_before_it_began_is_in_nobodys_way(tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert is_free(run)
    run.mkdir()
    assert not is_free(run), "it may be the user's"
    for name in (".lock", f".config.json.{'0a' * 16}"):
        (run / name).write_bytes(b"")
        assert is_free(run)
    (run / "notes.txt").write_bytes(b"")
    assert not is_free(run)
    assert not is_free(run / "notes.txt")


@pytest.mark.parametrize("name", [name for name in ALL_FILES if name != ".lock"])
def test_any_file_of_a_run_tells_that_there_was_one(tmp_path: Path, name: str) -> None:
    assert not RunFolder(tmp_path).holds_a_run
    (tmp_path / ".lock").write_bytes(b"")
    (tmp_path / "notes.txt").write_bytes(b"")
    assert not RunFolder(tmp_path).holds_a_run
    (tmp_path / name).write_bytes(b"")
    assert RunFolder(tmp_path).holds_a_run


# --- events ---


def test_events_are_added_line_by_line(folder: RunFolder) -> None:
    told = [events.Notice("ü ☃"), events.BatchDone(1, 2, 0.5, 9.0), epoch(1)]
    for event in told:
        folder.record(event)
        lines = (folder.path / "events.jsonl").read_bytes().splitlines(keepends=True)
        assert events.from_json_line(lines[-1].decode()) == event, "it is not on disk yet"
        assert lines[-1].endswith(b"\n")
    assert len(lines) == 3


def test_a_line_that_was_cut_short_spoils_no_other(folder: RunFolder) -> None:
    folder.record(events.Notice("first"))
    with (folder.path / "events.jsonl").open("ab") as file:
        file.write(b'{"event": "Noti')
    folder.record(events.Notice("second"))
    folder.record(events.Notice("third"))
    lines = (folder.path / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert [events.from_json_line(lines[number]).message for number in (0, 2, 3)] == ["first", "second", "third"]
    assert len(lines) == 4


# --- metrics and pictures ---


def test_metrics_are_kept_with_those_before(folder: RunFolder) -> None:
    for number in (1, 2, 3):
        folder.add_metrics(epoch(number, nme=0.3 / number))
    assert folder.judged_epochs() == {1: 0.3, 2: 0.15, 3: pytest.approx(0.1)}
    again = RunFolder(folder.path)
    again.keep_metrics_before(3)
    again.add_metrics(epoch(3, nme=0.9))
    assert again.judged_epochs() == {1: 0.3, 2: 0.15, 3: 0.9}
    text = (folder.path / "metrics.csv").read_bytes()
    assert text.count(b"\r\n") == text.count(b"\n") == 4
    assert text.startswith(",".join(field.name for field in dataclasses.fields(events.EpochDone)).encode())


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\x00\xff\xfe",
        b"epoch\r\n1\r\n",
        b"epoch,training_loss,nme_mean,failure_rate,auc,face_accuracy,seconds,is_best\r\n1,0.5\r\n",
        b"epoch,training_loss,nme_mean,failure_rate,auc,face_accuracy,seconds,is_best\r\n1,a,b,c,d,e,f,g\r\n",
        b"epoch,training_loss,nme_mean,failure_rate,auc,face_accuracy,seconds,is_best\r\n1,1,1,1,1,1,1,1,1,1\r\n",
        b'"' + b"x" * 200_000,
    ],
)
def test_a_damaged_table_is_as_good_as_none(folder: RunFolder, text: bytes) -> None:
    assert folder.judged_epochs() == {}
    (folder.path / "metrics.csv").write_bytes(text)
    assert folder.judged_epochs() == {}
    folder.keep_metrics_before(9)
    folder.add_metrics(epoch(9))
    assert list(folder.judged_epochs()) == [9]


def test_curves_are_drawn_now_and_then_and_at_the_end(folder: RunFolder, monkeypatch) -> None:
    drawn: list[list[int]] = []
    monkeypatch.setattr("trainer.plots.write_curves", lambda path, epochs, losses, nmes: drawn.append(epochs))
    now = [100.0]
    monkeypatch.setattr("trainer.run_folder.time.monotonic", lambda: now[0])
    folder.draw_curves()
    assert drawn == [], "there is nothing to draw"
    for number in range(1, 6):
        folder.add_metrics(epoch(number))
        now[0] += run_folder.CURVES_EVERY_S / 2
    folder.draw_curves()
    assert drawn == [[1], [1, 2, 3, 4], [1, 2, 3, 4, 5]]


def test_pictures_can_be_looked_at(folder: RunFolder) -> None:
    folder.write_sheet(np.full((30, 40, 3), 7, np.uint8))
    folder.add_metrics(epoch(1))
    for name, shape in (("validation.png", (30, 40, 3)), ("curves.png", None)):
        picture = cv2.imdecode(np.fromfile(folder.path / name, np.uint8), cv2.IMREAD_COLOR)
        assert shape in (None, picture.shape)


# --- weights, state and configuration ---


def test_weights_and_state_come_back(folder: RunFolder, monkeypatch) -> None:
    go_tiny(monkeypatch)
    torch.manual_seed(0)
    network = Tiny()
    path = folder.save_weights("best.safetensors", network, name="simple", info={"epoch": 3})
    assert load_checkpoint(path).info == {"epoch": 3}
    assert folder.read_state() is None
    folder.write_state(b"state")
    assert folder.read_state() == b"state"
    folder.remove_state()
    folder.remove_state()
    assert folder.read_state() is None


def test_a_state_that_cannot_be_read(folder: RunFolder, is_one_sentence) -> None:
    (folder.path / "state.safetensors").mkdir()
    with pytest.raises(TrainingError, match="cannot be read") as caught:
        folder.read_state()
    assert is_one_sentence(caught.value)


def test_a_configuration_comes_back(folder: RunFolder) -> None:
    config = TrainConfig(data="ü ☃", epochs=3, correct_labels=False)
    folder.write_config(config)
    assert read_config(folder.path) == config


def test_there_is_no_run(tmp_path: Path, is_one_sentence) -> None:
    with pytest.raises(TrainingError, match="there is no run in") as caught:
        read_config(tmp_path)
    assert is_one_sentence(caught.value)


def test_a_configuration_of_a_later_version_is_refused(folder: RunFolder, is_one_sentence) -> None:
    (folder.path / "config.json").write_text('{"epochs": 3, "shoe_size": 43}', encoding="utf-8")
    with pytest.raises(TrainingError, match="'shoe_size'") as caught:
        read_config(folder.path)
    assert str(folder.path) in str(caught.value)
    assert is_one_sentence(caught.value)


# --- a full disk ---


WRITES: dict[str, Callable[[RunFolder], object]] = {
    "config.json": lambda run: run.write_config(TrainConfig(epochs=7)),
    "events.jsonl": lambda run: run.record(events.Notice("a line that has no room any more")),
    "best.safetensors": lambda run: run.save_weights("best.safetensors", Tiny(), name="simple", info={}),
    "state.safetensors": lambda run: run.write_state(b"y" * 99),
    "metrics.csv": lambda run: run.add_metrics(epoch(1)),
    "validation.png": lambda run: run.write_sheet(np.zeros((9, 9, 3), np.uint8)),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_full_disk_is_told_and_the_old_file_stays(folder: RunFolder, name: str, is_one_sentence) -> None:
    path = folder.path / name
    path.write_bytes(b"x" * 15)
    with small_disk() as fill, pytest.raises(TrainingError, match="could not be written") as caught:
        fill(20)
        WRITES[name](folder)
    assert name in str(caught.value)
    assert f"--resume {folder.path}" in str(caught.value)
    assert is_one_sentence(caught.value)
    assert path.read_bytes().startswith(b"x" * 15)
    assert set(names_in(folder.path)) == {".lock", name}


def test_curves_on_a_full_disk(folder: RunFolder) -> None:
    folder.add_metrics(epoch(1))
    before = (folder.path / "curves.png").read_bytes()
    with small_disk() as fill, pytest.raises(TrainingError, match=r"curves\.png could not be written"):
        fill(20)
        folder.draw_curves()
    assert (folder.path / "curves.png").read_bytes() == before
