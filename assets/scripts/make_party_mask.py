"""Draw the party mask overlay and write its anchors, a mesh that bends with the face.

Run ``python assets/scripts/make_party_mask.py``.
"""

from __future__ import annotations

import numpy as np
from overlay_art import (
    OVERLAYS_DIR,
    Picture,
    Point,
    Sheet,
    anchors,
    both,
    curve,
    ellipse,
    fill,
    joined,
    radial,
    smooth,
    stroke,
    vertical,
    write_description,
)
from PySide6.QtGui import QGuiApplication, QPainterPath

FOLDER = OVERLAYS_DIR / "party-mask"

GOLD_DARK, GOLD, GOLD_LIGHT = "#6e4a10", "#d8a53a", "#fff3c4"


def half_outline() -> QPainterPath:
    """Return the outline of the half on the picture's right, closed along x = 0."""
    return curve(
        (0, -31),
        (5, -36, 12, -40, 24, -41.5),
        (44, -44, 62, -46, 90, -56),
        (84, -46, 82, -36, 80.5, -25),
        (78.5, -8, 74, 10, 63, 20.5),
        (50, 31.5, 33, 32, 23, 25.5),
        (17.5, 22, 15.5, 18, 12, 17.5),
        (8, 17, 5, 24.5, 0, 25),
    )


def eye_hole() -> QPainterPath:
    return curve(
        (13.2, 4.2),
        (16.5, -5.5, 25, -11, 34.5, -10.8),
        (44, -10.6, 51.5, -6, 55.5, -3.2),
        (52, 6, 43.5, 11, 33.5, 11),
        (24.5, 11, 17.5, 8, 13.2, 4.2),
    )


def scroll(points: list[Point]) -> QPainterPath:
    return smooth(points, close=False)


SCROLLS: list[list[Point]] = [
    # From the bridge along the brow, curling at the temple.
    [(6, -17), (14, -24.5), (26, -29), (42, -30.5), (57, -31.5), (68, -36), (71.5, -43), (67.5, -46.5), (63.5, -43)],
    [(57, -31.5), (65, -29), (71, -24), (71.5, -17.5), (67, -15.5), (64.5, -19)],
    # On the cheek.
    [(20, 17), (29, 22.3), (41, 23.5), (52, 20), (60, 13), (64, 4), (62, -2.5), (57.5, -0.5)],
    [(52, 20), (48, 15.5), (42.5, 16), (42.5, 19.4), (45.5, 19.6)],
]
PEARLS: list[Point] = [
    (76, -36.5),
    (75.2, -27.5),
    (73.6, -10),
    (71, 0.5),
    (66.8, 9.5),
    (29, -35.2),
    (40, -36.4),
    (51, -37.6),
]


def gold(sheet: Sheet, path: QPainterPath, width: float) -> None:
    """Draw a raised golden cord along a path."""
    sheet.add(stroke(path.translated(0, 0.9), "#12051d", width + 0.6), blur_mm=0.9, opacity=0.55)
    sheet.add(stroke(path, GOLD_DARK, width))
    sheet.add(
        stroke(path, vertical(-56, 32, [(0, "#f4cf6b", 255), (0.5, GOLD, 255), (1, "#b98325", 255)]), 0.74 * width)
    )
    sheet.add(
        stroke(path.translated(-0.12 * width, -0.16 * width), GOLD_LIGHT, 0.24 * width), blur_mm=0.15, opacity=0.9
    )


def gem(sheet: Sheet, x: float, y: float, *, half_width: float, half_height: float, dark: str, light: str) -> None:
    setting = ellipse(x, y, half_width + 1.3, half_height + 1.3)
    sheet.add(fill(setting.translated(0, 1), "#12051d"), blur_mm=1, opacity=0.6)
    sheet.add(
        fill(
            setting,
            vertical(y - half_height, y + half_height, [(0, GOLD_LIGHT, 255), (0.5, GOLD, 255), (1, GOLD_DARK, 255)]),
        )
    )
    stone = ellipse(x, y, half_width, half_height)
    sheet.add(
        fill(
            stone,
            radial(
                (x, y + 0.5 * half_height), 1.5 * half_height, [(0, light, 255), (0.6, dark, 255), (1, "#01141a", 255)]
            ),
        )
    )
    facet = smooth(
        [
            (x - 0.5 * half_width, y - 0.25 * half_height),
            (x, y - 0.7 * half_height),
            (x + 0.4 * half_width, y - 0.35 * half_height),
            (x, y - 0.1 * half_height),
        ]
    )
    sheet.add(fill(facet, "#ffffff"), blur_mm=0.25, opacity=0.75)


