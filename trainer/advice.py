"""What is to be said of a training configuration before hours are spent on it. Torch-free.

Figures are those of docs/benchmarks.md: measured on a processor, with the published data set. Those of bfloat16 and of
the memory that a face takes were measured on the same machine.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, fields
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from trainer.config import ConfigError, TrainConfig
from trainer.core.text import Text
from trainer.weights_header import WeightsError, read_weights_header

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PARAMETERS: Final[Mapping[str, int]] = {
    "simple": 52_660_168,
    "two_conv": 540_951_732,
    "compact": 620_509,
    "large": 997_973,
}
"""Trainable numbers of each network, for those who must know before torch is there."""
TITLES: Final[Mapping[str, str]] = {"simple": "Simple", "two_conv": "Two conv", "compact": "Compact", "large": "Large"}
"""What the networks are called."""
TELLS_FACES: Final = frozenset({"compact", "large"})
"""Networks that say how likely a crop holds a face."""
REFINING: Final[Mapping[str, Any]] = {"epochs": 12, "learning_rate": 1e-3}
"""What the shipped network's teachers were refined with."""
_REFINING_RATE_LIMIT: Final = 2e-3
_HIGH_ADAM_RATE: Final = 0.02
_FEW_STEPS: Final = 500
_SHIPPED_STEPS: Final = 15_000  # 186 epochs of 84 batches
_MEMORY_A_FACE: Final[Mapping[str, float]] = {"compact": 2.1e6, "large": 3.3e6, "simple": 18e6, "two_conv": 26e6}
"""About, on a processor: what a step's peak grows by; that of two_conv is counted, not measured."""


class Severity(Enum):
    """How much an advice matters."""

    ERROR = "error"
    """Training cannot start."""
    NOTE = "note"
    """It can, but this should be known."""


@dataclass(frozen=True)
class Offer:
    """A way out: what it is called, and the settings that it changes."""

    text: str
    changes: Mapping[str, Any]


@dataclass(frozen=True)
class Advice:
    """One sentence on a setting.

    Attributes
    ----------
    severity
        Whether training can start.
    text
        The sentence, without its capital and full stop.
    offers
        Ways out, the likeliest first.
    """

    severity: Severity
    text: str
    offers: tuple[Offer, ...] = ()


def advise(
    config: TrainConfig,
    *,
    training_faces: int | None = None,
    devices: Sequence[str] | None = None,
    memory_bytes: int | None = None,
    processors: int | None = None,
) -> dict[str, Advice]:
    """Say what is to be said of a configuration, at most one thing a field.

    Parameters
    ----------
    config
        Where the data and the run folder are is not looked at.
    training_faces
        Faces of the data set's training split, some of which will be kept aside; None where not known.
    devices
        Those that work here, best first, without "auto"; None where not known.
    memory_bytes
        Main memory that is free; None where not known.
    processors
        Cores; None for those of this computer.

    Returns
    -------
    By the field's name. What depends on several fields is said of the one that stands last in a form, so that nothing
    above the one that is being edited moves.
    """
    case = _Case(config, training_faces, devices, memory_bytes, processors or os.cpu_count() or 1)
    found: dict[str, Advice] = {}
    for name, advice in case.all():
        if name not in found or (advice.severity is Severity.ERROR and found[name].severity is Severity.NOTE):
            found[name] = advice
    return found


def faces_to_train_on(config: TrainConfig, training_faces: int) -> int:
    """Tell about how many faces are left when some people are kept aside: people differ in how many they have."""
    return max(1, round(training_faces * (1 - config.validation_share)))


def _note(text: str, *offers: Offer) -> Advice:
    return Advice(Severity.NOTE, text, offers)


def _error(text: str, *offers: Offer) -> Advice:
    return Advice(Severity.ERROR, text, offers)


