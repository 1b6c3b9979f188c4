"""Hiding faces: the frame inside a face's outline is blurred or pixelated until nothing of it can be known again.

Both reduce the face to a few mean colours on a grid that is tied to it: less than what faces are recognised by, and
nothing can bring the rest back. They take the frame's own pixels, whatever lies under them, and know no opacity.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from fkd_desktop.overlays.outline import FACE_WIDTH_MM, face_from_mm, face_outline
from fkd_desktop.overlays.placement import mapped, to_qt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.overlays.layer import OpacityMode, PaintContext

CELLS_ACROSS: Final = 6
"""Mean colours across a face at strength 1. Faces are told apart from about 12 (L. Harmon and B. Julesz, "Masking in
visual recognition", Science 180, 1973: 16 with the blocks' edges smoothed away)."""
_GROW: Final = 1.07
_SAMPLES: Final = 6
_MOST_CELLS: Final = 40
_SPARE_CELLS: Final = 2


class _HidingLayer(ABC):
    """What both ways of hiding share: a grid on the face, its mean colours, and the outline as a mask.

    Parameters
    ----------
    name, title
        See `Layer`.
    strength
        1 or more: how much larger than needed the cells are.
    """

    opacity_mode: OpacityMode = "fixed"

    def __init__(self, name: str, title: str, *, strength: float = 1.0) -> None:
        self.name, self.title = name, title
        self._cell_mm = FACE_WIDTH_MM / CELLS_ACROSS * max(strength, 1.0)

    def paint(self, painter: QPainter, result: FrameResult, _context: PaintContext) -> None:
        """See `Layer.paint`."""
        painter.setRenderHints(QPainter.RenderHint.SmoothPixmapTransform | QPainter.RenderHint.Antialiasing)
        painter.setOpacity(1.0)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
        for keypoints in result.keypoints_px:
            self._paint_face(painter, result.frame_bgr, keypoints)

    def _paint_face(self, painter: QPainter, frame_bgr: NDArray[np.uint8], keypoints: NDArray[np.float32]) -> None:
        if not np.isfinite(keypoints).all() or np.abs(keypoints).max() > 1e6:
            return
        from_mm = face_from_mm(keypoints)
        if from_mm is None:
            return
        from_cells = from_mm @ np.diag([self._cell_mm, self._cell_mm, 1.0])
        to_cells = np.linalg.inv(from_cells).astype(np.float64)
        outline = mapped(to_cells, face_outline(keypoints, grow=_GROW))  # in cells of the grid
        first = np.maximum(np.floor(outline.min(axis=0)) - _SPARE_CELLS, -_MOST_CELLS).astype(int)
        last = np.minimum(np.ceil(outline.max(axis=0)) + _SPARE_CELLS, _MOST_CELLS).astype(int)
        counts = last - first
        if counts.min() <= 0:
            return
        from_cells = from_cells @ np.array([[1, 0, first[0]], [0, 1, first[1]], [0, 0, 1.0]])
        colours = _mean_colours(frame_bgr, from_cells, counts)
        if colours is None:
            return
        transform = to_qt(from_cells) * painter.deviceTransform()
        fine = self._pixels_per_cell(math.hypot(transform.m11(), transform.m12()))
        mask = np.zeros((counts[1] * fine, counts[0] * fine), np.uint8)
        corners = np.round(((outline - first) * fine - 0.5) * 16).astype(np.int32)
        cv2.fillConvexPoly(mask, corners, 255, cv2.LINE_AA, 4)
        patch = _premultiplied(self._patch(colours, fine), self._mask(mask, fine))
        image = QImage(patch.data, patch.shape[1], patch.shape[0], patch.strides[0], _FORMAT)
        painter.save()
        painter.setTransform(to_qt(from_cells), combine=True)
        painter.drawImage(QRectF(0, 0, *counts.tolist()), image)
        painter.restore()

    @abstractmethod
    def _pixels_per_cell(self, device_px: float) -> int:
        """Return how fine the patch is, for cells that are so large on the device."""

    @abstractmethod
    def _patch(self, colours: NDArray[np.uint8], fine: int) -> NDArray[np.uint8]:
        """Return what is painted, from one colour a cell."""

    @abstractmethod
    def _mask(self, outline: NDArray[np.uint8], fine: int) -> NDArray[np.uint8]:
        """Return where it is painted: everywhere inside the outline fully."""


class BlurLayer(_HidingLayer):
    """Makes a soft patch of colours out of a face; it fades away outside the outline only."""

    def _pixels_per_cell(self, _device_px: float) -> int:
        return 8

    def _patch(self, colours: NDArray[np.uint8], fine: int) -> NDArray[np.uint8]:
        size = (colours.shape[1] * fine, colours.shape[0] * fine)
        smooth = cv2.resize(colours, size, interpolation=cv2.INTER_CUBIC)
        blurred: NDArray[np.uint8] = cv2.GaussianBlur(smooth, (0, 0), 0.45 * fine)  # type: ignore[assignment]
        return blurred

    def _mask(self, outline: NDArray[np.uint8], fine: int) -> NDArray[np.uint8]:
        reach = fine // 3
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 5, 2 * reach + 5))
        grown = cv2.dilate(outline, kernel)  # by two pixels more than the next step may take away again
        faded: NDArray[np.uint8] = cv2.blur(grown, (2 * reach + 1, 2 * reach + 1))  # type: ignore[assignment]
        return faded


