"""Sentences of what other parts say in the middle of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fkd_desktop.i18n import translated
from fkd_desktop.ui.words import sentence

if TYPE_CHECKING:
    from fkd_desktop.training.entries import Entry


def reason_of(entry: Entry) -> str:
    """Say why an entry cannot be used; empty where it can. A name that it begins with stays as it is."""
    reason = translated(entry.problem)
    return f"{reason}." if reason.startswith(entry.name) else sentence(reason)
