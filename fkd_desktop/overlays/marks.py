"""What drawn layers share: points, pens, fonts, and plates with text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QPen

if TYPE_CHECKING:
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtGui import QPainter

    from fkd_desktop.overlays.layer import PaintContext


def points_of(keypoints_px: NDArray[np.floating[Any]]) -> list[QPointF]:
    """Return keypoints as painter coordinates: a keypoint lies on the centre of its pixel."""
    return [QPointF(x + 0.5, y + 0.5) for x, y in keypoints_px.tolist()]


def pen_of(colour: QColor, width: float) -> QPen:
    """Return a pen with round ends and corners."""
    return QPen(QBrush(colour), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)


def line_pen(colour: QColor, width: float) -> QPen:
    """Return a pen without caps, with which many lines are drawn several times quicker."""
    return QPen(QBrush(colour), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.BevelJoin)


def font_of(height_px: float) -> QFont:
    """Return the application's font at a height."""
    font = QFont()
    font.setPixelSize(max(1, round(height_px)))
    return font


def on_device(painter: QPainter, context: PaintContext, point: QPointF) -> None:
    """Put the painter's origin on a point, in device pixels and never mirrored, so that text is crisp and readable."""
    painter.translate(point)
    painter.scale((-1 if context.mirrored else 1) * context.px(1), context.px(1))


def label(
    painter: QPainter,
    context: PaintContext,
    corner: QPointF,
    text: str,
    colour: QColor,
    *,
    place: Literal["above", "below"],
    frame_size: tuple[float, float],
) -> None:
    """Put a plate with text at a point, but inside the frame where the point is not.

    Parameters
    ----------
    painter, context
        See `Layer.paint`.
    corner
        In frame coordinates: for "above" the plate's lower left corner on the device, for "below" the middle of its
        upper edge.
    text, colour
        What it says, and the plate's colour.
    place
        Where it goes.
    frame_size
        Width and height of the frame.
    """
    painter.save()
    font = font_of(13)
    font.setBold(True)
    painter.setFont(font)
    size = painter.fontMetrics().size(0, text)
    plate = QRectF(0, 0, size.width() + 14, size.height() + 4)
    width, height = context.px(plate.width()), context.px(plate.height())
    if place == "below":
        left, top = corner.x() - width / 2, min(corner.y(), frame_size[1] - height)
    else:
        left = corner.x() - width if context.mirrored else corner.x()
        top = min(corner.y(), frame_size[1]) - height
    left, top = max(min(left, frame_size[0] - width), 0.0), max(top, 0.0)
    on_device(painter, context, QPointF(left + width if context.mirrored else left, top))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRoundedRect(plate, 4, 4)
    painter.setPen(QColor("#10151c"))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()
