"""An overlay's description: what is read is what was meant, and every fault is one sentence."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from fkd_desktop.errors import OverlayError
from fkd_desktop.overlays.description import MAX_ANCHORS, Anchor, Blend, Fit
from fkd_desktop.overlays.description_file import read_description
from tests.live.helpers import assert_one_clear_sentence
from trainer.core.resources import assets_dir

GOOD = """
format = 2
name = "Test"
names = { de = "Probe", pt_BR = "Teste" }
credit = "Somebody"
order = 7
key = "5"

[[pictures]]
image = "parts/back.svg"
blend = "multiply"
opacity = 0.5
mirror = true

  [[pictures.anchors]]
  image_px = [30, 20.5]
  keypoints = [36, 39]

  [[pictures.anchors]]
  image_px = [70, 20]
  keypoints = [42]

[[pictures]]
image = "front.png"
fit = "affine"

  [[pictures.anchors]]
  image_px = [0, 0]
  keypoints = [1]

  [[pictures.anchors]]
  image_px = [100, 0]
  keypoints = [2]

  [[pictures.anchors]]
  image_px = [0, 100]
  keypoints = [3]

  [[pictures.anchors]]
  image_px = [100, 100]
  keypoints = [4]
"""
EFFECT = """
format = 2
name = "Hide"
order = 0
[effect]
kind = "blur"
strength = 2
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "overlay.toml"


def test_everything_is_read(path: Path) -> None:
    path.write_text(GOOD, encoding="utf-8")
    overlay = read_description(path)
    assert (overlay.name, overlay.credit, overlay.order, overlay.key) == ("Test", "Somebody", 7, "5")
    assert [overlay.title(code) for code in ("de", "de_AT", "pt_BR", "pt", "en", "")] == [
        "Probe", "Probe", "Teste", "Test", "Test", "Test",
    ]  # fmt: skip
    back, front = overlay.pictures
    assert (back.image, back.fit, back.blend) == ("parts/back.svg", Fit.SIMILARITY, Blend.MULTIPLY)
    assert (back.opacity, back.mirror) == (0.5, True)
    assert back.anchors == (Anchor((30.0, 20.5), (36, 39)), Anchor((70.0, 20.0), (42,)))
    assert (front.fit, front.blend, front.opacity, front.mirror) == (Fit.AFFINE, Blend.NORMAL, 1.0, False)
    assert overlay.effect is None


def test_an_effect_is_read(path: Path) -> None:
    path.write_text(EFFECT, encoding="utf-8")
    overlay = read_description(path)
    assert overlay.effect is not None
    assert (overlay.effect.kind, overlay.effect.strength, overlay.pictures) == ("blur", 2.0, ())


@pytest.mark.parametrize(
    ("count", "fit"), [(2, Fit.SIMILARITY), (3, Fit.AFFINE), (4, Fit.PERSPECTIVE), (5, Fit.MESH), (9, Fit.MESH)]
)
def test_the_number_of_anchors_says_what_a_picture_may_do(path: Path, count: int, fit: Fit) -> None:
    text = 'format = 2\nname = "N"\n[[pictures]]\nimage = "a.png"\n'
    for number in range(count):
        text += f"[[pictures.anchors]]\nimage_px = [{number}, {number * number}]\nkeypoints = [{number}]\n"
    path.write_text(text, encoding="utf-8")
    assert read_description(path).pictures[0].fit is fit


def test_format_1_stays_readable(path: Path) -> None:
    path.write_text(
        'format = 1\nname = "Old"\nimage = "old.png"\n'
        "[[anchors]]\nimage_px = [1, 2]\nkeypoints = [3]\n[[anchors]]\nimage_px = [4, 5]\nkeypoints = [6, 7]\n"
        "[[anchors]]\nimage_px = [9, 5]\nkeypoints = [8]\n",
        encoding="utf-8",
    )
    (picture,) = read_description(path).pictures
    assert (picture.image, picture.fit, len(picture.anchors)) == ("old.png", Fit.SIMILARITY, 3)


@pytest.mark.parametrize("folder", sorted(path.name for path in (assets_dir() / "overlays").iterdir()))
def test_every_shipped_description_makes_sense(folder: str) -> None:
    overlay = read_description(assets_dir() / "overlays" / folder / "overlay.toml")
    assert overlay.name and (overlay.pictures or overlay.effect)


