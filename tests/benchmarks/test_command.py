"""The one entry: what it lists, chooses, runs and refuses."""

from pathlib import Path

import pytest

import benchmarks.__main__ as command
from benchmarks.figures import SCHEMA, Value, load_report
from benchmarks.registry import BENCHMARKS, ROOT, Benchmark, Inputs, flat


def test_every_benchmark_is_listed(capsys):
    assert command.main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert all(f"{name} " in listed for name in BENCHMARKS)
    assert "(needs --clip)" in listed


def test_every_command_of_the_folder_can_be_reached():
    helpers = {
        "__init__",
        "__main__",
        "child",
        "clips",
        "comparing",
        "driving",
        "figures",
        "peer",
        "registry",
        "scenes",
    }
    apart = {"live": "window measures it", "stills": "takes pictures", "head_pose": "makes a table of the source"}
    modules = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    assert modules - helpers - set(apart) == set(BENCHMARKS)


def test_what_runs_by_itself_are_those_whose_inputs_are_there():
    alone = [each.name for each, _ in command.choose([], Inputs())]
    assert alone == ["pipeline", "scaling", "window", "startup", "peers"]
    needs = {each.name for each in BENCHMARKS.values() if each.needs}
    assert needs.isdisjoint(alone)


@pytest.mark.parametrize(
    ("arguments", "said"), [(["nothing"], "no benchmark 'nothing'"), (["smoothing"], "smoothing needs --clip")]
)
def test_what_cannot_be_measured_is_said(arguments, said, capsys):
    assert command.main(arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--clip", "/nowhere/clip.mp4"], "there is no /nowhere/clip.mp4"),
        (["--repeats", "0"], "1 or more"),
        (["--compare", "a", "b", "c"], "one or two"),
        (["--against", str(Path(__file__).parent)], "no checkout"),
    ],
)
def test_wrong_arguments_are_refused(arguments, said, capsys):
    with pytest.raises(SystemExit):
        command.main(arguments)
    assert said in capsys.readouterr().err


@pytest.fixture
def instant(monkeypatch):
    """A benchmark whose repeats take no time: 10, 11, 12, ... here, and half of it elsewhere."""
    values = iter(range(10, 100))
    monkeypatch.setitem(BENCHMARKS, "instant", Benchmark("instant", "nothing", lambda _: {}))

    def repeat(benchmark, _inputs, folder):
        value = float(next(values))
        return {"time": Value(value if folder == ROOT else 100 * value, "ms")}

    monkeypatch.setattr(command, "repeat", repeat)


def test_repeats_are_kept_in_a_report_that_can_be_compared(tmp_path, instant, capsys):
    out = tmp_path / "new.json"
    assert command.main(["instant", "--repeats", "3", "--json", str(out)]) == 0
    report = load_report(out)
    assert report["schema"] == SCHEMA
    assert report["figures"]["instant: time"]["values"] == [10.0, 11.0, 12.0]
    assert {"processor", "cores", "memory_gb", "system"} == report["machine"].keys()
    assert {"python", "numpy", "code"} <= report["versions"].keys()
    capsys.readouterr()
    assert command.main(["--compare", str(out), str(out)]) == 0
    assert "1.000" in capsys.readouterr().out


def test_another_checkout_takes_turns(tmp_path, instant, capsys):
    (tmp_path / "trainer" / "core").mkdir(parents=True)
    out = tmp_path / "new.json"
    assert command.main(["instant", "--repeats", "2", "--against", str(tmp_path), "--json", str(out)]) == 0
    # Here, there; then there, here.
    assert load_report(out)["figures"]["instant: time"]["values"] == [10.0, 13.0]
    assert "in turns with" in capsys.readouterr().out


def test_a_repeat_runs_in_a_process_of_its_own_with_the_code_of_a_folder():
    with pytest.raises(command.RepeatError, match="exit code"):
        command.repeat(Benchmark("nothing of this name", "", lambda _: {}), Inputs(), ROOT)


def test_a_scripts_numbers_become_figures_by_the_units_in_their_names():
    found = flat(
        {"frames": 3, "live": {"frames_per_s": 30.0, "latency_ms_p50": 4.0}, "rss_mb": 100.0, "ms": {"a": {"1": 2.0}}},
        goals={"rss_mb": 600.0},
    )
    assert found == {
        "live, frames_per_s": Value(30.0, "frames/s", more_is_better=True),
        "live, latency_ms_p50": Value(4.0, "ms"),
        "rss_mb": Value(100.0, "MB", goal=600.0),
        "ms, a, 1": Value(2.0, "ms"),
    }
