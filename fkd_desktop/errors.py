"""Errors of the application: each message is one sentence for the user, with the thing's name and what to do."""

from __future__ import annotations

from trainer.core.errors import FkdError


class SourceError(FkdError):
    """A camera, video or image cannot be opened or read."""


class OverlayError(FkdError):
    """An overlay cannot be loaded."""


class NetworkError(FkdError):
    """Weights or the device for them cannot be used."""
