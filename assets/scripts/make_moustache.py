"""Draw the moustache overlay and write its anchors.

Run ``python assets/scripts/make_moustache.py``. It is combed out of single hairs, with a fixed seed.
"""

from __future__ import annotations

import numpy as np
from overlay_art import (
    OVERLAYS_DIR,
    Hair,
    Picture,
    Sheet,
    anchors,
    both,
    fill,
    hairs,
    mixed,
    smooth,
    vertical,
    write_description,
)
from PySide6.QtGui import QGuiApplication, QPainterPath

FOLDER = OVERLAYS_DIR / "moustache"

# The middle line of the half on the picture's right, from the philtrum to the tip, and half its thickness there.
MIDDLE = smooth([(-0.5, 54), (9, 53.8), (18, 56.3), (26.5, 61), (33.5, 64), (40, 62.6), (44, 56.5)], close=False)
SHARES = (0, 0.15, 0.35, 0.55, 0.75, 0.9, 1)
HALF_THICKNESS = (5.4, 7.8, 8.2, 6.6, 4.0, 2.0, 0.5)
DARK, LIGHT = "#1b110b", "#84593a"


def middle_line(share: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points, directions in degrees, and half thicknesses at shares 0..1 of the middle line."""
    at = [MIDDLE.percentAtLength(float(s) * MIDDLE.length()) for s in np.clip(share, 0, 1)]
    points = np.array([(MIDDLE.pointAtPercent(s).x(), MIDDLE.pointAtPercent(s).y()) for s in at])
    angles = np.array([-MIDDLE.angleAtPercent(s) for s in at])
    return points, (angles + 180) % 360 - 180, np.interp(share, SHARES, HALF_THICKNESS)


def outline() -> QPainterPath:
    share = np.linspace(0, 0.94, 14)
    points, angles, thick = middle_line(share)
    normal = np.column_stack([-np.sin(np.radians(angles)), np.cos(np.radians(angles))])
    upper, lower = points - 0.8 * thick[:, None] * normal, points + 0.8 * thick[:, None] * normal
    return smooth([tuple(p) for p in (*upper, *lower[::-1])])


def strands(count: int, *, seed: int, reach: float, light: float) -> list[Hair]:
    """Return hairs of both halves, rooted within `reach` of the half thickness."""
    rng = np.random.default_rng(seed)
    made = []
    for side in (1, -1):
        share = np.sort(rng.beta(1.0, 1.2, count)) * 0.97
        points, angles, thick = middle_line(share)
        lengths = rng.uniform(8, 14, count) * np.interp(share, (0, 0.7, 1), (1, 0.85, 0.45))
        _, later, _ = middle_line(share + lengths / MIDDLE.length())
        across, tones = rng.uniform(-reach, reach, count), rng.uniform(0, 1, count)
        for (x, y), angle, end, half, v, tone, length in zip(
            points, angles, later, thick, across, tones, lengths, strict=True
        ):
            normal = np.array([-np.sin(np.radians(angle)), np.cos(np.radians(angle))])
            root = np.array([x, y]) + v * half * normal
            # Under the nose hairs fall; farther out they lie along the line and run together at the tip.
            fall = 30 * np.exp(-max(x, 0) / 8) + 7 * v * np.interp(x, (0, 30, 40), (1, 0, -2.2))
            turn = angle + fall + rng.normal(0, 3.5)
            bend = end - angle - 0.75 * fall + rng.normal(0, 5)
            if side < 0:
                turn, bend = 180 - turn, -bend
            shade = np.clip(light * (0.25 + 0.75 * tone) * (1.0 - 0.45 * (v + 1) / 2), 0, 1)
            width = rng.uniform(0.5, 1.0)
            made.append(Hair((side * root[0], root[1]), turn, length, bend, width, mixed(DARK, LIGHT, shade)))
    return made


def draw(sheet: Sheet) -> None:
    body = both(outline())
    sheet.add(fill(body.translated(0, 2.2), "#000000"), blur_mm=2.2, opacity=0.28)  # shadow on the lip
    sheet.add(hairs(strands(900, seed=1, reach=1.0, light=0.25)))
    sheet.add(fill(body, vertical(46, 72, [(0, "#3a2517", 255), (1, "#1a100a", 255)])), blur_mm=0.7)
    sheet.add(hairs(strands(1500, seed=2, reach=1.0, light=0.6)))
    sheet.add(hairs(strands(420, seed=3, reach=0.75, light=1.0)), opacity=0.85)
    sheet.add(hairs(strands(160, seed=4, reach=0.9, light=1.0)), opacity=0.8)


def main() -> None:
    application = QGuiApplication.instance() or QGuiApplication([])
    sheet = Sheet(-54, 38, 54, 78, width_px=720, supersampling=3)
    draw(sheet)
    sheet.save(FOLDER / "moustache.png")
    held = anchors(
        sheet.to_px,
        base_of_the_nose_on_the_left=(31, 32),
        base_of_the_nose_on_the_right=(34, 35),
        mouth_on_the_left=(48, 49, 50),
        mouth_on_the_right=(52, 53, 54),
    )
    # Moved and turned only: stretched by a smile it would look like rubber.
    write_description(
        FOLDER,
        "make_moustache.py",
        name="Moustache",
        german="Schnurrbart",
        order=60,
        key="5",
        pictures=[Picture("moustache.png", held, fit="similarity")],
    )
    del application


if __name__ == "__main__":
    main()
