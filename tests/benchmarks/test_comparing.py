import math

import pytest

from benchmarks.comparing import LEAST_BAND, compare, compare_reports, comparison_table, differences
from benchmarks.figures import Figure


def figure(*values: float, more_is_better: bool = False) -> Figure:
    return Figure(values, "ms", more_is_better)


STEADY = (10.0, 10.01, 9.99, 10.0, 10.0)
SCATTERED = (8.0, 12.0, 10.0, 9.0, 11.0)


def test_a_change_beyond_the_scatter_is_told_by_its_direction():
    faster, slower = figure(8.0, 8.01, 7.99, 8.0, 8.0), figure(12.0, 12.01, 11.99, 12.0, 12.0)
    assert compare(figure(*STEADY), faster).verdict == "better"
    assert compare(figure(*STEADY), slower).verdict == "WORSE"
    assert compare(figure(*STEADY), slower).ratio == pytest.approx(1.2)
    rate = figure(*STEADY, more_is_better=True)
    assert compare(rate, figure(12.0, 12.0, 12.0, 12.0, 12.0, more_is_better=True)).verdict == "better"


def test_the_same_change_within_the_scatter_is_no_change():
    slower = figure(*(1.1 * value for value in SCATTERED))
    assert compare(figure(*SCATTERED), slower).verdict == "same"
    assert compare(figure(*SCATTERED), slower).band > 0.1


def test_the_band_is_students_t_times_the_standard_error_of_both_medians():
    # Mean 10, deviation 1 each: error 1.2533 / sqrt(4) / 10, both sqrt(2) times that, t(3) = 3.18.
    values = (10 - math.sqrt(1.5), 10.0, 10.0, 10 + math.sqrt(1.5))
    assert compare(figure(*values), figure(*values)).band == pytest.approx(3.18 * math.sqrt(2) * 0.12533 / 2, rel=1e-3)


def test_repeats_without_scatter_keep_a_least_band():
    assert compare(figure(10.0, 10.0), figure(10.1, 10.1)).band == LEAST_BAND
    assert compare(figure(10.0, 10.0), figure(10.1, 10.1)).verdict == "same"


def test_one_repeat_has_no_band_and_no_verdict():
    comparison = compare(figure(10.0), figure(20.0))
    assert math.isnan(comparison.band)
    assert comparison.verdict == "?"


def test_in_turns_a_drift_of_the_machine_cancels_out():
    old, new = figure(10.0, 20.0, 40.0), figure(9.0, 18.0, 36.0)
    assert compare(old, new).verdict == "same"
    in_turns = compare(old, new, in_turns=True)
    assert in_turns.ratio == pytest.approx(0.9)
    assert in_turns.verdict == "better"


def test_figures_at_zero_do_not_divide():
    assert compare(figure(0.0, 0.0), figure(0.0, 0.0)).verdict == "same"
    assert compare(figure(0.0, 0.0), figure(1.0, 1.0)).verdict == "?"


def report(value: float, **machine: str) -> dict:
    return {"machine": machine, "versions": {"code": "a"}, "figures": {"x": figure(value, value).to_json()}}


def test_other_machines_are_said_first():
    old, new = report(1.0, processor="A"), report(1.0, processor="B")
    lines = differences(old, new)
    assert "NOT THE SAME MACHINE" in lines[0]
    assert lines[1] == "machine, processor: A -> B"
    assert differences(old, old) == []


def test_the_table_shows_medians_ratio_band_and_verdict():
    comparisons = compare_reports(report(2.0), report(3.0))
    assert "2.00 ms  3.00 ms    1.500   ±2 %  WORSE" in comparison_table(comparisons)