ANCHOR = "  [[pictures.anchors]]\n  image_px = [9, 9]\n  keypoints = [0]\n"
FAULTS = {
    "a later format": ("format = 2", "format = 3", "format 3"),
    "no format": ("format = 2", "", "format None"),
    "a true format": ("format = 2", "format = true", "format True"),
    "no TOML": ("format = 2", "format = ", "cannot be read"),
    "an entry twice": ("format = 2", "format = 2\nformat = 2", "cannot be read"),
    "endless nesting": ("order = 7", "order = " + 5000 * "[" + 5000 * "]", "cannot be read"),
    "an entry that is not known": ("order = 7", "ordre = 7", "ordre"),
    "a picture's entry that is not known": ("mirror = true", "miror = true", "pictures[0].miror"),
    "an anchor's entry that is not known": (
        "image_px = [0, 0]",
        "image_px = [0, 0]\nkeypoint = 1",
        "anchors[0].keypoint",
    ),
    "no name": ('name = "Test"', "", "name"),
    "an empty name": ('name = "Test"', 'name = " "', "name"),
    "a name of two lines": ('name = "Test"', 'name = "a\\nb"', "name"),
    "a name that is a number": ('name = "Test"', "name = 7", "name"),
    "an endless name": ('name = "Test"', f'name = "{500 * "x"}"', "name"),
    "a language that is none": ("de = ", "German = ", "German"),
    "names that are none": ('{ de = "Probe", pt_BR = "Teste" }', '"Probe"', "names"),
    "a place that is none": ("order = 7", 'order = "front"', "order"),
    "half a place": ("order = 7", "order = 7.5", "whole numbers"),
    "a place beyond all": ("order = 7", "order = 7000000", "order"),
    "a key that is none": ('key = "5"', 'key = "F5"', "key"),
    "a key that is a number": ('key = "5"', "key = 5", "key"),
    "no pictures": (GOOD[GOOD.index("[[") :], "", "[[pictures]]"),
    "pictures that are none": (GOOD[GOOD.index("[[") :], 'pictures = "many"', "pictures"),
    "an empty list of pictures": (GOOD[GOOD.index("[[") :], "pictures = []", "pictures"),
    "too many pictures": (
        "[[pictures]]\nimage",
        20 * '[[pictures]]\nimage = "x.png"\n' + "[[pictures]]\nimage",
        "22 of pictures",
    ),
    "a picture and an effect": ("[[pictures]]", '[effect]\nkind = "blur"\n[[pictures]]', "one of them"),
    "no image": ('image = "front.png"', "", "pictures[1].image"),
    "an image without a name": ("front.png", "", "pictures[1].image"),
    "an image that is a number": ('"front.png"', "7", "pictures[1].image"),
    "an image outside the folder": ("front.png", "../front.png", "outside the overlay's own folder"),
    "an image outside by a detour": ("front.png", "a/../../front.png", "outside the overlay's own folder"),
    "an image anywhere": ("front.png", "/etc/front.png", "outside the overlay's own folder"),
    "an image on another drive": ("front.png", "C:front.png", "outside the overlay's own folder"),
    "an image by the other slash": ("front.png", "..\\\\front.png", "outside the overlay's own folder"),
    "an image with an end inside": ("front.png", "front\\u0000.png", "pictures[1].image"),
    "an image that is the folder": ('"front.png"', '"."', "outside the overlay's own folder"),
    "an image of another kind": ("front.png", "front.tiff", "neither an SVG nor a PNG"),
    "a blend that is none": ('"multiply"', '"burn"', "normal, multiply, screen"),
    "a blend that is a list": ('"multiply"', '["multiply"]', "pictures[0].blend"),
    "an opacity over all": ("opacity = 0.5", "opacity = 5", "pictures[0].opacity"),
    "no opacity at all": ("opacity = 0.5", "opacity = 0", "pictures[0].opacity"),
    "an opacity that is no number": ("opacity = 0.5", "opacity = nan", "pictures[0].opacity"),
    "a true opacity": ("opacity = 0.5", "opacity = true", "pictures[0].opacity"),
    "half a mirror": ("mirror = true", "mirror = 0.5", "pictures[0].mirror"),
    "a fit that is none": ('"affine"', '"tight"', "similarity, affine, perspective, mesh"),
    "a fit of too few anchors": ("mirror = true", 'fit = "affine"', "2 of pictures[0].anchors"),
    "no anchor": (GOOD[GOOD.rindex("fit =") :], "", "pictures[1].anchors"),
    "one anchor": (
        "  [[pictures.anchors]]\n  image_px = [70, 20]\n  keypoints = [42]\n",
        "",
        "1 of pictures[0].anchors",
    ),
    "two anchors on one point": ("[70, 20]", "[30, 20.5]", "same point"),
    "two anchors on one keypoint": ("[42]", "[39, 36]", "same keypoints"),
    "anchors that are none": (
        GOOD[GOOD.rindex("  [[pictures.anchors]]\n  image_px = [0, 0]") :],
        'anchors = "many"',
        "pictures[1].anchors",
    ),
    "an anchor with one coordinate": ("[70, 20]", "[70]", "pictures[0].anchors[1].image_px"),
    "an anchor with three coordinates": ("[70, 20]", "[70, 20, 1]", "pictures[0].anchors[1].image_px"),
    "an anchor of words": ("[70, 20]", '["a", "b"]', "pictures[0].anchors[1].image_px"),
    "an anchor nowhere": ("[70, 20]", "[nan, 20]", "nan"),
    "an anchor at the end of the world": ("[70, 20]", "[inf, 20]", "inf"),
    "an anchor far beyond": ("[70, 20]", "[1" + 400 * "0" + ", 20]", "pictures[0].anchors[1].image_px"),
    "an anchor without keypoints": ("[42]", "[]", "pictures[0].anchors[1].keypoints"),
    "a keypoint that is none": ("[42]", "42", "pictures[0].anchors[1].keypoints"),
    "a keypoint that does not exist": ("[42]", "[68]", "0 to 67"),
    "a negative keypoint": ("[42]", "[-1]", "0 to 67"),
    "an endless keypoint": ("[42]", "[inf]", "0 to 67"),
    "half a keypoint": ("[42]", "[42.0]", "whole numbers"),
    "a keypoint twice": ("[42]", "[42, 42]", "twice"),
    "more keypoints than there are": ("[42]", str([*range(68), 0]), "pictures[0].anchors[1].keypoints"),
}
FAULTS["too many anchors"] = (
    '[[pictures]]\nimage = "front',
    (MAX_ANCHORS + 1) * ANCHOR + '[[pictures]]\nimage = "front',
    f"{MAX_ANCHORS + 3} of",
)
FAULTS["anchors on a line"] = (
    GOOD[GOOD.index("  image_px = [0, 100]") :],
    "  image_px = [50, 0]\n  keypoints = [3]\n",
    "on one line",
)


