"""Which drawings are taken: self-contained ones. Qt would open any local file that an SVG names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImageReader

from fkd_desktop.errors import OverlayError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAX_SHAPES: Final = 20_000
"""That an SVG may draw, counted with every repetition by <use>."""
MAX_DEPTH: Final = 100
MAX_EMBEDDED_CHARACTERS: Final = 1_000_000
MAX_EMBEDDED_PIXELS: Final = 4096 * 4096
"""Of all pictures within a drawing: a few kilobytes unpack to as many megabytes."""

_SLOW: Final = {"filter": 1000, "mask": 100}
"""How many plain shapes take as long as one with such an attribute, by measuring."""

_REFUSED: Final = frozenset({"script", "foreignObject", "iframe", "audio", "video", "handler", "listener"})
_EMBEDDED: Final = re.compile(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=\s]*")
_OTHER_URL: Final = re.compile(r"url\(\s*['\"]?\s*(?!#)|@import|expression\(", re.IGNORECASE)
_ENCODING: Final = re.compile(r"<\?xml[^>]*encoding\s*=\s*['\"](?!utf-8['\"])", re.IGNORECASE)


def check_svg(path: Path, content: bytes) -> None:
    """Check that a drawing is whole, holds all that it shows, and does not take forever.

    Parameters
    ----------
    path
        For the message.
    content
        The file.

    Raises
    ------
    OverlayError
        If it is not XML, declares entities, has a script, refers to anything outside itself, or is too much.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise OverlayError("the drawing {path} is not written in UTF-8; choose another", path=path) from error
    if re.search(r"<!\s*(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise OverlayError(
            "the drawing {path} has a DOCTYPE or entities, which may hide files; free it of them", path=path
        )
    if _ENCODING.search(text):
        raise OverlayError("the drawing {path} is not written in UTF-8; choose another", path=path)
    try:
        root = ElementTree.fromstring(text.encode("utf-8"))
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise OverlayError(
            "the drawing {path} is no SVG ({reason}); choose another", path=path, reason=error
        ) from error
    if _local(root.tag) != "svg":
        raise OverlayError("the drawing {path} is no SVG; choose another", path=path)
    named: dict[str, ElementTree.Element] = {}
    pending = [(root, 0)]
    pixels = 0
    while pending:
        element, depth = pending.pop()
        _check_element(path, element)
        pixels += _embedded_pixels(path, element)
        if pixels > MAX_EMBEDDED_PIXELS:
            raise OverlayError(
                "the drawing {path} has pictures of more than {limit} megapixels in it; choose one with smaller ones",
                path=path,
                limit=MAX_EMBEDDED_PIXELS // 1_000_000,
            )
        if depth > MAX_DEPTH:
            raise OverlayError("the drawing {path} is nested too deeply; choose a simpler one", path=path)
        named.setdefault(element.get("id", ""), element)
        pending += ((child, depth + 1) for child in element)
    if _shapes(root, named, {}, 0) > MAX_SHAPES:
        raise OverlayError(
            "the drawing {path} has more than {most} shapes; choose a simpler one", path=path, most=MAX_SHAPES
        )


def _check_element(path: Path, element: ElementTree.Element) -> None:
    if _local(element.tag) in _REFUSED:
        raise OverlayError(
            "the drawing {path} has a part <{part}>, which overlays must not have; free it of that",
            path=path,
            part=_local(element.tag),
        )
    for key, value in element.attrib.items():
        if _local(key) in ("href", "src"):
            inside = value.strip().startswith("#") or (
                len(value) <= MAX_EMBEDDED_CHARACTERS and _EMBEDDED.fullmatch(value.strip())
            )
            if not inside:
                raise OverlayError(
                    "the drawing {path} refers to {what}, outside itself; put all that it shows inside",
                    path=path,
                    what=repr(value[:60]),
                )
        elif _local(key).lower().startswith("on") or _OTHER_URL.search(value):
            raise OverlayError(
                "the drawing {path} has {what}, which overlays must not have; free it of that",
                path=path,
                what=f"{_local(key)}={value[:60]!r}",
            )
    text = element.text or ""
    if _OTHER_URL.search(text):
        raise OverlayError(
            "the drawing {path} has a style that refers to something outside; put all that it shows inside", path=path
        )
    if _local(element.tag) == "style" and any(word in text for word in _SLOW):
        raise OverlayError(
            "the drawing {path} has filters or masks in a style sheet; put them into the shapes themselves", path=path
        )


def _embedded_pixels(path: Path, element: ElementTree.Element) -> int:
    """Return how many pixels the picture has that an element shows, by its header."""
    pixels = 0
    for key, value in element.attrib.items():
        if _local(key) not in ("href", "src") or not _EMBEDDED.fullmatch(value.strip()):
            continue
        buffer = QBuffer()
        buffer.setData(QByteArray.fromBase64(QByteArray(value.partition(",")[2].encode())))
        buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        reader = QImageReader(buffer)
        size = reader.size()
        kind = bytes(reader.format().data())
        reader.setDevice(None)  # type: ignore[arg-type] # before the buffer goes
        if kind not in (b"png", b"jpeg", b"jpg") or not size.isValid():
            raise OverlayError(
                "the drawing {path} has a picture in it that is damaged or neither PNG nor JPEG; choose one without",
                path=path,
            )
        pixels += size.width() * size.height()
    return pixels


def _shapes(
    element: ElementTree.Element, named: Mapping[str, ElementTree.Element], known: dict[int, int], depth: int
) -> int:
    """Count what an element draws; one that repeats itself counts as too much."""
    if depth > 3 * MAX_DEPTH:
        return MAX_SHAPES + 1
    if id(element) in known:
        return known[id(element)]
    known[id(element)] = MAX_SHAPES + 1  # what comes here again while it is being counted
    count = 1 + sum(_SLOW.get(_local(key), 0) for key in element.attrib)
    count += sum(cost for key, cost in _SLOW.items() if key in element.get("style", ""))
    if _local(element.tag) == "use":
        href = next((value.strip() for key, value in element.attrib.items() if _local(key) == "href"), "")
        target = named.get(href.removeprefix("#")) if href.startswith("#") else None
        if target is not None:
            count += _shapes(target, named, known, depth + 1)
    for child in element:
        count += _shapes(child, named, known, depth + 1)
    known[id(element)] = min(count, MAX_SHAPES + 1)
    return known[id(element)]


def _local(name: object) -> str:
    """Return a name without its namespace; comments and instructions have none."""
    return str(name).rpartition("}")[2] if isinstance(name, str) else ""
