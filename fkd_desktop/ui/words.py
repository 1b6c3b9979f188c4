"""Words that several windows say in the same way."""

from __future__ import annotations


def sentence(text: str) -> str:
    """Return a message as a sentence, with a capital and a mark at its end; nothing stays nothing."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith((".", "!", "?", "…")) else ".")
