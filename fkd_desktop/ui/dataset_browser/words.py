"""Sentences of what other parts say in the middle of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fkd_desktop.training.entries import Entry


def sentence(text: str) -> str:
    """Begin with a capital and end with a full stop; nothing stays nothing."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith((".", "!", "?")) else ".")


def reason_of(entry: Entry) -> str:
    """Say why an entry cannot be used; empty where it can. A name that it begins with stays as it is."""
    reason = entry.problem
    return f"{reason}." if reason.startswith(entry.name) else sentence(reason)
