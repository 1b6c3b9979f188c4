"""All targets: those of every module `tests.fuzz.trainer_*` and `tests.fuzz.desktop_*`."""

from __future__ import annotations

import importlib
from pathlib import Path

from tests.fuzz.target import Target


def all_targets() -> list[tuple[str, Target]]:
    """Import the modules and return their targets, each with its module, in their order."""
    names = sorted(path.stem for kind in ("trainer", "desktop") for path in Path(__file__).parent.glob(f"{kind}_*.py"))
    return [(module, target) for module in (f"tests.fuzz.{name}" for name in names) for target in targets_of(module)]


def targets_of(module: str) -> list[Target]:
    """Return the targets of a module."""
    return list(importlib.import_module(module).TARGETS)


def module_of(name: str) -> str:
    """Return the module of a target."""
    return next(module for module, target in all_targets() if target.name == name)
