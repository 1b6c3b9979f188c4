"""Painting a result: onto any painter, or into an array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from fkd_desktop.overlays.layer import PaintContext
from fkd_desktop.overlays.scaling import frame_image, part_image, scaled_image

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.overlays.layer import Layer

__all__ = ["frame_image", "paint_result", "render", "scaled_image"]

USUAL_SIDE_PX: Final = 1920
"""Pictures with a longer side are looked at from farther away, so `render` makes marks and text larger on them."""


def paint_result(
    painter: QPainter,
    target: QRectF,
    result: FrameResult,
    layers: Iterable[Layer],
    *,
    mirrored: bool = False,
    visible: QRectF | None = None,
    mark_scale: float = 1.0,
) -> None:
    """Paint a frame and layers over it.

    Parameters
    ----------
    painter
        Any painter.
    target
        Where the whole frame goes, in the painter's coordinates; layers are clipped to it.
    result
        The frame and its faces.
    layers
        Back to front.
    mirrored
        Show all of it, except text, as in a mirror.
    visible
        The part of ``target`` that can be seen, for instance of a frame that is looked at through a magnifying glass:
        nothing else is painted or paid for. None for all of it.
    mark_scale
        Factor of the sizes of lines and text.
    """
    part = target if visible is None else target.intersected(visible)
    if part.isEmpty():
        return
    height, width = result.frame_bgr.shape[:2]
    ratio = painter.device().devicePixelRatioF()
    painter.save()
    if part != target:
        painter.setClipRect(part)
        place, image = part_image(result.frame_bgr, target, part, ratio, mirrored=mirrored)
        painter.drawImage(place, image)
    else:
        size_px = (max(1, round(target.width() * ratio)), max(1, round(target.height() * ratio)))
        if size_px == (width, height) and not mirrored:
            painter.drawImage(target, frame_image(result.frame_bgr))
        else:
            painter.drawImage(target, scaled_image(result.frame_bgr, size_px, mirrored=mirrored))
    if len(result):
        painter.setClipRect(part)
        painter.translate(target.topLeft())
        painter.scale(target.width() / width, target.height() / height)
        if mirrored:
            painter.translate(width, 0)
            painter.scale(-1, 1)
        context = PaintContext(device_per_frame=target.width() / width / mark_scale, mirrored=mirrored)
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
    mark_scale = max(1.0, max(width, height) / USUAL_SIDE_PX)
    paint_result(painter, QRectF(0, 0, width, height), result, layers, mark_scale=mark_scale)
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
    bgra = pixels[:, : 4 * width].reshape(height, width, 4)  # RGB32 is B, G, R, 255 in memory
    return np.asarray(cv2.cvtColor(bgra, cv2.COLOR_BGRA2BGR), np.uint8)  # three times quicker than slicing
