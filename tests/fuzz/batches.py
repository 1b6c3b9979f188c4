"""Inputs of a target, the same ones for the same seed, in batches that do not remember each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.target import Target

BATCH: Final = 250
"""Hypothesis keeps what it made: many small batches take less memory and time than a large one."""


def each_input(target: Target, count: int, first: int, run: Callable[[Any], None]) -> None:
    """Make `count` inputs of batch number `first` (Hypothesis may make fewer where there are no more)."""

    @seed(first)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(target.inputs)
    def give(value: Any) -> None:
        run(value)

    give()
