"""What every system's start-menu entry can do."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from trainer.core.errors import FkdError
from trainer.core.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class LauncherError(FkdError):
    """The start-menu entry cannot be made or removed."""


class Presence(Enum):
    """How the start menu stands to this installation of the application."""

    ABSENT = auto()
    """There is no entry."""
    CURRENT = auto()
    """The user's entry starts this installation, and is what this version would write."""
    OUTDATED = auto()
    """The user has an entry, but installing it again would change it."""
    PACKAGED = auto()
    """A package of the system brought an entry for this installation: nothing of the user's is needed."""


@dataclass(frozen=True)
class LauncherState:
    """What is there.

    Attributes
    ----------
    presence
        How the start menu stands to this installation.
    reason
        Why an outdated entry is that, as the end of a sentence; else empty.
    is_broken
        Whether the entry starts nothing any more: its program is gone.
    """

    presence: Presence
    reason: str = ""
    is_broken: bool = False


class Launcher(ABC):
    """The entry of one user in the start menu. Only what `install` wrote is ever changed or removed."""

    @abstractmethod
    def state(self) -> LauncherState:
        """Return what is there; it reads a few small files and raises nothing."""

    @abstractmethod
    def install(self) -> tuple[Path, ...]:
        """Make the entry, or bring it up to date.

        Returns
        -------
        The files that were written: none where all was as it should be.

        Raises
        ------
        LauncherError
            If something that is not ours is in its place, or the files cannot be written.
        """

    @abstractmethod
    def remove(self) -> tuple[Path, ...]:
        """Remove all that `install` wrote, and the folders that it made unless others use them now.

        Returns
        -------
        The files that were removed: none where there was no entry.

        Raises
        ------
        LauncherError
            If they cannot be removed.
        """


def outdated(program: str, own_program: str, *, exists: bool) -> LauncherState:
    """Return the state of an entry that is not what this installation would write.

    Parameters
    ----------
    program, own_program
        What the entry starts, and what it should start.
    exists
        Whether the entry's program is there.
    """
    if not exists:
        gone = Text("it starts {program}, which is not there any more", program=program)
        return LauncherState(Presence.OUTDATED, gone, is_broken=True)
    if program != own_program:
        return LauncherState(Presence.OUTDATED, Text("it starts another installation, {program}", program=program))
    return LauncherState(Presence.OUTDATED, Text("it was made by another version"))


def describe_written(written: Sequence[Path]) -> Text:
    """Say what an installation did, for the user."""
    if not written:
        return Text("FKD Desktop is in the start menu already, and all is as it should be.")
    if sys.platform == "darwin":
        return Text("FKD Desktop is among your applications now ({path}).", path=written[0])
    return Text("FKD Desktop is in the start menu now ({path}).", path=written[0])


def describe_removed(removed: Sequence[Path]) -> Text:
    """Say what a removal did, for the user."""
    if not removed:
        return Text("FKD Desktop was not in the start menu; nothing was removed.")
    if sys.platform == "darwin":
        return Text("FKD Desktop is no longer among your applications.")
    return Text("FKD Desktop is no longer in the start menu.")
