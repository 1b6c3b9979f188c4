"""The family of errors that users see."""

from __future__ import annotations


class FkdError(Exception):
    """Base of all errors whose message is one sentence for the user: what happened, to what, and what to do.

    Parameters
    ----------
    text
        The sentence in English, with ``{names}`` for what differs from case to case: translators see it like this.
    values
        What stands for the names. Without any, the text is taken as it is.
    """

    def __init__(self, text: str = "", **values: object) -> None:
        self.text, self.values = text, values
        super().__init__(text.format(**values) if values else text)
