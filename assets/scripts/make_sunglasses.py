"""Draw the sunglasses overlay and write its anchors.

Run ``python assets/scripts/make_sunglasses.py``. Everything is drawn with QPainter in millimetres of a real pair of
glasses (origin on the bridge at the height of the pupils, x to the picture's right, y down), so the proportions can be
read and changed; the picture is drawn four times too large and reduced, for edges smoother than the painter's own.
"""

from __future__ import annotations

import cv2
from overlay_art import (
    OVERLAYS_DIR,
    Anchor,
    Canvas,
    Picture,
    both,
    fill,
    joined,
    plain,
    save_png,
    stroke,
    vertical,
    write_description,
)
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QPainter, QPainterPath

OVERLAY_DIR = OVERLAYS_DIR / "sunglasses"

IMAGE_WIDTH_PX = 1024
MARGIN_PX = 8
SUPERSAMPLING = 4

# The frame is 2.08 pupil distances wide between its outer corners, 2.16 with the temples that turn backwards.
PUPIL_DISTANCE_MM = 70.0
HALF_WIDTH_MM = 75.6
TOP_MM, BOTTOM_MM = -23.6, 26.1


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


def both_lenses() -> QPainterPath:
    return both(lens_right())


def draw_temples(painter: QPainter) -> None:
    stops = [(0.0, "#3b3d42", 255), (0.25, "#191a1d", 255), (1.0, "#060607", 255)]
    painter.fillPath(joined(temple_right()), vertical(-21, -9, stops))


def draw_lenses(painter: QPainter) -> None:
    stops = [(0.0, "#07090c", 236), (0.45, "#10151a", 232), (1.0, "#2c3338", 222)]
    painter.fillPath(both_lenses(), vertical(-18, 22, stops))


def draw_frame(painter: QPainter) -> None:
    stops = [(0.0, "#2a2b2f", 255), (0.12, "#141517", 255), (0.6, "#0b0b0d", 255), (1.0, "#1a1b1e", 255)]
    painter.fillPath(joined(front_half(), without=lens_right()), vertical(TOP_MM, BOTTOM_MM, stops))


def draw_rivets(painter: QPainter) -> None:
    """Draw the two small metal bars a frame of this style carries at each hinge."""
    metal = vertical(-18.6, -15.2, [(0.0, "#f2f4f7", 255), (0.5, "#b9bec6", 255), (1.0, "#777c84", 255)])
    for side in (-1, 1):
        for x_mm in (66.6, 68.6):
            painter.setBrush(metal)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawRoundedRect(QRectF(side * x_mm - 0.55, -18.6, 1.1, 3.4), 0.5, 0.5)


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


def draw(canvas: Canvas) -> None:
    lenses = both_lenses()
    frame = joined(front_half(), without=lens_right())
    in_lenses, in_frame = fill(lenses, plain("black")), fill(frame, plain("black"))

    canvas.add(draw_temples)
    canvas.add(draw_lenses)
    glare = lens_glare(-1)
    glare.addPath(lens_glare(1))
    fading = vertical(-18, 26, [(0.0, "#d5e6f5", 255), (0.6, "#bcd3e6", 90), (1.0, "#bcd3e6", 0)])
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
    save_png(OVERLAY_DIR / "sunglasses.png", small)
    half_pd_px = PUPIL_DISTANCE_MM / 2 * px_per_mm
    left, right = ((origin_px[0] + side * half_pd_px, origin_px[1]) for side in (-1, 1))
    eyes = (
        Anchor("centre of the eye on the picture's left (the subject's right)", left, tuple(range(36, 42))),
        Anchor("centre of the eye on the picture's right (the subject's left)", right, tuple(range(42, 48))),
    )
    write_description(
        OVERLAY_DIR,
        "make_sunglasses.py",
        name="Sunglasses",
        german="Sonnenbrille",
        order=50,
        key="4",
        pictures=[Picture("sunglasses.png", eyes)],
    )
    del application


if __name__ == "__main__":
    main()
