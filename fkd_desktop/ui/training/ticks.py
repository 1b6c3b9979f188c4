"""Where the ticks of a plot's axes lie, and what stands at them."""

from __future__ import annotations

import math
from typing import Final

from fkd_desktop.i18n import numeral

_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_PER_DECADE: Final = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0))
"""Values of a logarithmic axis that are marked in each decade, few to many."""
_ENOUGH: Final = 3


def linear_ticks(low: float, high: float, *, most: int, whole: bool = False) -> tuple[float, list[float]]:
    """Return the step and places of at most `most` ticks at round numbers; `whole` for whole numbers only."""
    if not high > low or most < 1:
        return 1.0, []
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    steps = (factor * power for factor in _STEPS if factor * power >= raw * (1 - 1e-9))
    step = next((step for step in steps if not whole or step == round(step)), 1.0)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return step, [number * step for number in range(first, last + 1)]


def log_ticks(low: float, high: float, *, most: int) -> list[float]:
    """Return the values at which a logarithmic axis has ticks: as many as it takes to read it, at most `most`."""
    if not 0 < low < high:
        return []
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    best: list[float] = []
    for factors in _PER_DECADE:
        values = [factor * 10.0**decade for decade in decades for factor in factors]
        seen = [value for value in values if low <= value <= high]
        if len(seen) > most:
            break
        best = seen
    if len(best) < _ENOUGH:  # a narrow range is as good as even
        return linear_ticks(low, high, most=most)[1]
    return best


def tick_text(value: float, step: float) -> str:
    """Return what stands at a tick, with as many digits as its neighbours need."""
    decimals = next((digits for digits in range(7) if math.isclose(round(step, digits), step, rel_tol=1e-6)), 7)
    return numeral(f"{value:.{decimals}f}")
