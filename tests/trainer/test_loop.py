import csv
import dataclasses
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from trainer import events, loop, metrics
from trainer.config import TrainConfig
from trainer.core.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from trainer.core.models import NETWORKS, InputSpec, KeypointNetwork, NetworkOutput, build_network
from trainer.core.predictor import DeviceError, Predictor
from trainer.core.preprocess import box_from_keypoints
from trainer.dataset import (
    DatasetError,
    FaceCrops,
    load_crops,
    read_image,
    split_by_identity,
    training_cache,
)
from trainer.loop import TrainingError, fit, validate
from trainer.readers import read_samples


def of_type(told: list[events.Event], kind: type) -> list:
    return [event for event in told if isinstance(event, kind)]


def weights_of(folder: Path, name: str = "last.safetensors") -> dict[str, torch.Tensor]:
    return load_checkpoint(folder / name).network.state_dict()


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Stop:
    """A `should_stop` that says yes once it was asked `after` times since training began."""

    def __init__(self, after: int) -> None:
        self.told: list[events.Event] = []
        self._left = after

    def on_event(self, event: events.Event) -> None:
        self.told.append(event)

    def __call__(self) -> bool:
        if not of_type(self.told, events.RunStarted):
            return False
        self._left -= 1
        return self._left < 0


@pytest.fixture
def config(tiny_data: Path, tmp_path: Path) -> TrainConfig:
    return TrainConfig(data=str(tiny_data), out=str(tmp_path / "run"), epochs=1, batch_size=8, device="cpu", threads=1)


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
    assert names_in(trained_run.folder) == [
        "best.safetensors",
        "config.json",
        "last.safetensors",
        "metrics.csv",
    ]
    kept = json.loads((trained_run.folder / "config.json").read_text(encoding="utf-8"))
    assert TrainConfig(**kept) == trained_run.config
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
    for folder in ("data", "out", "finetune"):  # weights are passed on; where they were trained stays here
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
    faces = load_crops(validation, size_px=96, crop_per_box=1.25)
    result = validate(network, faces)
    last = of_type(trained_run.told, events.EpochDone)[-1]
    assert result.score.nme_mean == pytest.approx(last.nme_mean, rel=1e-4)
    assert result.face_accuracy == pytest.approx(last.face_accuracy)
    assert result.score.count == 4


def test_a_seed_says_everything(config: TrainConfig, tmp_path: Path) -> None:
    folders = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        torch.rand(5)  # what happened before does not matter
        run = dataclasses.replace(config, out=str(tmp_path / name), seed=seed, epochs=2)
        folders.append(fit(run, on_event=lambda event: None))
    a, b, c = (weights_of(folder) for folder in folders)
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert not torch.equal(a["cells.weight"], c["cells.weight"])


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "adam", "loss": "smooth_l1"},
        {"optimizer": "sgd", "loss": "mse", "learning_rate": 1e-4},
        {"augment": False, "negative_share": 0.0},
        {"negative_share": 1.0, "batch_size": 5},
        {"batch_size": 1000},
    ],
    ids=lambda changes: ",".join(f"{key}={value}" for key, value in changes.items()),
)
def test_every_way_to_train_runs(config: TrainConfig, changes: dict) -> None:
    before = {key: value.clone() for key, value in initial_weights(config.seed).items()}
    told: list[events.Event] = []
    folder = fit(dataclasses.replace(config, **changes), on_event=told.append)
    assert of_type(told, events.RunFinished)[0].stopped is False
    after = weights_of(folder)
    assert not torch.equal(after["cells.weight"], before["cells.weight"])
    if changes.get("negative_share") == 0.0:
        assert torch.equal(after["face.bias"], before["face.bias"])  # nothing teaches it


