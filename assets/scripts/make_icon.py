"""Draw the application icon: an SVG, the PNG sizes desktops ask for, and a Windows .ico.

Run ``python assets/scripts/make_icon.py``. The icon is a face made of keypoints. Three drawings exist, because lines
and dots that read well at 256 px turn to mud at 16 px: each size takes the richest drawing it can carry.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

ICON_DIR = Path(__file__).resolve().parents[1] / "icons"
ICON_NAME = "fkd-desktop"
SIZES_PX = (16, 24, 32, 48, 64, 128, 256, 512)
ICO_SIZES_PX = (16, 24, 32, 48, 64, 128, 256)

Point = tuple[float, float]

JAW, BROW, EYE, NOSE, MOUTH = "#5eead4", "#fcd34d", "#8fdcff", "#c4b5fd", "#fda4af"

# Coordinates live in a 512-unit square and are mirrored about x = 256, so that the face is symmetric by construction.
JAW_HALF: list[Point] = [(110, 172), (112, 226), (121, 279), (139, 328), (167, 371), (206, 402)]
CHIN: Point = (256, 414)
BROW_HALF: list[Point] = [(138, 158), (178, 136), (222, 148)]
EYE_HALF: list[Point] = [(146, 210), (168, 191), (200, 191), (222, 212), (200, 226), (168, 226)]
NOSE_LINE: list[Point] = [(256, 202), (256, 238), (256, 274)]
NOSE_BASE: list[Point] = [(220, 286), (256, 300), (292, 286)]
MOUTH_UPPER: list[Point] = [(186, 322), (221, 329), (256, 334), (291, 329), (326, 322)]
MOUTH_LOWER: list[Point] = [(186, 322), (216, 353), (256, 366), (296, 353), (326, 322)]


def mirrored(points: list[Point]) -> list[Point]:
    """Mirror points about the face's axis and reverse them, so that an outline can simply go on."""
    return [(512 - x, y) for x, y in reversed(points)]


def smooth_path(points: list[Point], *, closed: bool = False) -> str:
    """Return SVG path data of a Catmull-Rom curve through the points."""
    count = len(points)
    last = count if closed else count - 1
    data = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for index in range(last):
        if closed:
            before, start, end, after = (points[(index + k) % count] for k in (-1, 0, 1, 2))
        else:
            before, start = points[max(index - 1, 0)], points[index]
            end, after = points[index + 1], points[min(index + 2, count - 1)]
        control_1 = (start[0] + (end[0] - before[0]) / 6, start[1] + (end[1] - before[1]) / 6)
        control_2 = (end[0] - (after[0] - start[0]) / 6, end[1] - (after[1] - start[1]) / 6)
        numbers = " ".join(f"{value:.1f}" for point in (control_1, control_2, end) for value in point)
        data.append(f"C{numbers}")
    return " ".join(data) + ("Z" if closed else "")


def line(points: list[Point], colour: str, width: float, *, closed: bool = False, opacity: float = 1.0) -> str:
    return (
        f'<path d="{smooth_path(points, closed=closed)}" fill="none" stroke="{colour}" stroke-width="{width:g}" '
        f'stroke-opacity="{opacity:g}" stroke-linecap="round" stroke-linejoin="round"/>'
    )


def dots(points: list[Point], colour: str, radius: float) -> str:
    return "".join(f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{colour}"/>' for x, y in points)


def part(
    points: list[Point], colour: str, *, width: float, radius: float, closed: bool = False, opacity: float = 0.6
) -> str:
    """Return one face part: its line, and on it its keypoints."""
    return line(points, colour, width, closed=closed, opacity=opacity) + dots(points, colour, radius)


def background(*, corner: float, inset: float) -> str:
    """Return the rounded square every drawing stands on."""
    side = 512 - 2 * inset
    square = f'x="{inset:g}" y="{inset:g}" width="{side:g}" height="{side:g}" rx="{corner:g}" ry="{corner:g}"'
    rim_inset, rim_side = inset + 3, side - 6
    return (
        "<defs>"
        '<linearGradient id="ground" x1="0" y1="0" x2="1" y2="1">'
        '<stop offset="0" stop-color="#2f2f78"/><stop offset="0.55" stop-color="#1a3a63"/>'
        '<stop offset="1" stop-color="#0c4f57"/></linearGradient>'
        '<radialGradient id="light" cx="0.5" cy="0.4" r="0.62">'
        '<stop offset="0" stop-color="#8fb4ff" stop-opacity="0.30"/>'
        '<stop offset="1" stop-color="#8fb4ff" stop-opacity="0"/></radialGradient>'
        '<linearGradient id="skin" x1="0" y1="0" x2="0" y2="1">'
        '<stop offset="0" stop-color="#ffffff" stop-opacity="0"/>'
        '<stop offset="0.3" stop-color="#ffffff" stop-opacity="0.02"/>'
        '<stop offset="1" stop-color="#7ff0e0" stop-opacity="0.16"/></linearGradient>'
        "</defs>"
        f'<rect {square} fill="url(#ground)"/><rect {square} fill="url(#light)"/>'
        f'<rect x="{rim_inset:g}" y="{rim_inset:g}" width="{rim_side:g}" height="{rim_side:g}" rx="{corner - 3:g}" '
        f'ry="{corner - 3:g}" fill="none" stroke="#ffffff" stroke-opacity="0.10" stroke-width="6"/>'
    )


def svg(body: str) -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512" width="512" height="512">\n'
        "<title>FKD Desktop</title>\n" + body.replace("><", ">\n<") + "\n</svg>\n"
    )


