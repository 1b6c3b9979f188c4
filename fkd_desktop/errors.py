"""Errors of the application. Each message is one sentence for the user: what happened, with the thing's name, and what to do."""

from __future__ import annotations


class FkdError(Exception):
    """Base of the errors that the application shows as a message and survives."""


class SourceError(FkdError):
    """A camera, video or image cannot be opened or read."""


class DetectorError(FkdError):
    """The face detector cannot work."""


class OverlayError(FkdError):
    """An overlay cannot be loaded."""
