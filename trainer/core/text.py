"""Texts for users in modules that know no Qt: English sentences that remember how to be said in another language."""

from __future__ import annotations

from typing import Any, Self


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
        `Text` itself, or an error of the `FkdError` family, is translated too.

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


def _said(value: Any) -> Any:
    """Keep what an error says, and not the error with all that hangs on it."""
    if not isinstance(value, BaseException):
        return value
    first = value.args[0] if value.args else None
    return getattr(value, "said", first if isinstance(first, Text) else str(value))
