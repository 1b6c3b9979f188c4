"""A wall clock that jumps an hour back and forth while a run goes on: a preloaded library plays it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fkd_desktop.training.eta import TimeLeft
from tests.kills import disk
from tests.trainer.tiny import Child, are_equal, go_tiny, of_type, weights_of
from trainer import events
from trainer.runs import RunState, summarise

pytestmark = pytest.mark.skipif(not disk.IS_POSSIBLE, reason="the clock is a library made by a C compiler on Linux")


def test_a_clock_that_jumps_changes_nothing(tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_tiny(monkeypatch)
    clock = tmp_path / "clock.so"
    source = Path(__file__).with_name("jumping_clock.c")
    subprocess.run([str(disk.COMPILER), "-shared", "-fPIC", "-o", clock, source, "-ldl"], check=True)
    settings = ["--data", tiny_data, "--model", "simple", "--epochs", 12, "--batch-size", 8, "--device", "cpu"]
    with Child("train", "--out", tmp_path / "calm", *settings, "--events", "jsonl") as child:
        assert child.wait() == 0, child.errors
    monkeypatch.setenv("LD_PRELOAD", str(clock))
    program = "import time; first, second = time.time(), time.time(); assert abs(second - first) > 7000"
    subprocess.run([sys.executable, "-c", program], check=True)
    with Child("train", "--out", tmp_path / "run", *settings, "--events", "jsonl") as child:
        assert child.wait() == 0, child.errors
        assert child.errors == ""
    monkeypatch.delenv("LD_PRELOAD")
    assert are_equal(weights_of(tmp_path / "run"), weights_of(tmp_path / "calm"))
    (started,) = of_type(child.told, events.RunStarted)
    left = TimeLeft(started, batch_size=8)
    for number, done in enumerate(of_type(child.told, events.EpochDone)):
        assert 0 < done.seconds < 600
        left.on_epoch(done, float(number))
        seconds = left.seconds(float(number))
        assert seconds is not None and 0 <= seconds < 12 * 600
    run = summarise(tmp_path / "run")
    assert run.state is RunState.FINISHED
    assert [epoch.epoch for epoch in run.epochs] == list(range(1, 13))
