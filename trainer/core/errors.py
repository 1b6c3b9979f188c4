"""The family of errors that users see."""

from __future__ import annotations

from trainer.core.text import Text


class FkdError(Exception):
    """Base of all errors whose message is one sentence for the user: what happened, to what, and what to do.

    Parameters
    ----------
    text
        The sentence in English, with ``{names}`` for what differs from case to case: translators see it like this. Or
        a whole `Text`.
    values
        What stands for the names. Without any, the text is taken as it is.

    Attributes
    ----------
    said
        The sentence, which knows its template and values.
    """

    def __init__(self, text: str = "", **values: object) -> None:
        self.said = text if isinstance(text, Text) and not values else Text(text, **values)
        super().__init__(str(self.said))

    @property
    def text(self) -> str:
        """The template in English."""
        return self.said.template

    @property
    def values(self) -> dict[str, object]:
        """What stands for its names."""
        return self.said.values
