"""A disk that fails at any of a run's writes: a library that is preloaded into the trainer plays it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kills import disk

pytestmark = pytest.mark.skipif(not disk.IS_POSSIBLE, reason="the disk is a library made by a C compiler on Linux")


@pytest.mark.parametrize(("fault", "duration"), [("full", "lasts"), ("read-only", "lasts"), ("broken", "once")])
def test_whatever_fails_is_told_in_a_sentence_and_the_run_goes_on(
    tiny_data: Path, tmp_path: Path, fault: str, duration: str
) -> None:
    """Every ninth of its operations and its last ones; `python -m tests.kills` fails each of them."""
    outcomes = disk.sweep(tiny_data, tmp_path / "a sweep", fault, duration, every=9)
    assert len(outcomes) > 15
    assert sum(facts["code"] == 2 for facts in outcomes) > 10
    assert {facts["failed"].partition(" ")[0] for facts in outcomes} >= {"write", "rename", "delete"}
    assert [wrong for facts in outcomes for wrong in disk.faults_of(facts)] == []
