"""One dataclass that says everything about a training run; the command line and the run folder are made from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_type_hints

from trainer.core.errors import FkdError
from trainer.core.names import DEFAULT_NETWORK, DEVICE_NAMES, NETWORK_NAMES
from trainer.core.text import Text

if TYPE_CHECKING:
    import argparse

OptimizerName = Literal["adam", "adamw", "sgd"]
LossName = Literal["euclidean", "wing", "smooth_l1", "mse"]
AugmentationName = Literal["full", "random_crop", "none"]
ScheduleName = Literal["one_cycle", "constant"]
PrecisionName = Literal["auto", "float32", "bfloat16"]

FORMAT_VERSION: Final = 1
"""Of a run's config.json. A change of a setting's name or meaning raises it by one and adds an entry to `_MIGRATIONS`,
with a test that has such an old file in it; a new setting whose default acts as before needs neither."""


class ConfigError(FkdError, ValueError):
    """A training configuration that cannot work; the message names the field and the value."""


def _setting(default: Any, help_text: str, label: str, *, zero: str = "", hint: str = "", **options: Any) -> Any:
    """Make a field; the collector of texts to translate knows this function's `help_text`, `label`, `zero`, `hint`."""
    said = {"help": help_text, "label": label, "zero": zero, "hint": hint}
    texts = {name: Text(text) for name, text in said.items() if text}
    return field(default=default, metadata={**texts, "group": "advanced", **options})


