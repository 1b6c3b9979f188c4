"""Words that several windows say in the same way."""

from __future__ import annotations

from fkd_desktop.i18n import translated


def sentence(text: str) -> str:
    """Return a message, translated if it is a `Text`, with a capital and a mark at its end; nothing stays nothing."""
    text = translated(text).strip()
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith((".", "!", "?", "…")) else ".")


def plain_tip(text: str) -> str:
    """Return a tooltip that shows a text as it is; Qt takes for HTML what looks like it, as a file's name may."""
    if "<" not in text and "&lt;" not in text:
        return text
    from html import escape  # noqa: PLC0415 (a part of the start)

    return f"<span>{escape(text)}</span>".replace("\n", "<br>")
