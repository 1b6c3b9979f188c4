"""What docs/reliability.md says is tested, is: each row names a test, and each test that it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
TEST = re.compile(r"`(tests/[\w/]+\.py)::([\w:]+)`")
COLUMNS = "| fault | what the user sees | kept | test |"


@cache
def names(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef))


def faults() -> list[str]:
    """The rows of all tables of faults."""
    rows, within = [], False
    for line in TEXT.splitlines():
        within = line == COLUMNS or (within and line.startswith("|"))
        if within and line != COLUMNS and not line.startswith("|---"):
            rows.append(line)
    return rows


def test_each_test_that_is_named_is_there() -> None:
    named = TEST.findall(TEXT)
    assert len(named) == TEXT.count(".py::"), "one is not written as `tests/folder/file.py::test`"
    gone = [f"{path}::{name}" for path, name in named if not (ROOT / path).is_file() or name not in names(path)]
    assert not gone


def test_each_fault_is_tested_and_told_in_four_columns() -> None:
    assert len(faults()) > 60
    untested = [row for row in faults() if not TEST.search(row.rpartition(" | ")[2])]
    assert not untested
    assert not [row for row in faults() if row.count(" | ") != 3]
