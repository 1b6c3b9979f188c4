"""Painting a result: onto any painter, or into an array."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from fkd_desktop.overlays.layers import PaintContext

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.overlays.layers import Layer


def frame_image(frame_bgr: NDArray[np.uint8]) -> QImage:
    """Wrap a frame as an image without copying it; the array must outlive the image and must not be written.

    Parameters
    ----------
    frame_bgr
        (H, W, 3) uint8, C-contiguous.
    """
    height, width = frame_bgr.shape[:2]
    return QImage(frame_bgr.data, width, height, frame_bgr.strides[0], QImage.Format.Format_BGR888)


def paint_result(
    painter: QPainter, target: QRectF, result: FrameResult, layers: Iterable[Layer], *, mirrored: bool = False
) -> None:
    """Paint a frame and layers over it.

    Parameters
    ----------
    painter
        Any painter.
    target
        Where the frame goes, in the painter's coordinates; layers are clipped to it.
    result
        The frame and its faces.
    layers
        Back to front.
    mirrored
        Show all of it, except text, as in a mirror.
    """
    height, width = result.frame_bgr.shape[:2]
    painter.save()
    painter.setClipRect(target)
    painter.translate(target.topLeft())
    painter.scale(target.width() / width, target.height() / height)
    if mirrored:
        painter.translate(width, 0)
        painter.scale(-1, 1)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(QRectF(0, 0, width, height), frame_image(result.frame_bgr))
    if len(result):
        scale = abs(painter.deviceTransform().m22()) / painter.device().devicePixelRatioF()
        context = PaintContext(device_per_frame=scale, mirrored=mirrored)
        for layer in layers:
            painter.save()
            layer.paint(painter, result, context)
            painter.restore()
    painter.restore()


def render(result: FrameResult, layers: Iterable[Layer]) -> NDArray[np.uint8]:
    """Paint a result at its own size.

    Returns
    -------
    (H, W, 3) BGR uint8, a new array. Needs a QGuiApplication for layers with text.
    """
    height, width = result.frame_bgr.shape[:2]
    image = QImage(width, height, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    paint_result(painter, QRectF(0, 0, width, height), result, layers)
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
    return pixels[:, : 4 * width].reshape(height, width, 4)[:, :, :3].copy()  # RGB32 is B, G, R, 255 in memory
