"""A capture that one thread may close while another one reads from it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_C = TypeVar("_C")
_R = TypeVar("_R")


class Guarded(Generic[_C]):
    """Holds something of a C library that must not be freed while a call of it runs.

    Nobody waits: who closes while a call runs leaves the freeing to the thread of that call.

    Parameters
    ----------
    release
        Frees it.
    """

    def __init__(self, capture: _C, release: Callable[[_C], object]) -> None:
        self._capture: _C | None = capture
        self._release = release
        self._lock = threading.Lock()
        self._is_closed = False

    def call(self, work: Callable[[_C], _R]) -> _R | None:
        """Return what `work` does with it; None once it is closed."""
        try:
            with self._lock:
                return None if self._is_closed or self._capture is None else work(self._capture)
        finally:
            if self._is_closed:  # asked after unlocking: either this thread sees it, or `close` got the lock
                self._free()

    @property
    def is_freed(self) -> bool:
        """Whether nothing is left of it; false while the call that runs when it was closed has not returned."""
        return self._capture is None

    def close(self) -> None:
        """Free it, now or when the call that runs returns."""
        self._is_closed = True
        self._free()

    def _free(self) -> None:
        if not self._lock.acquire(blocking=False):
            return
        try:
            capture, self._capture = self._capture, None
            if capture is not None:
                self._release(capture)
        finally:
            self._lock.release()
