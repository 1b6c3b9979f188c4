"""Looking closer: where a picture lies in a view that shows it whole, or magnified and moved about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF

if TYPE_CHECKING:
    from fkd_desktop.live.result import FrameResult

STEP: Final = 1.25
MAX_ZOOM: Final = 16.0
"""Device pixels to one of the picture's."""
_LARGE_PX: Final = 4_000_000


class Zoom:
    """Where the picture lies, in logical pixels of the view; whole and centred until it is zoomed.

    Tell it the sizes before anything else, and whenever they change.
    """

    def __init__(self) -> None:
        self._view, self._frame, self._ratio = QSizeF(), QSizeF(), 1.0
        self._scale: float | None = None  # logical pixels of the view to one of the picture's; None: as fits
        self._centre = QPointF()  # the picture's point in the middle of the view, in its pixels

    def set_sizes(self, view: QSizeF, frame: QSizeF, ratio: float) -> None:
        """Say how large view and picture are, and how many device pixels there are to a logical one.

        Another picture of the same size is looked at in the same place; of another size, as a whole.
        """
        if frame != self._frame:
            self._scale = None
        self._view, self._frame, self._ratio = view, frame, ratio

    def fit(self) -> None:
        """Show all of it."""
        self._scale = None

    @property
    def is_fit(self) -> bool:
        """Whether all of it is shown, as large as fits."""
        return self._scale is None

    @property
    def factor(self) -> float:
        """Device pixels to one of the picture's: 1 shows it as it is."""
        return self._now() * self._ratio

    @property
    def can_pan(self) -> bool:
        """Whether a part of it is out of sight."""
        rect = self.rect()
        return rect.width() > self._view.width() + 0.5 or rect.height() > self._view.height() + 0.5

    def rect(self) -> QRectF:
        """Return where all of the picture is, in whole device pixels; the view may show a part of it only."""
        if self._frame.isEmpty() or self._view.isEmpty():
            return QRectF()
        if self._scale is None:
            scale = self._fit_scale()
            size = (max(1, round(self._frame.width() * scale)), max(1, round(self._frame.height() * scale)))
            left, top = (self._view.width() - size[0]) // 2, (self._view.height() - size[1]) // 2
            return QRectF(left, top, *size)
        left = self._place(self._view.width(), self._frame.width(), self._centre.x(), self._scale)
        top = self._place(self._view.height(), self._frame.height(), self._centre.y(), self._scale)
        return QRectF(left, top, self._frame.width() * self._scale, self._frame.height() * self._scale)

    def to_frame(self, point: QPointF) -> QPointF:
        """Return the picture's point, in its pixels, that is under a point of the view."""
        rect = self.rect()
        return QPointF(
            (point.x() - rect.left()) * self._frame.width() / rect.width(),
            (point.y() - rect.top()) * self._frame.height() / rect.height(),
        )

    def zoom_by(self, factor: float, at: QPointF) -> None:
        """Magnify, or the reverse, leaving what is under a point of the view there."""
        self.zoom_to(self.factor * factor, at)

    def zoom_to(self, factor: float, at: QPointF) -> None:
        """Show each pixel of the picture as so many of the device, leaving what is under a point of the view there."""
        if self._frame.isEmpty() or self._view.isEmpty():
            return
        fit = self._fit_scale() * self._ratio
        least, most = min(fit, 1.0), max(fit, MAX_ZOOM)
        anchor = self.to_frame(at)
        factor = min(max(factor, least), most)
        if fit <= 1.0 and factor <= fit * 1.001:
            self.fit()
            return
        self._scale = factor / self._ratio
        middle = QPointF(self._view.width() / 2, self._view.height() / 2)
        self._centre = anchor + (middle - at) / self._scale
        self._keep_in_sight()

    def pan(self, by: QPointF) -> None:
        """Move the picture in the view; its borders stay at the view's."""
        if self._scale is not None:
            self._centre -= by / self._scale
            self._keep_in_sight()

    def _keep_in_sight(self) -> None:
        assert self._scale is not None
        half_x, half_y = self._view.width() / 2 / self._scale, self._view.height() / 2 / self._scale
        width, height = self._frame.width(), self._frame.height()
        x = min(max(self._centre.x(), half_x), width - half_x) if width > 2 * half_x else width / 2
        y = min(max(self._centre.y(), half_y), height - half_y) if height > 2 * half_y else height / 2
        self._centre = QPointF(x, y)

    def _place(self, view: float, frame: float, centre: float, scale: float) -> float:
        size = frame * scale
        start = view / 2 - centre * scale if size > view else (view - size) / 2
        start = min(max(start, view - size), 0.0) if size > view else start  # the view may have grown
        return round(start * self._ratio) / self._ratio

    def _fit_scale(self) -> float:
        return min(self._view.width() / self._frame.width(), self._view.height() / self._frame.height())

    def _now(self) -> float:
        if self._frame.isEmpty() or self._view.isEmpty():
            return 1.0
        return self._fit_scale() if self._scale is None else self._scale


class Reductions:
    """Smaller copies of a large picture, made once: else each repaint would have to go through all of its pixels."""

    def __init__(self) -> None:
        self._of: FrameResult | None = None
        self._made: dict[int, FrameResult] = {}

    def for_factor(self, result: FrameResult, factor: float) -> FrameResult:
        """Return the smallest result that is still large enough to be shown at so many device pixels to a pixel.

        Parameters
        ----------
        result
            The frame and what was found; returned as it is when it is small, or not to be shown much smaller.
        factor
            See `Zoom.factor`.
        """
        height, width = result.frame_bgr.shape[:2]
        shrink = 1
        while 2 * shrink * factor <= 1.0 and min(height, width) // (2 * shrink) >= 1:
            shrink *= 2
        if shrink == 1 or height * width < _LARGE_PX:
            return result
        if self._of is not result:
            self._of, self._made = result, {}
        if shrink not in self._made:
            self._made[shrink] = _reduced(result, shrink)
        return self._made[shrink]


def _reduced(result: FrameResult, shrink: int) -> FrameResult:
    height, width = result.frame_bgr.shape[:2]
    size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
    frame_bgr = np.ascontiguousarray(cv2.resize(result.frame_bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
    scale = np.array([size[0] / width, size[1] / height], np.float32)
    return replace(
        result,
        frame_bgr=frame_bgr,
        boxes_xywh=result.boxes_xywh * np.tile(scale, 2),
        keypoints_px=result.keypoints_px * scale,
    )
