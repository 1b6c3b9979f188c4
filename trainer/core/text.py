"""Texts for users in modules that know no Qt: English sentences that remember how to be said in another language."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any, Final, Self

LONGEST: Final = 200
_LONGEST_PATH: Final = 4096
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Ends of lines, control characters, marks that turn the direction of writing, halves of characters."""


class Text(str):
    """An English text which a window can translate, as it knows the template and the values that it was made from.

    Everything that does not translate, as command lines, takes it for the English string that it is.

    Parameters
    ----------
    template
        The text, with ``{names}`` for what differs from case to case: translators see it like this. One that counts
        has a value `n`, and says ``%n`` and ``(s)``: "%n face(s)".
    values
        What stands for the names, and `n` for the count. Without any, the template is taken as it is. A value that is a
        `Text` itself, or an error of the `FkdError` family, is translated too. Any other text, as a name in a damaged
        file or what a library says of it, is made to fit into a sentence: see `one_line`.

    Attributes
    ----------
    template, values
        As given.
    """

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str = "", /, **values: Any) -> Self:
        """Say it in English."""
        values = {name: _said(value) for name, value in values.items()}
        counted = template
        if "n" in values:
            counted = template.replace("%n", str(values["n"])).replace("(s)", "" if values["n"] == 1 else "s")
        made = super().__new__(cls, counted.format(**values) if values else counted)
        made.template, made.values = template, values
        return made


def one_line(text: str, *, longest: int = LONGEST) -> str:
    """Make of any text what a sentence can quote: one line, nothing unseen in it, and not longer than a sentence."""
    if len(text) > longest:
        text = f"{text[: longest * 2 // 3]}...{text[-longest // 4 :]}"
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", re.sub(r"\s*[\r\n]+\s*", " ", text))


def _said(value: Any) -> Any:
    """Keep what an error says, and not the error with all that hangs on it; and of the rest what fits."""
    if isinstance(value, BaseException):
        first = value.args[0] if value.args else None
        # Of what the system says the reason: its number and the file are not for users, or told anyway.
        plain = (value.strerror if isinstance(value, OSError) else None) or str(value)
        value = getattr(value, "said", first if isinstance(first, Text) else plain)
    if isinstance(value, Text):
        return value
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, PurePath):  # as long as any that is there to be found
        text = str(value)
        said = one_line(text, longest=_LONGEST_PATH)
        return value if said == text else said
    if isinstance(value, int | list | tuple | dict):
        try:
            text = repr(value)
        except (ValueError, RecursionError):  # too many digits, or too deep
            return "..."
        return value if len(text) <= LONGEST else one_line(text)
    return value
