"""Small pictures of one face, cut out of a frame together with its keypoints; and the face to try overlays on."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from PySide6.QtGui import QImage

from fkd_desktop.live.result import FrameResult
from trainer.core.preprocess import box_from_keypoints
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from numpy.typing import NDArray

UPWARD_SHARE: Final = 0.12
"""How far a cut-out's middle lies above the face's, in sides of the face: hats and ears need room."""


def face_crop(result: FrameResult, *, room: float, side_px: int | None = None) -> FrameResult | None:
    """Cut a square round the largest face out of a frame.

    Only the square's pixels are touched, so that this stays quick for large frames.

    Parameters
    ----------
    result
        A frame and its faces.
    room
        Side of the square over the larger side of the face's box; less where the frame is too small for it.
    side_px
        Side of the picture that is returned; None for as many pixels as the frame has there.

    Returns
    -------
    The picture with that face alone, in its own pixels; None where there is no face.
    """
    if not len(result):
        return None
    sizes = result.boxes_xywh[:, 2:]
    largest = int(np.argmax(sizes.prod(axis=1)))
    face = result.only([int(result.ids[largest])])
    x, y, width, height = (float(v) for v in face.boxes_xywh[0])
    frame_height, frame_width = result.frame_bgr.shape[:2]
    face_side = max(width, height)
    side = max(1, min(round(room * face_side), frame_width, frame_height))
    left = min(max(round(x + width / 2 - side / 2), 0), frame_width - side)
    top = min(max(round(y + height / 2 - UPWARD_SHARE * face_side - side / 2), 0), frame_height - side)
    pixels = result.frame_bgr[top : top + side, left : left + side]
    scale = 1.0 if side_px is None else side_px / side
    pixels = np.ascontiguousarray(pixels) if side_px in (None, side) else _scaled(pixels, scale)
    corner = np.array([left, top], np.float32)
    boxes_xywh = face.boxes_xywh.copy()
    boxes_xywh[:, :2] -= corner
    return replace(
        face,
        frame_bgr=pixels,
        boxes_xywh=boxes_xywh * np.float32(scale),
        # A keypoint lies on the centre of its pixel, half a pixel from where its coordinates count from.
        keypoints_px=(face.keypoints_px + 0.5 - corner) * np.float32(scale) - np.float32(0.5),
    )


def _scaled(pixels: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Return a square at another size. Much smaller ones from every second or third pixel: four times as quick."""
    side_px = round(pixels.shape[0] * scale)
    step = max(1, int(0.5 / scale))
    part = pixels[: pixels.shape[0] // step * step : step, : pixels.shape[1] // step * step : step]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled: NDArray[np.uint8] = cv2.resize(  # type: ignore[assignment]
        np.ascontiguousarray(part), (side_px, side_px), interpolation=method
    )
    return scaled


@lru_cache(maxsize=1)
def model_face() -> FrameResult:
    """Return the face that stands in where nobody is in view, and on which overlays are made.

    Raises
    ------
    OSError
        If the shipped picture is missing.
    """
    folder = assets_dir() / "faces"
    keypoints = np.array(json.loads((folder / "model.json").read_text(encoding="utf-8"))["keypoints_px"], np.float32)
    paths = sorted(path for path in folder.glob("model.*") if path.suffix in (".png", ".jpg", ".jpeg", ".webp"))
    if not paths:
        raise FileNotFoundError(f"there is no picture of the model face in {folder}")
    image = QImage(str(paths[0])).convertToFormat(QImage.Format.Format_BGR888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    frame_bgr = rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()
    return FrameResult(
        frame_bgr,
        0.0,
        boxes_xywh=box_from_keypoints(keypoints[None]),
        ids=np.ones(1, np.int64),
        keypoints_px=keypoints[None],
        confidences=np.ones(1, np.float32),
    )