def initial_weights(seed: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return build_network("compact").state_dict()


class Dot(KeypointNetwork):
    """The smallest network there can be, without a say on faces: one number for each coordinate."""

    input_spec = InputSpec(size_px=32, crop_per_box=1.4)
    loss_unit = 1 / 32

    def __init__(self) -> None:
        super().__init__()
        self.points = torch.nn.Parameter(torch.rand(68, 2))

    def forward(self, crops: torch.Tensor) -> NetworkOutput:
        return NetworkOutput(self.points.expand(len(crops), 68, 2), None)


@pytest.fixture
def dot_network(monkeypatch) -> str:
    """A network called "simple" that costs nothing."""
    networks = {**NETWORKS, "simple": Dot}
    monkeypatch.setattr("trainer.core.models.NETWORKS", networks)
    monkeypatch.setattr("trainer.core.checkpoint.NETWORKS", networks)
    return "simple"


def test_a_network_that_cannot_tell_faces_is_trained_as_well(config: TrainConfig, dot_network: str) -> None:
    told: list[events.Event] = []
    run = dataclasses.replace(config, model=dot_network, epochs=30, learning_rate=0.1, augment=False)
    fit(run, on_event=told.append)
    epochs = of_type(told, events.EpochDone)
    assert epochs[-1].nme_mean < 0.5 * epochs[0].nme_mean
    assert {epoch.face_accuracy for epoch in epochs} == {1.0}


def test_batches_are_told(config: TrainConfig, dot_network: str, monkeypatch) -> None:
    monkeypatch.setattr(loop, "BATCH_EVENT_EVERY_S", 0.0)
    told: list[events.Event] = []
    fit(dataclasses.replace(config, model=dot_network, epochs=2), on_event=told.append)
    done = of_type(told, events.BatchDone)
    assert [(event.epoch, event.batch) for event in done] == [(e, b) for e in (1, 2) for b in (1, 2, 3, 4)]
    assert all(event.images_per_s > 0 and math.isfinite(event.loss) for event in done)


def test_batches_are_not_told_too_often(trained_run) -> None:
    seconds = sum(epoch.seconds for epoch in of_type(trained_run.told, events.EpochDone))
    assert len(of_type(trained_run.told, events.BatchDone)) <= seconds / loop.BATCH_EVENT_EVERY_S + 3


def test_the_best_weights_are_those_of_the_best_epoch(config: TrainConfig, dot_network: str, monkeypatch) -> None:
    nmes = iter([0.3, 0.2, 0.25, 0.2])

    def scripted(*_: object) -> loop.Validation:
        return loop.Validation(metrics.score(np.float32([next(nmes)])), face_accuracy=1.0)

    monkeypatch.setattr(loop, "validate", scripted)
    told: list[events.Event] = []
    folder = fit(dataclasses.replace(config, model=dot_network, epochs=4), on_event=told.append)
    assert [epoch.is_best for epoch in of_type(told, events.EpochDone)] == [True, True, False, False]
    assert load_checkpoint(folder / "best.safetensors").info["epoch"] == 2
    assert load_checkpoint(folder / "last.safetensors").info["epoch"] == 4
    assert told[-1].best_nme_mean == pytest.approx(0.2)


# --- batches ---


@pytest.fixture(scope="module")
def cached(tiny_data: Path) -> FaceCrops:
    return training_cache(read_samples(tiny_data)[:10], NETWORKS["compact"].input_spec)


def batches(cached: FaceCrops, **changes: object) -> list[tuple[torch.Tensor, torch.Tensor]]:
    config = TrainConfig(batch_size=4, **changes)
    return list(loop._Sampler(cached, NETWORKS["compact"].input_spec, config, torch.device("cpu")).epoch())


def test_an_epoch_shows_each_face_once_and_some_that_are_none(cached: FaceCrops) -> None:
    epoch = batches(cached, augment=False, negative_share=0.3)
    assert [len(points) for _, points in epoch] == [4, 4, 2]
    assert [len(crops) for crops, _ in epoch] == [4 + 2, 4 + 2, 2 + 1]  # rounded up: few are better than none
    shown = torch.cat([points for _, points in epoch])
    # Without augmentation a crop is the middle of the cached one: 2 box sides, of which the network sees 1.25.
    expected = (torch.from_numpy(cached.points_unit) - 0.5) * 2 / 1.25 + 0.5
    distance = (shown[:, None] - expected).abs().amax(dim=(2, 3))
    assert (distance.min(dim=0).values < 1e-5).all()
    assert not torch.equal(shown, expected), "the order was not shuffled"


def test_augmentation_depends_on_the_seed_alone(cached: FaceCrops) -> None:
    first, again, other = (batches(cached, seed=seed)[0] for seed in (1, 1, 2))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[1], other[1])


