"""From a face box in a frame to the network's input, and from its output back to frame pixels.

Live use, evaluation and training all come through here, so a network never sees a crop made in another way.

Coordinates: a keypoint at (x, y) lies on the *centre* of pixel (x, y), as in OpenCV; boxes and crop squares are in
continuous coordinates, where that pixel covers [x, x + 1]. "Unit" keypoints run from 0 to 1 across the crop square.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from trainer.core.keypoints import NUM_KEYPOINTS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

BOX_SIDE_PER_RMS: Final = 3.1
BOX_UP_PER_SIDE: Final = 0.129
"""How OpenCV's frontal-face Haar cascade frames a face, fitted on 498 faces of the training set: its box has 3.10
(+-9 %) times the keypoints' RMS distance from their mean as its side, and its centre lies 0.129 (+-0.03) sides above
that mean."""

CROP_PER_BOX: Final = 1.25
"""Side of the square crop over the side of the face box: the keypoints fill 70 % of it, the rest is slack for a box
that is off and for a head that turns."""

_AREA_STRIDE_LIMIT: Final = 4  # above this many source pixels a crop pixel, every k-th source pixel is read


def box_from_keypoints(points_px: ArrayLike) -> NDArray[np.float32]:
    """Return the face box that a detector would give for these keypoints.

    A tracker can feed the next frame from it at any angle: the square that `crop_squares` makes of it has its centre on
    the keypoints' mean however the face is turned.

    Parameters
    ----------
    points_px
        (N, 68, 2) or (68, 2) keypoints in frame pixels.

    Returns
    -------
    (N, 4) or (4,) float32 boxes: left, top, width, height in frame pixels.
    """
    points = np.asarray(points_px, dtype=np.float32)
    if points.shape[-2:] != (NUM_KEYPOINTS, 2):
        raise ValueError(f"expected keypoints of shape (N, {NUM_KEYPOINTS}, 2), got {points.shape}")
    mean = points.mean(axis=-2)
    rms = np.sqrt(np.square(points - mean[..., None, :]).sum(axis=-1).mean(axis=-1))
    side = np.maximum(BOX_SIDE_PER_RMS * rms, 1.0)
    centre = mean + 0.5
    centre[..., 1] -= BOX_UP_PER_SIDE * side
    return np.concatenate(
        [centre - side[..., None] / 2, np.repeat(side[..., None], 2, axis=-1)], axis=-1, dtype=np.float32
    )


def crop_squares(boxes_xywh: ArrayLike, *, crop_per_box: float = CROP_PER_BOX) -> NDArray[np.float32]:
    """Square image regions that the network looks at, one a face box.

    The square sits lower than the box by as much as the face's keypoints do.

    Parameters
    ----------
    boxes_xywh
        (N, 4) face boxes in frame pixels.
    crop_per_box
        Side of the square over the (mean) side of the box.

    Returns
    -------
    (N, 3) float32: left, top and side of each square; whole pixels, so that no sub-pixel shift is lost in cropping.
    """
    boxes = np.asarray(boxes_xywh, dtype=np.float32).reshape(-1, 4)
    box_side = boxes[:, 2:].mean(axis=1)
    side = np.maximum(np.round(box_side * crop_per_box), 2.0)
    centre = boxes[:, :2] + boxes[:, 2:] / 2
    centre[:, 1] += BOX_UP_PER_SIDE * box_side
    return np.concatenate([np.round(centre - side[:, None] / 2), side[:, None]], axis=1, dtype=np.float32)


def as_grey_or_bgr(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Check a frame and drop what the pipeline does not use.

    Parameters
    ----------
    frame
        (H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA, uint8.

    Returns
    -------
    (H, W) grey or (H, W, 3) BGR; a view of the input.

    Raises
    ------
    ValueError
        For any other shape or type, naming it.
    """
    if frame.dtype != np.uint8 or frame.ndim not in (2, 3) or frame.size == 0:
        raise ValueError(f"expected an image of 8-bit pixels, got shape {frame.shape} of {frame.dtype}")
    if frame.ndim == 2:
        return frame
    channels = frame.shape[2]
    if channels == 1:
        return frame[:, :, 0]
    if channels in (3, 4):
        return frame[:, :, :3]
    raise ValueError(f"expected an image of 1, 3 or 4 channels, got {channels}")


def extract_crop(frame: NDArray[np.uint8], square: NDArray[np.float32], *, size_px: int) -> NDArray[np.uint8]:
    """Cut one square out of a frame, as a grey image of the network's size.

    Parts outside the frame repeat its edge. Cost is bounded by the crop, not by the frame: of a very large square only
    every k-th pixel is read.

    Parameters
    ----------
    frame
        (H, W) grey or (H, W, 3) BGR, uint8.
    square
        (3,) left, top, side in whole pixels, from `crop_squares`.
    size_px
        Side of the result.

    Returns
    -------
    (size_px, size_px) uint8.
    """
    height, width = frame.shape[:2]
    left, top, side = (int(v) for v in square)
    stride = max(1, side // (_AREA_STRIDE_LIMIT * size_px))
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, width), min(top + side, height)
    if x1 <= x0 or y1 <= y0:  # wholly outside: the nearest pixel, everywhere
        x0, y0 = min(max(x0, 0), width - 1), min(max(y0, 0), height - 1)
        pixel = frame[y0 : y0 + 1, x0 : x0 + 1]
        return np.full((size_px, size_px), _to_grey(pixel)[0, 0], dtype=np.uint8)
    region = frame[y0:y1:stride, x0:x1:stride]
    # Grey first: one channel is half the work of three, and differs by a rounding at most.
    region = _to_grey(np.ascontiguousarray(region) if stride > 1 else region)
    pad = [(top, y0, y1, top + side), (left, x0, x1, left + side)]
    if any(start != inner or stop != end for start, inner, stop, end in pad):
        (before_y, after_y), (before_x, after_x) = [
            (round((inner - start) / stride), round((end - stop) / stride)) for start, inner, stop, end in pad
        ]
        region = cv2.copyMakeBorder(region, before_y, after_y, before_x, after_x, cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    interpolation = cv2.INTER_AREA if region.shape[0] > size_px else cv2.INTER_LINEAR
    return cv2.resize(region, (size_px, size_px), interpolation=interpolation)  # type: ignore[return-value]


def extract_crops(frame: NDArray[np.uint8], squares: NDArray[np.float32], *, size_px: int) -> NDArray[np.uint8]:
    """Cut every square out of a frame: (N, 1, size_px, size_px) uint8; see `extract_crop`."""
    crops = np.empty((len(squares), 1, size_px, size_px), dtype=np.uint8)
    for crop, square in zip(crops, squares, strict=True):
        crop[0] = extract_crop(frame, square, size_px=size_px)
    return crops


def unit_to_frame(points_unit: NDArray[np.float32], squares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn (N, 68, 2) unit keypoints of (N, 3) squares into frame pixels."""
    return points_unit * squares[:, None, 2:] + squares[:, None, :2] - np.float32(0.5)


def frame_to_unit(points_px: NDArray[np.float32], squares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn (N, 68, 2) keypoints in frame pixels into unit keypoints of (N, 3) squares."""
    return (points_px + np.float32(0.5) - squares[:, None, :2]) / squares[:, None, 2:]


def _to_grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)  # type: ignore[return-value]
