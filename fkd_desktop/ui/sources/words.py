"""How sizes and frame rates of cameras are said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QLocale

if TYPE_CHECKING:
    from fkd_desktop.live.sources.modes import CameraMode


def mode_text(mode: CameraMode | None, *, with_format: bool = False) -> str:
    """Return "1280 × 720, 30/s", with the format behind it if that is wished for and known; "" for none."""
    if mode is None:
        return ""
    text = QCoreApplication.translate("CameraMode", "{width} × {height}").format(width=mode.width, height=mode.height)
    if mode.frames_per_s:
        rate = QLocale().toString(float(mode.frames_per_s), "f", 0 if abs(mode.frames_per_s % 1 - 0.5) > 0.4 else 1)
        text = QCoreApplication.translate("CameraMode", "{size}, {rate}/s").format(size=text, rate=rate)
    if with_format and mode.fourcc:
        text = QCoreApplication.translate("CameraMode", "{mode} ({format})").format(mode=text, format=mode.fourcc)
    return text


def slow_text(mode: CameraMode, measured_frames_per_s: float) -> str:
    """Return what to say when a camera sends much fewer frames than agreed on; empty while it does not."""
    if not mode.is_far_above(measured_frames_per_s):
        return ""
    return QCoreApplication.translate(
        "CameraMode", "The camera sends fewer pictures than agreed: many do so in a dark room. More light helps."
    )
