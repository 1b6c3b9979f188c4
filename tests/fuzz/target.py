"""What a fuzz target is, and the rules that its inputs must keep."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hypothesis.strategies import SearchStrategy

from trainer.core.errors import FkdError
from trainer.core.text import Text

SENTENCE_LIMIT: Final = 600
_NOT_FOR_USERS: Final = re.compile(
    r"Traceback|<class |<[\w.]+ object|\bat 0x[0-9a-f]+|\b(?!Base)[A-Z]\w+(?:Error|Exception)\b|\bNoneType\b|\berrno\b",
    re.I,
)
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


@dataclass(frozen=True)
class Target:
    """Some code that reads what it cannot trust, and a source of such inputs.

    Attributes
    ----------
    name
        Short, for the table and for --target.
    inputs
        Picklable values, as a file's bytes.
    check
        Gives an input to the code, in an empty folder. Returns None if it was accepted, or the template of the sentence
        that refused it (`refusal`). Anything that it raises is a finding.
    bound_s
        Processor seconds that an input may take.
    share
        Its part of all inputs, against the other targets' 1.
    memory_mb
        What an input may take on top of what the process held before.
    """

    name: str
    inputs: SearchStrategy[Any]
    check: Callable[[Any, Path], str | None]
    bound_s: float
    share: float = 1.0
    memory_mb: int = 512


class RuleError(AssertionError):
    """An answer that a user should not get."""


def refusal(error: FkdError | str, *names: Path | str) -> str:
    """Judge the sentence that refuses an input; return its template, with those of the sentences in it.

    Parameters
    ----------
    error
        The error or the sentence.
    names
        It must name one of these: a file, by its whole path or its name.

    Raises
    ------
    RuleError
        If it is empty, not one line, as long as a page, names no such file, or speaks of Python.
    """
    said = error.said if isinstance(error, FkdError) else error
    text, template = str(said), said.template if isinstance(said, Text) else str(said)
    shown = f"{template[:80]!r}: {text[:SENTENCE_LIMIT]!r}"
    if not text.strip():
        raise RuleError("a sentence is empty")
    if _UNSEEN.search(text):
        raise RuleError(f"a sentence is more than one line of text, {shown}")
    if len(text) > SENTENCE_LIMIT:
        raise RuleError(f"a sentence is too long, {shown}... ({len(text)} characters)")
    if found := _NOT_FOR_USERS.search(text):
        raise RuleError(f"a sentence says {found[0]!r}, {shown}")
    if names and not any(Path(name).name in text for name in names):
        raise RuleError(f"a sentence does not name its file, {shown}")
    within = [str(value.template) for value in getattr(said, "values", {}).values() if isinstance(value, Text)]
    return " | ".join([template, *within])
