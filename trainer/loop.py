"""The training loop: `fit` trains and keeps the best weights, `validate` judges a network."""

from __future__ import annotations

import csv
import math
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch.nn import functional

from trainer import augmentation, events, losses, metrics
from trainer.core.checkpoint import CheckpointError, load_checkpoint, save_checkpoint, write_atomically
from trainer.core.errors import FkdError
from trainer.core.models import KeypointNetwork, build_network, count_parameters
from trainer.core.predictor import resolve_device
from trainer.dataset import FaceCrops, load_crops, read_samples, split_by_identity, training_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from trainer.config import TrainConfig
    from trainer.core.models import InputSpec

FACE_LOSS_WEIGHT: Final = 0.5
CLIP_NORM: Final = 5.0
BATCH_EVENT_EVERY_S: Final = 0.25


class TrainingError(FkdError, RuntimeError):
    """Training cannot go on; the message is one sentence for the user."""


@dataclass(frozen=True)
class Validation:
    """How a network does on faces it was not trained on.

    Attributes
    ----------
    score
        Of the keypoints.
    face_accuracy
        Share of crops that its confidence tells right (face or not) at 0.5; 1 for networks that cannot tell.
    """

    score: metrics.Score
    face_accuracy: float


def fit(
    config: TrainConfig,
    *,
    on_event: Callable[[events.Event], None],
    should_stop: Callable[[], bool] = lambda: False,
) -> Path:
    """Train a network as configured.

    Parameters
    ----------
    config
        What to do.
    on_event
        Told of everything, from this thread.
    should_stop
        Asked between batches; when true the run ends early and keeps what it has.

    Returns
    -------
    The run folder, with config.json, metrics.csv, best.safetensors and last.safetensors.

    Raises
    ------
    DatasetError, CheckpointError, DeviceError, TrainingError
        With one sentence that says what is wrong.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    run = _Run(config, on_event)
    network = _initial_network(config).to(run.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    faces = split_by_identity(read_samples(config.data), validation_share=config.validation_share, seed=config.seed)
    run.make_folder()
    training = training_cache(faces[0], network.input_spec, should_stop=should_stop)
    validation = load_crops(
        faces[1],
        size_px=network.input_spec.size_px,
        crop_per_box=network.input_spec.crop_per_box,
        should_stop=should_stop,
    )
    if should_stop():
        on_event(events.RunFinished(str(run.folder), epochs_done=0, best_nme_mean=None, stopped=True))
        return run.folder
    run.start(network, training, validation)
    batches = math.ceil(len(training) / config.batch_size)
    optimizer = _make_optimizer(config, network)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=config.learning_rate, total_steps=batches * config.epochs, pct_start=0.15
    )
    sampler = _Sampler(training, network.input_spec, config, run.device)
    epochs_done, stopped = 0, False
    for epoch in range(1, config.epochs + 1):
        began = time.perf_counter()
        network.train()
        seen = run.train_epoch(network, optimizer, schedule, sampler, epoch=epoch, should_stop=should_stop)
        if seen:
            seconds = time.perf_counter() - began
            loss = float(np.mean(seen))
            run.finish_epoch(network, validation, epoch=epoch, training_loss=loss, seconds=seconds)
            epochs_done = epoch
        stopped = len(seen) < batches or (epoch < config.epochs and should_stop())
        if stopped:
            break
    best = run.best_nme if math.isfinite(run.best_nme) else None
    on_event(events.RunFinished(str(run.folder), epochs_done, best, stopped))
    return run.folder


def validate(network: KeypointNetwork, faces: FaceCrops, *, batch_size: int = 128) -> Validation:
    """Judge a network on crops of its own size, as `Predictor` would cut them.

    Parameters
    ----------
    network
        On any device; left in evaluation mode.
    faces
        Crops from `load_crops` with the network's size and crop share.
    batch_size
        Crops a step.
    """
    network.eval()
    device = next(network.parameters()).device
    points, right = [], []
    generator = torch.Generator(device).manual_seed(0)
    with torch.inference_mode():
        for start in range(0, len(faces), batch_size):
            crops = torch.from_numpy(faces.crops[start : start + batch_size]).to(device).float().div_(255)
            output = network(crops)
            points.append(output.points.float().cpu().numpy())
            if output.face_logit is not None:
                others = network(_non_faces_from(crops, generator)).face_logit
                right.append(torch.cat([output.face_logit > 0, others <= 0]).cpu().numpy())
    nmes = metrics.nme(np.concatenate(points), faces.points_unit)
    return Validation(metrics.score(nmes), float(np.concatenate(right).mean()) if right else 1.0)


def _non_faces_from(crops: Tensor, generator: torch.Generator) -> Tensor:
    """Upside down, and a part blown up: enough to see that the confidence tells something."""
    size = crops.shape[-1]
    part = functional.interpolate(crops[:, :, : size // 3, : size // 3], size=(size, size), mode="bilinear")
    pick = torch.rand(len(crops), 1, 1, 1, generator=generator, device=crops.device) < 0.5
    return torch.where(pick, part, crops.flip(2))


def _initial_network(config: TrainConfig) -> KeypointNetwork:
    if not config.finetune:
        return build_network(config.model)
    checkpoint = load_checkpoint(config.finetune)
    if checkpoint.name != config.model:
        raise CheckpointError(
            f"{config.finetune} holds a {checkpoint.name} network, not {config.model}; choose --model {checkpoint.name}"
        )
    return checkpoint.network


def _make_optimizer(config: TrainConfig, network: KeypointNetwork) -> torch.optim.Optimizer:
    # Norms and biases are not decayed: they are few, and pulling them to zero only slows training.
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    match config.optimizer:
        case "adamw":
            return torch.optim.AdamW(groups, lr=config.learning_rate)
        case "adam":
            return torch.optim.Adam(network.parameters(), lr=config.learning_rate)
        case "sgd":
            return torch.optim.SGD(network.parameters(), lr=config.learning_rate, momentum=0.9)


class _Sampler:
    """Augmented batches from the cached crops."""

    def __init__(self, faces: FaceCrops, spec: InputSpec, config: TrainConfig, device: torch.device) -> None:
        self._crops = torch.from_numpy(faces.crops).to(device)
        self._points = torch.from_numpy(faces.points_unit).to(device)
        self._spec, self._config, self._device = spec, config, device
        self._generator = torch.Generator(device).manual_seed(config.seed)

    def epoch(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield each face once: (B + K, 1, S, S) crops, the last K of them no faces, and (B, 68, 2) unit keypoints."""
        order = torch.randperm(len(self._crops), generator=self._generator, device=self._device)
        for chosen in torch.split(order, self._config.batch_size):
            cached = self._crops[chosen].float().div_(255)
            yield self._batch(cached, self._points[chosen])

    def _batch(self, cached: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        spec, generator, count = self._spec, self._generator, len(cached)
        if self._config.augment:
            placement = augmentation.usual_placement(count, generator, self._device)
        else:
            zeros = torch.zeros(count, device=self._device)
            placement = augmentation.Placement(zeros.new_zeros(count, 2), zeros + 1, zeros, zeros > 0)
        crops = augmentation.cut(cached, placement, spec)
        if self._config.augment:
            crops = augmentation.occlude(crops, generator)
        if others := math.ceil(self._config.negative_share * count):
            picked = torch.randint(count, (others,), generator=generator, device=self._device)
            crops = torch.cat([crops, augmentation.not_faces(cached[picked], spec, generator)])
        if self._config.augment:
            crops = augmentation.vary_light(crops, generator)
        return crops, augmentation.move_points(points, placement, spec)


@contextmanager
def _explain_write_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"{path} could not be written ({error.strerror}); free some space and train again"
        ) from error


