"""The training loop: `fit` trains and keeps the best weights, `resume` goes on with a run that was interrupted."""

from __future__ import annotations

import math
import time
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from trainer import events
from trainer.beginning import described, in_a_sentence, initial_network
from trainer.core.devices import resolve_device
from trainer.core.models import KeypointNetwork, build_network
from trainer.core.text import Text
from trainer.core.weights_file import CheckpointError, read_header
from trainer.dataset import load_crops, split_by_identity, training_cache
from trainer.learner import Learner, memory_explained, memory_in_use
from trainer.parallel import Team, is_distributed, is_leader, joined_team, local_device
from trainer.progress import KeptState, Progress
from trainer.readers import read_samples
from trainer.run_folder import RunFolder, dated_folder
from trainer.runs import BEST, LAST, TrainingError, has_ended, read_config
from trainer.sampler import Sampler
from trainer.teacher import smooth_labels
from trainer.validation import validate, validation_sheet

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.config import TrainConfig
    from trainer.dataset import FaceCrops

BATCH_EVENT_EVERY_S: Final = 0.25
FOLDER_SETTINGS: Final = ("data", "out", "finetune", "teacher")
"""Not in the weights: they are passed on, and where they were trained is nobody's business."""


def fit(
    config: TrainConfig,
    *,
    on_event: Callable[[events.Event], None],
    should_stop: Callable[[], bool] = lambda: False,
    should_discard: Callable[[], bool] = lambda: False,
) -> Path:
    """Train a network as configured.

    Parameters
    ----------
    config
        What to do.
    on_event
        Told of everything, from this thread; under `torchrun` in the first process only.
    should_stop
        Asked between batches; when true the run ends early and keeps what it has, to be used or resumed.
    should_discard
        Asked when stopped; when true the run folder is removed again.

    Returns
    -------
    The run folder: see `RunFolder`.

    Raises
    ------
    DatasetError, CheckpointError, DeviceError, TrainingError
        With one sentence that says what is wrong.
    """
    folder = RunFolder(Path(config.out) if config.out else dated_folder())
    return _run(config, folder, _Listener(on_event, should_stop, should_discard), go_on=False)


def resume(
    folder: Path | str,
    *,
    on_event: Callable[[events.Event], None],
    should_stop: Callable[[], bool] = lambda: False,
    **changes: Any,
) -> Path:
    """Go on with a run that was stopped or died, to the weights that it would have had unbroken.

    On a CPU with as many threads they are the same bit for bit.

    Parameters
    ----------
    folder
        The run's.
    on_event, should_stop
        As for `fit`.
    changes
        Settings that may differ from the run's: `data` (where the same data lies now), `device`, `threads`.

    Raises
    ------
    TrainingError
        If there is no run, nothing is left to do, or the data are others; and as for `fit`.
    """
    run_folder = RunFolder(Path(folder))
    config = replace(read_config(run_folder.path), out=str(folder), **changes)
    return _run(config, run_folder, _Listener(on_event, should_stop, lambda: False), go_on=True)


@dataclass(frozen=True)
class _Listener:
    on_event: Callable[[events.Event], None]
    should_stop: Callable[[], bool]
    should_discard: Callable[[], bool]


def _run(config: TrainConfig, folder: RunFolder, listener: _Listener, *, go_on: bool) -> Path:
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    try:
        device = local_device(torch.device(resolve_device(config.device)))
        with joined_team(device) as team:
            _run_in_team(config, folder, listener, team, device, go_on=go_on)
    except Exception as error:
        if is_leader():
            listener.on_event(events.RunFailed(in_a_sentence(error)))
        raise
    return folder.path


def _run_in_team(
    config: TrainConfig, folder: RunFolder, listener: _Listener, team: Team, device: torch.device, *, go_on: bool
) -> None:
    if folder.holds_a_run and team.is_leader and not go_on:
        # Torchrun starts all processes anew when one dies: then this is the run that they were at.
        go_on = is_distributed() and read_config(folder.path) == replace(config, out=str(folder.path))
        if not go_on:
            folder.refuse_taken()
    # A state has all the weights: those that the run began with need not be there any more.
    with memory_explained(device):
        network = build_network(config.model) if go_on and folder.holds_state else initial_network(config)
        network.to(device, memory_format=network.memory_format)  # type: ignore[call-overload]
    samples = read_samples(config.data, correct_labels=config.correct_labels)
    people = split_by_identity(samples, validation_share=config.validation_share, seed=config.seed)
    with folder.locked() if team.is_leader else nullcontext():
        if team.is_leader and not go_on:  # while the data were read, another process may have begun and ended there
            folder.refuse_taken()
        run = _Run(config, folder, listener, team, device)
        try:
            with memory_explained(device):
                run.train(network, people[0], people[1], go_on=go_on)
        except Exception as error:
            run.leave(in_a_sentence(error))
            raise