# --- stopping ---


def test_a_stop_within_an_epoch_keeps_what_was_learned(config: TrainConfig) -> None:
    stop = Stop(after=2)
    folder = fit(config, on_event=stop.on_event, should_stop=stop)
    assert of_type(stop.told, events.RunFinished) == [
        events.RunFinished(str(folder), 1, of_type(stop.told, events.EpochDone)[0].nme_mean, stopped=True)
    ]
    kept = weights_of(folder, "best.safetensors")
    assert not torch.equal(kept["cells.weight"], initial_weights(config.seed)["cells.weight"])
    assert kept["top.norm.num_batches_tracked"] == 2


def test_a_stop_between_epochs_ends_there(config: TrainConfig) -> None:
    stop = Stop(after=4)
    fit(dataclasses.replace(config, epochs=5), on_event=stop.on_event, should_stop=stop)
    assert [epoch.epoch for epoch in of_type(stop.told, events.EpochDone)] == [1]
    (finished,) = of_type(stop.told, events.RunFinished)
    assert (finished.epochs_done, finished.stopped) == (1, True)


def test_a_stop_before_the_first_step_of_an_epoch_judges_nothing_anew(config: TrainConfig) -> None:
    stop = Stop(after=5)  # four batches, once after the epoch; then the next epoch's first
    folder = fit(dataclasses.replace(config, epochs=5), on_event=stop.on_event, should_stop=stop)
    assert [epoch.epoch for epoch in of_type(stop.told, events.EpochDone)] == [1]
    assert weights_of(folder)["top.norm.num_batches_tracked"] == 4


def test_a_stop_that_comes_with_the_end_is_no_stop(config: TrainConfig) -> None:
    stop = Stop(after=4)
    fit(config, on_event=stop.on_event, should_stop=stop)
    assert of_type(stop.told, events.RunFinished)[0].stopped is False


def test_a_stop_before_the_first_step_has_nothing_to_keep(config: TrainConfig) -> None:
    stop = Stop(after=0)
    folder = fit(config, on_event=stop.on_event, should_stop=stop)
    assert stop.told[-1] == events.RunFinished(str(folder), 0, None, stopped=True)
    assert names_in(folder) == ["config.json"]


def test_a_stop_while_images_are_read_is_obeyed(config: TrainConfig) -> None:
    told: list[events.Event] = []
    folder = fit(config, on_event=told.append, should_stop=lambda: True)
    assert told == [events.RunFinished(str(folder), 0, None, stopped=True)]
    assert names_in(folder) == []


# --- run folders ---


def test_an_existing_run_is_never_written_over(trained_run, is_one_sentence) -> None:
    before = {path: path.read_bytes() for path in trained_run.folder.iterdir()}
    with pytest.raises(TrainingError, match="already holds a run") as caught:
        fit(trained_run.config, on_event=pytest.fail)
    assert str(trained_run.folder) in str(caught.value)
    assert is_one_sentence(caught.value)
    assert {path: path.read_bytes() for path in trained_run.folder.iterdir()} == before


