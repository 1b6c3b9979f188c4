import csv
import dataclasses
import json
import math
import os
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from tests.trainer.tiny import Stop, Tiny, are_equal, go_tiny, names_in, of_type, only_failure, small_disk, weights_of
from trainer import events, loop, metrics
from trainer.config import ConfigError, TrainConfig
from trainer.core.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from trainer.core.models import build_network
from trainer.core.predictor import DeviceError, Predictor
from trainer.core.preprocess import box_from_keypoints
from trainer.dataset import DatasetError, load_crops, read_image, split_by_identity
from trainer.loop import fit
from trainer.readers import read_samples
from trainer.runs import TrainingError
from trainer.validation import Validation, validate


@pytest.fixture
def config(tiny_data: Path, tmp_path: Path) -> TrainConfig:
    """One epoch of four batches; the last has four faces instead of eight."""
    return TrainConfig(data=str(tiny_data), out=str(tmp_path / "run"), epochs=1, batch_size=8, device="cpu", threads=1)


@pytest.fixture
def tiny(config: TrainConfig, monkeypatch) -> TrainConfig:
    """The same, for a network that costs nothing; `two_conv` is one as well. No pictures are drawn."""
    go_tiny(monkeypatch)
    return dataclasses.replace(config, model="simple")


def ignore(event: events.Event) -> None:
    """Nobody listens."""


# --- a run ---


def test_the_network_learns(trained_run) -> None:
    epochs = of_type(trained_run.told, events.EpochDone)
    losses = [epoch.training_loss for epoch in epochs]
    assert losses[0] > losses[1] > losses[2]
    assert losses[2] < 0.8 * losses[0]
    assert epochs[2].nme_mean < epochs[0].nme_mean


def test_events_come_in_order_and_say_what_happened(trained_run) -> None:
    told = [event for event in trained_run.told if not isinstance(event, events.BatchDone)]
    epochs = of_type(told, events.EpochDone)
    expected: list[str] = ["RunStarted"]
    for epoch in epochs:
        expected += ["EpochDone", *["CheckpointSaved"] * (2 if epoch.is_best else 1)]
    assert [type(event).__name__ for event in told] == [*expected, "RunFinished"]
    folder = str(trained_run.folder)
    assert told[0] == events.RunStarted(
        run=folder,
        network=told[0].network,
        device="cpu",
        epochs=3,
        batches_per_epoch=4,
        training_faces=28,
        validation_faces=4,
    )
    assert told[0].network.startswith("compact")
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3]
    best = min(epoch.nme_mean for epoch in epochs)
    assert told[-1] == events.RunFinished(folder, 3, best, stopped=False)
    for event in of_type(told, events.CheckpointSaved):
        assert Path(event.path).is_file()
    for epoch in epochs:
        assert 0 <= epoch.failure_rate <= 1
        assert 0 <= epoch.face_accuracy <= 1
        assert epoch.seconds > 0


def test_the_run_folder_holds_all_and_nothing_else(trained_run) -> None:
    folder = trained_run.folder
    assert [name for name in names_in(folder) if name != ".lock"] == [
        "best.safetensors",
        "config.json",
        "curves.png",
        "events.jsonl",
        "last.safetensors",
        "metrics.csv",
        "validation.png",
    ]
    assert TrainConfig.from_json((folder / "config.json").read_text(encoding="utf-8")) == trained_run.config
    for name in ("curves.png", "validation.png"):
        picture = cv2.imdecode(np.fromfile(folder / name, np.uint8), cv2.IMREAD_COLOR)
        assert min(picture.shape[:2]) > 250
        assert picture.std() > 10


