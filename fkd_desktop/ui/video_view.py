"""The picture with its layers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from fkd_desktop.overlays import paint_result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fkd_desktop.live.result import LiveFrame
    from fkd_desktop.overlays import Layer

BACKGROUND: Final = QColor("#0e1116")


class VideoView(QWidget):
    """Shows the newest frame as large as fits, and paints the layers of the same result over it."""

    frame_painted = Signal(float, float)
    """Seconds of `time.perf_counter`: when the frame was captured, and when it was painted. Once a frame."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("video_view")
        self.setAccessibleName("Live picture")
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(320, 240)
        self._live: LiveFrame | None = None
        self._is_new = False
        self._layers: Sequence[Layer] = ()
        self._mirrored = False
        self._note = ""
        self.paint_ms = 0.0

    @property
    def live_frame(self) -> LiveFrame | None:
        """What is on the screen."""
        return self._live

    def show_frame(self, live: LiveFrame | None) -> None:
        """Show a frame, or nothing."""
        self._live, self._is_new = live, live is not None
        self.update()

    def set_layers(self, layers: Sequence[Layer]) -> None:
        """Choose what is painted over the frame, back to front."""
        self._layers = layers
        self.update()

    def set_mirrored(self, mirrored: bool) -> None:
        """Show the picture as in a mirror; only here, not in what is kept."""
        self._mirrored = mirrored
        self.update()

    def set_note(self, note: str) -> None:
        """Show a few words in a corner of the picture; an empty text for none."""
        if note != self._note:
            self._note = note
            self.update()

    def sizeHint(self) -> QSize:
        """See `QWidget.sizeHint`."""
        return QSize(960, 720)

    def picture_rect(self) -> QRectF:
        """Where the frame is, in the widget's coordinates."""
        if self._live is None:
            return QRectF()
        height, width = self._live.result.frame_bgr.shape[:2]
        scale = min(self.width() / width, self.height() / height)
        size = (round(width * scale), round(height * scale))
        return QRectF((self.width() - size[0]) // 2, (self.height() - size[1]) // 2, *size)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the frame and its layers."""
        start_s = time.perf_counter()
        painter = QPainter(self)
        target = self.picture_rect()
        painter.fillRect(self.rect(), BACKGROUND)
        if self._live is not None:
            paint_result(painter, target, self._live.result, self._layers, mirrored=self._mirrored)
        if self._note and self._live is not None:
            self._paint_note(painter, target)
        painter.end()
        if self._live is not None and self._is_new:
            self._is_new = False
            now_s = time.perf_counter()
            self.paint_ms = 1000 * (now_s - start_s)
            self.frame_painted.emit(self._live.captured_s, now_s)

    def _paint_note(self, painter: QPainter, target: QRectF) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(self.font())
        font.setPixelSize(13)
        painter.setFont(font)
        width = painter.fontMetrics().horizontalAdvance(self._note) + 28
        plate = QRectF(target.left() + 16, target.bottom() - 46, width, 30)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(14, 17, 22, 200))
        painter.drawRoundedRect(plate, 15, 15)
        painter.setPen(QColor("#e8edf3"))
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, self._note)
