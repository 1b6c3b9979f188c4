"""What becomes of a source in trouble: what to tell about it, and when to try again. No threads, no clock."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from fkd_desktop.errors import SourceProblem

if TYPE_CHECKING:
    from fkd_desktop.errors import SourceError

RETRY_S: Final = (0.3, 1.0, 1.0, 2.0)
"""Pauses between tries to open a source again; the last one goes on."""


class Trouble(Enum):
    """What is the matter with a source that is tried again."""

    MISSING = auto()
    """It was never there."""
    BUSY = auto()
    """Another program has it."""
    DENIED = auto()
    """The system does not allow it."""
    LOST = auto()
    """It was there and has just gone."""
    RECONNECTING = auto()
    """It was there; it is being opened again and again until it comes."""


_TROUBLES: Final = {
    SourceProblem.MISSING: Trouble.MISSING,
    SourceProblem.BUSY: Trouble.BUSY,
    SourceProblem.DENIED: Trouble.DENIED,
    SourceProblem.LOST: Trouble.LOST,
}


class Recovery:
    """The state of one session's source between its first try and its last."""

    def __init__(self) -> None:
        self._was_live = False
        self._tries = 0
        self._trouble: Trouble | None = None

    def went_live(self) -> bool:
        """Note that pictures come; whether that ends a trouble."""
        was_in_trouble, self._trouble = self._trouble is not None, None
        self._was_live, self._tries = True, 0
        return was_in_trouble

    def failed(self, error: SourceError) -> Trouble | None:
        """Note that the source broke or did not open; return what to tell, or None if that is no news."""
        trouble = _TROUBLES[error.problem]
        if self._was_live and trouble in (Trouble.MISSING, Trouble.LOST):
            trouble = Trouble.LOST if self._trouble is None else Trouble.RECONNECTING
        elif trouble is Trouble.LOST:  # it opened, but never gave a picture
            trouble = Trouble.MISSING
        return self._change(trouble)

    def retries(self) -> Trouble | None:
        """Note that the source is opened again; return what to tell, or None if that is no news."""
        self._tries += 1
        return self._change(Trouble.RECONNECTING) if self._trouble is Trouble.LOST else None

    @property
    def pause_s(self) -> float:
        """How long to wait before the next try."""
        return RETRY_S[min(self._tries, len(RETRY_S) - 1)]

    def _change(self, trouble: Trouble) -> Trouble | None:
        is_news, self._trouble = trouble is not self._trouble, trouble
        return trouble if is_news else None
