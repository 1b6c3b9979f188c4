"""Words that several windows say in the same way."""

from __future__ import annotations


def sentence(text: str) -> str:
    """Return a message as a sentence: with a capital at its beginning and a mark at its end."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", "…")) else ".")
