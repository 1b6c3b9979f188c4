"""The soak, for some hundred frames; and what its verdict is made of."""

from __future__ import annotations

import pytest

from tests.longrun.material import DEMO
from tests.longrun.running import Outcome, run
from tests.soak.__main__ import main
from tests.soak.verdict import judge, read_samples


def test_some_hundred_frames_of_everything_go_wrong_nowhere(tmp_path):
    options = {"clip": str(DEMO), "frames": 240, "seed": 4, "every": 60, "deed_every": 10}
    options |= {"hang_s": 60, "silent_s": 60}  # on a machine that has other work
    options |= {"away_s": (0, 0)}  # nothing is done while another source is shown: it is home before the next deed
    outcome = run("tests.soak.session", options, report=tmp_path)
    assert outcome.findings == []
    assert outcome.result["frames"] >= 240
    assert sum(outcome.result["deeds"].values()) >= 10
    samples = read_samples(tmp_path / "samples.jsonl")
    assert [sample["frame"] // 60 for sample in samples] == [1, 2, 3, 4]
    assert all(0 < sample["calm_p50_ms"] <= sample["calm_p95_ms"] for sample in samples)


def samples(**slopes):
    """A session of 100 samples in which some values grow by so much from start to end."""
    flat = {"rss_mb": 600, "threads": 12, "files": 16, "windows": 50, "widgets": 900, "objects": 1600}
    flat |= {"calm_p50_ms": 8, "calm_p95_ms": 15, "calm_cpu_ms": 9}
    return [
        {"frame": 1000 * i, **{name: value + slopes.get(name, 0) * i / 100 for name, value in flat.items()}}
        for i in range(1, 101)
    ]


@pytest.mark.parametrize(
    ("slopes", "wrong"),
    [
        ({}, []),
        ({"rss_mb": 20}, []),
        ({"rss_mb": 60}, ["memory, first and last tenth"]),
        ({"threads": 10}, ["threads"]),
        ({"files": 20}, ["files"]),
        ({"widgets": 200}, ["widgets"]),
        ({"calm_p50_ms": 6}, ["latency, median, quarters 2 and 4"]),
        ({"calm_cpu_ms": 5}, ["processor time a frame, quarters 2 and 4"]),
    ],
)
def test_what_grows_is_seen(tmp_path, slopes, wrong):
    outcome = Outcome(tmp_path, result={"frames": 100_000})
    checks = judge(samples(**slopes), outcome, frames=100_000, warm=10_000)
    assert [check.name for check in checks if not check.is_met] == wrong


def test_a_session_that_broke_off_or_has_findings_is_no_success(tmp_path):
    outcome = Outcome(tmp_path, findings=[{"kind": "Qt", "text": "odd", "doing": "", "at": ""}])
    checks = judge(samples()[:50], outcome, frames=100_000, warm=10_000)
    assert [check.name for check in checks if not check.is_met] == ["frames", "findings"]


def test_the_command_says_what_it_takes(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "--frames" in capsys.readouterr().out