@dataclass(frozen=True)
class TrainConfig:
    """Everything a training run depends on; checked when made.

    A field's metadata are its `help`, its limits or choices, and what a form makes its editor from: a short `label`,
    its `group` ("main", "advanced", or "place" for what is chosen elsewhere), a `kind` where the type does not say it
    all ("start": nothing or weights; "weights": files, separated by commas), what 0 stands for (`zero`), and a `hint`
    where the application does otherwise than `help` says.
    """

    data: str = _setting("", "data set: a folder, or a CSV file", "Data set", group="place")
    out: str = _setting("", "run folder to write; empty: runs/<date and time>", "Run folder", group="place")
    model: str = _setting(DEFAULT_NETWORK, "network to train", "Network", group="main", choices=NETWORK_NAMES)
    finetune: str = _setting(
        "", "weights to start from; empty: fresh weights", "Start from", group="main", kind="start"
    )
    teacher: str = _setting(
        "",
        "weights, separated by commas, whose predictions smooth the labels' noise; empty: the labels as they are",
        "Teacher",
        kind="weights",
    )
    teacher_share: float = _setting(
        0.5, "weight of the teacher's keypoints against the labels", "Teacher's share", minimum=0.0, maximum=1.0
    )
    optimizer: OptimizerName = _setting("adamw", "optimizer", "Optimizer")  # noqa: RUF009 (it makes a field)
    loss: LossName = _setting("euclidean", "loss on the keypoints", "Loss")  # noqa: RUF009
    epochs: int = _setting(60, "passes over the training images", "Epochs", group="main", minimum=1, maximum=100_000)
    batch_size: int = _setting(
        32, "faces a step, of all processes together", "Batch size", group="main", minimum=1, maximum=65_536
    )
    learning_rate: float = _setting(
        5e-3, "learning rate; with one_cycle its peak", "Learning rate", group="main", minimum=0.0, maximum=1.0
    )
    schedule: ScheduleName = _setting("one_cycle", "how the learning rate goes", "Schedule")  # noqa: RUF009
    weight_decay: float = _setting(0.02, "decoupled weight decay (adamw)", "Weight decay", minimum=0.0, maximum=1.0)
    augmentation: AugmentationName = _setting(  # noqa: RUF009
        "full",
        "full: place, size, angle, light, sharpness, hidden parts; random_crop: a shift, as published",
        "Augmentation",
        group="main",
    )
    calm_share: float = _setting(
        0.25,
        "last share of the epochs, in which faces are turned and hidden less",
        "Calm share",
        minimum=0.0,
        maximum=1.0,
    )
    negative_share: float = _setting(
        0.15,
        "crops without a well-placed face, a face: teaches the confidence",
        "Non-faces",
        minimum=0.0,
        maximum=1.0,
    )
    correct_labels: bool = _setting(
        True, "undo the known shift of the published data set's labels", "Correct published labels"
    )
    validation_share: float = _setting(
        0.15,
        "share of the identities kept aside to judge each epoch on",
        "Validation share",
        minimum=0.01,
        maximum=0.9,
    )
    seed: int = _setting(1, "seed of the split, the weights and the augmentation", "Seed", minimum=0, maximum=2**31 - 1)
    device: str = _setting("auto", "where to train", "Device", group="main", choices=DEVICE_NAMES)
    precision: PrecisionName = _setting("auto", "numbers to compute with; auto: bfloat16 on CUDA", "Precision")  # noqa: RUF009
    threads: int = _setting(
        0,
        "processor threads; 0: all",
        "Threads",
        minimum=0,
        maximum=1024,
        zero="Automatic",
        hint="processor threads; automatic leaves one core to everything else",
    )

    def __post_init__(self) -> None:
        """Check every field.

        Raises
        ------
        ConfigError
            Naming the field, its value and what is allowed.
        """
        for setting in fields(self):
            value, limits = getattr(self, setting.name), setting.metadata
            choices = setting_choices(setting.name, type(self))
            if choices and value not in choices:
                raise ConfigError(
                    "{name} is {value!r}; choose one of {choices}",
                    name=setting.name,
                    value=value,
                    choices=", ".join(choices),
                )
            kind = setting_type(setting.name, type(self))
            if kind in _KINDS and type(value) not in _KINDS[kind]:  # type(): True is an int to isinstance
                raise ConfigError(
                    "{name} is {value!r}; it must be of type {kind}",
                    name=setting.name,
                    value=value,
                    kind=kind.__name__,
                )
            if "minimum" in limits and not limits["minimum"] <= value <= limits["maximum"]:
                raise ConfigError(
                    "{name} is {value}; it must be between {minimum} and {maximum}",
                    name=setting.name,
                    value=value,
                    minimum=limits["minimum"],
                    maximum=limits["maximum"],
                )
        if self.learning_rate == 0:
            raise ConfigError("{name} is 0; nothing would be learned", name="learning_rate")

    def to_json(self) -> str:
        """Return the configuration as indented JSON."""
        return json.dumps({"format_version": FORMAT_VERSION, **asdict(self)}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> TrainConfig:
        """Read what `to_json` wrote.

        Raises
        ------
        ConfigError
            If it is no such JSON, of a newer version, has a setting that this version does not know, or a value that
            is not allowed.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError("it is not JSON: {error}", error=error) from error
        if not isinstance(values, dict):
            raise ConfigError("it holds no settings")
        version = values.pop("format_version", 0)  # at first there was none
        if type(version) is not int or not 0 <= version <= FORMAT_VERSION:
            raise ConfigError(
                "it has format version {version!r}, this program reads {known}; update FKD Desktop",
                version=version,
                known=FORMAT_VERSION,
            )
        for old in range(version, FORMAT_VERSION):
            _MIGRATIONS[old](values)
        if unknown := sorted(values.keys() - {setting.name for setting in fields(cls)}):
            raise ConfigError("it has the setting {name!r}, which this version does not know", name=unknown[0])
        return cls(**values)

    def to_arguments(self) -> list[str]:
        """Return the command line of `train` that makes this configuration."""
        arguments = []
        for setting in fields(self):
            flag, value = setting.name.replace("_", "-"), getattr(self, setting.name)
            if value == setting.default:
                continue
            if isinstance(value, bool):
                arguments.append(f"--{flag}" if value else f"--no-{flag}")
            else:
                arguments.append(f"--{flag}={value}")
        return arguments

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> TrainConfig:
        """Make a configuration from what `add_arguments` parsed."""
        return cls(**given_settings(arguments))


def _name_augmentation(values: dict[str, Any]) -> None:
    """0 to 1: there was one kind of augmentation, on or off."""
    if "augment" in values:
        values.setdefault("augmentation", "full" if values.pop("augment") else "none")


_MIGRATIONS: Final[dict[int, Callable[[dict[str, Any]], None]]] = {0: _name_augmentation}
"""What makes the values of one version those of the next one."""

_KINDS: Final[dict[type, tuple[type, ...]]] = {bool: (bool,), int: (int,), float: (float, int), str: (str,)}


def given_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that the command line gave, by their names."""
    return {
        setting.name: getattr(arguments, setting.name) for setting in fields(TrainConfig) if setting.name in arguments
    }


def setting_type(name: str, config_class: type[TrainConfig] = TrainConfig) -> Any:
    """Return a field's type: bool, int, float, str or a Literal."""
    return _hints(config_class)[name]


def setting_choices(name: str, config_class: type[TrainConfig] = TrainConfig) -> tuple[str, ...]:
    """Return the values that a field allows, or an empty tuple if it is not a choice."""
    metadata = next(f.metadata for f in fields(config_class) if f.name == name)
    return metadata.get("choices") or get_args(setting_type(name, config_class))


_hints: Final[Callable[[type], dict[str, Any]]] = cache(get_type_hints)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser one option for each field of `TrainConfig`, with the field's help and choices.

    What the command line does not give is not in the result: see `given_settings`.
    """
    import argparse  # noqa: PLC0415 (only the command line needs it)

    for setting in fields(TrainConfig):
        flag = "--" + setting.name.replace("_", "-")
        help_text = f"{setting.metadata['help']} (default: {setting.default if setting.default != '' else 'none'})"
        kind = setting_type(setting.name)
        options: dict[str, Any] = {"default": argparse.SUPPRESS, "help": help_text}
        if kind is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, **options)
        elif choices := setting_choices(setting.name):
            parser.add_argument(flag, choices=choices, **options)
        else:
            parser.add_argument(flag, type=kind, metavar=setting.name.upper(), **options)
