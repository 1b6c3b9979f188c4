"""Draw the model face of the overlay editor and write its keypoints.

Run ``python assets/scripts/make_model_face.py``. Nobody is portrayed: the face is drawn through the keypoints of
``face_model.py``, so the points lie on what is drawn by construction.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from face_model import KEYPOINTS
from overlay_art import (
    Hair,
    Point,
    Sheet,
    both,
    curve,
    ellipse,
    fill,
    hairs,
    mixed,
    radial,
    smooth,
    stroke,
    vertical,
)
from PySide6.QtCore import QPointF
from PySide6.QtGui import QGuiApplication, QPainterPath

FOLDER = Path(__file__).resolve().parents[1] / "faces"
SIDE_PX = 640
UNITS = 330.0
EYE_LINE_SHARE = 0.535

SKIN_LIGHT, SKIN, SKIN_SHADE, SKIN_DEEP = "#efc9a7", "#d9a780", "#b07a57", "#7d4c34"
HAIR_DARK, HAIR_LIGHT = "#241915", "#6d4f3f"


def points(*indices: int) -> list[Point]:
    return [(float(KEYPOINTS[i, 0]), float(KEYPOINTS[i, 1])) for i in indices]


def head() -> QPainterPath:
    """Return the outline of the head: the jaw's keypoints, then the skull."""
    skull = [(76, -20), (76, -52), (66, -84), (40, -104), (0, -110)]
    return smooth([*points(*range(17)), *skull, *[(-x, y) for x, y in reversed(skull[:-1])]])


def draw_ground(sheet: Sheet) -> None:
    everything = QPainterPath()
    everything.addRect(-200, -200, 400, 400)
    sheet.add(fill(everything, radial((0, -10), 230, [(0, "#e9edf1", 255), (1, "#b9c3cd", 255)])))


def draw_body(sheet: Sheet) -> None:
    shoulders = smooth([(-36, 110), (-44, 128), (-80, 141), (-118, 152), (-150, 175), (150, 175), (118, 152), (80, 141),
                        (44, 128), (36, 110)])  # fmt: skip
    neck = curve((-41, 70), (-42, 100, -40, 118, -50, 134), (-30, 150, 30, 150, 50, 134), (40, 118, 42, 100, 41, 70))
    sheet.add(fill(shoulders, vertical(120, 160, [(0, "#5f7f96", 255), (1, "#486579", 255)])))
    sheet.add(fill(neck, vertical(80, 146, [(0, SKIN_DEEP, 255), (0.45, SKIN_SHADE, 255), (1, "#c7946e", 255)])))
    chin_shadow = head().translated(0, 13)
    sheet.add(fill(chin_shadow, "#5e3522"), blur_mm=6, opacity=0.55, clip=fill(neck, "#000000"))
    collar = curve((-52, 132), (-34, 152, 34, 152, 52, 132), close=False)
    sheet.add(stroke(collar, "#3d566a", 5))
    sheet.add(stroke(collar.translated(0, -1.5), "#7f9cb1", 1), opacity=0.8)


def draw_ears(sheet: Sheet) -> None:
    ear = smooth([(72, -8), (79, -15), (86, -11), (88, 2), (85, 18), (80, 31), (74, 33), (71, 20)])
    sheet.add(fill(both(ear), vertical(-14, 34, [(0, SKIN, 255), (1, SKIN_SHADE, 255)])))
    fold = curve((76, -5), (83, -9, 84, 6, 79, 20), close=False)
    sheet.add(stroke(both(fold), SKIN_DEEP, 2), blur_mm=1.1, opacity=0.6, clip=fill(both(ear), "#000000"))


