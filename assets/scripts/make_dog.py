"""Draw the dog overlay, ears, tongue and snout, and write their anchors.

Run ``python assets/scripts/make_dog.py``. The fur is combed out of single hairs, with fixed seeds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from overlay_art import (
    OVERLAYS_DIR,
    Hair,
    Picture,
    Point,
    Sheet,
    anchors,
    both,
    curve,
    ellipse,
    fill,
    hairs,
    linear,
    mixed,
    radial,
    smooth,
    stroke,
    vertical,
    write_description,
)
from PySide6.QtCore import QPointF
from PySide6.QtGui import QGuiApplication, QPainterPath

FOLDER = OVERLAYS_DIR / "dog"

Flow = Callable[[float, float], tuple[float, float]]
"""Direction in degrees and brightness 0..1 of the fur at a place."""


def fur(
    area: QPainterPath, flow: Flow, *, count: int, length: float, seed: int, dark: str, light: str, width: float = 1.1
) -> list[Hair]:
    """Return hairs rooted all over an area, the upper ones first."""
    rng = np.random.default_rng(seed)
    bounds = area.boundingRect()
    roots: list[Point] = []
    while len(roots) < count:
        x, y = rng.uniform(bounds.left(), bounds.right()), rng.uniform(bounds.top(), bounds.bottom())
        if area.contains(QPointF(x, y)):
            roots.append((x, y))
    made = []
    for x, y in sorted(roots, key=lambda root: root[1]):
        angle, bright = flow(x, y)
        tone = float(np.clip(bright + rng.normal(0, 0.13), 0, 1))
        made.append(
            Hair(
                (x, y),
                angle + rng.normal(0, 7),
                length * rng.uniform(0.7, 1.3),
                rng.normal(0, 10),
                width * rng.uniform(0.7, 1.3),
                mixed(dark, light, tone),
            )
        )
    return made


def mirrored_hairs(strands: list[Hair]) -> list[Hair]:
    return [Hair((-h.root[0], h.root[1]), 180 - h.angle_deg, h.length, -h.bend_deg, h.width, h.colour) for h in strands]


# --- ears ---

EAR = [(28, -84), (35, -103), (50, -114), (68, -113), (83, -100), (94, -78), (102, -53), (103, -32), (94, -21),
       (82, -26), (72, -42), (63, -58), (52, -68), (38, -74)]  # fmt: skip
INNER = [(44, -82), (52, -91), (62, -87), (72, -72), (81, -55), (86, -40), (83, -34), (76, -44), (66, -59), (54, -71)]


def ear_flow(x: float, y: float) -> tuple[float, float]:
    """Return how the fur lies: up from the root, over the fold, and down the flap."""
    over = np.clip((x - 32) / 45, 0, 1)
    angle = -62 + 140 * over**0.9 - 18 * np.clip((y + 52) / 40, 0, 1) * (over > 0.9)
    # Light falls on the fold; the flap's edge and the root are darker.
    fold = np.exp(-(((x - 58) / 22) ** 2) - ((y + 104) / 16) ** 2)
    return float(angle), float(0.38 + 0.5 * fold - 0.22 * np.clip((y + 67) / 45, 0, 1))


def draw_ears(sheet: Sheet) -> None:
    ear, inner = smooth(EAR), smooth(INNER)
    sheet.add(fill(both(ear).translated(0, 5), "#000000"), blur_mm=4, opacity=0.3)
    sheet.add(fill(both(ear), vertical(-114, -22, [(0, "#94603a", 255), (1, "#4a2a17", 255)])), blur_mm=1.2)
    coat = fur(ear, ear_flow, count=2600, length=13, seed=11, dark="#3a1f10", light="#c98b56", width=1.3)
    sheet.add(hairs(coat))
    sheet.add(hairs(mirrored_hairs(coat)))
    # The pink inside shows where the flap turns outwards.
    in_ears = fill(both(ear), "#000000")
    sheet.add(fill(both(inner), "#2a140c"), blur_mm=2.5, opacity=0.75, clip=in_ears)
    skin = vertical(-90, -36, [(0, "#b77468", 255), (0.5, "#e0a394", 255), (1, "#b9796a", 255)])
    sheet.add(fill(both(smooth([(0.86 * (x - 66) + 66, 0.8 * (y + 62) - 62) for x, y in INNER])), skin), blur_mm=1.6)
    lining = fur(
        inner, lambda _x, _y: (58, 0.4), count=420, length=9, seed=12, dark="#8a5138", light="#f0cdb0", width=0.8
    )
    sheet.add(hairs(lining), opacity=0.55)
    sheet.add(hairs(mirrored_hairs(lining)), opacity=0.55)
    tuft_root = smooth([(30, -80), (38, -76), (50, -70), (56, -66), (46, -82), (36, -90)])
    tuft = fur(tuft_root, lambda _x, _y: (75, 0.55), count=260, length=12, seed=13, dark="#4a2a17", light="#d79a63")
    sheet.add(hairs(tuft))
    sheet.add(hairs(mirrored_hairs(tuft)))


# --- snout: muzzle and nose ---

NOSE = [(0, 24), (9, 23.4), (17, 26), (20.5, 31.5), (18, 38), (11, 43.5), (4.5, 48.5), (0, 50)]
MUZZLE = [(0, 40), (12, 41), (26, 43), (36, 50), (38, 58), (32, 65), (21, 66.5), (10, 64), (2.5, 58), (0, 55)]


def whole(half: list[Point]) -> QPainterPath:
    return smooth([*half, *[(-x, y) for x, y in reversed(half[1:-1])]])


def muzzle_flow(x: float, y: float) -> tuple[float, float]:
    turn = 90 - 62 * np.clip(x / 30, -1, 1)
    lobe = np.exp(-(((abs(x) - 17) / 17) ** 2) - ((y - 50) / 11) ** 2)
    return float(turn), float(0.35 + 0.65 * lobe)


def bridge_flow(x: float, _y: float) -> tuple[float, float]:
    return float(-90 + 1.3 * x), float(0.75 - 0.02 * abs(x))


def draw_snout(sheet: Sheet) -> None:
    muzzle, nose = both(smooth(MUZZLE)), whole(NOSE)
    sheet.add(fill(muzzle.translated(0, 3.5), "#1c0f08"), blur_mm=3, opacity=0.42)
    # A blaze up the bridge of the nose fades into the skin.
    blaze = smooth([(-9, 34), (9, 34), (8, 20), (5, 6), (0, 0), (-5, 6), (-8, 20)])
    up = fur(blaze, bridge_flow, count=420, length=11, seed=21, dark="#b98e66", light="#fff6ea", width=0.9)
    sheet.add(hairs(up[::-1]), opacity=0.75)
    sheet.add(fill(muzzle, vertical(40, 66, [(0, "#f6e7d6", 255), (1, "#bd9674", 255)])), blur_mm=1.4)
    coat = fur(muzzle, muzzle_flow, count=2400, length=7.5, seed=22, dark="#a77f5c", light="#fffaf2", width=0.85)
    sheet.add(hairs(coat))
    cleft = curve((0, 47), (0.5, 52, 1.5, 58, 3.5, 61.5), close=False)
    sheet.add(stroke(both(cleft), "#3a2115", 1.3), blur_mm=0.35, opacity=0.85)
    spots = QPainterPath()
    for x, y in ((14, 52), (21, 50.5), (28, 53), (17.5, 57), (25, 58)):
        spots.addPath(both(ellipse(x, y, 0.95, 0.85)))
    sheet.add(fill(spots, "#5a3a27"), blur_mm=0.15, opacity=0.85)
    whiskers = QPainterPath()
    for x, y, end_x, end_y in ((21, 50.5, 56, 44), (28, 53, 60, 53), (25, 58, 56, 63)):
        whiskers.addPath(both(curve((x, y), (x + 10, y - 2, end_x - 12, end_y - 1, end_x, end_y), close=False)))
    sheet.add(stroke(whiskers, "#fffaf0", 0.55), opacity=0.8)
    # The nose: wet leather.
    in_nose = fill(nose, "#000000")
    sheet.add(fill(nose.translated(0, 1.8), "#000000"), blur_mm=1.8, opacity=0.5)
    sheet.add(fill(nose, vertical(23, 50, [(0, "#4b4546", 255), (0.35, "#262224", 255), (1, "#0c0a0b", 255)])))
    nostril = curve(
        (6.2, 38.6),
        (7.5, 34.2, 12.5, 32.8, 16.2, 35.2),
        (17.2, 37.6, 13.5, 38.2, 11.2, 38.4),
        (9, 38.8, 7.4, 40.6, 6.2, 38.6),
    )
    sheet.add(fill(both(nostril), "#000000"), blur_mm=0.5, opacity=0.95, clip=in_nose)
    sheet.add(stroke(curve((0, 40), (0, 43, 0, 46, 0, 50), close=False), "#000000", 1.1), blur_mm=0.3, opacity=0.8)
    shine = smooth([(-12, 27.6), (-4, 25.6), (4, 25.6), (11, 27.4), (5, 30.2), (-5, 30.4)])
    sheet.add(fill(shine, "#ffffff"), blur_mm=1.7, opacity=0.5, clip=in_nose)
    spark = smooth([(-8.5, 27.6), (-4.5, 26.4), (-2.5, 27.4), (-5, 29), (-8, 29)])
    sheet.add(fill(spark, "#ffffff"), blur_mm=0.5, opacity=0.75, clip=in_nose)
    rim = both(curve((12, 43), (17, 38.5, 19.6, 35, 19.4, 31.5), close=False))
    sheet.add(stroke(rim, "#8c8486", 1), blur_mm=0.9, opacity=0.6, clip=in_nose)


# --- tongue ---

TONGUE = [(0, 66.5), (8, 66.5), (12.5, 69), (14, 77), (14.6, 88), (12.5, 99), (6.5, 105.5), (0, 107)]


def draw_tongue(sheet: Sheet) -> None:
    tongue = whole(TONGUE)
    inside = fill(tongue, "#000000")
    sheet.add(fill(tongue.translated(0, 2.5), "#2a0a0c"), blur_mm=2.2, opacity=0.4)
    flesh = linear(
        (-15, 0), (15, 0), [(0, "#d9566b", 255), (0.3, "#f58a98", 255), (0.7, "#ee7888", 255), (1, "#c8485d", 255)]
    )
    sheet.add(fill(tongue, flesh))
    sheet.add(fill(tongue, vertical(66, 80, [(0, "#5c0f1d", 235), (0.5, "#8e2335", 110), (1, "#8e2335", 0)])))
    sheet.add(fill(tongue, radial((0, 112), 30, [(0, "#a52f45", 150), (1, "#a52f45", 0)])))
    furrow = curve((0, 70), (0.6, 78, -0.4, 88, 0, 98), close=False)
    sheet.add(stroke(furrow, "#a33148", 1.6), blur_mm=0.7, opacity=0.75, clip=inside)
    sheet.add(stroke(furrow.translated(1.2, 0), "#ffc0c6", 0.8), blur_mm=0.5, opacity=0.6, clip=inside)
    for x, y, height in ((-6.8, 88, 9), (7.2, 93, 5)):
        sheet.add(fill(ellipse(x, y, 1.7, height), "#fff0f0"), blur_mm=1.3, opacity=0.55, clip=inside)


def main() -> None:
    application = QGuiApplication.instance() or QGuiApplication([])
    ears = Sheet(-118, -128, 118, -6, width_px=880, supersampling=3)
    draw_ears(ears)
    ears.save(FOLDER / "ears.png")
    tongue = Sheet(-20, 62, 20, 114, width_px=180, supersampling=4)
    draw_tongue(tongue)
    tongue.save(FOLDER / "tongue.png")
    snout = Sheet(-64, -22, 64, 78, width_px=600, supersampling=3)
    draw_snout(snout)
    snout.save(FOLDER / "snout.png")
    # As the hat: see make_hat.py.
    on_head = anchors(
        ears.to_px,
        jaw_at_the_ear_on_the_left=(0,),
        jaw_below_the_ear_on_the_left=(1,),
        jaw_at_the_ear_on_the_right=(16,),
        jaw_below_the_ear_on_the_right=(15,),
        eye_on_the_left=range(36, 42),
        eye_on_the_right=range(42, 48),
    )
    in_mouth = anchors(
        tongue.to_px,
        corner_of_the_mouth_on_the_left=(48, 60),
        corner_of_the_mouth_on_the_right=(54, 64),
        lower_lip_on_the_left=(67, 58),
        lower_lip_on_the_right=(65, 56),
    )
    # Exactly on the nose, and as wide and upright as the eyes say: three anchors, so it leans when the head turns.
    on_nose = anchors(
        snout.to_px,
        tip_and_base_of_the_nose=range(30, 36),
        eye_on_the_left=range(36, 42),
        eye_on_the_right=range(42, 48),
    )
    write_description(
        FOLDER,
        "make_dog.py",
        name="Dog",
        german="Hund",
        order=60,
        key="7",
        pictures=[
            Picture("ears.png", on_head, fit="similarity"),
            Picture("tongue.png", in_mouth, fit="similarity"),
            Picture("snout.png", on_nose),
        ],
    )
    del application


if __name__ == "__main__":
    main()
