"""Painting a result: onto any painter, or into an array."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from fkd_desktop.overlays.layer import PaintContext

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.overlays.layer import Layer


def frame_image(frame_bgr: NDArray[np.uint8]) -> QImage:
    """Wrap a frame as an image without copying it; the array must outlive the image and must not be written.

    Parameters
    ----------
    frame_bgr
        (H, W, 3) uint8, C-contiguous.
    """
    height, width = frame_bgr.shape[:2]
    return QImage(frame_bgr.data, width, height, frame_bgr.strides[0], QImage.Format.Format_BGR888)


def scaled_image(frame_bgr: NDArray[np.uint8], size_px: tuple[int, int], *, mirrored: bool = False) -> QImage:
    """Return a frame at another size, as an image of its own.

    OpenCV scales about three times quicker than a QPainter with smooth transformation does.

    Parameters
    ----------
    frame_bgr
        (H, W, 3) uint8.
    size_px
        Width and height of the result.
    mirrored
        Swap left and right.
    """
    height, width = frame_bgr.shape[:2]
    shrink = min(width // size_px[0], height // size_px[1])
    if shrink >= 2:  # bilinear sampling alone would skip pixels, and fine patterns would shimmer
        size = (width // shrink, height // shrink)
        frame_bgr = cv2.resize(frame_bgr, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    scaled = cv2.resize(frame_bgr, size_px, interpolation=cv2.INTER_LINEAR)
    if mirrored:
        scaled = cv2.flip(scaled, 1)
    scaled = cv2.cvtColor(scaled, cv2.COLOR_BGR2BGRA)  # four bytes a pixel are what Qt paints without converting
    return QImage(scaled.data, *size_px, scaled.strides[0], QImage.Format.Format_RGB32)


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
    ratio = painter.device().devicePixelRatioF()
    size_px = (max(1, round(target.width() * ratio)), max(1, round(target.height() * ratio)))
    if size_px == (width, height) and not mirrored:
        painter.drawImage(target, frame_image(result.frame_bgr))
    else:
        painter.drawImage(target, scaled_image(result.frame_bgr, size_px, mirrored=mirrored))
    if not len(result):
        return
    painter.save()
    painter.setClipRect(target)
    painter.translate(target.topLeft())
    painter.scale(target.width() / width, target.height() / height)
    if mirrored:
        painter.translate(width, 0)
        painter.scale(-1, 1)
    context = PaintContext(device_per_frame=target.width() / width, mirrored=mirrored)
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
