"""How far a download is, and what its threads share."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace


class AbandonedError(Exception):
    """The download was given up while this thread was at work; never leaves the package."""


@dataclass(frozen=True)
class Progress:
    """How far a download is.

    Attributes
    ----------
    files_done, files_total
        Files that are in the folder and verified; all that belong there.
    bytes_done, bytes_total
        The same, in bytes.
    bytes_received
        What has come over the network: more than was kept where something had to be fetched again, and growing while
        an archive is read past what is there already.
    """

    files_done: int = 0
    files_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    bytes_received: int = 0


class Board:
    """What the threads of one download share: the progress, and whether it has been given up."""

    def __init__(self) -> None:
        self._progress = Progress()
        self._lock = threading.Lock()
        self._given_up = threading.Event()

    def progress(self) -> Progress:
        """Return how far it is."""
        return self._progress

    def add(
        self,
        *,
        files_done: int = 0,
        files_total: int = 0,
        bytes_done: int = 0,
        bytes_total: int = 0,
        bytes_received: int = 0,
    ) -> None:
        """Count on."""
        with self._lock:
            now = self._progress
            self._progress = replace(
                now,
                files_done=now.files_done + files_done,
                files_total=now.files_total + files_total,
                bytes_done=now.bytes_done + bytes_done,
                bytes_total=now.bytes_total + bytes_total,
                bytes_received=now.bytes_received + bytes_received,
            )

    def give_up(self) -> None:
        """Tell all threads to end."""
        self._given_up.set()

    def check(self) -> None:
        """Raise `AbandonedError` once the download is given up."""
        if self._given_up.is_set():
            raise AbandonedError

    def pause(self, seconds: float) -> None:
        """Wait; raise `AbandonedError` as soon as the download is given up."""
        if self._given_up.wait(seconds):
            raise AbandonedError
