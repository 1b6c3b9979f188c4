"""Disks of their own, small and real: full, read-only, or taken out at a test's word. Only root may mount them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Disk:
    """A file system in memory.

    Parameters
    ----------
    path
        Where it is mounted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self, *, but_for: int = 0) -> None:
        """Leave so many bytes, rounded down to pages; a filler of 0 bytes shows that names can still be made."""
        with (self.path / "filler").open("wb") as file:
            file.write(bytes(max(0, shutil.disk_usage(self.path).free - but_for)))

    def forbid_writing(self) -> None:
        """Make it read-only, as a disk that found a fault in itself."""
        subprocess.run(["mount", "-o", "remount,ro", self.path], check=True)

    def take_out(self) -> None:
        """Unmount it although files are open."""
        subprocess.run(["umount", "--lazy", self.path], check=True)


@contextmanager
def disk(path: Path, *, size_bytes: int = 4_000_000) -> Iterator[Disk]:
    """Mount a disk; the test is skipped where that is not allowed."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only Linux has file systems in memory, and only root may mount them")
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "none", path]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this machine forbids mounting")
    try:
        yield Disk(path)
    finally:
        if path.is_mount():
            subprocess.run(["umount", "--lazy", path], check=True)
