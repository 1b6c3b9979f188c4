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


_PLATE: Final = (
    "QToolButton { color: #ffffff; background: rgba(14, 17, 22, 190); border-radius: 6px; padding: 4px 10px; }"
)
_MARGIN_PX: Final = 14


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


class FloatingIndicator(RecordingIndicator):
    """The same over the picture, for when there is no status bar: nobody is recorded without seeing it.

    Parameters
    ----------
    capture
        Tells it.
    over
        The widget in whose corner it is.
    """

    def __init__(self, capture: CaptureController, over: QWidget) -> None:
        self._is_wanted = False
        super().__init__(capture, over)
        self.setStyleSheet(_PLATE)
        self.move(_MARGIN_PX, _MARGIN_PX)

    def set_wanted(self, wanted: bool) -> None:
        """Be there while a recording runs, or never."""
        self._is_wanted = wanted
        self.setVisible(wanted and bool(self._widest_px))

    def setVisible(self, visible: bool) -> None:
        """Show it where it is wanted."""
        super().setVisible(visible and self._is_wanted)
        self.adjustSize()

    def _on_capture_recording_progressed(self, seconds: float, size_bytes: int, dropped: int) -> None:
        super()._on_capture_recording_progressed(seconds, size_bytes, dropped)
        self.adjustSize()


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
