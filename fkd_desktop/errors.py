"""Errors of the application: each message is one sentence for the user, with the thing's name and what to do."""

from __future__ import annotations


class FkdError(Exception):
    """Base of the errors that the application shows as a message and survives."""


class SourceError(FkdError):
    """A camera, video or image cannot be opened or read."""


class DetectorError(FkdError):
    """The face detector cannot work."""


class OverlayError(FkdError):
    """An overlay cannot be loaded."""


class NetworkError(FkdError):
    """Weights or the device for them cannot be used."""
