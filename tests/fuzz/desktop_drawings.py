"""Drawings of overlays: parts, numbers and repetitions at random."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QColor, QImage

from fkd_desktop.errors import OverlayError
from fkd_desktop.overlays.artwork import Artwork, check_picture
from fkd_desktop.ui.overlays.picture_file import read_picture
from tests.fuzz.mutate import damaged, encoded
from tests.fuzz.qt import gui
from tests.fuzz.target import Target, refusal
from tests.fuzz.trainer_data import pictures, png


@cache
def overlay_png() -> bytes:
    """Return a picture of 100 x 50 px, for the anchors to lie in."""
    image = QImage(100, 50, QImage.Format.Format_ARGB32)
    image.fill(QColor(255, 0, 0, 128))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())


def odd_pngs() -> st.SearchStrategy[bytes]:
    """Make pictures that are damaged, lie about their size, or are of another kind."""
    sides = st.sampled_from([0, 1, 7, 4096, 8193, 50_000, 2**31 - 1])
    kinds = st.sampled_from(sorted(pictures())).map(lambda kind: pictures()[kind])
    return st.one_of(damaged(overlay_png()), st.builds(png, sides, sides, st.just(b"")), kinds)


HEAD: Final = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="{}">'
DRAWING: Final = (
    HEAD.format("0 0 100 50")
    + '<rect width="100" height="50" rx="9" fill="#f80"/><circle cx="50" cy="25" r="20"/></svg>'
).encode()
_NUMBERS: Final = "0 1 -1 9 40 0.001 1e9 -1e9 1e38 1e300 1e999 nan inf 1e-300 50% 3em 99999999999999999999 2147483648"
SVG_NUMBERS: Final = ("", *_NUMBERS.split())
_TAGS: Final = """
rect circle ellipse line polyline polygon path text tspan g use image defs a linearGradient radialGradient stop
pattern mask filter feGaussianBlur feOffset feMerge feColorMatrix feFlood feBlend feComposite marker symbol
clipPath animate animateTransform set animateColor switch svg textArea title script style foreignObject video
solidColor
"""
TAGS: Final = tuple(_TAGS.split())
_ATTRIBUTES: Final = """
x y width height rx ry r cx cy x1 x2 y1 y2 fx fy offset font-size stroke-width stroke-dasharray stroke-dashoffset
stroke-miterlimit opacity stdDeviation dx dy points d transform gradientTransform patternTransform viewBox href
xlink:href fill stroke style filter mask marker-start marker-mid id class dur begin from to repeatCount
attributeName xml:base xml:space onload font-family patternUnits gradientUnits spreadMethod markerWidth overflow
color values stitchTiles display in result requiredFeatures
"""
ATTRIBUTES: Final = tuple(_ATTRIBUTES.split())
IDS: Final = ("a", "b", "c", "")


def svg_numbers() -> st.SearchStrategy[str]:
    return st.sampled_from(SVG_NUMBERS) | st.integers(-100, 100).map(str) | st.floats(-200, 200).map(repr)


@st.composite
def svg_values(draw: Callable[..., Any], name: str) -> str:  # noqa: PLR0911
    """A value that suits an attribute, at least by its form."""
    number = svg_numbers()
    match name:
        case "href" | "xlink:href":
            data = base64.b64encode(draw(st.just(overlay_png()) | odd_pngs())).decode()
            return draw(
                st.sampled_from(
                    [*(f"#{one}" for one in IDS), f"data:image/png;base64,{data}", f"data:image/jpeg;base64,{data}"]
                )
                | st.sampled_from(
                    ["file:///etc/passwd", "/etc/passwd", "http://127.0.0.1:9/", "data:image/svg+xml,<svg/>", " #a"]
                )
            )
        case "fill" | "stroke" | "color" | "filter" | "mask" | "marker-start" | "marker-mid":
            return draw(
                st.sampled_from(["red", "#12", "none", "url(#a)", "url(#b)", "url(#c) red", "url(x#a)", "rgb(1e9,0,0)"])
            )
        case "d":
            commands = st.tuples(st.sampled_from("MmLlHhVvCcSsQqTtAaZz"), st.lists(number, max_size=7)).map(
                lambda part: part[0] + " ".join(part[1])
            )
            return "M0 0" + " ".join(draw(st.lists(commands, max_size=8)))
        case "points" | "stroke-dasharray" | "viewBox" | "values":
            return " ".join(draw(st.lists(number, min_size=1, max_size=6)))
        case "transform" | "gradientTransform" | "patternTransform":
            kind = draw(st.sampled_from(["matrix", "scale", "translate", "rotate", "skewX", "skewY", "odd"]))
            return f"{kind}({','.join(draw(st.lists(number, min_size=1, max_size=6)))})"
        case "style":
            key = draw(st.sampled_from(["fill", "filter", "mask", "stroke-width", "font-size", "display"]))
            return (
                f"{key}:{draw(st.sampled_from(['url(#a)', 'url(#b)', '1e9', 'none', 'expression(1)', 'url(/etc/a)']))}"
            )
        case "id":
            return draw(st.sampled_from(IDS))
        case "dur" | "begin":
            return draw(number) + draw(st.sampled_from(["s", "ms", ""]))
        case "attributeName":
            return draw(st.sampled_from(["fill", "transform", "x", "opacity", "stroke-width"]))
    return draw(number)


@st.composite
def svg_elements(draw: Callable[..., Any], depth: int = 0) -> str:
    tag = draw(st.sampled_from(TAGS[:31] * 3 + TAGS))
    names = draw(st.lists(st.sampled_from(ATTRIBUTES[:30] * 2 + ATTRIBUTES), max_size=6, unique=True))
    given = "".join(f' {name}="{draw(svg_values(name))}"' for name in names if name != "onload" or depth == 3)
    if tag in ("rect", "circle", "image", "text", "ellipse") and draw(st.booleans()):
        given = f' id="{draw(st.sampled_from(IDS))}"' + "".join(
            f' {name}="{draw(svg_values(name))}"' for name in ("x", "y", "width", "height", "r", "fill", "stroke-width")
        )
    inner = "".join(draw(st.lists(svg_elements(depth + 1), max_size=3))) if depth < 3 else ""
    text = (
        draw(st.sampled_from(["", "", "words", "\u202eא&amp;", "<![CDATA[x]]>", "<!-- c -->"]))
        if tag in ("text", "tspan", "style")
        else ""
    )
    return f"<{tag}{given}>{text}{inner}</{tag}>"


@st.composite
def drawings(draw: Callable[..., Any]) -> bytes:
    """A drawing of random parts, or one that multiplies, repeats or nests itself."""
    box = draw(
        st.sampled_from(["0 0 100 50"] * 8 + ["0 0 0 0", "0 0 1e9 1", "nan 0 1 1", "-50 -50 1e-9 1e-9", "0 0 1e5 1e-2"])
    )
    body = "".join(draw(st.lists(svg_elements(), min_size=1, max_size=4)))
    if draw(st.integers(0, 7)) == 0:
        body = draw(st.sampled_from(REPEATED))
    text = HEAD.format(box) + body + "</svg>"
    if draw(st.integers(0, 11)) == 0:
        text = draw(st.sampled_from(PROLOGUES)) + text
    content = encoded(text)
    return draw(st.just(content) | st.just(content) | damaged(content))


PROLOGUES: Final = (
    '<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    '<!DOCTYPE svg SYSTEM "file:///etc/passwd">',
    '<?xml version="1.0" encoding="latin-1"?>',
    '<?xml-stylesheet href="file:///etc/a.css"?>',
    "<!-- hello -->",
    " ",
)
REPEATED: Final = (
    "<g>" * 90 + '<rect width="9" height="9"/>' + "</g>" * 90,
    "<g>" * 5000 + "</g>" * 5000,
    '<rect width="90" height="40"/>' * 15_000,
    '<path d="M0 0' + "L9 9L0 40L90 1" * 20_000 + '"/>',
    '<path stroke="red" d="M0 0' + "C9 9 0 40 90 1" * 8_000 + '"/>',
    '<path stroke="red" stroke-width="3" stroke-dasharray="0.01 0.01" d="M0 0L100000 50000L0 1L100000 3"/>',
    '<text font-size="5000">' + "word " * 5_000 + "</text>",
    '<defs><linearGradient id="a">'
    + '<stop offset="0.1"/>' * 9_000
    + '</linearGradient></defs><rect fill="url(#a)" width="9" height="9"/>',
    '<defs><pattern id="a" width="0.01" height="0.01"><rect width="9" height="9"/></pattern></defs>'
    '<rect fill="url(#a)" width="100" height="50"/>',
    '<filter id="a"><feGaussianBlur stdDeviation="1000"/></filter>'
    + '<rect filter="url(#a)" width="100" height="50"/>' * 19,
    '<mask id="a"><rect width="100" height="50"/></mask>' + '<rect mask="url(#a)" width="100" height="50"/>' * 190,
    '<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>',
    '<g id="a">' + '<use href="#a"/>' * 2 + "</g>",
    '<marker id="a" markerWidth="1e9"><path marker-mid="url(#a)" d="M0 0L9 9"/></marker>'
    '<path marker-mid="url(#a)" d="M0 0L9 9L1 1"/>',
    '<pattern id="a" width="9" height="9"><rect fill="url(#a)" width="9" height="9"/></pattern>'
    '<rect fill="url(#a)" width="99" height="9"/>',
    '<mask id="a" mask="url(#a)"><rect mask="url(#a)" width="9" height="9"/></mask>'
    '<rect mask="url(#a)" width="9" height="9"/>',
    '<linearGradient id="a" href="#b"/><linearGradient id="b" href="#a"/><rect fill="url(#a)" width="99" height="9"/>',
)


def check_drawing(content: bytes, folder: Path) -> str | None:
    """Read it, paint it in several sizes, and begin an overlay with it."""
    gui()
    path = folder / "drawing.svg"
    path.write_bytes(content)
    said = None
    try:
        check_picture(path)
        for mirrored in (False, True):
            artwork = Artwork(path, mirrored=mirrored, margin=0.01 if mirrored else 0.0)
            for device_px in (0.1, 3.0, 1e6) if not mirrored else (2.0,):
                artwork.level(device_px)
    except OverlayError as error:
        said = refusal(error, path)
    try:
        read_picture(path)
    except OverlayError as error:
        return refusal(error, path)
    return said


TARGETS: Final = (Target("overlay-drawing", drawings(), check_drawing, bound_s=16.0, share=0.3, memory_mb=1024),)
