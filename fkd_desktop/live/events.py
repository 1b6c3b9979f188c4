"""What a live session tells about its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fkd_desktop.errors import SourceError
    from fkd_desktop.live.recovery import Trouble
    from fkd_desktop.live.sources.modes import CameraMode


@dataclass(frozen=True)
class SourceOpened:
    """The first frame came.

    Attributes
    ----------
    label
        What the user calls the source.
    width, height
        Of the frame.
    mode
        What was agreed on with a camera.
    """

    label: str
    width: int
    height: int
    mode: CameraMode | None = None


@dataclass(frozen=True)
class SourceStalled:
    """Nothing came for `STALL_S`; the loop goes on waiting."""

    label: str


@dataclass(frozen=True)
class SourceResumed:
    """After a stall, a loss or an end, frames come again."""

    label: str


@dataclass(frozen=True)
class SourceTroubled:
    """The source is not there, or not any more; the loop goes on trying.

    Attributes
    ----------
    label
        What the user calls the source.
    trouble
        What is the matter.
    error
        Why.
    """

    label: str
    trouble: Trouble
    error: SourceError


@dataclass(frozen=True)
class SourceDarkened:
    """A camera's picture has been black for some seconds, or no longer is.

    Attributes
    ----------
    label
        What the user calls the source.
    is_dark
        Which of the two.
    """

    label: str
    is_dark: bool


@dataclass(frozen=True)
class SourceEnded:
    """The source has no more frames; one that can be moved in waits for that."""

    label: str


@dataclass(frozen=True)
class DeviceFailed:
    """The network's device broke in mid-session; frames go through as they are until there is another network."""

    label: str
    device: str
    reason: str


SessionEvent = (
    SourceOpened | SourceStalled | SourceResumed | SourceTroubled | SourceDarkened | SourceEnded | DeviceFailed
)