def assert_refused(path: Path, text: str, what: str) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(OverlayError) as caught:
        read_description(path)
    assert_one_clear_sentence(caught.value, str(path), what)
    assert len(str(caught.value)) < len(str(path)) + 400
    assert caught.value.values, "it can be translated"


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_one_sentence(path: Path, fault: str) -> None:
    old, new, what = FAULTS[fault]
    assert GOOD.count(old) >= 1, "the fault is not where it should be"
    assert_refused(path, GOOD.replace(old, new, 1), what)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('"blur"', '"burn"', "effect.kind"),
        ("strength = 2", "strength = 0.5", "effect.strength"),
        ("strength = 2", "strength = 50", "effect.strength"),
        ("strength = 2", "strong = 2", "effect.strong"),
        ('[effect]\nkind = "blur"\nstrength = 2', 'effect = "blur"', "effect"),
    ],
)
def test_every_fault_of_an_effect_is_one_sentence(path: Path, old: str, new: str, what: str) -> None:
    assert old in EFFECT
    assert_refused(path, EFFECT.replace(old, new), what)


def test_three_anchors_on_a_line_give_no_perspective(path: Path) -> None:
    text = 'format = 2\nname = "N"\n[[pictures]]\nimage = "a.png"\n'
    for number, (x, y) in enumerate([(0, 0), (50, 0.2), (100, 0), (50, 80)]):
        text += f"[[pictures.anchors]]\nimage_px = [{x}, {y}]\nkeypoints = [{number}]\n"
    assert_refused(path, text, "no perspective")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00 no text", b"# " + bytes(10), b"#" * 300_000], ids=str)
def test_a_file_that_is_none_is_one_sentence(path: Path, content: bytes | None) -> None:
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OverlayError) as caught:
        read_description(path)
    assert_one_clear_sentence(caught.value, str(path))


def test_a_key_of_thousands_of_parts_takes_no_memory(path: Path) -> None:
    path.write_text("a." * 60_000 + "a = 1", encoding="utf-8")
    with pytest.raises(OverlayError, match="longer than any description"):
        read_description(path)


def test_a_description_that_is_a_folder_is_one_sentence(path: Path) -> None:
    path.mkdir()
    with pytest.raises(OverlayError) as caught:
        read_description(path)
    assert_one_clear_sentence(caught.value, str(path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_not_waited_for(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(OverlayError) as caught:
        read_description(path)
    assert_one_clear_sentence(caught.value, str(path))


def test_the_examples_of_the_documentation_can_be_read(path: Path) -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "manual" / "making-overlays.md"
    examples = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 2
    overlays = []
    for example in examples:
        path.write_text(example, encoding="utf-8")
        overlays.append(read_description(path))
    hat, hide = overlays
    assert [picture.fit for picture in hat.pictures] == [Fit.SIMILARITY, Fit.AFFINE]
    assert hide.effect is not None and hide.effect.strength == 1.5
