"""Runs that were stopped, crashed or were killed, and went on."""

import csv
import dataclasses
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from tests.trainer.tiny import (
    Child,
    Stop,
    Tiny,
    TinyTeller,
    are_equal,
    go_tiny,
    names_in,
    of_type,
    only_failure,
    weights_of,
)
from trainer import events, progress
from trainer.config import TrainConfig
from trainer.core.checkpoint import CheckpointError, load_checkpoint
from trainer.dataset import DatasetError
from trainer.loop import fit, resume
from trainer.run_folder import RunFolder
from trainer.runs import ALL_FILES, CONFIG, CURVES, LOCK, STATE, RunState, TrainingError, summarise


@pytest.fixture(scope="module", autouse=True)
def _tiny_networks(trained_run) -> Iterator[None]:
    """Networks that cost nothing, and no pictures but those of `trained_run`, which is others' too."""
    with pytest.MonkeyPatch.context() as patch:
        go_tiny(patch)
        yield


def ignore(event: events.Event) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def start(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    """Three epochs of four batches, the last of which has four faces instead of eight."""
    folder = tmp_path_factory.mktemp("unbroken")
    return TrainConfig(
        data=str(tiny_data), out=str(folder), model="two_conv", epochs=3, batch_size=8, device="cpu", threads=1
    )


@pytest.fixture(scope="module")
def weights(start: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Weights to start from, or to learn from."""
    out = tmp_path_factory.mktemp("weights") / "run"
    return str(fit(dataclasses.replace(start, out=str(out), seed=7, epochs=1), on_event=ignore) / "best.safetensors")


@pytest.fixture(scope="module")
def unbroken(start: TrainConfig, weights: str) -> Callable[..., Path]:
    """Folder of a run from start to end, by the settings that it has beside those of `start`."""
    known: dict[str, Path] = {}

    def run(**changes: Any) -> Path:
        key = repr(sorted(changes.items()))
        if key not in known:
            out = Path(start.out) / str(len(known))
            known[key] = fit(dataclasses.replace(start, **changes, out=str(out)), on_event=ignore)
        return known[key]

    return run


@pytest.fixture
def config(start: TrainConfig, tmp_path: Path) -> TrainConfig:
    return dataclasses.replace(start, out=str(tmp_path / "run"))


@pytest.fixture
def stopped(config: TrainConfig) -> Path:
    """A run that was stopped after five of its twelve batches."""
    stop = Stop(after=6)
    return fit(config, on_event=stop.on_event, should_stop=stop)


def rows_of(folder: Path, *but: str) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="", encoding="utf-8") as file:
        return [{key: row[key] for key in row if key not in but} for row in csv.DictReader(file)]


def assert_same_end(folder: Path, other: Path) -> None:
    assert are_equal(weights_of(folder), weights_of(other))
    assert rows_of(folder, "seconds", "is_best") == rows_of(other, "seconds", "is_best")
    assert load_checkpoint(folder / "last.safetensors").info == load_checkpoint(other / "last.safetensors").info
    assert not (folder / "state.safetensors").exists()


# --- stopped ---

EVERY_WAY: list[dict[str, Any]] = [
    {"optimizer": optimizer, "schedule": schedule}
    for optimizer in ("adamw", "adam", "sgd")
    for schedule in ("one_cycle", "constant")
]


@pytest.mark.parametrize("after", [0, 1, 2, 4, 5, 8], ids=lambda after: f"asked {after} times")
@pytest.mark.parametrize("way", EVERY_WAY, ids=lambda way: " ".join(way.values()))
def test_a_stopped_run_ends_as_if_it_never_was(config: TrainConfig, unbroken, way: dict, after: int) -> None:
    """Asked before each of four batches and after an epoch: 0 is the start, 4 an epoch's end, others are within one."""
    way = {**way, "learning_rate": 1e-3}
    stop = Stop(after=after)
    folder = fit(dataclasses.replace(config, **way), on_event=stop.on_event, should_stop=stop)
    assert stop.told[-1].stopped
    torch.rand(3)  # what happens in between does not matter
    told: list[events.Event] = []
    assert resume(folder, on_event=told.append) == folder
    assert told[0].epochs_done == (after + 1) // 5
    assert told[-1].epochs_done == 3
    assert told[-1].stopped is False
    assert_same_end(folder, unbroken(**way))


@pytest.mark.parametrize("after", [2, 6])
@pytest.mark.parametrize("setting", ["finetune", "teacher"])
def test_weights_that_a_run_began_with_are_used_again(config, unbroken, weights: str, setting: str, after) -> None:
    way = {setting: weights, "calm_share": 0.5}
    stop = Stop(after=after)
    folder = fit(dataclasses.replace(config, **way), on_event=stop.on_event, should_stop=stop)
    resume(folder, on_event=ignore)
    assert_same_end(folder, unbroken(**way))
    assert not are_equal(weights_of(folder), weights_of(unbroken()))


@pytest.mark.parametrize("after", [0, 1, 4, 5, 8, 9])
def test_a_state_too_large_for_every_epoch_is_written_by_a_stop(config, unbroken, monkeypatch, after: int) -> None:
    monkeypatch.setattr(progress, "LARGE", 0)
    monkeypatch.setattr(progress, "BYTES_PER_S", 1e-6)
    written = []
    write_state = RunFolder.write_state
    monkeypatch.setattr(RunFolder, "write_state", lambda *args: (written.append(args), write_state(*args)))
    stop = Stop(after=after)
    folder = fit(config, on_event=stop.on_event, should_stop=stop)
    assert len(written) == (after > 0)
    resume(folder, on_event=ignore)
    assert len(written) == (after > 0)
    assert_same_end(folder, unbroken())


def test_a_run_may_be_stopped_at_every_batch(config: TrainConfig, unbroken) -> None:
    stop = Stop(after=1)
    folder = fit(config, on_event=stop.on_event, should_stop=stop)
    stops = 1
    while stop.told[-1].stopped:
        stop = Stop(after=1)
        resume(folder, on_event=stop.on_event, should_stop=stop)
        stops += 1
    assert stops == 12
    assert_same_end(folder, unbroken())


def test_a_stop_before_the_first_step_changes_nothing(stopped: Path, unbroken) -> None:
    state = (stopped / "state.safetensors").read_bytes()
    for _ in range(2):
        stop = Stop(after=0)
        resume(stopped, on_event=stop.on_event, should_stop=stop)
        assert stop.told[-1].stopped
        assert stop.told[-1].epochs_done == 2
        assert stop.told[-1].best_nme_mean is not None
    assert (stopped / "state.safetensors").read_bytes() == state
    resume(stopped, on_event=ignore)
    assert_same_end(stopped, unbroken())


def test_a_stop_while_images_are_read_changes_nothing(stopped: Path) -> None:
    before = {path.name: path.read_bytes() for path in stopped.iterdir()}
    told: list[events.Event] = []
    resume(stopped, on_event=told.append, should_stop=lambda: True)
    best = min(float(row["nme_mean"]) for row in rows_of(stopped))
    assert told == [events.RunFinished(str(stopped), 2, best, stopped=True)]
    assert {path.name: path.read_bytes() for path in stopped.iterdir()} == before


def test_the_default_network_goes_on_as_well(trained_run, tmp_path: Path) -> None:
    """It has batch norm, and lies in memory in another order than its file."""
    stop = Stop(after=3)
    config = dataclasses.replace(trained_run.config, out=str(tmp_path / "run"))
    folder = fit(config, on_event=stop.on_event, should_stop=stop)
    resume(folder, on_event=ignore)
    assert_same_end(folder, trained_run.folder)


def test_the_best_weights_stay_the_best(stopped: Path, unbroken) -> None:
    """A stop within an epoch is judged too, and its weights may be better than any whole epoch's."""
    resume(stopped, on_event=ignore)
    best = load_checkpoint(stopped / "best.safetensors").info["validation"]["nme_mean"]
    assert best <= min(float(row["nme_mean"]) for row in rows_of(unbroken()))
    lines = (stopped / "events.jsonl").read_text(encoding="utf-8").splitlines()
    told = [events.from_json_line(line) for line in lines]
    assert best == min(epoch.nme_mean for epoch in of_type(told, events.EpochDone))
    assert best == told[-1].best_nme_mean


def test_events_of_both_parts_are_kept(stopped: Path) -> None:
    before = (stopped / "events.jsonl").read_text(encoding="utf-8").splitlines()
    told: list[events.Event] = []
    resume(stopped, on_event=told.append)
    after = (stopped / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert after[: len(before)] == before
    assert [events.from_json_line(line) for line in after[len(before) :]] == told


def test_a_run_divided_for_its_memory_stays_divided(config: TrainConfig, unbroken, monkeypatch) -> None:
    monkeypatch.setattr(Tiny, "most_crops", 6)
    way = {"optimizer": "sgd", "learning_rate": 1e-3}  # others make much of gradients that are zero but for rounding
    stop = Stop(after=6)
    folder = fit(dataclasses.replace(config, **way), on_event=stop.on_event, should_stop=stop)
    assert of_type(stop.told, events.Notice)
    told: list[events.Event] = []
    resume(folder, on_event=told.append)
    assert not of_type(told, events.Notice)
    monkeypatch.undo()
    for key, value in weights_of(unbroken(**way)).items():
        torch.testing.assert_close(weights_of(folder)[key], value, rtol=1e-4, atol=1e-6)


# --- what may change ---


def test_data_that_were_moved_are_found_again(config: TrainConfig, tiny_data: Path, tmp_path: Path, unbroken) -> None:
    data = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    stop = Stop(after=6)
    folder = fit(dataclasses.replace(config, data=str(data)), on_event=stop.on_event, should_stop=stop)
    moved = data.rename(tmp_path / "moved")
    with pytest.raises(DatasetError, match="data"):
        resume(folder, on_event=ignore)
    stop = Stop(after=2)
    resume(folder, on_event=stop.on_event, should_stop=stop, data=str(moved))
    assert json.loads((folder / "config.json").read_text(encoding="utf-8"))["data"] == str(moved)
    resume(folder, on_event=ignore)
    assert_same_end(folder, unbroken())


def test_weights_that_a_run_began_with_may_be_gone(config: TrainConfig, weights: str, tmp_path: Path) -> None:
    mine = Path(shutil.copy(weights, tmp_path / "mine.safetensors"))
    stop = Stop(after=6)
    folder = fit(dataclasses.replace(config, finetune=str(mine)), on_event=stop.on_event, should_stop=stop)
    mine.unlink()
    told: list[events.Event] = []
    resume(folder, on_event=told.append)
    assert told[-1].epochs_done == 3


def test_a_run_that_was_moved_goes_on_where_it_is(stopped: Path, tmp_path: Path, unbroken) -> None:
    moved = stopped.rename(tmp_path / "elsewhere")
    assert resume(str(moved), on_event=ignore) == moved
    assert not stopped.exists()
    assert_same_end(moved, unbroken())


def test_threads_and_device_may_change(stopped: Path) -> None:
    told: list[events.Event] = []
    resume(stopped, on_event=told.append, threads=2, device="auto")
    torch.set_num_threads(1)
    assert told[-1].epochs_done == 3
    config = json.loads((stopped / "config.json").read_text(encoding="utf-8"))
    assert (config["threads"], config["device"]) == (2, "auto")


def test_other_data_are_refused(stopped: Path, tiny_data: Path, tmp_path: Path, edit_table, is_one_sentence) -> None:
    data = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    edit_table(data / "training_frames_keypoints.csv", lambda lines: lines.pop(9))
    before = (stopped / "state.safetensors").read_bytes()
    with pytest.raises(TrainingError, match=r"has 2\d faces to train on where the run had 28") as caught:
        resume(stopped, on_event=ignore, data=str(data))
    assert is_one_sentence(caught.value)
    assert (stopped / "state.safetensors").read_bytes() == before
    resume(stopped, on_event=ignore, data=str(tiny_data))


# --- what cannot go on ---


def test_a_finished_run_is_refused(config: TrainConfig, is_one_sentence) -> None:
    folder = fit(config, on_event=ignore)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    told: list[events.Event] = []
    with pytest.raises(TrainingError, match="has all its 3 epochs") as caught:
        resume(folder, on_event=told.append)
    assert is_one_sentence(caught.value)
    assert told == [events.RunFailed(str(caught.value))]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_without_a_run_is_refused(tmp_path: Path, is_one_sentence) -> None:
    (tmp_path / "file").write_bytes(b"")
    for folder in (tmp_path, tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(TrainingError, match=r"there is no run|cannot be used") as caught:
            resume(folder, on_event=only_failure)
        assert str(folder) in str(caught.value)
        assert is_one_sentence(caught.value)
    assert names_in(tmp_path) == ["file"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '"run"',
        '{"shoe_size": 43}',
        '{"epochs": 0}',
        '{"epochs": "3"}',
        '{"model": ["compact"]}',
        "\x00\xff",
        "[" * 100_000,
    ],
    ids=lambda text: repr(text)[:20],
)
def test_a_damaged_configuration_is_refused(stopped: Path, text: str, is_one_sentence) -> None:
    (stopped / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(TrainingError, match=r"config\.json cannot be used") as caught:
        resume(stopped, on_event=only_failure)
    assert is_one_sentence(caught.value)
    assert (stopped / "state.safetensors").is_file()


def damages() -> Iterator[tuple[str, Callable[[bytes], bytes]]]:
    yield "empty", lambda content: b""
    yield "no safetensors file", lambda content: b"\x80\x04" * 500
    yield "a number for a header", lambda content: (3).to_bytes(8, "little") + b"123" + content
    for share in (0.001, 0.1, 0.5, 0.999):
        yield f"cut at {share}", lambda content, share=share: content[: int(share * len(content))]
    yield "another format", lambda content: content.replace(b"fkd-training-state", b"fkd-training-STATE")
    for key in (b"groups", b"schedule", b"parts", b"facts", b"epoch", b"network.points.weight", b"optimizer.0.exp_avg"):
        yield f"without {key.decode()}", lambda content, key=key: content.replace(key, b"?" * len(key))


@pytest.mark.parametrize("damage", [pytest.param(by, id=name) for name, by in damages()])
def test_a_damaged_state_is_refused(stopped: Path, damage, is_one_sentence) -> None:
    path = stopped / "state.safetensors"
    content = damage(path.read_bytes())
    path.write_bytes(content)
    told: list[events.Event] = []
    with pytest.raises(TrainingError, match=r"state\.safetensors is damaged") as caught:
        resume(stopped, on_event=told.append)
    assert is_one_sentence(caught.value)
    assert told == [events.RunFailed(str(caught.value))]
    assert path.read_bytes() == content
    assert load_checkpoint(stopped / "best.safetensors").name == "two_conv"


@pytest.mark.parametrize("changes", [{"model": "simple"}, {"optimizer": "sgd"}, {"schedule": "constant"}])
def test_the_state_of_another_run_is_refused(
    stopped: Path, config: TrainConfig, tmp_path: Path, changes: dict, is_one_sentence
) -> None:
    stop = Stop(after=6)
    other = dataclasses.replace(config, out=str(tmp_path / "other"), **changes)
    fit(other, on_event=stop.on_event, should_stop=stop)
    shutil.copy(Path(other.out) / "state.safetensors", stopped)
    with pytest.raises(TrainingError, match=r"state\.safetensors is damaged") as caught:
        resume(stopped, on_event=ignore)
    assert is_one_sentence(caught.value)


def test_weights_to_start_from_that_are_gone_are_named(config: TrainConfig, weights: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine.safetensors"
    shutil.copy(weights, mine)
    stop = Stop(after=0)
    folder = fit(dataclasses.replace(config, finetune=str(mine)), on_event=stop.on_event, should_stop=stop)
    mine.unlink()
    with pytest.raises(CheckpointError, match=r"mine\.safetensors"):
        resume(folder, on_event=ignore)


@pytest.mark.parametrize("table", ["", "epoch\r\n1\r\n", "\x00\xff", "epoch,nme_mean\r\none,two\r\n"])
def test_a_lost_table_of_figures_stops_nobody(stopped: Path, unbroken, table: str) -> None:
    (stopped / "metrics.csv").write_text(table, encoding="latin-1")
    resume(stopped, on_event=ignore)
    assert are_equal(weights_of(stopped), weights_of(unbroken()))
    assert [row["epoch"] for row in rows_of(stopped)] == ["2", "3"]


@pytest.mark.skipif(os.name == "nt", reason="links, and pipes with names")
@pytest.mark.parametrize("is_link", [True, False], ids=["links", "pipes"])
def test_a_run_with_links_or_pipes_in_it_goes_on_and_writes_nowhere_else(
    stopped: Path, unbroken, tmp_path: Path, is_link: bool
) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("precious", encoding="utf-8")
    for name in set(ALL_FILES) - {CONFIG, CURVES, LOCK} - ({STATE} if is_link else set()):
        path = stopped / name
        path.unlink(missing_ok=True)
        path.symlink_to(mine) if is_link else os.mkfifo(path)
    resume(stopped, on_event=ignore)
    assert are_equal(weights_of(stopped), weights_of(unbroken()))
    assert mine.read_text(encoding="utf-8") == "precious"
    assert all(path.is_file() and not path.is_symlink() for path in stopped.iterdir())


# --- a crash ---


class Killed(BaseException):
    """What nobody catches, as nobody does a crash."""


def test_a_crash_at_any_write_loses_no_more_than_the_epoch(config, unbroken, tmp_path, monkeypatch) -> None:
    """The process dies before, or right after, each file that it replaces, one run for each."""
    way = {"epochs": 2, "batch_size": 14}
    replace = Path.replace
    crashes = []
    for after in (False, True):
        for number in range(100):
            folder = tmp_path / f"{number} {after}"
            left = iter(range(number, -1, -1))

            def dying(self: Path, target: Path, after: bool = after, left: Iterator[int] = left) -> Path:
                die = next(left, -1) == 0
                if die and not after:
                    raise Killed
                path = replace(self, target)
                if die:
                    raise Killed
                return path

            monkeypatch.setattr(Path, "replace", dying)
            try:
                fit(dataclasses.replace(config, out=str(folder), **way), on_event=ignore)
            except Killed:
                crashes.append(folder)
            else:
                break
            finally:
                monkeypatch.setattr(Path, "replace", replace)
    # The configuration once, and each epoch metrics, sheet, last weights, at times best weights, and the state.
    assert 2 * (1 + 2 * 4) < len(crashes) <= 2 * (1 + 2 * 5)
    for folder in crashes:
        if not (folder / "config.json").exists():  # died before it began
            assert set(names_in(folder)) <= {".lock"}
            fit(dataclasses.replace(config, out=str(folder), **way), on_event=ignore)
        else:
            resume(folder, on_event=ignore)
        assert_same_end(folder, unbroken(**way))
        assert are_equal(weights_of(folder, "best.safetensors"), weights_of(unbroken(**way), "best.safetensors"))
        assert rows_of(folder, "seconds") == rows_of(unbroken(**way), "seconds")


def test_an_epoch_that_is_trained_again_replaces_no_better_weights(config, unbroken, monkeypatch) -> None:
    """The state of a large network is older than its best weights; here there is none yet."""
    monkeypatch.setattr(progress, "LARGE", 0)
    monkeypatch.setattr(progress, "BYTES_PER_S", 1e-6)
    way = {"learning_rate": 1e-3, "schedule": "constant", "epochs": 4}

    def die_in(epoch: int) -> Callable[[events.Event], None]:
        def on_event(event: events.Event) -> None:
            if isinstance(event, events.EpochDone) and event.epoch == epoch:
                raise Killed

        return on_event

    with pytest.raises(Killed):
        fit(dataclasses.replace(config, **way), on_event=die_in(3))
    folder = Path(config.out)
    assert not (folder / "state.safetensors").exists()
    best = folder / "best.safetensors"
    before = best.read_bytes()
    assert load_checkpoint(best).info["epoch"] == 2
    with pytest.raises(Killed):
        resume(folder, on_event=die_in(2))
    assert load_checkpoint(folder / "last.safetensors").info["epoch"] == 1
    assert best.read_bytes() == before
    told: list[events.Event] = []
    resume(folder, on_event=told.append)
    assert told[-1].best_nme_mean == load_checkpoint(best).info["validation"]["nme_mean"]
    assert_same_end(folder, unbroken(**way))
    assert best.read_bytes() == (unbroken(**way) / "best.safetensors").read_bytes()


@pytest.mark.parametrize("at", [events.EpochDone, events.CheckpointSaved])
def test_a_crash_in_the_last_epoch_before_any_state_was_kept(config, unbroken, monkeypatch, at: type) -> None:
    """A large network's: its figures are all there, its last weights are not, or not the best ones."""
    monkeypatch.setattr(progress, "LARGE", 0)
    monkeypatch.setattr(progress, "BYTES_PER_S", 1e-6)
    way = {"learning_rate": 1e-3, "schedule": "constant"}

    def die(event: events.Event) -> None:
        if isinstance(event, at) and event.epoch == 3:
            raise Killed

    with pytest.raises(Killed):
        fit(dataclasses.replace(config, **way), on_event=die)
    folder = Path(config.out)
    assert not (folder / "state.safetensors").exists()
    assert summarise(folder).state is RunState.STOPPED and summarise(folder).can_resume
    resume(folder, on_event=ignore)
    assert_same_end(folder, unbroken(**way))
    assert (folder / "best.safetensors").read_bytes() == (unbroken(**way) / "best.safetensors").read_bytes()
    assert summarise(folder).state is RunState.FINISHED


@pytest.mark.skipif(sys.platform == "win32", reason="Windows deletes no folder that is in use")
@pytest.mark.parametrize("at", [events.RunStarted, events.EpochDone, events.CheckpointSaved])
def test_a_folder_that_is_deleted_in_mid_training_is_told_and_not_made_anew(config, at: type, is_one_sentence) -> None:
    told: list[events.Event] = []

    def on_event(event: events.Event) -> None:
        told.append(event)
        if isinstance(event, at):
            shutil.rmtree(config.out, ignore_errors=True)

    with pytest.raises(TrainingError, match=r"the run's folder .* is gone") as caught:
        fit(config, on_event=on_event)
    assert is_one_sentence(caught.value)
    assert told[-1] == events.RunFailed(str(caught.value))
    assert not Path(config.out).exists()


# --- a full memory ---


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.01 GiB."),
        torch.AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be reported later."),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 2157312000 bytes."),
    ],
    ids=["PyTorch's allocator", "CUDA", "cuBLAS", "cuDNN", "the processor's"],
)
def test_a_memory_that_becomes_full_leaves_the_last_epoch(
    config, unbroken, monkeypatch, is_one_sentence, error: Exception
) -> None:
    """Another program takes it, a GPU's or the computer's, and each library has its own words for that."""

    def forward(network: Tiny, crops: torch.Tensor) -> None:
        raise error

    told: list[events.Event] = []

    def on_event(event: events.Event) -> None:
        told.append(event)
        if isinstance(event, events.EpochDone) and event.epoch == 2:
            patch.setattr(TinyTeller, "forward", forward)

    with monkeypatch.context() as patch, pytest.raises(TrainingError, match="memory of cpu is too small") as caught:
        fit(config, on_event=on_event)
    folder = Path(config.out)
    assert is_one_sentence(caught.value)
    assert told[-1] == events.RunFailed(str(caught.value))
    assert summarise(folder).state is RunState.FAILED and summarise(folder).can_resume
    assert load_checkpoint(folder / "last.safetensors").info["epoch"] == 2
    told.clear()
    resume(folder, on_event=told.append)
    assert told[0].epochs_done == 2
    assert_same_end(folder, unbroken())


def test_a_mistake_is_no_full_memory(config, monkeypatch) -> None:
    def forward(network: Tiny, crops: torch.Tensor) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(TinyTeller, "forward", forward)
    with pytest.raises(RuntimeError, match="mat1"):
        fit(config, on_event=ignore)


# --- killed ---


def assert_whole(folder: Path) -> None:
    """Every file has all its content, but for one that has another's name still."""
    for path in folder.glob("*.safetensors"):
        with safe_open(str(path), framework="pt") as file:
            assert all(torch.isfinite(file.get_tensor(key)).all() for key in file.keys())  # noqa: SIM118 (not a dict)
    json.loads((folder / "config.json").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_as_if_it_never_was(config: TrainConfig, unbroken) -> None:
    """kill -9 of the command line at six moments: in the first epoch, between and within batches, while it saves."""
    way, folder = {"epochs": 24}, Path(config.out)
    arguments: list[object] = ["--data", config.data, "--out", folder, "--model", config.model]
    arguments += ["--epochs", 24, "--batch-size", config.batch_size, "--threads", 1, "--device", "cpu"]
    random = np.random.default_rng(5)
    for moment, at_most in (
        (events.RunStarted, 1),
        (events.EpochDone, 1),
        (events.EpochDone, 1),  # its weights are about to be written
        (events.CheckpointSaved, 1),  # and its state
        (events.EpochDone, 4),
        (events.CheckpointSaved, 6),
    ):
        with Child("train", *arguments, "--events", "jsonl") as child:
            child.wait_for(moment, count=int(random.integers(at_most)) + 1)
            child.process.kill()
        assert_whole(folder)
        arguments = ["--resume", folder]
    (folder / f".state.safetensors.{'0a' * 16}").write_bytes(b"half")
    told: list[events.Event] = []
    resume(folder, on_event=told.append)
    assert 0 < told[0].epochs_done < 24
    assert_same_end(folder, unbroken(**way))
    assert are_equal(weights_of(folder, "best.safetensors"), weights_of(unbroken(**way), "best.safetensors"))
    assert rows_of(folder, "seconds") == rows_of(unbroken(**way), "seconds")
    assert set(names_in(folder)) - {"curves.png"} == set(names_in(unbroken(**way))), "something half written is left"
    for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines():
        events.from_json_line(line)