def draw(sheet: Sheet) -> None:
    body, hole = joined(half_outline(), without=eye_hole()), both(eye_hole())
    in_body = fill(body, "#000000")
    sheet.add(fill(body.translated(0, 2.4), "#000000"), blur_mm=2.6, opacity=0.42)  # its shadow on the face
    silk = [(0, "#6a1fb0", 255), (0.35, "#8b2fd0", 255), (0.62, "#5a1899", 255), (1, "#35095f", 255)]
    sheet.add(fill(body, vertical(-50, 30, silk)))
    # The face below: light on brows, the ridge of the nose and the cheeks, shade beside the nose and at the temples.
    lights, shades = QPainterPath(), QPainterPath()
    lights.addPath(both(ellipse(36, -20, 20, 6)))
    lights.addPath(both(ellipse(45, 18, 13, 5)))
    lights.addPath(ellipse(0, 6, 3.2, 15))
    shades.addPath(both(ellipse(12, 3, 3.5, 15)))
    shades.addPath(both(ellipse(78, -18, 7, 30)))
    shades.addPath(both(ellipse(30, 29, 26, 4)))
    sheet.add(fill(shades, "#150228"), blur_mm=4.5, opacity=0.75, clip=in_body)
    sheet.add(fill(lights, "#dca6ff"), blur_mm=4.5, opacity=0.55, clip=in_body)
    # Glitter: fine points of light, denser towards the temples.
    rng = np.random.default_rng(8)
    for tone, count, opacity in (("#f3d7ff", 420, 0.55), ("#ffe9a8", 260, 0.6), ("#2a0550", 420, 0.5)):
        dust = QPainterPath()
        for x, y, radius in zip(
            rng.triangular(0, 86, 86, count), rng.uniform(-54, 30, count), rng.uniform(0.18, 0.5, count), strict=True
        ):
            dust.addPath(ellipse(float(x) * rng.choice((-1, 1)), float(y), float(radius), float(radius)))
        sheet.add(fill(dust, tone), opacity=opacity, clip=in_body)
    for points in SCROLLS:
        gold(sheet, both(scroll(points)), 1.7)
    for x, y in PEARLS:
        for side in (-1, 1):
            pearl = ellipse(side * x, y, 1.35, 1.35)
            sheet.add(fill(pearl.translated(0, 0.6), "#12051d"), blur_mm=0.6, opacity=0.6)
            sheet.add(
                fill(
                    pearl,
                    radial(
                        (side * x - 0.4, y - 0.5),
                        2.2,
                        [(0, "#ffffff", 255), (0.5, "#f0e4da", 255), (1, "#9b8676", 255)],
                    ),
                )
            )
    edge = joined(half_outline())
    gold(sheet, edge, 2.6)
    sheet.add(stroke(hole, "#12051d", 3.6), blur_mm=1.2, opacity=0.5, clip=in_body)
    gold(sheet, hole, 2.2)
    gem(sheet, 0, -22, half_width=4.6, half_height=6.4, dark="#067a8c", light="#6ff0f4")
    for side in (-1, 1):
        gem(sheet, side * 11.5, -27.6, half_width=2.3, half_height=2.6, dark="#a3123a", light="#ff8aa0")
        gem(sheet, side * 64.2, -23.5, half_width=2.4, half_height=3.0, dark="#067a8c", light="#6ff0f4")
    sheet.cut(fill(both(eye_hole()), "#000000"))
    gold_rim = both(eye_hole())
    sheet.add(stroke(gold_rim, GOLD_DARK, 1.0), opacity=0.9)


def main() -> None:
    application = QGuiApplication.instance() or QGuiApplication([])
    sheet = Sheet(-96, -62, 96, 48, width_px=780, supersampling=3)
    draw(sheet)
    sheet.save(FOLDER / "party-mask.png")
    # Lids are not among the anchors: the holes must not close when the eyes do. The jaw's ends slide along the head
    # when it turns, so they are mixed with points that do not.
    held = anchors(
        sheet.to_px,
        temple_left=(0, 17, 36),
        cheekbone_left=(1, 2, 31, 36),
        brow_outer_left=(17,),
        brow_middle_left=(18, 19),
        brow_inner_left=(20, 21),
        eye_outer_left=(36, 37, 41),
        eye_inner_left=(38, 39, 40),
        bridge_of_the_nose=(27,),
        ridge_of_the_nose=(28, 29),
        nostril_left=(31, 32),
        nostril_right=(34, 35),
        eye_inner_right=(42, 43, 47),
        eye_outer_right=(44, 45, 46),
        brow_inner_right=(22, 23),
        brow_middle_right=(24, 25),
        brow_outer_right=(26,),
        cheekbone_right=(14, 15, 35, 45),
        temple_right=(16, 26, 45),
    )
    write_description(
        FOLDER,
        "make_party_mask.py",
        name="Party mask",
        german="Partymaske",
        order=50,
        key="8",
        pictures=[Picture("party-mask.png", held, fit="mesh")],
    )
    del application


if __name__ == "__main__":
    main()
