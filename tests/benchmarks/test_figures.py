import json

import pytest

from benchmarks.figures import (
    SCHEMA,
    Figure,
    ReportError,
    Value,
    busy_warning,
    figures_table,
    load_report,
    machine,
    revision,
    save_report,
    versions,
)


def test_a_figure_survives_its_file(tmp_path):
    figure = Figure.of([Value(1.0, "ms", goal=2.0), Value(3.0, "ms", goal=2.0), Value(2.5, "ms", goal=2.0)])
    entry = figure.to_json()
    assert {"unit": "ms", "median": 2.5, "n": 3, "goal": 2.0}.items() <= entry.items()
    assert entry["p10"] < entry["median"] < entry["p90"]
    path = tmp_path / "figures.json"
    save_report(path, {"schema": SCHEMA, "machine": machine(), "versions": {}, "figures": {"x": entry}})
    assert Figure.from_json(load_report(path)["figures"]["x"]) == figure


@pytest.mark.parametrize(("more_is_better", "value", "met"), [(False, 1, True), (False, 3, False), (True, 3, True)])
def test_a_goal_is_met_from_its_side(more_is_better, value, met):
    figure = Figure((value,), "ms", more_is_better, 2.0)
    assert figure.meets_goal is met
    assert ("MISSED" in figures_table({"x": figure})) is not met
    assert Figure((value,), "ms").meets_goal is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no report"),
        ("[]", "is no report"),
        (json.dumps({"schema": SCHEMA, "figures": {}}), "is no report"),
        (
            json.dumps({"schema": SCHEMA, "machine": {}, "versions": {}, "figures": {"x": {"unit": "ms"}}}),
            "is no report",
        ),
        (json.dumps({"schema": SCHEMA + 1}), f"format {SCHEMA + 1}"),
    ],
)
def test_a_file_that_is_no_report_is_refused_by_name(tmp_path, content, said):
    path = tmp_path / "old.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ReportError, match=said) as caught:
        load_report(path)
    assert str(path) in str(caught.value)


def test_a_missing_report_is_told(tmp_path):
    with pytest.raises(ReportError, match="cannot be read"):
        load_report(tmp_path / "none.json")


def test_the_machine_and_the_versions_are_named(tmp_path):
    assert machine()["cores"] >= 1
    assert machine()["memory_gb"] > 0
    assert "onnxruntime" in versions(tmp_path)
    assert revision(tmp_path) == "unknown"


def test_a_busy_machine_is_warned_of():
    assert busy_warning(0.1, 2) is None
    assert "load 3.0 on 2 cores" in (busy_warning(3.0, 2) or "")