def draw_skin(sheet: Sheet) -> None:
    face = head()
    on_face = fill(face, "#000000")
    sheet.add(fill(face, SKIN))
    sheet.add(fill(face, radial((-10, -22), 150, [(0, SKIN_LIGHT, 255), (0.45, SKIN, 200), (1, SKIN_SHADE, 255)])))
    shades = QPainterPath()
    shades.addPath(both(curve((80, -60), (66, -20, 66, 40, 50, 92), (90, 80, 96, 0, 80, -60))))
    sheet.add(fill(shades, SKIN_SHADE), blur_mm=8, opacity=0.75, clip=on_face)
    below = curve((-60, 96), (-30, 112, 30, 112, 60, 96), (40, 130, -40, 130, -60, 96))
    sheet.add(fill(below, SKIN_DEEP), blur_mm=5, opacity=0.5, clip=on_face)
    sheet.add(fill(both(ellipse(47, 36, 17, 11)), "#e08a72"), blur_mm=8, opacity=0.34, clip=on_face)
    sheet.add(fill(both(ellipse(46, 24, 13, 5)), "#ffe3c6"), blur_mm=5, opacity=0.55, clip=on_face)
    sheet.add(fill(ellipse(-4, -52, 34, 16), "#ffe6cc"), blur_mm=10, opacity=0.5, clip=on_face)
    sheet.add(fill(ellipse(0, 98, 14, 7), "#ffe0c4"), blur_mm=5, opacity=0.45, clip=on_face)
    sheet.add(fill(ellipse(0, 86.5, 15, 3), SKIN_DEEP), blur_mm=2.6, opacity=0.42, clip=on_face)
    folds = curve((17, 44), (24, 50, 30, 56, 32.5, 63), close=False)
    sheet.add(stroke(both(folds), SKIN_SHADE, 3), blur_mm=2.6, opacity=0.5)


def draw_nose(sheet: Sheet) -> None:
    flank = smooth([(8, -12), (10, 4), (11, 20), (15, 34), (12, 40), (6, 34), (5, 14), (4, -4)])
    sheet.add(fill(both(flank), SKIN_SHADE), blur_mm=3, opacity=0.5)
    sheet.add(fill(ellipse(-0.5, 12, 3, 24), "#ffe9d2"), blur_mm=2.4, opacity=0.6)
    sheet.add(fill(ellipse(-1, 35.5, 5.5, 4.2), "#fff0df"), blur_mm=2.4, opacity=0.7)
    under = smooth([*points(31, 32, 33, 34, 35), (8, 51), (0, 53), (-8, 51)])
    sheet.add(fill(under, SKIN_DEEP), blur_mm=2.4, opacity=0.42)
    wing = curve((12.6, 43.8), (16.6, 42.5, 16.2, 36, 12.6, 33.8), close=False)
    sheet.add(stroke(both(wing), SKIN_DEEP, 1.3), blur_mm=0.7, opacity=0.62)
    nostril = curve((3.6, 44.9), (4.6, 42.2, 9, 41.6, 10.8, 43.6), (9, 45.2, 6.2, 44.6, 3.6, 44.9))
    sheet.add(fill(both(nostril), "#4a2417"), blur_mm=0.45, opacity=0.85)
    base = smooth(points(31, 32, 33, 34, 35), close=False)
    sheet.add(stroke(base, SKIN_DEEP, 1), blur_mm=0.5, opacity=0.55)
    philtrum = curve((2.6, 50), (3, 53, 3.6, 56, 4.6, 59), close=False)
    sheet.add(stroke(both(philtrum), SKIN_SHADE, 1.6), blur_mm=1.1, opacity=0.5)


def eye_path() -> QPainterPath:
    """Return the opening of the eye on the picture's right, through its six keypoints."""
    inner, upper_in, upper_out, outer, lower_out, lower_in = points(42, 43, 44, 45, 46, 47)
    path = smooth([inner, upper_in, upper_out, outer], close=False)
    path.connectPath(smooth([outer, lower_out, lower_in, inner], close=False))
    path.closeSubpath()
    return path


