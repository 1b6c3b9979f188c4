"""A live session in a thread of its own: what it tells and gives can be waited for."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from fkd_desktop.live import events
from fkd_desktop.live.latest import LatestSlot
from fkd_desktop.live.session import LiveSession
from fkd_desktop.live.sources import make_source

if TYPE_CHECKING:
    from fkd_desktop.live.result import LiveFrame
    from trainer.core.predictor import Predictor

WAIT_S = 20.0
"""Longest that a test waits for something that must come; never reached when all is well."""


class Running:
    """Follows a source from now on.

    Parameters
    ----------
    name
        See `fkd_desktop.live.sources.make_source`.
    predictor
        The network, if faces are to be found.

    Attributes
    ----------
    told
        What was told and not waited for yet, in words such as "OPENED", "LOST", "DARK".
    sentence
        The last trouble's.
    label
        What the source was called last.
    """

    def __init__(self, name: str, predictor: Predictor | None = None) -> None:
        self.slot: LatestSlot[LiveFrame] = LatestSlot()
        self.told: list[str] = []
        self.sentence = self.label = ""
        self._news = threading.Condition()
        self._stop = threading.Event()
        self.session = LiveSession(
            lambda: make_source(name),
            predictor=lambda: predictor,
            slot=self.slot,
            on_result=lambda: None,
            on_event=self._on_event,
        )
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self.session.run(should_stop=self._stop.is_set)

    def _on_event(self, event: events.SessionEvent) -> None:
        with self._news:
            self.label = event.label
            match event:
                case events.SourceTroubled():
                    self.told.append(event.trouble.name)
                    self.sentence = str(event.error)
                case events.SourceDarkened():
                    self.told.append("DARK" if event.is_dark else "LIGHT")
                case _:
                    self.told.append(type(event).__name__.removeprefix("Source").upper())
            self._news.notify_all()

    def wait_for(self, last: str) -> list[str]:
        """Wait until this is told; return all that was told up to it, and forget it."""
        with self._news:
            assert self._news.wait_for(lambda: last in self.told, WAIT_S), f"{last} was not told, but {self.told}"
            end = self.told.index(last) + 1
            told, self.told = self.told[:end], self.told[end:]
            return told

    def take(self) -> LiveFrame:
        """Wait for a frame that is not there yet."""
        self.slot.take()
        live = self.slot.take(timeout_s=WAIT_S)
        assert live is not None, f"no frame came; told was {self.told}"
        return live

    def take_like(self, shape: tuple[int, ...]) -> LiveFrame:
        """Wait for a frame of a size."""
        deadline_s = time.monotonic() + WAIT_S
        while (live := self.take()).result.frame_bgr.shape != shape:
            assert time.monotonic() < deadline_s, live.result.frame_bgr.shape
        return live

    def end(self) -> None:
        """Stop it, and wait until it has ended."""
        self._stop.set()
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()
