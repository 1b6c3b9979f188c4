"""The curves of a training run: loss and validation NME of each epoch, one above the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QPalette
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from fkd_desktop.i18n import numeral
from fkd_desktop.ui.training.sheet_view import HEAD_PX
from fkd_desktop.ui.training.ticks import linear_ticks, log_ticks, tick_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from trainer.events import EpochDone

REDRAW_EVERY_MS: Final = 500
MOST_DOTS: Final = 60
"""Epochs up to which each has a dot; more would run into each other."""
_AXIS_WIDTH_PX: Final = 46
_TICK_PX: Final = 26
_EPOCH_TICK_PX: Final = 64
_SHORTEST_AXIS: Final = 4
"""Epochs: a run's first ones are not spread over the whole width."""

# Told apart with any kind of colour vision (after Okabe and Ito, https://jfly.uni-koeln.de/color/).
_LIGHT: Final = ("#2470b8", "#c9571c")
_DARK: Final = ("#62b0ec", "#f29a5f")


@dataclass(frozen=True)
class _Colours:
    ground: QColor
    text: QColor
    muted: QColor
    rule: QColor
    curves: tuple[QColor, QColor]

    @classmethod
    def of(cls, palette: QPalette) -> _Colours:
        ground, text = palette.color(QPalette.ColorRole.Base), palette.color(QPalette.ColorRole.Text)
        names = _DARK if ground.lightnessF() < 0.5 else _LIGHT
        first, second = (QColor(name) for name in names)
        return cls(ground, text, _mix(text, ground, 0.3), _mix(text, ground, 0.65), (first, second))


def _mix(one: QColor, other: QColor, share: float) -> QColor:
    return QColor.fromRgbF(
        one.redF() + share * (other.redF() - one.redF()),
        one.greenF() + share * (other.greenF() - one.greenF()),
        one.blueF() + share * (other.blueF() - one.blueF()),
    )