def draw_eyes(sheet: Sheet) -> None:
    opening = both(eye_path())
    in_eyes = fill(opening, "#000000")
    sheet.add(fill(both(ellipse(31, -7, 17, 9)), SKIN_DEEP), blur_mm=5, opacity=0.36)
    sheet.add(fill(opening, vertical(-4.5, 4, [(0, "#d9d3cd", 255), (0.4, "#fbf8f4", 255), (1, "#f1ebe5", 255)])))
    for side in (-1, 1):
        x, y = side * 32.0, -0.5
        iris = ellipse(x, y, 5.9, 5.9)
        colours = [(0, "#8b6a3c", 255), (0.55, "#74602f", 255), (0.85, "#4b4a2c", 255), (1, "#23251a", 255)]
        sheet.add(fill(iris, radial((x, y + 1.5), 6, colours)), clip=in_eyes)
        sheet.add(fill(ellipse(x, y, 2.6, 2.6), "#0b0908"), clip=in_eyes)
        sheet.add(fill(ellipse(x - 1.9, y - 2.0, 1.4, 1.4), "#ffffff"), opacity=0.95, clip=in_eyes)
        sheet.add(fill(ellipse(x + 2.0, y + 2.1, 0.7, 0.7), "#ffffff"), opacity=0.55, clip=in_eyes)
    sheet.add(fill(both(ellipse(20.9, 1.1, 1.5, 1.2)), "#d98d82"), blur_mm=0.4, opacity=0.9, clip=in_eyes)
    upper, lower = smooth(points(42, 43, 44, 45), close=False), smooth(points(42, 47, 46, 45), close=False)
    sheet.add(stroke(both(upper.translated(0, 1)), "#5b4038", 2.4), blur_mm=1, opacity=0.6, clip=in_eyes)
    sheet.add(stroke(both(lower), "#8a5642", 0.8), opacity=0.8)
    sheet.add(stroke(both(upper), "#1f1512", 1.7))
    crease = curve((19, -3.5), (24, -10, 38, -11, 46.5, -4.5), close=False)
    sheet.add(stroke(both(crease), SKIN_DEEP, 1), blur_mm=0.5, opacity=0.75)
    bag = curve((21, 6.5), (28, 10.5, 38, 10, 44, 6), close=False)
    sheet.add(stroke(both(bag), SKIN_SHADE, 1.2), blur_mm=0.9, opacity=0.6)


def draw_brows(sheet: Sheet) -> None:
    rng = np.random.default_rng(31)
    line = points(22, 23, 24, 25, 26)
    middle = smooth(line, close=False)
    made = []
    for share in np.sort(rng.uniform(0, 0.97, 330)):
        at = middle.percentAtLength(float(share) * middle.length())
        spot, angle = middle.pointAtPercent(at), -middle.angleAtPercent(at)
        half = np.interp(share, (0, 0.12, 0.5, 1), (2.4, 3.0, 2.7, 1.0))
        offset = rng.uniform(-half, half)
        turn = angle - np.interp(share, (0, 0.4, 1), (62, 22, -4)) * (offset + half + 0.6) / (2 * half + 0.6)
        colour = mixed(HAIR_DARK, HAIR_LIGHT, float(rng.uniform(0, 0.55)))
        made.append(Hair((spot.x(), spot.y() + offset), float(turn), float(rng.uniform(4, 6.5)), 14, 0.7, colour))
    other = [Hair((-h.root[0], h.root[1]), 180 - h.angle_deg, h.length, -h.bend_deg, h.width, h.colour) for h in made]
    sheet.add(stroke(both(middle), HAIR_DARK, 4.6), blur_mm=1.3, opacity=0.5)
    sheet.add(hairs([*made, *other]))


def draw_mouth(sheet: Sheet) -> None:
    outer = smooth(points(48, 49, 50, 51, 52, 53, 54), close=False)
    outer.connectPath(smooth(points(54, 55, 56, 57, 58, 59, 48), close=False))
    outer.closeSubpath()
    inner_upper = smooth([*points(48, 60, 61, 62, 63, 64, 54)], close=False)
    inner_lower = smooth([*points(54, 64, 65, 66, 67, 60, 48)], close=False)
    upper_lip = smooth(points(48, 49, 50, 51, 52, 53, 54), close=False)
    upper_lip.connectPath(smooth(points(54, 64, 63, 62, 61, 60, 48), close=False))
    upper_lip.closeSubpath()
    on_lips = fill(outer, "#000000")
    sheet.add(fill(outer, "#8e5a44"), blur_mm=1.8, opacity=0.4)
    sheet.add(
        fill(outer, vertical(66, 80, [(0, "#b5735f", 255), (0.5, "#c98a74", 255), (1, "#b0735e", 255)])), blur_mm=0.25
    )
    sheet.add(fill(upper_lip, vertical(59, 68, [(0, "#b97a66", 255), (1, "#94573f", 255)])), blur_mm=0.25)
    sheet.add(fill(ellipse(-2, 73.4, 9, 1.8), "#ffe0d0"), blur_mm=1.6, opacity=0.4, clip=on_lips)
    gap = QPainterPath(inner_upper)
    gap.connectPath(inner_lower)
    sheet.add(fill(gap, "#5a2420"), blur_mm=0.25)
    sheet.add(stroke(inner_upper, "#5a2420", 1.0), blur_mm=0.3, opacity=0.8)
    corners = curve((25.4, 66.6), (27.4, 66.2, 28.6, 64.6, 29.2, 63.4), close=False)
    sheet.add(stroke(both(corners), SKIN_DEEP, 1.3), blur_mm=0.7, opacity=0.6)


