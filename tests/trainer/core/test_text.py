"""Sentences quote what they are about, and stay sentences."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.core.errors import FkdError
from trainer.core.text import LONGEST, Text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("two\r\n  lines\n", "two lines "),
        ("bell\a, \0, \x1b[31m", "bell\ufffd, \ufffd, \ufffd[31m"),
        ("turned \u202e back", "turned \ufffd back"),
        ("half \ud800", "half \ufffd"),
        ("größte 顔 \N{NO-BREAK SPACE}😀", "größte 顔 \N{NO-BREAK SPACE}😀"),
        (ValueError("of a library\n> in two lines"), "of a library > in two lines"),
        (Path("a\nb"), "a b"),
        (FileNotFoundError(2, "No such file", "/home/me/x"), "No such file"),
        (7, "7"),
        ([1, "two"], "[1, 'two']"),
    ],
)
def test_what_is_quoted_stays_on_one_line(value: object, said: str) -> None:
    error = FkdError("{value} is bad; choose another", value=value)
    assert str(error) == f"{said} is bad; choose another"
    assert str(error.values["value"]) == said, "in other languages, too"


def test_what_is_quoted_is_no_longer_than_a_sentence() -> None:
    said = Text("{value} is bad", value=f"begin{10**6 * 'x'}end")
    assert len(said) < LONGEST + 20 and said.startswith("beginx") and said.endswith("xend is bad")


@pytest.mark.parametrize(
    "value",
    [10**400, 10**5000, [10**300], {"x": "y" * 1000}, tuple(range(1000))],
    ids=lambda value: type(value).__name__,
)
def test_a_long_value_is_cut_too(value: object) -> None:
    assert len(Text("{value!r} is bad", value=value)) < LONGEST + 30


def test_a_value_that_is_too_deep_to_be_written_is_cut() -> None:
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    assert len(Text("{value!r} is bad", value=deep)) < LONGEST + 30


def test_a_path_is_whole() -> None:
    path = Path(*10 * ["x" * 200])
    assert str(path) in Text("{path} is bad", path=path)


def test_what_is_too_long_to_be_a_path_is_cut() -> None:
    assert len(Text("{path} is bad", path=Path("x" * 70_000))) < 5000


def test_a_sentence_in_a_sentence_is_left_as_it_is() -> None:
    inner = Text("{name} is missing", name="x")
    assert Text("{reason}!", reason=inner).values["reason"] is inner
    assert Text("{reason}!", reason=FkdError(inner)).values["reason"] is inner
