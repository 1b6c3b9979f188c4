"""Two sets of figures side by side: ratios, and what of them is noise.

The band is what the ratio of two medians scatters by when nothing has changed: the standard errors of both medians
(1.25 times that of a mean, as for a normal distribution), relative to them, added as squares and multiplied with
Student's t for the repeats there are, at 95 %. It is never below 2 %: two processes of the same code differ by that, as
their memory is laid out differently. Repeats of one run do not know how the machine drifts from one hour to the next;
taken in turns (`--against`), each pair saw the same hour, and the band is that of the pairs' ratios.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from benchmarks.figures import Figure, table, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

LEAST_BAND: Final = 0.02
MEDIAN_PER_MEAN: Final = math.sqrt(math.pi / 2)
STUDENT_T: Final = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 8: 2.31, 10: 2.23, 15: 2.13, 30: 2.04}
"""Two-sided 95 % quantiles by degrees of freedom; between two of them, that of the fewer."""


@dataclass(frozen=True)
class Comparison:
    """A figure's ratio, new over old.

    Attributes
    ----------
    band
        Relative half-width of what may be noise; NaN where there is one repeat only.
    """

    old: Figure
    new: Figure
    ratio: float
    band: float

    @property
    def verdict(self) -> str:
        """One of "same", "better", "WORSE", "?"."""
        if math.isnan(self.ratio) or math.isnan(self.band):
            return "?"
        if abs(math.log(self.ratio)) <= math.log1p(self.band) if self.ratio > 0 else False:
            return "same"
        return "better" if (self.ratio > 1) == self.new.more_is_better else "WORSE"


def compare(old: Figure, new: Figure, *, in_turns: bool = False) -> Comparison:
    """Compare a figure of two runs; `in_turns` where their repeats alternated and belong together in pairs."""
    if old.median == 0 or new.median / old.median < 0:
        ratio = 1.0 if old.median == new.median else math.nan
        return Comparison(old, new, ratio, LEAST_BAND)
    if in_turns and len(old.values) == len(new.values) and min(*old.values, *new.values) > 0:
        ratios = [b / a for a, b in zip(old.values, new.values, strict=True)]
        middle = statistics.median(ratios)
        return Comparison(old, new, middle, _band(_relative_error(ratios), len(ratios) - 1))
    error = math.hypot(_relative_error(old.values), _relative_error(new.values))
    return Comparison(old, new, new.median / old.median, _band(error, min(len(old.values), len(new.values)) - 1))


def _relative_error(values: tuple[float, ...] | list[float]) -> float:
    """Return the median's standard error over the median; NaN for a single value."""
    if len(values) < 2:
        return math.nan
    deviation = statistics.stdev(values)
    return MEDIAN_PER_MEAN * deviation / math.sqrt(len(values)) / abs(statistics.median(values) or math.inf)


def _band(error: float, freedom: int) -> float:
    if math.isnan(error):
        return math.nan
    return max(LEAST_BAND, STUDENT_T[max(known for known in STUDENT_T if known <= freedom)] * error)


def compare_reports(old: Mapping[str, Any], new: Mapping[str, Any], *, in_turns: bool = False) -> dict[str, Comparison]:
    """Compare the figures that both reports have."""
    both = [name for name in new["figures"] if name in old["figures"]]
    figures = {name: [Figure.from_json(report["figures"][name]) for report in (old, new)] for name in both}
    return {name: compare(*pair, in_turns=in_turns) for name, pair in figures.items()}


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Say in a line each what is not alike in the machines, the versions and how it was measured."""
    lines = []
    for kind in ("machine", "versions", "settings"):
        before, after = old.get(kind, {}), new.get(kind, {})
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                lines.append(f"{kind}, {name}: {before.get(name, 'none')} -> {after.get(name, 'none')}")
    if any(line.startswith("machine") for line in lines):
        lines.insert(0, "NOT THE SAME MACHINE: the ratios say as much about the machines as about the code")
    return lines


def comparison_table(comparisons: Mapping[str, Comparison]) -> str:
    """Show ratios with their bands."""
    rows = [["", "old", "new", "new/old", "noise", ""]]
    for name, each in comparisons.items():
        ratio = "" if math.isnan(each.ratio) else f"{each.ratio:.3f}"
        band = "one repeat" if math.isnan(each.band) else f"±{100 * each.band:.0f} %"
        medians = [text_of(figure.median, figure.unit) for figure in (each.old, each.new)]
        rows.append([name, *medians, ratio, band, each.verdict])
    return table(rows)
