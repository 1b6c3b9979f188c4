"""A little of `python -m tests.kills`."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest

from tests.kills.__main__ import kill_many


@pytest.mark.slow
@pytest.mark.timeout(300)  # ten programs that import Qt and torch
@pytest.mark.skipif(sys.platform == "win32", reason="Windows tells nobody that a process was killed")
def test_a_run_survives_its_processes(tiny_data: Path, tmp_path: Path) -> None:
    """The trainer is killed, then the program that started it, then both; the run ends as if nobody had."""
    kills, wrong = kill_many(3, data=tiny_data, folder=tmp_path, random=Random(4), epochs=90, kinds=("controller",))
    assert [kill.victim for kill in kills] == ["child", "parent", "both"]
    assert wrong == []