class LossPlot(QWidget):
    """Training loss and validation NME over the epochs; the best epoch is marked, and any can be read.

    The mouse, or the arrow keys, point at an epoch. It is drawn anew at most twice a second, however much is told.
    """

    redrawn = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._given: Sequence[EpochDone] = ()
        self._epochs: list[EpochDone] = []
        self._pointed: int | None = None  # index in `_epochs`
        self._is_stale = False
        self._timer = QTimer(self, interval=REDRAW_EVERY_MS, singleShot=True)
        self._timer.timeout.connect(self._on_timer_timeout)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Training curves"))
        self._make_widgets()
        self._apply_colours()
        self._redraw()

    def _make_widgets(self) -> None:
        self.reading = QLabel()
        self.reading.setAccessibleName(self.tr("Figures of the epoch"))
        self.reading.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.log_scale = QCheckBox(self.tr("Lo&garithmic scale"))
        self.log_scale.toggled.connect(self._redraw)
        self.reading.setFixedHeight(HEAD_PX)
        head = QHBoxLayout()
        head.addWidget(self.reading, 1)
        head.addWidget(self.log_scale)
        self._canvas = _Canvas()
        self._canvas.pointed.connect(self._on_canvas_pointed)
        self._canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._loss = _Chart(self._canvas, row=0, title=self.tr("Training loss"))
        self._nme = _Chart(
            self._canvas,
            row=2,
            title=self.tr("NME on the validation faces, in %"),
            marks_best=True,
            x_title=self.tr("Epoch"),
        )
        self._loss.box.setXLink(self._nme.box)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(head)
        layout.addWidget(self._canvas, 1)

    # --- what it shows

    def show_epochs(self, epochs: Sequence[EpochDone]) -> None:
        """Show these epochs, soon; of several with one number the last counts, as that was judged again."""
        self._given = epochs
        if self._timer.isActive():
            self._is_stale = True
        else:
            self._redraw()
            self._timer.start()

    def point_at(self, epoch: int | None) -> None:
        """Show the figures of an epoch, or of the best one."""
        numbers = [done.epoch for done in self._epochs]
        self._pointed = numbers.index(epoch) if epoch in numbers else None
        self._show_pointer()

    def curves(self) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Return what is drawn, by name: (N,) epochs and (N,) values, the NME in %."""
        return {"loss": self._loss.drawn, "nme": self._nme.drawn}

    @property
    def best_mark(self) -> tuple[int, str] | None:
        """The epoch that is marked, and what stands there."""
        return self._nme.best_mark

    def _on_timer_timeout(self) -> None:
        if self._is_stale:
            self._redraw()
            self._timer.start()

    def _redraw(self) -> None:
        self._is_stale = False
        self._epochs = [epoch for _, epoch in sorted({epoch.epoch: epoch for epoch in self._given}.items())]
        if self._pointed is not None and self._pointed >= len(self._epochs):
            self._pointed = None
        is_log = self.log_scale.isChecked()
        numbers = np.array([epoch.epoch for epoch in self._epochs], dtype=np.float64)
        self._loss.draw(numbers, np.array([epoch.training_loss for epoch in self._epochs]), is_log=is_log)
        self._nme.draw(numbers, np.array([100 * epoch.nme_mean for epoch in self._epochs]), is_log=is_log)
        first, last = (numbers[0], numbers[-1]) if len(numbers) else (1.0, 1.0)
        span = max(last - first, _SHORTEST_AXIS)
        self._nme.box.setXRange(first - 0.03 * span, first + 1.03 * span, padding=0)
        self._show_pointer()
        self.redrawn.emit()

    def _show_pointer(self) -> None:
        for chart in (self._loss, self._nme):
            chart.point_at(self._pointed)
        if not self._epochs:
            self.reading.setText(self.tr("The curves begin after the first epoch."))
            return
        best = min(self._epochs, key=lambda epoch: epoch.nme_mean)
        done = best if self._pointed is None else self._epochs[self._pointed]
        of_best = self.tr("Best: epoch {0}, loss {1}, NME {2}")
        words = of_best if self._pointed is None else self.tr("Epoch {0}, loss {1}, NME {2}")
        loss, nme = numeral(f"{done.training_loss:.3f}"), numeral(f"{100 * done.nme_mean:.2f} %")
        self.reading.setText(words.format(done.epoch, loss, nme))

    # --- what a user does

    def _on_canvas_pointed(self, place: QPointF | None) -> None:
        if place is None or not self._epochs:
            self._pointed = None
        else:
            x = self._nme.box.mapSceneToView(place).x()
            self._pointed = min(range(len(self._epochs)), key=lambda index: abs(self._epochs[index].epoch - x))
        self._show_pointer()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step from epoch to epoch."""
        last = len(self._epochs) - 1
        at = last + 1 if self._pointed is None else self._pointed
        match event.key():
            case Qt.Key.Key_Left:
                wanted = at - 1
            case Qt.Key.Key_Right:
                wanted = at + 1
            case Qt.Key.Key_Home:
                wanted = 0
            case Qt.Key.Key_End:
                wanted = last
            case _:
                super().keyPressEvent(event)
                return
        if self._epochs:
            self._pointed = min(max(wanted, 0), last)
            self._show_pointer()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Point at the best epoch, from which the arrow keys go on."""
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.point_at(self.best_mark[0] if self.best_mark else None)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Point at nothing."""
        super().focusOutEvent(event)
        self.point_at(None)

    def changeEvent(self, event: QEvent) -> None:
        """Take over the new theme's colours."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_nme"):  # Qt sends some before that
            self._apply_colours()
        super().changeEvent(event)

    def _apply_colours(self) -> None:
        colours = _Colours.of(self.palette())
        self._canvas.setBackground(colours.ground)
        self._loss.set_colours(colours, colours.curves[0])
        self._nme.set_colours(colours, colours.curves[1])


class _Canvas(pg.GraphicsLayoutWidget):  # type: ignore[misc]
    """Says where the mouse points, or that it left."""

    pointed = Signal(object)
    """QPointF of the scene, or None."""

    def __init__(self) -> None:
        super().__init__()
        self.ci.layout.setContentsMargins(6, 4, 10, 4)
        self.ci.layout.setVerticalSpacing(0)
        self.ci.layout.setRowSpacing(1, 6)  # before the second curve
        self.setMinimumSize(280, 220)
        self.scene().sigMouseMoved.connect(self.pointed.emit)

    def leaveEvent(self, event: QEvent) -> None:
        self.pointed.emit(None)
        super().leaveEvent(event)


class _Axis(pg.AxisItem):  # type: ignore[misc]
    """Ticks at round numbers; on the logarithmic axis, places are decimal logarithms of what stands at them."""

    def __init__(self, orientation: str, *, tick_px: int, whole: bool = False) -> None:
        super().__init__(orientation, maxTickLength=-4)
        self.is_log = False
        self.is_empty = False
        self._tick_px, self._whole = tick_px, whole
        self.enableAutoSIPrefix(False)

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:  # noqa: N803
        if self.is_empty:
            return []
        most = max(2, int(size / self._tick_px))
        if self.is_log:
            return [(0.0, [math.log10(value) for value in log_ticks(10**minVal, 10**maxVal, most=most)])]
        step, values = linear_ticks(minVal, maxVal, most=most, whole=self._whole)
        return [(step, [value for value in values if value >= 1 or not self._whole])]  # there is no epoch 0

    def tickStrings(self, values: list[float], _scale: float, spacing: float) -> list[str]:
        if self.is_log:
            return [numeral(f"{10**value:.3g}") for value in values]
        return [tick_text(value, spacing) for value in values]


class _Chart:
    """One curve with its axes, in two rows of the canvas: a title and the plot."""

    def __init__(self, canvas: _Canvas, *, row: int, title: str, marks_best: bool = False, x_title: str = "") -> None:
        self._title, self._text = canvas.addLabel(title, row=row, col=1, justify="left"), title
        self._axes = [_Axis("left", tick_px=_TICK_PX)]
        self._axes[0].setWidth(_AXIS_WIDTH_PX)
        canvas.addItem(self._axes[0], row=row + 1, col=0)
        self.box = canvas.addViewBox(row=row + 1, col=1, enableMenu=False, enableMouse=False, defaultPadding=0)
        self._axes[0].linkToView(self.box)
        self._x_title = x_title
        if x_title:
            self._axes.append(_Axis("bottom", tick_px=_EPOCH_TICK_PX, whole=True))
            self._axes[1].setLabel(x_title)
            canvas.addItem(self._axes[1], row=row + 2, col=1)
            self._axes[1].linkToView(self.box)
        self._curve = pg.PlotCurveItem(antialias=True)
        self._dots = pg.ScatterPlotItem(size=6, antialias=True)
        self._pointer = pg.InfiniteLine(angle=90, movable=False)
        self._pointer_dot = pg.ScatterPlotItem(size=9, antialias=True)
        self._best_dot = pg.ScatterPlotItem(size=11, antialias=True)
        self._best_text = pg.TextItem()
        for item in (self._pointer, self._curve, self._dots, self._best_dot, self._pointer_dot, self._best_text):
            self.box.addItem(item, ignoreBounds=True)
        self._marks_best = marks_best
        self.drawn = (np.zeros(0), np.zeros(0))
        self._places = np.zeros(0)  # of the values, on the axis
        self.best_mark: tuple[int, str] | None = None

    def draw(self, epochs: NDArray[np.float64], values: NDArray[np.float64], *, is_log: bool) -> None:
        """Draw a curve; what has no place on the axis leaves a gap."""
        self._axes[0].is_log = is_log
        self.drawn = (epochs, values)
        usable = np.isfinite(values) & ((values > 0) | (not is_log))
        self._places = np.full(len(values), np.nan)
        self._places[usable] = np.log10(values[usable]) if is_log else values[usable]
        seen = self._places[usable]
        low, high = (seen.min(), seen.max()) if len(seen) else (0.0, 1.0)
        self._axes[0].is_empty = not len(seen)
        span = high - low or (0.1 if is_log else abs(high) * 0.2 or 1.0)
        below = 0.3 if self._marks_best else 0.1  # room for what stands at the best epoch
        self.box.setYRange(low - below * span, high + 0.1 * span, padding=0)
        self._axes[0].picture = None  # drawn anew even where the range is the same
        self._axes[0].update()
        self._curve.setData(epochs, self._places, connect="finite")
        few = usable if len(seen) <= MOST_DOTS else np.zeros_like(usable)
        self._dots.setData(epochs[few], self._places[few])
        self._mark_best()

    def _mark_best(self) -> None:
        epochs, values = self.drawn
        self.best_mark = None
        usable = np.flatnonzero(np.isfinite(self._places))
        has_best = self._marks_best and len(usable) > 0
        self._best_dot.setVisible(has_best)
        self._best_text.setVisible(has_best)
        if not has_best:
            return
        best = usable[np.argmin(values[usable])]
        self.best_mark = (int(epochs[best]), numeral(f"{values[best]:.2f} %"))
        self._best_dot.setData(epochs[best : best + 1], self._places[best : best + 1])
        self._best_text.setText(self.best_mark[1])
        span = max(epochs[-1] - epochs[0], _SHORTEST_AXIS)
        self._best_text.setAnchor(((epochs[best] - epochs[0]) / span, -0.15))  # so that it is never cut off at a side
        self._best_text.setPos(epochs[best], self._places[best])

    def point_at(self, index: int | None) -> None:
        """Mark an epoch by its index, or none."""
        is_there = index is not None and bool(np.isfinite(self._places[index : index + 1]).all())
        self._pointer.setVisible(is_there)
        self._pointer_dot.setVisible(is_there)
        if is_there and index is not None:
            self._pointer.setValue(self.drawn[0][index])
            self._pointer_dot.setData(self.drawn[0][index : index + 1], self._places[index : index + 1])

    def set_colours(self, colours: _Colours, curve: QColor) -> None:
        """Paint with these."""
        self._title.setText(self._text, color=colours.text, size="9pt", bold=True)
        for axis in self._axes:
            axis.setPen(colours.rule)
            axis.setTextPen(colours.muted)
        self._axes[0].setGrid(70)
        if len(self._axes) > 1:
            self._axes[1].setLabel(self._x_title, color=colours.muted.name())
        self._curve.setPen(pg.mkPen(curve, width=2))
        self._pointer.setPen(pg.mkPen(colours.muted, width=1, style=Qt.PenStyle.DashLine))
        edge = pg.mkPen(colours.ground, width=1.5)
        for dots in (self._dots, self._best_dot, self._pointer_dot):
            dots.setBrush(curve)
            dots.setPen(edge if dots is not self._dots else None)
        self._best_text.setColor(colours.text)
