"""Painting where no window is shown, and perhaps none could be."""

from __future__ import annotations

import os
import sys


def prepare_painting() -> None:
    """Set what Qt reads when the application object is made. Call it after cv2 was imported, and before that.

    Nothing is asked of a display, whether there is one or not. And what OpenCV's wheels with their own Qt set on Linux
    is undone: PySide6 would look for its plugins in theirs.
    """
    if sys.platform != "win32":
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
        if "cv2" in os.environ.get(name, ""):
            del os.environ[name]
