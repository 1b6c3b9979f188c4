"""What someone who helps with a problem asks for: versions, devices, what happened lately. Nothing is sent anywhere."""

from __future__ import annotations

import os
import platform
import sys
from collections import deque
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QT_TRANSLATE_NOOP, QLibraryInfo, QLocale, qVersion
from PySide6.QtGui import QGuiApplication

import fkd_desktop
from fkd_desktop.settings import log_path

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES: Final = {
    "System": QT_TRANSLATE_NOOP("Diagnostics", "System"),
    "Processor": QT_TRANSLATE_NOOP("Diagnostics", "Processor"),
    "Windows by": QT_TRANSLATE_NOOP("Diagnostics", "Windows by"),
    "Screens": QT_TRANSLATE_NOOP("Diagnostics", "Screens"),
    "Language": QT_TRANSLATE_NOOP("Diagnostics", "Language"),
    "Qt built": QT_TRANSLATE_NOOP("Diagnostics", "Qt built"),
    "Started as": QT_TRANSLATE_NOOP("Diagnostics", "Started as"),
    "Source": QT_TRANSLATE_NOOP("Diagnostics", "Source"),
    "State": QT_TRANSLATE_NOOP("Diagnostics", "State"),
    "Camera mode": QT_TRANSLATE_NOOP("Diagnostics", "Camera mode"),
    "network": QT_TRANSLATE_NOOP("Diagnostics", "Network"),
    "Network": QT_TRANSLATE_NOOP("Diagnostics", "Network"),
    "Overlays": QT_TRANSLATE_NOOP("Diagnostics", "Overlays"),
    "frame rate": QT_TRANSLATE_NOOP("Diagnostics", "Frame rate"),
    "latency": QT_TRANSLATE_NOOP("Diagnostics", "Latency"),
    "faces": QT_TRANSLATE_NOOP("Diagnostics", "Faces"),
    "drops": QT_TRANSLATE_NOOP("Diagnostics", "Dropped"),
}
"""What facts are called in a window; a report for those who help is in English."""
PACKAGES: Final = (
    "torch",
    "onnxruntime",
    "opencv-python",
    "PySide6-Essentials",
    "av",
    "numpy",
    "safetensors",
    "pyqtgraph",
)
"""What is named with its version: what the live session stands on."""
LOG_LINES: Final = 40


def versions() -> dict[str, str]:
    """Return the versions of the application, Python, Qt and the packages it stands on, by name."""
    found = {
        "FKD Desktop": fkd_desktop.__version__,
        "Python": platform.python_version(),
        "Qt": str(qVersion()),
    }
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:  # a build that was made without
            found[package] = "?"
    return found


def licence_of(package: str) -> str:
    """Return what a package says its licence is, in a few words."""
    try:
        facts = metadata.metadata(package)
    except metadata.PackageNotFoundError:
        return ""
    said = next((facts[name] for name in ("License-Expression", "License") if name in facts), "")
    if not said or len(said) > 60 or "\n" in said:  # some put the whole text there
        classifiers = facts.get_all("Classifier") or []
        said = next((c.split(" :: ")[-1] for c in classifiers if c.startswith("License")), said.split("\n")[0][:60])
    return said


def system() -> dict[str, str]:
    """Return what the application runs on, by name."""
    screens = ", ".join(
        f"{screen.size().width()} × {screen.size().height()} @ {screen.devicePixelRatio():g}"
        for screen in QGuiApplication.screens()
    )
    facts = {
        "System": platform.platform(),
        "Processor": f"{os.cpu_count()} × {platform.processor() or platform.machine()}",
        "Windows by": QGuiApplication.platformName(),
        "Screens": screens,
        "Language": QLocale().name(),
        "Qt built": str(QLibraryInfo.build()),
        "Started as": Path(sys.argv[0]).name or sys.executable,
    }
    torch = sys.modules.get("torch")  # not imported for this: it takes seconds
    if torch is not None:
        facts["CUDA"] = torch.cuda.get_device_name() if torch.cuda.is_available() else "-"
    return facts


def report(session: Mapping[str, str], *, trace: str = "") -> str:
    """Return everything as text for a problem report. The home folder's name is left out; the log may name files in it.

    Parameters
    ----------
    session
        What the window knows of the live session, by name.
    trace
        Of what went wrong; stands first.
    """
    parts = [("Versions", versions()), ("System", system()), ("Session", dict(session))]
    blocks = [f"{title}\n" + "\n".join(f"  {name}: {value}" for name, value in facts.items()) for title, facts in parts]
    blocks = [trace.rstrip(), *blocks] if trace else blocks
    return _without_home("\n\n".join([*blocks, "The log's last lines\n" + _last_log_lines()])) + "\n"


def _last_log_lines() -> str:
    try:
        with log_path().open(encoding="utf-8", errors="replace") as log:
            return "".join(f"  {line.rstrip()}\n" for line in deque(log, maxlen=LOG_LINES)).rstrip()
    except OSError:
        return "  (there is no log)"


def _without_home(text: str) -> str:
    return text.replace(str(Path.home()), "~")
