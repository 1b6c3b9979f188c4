"""The family of errors that users see."""

from __future__ import annotations


class FkdError(Exception):
    """Base of all errors whose message is one sentence for the user: what happened, to what, and what to do."""
