"""Which editor a setting gets, from its type and metadata, and what its choices are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fkd_desktop.i18n import translated
from fkd_desktop.ui.training.editors import (
    ChoiceEditor,
    Editor,
    NumberEditor,
    SwitchEditor,
    TextEditor,
    WholeNumberEditor,
)
from fkd_desktop.ui.training.start_editor import StartEditor
from trainer.advice import PARAMETERS, TITLES
from trainer.config import TrainConfig, setting_choices, setting_type
from trainer.core.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from dataclasses import Field


def _parameters(name: str) -> Text:
    millions = PARAMETERS[name] / 1e6
    if millions < 10:
        return Text("{millions:.1f} M parameters", millions=millions)
    return Text("{millions:.0f} M parameters", millions=millions)


CHOICE_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "model": {
        "compact": Text("{title} (default, {parameters})", title=TITLES["compact"], parameters=_parameters("compact")),
        "large": Text("{title} ({parameters}, slower)", title=TITLES["large"], parameters=_parameters("large")),
        "simple": Text("{title} (published, {parameters})", title=TITLES["simple"], parameters=_parameters("simple")),
        "two_conv": Text(
            "{title} (published, {parameters})", title=TITLES["two_conv"], parameters=_parameters("two_conv")
        ),
    },
    "optimizer": {"adam": "Adam", "adamw": "AdamW", "sgd": Text("SGD with momentum")},
    "loss": {
        "euclidean": Text("Euclidean distance"),
        "wing": Text("Wing"),
        "smooth_l1": Text("Smooth L1"),
        "mse": Text("Mean squared error"),
    },
    "schedule": {"one_cycle": Text("One cycle (up, then down)"), "constant": Text("Constant")},
    "augmentation": {
        "full": Text("Full (place, angle, light, hidden parts)"),
        "random_crop": Text("Random crop (as published)"),
        "none": Text("None"),
    },
    "device": {
        "auto": Text("Automatic"),
        "cpu": Text("Processor (CPU)"),
        "cuda": Text("GPU (CUDA)"),
        "mps": Text("GPU (Apple, MPS)"),
    },
    "precision": {"auto": Text("Automatic (bfloat16 on CUDA)"), "float32": "float32", "bfloat16": "bfloat16"},
}
"""What the choices of a field are called; one that is missing is called by its own name."""
CHOICE_HINTS: Final[Mapping[str, Mapping[str, str]]] = {
    "model": {
        "compact": Text("1.5 ms a face on one processor core"),
        "large": Text("2.5 ms a face on one processor core"),
        "simple": Text("33 ms a face on one processor core; the published first try"),
        "two_conv": Text("143 ms a face on one processor core; the published larger network"),
    },
}
"""As docs/benchmarks.md has them."""


def make_editor(setting: Field[Any], config_class: type[TrainConfig] = TrainConfig) -> Editor:
    """Make the editor of a field from its type and metadata, showing its default.

    Raises
    ------
    TypeError
        For a type that no editor knows.
    """
    editor = _blank_editor(setting, config_class)
    editor.set_value(setting.default)
    return editor


def _blank_editor(setting: Field[Any], config_class: type[TrainConfig]) -> Editor:
    kind, metadata = setting_type(setting.name, config_class), setting.metadata
    choices = setting_choices(setting.name, config_class)
    if metadata.get("kind") == "start":
        return StartEditor()
    if metadata.get("kind") == "weights":
        return TextEditor(title=translated(Text("Choose the teacher's weights")))
    if choices:
        names, hints = CHOICE_NAMES.get(setting.name, {}), CHOICE_HINTS.get(setting.name, {})
        return ChoiceEditor(
            choices,
            {choice: translated(text) for choice, text in names.items()},
            {choice: translated(text) for choice, text in hints.items()},
        )
    makers: dict[Any, Callable[[], Editor]] = {
        bool: lambda: SwitchEditor(translated(metadata["label"])),
        int: lambda: WholeNumberEditor(
            metadata["minimum"], metadata["maximum"], zero=translated(metadata.get("zero", ""))
        ),
        float: NumberEditor,
        str: TextEditor,
    }
    if kind not in makers:
        raise TypeError(f"there is no editor for {setting.name}, which is of type {kind}")
    return makers[kind]()