def test_without_out_the_run_goes_to_a_dated_folder(config: TrainConfig, dot_network, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = fit(dataclasses.replace(config, out="", model=dot_network), on_event=lambda event: None)
    assert folder.parent == Path("runs")
    assert (tmp_path / folder / "best.safetensors").is_file()
    assert json.loads((folder / "config.json").read_text(encoding="utf-8"))["out"] == str(folder)


def test_a_folder_that_cannot_be_made(config: TrainConfig, tmp_path: Path, is_one_sentence) -> None:
    (tmp_path / "file").write_bytes(b"")
    for out in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(TrainingError, match="cannot be made") as caught:
            fit(dataclasses.replace(config, out=str(out)), on_event=pytest.fail)
        assert is_one_sentence(caught.value)


@pytest.fixture
def small_disk() -> Iterator[Callable[[], None]]:
    """A function after which files cannot grow beyond 100 kB: writing more fails half-way, as on a full disk."""
    resource = pytest.importorskip("resource", reason="limits the size of files by a POSIX call")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_and_earlier_weights_stay(config: TrainConfig, small_disk, is_one_sentence) -> None:
    told: list[events.Event] = []

    def on_event(event: events.Event) -> None:
        told.append(event)
        if isinstance(event, events.EpochDone) and event.epoch == 2:
            small_disk()

    with pytest.raises(TrainingError, match="could not be written") as caught:
        fit(dataclasses.replace(config, epochs=2), on_event=on_event)
    assert is_one_sentence(caught.value)
    folder = Path(config.out)
    assert load_checkpoint(folder / "last.safetensors").info["epoch"] == 1
    assert load_checkpoint(folder / "best.safetensors").info["epoch"] == 1
    assert not [name for name in names_in(folder) if name.startswith(".")]


def test_bad_input_leaves_no_run_folder(config: TrainConfig, tmp_path: Path) -> None:
    for changes, error in [
        ({"data": str(tmp_path / "nowhere")}, DatasetError),
        ({"finetune": str(tmp_path / "nowhere.safetensors")}, CheckpointError),
        ({"device": "mps" if torch.cuda.is_available() else "cuda"}, DeviceError),
    ]:
        with pytest.raises(error):
            fit(dataclasses.replace(config, **changes), on_event=pytest.fail)
        assert not Path(config.out).exists()


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
        fit(dataclasses.replace(config, finetune=str(start), model="simple"), on_event=pytest.fail)
    assert str(start) in str(caught.value)
    assert is_one_sentence(caught.value)
    assert not Path(config.out).exists()


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


def test_a_network_that_breaks_in_the_last_step_is_not_kept(
    config: TrainConfig, dot_network: str, is_one_sentence, monkeypatch
) -> None:
    """The loss was a number in every step, but the last step made the weights none."""

    class Breaking(torch.optim.SGD):
        def step(self, closure=None) -> None:
            super().step(closure)
            with torch.no_grad():
                self.param_groups[0]["params"][0].fill_(math.nan)

    monkeypatch.setattr(loop, "_make_optimizer", lambda config, network: Breaking(network.parameters(), lr=0.1))
    with pytest.raises(TrainingError, match="no numbers") as caught:
        fit(dataclasses.replace(config, model=dot_network, batch_size=1000), on_event=lambda event: None)
    assert is_one_sentence(caught.value)
    assert not list(Path(config.out).glob("*.safetensors"))


# --- validation ---


def test_validation_does_not_depend_on_the_batch_size(trained_run, tiny_data: Path) -> None:
    network = load_checkpoint(trained_run.folder / "best.safetensors").network
    faces = load_crops(read_samples(tiny_data)[:7], size_px=96, crop_per_box=1.25)
    whole, parts = validate(network, faces), validate(network, faces, batch_size=3)
    assert parts.score.nme_mean == pytest.approx(whole.score.nme_mean, rel=1e-5)
    assert whole.score.count == parts.score.count == 7


def test_perfect_points_have_no_error(drawn) -> None:
    points = drawn.points(x=0.5, y=0.5, width=0.4)
    network = Dot()
    with torch.no_grad():
        network.points.copy_(torch.from_numpy(points))
    faces = FaceCrops(np.zeros((3, 1, 32, 32), np.uint8), np.stack([points] * 3), np.full(3, 1 / 32, np.float32))
    result = validate(network, faces)
    assert result.score.nme_mean == pytest.approx(0, abs=1e-6)
    assert result.score.auc == pytest.approx(1)
    assert not network.training
