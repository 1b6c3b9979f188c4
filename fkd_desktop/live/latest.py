"""A slot for the newest item, between two threads of which neither may wait for the other."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """Holds one item; the newest wins and what nobody took is counted as dropped."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._dropped = 0

    def put(self, item: T) -> bool:
        """Replace the item; true if the slot was empty, so that its reader needs waking."""
        with self._changed:
            was_empty = self._item is None
            self._dropped += not was_empty
            self._item = item
            self._changed.notify_all()
            return was_empty

    def take(self, *, timeout_s: float = 0.0) -> T | None:
        """Take the item out, waiting for one if there is none; None when the time is up."""
        with self._changed:
            if self._item is None and timeout_s > 0:
                self._changed.wait_for(lambda: self._item is not None, timeout_s)
            item, self._item = self._item, None
            self._changed.notify_all()
            return item

    def wait_empty(self, *, timeout_s: float) -> bool:
        """Wait until the item was taken; false when the time is up."""
        with self._changed:
            return self._changed.wait_for(lambda: self._item is None, timeout_s)

    @property
    def dropped(self) -> int:
        """Items that were replaced before anybody took them."""
        with self._changed:
            return self._dropped
