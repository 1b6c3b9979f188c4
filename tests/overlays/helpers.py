"""Faces, frames and painted pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from fkd_desktop.live.head_pose import MODEL_MM
from fkd_desktop.live.result import FrameResult
from fkd_desktop.overlays import OverlayLibrary, paint_result, render
from tests.live.helpers import face_points
from trainer.core.preprocess import box_from_keypoints

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fkd_desktop.overlays import Layer

GREY = 90


def make_layers() -> dict[str, Layer]:
    """Every layer that is shipped, by name, back to front."""
    library = OverlayLibrary()
    return {info.name: library.layer(info.name) for info in sorted(library.infos, key=lambda info: info.order)}


LAYER_NAMES = tuple(info.name for info in OverlayLibrary().infos)


def result_of(
    *faces: np.ndarray, width: int = 640, height: int = 480, grey: int = GREY, confidence: float = 0.97
) -> FrameResult:
    """A result of a flat grey frame with these faces, numbered from 1."""
    frame = np.full((height, width, 3), grey, np.uint8)
    if not faces:
        return FrameResult(frame, 0.0)
    points = np.array(faces, np.float32)
    return FrameResult(
        frame,
        0.0,
        boxes_xywh=box_from_keypoints(points),
        ids=np.arange(1, len(faces) + 1),
        keypoints_px=points,
        confidences=np.full(len(faces), confidence, np.float32),
    )


def painted(result: FrameResult, *layers: Layer) -> np.ndarray:
    """(H, W) bool: which pixels the layers changed visibly."""
    return np.abs(render(result, layers).astype(int) - result.frame_bgr).max(axis=2) > 8


def alpha_of(*faces: np.ndarray, layer: Layer, width: int = 640, height: int = 480) -> np.ndarray:
    """(H, W) float: how much of the frame a layer hides, from painting it on black and on white."""
    on_black, on_white = (
        render(result_of(*faces, width=width, height=height, grey=grey), [layer]).astype(float) for grey in (0, 255)
    )
    return 1 - (on_white - on_black).mean(axis=2) / 255


def paint_into(
    result: FrameResult,
    layers: Iterable[Layer],
    *,
    width: int,
    height: int,
    ratio: float = 1.0,
    mirrored: bool = False,
    visible: QRectF | None = None,
) -> np.ndarray:
    """Paint a result as a widget of this size (in logical pixels) does: (H, W, 3) BGR."""
    image = QImage(round(width * ratio), round(height * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(0)
    painter = QPainter(image)
    paint_result(painter, QRectF(0, 0, width, height), result, layers, mirrored=mirrored, visible=visible)
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return pixels[:, : 4 * image.width()].reshape(image.height(), image.width(), 4)[:, :, :3].copy()


def turned_face(
    cx: float = 320, cy: float = 240, side: float = 200, *, yaw_deg: float = 0.0, pitch_deg: float = 0.0
) -> np.ndarray:
    """(68, 2) float32 keypoints of the mean head, turned in space, between whose eyes is this place."""
    yaw, pitch = np.radians(yaw_deg), np.radians(pitch_deg)
    about_y = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    points = (MODEL_MM @ (about_x @ about_y).T)[:, :2] * side / 160
    return (points + np.array([cx, cy])).astype(np.float32)


__all__ = ["GREY", "alpha_of", "face_points", "paint_into", "painted", "result_of", "turned_face"]