class PixelateLayer(_HidingLayer):
    """Makes large squares out of a face, which keep their place on it when it moves."""

    def _pixels_per_cell(self, device_px: float) -> int:
        return 8 if device_px <= 12 else 16 if device_px <= 32 else 32

    def _patch(self, colours: NDArray[np.uint8], fine: int) -> NDArray[np.uint8]:
        size = (colours.shape[1] * fine, colours.shape[0] * fine)
        squares: NDArray[np.uint8] = cv2.resize(  # type: ignore[assignment]
            colours, size, interpolation=cv2.INTER_NEAREST
        )
        return squares

    def _mask(self, outline: NDArray[np.uint8], _fine: int) -> NDArray[np.uint8]:
        grown: NDArray[np.uint8] = cv2.dilate(outline, np.ones((5, 5), np.uint8))  # type: ignore[assignment]
        return grown


_FORMAT: Final = QImage.Format.Format_ARGB32_Premultiplied


def _mean_colours(
    frame_bgr: NDArray[np.uint8], from_cells: NDArray[np.float64], counts: NDArray[np.int64]
) -> NDArray[np.uint8] | None:
    """Return the mean colour of each cell, (rows, columns, 3); None if none of them is in the frame.

    Parameters
    ----------
    frame_bgr
        (H, W, 3).
    from_cells
        From cells to frame coordinates.
    counts
        Columns and rows.
    """
    height, width = frame_bgr.shape[:2]
    columns, rows = (int(count) for count in counts)
    corners = mapped(from_cells, np.array([(x, y) for x in (0, columns) for y in (0, rows)], np.float64))
    left, top = np.clip(np.floor(corners.min(axis=0)), 0, (width, height)).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=0)), 0, (width, height)).astype(int)
    if right <= left or bottom <= top:
        return None
    region = frame_bgr[top:bottom, left:right]
    sample_px = math.hypot(from_cells[0, 0], from_cells[1, 0]) / _SAMPLES
    shrink = np.array([1.0, 1.0])
    if sample_px >= 2:  # means of all pixels, not samples of a few: these would change with every movement
        size = np.maximum(np.array([right - left, bottom - top]) // int(sample_px), 1)
        whole = size * int(sample_px)  # the rest is less than a sample; OpenCV is quickest with whole factors
        region = region[: whole[1], : whole[0]]
        shrink = size / (region.shape[1], region.shape[0])
        region = cv2.resize(region, [int(n) for n in size], interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    to_region = np.array([[shrink[0], 0, -left * shrink[0] - 0.5], [0, shrink[1], -top * shrink[1] - 0.5], [0, 0, 1]])
    from_sample = np.array([[1 / _SAMPLES, 0, 0.5 / _SAMPLES], [0, 1 / _SAMPLES, 0.5 / _SAMPLES], [0, 0, 1]])
    samples = cv2.warpAffine(
        region,
        (to_region @ from_cells @ from_sample)[:2],
        (columns * _SAMPLES, rows * _SAMPLES),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    means: NDArray[np.uint8] = cv2.resize(  # type: ignore[assignment]
        samples, (columns, rows), interpolation=cv2.INTER_AREA
    )
    return means


def _premultiplied(colours: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (H, W, 4) as QPainter takes it: colours times opacity, and the opacity."""
    weighted = cv2.multiply(colours, cv2.merge([alpha, alpha, alpha]), scale=1 / 255)
    blue, green, red = cv2.split(weighted)
    merged: NDArray[np.uint8] = cv2.merge([blue, green, red, alpha])  # type: ignore[assignment]
    return merged
