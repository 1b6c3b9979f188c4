"""The curves of a training run."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from fkd_desktop.ui.training.loss_plot import LossPlot
from fkd_desktop.ui.training.ticks import linear_ticks, log_ticks, tick_text
from trainer.events import EpochDone


def epoch(number: int, *, loss: float = 3.0, nme: float = 0.05) -> EpochDone:
    return EpochDone(number, loss, nme, 0.1, 0.5, 0.9, 20.0, False)


def falling(count: int) -> list[EpochDone]:
    """Ever better, but for the last epoch."""
    told = [epoch(n, loss=2 + 10 / n, nme=0.04 + 0.1 / n) for n in range(1, count)]
    return [*told, epoch(count, loss=2.0, nme=0.2)]


@pytest.fixture
def plot(qtbot) -> LossPlot:
    made = LossPlot()
    qtbot.addWidget(made)
    made.resize(500, 400)
    made.show()
    qtbot.waitExposed(made)
    return made


def epoch_ticks(plot: LossPlot) -> list[str]:
    axis = plot._nme._axes[1]
    low, high = plot._nme.box.viewRange()[0]
    [(step, values)] = axis.tickValues(low, high, axis.width())
    return axis.tickStrings(values, 1.0, step)


def test_it_shows_loss_and_nme_of_each_epoch(plot):
    plot.show_epochs(falling(5))
    loss, nme = plot.curves()["loss"], plot.curves()["nme"]
    assert loss[0].tolist() == nme[0].tolist() == [1, 2, 3, 4, 5]
    assert loss[1] == pytest.approx([12, 7, 2 + 10 / 3, 4.5, 2])
    assert nme[1] == pytest.approx([14, 9, 4 + 10 / 3, 6.5, 20])
    x, y = plot._nme._curve.getData()
    assert (x.tolist(), y) == ([1, 2, 3, 4, 5], pytest.approx(nme[1]))


def test_the_best_epoch_is_marked_with_its_value(plot):
    plot.show_epochs(falling(5))
    assert plot.best_mark == (4, "6.50 %")
    assert plot._nme._best_dot.isVisible()
    assert plot._nme._best_text.toPlainText() == "6.50 %"
    assert plot._nme._best_dot.getData()[0].tolist() == [4]
    assert plot.reading.text() == "Best: epoch 4, loss 4.500, NME 6.50 %"


def test_before_the_first_epoch_it_says_what_will_come(plot):
    assert plot.reading.text() == "The curves begin after the first epoch."
    assert plot.best_mark is None
    assert not plot._nme._best_dot.isVisible()
    assert plot._loss._axes[0].tickValues(0.0, 1.0, 200.0) == []


def test_many_events_within_an_interval_give_one_redraw_at_once_and_one_later(plot, qtbot):
    qtbot.waitUntil(lambda: not plot._timer.isActive())
    drawn = []
    plot.redrawn.connect(lambda: drawn.append(len(plot.curves()["nme"][0])))
    told = []
    for number in range(1, 101):
        told.append(epoch(number))
        plot.show_epochs(told)
    assert drawn == [1]
    with qtbot.waitSignal(plot.redrawn):
        pass
    assert drawn == [1, 100]
    qtbot.waitUntil(lambda: not plot._timer.isActive())
    assert drawn == [1, 100]


def test_it_waits_half_a_second_between_two_redraws(plot):
    plot.show_epochs(falling(3))
    assert plot._timer.isActive()
    assert plot._timer.interval() >= 500


def test_the_logarithmic_scale_can_be_switched_on_and_off(plot):
    plot.show_epochs(falling(5))
    even = plot._loss._curve.getData()[1].copy()
    plot.log_scale.click()
    assert plot._loss._curve.getData()[1] == pytest.approx(np.log10(even))
    assert plot.curves()["loss"][1] == pytest.approx(even)
    axis = plot._loss._axes[0]
    low, high = plot._loss.box.viewRange()[1]
    assert 10**low < 2 and 10**high > 12
    [(_, places)] = axis.tickValues(low, high, 150.0)
    assert "5" in axis.tickStrings(places, 1.0, 0.0)
    plot.log_scale.click()
    assert plot._loss._curve.getData()[1] == pytest.approx(even)


@pytest.mark.parametrize("is_log", [False, True])
def test_what_has_no_place_on_an_axis_is_left_out(plot, is_log):
    plot.log_scale.setChecked(is_log)
    plot.show_epochs([epoch(1), epoch(2, loss=0.0, nme=0.0), epoch(3, loss=math.inf), epoch(4)])
    drawn = plot._loss._curve.getData()[1]
    assert np.isnan(drawn).tolist() == [False, is_log, True, False]
    assert np.isfinite(plot._loss.box.viewRange()).all()
    assert plot.best_mark == ((1, "5.00 %") if is_log else (2, "0.00 %"))


@pytest.mark.parametrize("is_log", [False, True])
@pytest.mark.parametrize(
    ("count", "labels"),
    [
        (1, ["1", "2", "3", "4", "5"]),
        (2, ["1", "2", "3", "4", "5"]),
        (20, ["5", "10", "15", "20"]),
        (500, ["100", "200", "300", "400", "500"]),
    ],
)
def test_epochs_are_whole_numbers_however_many(plot, count, labels, is_log):
    plot.log_scale.setChecked(is_log)
    plot.show_epochs(falling(count))
    assert epoch_ticks(plot) == labels
    low, high = plot._nme.box.viewRange()[0]
    assert low < 1 and high > count
    assert plot._loss.box.viewRange()[0] == pytest.approx(plot._nme.box.viewRange()[0])
    has_dots = len(plot._nme._dots.getData()[0]) > 0
    assert has_dots == (count <= 60)  # a single epoch would not be seen without
    assert not plot.grab().isNull()


def test_an_epoch_that_was_judged_again_after_a_resume_counts_once(plot):
    plot.show_epochs([epoch(1, nme=0.09), epoch(2, nme=0.03), epoch(2, nme=0.06), epoch(3, nme=0.05)])
    assert plot.curves()["nme"][1] == pytest.approx([9, 6, 5])
    assert plot.best_mark == (3, "5.00 %")


def test_the_mouse_reads_an_epoch(plot, qtbot):
    plot.show_epochs(falling(5))
    for chart in (plot._nme, plot._loss):
        place = chart.box.mapViewToScene(chart.box.viewRect().center())
        place.setX(chart.box.mapViewToScene(QPoint(2, 0)).x() + 3)
        plot._canvas.scene().sigMouseMoved.emit(place)
        assert plot.reading.text() == "Epoch 2, loss 7.000, NME 9.00 %"
        assert plot._nme._pointer.isVisible() and plot._nme._pointer.value() == 2
    QApplication.sendEvent(plot._canvas, QEvent(QEvent.Type.Leave))
    assert plot.reading.text().startswith("Best: epoch 4")
    assert not plot._nme._pointer.isVisible()


def test_a_real_mouse_is_followed(plot, qtbot):
    plot.show_epochs(falling(5))
    viewport = plot._canvas.viewport()
    shifts = itertools.cycle((0, 4))  # a move that ends where it began is none

    def is_followed():
        qtbot.mouseMove(viewport, viewport.rect().center() + QPoint(next(shifts), 0))
        return plot.reading.text().startswith("Epoch 3")

    qtbot.waitUntil(is_followed)


def test_the_arrow_keys_read_epochs(plot, qtbot):
    plot.show_epochs(falling(5))
    for key, read in (
        (Qt.Key.Key_Left, 5),
        (Qt.Key.Key_Left, 4),
        (Qt.Key.Key_Home, 1),
        (Qt.Key.Key_Left, 1),
        (Qt.Key.Key_Right, 2),
        (Qt.Key.Key_End, 5),
        (Qt.Key.Key_Right, 5),
    ):
        qtbot.keyClick(plot, key)
        assert plot.reading.text().startswith(f"Epoch {read},")


def test_a_new_run_forgets_where_one_pointed(plot):
    plot.show_epochs(falling(5))
    plot.point_at(5)
    plot.show_epochs([])
    plot._redraw()
    assert plot.reading.text() == "The curves begin after the first epoch."


def test_there_is_no_menu_and_no_zoom(plot, qtbot):
    plot.show_epochs(falling(5))
    for chart in (plot._loss, plot._nme):
        assert not chart.box.menuEnabled()
        assert chart.box.mouseEnabled() == [False, False]
    before = plot._nme.box.viewRange()
    viewport = plot._canvas.viewport()
    qtbot.mouseClick(viewport, Qt.MouseButton.RightButton, pos=viewport.rect().center())
    assert QApplication.activePopupWidget() is None
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=viewport.rect().center())
    qtbot.mouseMove(viewport, viewport.rect().center() + QPoint(60, 30))
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=viewport.rect().center() + QPoint(60, 30))
    assert plot._nme.box.viewRange() == before


def test_colours_follow_the_palette(plot):
    def contrast_ground() -> tuple[QColor, QColor]:
        return plot._nme._curve.opts["pen"].color(), plot._canvas.backgroundBrush().color()

    light_curve, light_ground = contrast_ground()
    assert light_ground == plot.palette().color(QPalette.ColorRole.Base)
    plot.setPalette(QPalette(QColor("#2b2f36"), QColor("#22262c")))
    dark_curve, dark_ground = contrast_ground()
    assert dark_ground == plot.palette().color(QPalette.ColorRole.Base)
    assert dark_ground.lightnessF() < 0.3 < light_ground.lightnessF()
    assert dark_curve.lightnessF() > light_curve.lightnessF()


def test_both_curves_keep_their_colours_apart(plot):
    assert plot._loss._curve.opts["pen"].color() != plot._nme._curve.opts["pen"].color()


@pytest.mark.parametrize(
    ("low", "high", "most", "whole", "expected"),
    [
        (0.0, 10.0, 5, False, [0, 2, 4, 6, 8, 10]),
        (1.2, 12.9, 5, False, [2.5, 5, 7.5, 10, 12.5]),
        (0.9, 5.1, 8, True, [1, 2, 3, 4, 5]),
        (0.0, 25.0, 10, True, [0, 5, 10, 15, 20, 25]),
        (3.0, 3.0, 5, False, []),
    ],
)
def test_linear_ticks_are_round(low, high, most, whole, expected):
    assert linear_ticks(low, high, most=most, whole=whole)[1] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.9, 1100, [1, 3, 10, 30, 100, 300, 1000]),
        (2.0, 16.0, [2, 3, 4, 5, 7, 10, 15]),
        (4.0, 4.4, [4.0, 4.1, 4.2, 4.3, 4.4]),
        (0.0, 5.0, []),
    ],
)
def test_logarithmic_ticks_are_enough_to_read_by(low, high, expected):
    assert log_ticks(low, high, most=7) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "step", "text"), [(5.0, 5.0, "5"), (2.5, 2.5, "2.5"), (0.05, 0.05, "0.05"), (0.1 + 0.2, 0.1, "0.3")]
)
def test_a_tick_has_as_many_digits_as_it_needs(value, step, text):
    assert tick_text(value, step) == text