@dataclass
class _Run:
    config: TrainConfig
    folder: RunFolder
    listener: _Listener
    team: Team
    device: torch.device
    progress: Progress = field(default_factory=Progress)
    has_started: bool = False
    kept: KeptState = field(default_factory=KeptState)
    epoch_again: int = 0
    """Epoch of the best weights on disk, when the run went on: it may be trained again, to the same weights."""

    def train(self, network: KeypointNetwork, training_people: Any, validation_people: Any, *, go_on: bool) -> None:
        """Train to the end, or until asked to stop."""
        config, spec = self.config, network.input_spec
        training = training_cache(training_people, spec, should_stop=self.listener.should_stop)
        validation = load_crops(
            validation_people,
            size_px=spec.size_px,
            crop_per_box=spec.crop_per_box,
            should_stop=self.listener.should_stop,
        )
        notice = ""
        if config.teacher:
            training, nme = smooth_labels(
                training,
                config.teacher.split(","),
                share=config.teacher_share,
                device=self.device,
                should_stop=self.listener.should_stop,
            )
            notice = Text(
                "the labels are moved {share:.0f}% of the way to the teacher's ({nme:.2f}% apart)",
                share=100 * config.teacher_share,
                nme=100 * nme,
            )
        if self._must_stop():
            self._finish(epochs_done=0, stopped=True)
            return
        sampler = Sampler(
            training,
            spec,
            batch_size=config.batch_size,
            augmentation=config.augmentation,
            negative_share=config.negative_share,
            seed=config.seed,
            device=self.device,
            team=self.team,
        )
        learner = Learner(
            network,
            config,
            total_steps=sampler.batches * config.epochs,
            team=self.team,
            on_notice=lambda message: self.tell(events.Notice(message)),
        )
        self._start(learner, training, validation, sampler.batches, go_on=go_on)
        if notice:
            self.tell(events.Notice(notice))
        stopped = False
        while self.progress.epoch <= config.epochs and not stopped:
            epoch = self.progress.epoch
            stopped = self._train_epoch(learner, sampler, validation)
            stopped = stopped or (epoch < config.epochs and self._must_stop())
        if stopped and not self.listener.should_discard():
            self._keep_state(learner)
        done = self.progress.epoch - (0 if self.progress.batch else 1)
        self._finish(epochs_done=done, stopped=stopped)

    def tell(self, event: events.Event) -> None:
        """Tell and record an event."""
        if self.team.is_leader:
            if self.has_started:
                self.folder.record(event)
            self.listener.on_event(event)

    def leave(self, message: str) -> None:
        """Record that the run ended with an error; what it has is kept, an empty folder is not."""
        if not self.team.is_leader:
            return
        if self.has_started:
            with suppress(TrainingError):  # the disk is full: that is the error already
                self.folder.record(events.RunFailed(message))
        elif not self.folder.holds_a_run:
            with suppress(OSError):  # read-only: as above
                self.folder.remove()

    def _must_stop(self) -> bool:
        """Whether any process of the team was asked to stop."""
        return bool(self.team.sum(np.array([float(self.listener.should_stop())]), self.device)[0])

    def _start(
        self, learner: Learner, training: FaceCrops, validation: FaceCrops, batches: int, *, go_on: bool
    ) -> None:
        content = self.folder.read_state() if go_on and self.team.is_leader else None
        if content == b"":
            raise self.folder.damaged_state()
        state = self.team.from_leader(content, self.device)
        self.progress.faces = len(training)
        if state:
            self._restore(learner, state)
        if self.team.is_leader:
            is_over = self.config.epochs in self.folder.judged_epochs() and has_ended(self.folder.path)
            if go_on and not state and is_over:
                raise TrainingError(
                    "the run in {path} has all its {epochs} epochs; start a new run from its weights with --finetune",
                    path=self.folder.path,
                    epochs=self.config.epochs,
                )
            if go_on:
                self.folder.keep_metrics_before(self.progress.epoch)
                self._heed_best()
            self.folder.write_config(replace(self.config, out=str(self.folder.path)))
        self.has_started = True
        self.tell(
            events.RunStarted(
                run=str(self.folder.path),
                network=described(self.config.model, learner.network),
                device=str(self.device) if self.team.size == 1 else f"{self.team.size} x {self.device.type}",
                epochs=self.config.epochs,
                batches_per_epoch=batches,
                training_faces=len(training),
                validation_faces=len(validation),
                epochs_done=self.progress.epoch - 1,
            )
        )

    def _restore(self, learner: Learner, state: bytes) -> None:
        try:
            progress = Progress(**learner.load_state(state))
        except (ValueError, TypeError) as error:
            raise self.folder.damaged_state() from error
        if progress.faces != self.progress.faces:
            raise TrainingError(
                "{data} has {faces} faces to train on where the run had {before}; give "
                "the run's own data with --data, or start a new run from its weights with "
                "--finetune",
                data=self.config.data,
                faces=self.progress.faces,
                before=progress.faces,
            )
        self.progress, self.kept = progress, KeptState.of(progress)

    def _heed_best(self) -> None:
        """Take from the best weights what epochs have to better: they may be of one that the state is older than."""
        with suppress(CheckpointError, KeyError, TypeError, ValueError):  # gone, or nothing that a run wrote
            _, info = read_header(self.folder.path / BEST)
            self.epoch_again, self.progress.best_nme = int(info["epoch"]), float(info["validation"]["nme_mean"])

    def _train_epoch(self, learner: Learner, sampler: Sampler, validation: FaceCrops) -> bool:
        """Train what is left of the epoch and judge; return whether it was cut short."""
        progress, began = self.progress, time.perf_counter()
        last_told, images = began, 0
        learner.network.train()
        calm = progress.epoch > self.config.epochs * (1 - self.config.calm_share)
        first = progress.batch
        for crops, points, faces in sampler.epoch(progress.epoch, skip=first, calm=calm):
            if self._must_stop():
                break
            learner.step(crops, points, faces)
            progress.batch += 1
            images += faces
            is_time = time.perf_counter() - last_told >= BATCH_EVENT_EVERY_S
            if is_time or not learner.runs_ahead:
                loss = progress.add(learner.losses(), self.config.learning_rate)
            if is_time:
                last_told = time.perf_counter()
                speed, memory = images / (last_told - began), memory_in_use(self.device)
                self.tell(events.BatchDone(progress.epoch, progress.batch, loss, speed, memory))
        progress.add(learner.losses(), self.config.learning_rate)
        cut_short = progress.batch < sampler.batches
        if progress.batch == first:  # stopped before the first step: there is nothing new
            return True
        if cut_short and self.listener.should_discard():
            return True
        self._judge(learner, validation, seconds=time.perf_counter() - began)
        if not cut_short:
            progress.epoch, progress.batch, progress.loss_sum = progress.epoch + 1, 0, 0.0
        if cut_short or self.kept.is_old_enough(learner.state_bytes):
            self._keep_state(learner)
        return cut_short

    def _keep_state(self, learner: Learner) -> None:
        """Write what is needed to go on from here, if it is not on disk."""
        if self.team.is_leader and not self.kept.is_of(self.progress):
            self.folder.write_state(learner.state(asdict(self.progress)))
            self.kept = KeptState.of(self.progress)

    def _judge(self, learner: Learner, validation: FaceCrops, *, seconds: float) -> None:
        """Judge the network, write its figures and weights, and tell."""
        epoch = self.progress.epoch
        result = validate(learner.network, validation, batch_size=learner.faces_at_once, team=self.team)
        score = result.score
        if not math.isfinite(score.nme_mean):
            raise TrainingError(
                "the network gives no numbers any more after epoch {epoch}; try a learning rate "
                "below {learning_rate:g}; the best weights so far are kept",
                epoch=epoch,
                learning_rate=self.config.learning_rate,
            )
        best = self.progress.best_nme
        is_best = score.nme_mean < best or (score.nme_mean == best and epoch == self.epoch_again)
        if is_best:
            self.progress.best_nme = score.nme_mean
        if not self.team.is_leader:
            return
        done = events.EpochDone(
            epoch=epoch,
            training_loss=self.progress.loss_sum / self.progress.batch,
            nme_mean=score.nme_mean,
            failure_rate=score.failure_rate,
            auc=score.auc,
            face_accuracy=result.face_accuracy,
            seconds=seconds,
            is_best=is_best,
        )
        self.folder.add_metrics(done)
        self.folder.write_sheet(validation_sheet(validation, result.points_unit))
        self.tell(done)
        recipe = {name: value for name, value in asdict(self.config).items() if name not in FOLDER_SETTINGS}
        info = {"epoch": epoch, "validation": asdict(score), "config": recipe}
        path = self.folder.save_weights(LAST, learner.network, name=self.config.model, info=info)
        self.tell(events.CheckpointSaved(str(path), epoch))
        if is_best:
            path = self.folder.keep_as(BEST, LAST)
            self.tell(events.CheckpointSaved(str(path), epoch))

    def _finish(self, *, epochs_done: int, stopped: bool) -> None:
        if not self.team.is_leader:
            return
        discarded, best = self.listener.should_discard(), self.progress.best_nme
        if not (self.has_started or discarded) and self.folder.holds_a_run:  # to go on, but not even its state was read
            judged = self.folder.judged_epochs()
            epochs_done, best = max(judged, default=0), min(judged.values(), default=math.inf)
        elif discarded or not self.has_started:
            self.folder.remove()
        else:
            self.folder.draw_curves()
        nme = best if math.isfinite(best) and not discarded else None
        done = events.RunFinished(str(self.folder.path), epochs_done, nme, stopped, discarded)
        if self.has_started and not discarded:
            self.folder.record(done)
            if not stopped:  # the very last: until then there is something to go on from
                self.folder.remove_state()
        self.listener.on_event(done)
