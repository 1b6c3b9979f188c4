"""Draw the round and the heart-shaped sunglasses and write their anchors.

Run ``python assets/scripts/make_more_glasses.py``. The round ones are painted, the heart-shaped ones are an SVG.
"""

from __future__ import annotations

from face_model import mean_of
from overlay_art import (
    OVERLAYS_DIR,
    Anchor,
    Picture,
    Point,
    Sheet,
    anchors,
    both,
    curve,
    ellipse,
    fill,
    linear,
    smooth,
    stroke,
    vertical,
    write_description,
)
from PySide6.QtCore import QPointF
from PySide6.QtGui import QGuiApplication, QPainterPath

EYES = {
    "centre_of_the_eye_on_the_picture's_left": range(36, 42),
    "centre_of_the_eye_on_the_picture's_right": range(42, 48),
}

# --- round: thin gold rims, tinted glass ---

LENS: Point = (34.5, 4.0)
LENS_RADIUS = 25.5
GOLD_DARK, GOLD, GOLD_LIGHT = "#7a5519", "#c9993f", "#fff0bf"


def glare(x: float) -> QPainterPath:
    """Return slanted bands of reflected sky; both glasses face the same light, so they are shifted, not mirrored."""
    bands = QPainterPath()
    for left, right in ((-13, -1), (3, 6.5)):
        bands.moveTo(x + left + 9, LENS[1] - 28)
        for corner in ((right + 9, -28), (right - 9, 28), (left - 9, 28)):
            bands.lineTo(x + corner[0], LENS[1] + corner[1])
        bands.closeSubpath()
    return bands


def draw_round(sheet: Sheet) -> None:
    glasses = both(ellipse(*LENS, LENS_RADIUS, LENS_RADIUS))
    on_glass = fill(glasses, "black")
    tint = vertical(LENS[1] - 26, LENS[1] + 26, [(0, "#0d2b33", 238), (0.55, "#175060", 222), (1, "#3f8b94", 190)])
    sheet.add(fill(glasses, tint))
    sky = glare(-LENS[0])
    sky.addPath(glare(LENS[0]))
    fading = vertical(LENS[1] - 26, LENS[1] + 20, [(0, "#e8fbff", 255), (0.6, "#d5f2f6", 110), (1, "#d5f2f6", 0)])
    sheet.add(fill(sky, fading), blur_mm=0.8, opacity=0.3, clip=on_glass)
    sheet.add(stroke(glasses, "#03161b", 4.5), blur_mm=1.6, opacity=0.6, clip=on_glass)
    # Ends to the temples, the bridge, and the rims over both.
    temple = curve((59.2, -3), (63, -5.6, 68, -6.2, 73.2, -4.6), close=False)
    bridge = curve((-10.2, -3.2), (-6.5, -10, 6.5, -10, 10.2, -3.2), close=False)
    wires = both(temple)
    wires.addPath(bridge)
    sheen = linear((-62, -26), (62, 34), [(0, GOLD_LIGHT, 255), (0.25, GOLD, 255), (0.5, GOLD_LIGHT, 255),
                                          (0.75, GOLD, 255), (1, "#e9cc84", 255)])  # fmt: skip
    for path in (wires, glasses):
        sheet.add(stroke(path, GOLD_DARK, 3.4))
        sheet.add(stroke(path, sheen, 2.3))
        sheet.add(stroke(path.translated(-0.25, -0.45), "#fffbe8", 0.55), blur_mm=0.15, opacity=0.8)
    for side in (-1, 1):
        hinge = QPainterPath()
        hinge.addRoundedRect(side * 72.4 - 1.9, -7.6, 3.8, 6.2, 1.3, 1.3)
        sheet.add(fill(hinge, vertical(-8, -1, [(0, "#f3dc9b", 255), (1, "#8a6320", 255)])))
        sheet.add(stroke(hinge, GOLD_DARK, 0.5))


def make_round() -> None:
    folder = OVERLAYS_DIR / "sunglasses-round"
    sheet = Sheet(-77, -25, 77, 33, width_px=960, supersampling=4)
    draw_round(sheet)
    sheet.save(folder / "sunglasses-round.png")
    write_description(
        folder,
        "make_more_glasses.py",
        name="Round sunglasses",
        german="Runde Sonnenbrille",
        order=50,
        key=None,
        pictures=[Picture("sunglasses-round.png", anchors(sheet.to_px, **EYES))],
    )


# --- hearts: an SVG in tenths of the model face's unit ---

HEART_CENTRE: Point = (36.0, 3.0)


def heart_outline(grow: float) -> list[Point]:
    """Return points around the heart on the picture's right, from the notch on, clockwise; `grow` widens it."""
    half = [(0, -17), (6, -24.5), (15, -27.5), (24.5, -25), (30.5, -17), (30.5, -6), (25.5, 6.5), (16, 18), (6.5, 26.5)]
    points = [*half, (0, 31), *[(-x, y) for x, y in reversed(half[1:])]]
    scale_x, scale_y = (30.5 + grow) / 30.5, (29.0 + grow) / 29.0
    # A real pair leans outwards a little.
    leaning = [(x * scale_x + 0.06 * y, y * scale_y + 0.1 * x * (1 if x < 0 else 0.6)) for x, y in points]
    return [(HEART_CENTRE[0] + x, HEART_CENTRE[1] + y) for x, y in leaning]


