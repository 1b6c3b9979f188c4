"""Whoever wants every result of the session: recordings, tables, a virtual camera."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from fkd_desktop.live.result import LiveFrame

_log = logging.getLogger(__name__)


class Sink(Protocol):
    """Takes results in the capture thread. It must return at once: what takes time goes on in a thread of its own."""

    def offer(self, live: LiveFrame) -> None:
        """Take the next result; whether it is kept or dropped is the sink's business."""
        ...


class SinkSet:
    """The sinks of a session; it outlives changes of the source. Any thread may add and remove."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sinks: tuple[Sink, ...] = ()

    def add(self, sink: Sink) -> None:
        """Hand everything on to this sink too, from the next result on."""
        with self._lock:
            self._sinks = (*self._sinks, sink)

    def remove(self, sink: Sink) -> None:
        """Hand nothing more to it. One result that is under way may still come."""
        with self._lock:
            self._sinks = tuple(other for other in self._sinks if other is not sink)

    def offer(self, live: LiveFrame) -> None:
        """Hand a result to all; one that fails does not keep it from the others or from the screen."""
        for sink in self._sinks:
            try:
                sink.offer(live)
            except Exception:
                _log.exception("%s failed on a result and was let go", sink)
                self.remove(sink)
