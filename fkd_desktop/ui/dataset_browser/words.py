"""Sentences of what other parts say in the middle of one."""

from __future__ import annotations


def sentence(text: str) -> str:
    """Begin with a capital and end with a full stop; nothing stays nothing."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith((".", "!", "?")) else ".")
