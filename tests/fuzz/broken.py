"""Targets that break each rule: the harness must find them all. Not among those that `python -m tests.fuzz` runs."""

from __future__ import annotations

import ctypes
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from tests.fuzz.target import Target, refusal
from trainer.core.errors import FkdError

NUMBERS: Final = st.integers(0, 127)  # so few that a batch has them all


def _at(number: int, fault: Callable[[Path], Any]) -> Callable[[int, Path], str | None]:
    def check(value: int, folder: Path) -> str | None:
        if value == number:
            fault(folder)
        if value % 2:
            return refusal(FkdError("{path} is odd; choose another", path=folder / "a.txt"), "a.txt")
        return None

    return check


def _spin(_: Path) -> None:
    end_s = time.process_time() + 1.2
    while time.process_time() < end_s:
        pass


def _raise(_: Path) -> None:
    raise ValueError("unhandled")


def _grow(_: Path) -> None:
    bytearray(os.urandom(1) * (200 << 20))


TARGETS: Final = (
    Target("sound", NUMBERS, _at(-1, _raise), bound_s=1.0),
    Target("raises", NUMBERS, _at(77, _raise), bound_s=1.0),
    Target("slow", NUMBERS, _at(77, _spin), bound_s=1.0),
    Target("grows", NUMBERS, _at(77, _grow), bound_s=5.0, memory_mb=100),
    Target("eats", NUMBERS, _at(77, lambda _: bytearray(8 << 30)), bound_s=5.0, memory_mb=100),
    Target("dies", NUMBERS, _at(77, lambda _: ctypes.string_at(1)), bound_s=1.0),
    Target("exits", NUMBERS, _at(77, lambda _: sys.exit(3)), bound_s=1.0),
    Target("climbs", NUMBERS, _at(77, lambda folder: (folder / "../../x").write_bytes(b"x")), bound_s=1.0),
    Target(
        "climbs-unheard",
        NUMBERS,
        _at(77, lambda folder: subprocess.run(["touch", str(folder / "../x")], check=True)),
        bound_s=5.0,
    ),
    Target("unpickles", NUMBERS, _at(77, lambda _: pickle.loads(pickle.dumps(Path("x")))), bound_s=1.0),
    Target("lines", NUMBERS, _at(77, lambda _: refusal(FkdError("two\nlines"))), bound_s=1.0),
    Target("python", NUMBERS, _at(77, lambda _: refusal(FkdError("a KeyError in a.txt"))), bound_s=1.0),
    Target("nameless", NUMBERS, _at(77, lambda _: refusal(FkdError("it is damaged"), "a.txt")), bound_s=1.0),
)
