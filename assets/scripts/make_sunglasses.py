"""Draw the sunglasses overlay and write its anchors.

Run ``python assets/scripts/make_sunglasses.py``. Everything is drawn with QPainter in millimetres of a real pair of
glasses (origin on the bridge at the height of the pupils, x to the picture's right, y down), so the proportions can be
read and changed; the picture is drawn four times too large and reduced, for edges smoother than the painter's own.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import cv2
import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QGuiApplication,
    QImage,
    QLinearGradient,
    QPainter,
    QPainterPath,
    QPen,
    QTransform,
)

OVERLAY_DIR = Path(__file__).resolve().parents[1] / "overlays" / "sunglasses"

IMAGE_WIDTH_PX = 1024
MARGIN_PX = 8
SUPERSAMPLING = 4

# The frame is 2.08 pupil distances wide between its outer corners, 2.16 with the temples that turn backwards.
PUPIL_DISTANCE_MM = 70.0
HALF_WIDTH_MM = 75.6
TOP_MM, BOTTOM_MM = -23.6, 26.1

Paint = Callable[[QPainter], None]


def front_half() -> QPainterPath:
    """Return the outline of the frame's right half, closed along x = 0."""
    path = QPainterPath(QPointF(0, -13.5))
    path.cubicTo(6, -14.2, 9.5, -18.6, 17, -20.0)
    path.cubicTo(34, -22.8, 54, -23.9, 69.0, -23.4)
    path.cubicTo(72.6, -23.2, 73.4, -21.2, 72.6, -17.6)
    path.cubicTo(71.8, -14.2, 68.8, -10.5, 67.2, -6.2)
    path.cubicTo(65.2, -0.8, 63.2, 10.4, 59.6, 16.8)
    path.cubicTo(56.2, 22.8, 46.5, 26.2, 36.0, 26.0)
    path.cubicTo(24.6, 25.8, 15.9, 22.6, 12.4, 13.4)
    path.cubicTo(10.0, 7.1, 8.8, 0.8, 6.4, -2.6)
    path.cubicTo(5.0, -4.6, 2.8, -5.6, 0, -5.6)
    path.closeSubpath()
    return path


def lens_right() -> QPainterPath:
    """Return the outline of the lens on the picture's right."""
    path = QPainterPath(QPointF(17.0, -14.2))
    path.cubicTo(28, -17.0, 47, -18.3, 59.6, -17.6)
    path.cubicTo(63.4, -17.3, 64.4, -14.8, 63.8, -11.2)
    path.cubicTo(62.2, -1.6, 59.8, 8.2, 56.2, 14.0)
    path.cubicTo(52.6, 19.8, 45, 21.8, 36.4, 21.7)
    path.cubicTo(26.4, 21.6, 20.0, 18.8, 16.8, 11.0)
    path.cubicTo(14.2, 4.6, 12.8, -2.2, 12.4, -8.4)
    path.cubicTo(12.2, -11.8, 13.6, -13.4, 17.0, -14.2)
    path.closeSubpath()
    return path


def temple_right() -> QPainterPath:
    """Return the short visible piece of the temple on the picture's right, seen almost end-on."""
    path = QPainterPath(QPointF(66.0, -20.4))
    path.cubicTo(70, -21.0, 74.4, -20.2, 75.2, -17.4)
    path.cubicTo(75.7, -15.0, 75.6, -12.6, 75.2, -10.4)
    path.cubicTo(74.7, -8.6, 72.6, -8.8, 66.0, -12.0)
    path.closeSubpath()
    return path


def mirrored(path: QPainterPath) -> QPainterPath:
    return QTransform.fromScale(-1, 1).map(path)


def both_sides(half: QPainterPath, *, without: QPainterPath | None = None) -> QPainterPath:
    """Return the half and its mirror image as one outline, less the path `without` and its mirror image.

    Qt flattens curves to about a unit when it joins paths, a visible corner in millimetres: hence the larger scale.
    """
    enlarge, reduce = QTransform.fromScale(100, 100), QTransform.fromScale(0.01, 0.01)
    whole = enlarge.map(half).united(enlarge.map(mirrored(half)))
    if without is not None:
        whole = whole.subtracted(enlarge.map(without)).subtracted(enlarge.map(mirrored(without)))
    return reduce.map(whole)


def both_lenses() -> QPainterPath:
    lenses = lens_right()
    lenses.addPath(mirrored(lens_right()))
    return lenses


