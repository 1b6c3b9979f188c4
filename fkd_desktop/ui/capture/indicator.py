"""The recording in the status bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QToolButton, QWidget

from fkd_desktop.ui.capture.words import duration_text, size_text

if TYPE_CHECKING:
    from fkd_desktop.capture.controller import CaptureController

RED: Final = QColor("#e5484d")
"""Has a contrast of 3 and more to both light and dark grounds."""


class RecordingIndicator(QToolButton):
    """Says that a recording runs, how long and large it is, and what it missed; a click ends it. Hidden without one.

    Parameters
    ----------
    capture
        Tells it.
    """

    stop_requested = Signal()

    def __init__(self, capture: CaptureController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoRaise(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(12, 12))
        self.setIcon(_dot(12, self.devicePixelRatioF()))
        self.setToolTip(self.tr("End the recording and keep it"))
        self.clicked.connect(self.stop_requested)
        capture.recording_changed.connect(self._on_capture_recording_changed)
        capture.recording_progressed.connect(self._on_capture_recording_progressed)
        self._on_capture_recording_changed(capture.is_recording)

    def sizeHint(self) -> QSize:
        """As wide as it was at most, so that nothing beside it moves while numbers change."""
        hint = super().sizeHint()
        return QSize(max(hint.width(), self._widest_px), hint.height())

    _widest_px = 0

    @Slot(bool)
    def _on_capture_recording_changed(self, is_recording: bool) -> None:
        self._widest_px = 0
        if is_recording:
            self._on_capture_recording_progressed(0.0, 0, 0)
        self.setVisible(is_recording)

    @Slot(float, object, int)
    def _on_capture_recording_progressed(self, seconds: float, size_bytes: int, dropped: int) -> None:
        parts = [duration_text(seconds), size_text(size_bytes)]
        if dropped:
            parts.append(self.tr("%n frame(s) dropped", "", dropped))
        self.setText(" · ".join(parts))
        self.setAccessibleName(self.tr("Recording: {0}").format(", ".join(parts)))
        self._widest_px = self.sizeHint().width()
        self.updateGeometry()


def _dot(side_px: int, device_pixel_ratio: float) -> QIcon:
    side = round(side_px * device_pixel_ratio)
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(RED)
    painter.drawEllipse(pixmap.rect().adjusted(1, 1, -1, -1))
    painter.end()
    pixmap.setDevicePixelRatio(device_pixel_ratio)
    return QIcon(pixmap)
