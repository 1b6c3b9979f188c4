"""How much memory a long session holds: threads share heaps, and what was freed goes back to the system."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from typing import Final

_M_ARENA_MAX: Final = -8  # of glibc's malloc.h


def share_arenas() -> None:
    """Let all threads share two of glibc's heaps.

    Else each of the threads that sources, recordings and jobs start gets one of up to eight a core, and what its frames
    have left there is nobody else's: a third more memory after some dozen changes of the source, and growing.
    """
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def give_back() -> None:
    """Return to the system what glibc's heaps have free between pieces in use, in some milliseconds.

    They keep it else, and the next pieces may not fit into it: each change of the source may leave some megabytes so.
    """
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)
