"""Frames as images of Qt, at any size, whole or in part."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
    return _painted(scaled, mirrored=mirrored)  # type: ignore[arg-type]


def part_image(
    frame_bgr: NDArray[np.uint8], target: QRectF, part: QRectF, ratio: float, *, mirrored: bool = False
) -> tuple[QRectF, QImage]:
    """Return a part of a frame at another size: all else is neither read nor scaled.

    The same pixels come out wherever the part begins: what is moved about does not shimmer.

    Parameters
    ----------
    frame_bgr
        (H, W, 3) uint8.
    target
        Where the whole frame would go, in a painter's coordinates.
    part
        The part of ``target`` that is wanted, not empty.
    ratio
        Device pixels to one of the painter's.
    mirrored
        Swap left and right.

    Returns
    -------
    Where the image goes, a little more than ``part``, and the image.
    """
    height, width = frame_bgr.shape[:2]
    left, top = (math.floor(value * ratio) for value in (part.left(), part.top()))
    right, bottom = (math.ceil(value * ratio) for value in (part.right(), part.bottom()))
    per_pixel = np.array([width / (target.width() * ratio), height / (target.height() * ratio)])
    origin = np.array([target.left() * ratio, target.top() * ratio])
    if mirrored:  # the mirror image of the part, which is mirrored in the end
        axis = 2 * origin[0] + target.width() * ratio
        left, right = axis - right, axis - left
    first = (np.array([left, top]) - origin) * per_pixel  # of the part, in frame coordinates
    last = (np.array([right, bottom]) - origin) * per_pixel
    shrink = max(1, int(per_pixel.min()))
    low = np.maximum((np.floor(first) - 2 * shrink) // shrink * shrink, 0).astype(int)
    high = np.minimum((np.ceil(last) + 2 * shrink) // shrink * shrink + shrink, (width, height)).astype(int)
    region = frame_bgr[low[1] : high[1], low[0] : high[0]]
    if shrink > 1:
        size = np.maximum((high - low) // shrink, 1)
        region = region[: size[1] * shrink, : size[0] * shrink]
        region = cv2.resize(region, [int(n) for n in size], interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    step, start = per_pixel / shrink, (first - low) / shrink
    to_region = np.array([[step[0], 0, start[0] + step[0] / 2 - 0.5], [0, step[1], start[1] + step[1] / 2 - 0.5]])
    size_px = (round(right - left), bottom - top)
    scaled = cv2.warpAffine(
        region,
        to_region,
        size_px,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    place = QRectF(math.floor(part.left() * ratio) / ratio, top / ratio, size_px[0] / ratio, size_px[1] / ratio)
    return place, _painted(scaled, mirrored=mirrored)  # type: ignore[arg-type]


def _painted(pixels_bgr: NDArray[np.uint8], *, mirrored: bool) -> QImage:
    if mirrored:
        pixels_bgr = cv2.flip(pixels_bgr, 1)  # type: ignore[assignment]
    pixels = cv2.cvtColor(pixels_bgr, cv2.COLOR_BGR2BGRA)  # four bytes a pixel are what Qt paints without converting
    return QImage(pixels.data, pixels.shape[1], pixels.shape[0], pixels.strides[0], QImage.Format.Format_RGB32)
