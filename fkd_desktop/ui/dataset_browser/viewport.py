"""Which part of a picture is seen, and how large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_ZOOM: Final = 0.5
MAX_ZOOM: Final = 40.0


class Viewport:
    """A region of a picture that fits a pane of a widget, zoomed and moved by the user.

    Several panes show the same place of the picture in their middles.
    """

    def __init__(self) -> None:
        self.zoom = 1.0
        self.region = QRectF(0, 0, 1, 1)
        self.centre = self.region.center()

    def reset(self, region: QRectF) -> None:
        """Fit a region, in pixels of the picture."""
        self.zoom, self.region, self.centre = 1.0, region, region.center()

    def scale(self, pane: QRectF) -> float:
        """Return how many of the widget's units a pixel of the picture takes."""
        return self.zoom * min(pane.width() / self.region.width(), pane.height() / self.region.height())

    def to_view(self, points_px: NDArray[np.float32], pane: QRectF) -> NDArray[np.float64]:
        """Turn (N, 2) keypoints into places of the widget; a keypoint lies on the middle of its pixel."""
        middle = pane.center()
        offset_px = points_px.astype(np.float64) + 0.5 - [self.centre.x(), self.centre.y()]
        return offset_px * self.scale(pane) + [middle.x(), middle.y()]

    def to_picture(self, place: QPointF, pane: QRectF) -> QPointF:
        """Turn a place of the widget into one of the picture, where the first pixel goes from 0 to 1."""
        return self.centre + (place - pane.center()) / self.scale(pane)

    def zoom_by(self, factor: float, about: QPointF, pane: QRectF) -> None:
        """Zoom so that what is under a place of the widget stays there."""
        fixed = self.to_picture(about, pane)
        self.zoom = min(max(self.zoom * factor, MIN_ZOOM), MAX_ZOOM)
        self.centre += fixed - self.to_picture(about, pane)

    def pan(self, moved: QPointF, pane: QRectF) -> None:
        """Move the picture by a distance of the widget; some of the region stays in sight."""
        centre = self.centre - moved / self.scale(pane)
        region = self.region
        self.centre = QPointF(
            min(max(centre.x(), region.left()), region.right()), min(max(centre.y(), region.top()), region.bottom())
        )
