"""Overlays in folders: descriptions, drawings, pictures; what the settings say of those that are on."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from fkd_desktop.errors import OverlayError
from fkd_desktop.overlays import OverlayLibrary, render
from fkd_desktop.overlays.stack import OverlayStack
from tests.fuzz.desktop_drawings import DRAWING, drawings, odd_pngs, overlay_png
from tests.fuzz.mutate import BAD_TEXTS, ODD_NUMBERS, damaged, encoded, json_text, nested, odd_object, odd_values
from tests.fuzz.qt import gui
from tests.fuzz.target import RuleError, Target, refusal
from tests.live.helpers import face_points
from tests.overlays.helpers import result_of

ANCHORS: Final = (
    (30.0, 20.0, (36, 39)),
    (70.0, 20.0, (42, 45)),
    (50.0, 45.0, (33,)),
    (20.0, 40.0, (0, 1)),
    (80.0, 5.0, (24,)),
)
ODD_COORDINATES: Final = (
    0,
    -1,
    100.5,
    1e5,
    1e6,
    -1e300,
    1e308,
    10**400,
    float("nan"),
    float("inf"),
    True,
    "3",
    [],
    2**63,
)
PATHS: Final = (
    "picture.png", "drawing.svg", "../outside.png", "/etc/passwd", "a/b.png", "link.png", "loop.png", "out/p.png",
    "x.jpg", "file:///x.png", "C:\\x.png", "..\\x.png", "pipe.png", "folder.png", "", "p" * 300 + ".png",
    "a\0.png", "PICTURE.PNG",
)  # fmt: skip
DATE: Final = datetime.date(2026, 1, 1)


# --- descriptions


def toml_value(value: Any) -> str:  # noqa: PLR0911
    """Write any value as TOML, also such as a careful program never would."""
    match value:
        case None:
            return '""'
        case bool():
            return str(value).lower()
        case float():
            return repr(value)
        case int():
            return hex(value) if value > 10**300 else str(value)
        case str():
            return json.dumps(value)
        case datetime.date():
            return value.isoformat()
        case list() | tuple():
            return f"[{', '.join(toml_value(item) for item in value)}]"
        case dict():
            return "{" + ", ".join(f"{json.dumps(str(key))} = {toml_value(item)}" for key, item in value.items()) + "}"
    raise AssertionError(value)


@st.composite
def pictures_of(draw: Callable[..., Any]) -> dict[str, Any]:
    """One picture's table, with something odd in it now and then."""
    anchors: list[Any] = []
    for x, y, keypoints in ANCHORS[: draw(st.sampled_from([2, 3, 4, 5, 2, 1, 0]))]:
        anchor: dict[str, Any] = {"image_px": [x, y], "keypoints": list(keypoints)}
        match draw(st.integers(0, 11)):
            case 0:
                anchor["image_px"] = [draw(st.sampled_from(ODD_COORDINATES)), y]
            case 1:
                anchor["keypoints"] = draw(
                    st.sampled_from([[], [68], [-1], [36, 36], [2**63], [1.0], [True], 36, ["36"]])
                )
            case 2:
                anchor = draw(odd_object(anchor, most=1))
            case 3:
                anchor["image_px"] = [50.0, y + draw(st.sampled_from([0.0, 1e-9, 1e-3]))]
        anchors.append(anchor)
    table: dict[str, Any] = {"image": draw(st.sampled_from(["picture.png"] * 6 + ["drawing.svg"] * 3 + list(PATHS)))}
    table["anchors"] = anchors
    for key, values in {
        "fit": ["similarity", "affine", "perspective", "mesh", "bend", 1],
        "blend": ["normal", "multiply", "screen", "overlay", "soft-light", "Normal", ""],
        "opacity": [0.5, 1, 0, -1, 1e-300, float("nan"), "1", True],
        "mirror": [True, False, 1, "true"],
    }.items():
        if draw(st.integers(0, 3)) == 0:
            table[key] = draw(st.sampled_from(values[:-2]) | st.sampled_from(values))
    return table


