"""How a result is painted for a file: the same layers and painters as on the screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from fkd_desktop.overlays.render import paint_result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.overlays.layer import Layer


@dataclass(frozen=True)
class Look:
    """What is painted over a frame, and which way round.

    Attributes
    ----------
    layers
        Back to front.
    mirrored
        Left and right swapped, except text.
    """

    layers: tuple[Layer, ...] = ()
    mirrored: bool = False


def paint(result: FrameResult, look: Look) -> NDArray[np.uint8]:
    """Paint a result at its own size, in any thread.

    Returns
    -------
    (H, W, 3) BGR uint8, C-contiguous; the frame itself where nothing is painted over it, so not to be written.
    """
    frame_bgr = result.frame_bgr
    if not look.layers or not len(result):
        return np.ascontiguousarray(frame_bgr[:, ::-1]) if look.mirrored else frame_bgr
    height, width = frame_bgr.shape[:2]
    image = QImage(width, height, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    try:
        paint_result(painter, QRectF(0, 0, width, height), result, look.layers, mirrored=look.mirrored)
    finally:
        painter.end()  # else a layer that fails takes the process with it, when the image dies before its painter
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
    bgra = pixels[:, : 4 * width].reshape(height, width, 4)  # RGB32 is B, G, R, 255 in memory
    return np.asarray(cv2.cvtColor(bgra, cv2.COLOR_BGRA2BGR), np.uint8)