def path_data(path: QPainterPath) -> str:
    """Return SVG path data in tenths of a unit, from the sheet's corner."""

    def point(index: int) -> str:
        element = path.elementAt(index)
        return f"{round(10 * (element.x + 77))} {round(10 * (element.y + 34))}"

    data, index = "", 0
    while index < path.elementCount():
        kind = path.elementAt(index).type
        if kind == QPainterPath.ElementType.CurveToElement:
            data += f"C{point(index)} {point(index + 1)} {point(index + 2)}"
            index += 3
        else:
            data += ("M" if kind == QPainterPath.ElementType.MoveToElement else "L") + point(index)
            index += 1
    return data + "Z"


def heart(grow: float) -> QPainterPath:
    """Return a heart with a sharp notch and a soft tip."""
    points = heart_outline(grow)
    notch, tip = points[0], points[9]
    right = smooth([notch, *points[1:9], tip], close=False)
    left = smooth([tip, *points[10:], notch], close=False)
    right.connectPath(left)
    right.closeSubpath()
    return right


def svg_hearts() -> str:
    outer, inner = heart(2.6), heart(-2.6)
    flip = 'transform="translate(1540 0) scale(-1 1)"'
    lens, frame = path_data(inner), path_data(outer)
    bridge = QPainterPath(QPointF(-9, -13))
    bridge.cubicTo(-4, -17.5, 4, -17.5, 9, -13)
    bridge.lineTo(8.2, -4.5)
    bridge.cubicTo(4, -9.5, -4, -9.5, -8.2, -4.5)
    bridge.closeSubpath()
    temple = QPainterPath(QPointF(64, -17))
    temple.cubicTo(68, -18.5, 73, -18, 74.5, -15)
    temple.cubicTo(75.2, -12.5, 75, -9.5, 73.5, -7.5)
    temple.lineTo(64.5, -5)
    temple.closeSubpath()
    gloss = smooth([(16, -18), (22, -23.2), (30, -23), (27, -19), (21, -14.5), (15, -10.5)])
    spark = ellipse(13.2, -3.6, 1.6, 3.2)
    shine = curve((41, -22.4), (47, -27.4, 57, -27, 62.4, -17.4), close=False)
    shine.cubicTo(57, -24.6, 48, -25.6, 41, -22.4)
    rim = frame + lens

    def one(extra: str) -> str:
        return (
            f'<g {extra}><path d="{path_data(temple)}" fill="url(#temple)"/>'
            f'<path d="{lens}" fill="url(#lens)"/>'
            f'<path d="{rim}" fill="url(#rim)" fill-rule="evenodd"/>'
            f'<path d="{lens}" fill="none" stroke="#6d0720" stroke-opacity=".55" stroke-width="7"/>'
            f'<path d="{frame}" fill="none" stroke="#7d0a26" stroke-opacity=".8" stroke-width="5"/></g>'
        )

    def light(shift: float) -> str:
        moved = (path.translated(shift, 0) for path in (gloss, spark))
        return "".join(f'<path d="{path_data(path)}" fill="url(#gloss)"/>' for path in moved)

    body = (
        one(flip)
        + one("")
        + f'<path d="{path_data(bridge)}" fill="url(#bridge)" stroke="#7d0a26" stroke-opacity=".8" stroke-width="4"/>'
        + light(0)
        + light(-2 * HEART_CENTRE[0])
        + f'<path d="{path_data(shine)}" fill="#fff" fill-opacity=".6"/>'
        + f'<path d="{path_data(shine.translated(-2 * HEART_CENTRE[0], 0))}" fill="#fff" fill-opacity=".6"/>'
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1540 720" width="1540" height="720">\n<defs>\n'
        + gradient("lens", 90, 650, [(0, "#5d0a2c", 0.93), (0.5, "#a31648", 0.88), (1, "#ff7aa2", 0.78)])
        + gradient("rim", 60, 680, [(0, "#ff5c78", 1), (0.35, "#ea1f46", 1), (1, "#b70c30", 1)])
        + gradient("bridge", 170, 300, [(0, "#ff6d86", 1), (1, "#b70c30", 1)])
        + gradient("temple", 150, 300, [(0, "#d11a3e", 1), (1, "#7d0a26", 1)])
        + gradient("gloss", 100, 330, [(0, "#fff", 0.62), (1, "#fff", 0.12)])
        + "</defs>\n"
        + body.replace("><", ">\n<")
        + "\n</svg>\n"
    )


def gradient(name: str, top: float, bottom: float, stops: list[tuple[float, str, float]]) -> str:
    inner = "".join(f'<stop offset="{at:g}" stop-color="{c}" stop-opacity="{o:g}"/>' for at, c, o in stops)
    return (
        f'<linearGradient id="{name}" gradientUnits="userSpaceOnUse" x1="0" x2="0" y1="{top:g}" y2="{bottom:g}">'
        f"{inner}</linearGradient>\n"
    )


def make_hearts() -> None:
    folder = OVERLAYS_DIR / "sunglasses-heart"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sunglasses-heart.svg").write_text(svg_hearts(), encoding="utf-8")
    held = []
    for what, indices in EYES.items():
        x, y = mean_of(*indices)
        held.append(Anchor(what.replace("_", " "), (10 * (x + 77), 10 * (y + 34)), tuple(indices)))
    write_description(
        folder,
        "make_more_glasses.py",
        name="Heart sunglasses",
        german="Herzbrille",
        order=50,
        key=None,
        pictures=[Picture("sunglasses-heart.svg", tuple(held))],
    )


def main() -> None:
    application = QGuiApplication.instance() or QGuiApplication([])
    make_round()
    make_hearts()
    del application


if __name__ == "__main__":
    main()