def test_events_are_kept_as_they_were_told(trained_run) -> None:
    lines = (trained_run.folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert [events.from_json_line(line) for line in lines] == trained_run.told


def test_metrics_are_a_row_an_epoch(trained_run) -> None:
    with (trained_run.folder / "metrics.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    epochs = of_type(trained_run.told, events.EpochDone)
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [float(row["nme_mean"]) for row in rows] == [epoch.nme_mean for epoch in epochs]
    assert set(rows[0]) == {field.name for field in dataclasses.fields(events.EpochDone)}


@pytest.mark.parametrize("name", ["best.safetensors", "last.safetensors"])
def test_the_weights_predict_and_tell_their_story(trained_run, tiny_data: Path, name: str) -> None:
    predictor = Predictor.load(trained_run.folder / name, device="cpu")
    sample = read_samples(tiny_data)[0]
    found = predictor.predict(read_image(sample.image_path), box_from_keypoints(sample.keypoints_px[None]))
    assert np.isfinite(found.points_px).all()
    epochs = {epoch.epoch: epoch for epoch in of_type(trained_run.told, events.EpochDone)}
    story = predictor.info
    recipe = dataclasses.asdict(trained_run.config)
    for folder in ("data", "out", "finetune", "teacher"):  # weights are passed on; where they were made stays here
        del recipe[folder]
    assert story["config"] == recipe
    assert story["validation"]["nme_mean"] == epochs[story["epoch"]].nme_mean
    if name == "best.safetensors":
        assert epochs[story["epoch"]].nme_mean == min(epoch.nme_mean for epoch in epochs.values())
    else:
        assert story["epoch"] == 3


def test_the_figures_are_of_people_that_were_kept_aside(trained_run, tiny_data: Path) -> None:
    """`validate` on the last weights and the held-out people gives the last epoch's figures."""
    validation = split_by_identity(read_samples(tiny_data), validation_share=0.15, seed=1)[1]
    network = load_checkpoint(trained_run.folder / "last.safetensors").network
    result = validate(network, load_crops(validation, size_px=96, crop_per_box=1.25))
    last = of_type(trained_run.told, events.EpochDone)[-1]
    assert result.score.nme_mean == pytest.approx(last.nme_mean, rel=1e-4)
    assert result.face_accuracy == pytest.approx(last.face_accuracy)
    assert result.score.count == 4


def test_a_seed_says_everything(tiny: TrainConfig, tmp_path: Path) -> None:
    weights = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        torch.rand(5)  # what happened before does not matter
        folder = fit(dataclasses.replace(tiny, out=str(tmp_path / name), seed=seed), on_event=ignore)
        weights.append(weights_of(folder))
    assert are_equal(weights[0], weights[1])
    assert not torch.equal(weights[0]["points.weight"], weights[2]["points.weight"])


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "adam", "loss": "smooth_l1"},
        {"optimizer": "sgd", "loss": "mse", "learning_rate": 1e-4, "schedule": "constant"},
        {"loss": "wing", "augmentation": "random_crop"},
        {"augmentation": "none", "negative_share": 0.0, "correct_labels": False},
        {"negative_share": 1.0, "batch_size": 5, "calm_share": 1.0},
        {"batch_size": 1000, "precision": "float32"},
        {"batch_size": 1},
        {"precision": "bfloat16"},
    ],
    ids=lambda changes: ",".join(f"{key}={value}" for key, value in changes.items()),
)
def test_every_way_to_train_runs(tiny: TrainConfig, changes: dict) -> None:
    run = dataclasses.replace(tiny, model="two_conv", **changes)
    torch.manual_seed(run.seed)
    before = build_network("two_conv").state_dict()
    told: list[events.Event] = []
    after = weights_of(fit(run, on_event=told.append))
    assert told[-1].stopped is False
    assert not torch.equal(after["points.weight"], before["points.weight"])
    if changes.get("negative_share") == 0.0:
        assert torch.equal(after["face.bias"], before["face.bias"])  # nothing teaches it


def test_a_network_that_cannot_tell_faces_is_trained_as_well(tiny: TrainConfig) -> None:
    told: list[events.Event] = []
    fit(dataclasses.replace(tiny, epochs=6, learning_rate=0.03, augmentation="none"), on_event=told.append)
    epochs = of_type(told, events.EpochDone)
    assert epochs[-1].nme_mean < 0.7 * epochs[0].nme_mean
    assert {epoch.face_accuracy for epoch in epochs} == {1.0}


