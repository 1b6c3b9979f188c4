"""A net of fine lines over the whole face."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QColor, QPainter

from fkd_desktop.overlays.marks import line_pen, points_of
from fkd_desktop.overlays.mesh import delaunay
from fkd_desktop.overlays.outline import FRONT_MM, forehead

if TYPE_CHECKING:
    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.overlays.layer import PaintContext

_LINE = QColor("#8fe3f2")
_SHADE = QColor("#2d7f90")


class MeshLayer:
    """The same triangles on every face: the Delaunay triangulation of a mean face, with a forehead."""

    name = "mesh"
    title = "Mesh"

    def paint(self, painter: QPainter, result: FrameResult, context: PaintContext) -> None:
        """See `Layer.paint`."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for keypoints, box in zip(result.keypoints_px, result.boxes_xywh, strict=True):
            size = min(max(float(box[2]) * context.device_per_frame / 200, 0.4), 1.2)
            points = points_of(np.concatenate([keypoints, forehead(keypoints)]))
            lines = [QLineF(points[start], points[stop]) for start, stop in mesh_edges()]
            # Opaque lines without caps: translucent ones or round caps take thirty times as long.
            for colour, width in ((_SHADE, 1.5), (_LINE, 0.8)):
                painter.setPen(line_pen(colour, context.px(width * size)))
                painter.drawLines(lines)

    def bounds(self, result: FrameResult) -> QRectF:
        """See `PictureLayer.bounds`."""
        bounds = QRectF()
        for keypoints in result.keypoints_px:
            points = np.concatenate([keypoints, forehead(keypoints)])
            (left, top), (right, bottom) = points.min(axis=0) - 3, points.max(axis=0) + 4
            bounds = bounds.united(QRectF(QPointF(left, top), QPointF(right, bottom)))
        return bounds


@cache
def mesh_edges() -> tuple[tuple[int, int], ...]:
    """Return the pairs of points that a line joins: keypoints, and from 68 on the points of `forehead`."""
    face = FRONT_MM.astype(np.float32)
    triangles = delaunay(np.concatenate([face, forehead(face)]))
    pairs = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    return tuple((int(start), int(stop)) for start, stop in np.unique(pairs, axis=0))
