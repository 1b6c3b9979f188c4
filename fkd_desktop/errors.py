"""Errors of the application: each message is one sentence for the user, with the thing's name and what to do."""

from __future__ import annotations

from enum import Enum, auto

from trainer.core.errors import FkdError


class SourceProblem(Enum):
    """Why a source gives no pictures, as far as that decides what is done about it."""

    UNUSABLE = auto()
    """It will not get better by itself: a damaged file, a name that makes no sense."""
    MISSING = auto()
    """The camera is not plugged in, the address not reachable."""
    BUSY = auto()
    """Another program has the camera."""
    DENIED = auto()
    """The system does not let this program use the camera."""
    LOST = auto()
    """It was there and broke off."""

    @property
    def may_pass(self) -> bool:
        """Whether trying again later may help."""
        return self is not SourceProblem.UNUSABLE


class SourceError(FkdError):
    """A camera, video or image cannot be opened or read.

    Parameters
    ----------
    text, values
        See `FkdError`.
    problem
        What kind of trouble it is.
    """

    def __init__(self, text: str = "", *, problem: SourceProblem = SourceProblem.UNUSABLE, **values: object) -> None:
        super().__init__(text, **values)
        self.problem = problem


class OverlayError(FkdError):
    """An overlay cannot be loaded."""


class NetworkError(FkdError):
    """Weights or the device for them cannot be used."""


class OutputError(FkdError):
    """A picture, recording or table cannot be written."""
