"""Figures of a running session, over its last seconds."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

WINDOW_S: Final = 2.0


@dataclass(frozen=True)
class LiveFigures:
    """What the status bar shows.

    Attributes
    ----------
    frames_per_s
        Painted frames a second.
    latency_ms
        Median time from capture to paint.
    latency_p95_ms
        Its 95th percentile.
    """

    frames_per_s: float
    latency_ms: float
    latency_p95_ms: float


class RollingStats:
    """Collects what was painted when. Times in seconds of `time.perf_counter`."""

    def __init__(self, *, window_s: float = WINDOW_S) -> None:
        self._window_s = window_s
        self._painted: deque[tuple[float, float]] = deque()

    def add(self, *, captured_s: float, painted_s: float) -> None:
        """Note that a frame captured then was painted now."""
        self._painted.append((painted_s, painted_s - captured_s))
        self._forget(painted_s)

    def figures(self, now_s: float) -> LiveFigures | None:
        """Sum up the last seconds; None if nothing was painted in them."""
        self._forget(now_s)
        if not self._painted:
            return None
        span = now_s - self._painted[0][0]
        rate = (len(self._painted) - 1) / span if span > 0 and len(self._painted) > 1 else 0.0
        median, high = np.percentile([latency for _, latency in self._painted], [50, 95]) * 1000
        return LiveFigures(rate, float(median), float(high))

    def clear(self) -> None:
        """Start afresh, for another source."""
        self._painted.clear()

    def _forget(self, now_s: float) -> None:
        while self._painted and now_s - self._painted[0][0] > self._window_s:
            self._painted.popleft()
