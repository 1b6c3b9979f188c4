"""Whether things on the screen may move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication, QStyle

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


def animation_ms(widget: QWidget, wanted_ms: int) -> int:
    """Return how long an animation may take: 0 where the system asks for reduced motion, as far as Qt tells.

    Parameters
    ----------
    widget
        What moves.
    wanted_ms
        How long it takes otherwise.
    """
    style_ms = widget.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration, None, widget)
    if style_ms <= 0:  # the style has asked the desktop
        return 0
    accessibility = getattr(QApplication.styleHints(), "accessibility", None)  # Qt 6.10
    preference = getattr(accessibility(), "motionPreference", None) if accessibility else None  # later still
    if preference is not None and "Reduced" in str(preference()):
        return 0
    return wanted_ms
