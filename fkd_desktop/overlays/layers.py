"""The layers, back to front."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from fkd_desktop.overlays.marks import font_of, label, line_pen, pen_of, points_of
from trainer.core.keypoints import EDGES, FACE_PARTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.overlays.layer import PaintContext

PART_COLOURS: Final[Mapping[str, QColor]] = {
    "jaw": QColor("#4dd0e1"),
    "right_brow": QColor("#ffca58"),
    "left_brow": QColor("#ffca58"),
    "nose": QColor("#9ccc65"),
    "right_eye": QColor("#64a7ff"),
    "left_eye": QColor("#64a7ff"),
    "outer_lips": QColor("#ff7597"),
    "inner_lips": QColor("#ff7597"),
}
FACE_COLOURS: Final = tuple(
    QColor(name) for name in ("#4dd0e1", "#ffca58", "#9ccc65", "#ff7597", "#b39ddb", "#ff9e6d", "#64a7ff", "#f06cc8")
)
_SHADE: Final = QColor(0, 0, 0, 150)


class KeypointsLayer:
    """68 points, coloured by the part of the face, and the lines between them."""

    name = "keypoints"
    title = "Keypoints"

    def paint(self, painter: QPainter, result: FrameResult, context: PaintContext) -> None:
        """See `Layer.paint`."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for keypoints, box in zip(result.keypoints_px, result.boxes_xywh, strict=True):
            points = points_of(keypoints)
            # Small faces get finer marks, or the points would hide them.
            size = min(max(float(box[2]) * context.device_per_frame / 200, 0.55), 1.6)
            for part_name, part in FACE_PARTS.items():
                painter.setPen(line_pen(PART_COLOURS[part_name].darker(115), context.px(1.2 * size)))
                for start, stop in part.edges:
                    if (start, stop) in _EDGES:
                        painter.drawLine(points[start], points[stop])
            # Opaque lines and filled circles: several times quicker than translucent or round-capped ones.
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_SHADE)
            _circles(painter, points, context.px(2.8 * size))
            for part_name, part in FACE_PARTS.items():
                painter.setBrush(PART_COLOURS[part_name])
                _circles(painter, [points[i] for i in part.indices], context.px(1.9 * size))


class NumbersLayer:
    """The number of each keypoint."""

    name = "numbers"
    title = "Numbers"

    def paint(self, painter: QPainter, result: FrameResult, context: PaintContext) -> None:
        """See `Layer.paint`."""
        ratio = painter.device().devicePixelRatioF()
        to_device = painter.transform()
        enlarged = math.hypot(to_device.m11(), to_device.m12()) / context.device_per_frame
        painter.resetTransform()  # numbers are painted as they are, whatever is done to the frame
        for keypoints, box in zip(result.keypoints_px, result.boxes_xywh, strict=True):
            height_px = round(min(max(float(box[3]) * context.device_per_frame * 0.034, 7.0), 15.0))
            for index, point in enumerate(points_of(keypoints)):
                image = _number_image(index, round(height_px * enlarged), ratio)
                half = QPointF(image.width(), image.height()) / (2 * ratio)
                painter.drawImage(to_device.map(point) - half, image)


class BoxesLayer:
    """A box around each face, with its number and confidence."""

    name = "boxes"
    title = "Face boxes"

    def paint(self, painter: QPainter, result: FrameResult, context: PaintContext) -> None:
        """See `Layer.paint`."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        height, width = result.frame_bgr.shape[:2]
        for box, number, confidence in zip(result.boxes_xywh, result.ids, result.confidences, strict=True):
            colour = FACE_COLOURS[int(number) % len(FACE_COLOURS)]
            rectangle = QRectF(*(float(v) for v in box))
            radius = context.px(6)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for pen in (pen_of(_SHADE, context.px(4)), pen_of(colour, context.px(2))):
                painter.setPen(pen)
                painter.drawRoundedRect(rectangle, radius, radius)
            # Above the box at its left on the device, but inside the frame where the box is not.
            corner = rectangle.topRight() if context.mirrored else rectangle.topLeft()
            corner += QPointF(context.px(1 if context.mirrored else -1), -context.px(3))
            text = f"#{number}  {confidence:.0%}"
            label(painter, context, corner, text, colour, place="above", frame_size=(width, height))


_EDGES: Final = frozenset(EDGES)


def _circles(painter: QPainter, centres: list[QPointF], radius: float) -> None:
    for centre in centres:
        painter.drawEllipse(centre, radius, radius)


_PART_OF: Final = {index: name for name, part in FACE_PARTS.items() for index in part.indices}


@lru_cache(maxsize=4096)
def _number_image(number: int, height_px: int, ratio: float) -> QImage:
    """Draw a keypoint's number in its part's colour with a dark rim; kept, because text is what takes time."""
    side_px = 3 * height_px
    image = QImage(round(side_px * ratio), round(side_px * ratio), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setFont(font_of(height_px))
    where = QRectF(0, 0, side_px, side_px)
    painter.setPen(QColor(0, 0, 0, 220))
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        painter.drawText(where.translated(dx * 0.8, dy * 0.8), Qt.AlignmentFlag.AlignCenter, str(number))
    painter.setPen(PART_COLOURS[_PART_OF[number]].lighter(125))
    painter.drawText(where, Qt.AlignmentFlag.AlignCenter, str(number))
    painter.end()
    return image
