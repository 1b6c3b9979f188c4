"""The layers, back to front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QPainter, QPen

from fkd_desktop.overlays.picture import PictureLayer
from trainer.core.keypoints import EDGES, FACE_PARTS, NUM_KEYPOINTS
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from fkd_desktop.live.result import FrameResult

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


@dataclass(frozen=True)
class PaintContext:
    """How the frame's pixels come to the device's.

    Attributes
    ----------
    device_per_frame
        The device's logical pixels a frame pixel: lines and text keep their size on the screen.
    mirrored
        Whether the painter shows the frame mirrored: text is turned back.
    """

    device_per_frame: float = 1.0
    mirrored: bool = False

    def px(self, device_px: float) -> float:
        """Length in frame coordinates of a length on the device."""
        return device_px / self.device_per_frame


class Layer(Protocol):
    """Something painted over a frame.

    Attributes
    ----------
    name
        For commands and settings.
    title
        For people.
    """

    name: str
    title: str

    def paint(self, painter: QPainter, result: FrameResult, context: PaintContext) -> None:
        """Paint every face of a result. The painter's coordinates are the frame's: pixel (x, y) covers [x, x + 1]."""
        ...


class KeypointsLayer:
    """68 points, coloured by the part of the face, and the lines between them."""

    name = "keypoints"
    title = "Keypoints"

    def paint(self, painter: QPainter, result: FrameResult, context: PaintContext) -> None:
        """See `Layer.paint`."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for keypoints, box in zip(result.keypoints_px, result.boxes_xywh, strict=True):
            points = _points(keypoints)
            # Small faces get finer marks, or the points would hide them.
            size = min(max(float(box[2]) * context.device_per_frame / 200, 0.55), 1.6)
            for part_name, part in FACE_PARTS.items():
                colour = PART_COLOURS[part_name]
                line = QColor(colour)
                line.setAlpha(150)
                painter.setPen(_pen(line, context.px(1.6 * size)))
                for start, stop in part.edges:
                    if (start, stop) in _EDGES:
                        painter.drawLine(points[start], points[stop])
            for width, colours in ((5.6 * size, None), (3.8 * size, PART_COLOURS)):
                for part_name, part in FACE_PARTS.items():
                    painter.setPen(_pen(_SHADE if colours is None else colours[part_name], context.px(width)))
                    painter.drawPoints([points[i] for i in part.indices])


class NumbersLayer:
    """The number of each keypoint."""

    name = "numbers"
    title = "Numbers"

    def paint(self, painter: QPainter, result: FrameResult, context: PaintContext) -> None:
        """See `Layer.paint`."""
        colours = [QColor()] * NUM_KEYPOINTS
        for part_name, part in FACE_PARTS.items():
            for index in part.indices:
                colours[index] = PART_COLOURS[part_name]
        for keypoints, box in zip(result.keypoints_px, result.boxes_xywh, strict=True):
            height_px = min(max(float(box[3]) * context.device_per_frame * 0.034, 7.0), 15.0)
            for index, point in enumerate(_points(keypoints)):
                _text(painter, context, point, str(index), colours[index], height_px=height_px)


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
            for pen in (_pen(_SHADE, context.px(4)), _pen(colour, context.px(2))):
                painter.setPen(pen)
                painter.drawRoundedRect(rectangle, radius, radius)
            label = f"#{number}  {confidence:.0%}"
            _label(painter, context, rectangle, label, colour, frame_width=width, frame_height=height)


LAYER_NAMES: Final = ("sunglasses", "boxes", "keypoints", "numbers")
"""Names of all layers, back to front."""

DEFAULT_LAYER_NAMES: Final = ("keypoints",)


def make_layers() -> dict[str, Layer]:
    """Make every layer, by name, back to front.

    Raises
    ------
    OverlayError
        If the shipped overlays are missing.
    """
    makers: dict[str, Callable[[], Layer]] = {
        "sunglasses": lambda: PictureLayer("sunglasses", assets_dir() / "overlays" / "sunglasses"),
        "boxes": BoxesLayer,
        "keypoints": KeypointsLayer,
        "numbers": NumbersLayer,
    }
    return {name: makers[name]() for name in LAYER_NAMES}


_EDGES: Final = frozenset(EDGES)


def _points(keypoints_px: NDArray[np.float32]) -> list[QPointF]:
    """Keypoints as painter coordinates: a keypoint lies on the centre of its pixel."""
    return [QPointF(x + 0.5, y + 0.5) for x, y in keypoints_px.tolist()]


def _pen(colour: QColor, width: float) -> QPen:
    return QPen(QBrush(colour), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)


def _font(height_px: float) -> QFont:
    font = QFont()
    font.setPixelSize(max(1, round(height_px)))
    return font


def _on_device(painter: QPainter, context: PaintContext, point: QPointF) -> None:
    """Put the painter's origin on a point, in device pixels and never mirrored, so that text is crisp and readable."""
    painter.translate(point)
    painter.scale((-1 if context.mirrored else 1) * context.px(1), context.px(1))


def _text(
    painter: QPainter, context: PaintContext, point: QPointF, text: str, colour: QColor, *, height_px: float
) -> None:
    painter.save()
    _on_device(painter, context, point)
    painter.setFont(_font(height_px))
    where = QRectF(-20, -20, 40, 40)
    painter.setPen(QColor(0, 0, 0, 220))
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        painter.drawText(where.translated(dx * 0.8, dy * 0.8), Qt.AlignmentFlag.AlignCenter, text)
    painter.setPen(colour.lighter(125))
    painter.drawText(where, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()


def _label(
    painter: QPainter,
    context: PaintContext,
    box: QRectF,
    text: str,
    colour: QColor,
    *,
    frame_width: float,
    frame_height: float,
) -> None:
    """Put a plate with text above a box, at its left on the device, but inside the frame where the box is not."""
    painter.save()
    font = _font(13)
    font.setBold(True)
    painter.setFont(font)
    size = painter.fontMetrics().size(0, text)
    plate = QRectF(0, 0, size.width() + 14, size.height() + 4)
    width, height = context.px(plate.width()), context.px(plate.height())
    left = box.right() + context.px(1) - width if context.mirrored else box.left() - context.px(1)
    left = max(min(left, frame_width - width), 0.0)
    top = max(min(box.top() - context.px(3), frame_height) - height, 0.0)
    _on_device(painter, context, QPointF(left + width if context.mirrored else left, top))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRoundedRect(plate, 4, 4)
    painter.setPen(QColor("#10151c"))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()
