"""The one Qt application of a process, for targets that paint or have widgets."""

from __future__ import annotations

from functools import cache

from PySide6.QtWidgets import QApplication


@cache
def gui() -> QApplication:
    """Return the application; made when it is first asked for."""
    application = QApplication.instance() or QApplication(["fuzz"])
    assert isinstance(application, QApplication)
    return application