def vertical_gradient(top_mm: float, bottom_mm: float, stops: list[tuple[float, str, int]]) -> QBrush:
    """Return a gradient from the top down; stops are (position 0..1, colour, alpha 0..255)."""
    gradient = QLinearGradient(0, top_mm, 0, bottom_mm)
    for position, name, alpha in stops:
        colour = QColor(name)
        colour.setAlpha(alpha)
        gradient.setColorAt(position, colour)
    return QBrush(gradient)


def draw_temples(painter: QPainter) -> None:
    stops = [(0.0, "#3b3d42", 255), (0.25, "#191a1d", 255), (1.0, "#060607", 255)]
    painter.fillPath(both_sides(temple_right()), vertical_gradient(-21, -9, stops))


def draw_lenses(painter: QPainter) -> None:
    stops = [(0.0, "#07090c", 236), (0.45, "#10151a", 232), (1.0, "#2c3338", 222)]
    painter.fillPath(both_lenses(), vertical_gradient(-18, 22, stops))


def draw_frame(painter: QPainter) -> None:
    stops = [(0.0, "#2a2b2f", 255), (0.12, "#141517", 255), (0.6, "#0b0b0d", 255), (1.0, "#1a1b1e", 255)]
    painter.fillPath(both_sides(front_half(), without=lens_right()), vertical_gradient(TOP_MM, BOTTOM_MM, stops))


def draw_rivets(painter: QPainter) -> None:
    """Draw the two small metal bars a frame of this style carries at each hinge."""
    metal = vertical_gradient(-18.6, -15.2, [(0.0, "#f2f4f7", 255), (0.5, "#b9bec6", 255), (1.0, "#777c84", 255)])
    for side in (-1, 1):
        for x_mm in (66.6, 68.6):
            painter.setBrush(metal)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawRoundedRect(QRectF(side * x_mm - 0.55, -18.6, 1.1, 3.4), 0.5, 0.5)


def stroke(path: QPainterPath, colour: str, width_mm: float) -> Paint:
    def paint(painter: QPainter) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(colour), width_mm, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawPath(path)

    return paint


def fill(path: QPainterPath, brush: QBrush) -> Paint:
    return lambda painter: painter.fillPath(path, brush)


def lens_glare(side: int) -> QPainterPath:
    """Return a slanted band of reflected sky; both lenses face the same light, so it is shifted, not mirrored."""
    centre = side * 37.0
    path = QPainterPath(QPointF(centre - 7, -18))
    path.lineTo(centre + 7, -18)
    path.lineTo(centre - 9, 26)
    path.lineTo(centre - 23, 26)
    path.closeSubpath()
    path.moveTo(centre + 11, -18)
    path.lineTo(centre + 15, -18)
    path.lineTo(centre - 1, 26)
    path.lineTo(centre - 5, 26)
    path.closeSubpath()
    return path


