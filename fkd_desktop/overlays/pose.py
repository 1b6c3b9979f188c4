"""Which way a head is turned: three axes from the tip of the nose, and their angles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, QPointF, Qt
from PySide6.QtGui import QColor, QPainter

from fkd_desktop.live.head_pose import estimate
from fkd_desktop.overlays.marks import label, pen_of, points_of

if TYPE_CHECKING:
    from fkd_desktop.live.head_pose import HeadPose
    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.overlays.layer import PaintContext

_AXES: Final = (QColor("#ff5f6b"), QColor("#6fdc6f"), QColor("#4fa3ff"))
"""To the subject's left, down, and out of the face."""
_SHADE: Final = QColor(0, 0, 0, 130)
_PLATE: Final = QColor("#d9e4ee")
_CHIN: Final = 8


class PoseLayer:
    """Axes of the head, with no regard to where the eyes look."""

    name = "pose"
    title = "Head pose"

    def paint(self, painter: QPainter, result: FrameResult, context: PaintContext) -> None:
        """See `Layer.paint`."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        height, width = result.frame_bgr.shape[:2]
        for keypoints, box in zip(result.keypoints_px, result.boxes_xywh, strict=True):
            pose = estimate(keypoints)
            if pose is None:
                continue
            size = min(max(float(box[2]) * context.device_per_frame / 200, 0.5), 1.6)
            _paint_axes(painter, context, pose, size)
            chin = points_of(keypoints[_CHIN : _CHIN + 1])[0]
            lowest = max(chin.y(), float(pose.axes_px[:, 1].max()))  # the plate must not cover an axis
            below = QPointF(chin.x(), lowest + context.px(10))
            label(painter, context, below, _angles(pose), _PLATE, place="below", frame_size=(width, height))


def _paint_axes(painter: QPainter, context: PaintContext, pose: HeadPose, size: float) -> None:
    (origin,) = points_of(pose.origin_px[None])
    ends = points_of(pose.axes_px)
    painter.setPen(pen_of(_SHADE, context.px(5.5 * size)))
    for end in ends:
        painter.drawLine(origin, end)
    for index in (0, 1, 2):  # the one that points to the viewer is in front
        painter.setPen(pen_of(_AXES[index], context.px(3 * size)))
        painter.drawLine(origin, ends[index])
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_AXES[index])
        radius = context.px(4.5 * size)
        painter.drawEllipse(ends[index], radius, radius)


def _angles(pose: HeadPose) -> str:
    text = QCoreApplication.translate("Overlays", "yaw {0}°   pitch {1}°   roll {2}°")
    angles = (f"{round(angle):+d}".replace("-", "\u2212") for angle in (pose.yaw_deg, pose.pitch_deg, pose.roll_deg))
    return text.format(*angles)