@dataclass
class _Run:
    """The run's folder, figures and events."""

    config: TrainConfig
    on_event: Callable[[events.Event], None]
    best_nme: float = math.inf
    folder: Path = field(init=False)
    device: torch.device = field(init=False)

    def __post_init__(self) -> None:
        self.device = resolve_device(self.config.device)
        self.folder = Path(self.config.out or Path("runs") / datetime.now().strftime("%Y-%m-%d-%H%M%S"))
        if (self.folder / "config.json").exists():
            raise TrainingError(f"{self.folder} already holds a run; choose another --out")

    def make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(f"{self.folder} cannot be made ({error.strerror}); choose another --out") from error

    def start(self, network: KeypointNetwork, training: FaceCrops, validation: FaceCrops) -> None:
        path = self.folder / "config.json"
        with _explain_write_error(path):
            write_atomically(path, self.config.with_out(self.folder).to_json().encode())
        self.on_event(
            events.RunStarted(
                run=str(self.folder),
                network=f"{self.config.model} ({count_parameters(network):,} parameters)",
                device=str(self.device),
                epochs=self.config.epochs,
                batches_per_epoch=math.ceil(len(training) / self.config.batch_size),
                training_faces=len(training),
                validation_faces=len(validation),
            )
        )

    def train_epoch(
        self,
        network: KeypointNetwork,
        optimizer: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
        sampler: _Sampler,
        *,
        epoch: int,
        should_stop: Callable[[], bool],
    ) -> list[float]:
        """Take one step a batch; return the losses, fewer than there are batches if the run was stopped."""
        losses_seen: list[float] = []
        began = last_told = time.perf_counter()
        images = 0
        for batch, (crops, points) in enumerate(sampler.epoch(), start=1):
            if should_stop():
                break
            loss = self._loss(network, crops, points)
            value = loss.item()
            if not math.isfinite(value):
                raise TrainingError(
                    f"the loss became {value} in batch {batch} of epoch {epoch}; "
                    f"try a learning rate below {self.config.learning_rate:g}"
                )
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP_NORM)
            optimizer.step()
            schedule.step()
            losses_seen.append(value)
            images += len(points)
            now = time.perf_counter()
            if now - last_told >= BATCH_EVENT_EVERY_S:
                last_told = now
                self.on_event(events.BatchDone(epoch, batch, value, images / (now - began)))
        return losses_seen

    def _loss(self, network: KeypointNetwork, crops: Tensor, points: Tensor) -> Tensor:
        faces = len(points)
        output = network(crops.contiguous(memory_format=torch.channels_last))
        loss = losses.keypoint_loss(self.config.loss, (output.points[:faces] - points) / network.loss_unit)
        if output.face_logit is not None and len(crops) > faces:
            is_face = (torch.arange(len(crops), device=crops.device) < faces).float()
            loss = loss + FACE_LOSS_WEIGHT * functional.binary_cross_entropy_with_logits(output.face_logit, is_face)
        return loss

    def finish_epoch(
        self, network: KeypointNetwork, validation: FaceCrops, *, epoch: int, training_loss: float, seconds: float
    ) -> None:
        """Judge the network, write its figures and weights, and tell."""
        result = validate(network, validation)
        if not math.isfinite(result.score.nme_mean):
            raise TrainingError(
                f"the network gives no numbers any more after epoch {epoch}; "
                f"try a learning rate below {self.config.learning_rate:g}"
            )
        is_best = result.score.nme_mean < self.best_nme
        done = events.EpochDone(
            epoch=epoch,
            training_loss=training_loss,
            nme_mean=result.score.nme_mean,
            failure_rate=result.score.failure_rate,
            auc=result.score.auc,
            face_accuracy=result.face_accuracy,
            seconds=seconds,
            is_best=is_best,
        )
        self._append_metrics(done)
        self.on_event(done)
        # Without the folders: weights are passed on, and where they were trained is nobody's business.
        recipe = {k: v for k, v in asdict(self.config).items() if k not in ("data", "out", "finetune")}
        info = {"epoch": epoch, "validation": asdict(result.score), "config": recipe}
        self._save(network, "last.safetensors", info, epoch)
        if is_best:
            self.best_nme = result.score.nme_mean
            self._save(network, "best.safetensors", info, epoch)

    def _save(self, network: KeypointNetwork, file_name: str, info: dict[str, Any], epoch: int) -> None:
        path = self.folder / file_name
        with _explain_write_error(path):
            save_checkpoint(path, network, name=self.config.model, info=info)
        self.on_event(events.CheckpointSaved(str(path), epoch))

    def _append_metrics(self, done: events.EpochDone) -> None:
        path = self.folder / "metrics.csv"
        with suppress(OSError), path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(asdict(done)))
            if file.tell() == 0:
                writer.writeheader()
            writer.writerow(asdict(done))