class Canvas:
    """A picture in premultiplied float RGBA onto which painted layers are stacked."""

    def __init__(self, width_px: int, height_px: int, *, px_per_mm: float, origin_px: tuple[float, float]) -> None:
        self.size_px = (width_px, height_px)
        self.px_per_mm = px_per_mm
        self.origin_px = origin_px
        self.rgba = np.zeros((height_px, width_px, 4), np.float32)

    def layer(self, paint: Paint) -> np.ndarray:
        """Return what `paint` draws as premultiplied float32 RGBA, shape (height, width, 4), 0..1."""
        image = QImage(*self.size_px, QImage.Format.Format_RGBA8888_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(*self.origin_px)
        painter.scale(self.px_per_mm, self.px_per_mm)
        paint(painter)
        painter.end()
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
        return rows[:, : image.width()].astype(np.float32) / 255

    def add(self, paint: Paint, *, blur_mm: float = 0.0, opacity: float = 1.0, clip: Paint | None = None) -> None:
        """Put a layer on top, softened by a Gaussian and cut to the shape that `clip` paints."""
        layer = self.layer(paint)
        if blur_mm:
            layer = cv2.GaussianBlur(layer, (0, 0), blur_mm * self.px_per_mm)
        layer *= opacity
        if clip is not None:
            layer *= self.layer(clip)[..., 3:]
        self.rgba = layer + self.rgba * (1 - layer[..., 3:])


def draw(canvas: Canvas) -> None:
    lenses = both_lenses()
    frame = both_sides(front_half(), without=lens_right())
    in_lenses, in_frame = fill(lenses, QBrush(Qt.GlobalColor.black)), fill(frame, QBrush(Qt.GlobalColor.black))

    canvas.add(draw_temples)
    canvas.add(draw_lenses)
    glare = lens_glare(-1)
    glare.addPath(lens_glare(1))
    fading = vertical_gradient(-18, 26, [(0.0, "#d5e6f5", 255), (0.6, "#bcd3e6", 90), (1.0, "#bcd3e6", 0)])
    canvas.add(fill(glare, fading), blur_mm=0.9, opacity=0.24, clip=in_lenses)
    canvas.add(stroke(lenses, "#000000", 3.0), blur_mm=1.2, opacity=0.75, clip=in_lenses)  # the rim's shadow
    canvas.add(stroke(lenses, "#050607", 0.5))  # closes the hairline where two anti-aliased edges meet
    canvas.add(draw_frame)
    # A gloss a little inside the upper edges makes the frame read as thick, rounded acetate.
    upper_edge = frame.translated(0, 1.6)
    canvas.add(stroke(upper_edge, "#aab2bd", 0.9), blur_mm=0.5, opacity=0.42, clip=in_frame)
    canvas.add(stroke(lenses, "#000000", 1.2), blur_mm=0.3, opacity=0.8, clip=in_frame)
    canvas.add(stroke(lenses.translated(0, 0.7), "#9aa3ad", 0.35), blur_mm=0.15, opacity=0.55, clip=in_frame)
    canvas.add(draw_rivets)


def to_straight_alpha(premultiplied: np.ndarray) -> np.ndarray:
    """Return uint8 RGBA with straight alpha, the colour of transparent pixels taken from the nearest opaque one.

    A viewer that scales the picture without premultiplying mixes those hidden colours into the edge: they must not be
    white, nor pure black next to a lighter edge.
    """
    alpha = premultiplied[..., 3]
    colour = premultiplied[..., :3] / np.maximum(alpha, 1e-6)[..., None]
    trusted = alpha > 0.2  # fainter pixels carry too few bits of colour
    _, labels = cv2.distanceTransformWithLabels(
        (~trusted).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.zeros((labels.max() + 1, 3), np.float32)
    nearest[labels[trusted]] = colour[trusted]
    colour = np.where(trusted[..., None], colour, nearest[labels])
    rgba = np.dstack([colour, alpha])
    return np.clip(np.rint(rgba * 255), 0, 255).astype(np.uint8)


def overlay_toml(pupils_px: list[tuple[float, float]]) -> str:
    left, right = ([round(value, 1) for value in pupil] for pupil in pupils_px)
    return f"""\
# Sunglasses. Drawn by assets/scripts/make_sunglasses.py, which also writes this file.
format = 1
name = "Sunglasses"
image = "sunglasses.png"

# Image points tied to keypoints (iBUG index, 0-based; several indices mean their mean).
# Two anchors fix a similarity transform: where the picture goes, how large and how turned.

[[anchors]]  # centre of the eye on the picture's left (the subject's right)
image_px = {left}
keypoints = [36, 37, 38, 39, 40, 41]

[[anchors]]  # centre of the eye on the picture's right (the subject's left)
image_px = {right}
keypoints = [42, 43, 44, 45, 46, 47]
"""


def main() -> None:
    application = QGuiApplication.instance() or QGuiApplication([])
    px_per_mm = (IMAGE_WIDTH_PX - 2 * MARGIN_PX) / (2 * HALF_WIDTH_MM)
    height_px = round((BOTTOM_MM - TOP_MM) * px_per_mm) + 2 * MARGIN_PX
    origin_px = (IMAGE_WIDTH_PX / 2, MARGIN_PX - TOP_MM * px_per_mm)
    canvas = Canvas(
        IMAGE_WIDTH_PX * SUPERSAMPLING,
        height_px * SUPERSAMPLING,
        px_per_mm=px_per_mm * SUPERSAMPLING,
        origin_px=(origin_px[0] * SUPERSAMPLING, origin_px[1] * SUPERSAMPLING),
    )
    draw(canvas)
    small = cv2.resize(canvas.rgba, (IMAGE_WIDTH_PX, height_px), interpolation=cv2.INTER_AREA)
    rgba = to_straight_alpha(small)

    OVERLAY_DIR.mkdir(parents=True, exist_ok=True)
    png_path = OVERLAY_DIR / "sunglasses.png"
    if not cv2.imwrite(str(png_path), cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA)):
        raise OSError(f"could not write {png_path}")
    half_pd_px = PUPIL_DISTANCE_MM / 2 * px_per_mm
    pupils_px = [(origin_px[0] - half_pd_px, origin_px[1]), (origin_px[0] + half_pd_px, origin_px[1])]
    (OVERLAY_DIR / "overlay.toml").write_text(overlay_toml(pupils_px), encoding="utf-8")
    del application


if __name__ == "__main__":
    main()
