"""What a process holds: memory, threads, files, children, widgets."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import psutil


def held() -> dict[str, float]:
    """Return what this process holds now. In the GUI thread, with an application."""
    from PySide6.QtCore import QObject
    from PySide6.QtWidgets import QApplication

    process = psutil.Process()
    top = QApplication.topLevelWidgets()
    return {
        "rss_mb": process.memory_info().rss / 2**20,
        "threads": process.num_threads(),
        "python_threads": threading.active_count(),
        "files": process.num_fds() if hasattr(process, "num_fds") else process.num_handles(),
        "children": len(process.children(recursive=True)),
        "windows": len(top),
        "widgets": len(QApplication.allWidgets()),
        "objects": sum(len(widget.findChildren(QObject)) for widget in top if widget.parent() is None),
    }


def left_threads(before: set[threading.Thread], *, patience_s: float = 5.0) -> list[str]:
    """Return the names of Python's threads that are there and were not before, after waiting for them to end."""
    deadline_s = time.monotonic() + patience_s
    # Threads of Qt in which Python ran have a stand-in, which stays when they end.
    left = [t for t in threading.enumerate() if t not in before and not isinstance(t, threading._DummyThread)]
    for thread in left:
        thread.join(max(0.0, deadline_s - time.monotonic()))
    return [thread.name for thread in left if thread.is_alive()]


def system_threads() -> dict[str, int]:
    """Return the names of the system's threads of this process, with how many have it; empty where unknown."""
    found: dict[str, int] = {}
    for path in Path("/proc/self/task").glob("*/comm"):
        try:
            name = path.read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            continue
        found[name] = found.get(name, 0) + 1
    return found


def left_processes(mark: str, folder: Path) -> list[psutil.Process]:
    """Return the processes that have a run's mark in their environment, but for this one."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(mark) == str(folder):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found