@dataclass(frozen=True)
class _Case:
    config: TrainConfig
    training_faces: int | None
    devices: Sequence[str] | None
    memory_bytes: int | None
    processors: int

    def all(self) -> Iterator[tuple[str, Advice]]:
        """Everything, by field; of what is as bad, what is more important comes first."""
        yield from self._weights()
        yield from self._teacher()
        yield from self._machine()
        yield from self._steps()
        yield from self._without_effect()
        yield from self._learning()

    @property
    def _device(self) -> str | None:
        """Where it would be trained; None where not known."""
        if self.config.device != "auto":
            return self.config.device
        return self.devices[0] if self.devices else None

    def _weights(self) -> Iterator[tuple[str, Advice]]:
        config = self.config
        if not config.finetune:
            return
        scratch = Offer(Text("Start from scratch"), {"finetune": ""})
        try:
            header = read_weights_header(config.finetune)
        except WeightsError as error:
            yield "finetune", _error(error.said, scratch)
            return
        if header.network != config.model:
            title = TITLES[header.network]
            text = Text(
                "these weights are of the network {title}, not of {network}", title=title, network=TITLES[config.model]
            )
            yield (
                "finetune",
                _error(text, scratch, Offer(Text("Train {title}", title=title), {"model": header.network})),
            )
            return
        if config.learning_rate > _REFINING_RATE_LIMIT:
            epochs, rate = REFINING["epochs"], REFINING["learning_rate"]
            text = Text(
                "trained weights need less: {epochs} epochs at {rate:g} refined the teachers of the shipped ones",
                epochs=epochs,
                rate=rate,
            )
            yield (
                "learning_rate",
                _note(text, Offer(Text("Use {epochs} epochs at {rate:g}", epochs=epochs, rate=rate), REFINING)),
            )
        split = {name: header.config[name] for name in ("seed", "validation_share") if _is_allowed(name, header.config)}
        if differing := {name: value for name, value in split.items() if value != getattr(config, name)}:
            text = Text(
                "the weights were trained with another, so on the same data set they have seen "
                "some of the people that are now kept aside, and the NME looks better than it is"
            )
            first, *others = differing.values()
            same = (
                Text("Use the same, {first:g} and {second:g}", first=first, second=others[0])
                if others
                else Text("Use the same, {value:g}", value=first)
            )
            offer = Offer(same, differing)
            for name in differing:
                yield name, _note(text, offer)

    def _teacher(self) -> Iterator[tuple[str, Advice]]:
        config = self.config
        if not config.teacher:
            if config.teacher_share != _default("teacher_share"):
                yield "teacher_share", _note(Text("it has no effect without a teacher"))
            return
        for path in config.teacher.split(","):
            try:
                read_weights_header(path)
            except WeightsError as error:
                yield "teacher", _error(error.said, Offer(Text("No teacher"), {"teacher": ""}))
        if config.teacher_share == 0:
            yield "teacher_share", _note(Text("0 leaves the labels as they are, so the teacher has no effect"))
        elif config.teacher_share == 1:
            yield "teacher_share", _note(Text("1 replaces the labels by what the teacher sees"))

    def _machine(self) -> Iterator[tuple[str, Advice]]:
        config, device = self.config, self._device
        if config.device != "auto" and self.devices is not None and config.device not in self.devices:
            text = Text("PyTorch finds no {device} device here", device=config.device.upper())
            yield "device", _error(text, Offer(Text("Use the best there is"), {"device": "auto"}))
        if config.threads > self.processors:
            text = Text(
                "this computer has {processors} processor cores: more threads only get in each other's way",
                processors=self.processors,
            )
            yield "threads", _note(text)
        if device != "cpu":
            return
        if config.precision == "bfloat16":
            text = Text(
                "bfloat16 is made for GPUs: on a processor without instructions for it a step took ten times as long"
            )
            yield "precision", _note(text, Offer(Text("Use float32"), {"precision": "float32"}))
        if config.model == "two_conv":
            needed = 7e9 if config.optimizer == "sgd" else 9.2e9  # with Adam's two moments
            text = Text(
                "on a processor Two conv needs {needed:.2g} GB of memory or more, and took about 10 s a step",
                needed=needed / 1e9,
            )
            if self.memory_bytes is not None and self.memory_bytes < needed:
                text = Text("{sentence}; {free:.1f} GB are free here", sentence=text, free=self.memory_bytes / 1e9)
            yield "device", _note(text)
        elif config.model == "simple":
            yield "device", _note(Text("on a processor an epoch of Simple on 2,676 faces took 5.5 minutes"))
        batch = min(config.batch_size, self._trained or config.batch_size)
        taken = batch * _MEMORY_A_FACE[config.model]
        if self.memory_bytes is not None and taken > self.memory_bytes / 2:
            text = Text(
                "such a batch takes about {taken:.1f} GB of memory, and {free:.1f} GB are free",
                taken=taken / 1e9,
                free=self.memory_bytes / 1e9,
            )
            yield "batch_size", _note(text)

    @property
    def _trained(self) -> int | None:
        return None if self.training_faces is None else faces_to_train_on(self.config, self.training_faces)

    def _steps(self) -> Iterator[tuple[str, Advice]]:
        config, faces = self.config, self._trained
        if faces is None:
            return
        if config.batch_size > faces:
            text = Text("only about {faces:,} faces are left to train on, so each epoch is a single step", faces=faces)
            yield "batch_size", _note(text)
        steps = math.ceil(faces / config.batch_size) * config.epochs
        if steps == 1 and config.schedule == "one_cycle":
            text = Text("one cycle ends with a rate of almost nothing: a run of a single step learns nothing")
            yield "schedule", _note(text, Offer(Text("Use a constant rate"), {"schedule": "constant"}))
        if steps < _FEW_STEPS and not config.finetune:
            text = Text(
                "that is about {steps:,} step(s) from scratch; the shipped weights took over {shipped:,}",
                n=steps,
                steps=steps,
                shipped=_SHIPPED_STEPS,
            )
            yield "batch_size", _note(text)

    def _without_effect(self) -> Iterator[tuple[str, Advice]]:
        config = self.config
        if config.optimizer != "adamw" and config.weight_decay != 0:
            yield "weight_decay", _note(Text("it has no effect: only AdamW decays weights here"))
        if config.augmentation != "full" and config.calm_share != 0:
            yield "calm_share", _note(Text("it has no effect: faces are turned and hidden by full augmentation only"))
        if config.model not in TELLS_FACES and config.negative_share != 0:
            text = Text(
                "{network} cannot tell faces from others: these crops take time and teach nothing",
                network=TITLES[config.model],
            )
            yield "negative_share", _note(text, Offer(Text("Use 0"), {"negative_share": 0.0}))
        elif config.model in TELLS_FACES and config.negative_share == 0:
            yield "negative_share", _note(Text("without them the network does not learn how sure it is of a face"))

    def _learning(self) -> Iterator[tuple[str, Advice]]:
        config = self.config
        usual = _default("learning_rate")
        if config.optimizer != "sgd" and config.learning_rate > _HIGH_ADAM_RATE:
            text = Text(
                "far above the {usual:g} of the shipped weights; a loss that is no number any more ends the run",
                usual=usual,
            )
            yield "learning_rate", _note(text, Offer(Text("Use {usual:g}", usual=usual), {"learning_rate": usual}))
        if config.optimizer == "sgd":
            text = Text("it learns slowly here: after one epoch at 0.001 its NME was 13.8 %, Adam's 8.0 %")
            yield "optimizer", _note(text, Offer(Text("Use AdamW"), {"optimizer": "adamw"}))
        if config.loss == "wing" and config.model not in TELLS_FACES:
            text = Text(
                "it bends at 250 px and {network} sees 224, so only its inner part is ever used",
                network=TITLES[config.model],
            )
            yield "loss", _note(text)
        if config.augmentation == "none":
            yield "augmentation", _note(Text("every crop then sits exactly on its label, as no detector places it"))
        elif config.augmentation == "random_crop":
            yield (
                "augmentation",
                _note(Text("faces are only shifted, as published: never turned, hidden or lit otherwise")),
            )
        if config.validation_share > 0.5:
            yield "validation_share", _note(Text("more people are kept aside than trained on"))


def _is_allowed(name: str, settings: Mapping[str, Any]) -> bool:
    """Whether there is such a setting, with a value that it may have: anything may stand in a file."""
    try:
        return name in settings and bool(TrainConfig(**{name: settings[name]}))
    except ConfigError:
        return False


def _default(name: str) -> Any:
    return next(setting.default for setting in fields(TrainConfig) if setting.name == name)
