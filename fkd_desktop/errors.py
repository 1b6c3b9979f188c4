"""Errors of the application: each message is one sentence for the user, with the thing's name and what to do."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from trainer.core.errors import FkdError

if TYPE_CHECKING:
    from pathlib import Path


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


def cannot_read(path: Path, error: OSError) -> SourceError:
    """Return the error for a file that the system does not let us read."""
    return SourceError(
        "{path} cannot be read ({reason}); check the path and its permissions",
        path=path,
        reason=error.strerror or error,
    )


def cannot_write(path: Path, error: OSError) -> OutputError:
    """Return the error for a file that cannot be begun."""
    return OutputError(
        "{path} cannot be written ({reason}); choose another place", path=path, reason=error.strerror or error
    )
