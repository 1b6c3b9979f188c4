"""Which editor a setting gets, from its type and metadata, and what its choices are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

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

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from dataclasses import Field


def _parameters(name: str) -> str:
    millions = PARAMETERS[name] / 1e6
    return f"{millions:.1f} M parameters" if millions < 10 else f"{millions:.0f} M parameters"


CHOICE_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "model": {
        "compact": f"{TITLES['compact']} (default, {_parameters('compact')})",
        "large": f"{TITLES['large']} ({_parameters('large')}, slower)",
        "simple": f"{TITLES['simple']} (published, {_parameters('simple')})",
        "two_conv": f"{TITLES['two_conv']} (published, {_parameters('two_conv')})",
    },
    "optimizer": {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD with momentum"},
    "loss": {
        "euclidean": "Euclidean distance",
        "wing": "Wing",
        "smooth_l1": "Smooth L1",
        "mse": "Mean squared error",
    },
    "schedule": {"one_cycle": "One cycle (up, then down)", "constant": "Constant"},
    "augmentation": {
        "full": "Full (place, angle, light, hidden parts)",
        "random_crop": "Random crop (as published)",
        "none": "None",
    },
    "device": {"auto": "Automatic", "cpu": "Processor (CPU)", "cuda": "GPU (CUDA)", "mps": "GPU (Apple, MPS)"},
    "precision": {"auto": "Automatic (bfloat16 on CUDA)", "float32": "float32", "bfloat16": "bfloat16"},
}
"""What the choices of a field are called; one that is missing is called by its own name."""
CHOICE_HINTS: Final[Mapping[str, Mapping[str, str]]] = {
    "model": {
        "compact": "3.7 ms a face on one processor core",
        "large": "6.1 ms a face on one processor core",
        "simple": "33 ms a face on one processor core; the published first try",
        "two_conv": "143 ms a face on one processor core; the published larger network",
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
        return TextEditor(title="Choose the teacher's weights")
    if choices:
        return ChoiceEditor(choices, CHOICE_NAMES.get(setting.name, {}), CHOICE_HINTS.get(setting.name, {}))
    makers: dict[Any, Callable[[], Editor]] = {
        bool: lambda: SwitchEditor(metadata["label"]),
        int: lambda: WholeNumberEditor(metadata["minimum"], metadata["maximum"], zero=metadata.get("zero", "")),
        float: NumberEditor,
        str: TextEditor,
    }
    if kind not in makers:
        raise TypeError(f"there is no editor for {setting.name}, which is of type {kind}")
    return makers[kind]()
