"""The network inspector's sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication

from fkd_desktop.i18n import numeral

if TYPE_CHECKING:
    from pathlib import Path

    from fkd_desktop.training.inspecting import Overview
    from fkd_desktop.training.inspection_worker import Page
    from fkd_desktop.ui.network_inspector.maps_view import MapsView
    from trainer.inspection import LayerInfo

_TIMES: Final = "×"
_MINUS: Final = "−"


def _tr(text: str) -> str:
    return QCoreApplication.translate("NetworkInspector", text)


def heading(overview: Overview | None, weights: Path | None) -> str:
    """Return which network it is and where its weights come from."""
    origin = weights.name if weights else _tr("shipped weights") if overview else _tr("Shipped weights")
    return f"{overview.network_name}, {origin}" if overview else origin


def totals(overview: Overview | None) -> str:
    """Return the sums of the table."""
    if overview is None:
        return ""
    text = _tr("{0} parameters, {1} ms a face on {2}.").format(
        numeral(f"{overview.parameters:,}"), number(overview.total_ms), overview.device.upper()
    )
    if any(layer.has_norm for layer in overview.layers):
        text += " " + _tr("Batch normalisations are folded into their convolutions, as in the live session.")
    return text


def too_large(size_bytes: int) -> str:
    """Say what loading a large network takes."""
    return _tr(
        "It takes {0} GB of memory here, beside what the live session has, and some seconds to load. "
        "Its maps come slower too."
    ).format(numeral(f"{size_bytes / 1e9:.1f}"))


def caption(page: Page | None, layer: LayerInfo | None) -> str:
    """Say what the picture is."""
    if page is None:
        return ""
    if page.crop is not None and page.wish.view == "input":
        side = len(page.crop)
        text = _tr("What the network sees: {0} {1} {0} grey pixels").format(side, _TIMES)
        return text + (_tr(", and the keypoints that it finds") if page.points_unit is not None else "")
    if page.values is None:
        return ""
    if page.wish.view == "kernels":
        count, height, width = page.values.shape
        return _tr("{0} kernels of {1} {2} {3}: brighter is more").format(count, width, _TIMES, height)
    name = layer.name if layer else page.wish.layer
    if page.values.ndim == 1:
        values = (
            _tr("{0} values").format(numeral(f"{len(page.values):,}")) if len(page.values) > 1 else _tr("one value")
        )
        return _tr("{0}: {1}, {2}").format(name, values, span(page.values.min(), page.values.max()))
    count, height, width = page.values.shape
    return _tr("{0}: {1} maps of {2} {3} {4}").format(name, count, width, _TIMES, height)


def pointed(view: MapsView) -> str:
    """Say which map is pointed at, and its values."""
    page, at = view.page, view.pointed
    if page is None or page.sheet is None or at is None:
        return ""
    value = view.pointed_value
    if page.values is not None and page.values.ndim == 1:
        return _tr("Value {0} of {1}: {2}").format(at + 1, page.sheet.total, number(float(page.values[at])))
    cell = at - page.sheet.first
    kind = _tr("Kernel") if page.wish.view == "kernels" else _tr("Map")
    text = _tr("{0} {1} of {2}: {3}").format(
        kind, at + 1, page.sheet.total, span(page.sheet.lows[cell], page.sheet.highs[cell])
    )
    return text if value is None else text + _tr(", here {0}").format(number(value))


def span(low: float, high: float) -> str:
    """Return a range of values, or the one value."""
    if number(low) == number(high):
        return number(low)
    return _tr("{0} to {1}").format(number(low), number(high))


def number(value: float) -> str:
    """Return a number with three figures that count, and a real minus sign."""
    value = float(value)
    text = f"{value:,.0f}" if abs(value) >= 99.95 else f"{value:.3g}"
    if "e" in text:
        text = f"{value:.0e}" if value else "0"
    return numeral(text).replace("-", _MINUS)


def file_name(page: Page, overview: Overview | None, *, all_maps: bool) -> str:
    """Propose a name for a picture of the page."""
    network = overview.network_name if overview else "network"
    if page.wish.view != "maps":
        return f"{network}-{page.wish.view}.png"
    if page.wish.is_single and not all_maps:
        return f"{network}-{page.wish.layer}-{page.wish.first + 1}.png"
    return f"{network}-{page.wish.layer}.png"
