"""What a long session no longer uses goes back to the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

FREED = """
import psutil
from fkd_desktop.memory import give_back, share_arenas

share_arenas()
process = psutil.Process()
used, kept = [], []
for _ in range(5):
    used += [b"x" * (100_000 + number) for number in range(400)]  # as large as what heaps are for
    kept.append(bytes(1000))
used.clear()
held = process.memory_info().rss
give_back()
print((held - process.memory_info().rss) >> 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others give memory back by themselves, or never")
def test_what_was_freed_between_pieces_in_use_goes_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", FREED], check=True, capture_output=True, text=True, timeout=60)
    assert int(done.stdout) > 30
