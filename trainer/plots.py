"""Plots as PNG files: how training went, and how the errors of faces are spread.

matplotlib is imported when a plot is drawn and not before, without its windowing half: no display is needed, and a
process that draws nothing does not pay for it.
"""

from __future__ import annotations

import io
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from trainer import metrics
from trainer.core.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

DPI: Final = 110
_INK, _MUTED, _RULE = "#1f2730", "#5c6773", "#dfe4ea"
_BLUE, _ORANGE = "#2470b8", "#c9571c"
_COLOURS: Final = (_BLUE, _ORANGE, "#1d8a5f", "#8a4fb5", "#a98500", "#c23b6f", "#35a0b8", "#5c6773")
_DASHES: Final = ("solid", (0, (5, 2)), (0, (1.5, 1.5)))
_STYLE: Final[dict[str, Any]] = {
    "figure.facecolor": "white",
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": "#aab4c0",
    "axes.labelcolor": _INK,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _RULE,
    "grid.linewidth": 0.8,
    "xtick.color": _MUTED,
    "ytick.color": _MUTED,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
}
_STEPS_A_DECADE: Final = ((12, (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)), (200, (1.0, 2.0, 5.0)))
"""Largest over smallest value of a logarithmic axis, and where its ticks lie up to there; beyond, at powers of ten."""


def write_curves(path: Path, epochs: Sequence[int], training_loss: Sequence[float], nme: Sequence[float]) -> None:
    """Draw how training went: loss and validation NME of each epoch, one above the other, the best epoch marked.

    Parameters
    ----------
    path
        PNG file, written atomically.
    epochs
        Numbers of the epochs, ascending.
    training_loss, nme
        Of each epoch; the NME as a fraction. What is not a finite number is left out.

    Raises
    ------
    ValueError
        If there are no epochs, or not as many of each.
    OSError
        If the file cannot be written.
    """
    if not len(epochs) == len(training_loss) == len(nme) > 0:
        raise ValueError(f"expected as many of each, got {len(epochs)} epochs, {len(training_loss)}, {len(nme)}")
    numbers = np.asarray(epochs, dtype=np.float64)
    with _figure(width=8, height=5.6) as figure:
        margins = {"left": 0.08, "right": 0.975, "top": 0.94, "bottom": 0.1, "hspace": 0.26}
        upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw=margins)
        upper.set_title("Training loss")
        _curve(upper, numbers, np.asarray(training_loss, dtype=np.float64), _BLUE)
        percent = 100 * np.asarray(nme, dtype=np.float64)
        lower.set_title("NME on the validation faces, in % of the distance between the eyes")
        _curve(lower, numbers, percent, _ORANGE)
        if np.isfinite(percent).any():
            best = int(np.nanargmin(np.where(np.isfinite(percent), percent, np.nan)))
            mark = {"color": _ORANGE, "markeredgecolor": "white", "markeredgewidth": 1.5}
            lower.plot(numbers[best], percent[best], "o", markersize=8, **mark)
            for axes in (upper, lower):
                axes.axvline(numbers[best], color=_ORANGE, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1.5)
            told = f"best: {percent[best]:.2f} % at epoch {epochs[best]}"
            lower.set_title(told, loc="right", color=_ORANGE, fontweight="bold")
        lower.set_xlabel("epoch")
        if len(epochs) == 1:
            lower.set_xlim(numbers[0] - 1, numbers[0] + 1)
        lower.xaxis.get_major_locator().set_params(integer=True)
        write_atomically(path, _png(figure))


def _curve(axes: Axes, epochs: NDArray[np.float64], values: NDArray[np.float64], colour: str) -> None:
    """Draw values against epochs, on a logarithmic scale where they allow one."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator  # noqa: PLC0415

    shown = np.where(np.isfinite(values), values, np.nan)
    axes.plot(epochs, shown, color=colour, marker="o" if len(epochs) < 12 else None, markersize=4)
    finite = shown[np.isfinite(shown)]
    if not len(finite) or finite.min() <= 0:
        return
    ratio = finite.max() / finite.min()
    axes.set_yscale("log")
    steps = next((steps for limit, steps in _STEPS_A_DECADE if ratio <= limit), (1.0,))
    axes.yaxis.set_major_locator(LogLocator(subs=steps))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def write_cumulative(path: Path, nmes: Mapping[str, NDArray[np.float32]]) -> None:
    """Draw the share of faces with an error up to any limit, one curve a network.

    Parameters
    ----------
    path
        PNG file, written atomically.
    nmes
        By the name for the legend the (N,) NMEs as fractions; NaN for a face that was missed, which no limit takes in.

    Raises
    ------
    ValueError
        If there are no curves, or no faces in one.
    OSError
        If the file cannot be written.
    """
    if not nmes or not all(len(of_one) for of_one in nmes.values()):
        raise ValueError("there are no faces to draw a curve of")
    limit = 100 * metrics.FAILURE_NME
    below = 0.5 + 0.21 * len(nmes)  # inches for the axis and the legend under it
    height = 4.6 + below
    with _figure(width=8, height=height) as figure:
        margins = {"left": 0.09, "right": 0.965, "top": 1 - 0.35 / height, "bottom": (below + 0.15) / height}
        axes = figure.subplots(gridspec_kw=margins)
        axes.set_title("Cumulative error")
        for number, (name, of_one) in enumerate(nmes.items()):
            found = np.sort(of_one[~np.isnan(of_one)])
            shown = 100 * found[100 * found <= limit]
            share = 100 * np.arange(len(shown) + 1) / len(of_one)
            axes.step(
                np.concatenate([[0], shown, [limit]]),
                np.concatenate([share, share[-1:]]),
                where="post",
                color=_COLOURS[number % len(_COLOURS)],
                linestyle=_DASHES[number // len(_COLOURS) % len(_DASHES)],
                label=f"{_in_short(found, len(of_one))}:  {name if len(name) < 64 else '...' + name[-60:]}",
            )
        axes.axvline(100 * metrics.AUC_LIMIT, color=_MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.annotate(
            f"AUC: area up to {100 * metrics.AUC_LIMIT:.0f} %",
            (100 * metrics.AUC_LIMIT, 2),
            xytext=(-5, 0),
            textcoords="offset points",
            rotation=90,
            horizontalalignment="right",
            color=_MUTED,
        )
        axes.set_xlim(0, limit)
        axes.set_ylim(0, 101)
        axes.set_xlabel("NME of a face, in % of the distance between the eyes")
        axes.set_ylabel("faces with at most this error, %")
        at = (margins["left"] - 0.012, 0.03 / height)
        for text in figure.legend(loc="lower left", bbox_to_anchor=at, frameon=False).get_texts():
            text.set_parse_math(False)  # a file's name may hold dollar signs
        write_atomically(path, _png(figure))


def _in_short(found: NDArray[np.float32], count: int) -> str:
    if not len(found):
        return "no face found"
    score = metrics.score(found, missed=count - len(found))
    missed = f", {100 * (1 - len(found) / count):.1f} % missed" if len(found) < count else ""
    return f"mean {100 * score.nme_mean:.2f} %{missed}, AUC {score.auc:.3f}"


@contextmanager
def _figure(*, width: float, height: float) -> Iterator[Figure]:
    """Make a figure of a size in inches, in the style of this module whatever the user's matplotlibrc says."""
    from matplotlib import style  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    with style.context(["default", _STYLE]):
        yield Figure(figsize=(width, height), dpi=DPI)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # in a file's name: shown as a box
        figure.savefig(buffer, format="png")
    return buffer.getvalue()