HAIR_OUTER = [(-79, -2), (-84, -30), (-84, -62), (-73, -94), (-48, -115), (-14, -123), (22, -122), (54, -111),
              (75, -90), (84, -60), (84, -30), (79, -2)]  # fmt: skip
HAIR_INNER = [(74, -4), (72, -24), (67, -44), (56, -60), (36, -66), (10, -62), (-14, -66), (-38, -70), (-56, -60),
              (-66, -44), (-72, -24), (-74, -4)]  # fmt: skip


def draw_hair(sheet: Sheet) -> None:
    shape = smooth([*HAIR_OUTER, *HAIR_INNER])
    on_face = fill(head(), "#000000")
    sheet.add(fill(shape.translated(0, 4), "#4a2a1a"), blur_mm=4, opacity=0.5, clip=on_face)
    sheet.add(fill(shape, vertical(-122, -10, [(0, "#3d2b23", 255), (1, "#241915", 255)])), blur_mm=0.3)
    rng = np.random.default_rng(32)
    roots: list[Point] = []
    while len(roots) < 2600:
        x, y = rng.uniform(-88, 88), rng.uniform(-124, 0)
        if shape.contains(QPointF(x, y)):
            roots.append((float(x), float(y)))
    made = []
    for x, y in sorted(roots, key=lambda root: root[1]):
        # From a crown a little to the left the hair falls to both sides, and forward over the forehead.
        dx, dy = x + 16, y + 134
        angle = np.degrees(np.arctan2(dy * (0.45 + abs(dx) / 90), dx * 1.25))
        gloss = np.exp(-(((np.hypot(dx * 0.8, dy) - 36) / 13) ** 2))
        tone = float(np.clip(0.22 + 0.6 * gloss + rng.normal(0, 0.16), 0, 1))
        length = rng.uniform(9, 16) * (0.55 if y > -34 else 1)
        bend = 16 * np.sign(dx) * rng.uniform(0.4, 1.2)
        made.append(
            Hair((x, y), float(angle + rng.normal(0, 5)), length, float(bend), 1.0, mixed(HAIR_DARK, HAIR_LIGHT, tone))
        )
    sheet.add(hairs(made))


def main() -> None:
    application = QGuiApplication.instance() or QGuiApplication([])
    top = -EYE_LINE_SHARE * UNITS
    sheet = Sheet(-UNITS / 2, top, UNITS / 2, top + UNITS, width_px=SIDE_PX, supersampling=3)
    for step in (draw_ground, draw_body, draw_ears, draw_skin, draw_nose, draw_eyes, draw_brows, draw_mouth, draw_hair):
        step(sheet)
    sheet.save(FOLDER / "model.png")
    # Pixel (0, 0) has its centre at (0, 0) in keypoints, its corner there in pictures.
    placed = [[round(value - 0.5, 2) for value in sheet.to_px((x, y))] for x, y in KEYPOINTS.tolist()]
    rows = ",\n".join(f"    {json.dumps(point)}" for point in placed)
    text = f'{{\n  "format": 1,\n  "image": "model.png",\n  "width": {SIDE_PX},\n  "height": {SIDE_PX},\n'
    (FOLDER / "model.json").write_text(f'{text}  "keypoints_px": [\n{rows}\n  ]\n}}\n', encoding="utf-8")
    del application


if __name__ == "__main__":
    main()