def full_drawing() -> str:
    """Return the drawing of 128 px and more: every part with its keypoints, over a softly lit face."""
    jaw = [*JAW_HALF, CHIN, *mirrored(JAW_HALF)]
    forehead: list[Point] = [(392, 132), (344, 92), (256, 76), (168, 92), (120, 132)]
    style = {"width": 8.0, "radius": 10.5}
    return svg(
        background(corner=112, inset=8)
        + '<g transform="translate(256 256) scale(1.13) translate(-256 -248)">'
        + f'<path d="{smooth_path(jaw + forehead, closed=True)}" fill="url(#skin)"/>'
        + part(jaw, JAW, **style)
        + part(BROW_HALF, BROW, **style)
        + part(mirrored(BROW_HALF), BROW, **style)
        + part(EYE_HALF, EYE, width=7, radius=9, closed=True)
        + part(mirrored(EYE_HALF), EYE, width=7, radius=9, closed=True)
        + part(NOSE_LINE, NOSE, **style)
        + part(NOSE_BASE, NOSE, **style)
        + part(MOUTH_UPPER, MOUTH, **style)
        + part(MOUTH_LOWER, MOUTH, **style)
        + "</g>"
    )


def medium_drawing() -> str:
    """Return the drawing of 32 to 64 px: fewer, larger keypoints."""
    jaw: list[Point] = [(92, 160), (104, 268), (160, 372), (256, 424)]
    jaw = [*jaw, *mirrored(jaw[:-1])]
    brow: list[Point] = [(134, 160), (178, 134), (226, 152)]
    style = {"width": 17.0, "radius": 21.0, "opacity": 0.75}
    return svg(
        background(corner=112, inset=4)
        + part(jaw, JAW, **style)
        + line(brow, BROW, 22)
        + line(mirrored(brow), BROW, 22)
        + dots([(180, 212), (332, 212)], EYE, 30)
        + line([(256, 212), (256, 278)], NOSE, 22)
        + line([(178, 318), (212, 344), (256, 354), (300, 344), (334, 318)], MOUTH, 26)
    )


def small_drawing() -> str:
    """Return the drawing of 16 and 24 px: jaw, eyes and mouth only, with strokes of about two pixels."""
    jaw: list[Point] = [(88, 136), (96, 264), (152, 378), (256, 424)]
    jaw = [*jaw, *mirrored(jaw[:-1])]
    return svg(
        background(corner=104, inset=0)
        + line(jaw, JAW, 52)
        + dots([(192, 182), (320, 182)], EYE, 42)
        + line([(180, 284), (216, 314), (256, 322), (296, 314), (332, 284)], MOUTH, 40)
    )


def drawing_for(size_px: int) -> str:
    if size_px < 32:
        return small_drawing()
    return medium_drawing() if size_px < 128 else full_drawing()


def render(svg_text: str, size_px: int) -> QImage:
    """Return the drawing as a square picture with a transparent ground."""
    image = QImage(size_px, size_px, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(QByteArray(svg_text.encode())).render(painter, QRectF(0, 0, size_px, size_px))
    painter.end()
    return image.convertToFormat(QImage.Format.Format_ARGB32)


def write_ico(png_paths: dict[int, Path], ico_path: Path) -> None:
    """Pack PNG files into an .ico (PNG entries are read by Windows Vista and later)."""
    offset = 6 + 16 * len(png_paths)
    directory, payload = struct.pack("<HHH", 0, 1, len(png_paths)), b""
    for size_px, path in sorted(png_paths.items()):
        data = path.read_bytes()
        side = size_px % 256  # the format writes 256 as 0
        directory += struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(data), offset + len(payload))
        payload += data
    ico_path.write_bytes(directory + payload)


def main() -> None:
    application = QGuiApplication.instance() or QGuiApplication([])
    ICON_DIR.mkdir(parents=True, exist_ok=True)
    (ICON_DIR / f"{ICON_NAME}.svg").write_text(full_drawing(), encoding="utf-8")
    png_paths = {size_px: ICON_DIR / f"{ICON_NAME}-{size_px}.png" for size_px in SIZES_PX}
    for size_px, path in png_paths.items():
        if not render(drawing_for(size_px), size_px).save(str(path)):
            raise OSError(f"could not write {path}")
    write_ico({size_px: png_paths[size_px] for size_px in ICO_SIZES_PX}, ICON_DIR / f"{ICON_NAME}.ico")
    del application


if __name__ == "__main__":
    main()
