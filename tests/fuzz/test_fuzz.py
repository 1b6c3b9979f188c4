"""The fuzzer finds what it is made for; and each target's first inputs do no harm."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.fuzz import broken
from tests.fuzz.__main__ import main, table
from tests.fuzz.batches import BATCH, each_input
from tests.fuzz.collecting import all_targets
from tests.fuzz.guard import Guard
from tests.fuzz.running import run_target
from tests.fuzz.target import Target

INPUTS = 25
BROKEN = {target.name: target for target in broken.TARGETS}
FOUND = {
    "raises": "ValueError in broken.py",
    "slow": "took longer than 1 s",
    "exits": "SystemExit in broken.py",
    "climbs": "open outside of its folder",
    "climbs-unheard": "wrote outside of its folder",
    "unpickles": "called pickle.find_class",
    "lines": "more than one line",
    "python": "a sentence says 'KeyError'",
    "nameless": "does not name its file",
}


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Guard:
    return Guard(tmp_path_factory.mktemp("guarded"))


@pytest.mark.parametrize("target", [target for _, target in all_targets()], ids=lambda target: target.name)
def test_a_targets_first_inputs_do_no_harm(target: Target, guard: Guard) -> None:
    found = []

    def run(value: object) -> None:
        outcome = guard.run(target, value)
        if outcome.finding and not outcome.finding.startswith("took "):  # what else ran here counts too
            found.append((outcome.finding, outcome.trace, value))

    each_input(target, INPUTS, 0, run)
    assert not found, found[0]


@pytest.mark.parametrize("name", FOUND)
def test_what_breaks_a_rule_is_found(name: str, guard: Guard) -> None:
    assert guard.run(BROKEN[name], 76).finding == ""
    assert FOUND[name] in guard.run(BROKEN[name], 77).finding
    assert guard.run(BROKEN[name], 76).finding == "", "what it left is gone"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory are Linux's")
@pytest.mark.parametrize(
    ("name", "finding"),
    [("dies", "the process died"), ("grows", "took more than 100 MB"), ("eats", "MemoryError in broken.py")],
)
def test_death_and_memory_are_found_in_a_process_of_its_own(name: str, finding: str, tmp_path: Path) -> None:
    result = run_target("tests.fuzz.broken", BROKEN[name], inputs=BATCH, seed=1, report=tmp_path)
    assert [finding in one["finding"] for one in result.findings] == [True], result
    assert Path(result.findings[0]["input"]).is_file()


def test_a_sound_target_is_counted(tmp_path: Path) -> None:
    result = run_target("tests.fuzz.broken", BROKEN["sound"], inputs=BATCH, seed=1, report=tmp_path)
    assert result.inputs == result.accepted + sum(result.refused.values()) > 100
    assert list(result.refused) == ["{path} is odd; choose another"] and not result.findings
    assert "| sound | " in table([result])


def test_a_finding_is_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.fuzz.__main__.all_targets", lambda: [("tests.fuzz.broken", BROKEN["raises"])])
    monkeypatch.setattr("tests.fuzz.__main__.module_of", lambda _: "tests.fuzz.broken")
    told = tmp_path / "told.json"
    command = ["--inputs", str(BATCH), "--report", str(tmp_path / "report"), "--json", str(told)]
    assert main(command) == 1
    finding = json.loads(told.read_text())[0]["findings"][0]
    kept = shutil.copy(finding["input"], tmp_path / "kept.input")
    capfd.readouterr()
    assert main(["--replay", str(kept)]) == 1
    assert "ValueError: unhandled" in capfd.readouterr().out