def test_batches_are_told(tiny: TrainConfig, monkeypatch) -> None:
    monkeypatch.setattr(loop, "BATCH_EVENT_EVERY_S", 0.0)
    told: list[events.Event] = []
    fit(dataclasses.replace(tiny, epochs=2), on_event=told.append)
    done = of_type(told, events.BatchDone)
    assert [(event.epoch, event.batch) for event in done] == [(e, b) for e in (1, 2) for b in (1, 2, 3, 4)]
    assert all(event.images_per_s > 0 and math.isfinite(event.loss) for event in done)
    for epoch in of_type(told, events.EpochDone):
        losses = [event.loss for event in done if event.epoch == epoch.epoch]
        assert epoch.training_loss == pytest.approx(np.mean(losses))


def test_batches_are_not_told_too_often(trained_run) -> None:
    seconds = sum(epoch.seconds for epoch in of_type(trained_run.told, events.EpochDone))
    assert len(of_type(trained_run.told, events.BatchDone)) <= seconds / loop.BATCH_EVENT_EVERY_S + 3


def test_the_best_weights_are_those_of_the_best_epoch(tiny: TrainConfig, monkeypatch) -> None:
    nmes = iter([0.3, 0.2, 0.25, 0.2])

    def scripted(network, faces, **_: object) -> Validation:
        return Validation(metrics.score(np.float32([next(nmes)])), 1.0, faces.points_unit)

    monkeypatch.setattr(loop, "validate", scripted)
    told: list[events.Event] = []
    folder = fit(dataclasses.replace(tiny, epochs=4), on_event=told.append)
    assert [epoch.is_best for epoch in of_type(told, events.EpochDone)] == [True, True, False, False]
    assert load_checkpoint(folder / "best.safetensors").info["epoch"] == 2
    assert load_checkpoint(folder / "last.safetensors").info["epoch"] == 4
    assert told[-1].best_nme_mean == pytest.approx(0.2)


# --- stopping ---


def test_a_stop_within_an_epoch_keeps_what_was_learned(config: TrainConfig) -> None:
    stop = Stop(after=2)
    folder = fit(config, on_event=stop.on_event, should_stop=stop)
    (epoch,) = of_type(stop.told, events.EpochDone)
    assert stop.told[-1] == events.RunFinished(str(folder), 1, epoch.nme_mean, stopped=True)
    torch.manual_seed(config.seed)
    fresh = build_network("compact").state_dict()
    kept = weights_of(folder, "best.safetensors")
    assert not torch.equal(kept["cells.weight"], fresh["cells.weight"])
    assert kept["top.norm.num_batches_tracked"] == 2
    assert {"state.safetensors", "metrics.csv", "curves.png", "validation.png"} < set(names_in(folder))


def test_a_stop_between_epochs_ends_there(tiny: TrainConfig) -> None:
    stop = Stop(after=4)
    folder = fit(dataclasses.replace(tiny, epochs=5), on_event=stop.on_event, should_stop=stop)
    assert [epoch.epoch for epoch in of_type(stop.told, events.EpochDone)] == [1]
    assert (stop.told[-1].epochs_done, stop.told[-1].stopped) == (1, True)
    assert (folder / "state.safetensors").is_file()


def test_a_stop_before_the_first_step_of_an_epoch_judges_nothing_anew(tiny: TrainConfig) -> None:
    stop = Stop(after=5)  # four batches, once after the epoch; then the next epoch's first
    fit(dataclasses.replace(tiny, epochs=5), on_event=stop.on_event, should_stop=stop)
    assert [epoch.epoch for epoch in of_type(stop.told, events.EpochDone)] == [1]
    assert (stop.told[-1].epochs_done, stop.told[-1].stopped) == (1, True)


def test_a_stop_that_comes_with_the_end_is_no_stop(tiny: TrainConfig) -> None:
    stop = Stop(after=4)
    folder = fit(tiny, on_event=stop.on_event, should_stop=stop)
    assert stop.told[-1].stopped is False
    assert not (folder / "state.safetensors").exists()


def test_a_stop_before_the_first_step_has_nothing_to_keep(tiny: TrainConfig) -> None:
    stop = Stop(after=0)
    folder = fit(tiny, on_event=stop.on_event, should_stop=stop)
    assert stop.told[-1] == events.RunFinished(str(folder), 0, None, stopped=True)
    assert set(names_in(folder)) - {".lock"} == {"config.json", "events.jsonl"}


