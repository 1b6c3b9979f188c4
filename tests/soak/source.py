"""A clip that comes as fast as the session takes it: a camera without a clock."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fkd_desktop.live.sources import register_source
from fkd_desktop.live.sources.video import VideoSource

if TYPE_CHECKING:
    from fkd_desktop.live.result import Frame, LiveFrame

SCHEME: Final = "fullspeed"
PATIENCE_S: Final = 0.1
"""A frame that was never processed, as when the network is swapped, holds up the next one no longer than this."""


class Gate:
    """Lets the next frame through when the last one was processed. A sink of the session."""

    def __init__(self) -> None:
        self._processed = threading.Event()

    def offer(self, live: LiveFrame) -> None:
        """See `Sink.offer`."""
        self._processed.set()

    def wait(self) -> None:
        """Wait for the session, so that frames are not decoded to be dropped."""
        self._processed.wait(PATIENCE_S)
        self._processed.clear()


class FullSpeedSource(VideoSource):
    """Plays a clip again and again. It is live: its reader does not pace it."""

    is_live = True
    can_seek = False

    def __init__(self, path: Path, gate: Gate) -> None:
        super().__init__(path, loop=True)
        self._gate = gate

    def read(self) -> Frame | None:
        """Wait for the session, then decode a frame; it has no position, as a camera's has none."""
        self._gate.wait()
        frame = super().read()
        return None if frame is None else replace(frame, position=None, captured_s=time.perf_counter())


def register(gate: Gate) -> None:
    """Make ``fullspeed:PATH`` a source of the session."""
    register_source(SCHEME, lambda text: FullSpeedSource(Path(text), gate))