@st.composite
def descriptions(draw: Callable[..., Any]) -> bytes:
    """An `overlay.toml`, mostly a valid one with one or two odd entries."""
    whole: dict[str, Any] = {"format": 2, "name": "A test"}
    if draw(st.integers(0, 5)) == 0:
        whole["effect"] = {
            "kind": draw(st.sampled_from(["blur", "pixelate", "melt"])),
            "strength": draw(st.sampled_from([1, 2.5, 4, 5, float("nan")])),
        }
    else:
        whole["pictures"] = draw(st.lists(pictures_of(), min_size=1, max_size=3))
    for key, value in {"order": 60, "key": "4", "credit": "Somebody", "names": {"de": "Ein Test"}}.items():
        if draw(st.booleans()):
            whole[key] = value
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        key = draw(
            st.sampled_from(["format", "name", "names", "order", "key", "pictures", "effect", "credit", "odd", "a.b"])
        )
        odd = draw(st.sampled_from([*ODD_NUMBERS, *BAD_TEXTS, *ODD_COORDINATES, DATE, [1, [2, [3]]]]) | odd_values())
        whole[key] = odd
    lines = [f"{json.dumps(key)} = {toml_value(value)}" for key, value in whole.items()]
    if draw(st.integers(0, 9)) == 0:
        lines.append(
            draw(st.sampled_from([lines[0], "a = 1\na = 2", "[pictures]", "[[pictures]]", "[names]\n[names]", "= 1"]))
        )
    text = "\n".join(lines)
    return draw(
        st.sampled_from([encoded(text)] * 9 + [text.encode("utf-16", "replace"), b"\xef\xbb\xbf" + encoded(text)])
    )


STRANGE_TEXTS: Final = (
    b"a = " + nested(50_000).encode(),
    b"a = " + b"{b=" * 50_000,
    b"a." * 60_000 + b"a = 1",
    b"a = 1" + b"0" * 200_000,
    b"[a]\n" * 50_000,
    b"x" * 300_000,
    b"\0" * 100,
    b"",
)


@st.composite
def folders(draw: Callable[..., Any]) -> dict[str, bytes]:
    """An overlay's folder: its description, a picture, a drawing."""
    good = descriptions()
    return {
        "overlay.toml": draw(st.one_of(good, good, good, good.flatmap(damaged), st.sampled_from(STRANGE_TEXTS))),
        "picture.png": draw(st.one_of(st.just(overlay_png()), st.just(overlay_png()), odd_pngs())),
        "drawing.svg": draw(st.one_of(st.just(DRAWING), drawings())),
    }


def put(files: dict[str, bytes], folder: Path) -> Path:
    """Write an overlay, with links and a pipe in its folder that lead elsewhere or nowhere."""
    own = folder / "own" / "test"
    own.mkdir(parents=True)
    for name, content in files.items():
        (own / name).write_bytes(content)
    (own / "link.png").symlink_to("../../../canary")
    (own / "loop.png").symlink_to("loop.png")
    (own / "out").symlink_to("..")
    (own / "folder.png").mkdir()
    with contextlib.suppress(AttributeError, OSError):
        os.mkfifo(own / "pipe.png")
    return own


def check_folder(files: dict[str, bytes], folder: Path) -> str | None:
    """Look at it as the gallery does, load it, and paint it on faces of several sizes."""
    gui()
    own = put(files, folder)
    library = OverlayLibrary(own.parent)
    broken = [entry.reason for entry in library.broken if entry.folder == own]
    if broken:
        return refusal(broken[0], own, *files, "picture", "png", "svg")
    try:
        layer = library.layer("test")
    except OverlayError as error:
        return refusal(error, own, *files)
    for points in (face_points(160, 120, 100), face_points(300, 20, 400), face_points(5, 5, 2, tilt_rad=3.0)):
        painted = render(result_of(points, width=320, height=240), (layer,))
        if painted.shape != (240, 320, 3):
            raise RuleError(f"a frame of shape {painted.shape} was painted")
    return None


# --- what is on


@st.composite
def stacks(draw: Callable[..., Any]) -> str:
    """What the settings say of the overlays that are on."""
    names = st.sampled_from(["keypoints", "boxes", "sunglasses", "blur", "test", "gone", ""]) | st.sampled_from(
        BAD_TEXTS
    )
    opacity = st.sampled_from([1, 0.5, 0, -1, 2, True, None, "1", float("nan"), 10**400]) | st.floats(allow_nan=True)
    entry = st.one_of(st.tuples(names, opacity).map(list), odd_values())
    text = json_text(draw(st.lists(entry, max_size=6)))
    return draw(
        st.just(text)
        | st.just(text)
        | damaged(text.encode()).map(lambda b: b.decode("utf-8", "replace"))
        | st.just(nested(60_000))
    )


@cache
def library() -> OverlayLibrary:
    return OverlayLibrary(None)


def check_stack(text: str, _: Path) -> str | None:
    """Switch them on, and say it again: it must be the same."""
    gui()
    stack = OverlayStack(library())
    stack.restore(text)
    again = OverlayStack(library())
    again.restore(stack.to_text())
    if [one.name for one in stack.active] != [one.name for one in again.active]:
        raise RuleError(f"{stack.active} became {again.active}")
    return None if stack.active else "nothing is on"


TARGETS: Final = (
    Target("overlay", folders(), check_folder, bound_s=5.0, share=0.25, memory_mb=1024),
    Target("overlays-on", stacks(), check_stack, bound_s=1.0, share=0.5),
)
