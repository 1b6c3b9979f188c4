"""Overlays in folders, good and broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QColor, QImage

if TYPE_CHECKING:
    from pathlib import Path

EYES = (tuple(range(36, 42)), tuple(range(42, 48)))


def toml(*anchors: tuple[tuple[float, float], tuple[int, ...]], head: str = "", picture: str = "") -> str:
    """A description of format 2 with one picture."""
    lines = ["format = 2", 'name = "Test picture"', head, "[[pictures]]", 'image = "picture.png"', picture]
    for (x, y), keypoints in anchors:
        lines += ["[[pictures.anchors]]", f"image_px = [{x}, {y}]", f"keypoints = {list(keypoints)}"]
    return "\n".join(lines) + "\n"


TWO_ANCHORS = (((30.0, 20.0), EYES[0]), ((70.0, 20.0), EYES[1]))


def write_overlay(
    folder: Path, description: str, *, colour: str | QImage = "red", size: tuple[int, int] = (100, 50)
) -> Path:
    """An overlay with ``picture.png``: of one colour, or any picture."""
    folder.mkdir(parents=True)
    image = colour if isinstance(colour, QImage) else QImage(*size, QImage.Format.Format_ARGB32)
    if not isinstance(colour, QImage):
        image.fill(QColor(colour))
    assert image.save(str(folder / "picture.png"))
    (folder / "overlay.toml").write_text(description, encoding="utf-8")
    return folder


def ramp(width: int, height: int) -> QImage:
    """A picture whose colour tells the place: red is x, green is y, and blue is 0."""
    rows, columns = np.indices((height, width))
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[..., 2] = np.round(255 * (columns + 0.5) / width)
    pixels[..., 1] = np.round(255 * (rows + 0.5) / height)
    pixels[..., 3] = 255
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32).copy()