def test_a_stop_while_images_are_read_is_obeyed(tiny: TrainConfig) -> None:
    told: list[events.Event] = []
    folder = fit(tiny, on_event=told.append, should_stop=lambda: True)
    assert told == [events.RunFinished(str(folder), 0, None, stopped=True)]
    assert not folder.exists()


# --- discarding ---


@pytest.mark.parametrize("after", [0, 2, 4, 7], ids=["at the start", "within", "between", "within the second"])
def test_a_discarded_run_leaves_nothing(tiny: TrainConfig, after: int) -> None:
    stop = Stop(after=after)
    folder = fit(
        dataclasses.replace(tiny, epochs=5), on_event=stop.on_event, should_stop=stop, should_discard=lambda: True
    )
    assert of_type(stop.told, events.RunStarted)
    assert stop.told[-1] == events.RunFinished(str(folder), (after + 3) // 5, None, stopped=True, discarded=True)
    assert not folder.exists()


def test_a_run_discarded_while_images_are_read_leaves_nothing(tiny: TrainConfig) -> None:
    told: list[events.Event] = []
    folder = fit(tiny, on_event=told.append, should_stop=lambda: True, should_discard=lambda: True)
    assert told == [events.RunFinished(str(folder), 0, None, stopped=True, discarded=True)]
    assert not folder.exists()


def test_a_discard_that_comes_with_the_end_is_obeyed(tiny: TrainConfig) -> None:
    told: list[events.Event] = []
    folder = fit(tiny, on_event=told.append, should_discard=lambda: bool(of_type(told, events.EpochDone)))
    assert told[-1] == events.RunFinished(str(folder), 1, None, stopped=False, discarded=True)
    assert not folder.exists()


def test_discarding_spares_what_is_not_the_runs(tiny: TrainConfig) -> None:
    folder = Path(tiny.out)
    folder.mkdir()
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    stop = Stop(after=2)
    fit(tiny, on_event=stop.on_event, should_stop=stop, should_discard=lambda: True)
    assert names_in(folder) == ["notes.txt"]


# --- run folders ---


def test_an_existing_run_is_never_written_over(trained_run, is_one_sentence) -> None:
    before = {path: path.read_bytes() for path in trained_run.folder.iterdir()}
    with pytest.raises(TrainingError, match="already holds a run") as caught:
        fit(trained_run.config, on_event=only_failure)
    assert str(trained_run.folder) in str(caught.value)
    assert is_one_sentence(caught.value)
    assert {path: path.read_bytes() for path in trained_run.folder.iterdir()} == before


def test_a_run_that_came_and_went_while_data_were_read_is_not_written_over(tiny: TrainConfig, monkeypatch) -> None:
    """Two are started at once, and the other one is faster."""
    read_samples = loop.read_samples

    def read_slowly(*args: object, **kwargs: object) -> object:
        monkeypatch.setattr(loop, "read_samples", read_samples)
        fit(tiny, on_event=ignore)
        return read_samples(*args, **kwargs)

    monkeypatch.setattr(loop, "read_samples", read_slowly)
    told: list[events.Event] = []
    with pytest.raises(TrainingError, match="already holds a run"):
        fit(dataclasses.replace(tiny, epochs=9), on_event=told.append)
    assert json.loads((Path(tiny.out) / "config.json").read_text(encoding="utf-8"))["epochs"] == tiny.epochs
    assert (Path(tiny.out) / "best.safetensors").is_file()


def test_weights_that_lie_in_a_folder_are_never_written_over(trained_run, tiny: TrainConfig) -> None:
    weights = Path(tiny.out) / "best.safetensors"
    weights.parent.mkdir()
    shutil.copy(trained_run.folder / "best.safetensors", weights)
    with pytest.raises(TrainingError, match="already holds a run"):
        fit(tiny, on_event=only_failure)
    assert weights.read_bytes() == (trained_run.folder / "best.safetensors").read_bytes()


def test_without_out_the_run_goes_to_a_dated_folder(tiny: TrainConfig, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = fit(dataclasses.replace(tiny, out=""), on_event=ignore)
    assert folder.parent == Path("runs")
    assert (tmp_path / folder / "best.safetensors").is_file()
    assert json.loads((folder / "config.json").read_text(encoding="utf-8"))["out"] == str(folder)


def test_a_second_that_comes_again_has_a_folder_of_its_own(tiny: TrainConfig, tmp_path: Path, monkeypatch) -> None:
    """As when a clock is set back: each run is in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("trainer.run_folder.datetime", SimpleNamespace(now=lambda: datetime(2026, 10, 25, 2, 30)))
    folders = [fit(dataclasses.replace(tiny, out=""), on_event=ignore).name for _ in range(3)]
    assert folders == ["2026-10-25-023000", "2026-10-25-023000-2", "2026-10-25-023000-3"]


def test_a_folder_that_cannot_be_made(tiny: TrainConfig, tmp_path: Path, is_one_sentence) -> None:
    (tmp_path / "file").write_bytes(b"")
    for out in (tmp_path / "file", tmp_path / "file" / "run", tmp_path / ("x" * 300)):
        with pytest.raises(TrainingError, match="cannot be written") as caught:
            fit(dataclasses.replace(tiny, out=str(out)), on_event=only_failure)
        assert str(out) in str(caught.value)
    assert names_in(tmp_path) == ["file"]


def test_a_run_fits_under_any_name(tiny: TrainConfig, tmp_path: Path) -> None:
    out = tmp_path / "ein Läufchen 跑 [1]" / "a" / "b"
    assert fit(dataclasses.replace(tiny, out=str(out)), on_event=ignore) == out
    assert load_checkpoint(out / "best.safetensors").name == "simple"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="rights are given by POSIX calls")
def test_data_that_cannot_be_written_can_be_trained_on(tiny: TrainConfig, data_copy: Path) -> None:
    before = {path: path.read_bytes() for path in data_copy.rglob("*") if path.is_file()}
    folders = [data_copy, *(path for path in data_copy.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        fit(dataclasses.replace(tiny, data=str(data_copy)), on_event=ignore)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert {path: path.read_bytes() for path in data_copy.rglob("*") if path.is_file()} == before


# --- a full disk ---


def test_a_full_disk_is_told_and_earlier_weights_stay(config: TrainConfig, is_one_sentence) -> None:
    told: list[events.Event] = []

    def on_event(event: events.Event) -> None:
        told.append(event)
        if isinstance(event, events.EpochDone) and event.epoch == 2:
            fill(100_000)

    with small_disk() as fill, pytest.raises(TrainingError, match="could not be written") as caught:
        fit(dataclasses.replace(config, epochs=2), on_event=on_event)
    assert is_one_sentence(caught.value)
    assert told[-1] == events.RunFailed(str(caught.value))
    folder = Path(config.out)
    assert load_checkpoint(folder / "last.safetensors").info["epoch"] == 1
    assert load_checkpoint(folder / "best.safetensors").info["epoch"] == 1
    assert [name for name in names_in(folder) if name.startswith(".")] == [".lock"]


@pytest.mark.parametrize("at", [events.RunStarted, events.BatchDone, events.EpochDone, events.CheckpointSaved])
@pytest.mark.parametrize("size", [0, 300, 8000])
def test_a_disk_may_be_full_at_any_time(tiny: TrainConfig, is_one_sentence, monkeypatch, at, size: int) -> None:
    monkeypatch.setattr(loop, "BATCH_EVENT_EVERY_S", 0.0)
    told: list[events.Event] = []

    def on_event(event: events.Event) -> None:
        told.append(event)
        if isinstance(event, at):
            fill(size)

    with small_disk() as fill, pytest.raises(TrainingError, match="could not be written") as caught:
        fit(dataclasses.replace(tiny, epochs=3), on_event=on_event)
    assert is_one_sentence(caught.value)
    assert told[-1] == events.RunFailed(str(caught.value))
    for path in Path(tiny.out).glob("*.safetensors"):
        assert path.name == "state.safetensors" or load_checkpoint(path).name == "simple"


def test_a_disk_that_is_full_from_the_start_leaves_no_folder(tiny: TrainConfig, is_one_sentence) -> None:
    told: list[events.Event] = []
    with small_disk() as fill, pytest.raises(TrainingError, match="cannot be written") as caught:
        fill(0)
        fit(tiny, on_event=told.append)
    assert told == [events.RunFailed(str(caught.value))]
    assert is_one_sentence(caught.value)
    assert not Path(tiny.out).exists()


# --- bad input ---


def test_bad_input_leaves_no_run_folder(config: TrainConfig, tmp_path: Path) -> None:
    for changes, error in [
        ({"data": str(tmp_path / "nowhere")}, DatasetError),
        ({"finetune": str(tmp_path / "nowhere.safetensors")}, CheckpointError),
        ({"device": "mps" if torch.cuda.is_available() else "cuda"}, DeviceError),
    ]:
        told: list[events.Event] = []
        with pytest.raises(error) as caught:
            fit(dataclasses.replace(config, **changes), on_event=told.append)
        assert told == [events.RunFailed(str(caught.value))]
        assert not Path(config.out).exists()


def test_a_picture_that_is_none_is_named_and_leaves_no_folder(tiny: TrainConfig, data_copy: Path) -> None:
    (data_copy / "training" / "Person_04_2.jpg").write_bytes(b"no picture")
    told: list[events.Event] = []
    with pytest.raises(DatasetError, match=r"Person_04_2\.jpg") as caught:
        fit(dataclasses.replace(tiny, data=str(data_copy)), on_event=told.append)
    assert told == [events.RunFailed(str(caught.value))]
    assert not Path(tiny.out).exists()


def keep_lines(*wanted: int) -> Callable[[list[str]], None]:
    def change(lines: list[str]) -> None:
        lines[:] = [lines[number] for number in (0, *wanted)]

    return change


def change_cells(by: Callable[[list[str]], object]) -> Callable[[list[str]], None]:
    def change(lines: list[str]) -> None:
        cells = lines[5].split(",")
        by(cells)
        lines[5] = ",".join(cells)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (keep_lines(), "no labelled face|no rows|nothing|no face"),
        (keep_lines(3), "one identity"),
        (keep_lines(1, 2, 3, 4), "one identity"),
        (change_cells(lambda cells: cells.__setitem__(7, "nan")), "line 6"),
        (change_cells(lambda cells: cells.__delitem__(slice(21, None))), "line 6"),
    ],
    ids=["empty", "one image", "one identity", "NaN label", "10 keypoints"],
)
def test_data_that_cannot_be_trained_on_are_refused(
    tiny: TrainConfig, data_copy: Path, edit_table, change, message: str, is_one_sentence
) -> None:
    edit_table(data_copy / "training_frames_keypoints.csv", change)
    with pytest.raises(DatasetError, match=message) as caught:
        fit(dataclasses.replace(tiny, data=str(data_copy)), on_event=only_failure)
    assert is_one_sentence(caught.value)
    assert not Path(tiny.out).exists()


def test_two_people_with_one_picture_each_are_enough(tiny: TrainConfig, data_copy: Path, edit_table) -> None:
    edit_table(data_copy / "training_frames_keypoints.csv", keep_lines(1, 5))
    told: list[events.Event] = []
    fit(dataclasses.replace(tiny, model="two_conv", data=str(data_copy)), on_event=told.append)
    assert (told[0].training_faces, told[0].validation_faces, told[0].batches_per_epoch) == (1, 1, 1)
    assert told[-1].stopped is False


# --- fine-tuning ---


def test_fine_tuning_goes_on_from_the_weights(trained_run, config: TrainConfig) -> None:
    start = trained_run.folder / "best.safetensors"
    told: list[events.Event] = []
    run = dataclasses.replace(config, finetune=str(start), learning_rate=1e-6)
    folder = fit(run, on_event=told.append)
    before, after = weights_of(trained_run.folder, start.name), weights_of(folder)
    change = (after["cells.weight"] - before["cells.weight"]).abs().max()
    assert 0 < change < 1e-4
    assert (
        of_type(told, events.EpochDone)[0].training_loss
        < 0.7 * of_type(trained_run.told, events.EpochDone)[0].training_loss
    )


def test_fine_tuning_another_network_is_refused(trained_run, config: TrainConfig, is_one_sentence) -> None:
    start = trained_run.folder / "best.safetensors"
    with pytest.raises(CheckpointError, match="compact") as caught:
        fit(dataclasses.replace(config, finetune=str(start), model="simple"), on_event=only_failure)
    assert str(start) in str(caught.value)
    assert is_one_sentence(caught.value)
    assert not Path(config.out).exists()


# --- a teacher ---


def test_a_teacher_is_told_of_and_shapes_the_run(tiny: TrainConfig, tmp_path: Path) -> None:
    teacher = fit(dataclasses.replace(tiny, out=str(tmp_path / "teacher")), on_event=ignore) / "best.safetensors"
    alone = weights_of(fit(tiny, on_event=ignore))
    told: list[events.Event] = []
    taught = dataclasses.replace(tiny, out=str(tmp_path / "taught"), teacher=str(teacher), teacher_share=0.25)
    folder = fit(taught, on_event=told.append)
    (notice,) = of_type(told, events.Notice)
    assert "25%" in notice.message
    assert not are_equal(weights_of(folder), alone)
    assert load_checkpoint(folder / "last.safetensors").info["config"]["teacher_share"] == 0.25


def test_a_teacher_without_a_say_changes_nothing(tiny: TrainConfig, tmp_path: Path) -> None:
    teacher = fit(dataclasses.replace(tiny, out=str(tmp_path / "teacher")), on_event=ignore) / "best.safetensors"
    alone = weights_of(fit(tiny, on_event=ignore))
    taught = dataclasses.replace(tiny, out=str(tmp_path / "taught"), teacher=f"{teacher},{teacher}", teacher_share=0.0)
    assert are_equal(weights_of(fit(taught, on_event=ignore)), alone)


def test_a_teacher_that_is_not_there_is_named(tiny: TrainConfig, tmp_path: Path) -> None:
    missing = tmp_path / "nobody.safetensors"
    told: list[events.Event] = []
    with pytest.raises(CheckpointError, match=r"nobody\.safetensors") as caught:
        fit(dataclasses.replace(tiny, teacher=str(missing)), on_event=told.append)
    assert told == [events.RunFailed(str(caught.value))]
    assert not Path(tiny.out).exists()


# --- a run that goes wrong ---


@pytest.fixture
def overflowing(tmp_path: Path) -> str:
    """Weights that are numbers, but whose results are none."""
    network = build_network("compact")
    with torch.no_grad():
        network.cells.weight.fill_(3e38)
    save_checkpoint(tmp_path / "huge.safetensors", network, name="compact")
    return str(tmp_path / "huge.safetensors")


def test_a_loss_that_is_no_number_ends_the_run(config: TrainConfig, overflowing: str, is_one_sentence) -> None:
    told: list[events.Event] = []
    with pytest.raises(TrainingError, match=r"the loss became (nan|inf) in batch 1 of epoch 1") as caught:
        fit(dataclasses.replace(config, finetune=overflowing), on_event=told.append)
    assert is_one_sentence(caught.value)
    assert "learning rate" in str(caught.value)
    assert not of_type(told, events.CheckpointSaved)


def test_a_loss_that_becomes_no_number_leaves_the_best_weights(tiny: TrainConfig, is_one_sentence, monkeypatch) -> None:
    """The third batch of the second epoch goes wrong: the run says so, and goes on from the first epoch if asked."""
    forward = Tiny.forward
    trained = iter(range(10**6))

    def breaking(self: Tiny, crops: torch.Tensor):
        wrong = self.training and next(trained) == 4 + 2
        return forward(self, crops * math.nan if wrong else crops)

    monkeypatch.setattr(Tiny, "forward", breaking)
    told: list[events.Event] = []
    with pytest.raises(TrainingError, match="the loss became nan in batch 3 of epoch 2") as caught:
        fit(dataclasses.replace(tiny, epochs=3), on_event=told.append)
    assert is_one_sentence(caught.value)
    assert told[-1] == events.RunFailed(str(caught.value))
    folder = Path(tiny.out)
    lines = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert events.from_json_line(lines[-1]) == told[-1]
    for name in ("best.safetensors", "last.safetensors"):
        assert load_checkpoint(folder / name).info["epoch"] == 1
    monkeypatch.setattr(Tiny, "forward", forward)
    loop.resume(folder, on_event=told.append)
    assert told[-1].epochs_done == 3


def test_a_network_that_breaks_in_the_last_step_is_not_kept(tiny: TrainConfig, is_one_sentence, monkeypatch) -> None:
    """The loss was a number in every step, but the last step made the weights none."""

    class Breaking(torch.optim.SGD):
        def step(self, closure=None) -> None:
            super().step(closure)
            with torch.no_grad():
                self.param_groups[0]["params"][0].fill_(math.nan)

    monkeypatch.setattr(
        "trainer.learner._make_optimizer", lambda config, network: Breaking(network.parameters(), lr=0.1)
    )
    with pytest.raises(TrainingError, match="no numbers") as caught:
        fit(dataclasses.replace(tiny, batch_size=1000, schedule="constant"), on_event=ignore)
    assert is_one_sentence(caught.value)
    assert not list(Path(tiny.out).glob("*.safetensors"))


def test_a_learning_rate_beyond_reason_is_refused(is_one_sentence) -> None:
    with pytest.raises(ConfigError, match="learning_rate is 1000000000") as caught:
        TrainConfig(learning_rate=1e9)
    assert is_one_sentence(caught.value)


def test_a_mistake_in_a_listener_is_told_and_passed_on(tiny: TrainConfig) -> None:
    told: list[events.Event] = []

    def on_event(event: events.Event) -> None:
        told.append(event)
        if isinstance(event, events.EpochDone):
            raise ZeroDivisionError("a mistake")

    with pytest.raises(ZeroDivisionError):
        fit(tiny, on_event=on_event)
    assert isinstance(told[-1], events.RunFailed)
    assert "ZeroDivisionError" in told[-1].message


# --- a memory that is too small ---


def test_a_batch_that_is_too_large_is_divided(tiny: TrainConfig, tmp_path: Path, monkeypatch, is_one_sentence) -> None:
    whole = weights_of(fit(tiny, on_event=ignore))
    monkeypatch.setattr(Tiny, "most_crops", 3)
    told: list[events.Event] = []
    divided = weights_of(fit(dataclasses.replace(tiny, out=str(tmp_path / "divided")), on_event=told.append))
    notices = of_type(told, events.Notice)
    assert len(notices) == 2  # 8 faces and 2 others: halved, and halved again
    assert "8 faces at once" in notices[0].message
    assert "2 at a time" in notices[1].message
    assert all(is_one_sentence(notice.message) for notice in notices)
    assert told[-1].stopped is False
    for key, value in whole.items():
        torch.testing.assert_close(divided[key], value, rtol=1e-4, atol=1e-6)


def test_a_memory_for_nothing_is_told(tiny: TrainConfig, monkeypatch, is_one_sentence) -> None:
    monkeypatch.setattr(Tiny, "most_crops", 0)
    told: list[events.Event] = []
    with pytest.raises(TrainingError, match="too small for a single face") as caught:
        fit(tiny, on_event=told.append)
    assert is_one_sentence(caught.value)
    assert told[-1] == events.RunFailed(str(caught.value))


def test_a_memory_that_has_no_room_for_the_teacher_is_told(
    tiny: TrainConfig, tmp_path: Path, monkeypatch, is_one_sentence
) -> None:
    teacher = fit(dataclasses.replace(tiny, out=str(tmp_path / "teacher")), on_event=ignore) / "best.safetensors"
    monkeypatch.setattr(Tiny, "most_crops", 3)
    with pytest.raises(TrainingError, match="memory of cpu is full") as caught:
        fit(dataclasses.replace(tiny, teacher=str(teacher)), on_event=ignore)
    assert is_one_sentence(caught.value)
    assert not Path(tiny.out).exists()
