"""Draw the hat overlay, a felt fedora, and write its anchors.

Run ``python assets/scripts/make_hat.py``.
"""

from __future__ import annotations

import cv2
import numpy as np
from overlay_art import (
    OVERLAYS_DIR,
    Hair,
    Picture,
    Sheet,
    anchors,
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
from PySide6.QtGui import QGuiApplication, QPainterPath

FOLDER = OVERLAYS_DIR / "hat"

FELT_DARK, FELT, FELT_LIGHT = "#3d2a1d", "#8d6747", "#c39a70"


def crown() -> QPainterPath:
    """Return the crown: wide above the ribbon, pinched in front, with a dent along its top."""
    return curve(
        (-81, -58),
        (-80, -88, -74, -122, -60, -146),
        (-52, -159, -36, -166, -22, -161),
        (-12, -157, -7, -153, 0, -153),
        (7, -153, 12, -157, 22, -161),
        (36, -166, 52, -159, 60, -146),
        (74, -122, 80, -88, 81, -58),
        (60, -40, -60, -40, -81, -58),
    )


def ribbon() -> QPainterPath:
    return curve(
        (-81.5, -58),
        (-81.2, -66, -80.6, -74, -79.4, -82),
        (-50, -66, 50, -66, 79.4, -82),
        (80.6, -74, 81.2, -66, 81.5, -58),
        (52, -38, -52, -38, -81.5, -58),
    )


def brim_front() -> QPainterPath:
    """Return the part of the brim in front of the crown, its sides curled up."""
    return curve(
        (-126, -76),
        (-112, -74, -98, -66, -81, -58),
        (-52, -41, 52, -41, 81, -58),
        (98, -66, 112, -74, 126, -76),
        (127.5, -70, 122, -60, 110, -52),
        (84, -35, 46, -26.5, 0, -26.5),
        (-46, -26.5, -84, -35, -110, -52),
        (-122, -60, -127.5, -70, -126, -76),
    )


def brim_edge() -> QPainterPath:
    return curve(
        (125.6, -73),
        (125, -66, 120, -60.5, 110, -53.2),
        (84, -36.5, 46, -28, 0, -28),
        (-46, -28, -84, -36.5, -110, -53.2),
        (-120, -60.5, -125, -66, -125.6, -73),
        close=False,
    )


def feather() -> list[Hair]:
    """Return the barbs of a small feather behind the ribbon, on the picture's right."""
    rng = np.random.default_rng(5)
    root, tip = np.array([58.0, -64.0]), np.array([86.0, -128.0])
    along = tip - root
    angle = float(np.degrees(np.arctan2(along[1], along[0])))
    barbs = []
    for share in np.linspace(0.1, 1.0, 120):
        bow = np.array([4.0 * np.sin(np.pi * share), 0])
        for side in (-1, 1):
            colour = mixed("#b3262b", "#f2b544", float(np.clip(share * 1.1 - 0.25 + rng.normal(0, 0.08), 0, 1)))
            length = (11 * np.sin(np.pi * min(share * 0.9 + 0.08, 1)) ** 0.7 + 2) * rng.uniform(0.85, 1.05)
            start = root + share * along + bow
            barbs.append(Hair((start[0], start[1]), angle + side * 34, length, -side * 14, 1.1, colour))
    return barbs


def felt(sheet: Sheet) -> None:
    """Give the felt painted so far a fine nap."""
    rng = np.random.default_rng(6)
    height, width = sheet.rgba.shape[:2]
    grain = cv2.GaussianBlur(rng.standard_normal((height // 3, width // 3)).astype(np.float32), (0, 0), 0.9)
    grain = cv2.resize(grain, (width, height), interpolation=cv2.INTER_LINEAR)
    sheet.rgba[..., :3] = np.clip(sheet.rgba[..., :3] * (1 + 0.07 * grain[..., None]), 0, sheet.rgba[..., 3:])


def draw(sheet: Sheet) -> None:
    front, top = brim_front(), crown()
    # Shadow on the forehead and the hair.
    face = ellipse(0, -20, 82, 62)
    sheet.add(fill(front.translated(0, 9), "#000000"), blur_mm=4.5, opacity=0.46)
    sheet.rgba *= cv2.GaussianBlur(sheet.layer(fill(face, "#000000")), (0, 0), 6 * sheet.px_per_mm)[..., 3:]
    # The far side of the brim shows beside the crown.
    back = curve(
        (-126, -76), (-100, -92, -60, -96, 0, -96), (60, -96, 100, -92, 126, -76), (70, -36, -70, -36, -126, -76)
    )
    sheet.add(
        fill(back, linear((-126, 0), (126, 0), [(0, "#6a4a32", 255), (0.5, "#2b1c12", 255), (1, "#54392a", 255)]))
    )
    sheet.add(stroke(back, "#2a1b11", 1.2), opacity=0.7)
    round_felt = linear(
        (-82, 0),
        (82, 0),
        [
            (0, FELT_DARK, 255),
            (0.2, FELT, 255),
            (0.37, FELT_LIGHT, 255),
            (0.6, FELT, 255),
            (0.9, "#553b29", 255),
            (1, "#37261a", 255),
        ],
    )
    in_crown = fill(top, "#000000")
    sheet.add(fill(top, round_felt))
    sheet.add(fill(top, vertical(-166, -60, [(0, "#fff2dd", 50), (0.3, "#fff2dd", 0), (1, "#1a0f08", 120)])))
    # The pinches in front and the dent on top.
    for side, strength in ((-1, 0.5), (1, 0.62)):
        pinch = smooth(
            [
                (side * 27, -158),
                (side * 36, -138),
                (side * 31, -108),
                (side * 22, -96),
                (side * 22, -120),
                (side * 20, -142),
            ]
        )
        sheet.add(fill(pinch, "#24160d"), blur_mm=6, opacity=strength, clip=in_crown)
    ridge = smooth([(-6, -150), (6, -150), (9, -120), (5, -92), (-5, -92), (-9, -120)])
    sheet.add(fill(ridge, "#e2bd92"), blur_mm=6, opacity=0.35, clip=in_crown)
    dent = curve((-36, -163), (-20, -150, 20, -150, 36, -163), (20, -142, -20, -142, -36, -163))
    sheet.add(fill(dent, "#1d120a"), blur_mm=3, opacity=0.55, clip=in_crown)
    sheet.add(stroke(top.translated(0, 1.5), "#ffe9c9", 1.6), blur_mm=1.2, opacity=0.35, clip=in_crown)
    felt(sheet)
    # Ribbon and feather.
    band, in_band = ribbon(), fill(ribbon(), "#000000")
    silk = [
        (0, "#0b0a0d", 255),
        (0.22, "#2c2932", 255),
        (0.36, "#57525f", 255),
        (0.5, "#26232b", 255),
        (1, "#09080b", 255),
    ]
    sheet.add(hairs(feather()))
    quill = curve((58, -64), (68, -86, 82, -108, 87, -129), close=False)
    sheet.add(stroke(quill, "#fff0cf", 0.9), opacity=0.9)
    sheet.add(fill(band.translated(0, -1.6), "#1a0f08"), blur_mm=1.8, opacity=0.6, clip=in_crown)
    sheet.add(fill(band, linear((-81, 0), (81, 0), silk)))
    for lift in (13.5, 8.5, 3.5):
        weave = curve((-80.5, -62 - lift), (-50, -45 - lift, 50, -45 - lift, 80.5, -62 - lift), close=False)
        sheet.add(stroke(weave, "#ffffff", 0.5), blur_mm=0.3, opacity=0.1, clip=in_band)
    knot = smooth([(50, -74), (57, -77), (64, -74), (66, -61), (63, -51), (56, -49), (51, -53), (49, -64)])
    sheet.add(fill(knot.translated(1, 1.5), "#000000"), blur_mm=1.6, opacity=0.6, clip=in_band)
    sheet.add(fill(knot, radial((55, -68), 20, [(0, "#5a5563", 255), (0.5, "#2a2730", 255), (1, "#0d0c10", 255)])))
    sheet.add(fill(band, vertical(-60, -44, [(0, "#000000", 0), (1, "#000000", 150)])), clip=in_band)
    # The brim in front.
    in_front = fill(front, "#000000")
    brim_felt = linear(
        (-126, 0),
        (126, 0),
        [
            (0, "#9a7350", 255),
            (0.1, "#6b4b34", 255),
            (0.36, FELT_LIGHT, 255),
            (0.6, FELT, 255),
            (0.88, "#5a3f2b", 255),
            (1, "#876244", 255),
        ],
    )
    sheet.add(fill(front, brim_felt))
    under = curve(
        (-126, -76),
        (-90, -58, -50, -44, 0, -44),
        (50, -44, 90, -58, 126, -76),
        (90, -66, 50, -52, 0, -52),
        (-50, -52, -90, -66, -126, -76),
    )
    sheet.add(fill(under, "#1a0f08"), blur_mm=3.2, opacity=0.75, clip=in_front)
    sheet.add(fill(front, vertical(-44, -26, [(0, "#1a0f08", 0), (1, "#1a0f08", 130)])), clip=in_front)
    felt_before = sheet.rgba.copy()
    felt(sheet)
    mask = sheet.layer(in_front)[..., 3:]
    sheet.rgba = sheet.rgba * mask + felt_before * (1 - mask)
    sheet.add(stroke(brim_edge(), "#2c1c12", 2.4), opacity=0.9, clip=in_front)
    sheet.add(stroke(brim_edge().translated(0, -2.4), "#f0cfa2", 0.8), blur_mm=0.5, opacity=0.45, clip=in_front)


def main() -> None:
    application = QGuiApplication.instance() or QGuiApplication([])
    sheet = Sheet(-136, -172, 136, -4, width_px=800, supersampling=3)
    draw(sheet)
    sheet.save(FOLDER / "hat.png")
    # Nothing above the brows has keypoints. The ends of the jaw hold the hat in the middle of the head when it turns;
    # brows would lift it when they are raised.
    held = anchors(
        sheet.to_px,
        jaw_at_the_ear_on_the_left=(0,),
        jaw_below_the_ear_on_the_left=(1,),
        jaw_at_the_ear_on_the_right=(16,),
        jaw_below_the_ear_on_the_right=(15,),
        eye_on_the_left=range(36, 42),
        eye_on_the_right=range(42, 48),
    )
    write_description(
        FOLDER,
        "make_hat.py",
        name="Hat",
        german="Hut",
        order=40,
        key="6",
        pictures=[Picture("hat.png", held, fit="similarity")],
    )
    del application


if __name__ == "__main__":
    main()
