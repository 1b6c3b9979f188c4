"""The library: what there is, in which order, what is broken and why; and overlays of the user's own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QBuffer, QCoreApplication, QIODevice, QTranslator

from fkd_desktop.errors import OverlayError
from fkd_desktop.overlays import OverlayLibrary, render, save_overlay
from fkd_desktop.overlays import saving as saving_module
from fkd_desktop.overlays.description import (
    Anchor,
    Blend,
    EffectDescription,
    Fit,
    OverlayDescription,
    PictureDescription,
)
from fkd_desktop.overlays.description_file import read_description
from fkd_desktop.overlays.saving import to_toml
from tests.live.helpers import assert_one_clear_sentence
from tests.overlays.folders import EYES, TWO_ANCHORS, ramp, toml, write_overlay
from tests.overlays.helpers import face_points, result_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("qapp")

DRAWN = ("keypoints", "numbers", "boxes", "mesh", "pose")
BUILT_IN = {
    "keypoints": "1", "numbers": "2", "boxes": "3", "moustache": "5", "hat": "6", "blur": "9",
    "mesh": None, "pose": None, "pixelate": None, "sunglasses-round": None, "sunglasses-heart": None,
}  # fmt: skip


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "overlays"


def png_bytes(width: int = 100, height: int = 50) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert ramp(width, height).save(buffer, "PNG")
    return bytes(buffer.data().data())


def described(name: str = "Mine", **changes: object) -> OverlayDescription:
    anchors = (Anchor((30.0, 20.0), EYES[0]), Anchor((70.0, 20.0), EYES[1]))
    return OverlayDescription(name, (PictureDescription("picture.png", anchors),), **changes)


# --- what there is


def test_the_shipped_overlays_are_there_and_none_is_broken() -> None:
    library = OverlayLibrary()
    names = [info.name for info in library.infos]
    assert names[: len(DRAWN)] == list(DRAWN)
    assert len(set(names)) == len(names)
    assert {name: library.info(name).key for name in BUILT_IN} == BUILT_IN
    assert library.broken == ()
    keys = [info.key for info in library.infos if info.key]
    assert len(set(keys)) == len(keys)
    assert all(info.origin == "built-in" and info.title for info in library.infos)


@pytest.mark.parametrize("name", [info.name for info in OverlayLibrary().infos])
def test_every_shipped_overlay_can_be_painted(name: str) -> None:
    library = OverlayLibrary()
    info, layer = library.info(name), library.layer(name)
    assert (layer.name, layer.title) == (name, info.title)
    result = result_of(face_points(320, 260, 220))
    image = render(result, [layer])
    if info.kind != "effect":  # hiding a flat grey face shows nothing
        assert (image != result.frame_bgr).any()
    assert info.opacity_fixed == (info.kind == "effect")
    assert (info.folder is None) == (name in DRAWN or name in ("blur", "pixelate"))


def test_effects_lie_at_the_back_and_marks_in_front() -> None:
    library = OverlayLibrary()
    order = {info.name: info.order for info in library.infos}
    assert order["blur"] == order["pixelate"] == 0
    assert 0 < order["hat"] < order["sunglasses"] < order["moustache"] < order["mesh"] < order["numbers"]


def test_a_layer_is_loaded_once() -> None:
    library = OverlayLibrary()
    assert library.layer("sunglasses") is library.layer("sunglasses")
    layer = library.layer("sunglasses")
    library.reload()
    assert library.layer("sunglasses") is layer


def test_a_name_that_is_none_is_a_key_error() -> None:
    library = OverlayLibrary()
    for look in (library.info, library.layer, library.description):
        with pytest.raises(KeyError):
            look("no such overlay")


def test_titles_are_in_the_language_of_the_translation(own: Path) -> None:
    class German(QTranslator):
        def translate(self, context: str, text: str, _note: str = "", _n: int = -1) -> str | None:
            return {"en": "de", "Keypoints": "Punkte"}.get(text) if context == "Overlays" else None

    write_overlay(own / "mine", toml(*TWO_ANCHORS, head='names = { de = "Probebild" }'))
    german = German()
    assert QCoreApplication.installTranslator(german)
    try:
        library = OverlayLibrary(own)
        assert library.info("mine").title == "Probebild"
        assert library.info("keypoints").title == "Punkte"
        assert library.info("mesh").title == "Mesh"
    finally:
        QCoreApplication.removeTranslator(german)
    library.reload()
    assert library.info("mine").title == "Test picture"


# --- the user's own


def test_own_overlays_follow_by_title(own: Path) -> None:
    for folder, name in (("a", "Zebra"), ("b", "apple"), ("c", "Mango")):
        write_overlay(own / folder, toml(*TWO_ANCHORS, head='key = "7"').replace("Test picture", name))
    infos = OverlayLibrary(own).infos[-3:]
    assert [info.title for info in infos] == ["apple", "Mango", "Zebra"]
    assert all(info.origin == "user" and info.kind == "picture" and info.key is None for info in infos)
    assert infos[0].folder == own / "b"


def test_a_folder_that_is_not_there_holds_nothing(own: Path) -> None:
    assert OverlayLibrary(own).infos == OverlayLibrary().infos
    own.write_text("a file")
    assert OverlayLibrary(own).infos == OverlayLibrary().infos


def test_broken_ones_are_listed_with_their_reason(own: Path) -> None:
    write_overlay(own / "good", toml(*TWO_ANCHORS))
    write_overlay(own / "bad", toml(*TWO_ANCHORS).replace("[36, 37", "[36, 77"))
    write_overlay(own / "no picture", toml(*TWO_ANCHORS))
    (own / "no picture" / "picture.png").unlink()
    write_overlay(own / "hat", toml(*TWO_ANCHORS))
    (own / "empty").mkdir()
    (own / ".being-written").mkdir()
    (own / "a file").write_text("")
    library = OverlayLibrary(own)
    assert [info.name for info in library.infos if info.origin == "user"] == ["good"]
    reasons = {broken.folder.name: broken.reason for broken in library.broken}
    assert set(reasons) == {"bad", "no picture", "hat", "empty"}
    assert "0 to 67" in reasons["bad"] and "missing" in reasons["no picture"] and "missing" in reasons["empty"]
    assert "comes with the program" in reasons["hat"]
    for folder, reason in reasons.items():
        assert_one_clear_sentence(OverlayError(reason), str(own / folder))
    assert library.info("hat").origin == "built-in"


def test_one_that_proves_broken_when_it_is_loaded_moves_to_the_broken_ones(own: Path) -> None:
    folder = write_overlay(own / "cut", toml(*TWO_ANCHORS))
    (folder / "picture.png").write_bytes(png_bytes(400, 400)[:300])  # its size can still be read
    library = OverlayLibrary(own)
    assert library.info("cut").title == "Test picture"
    with pytest.raises(OverlayError):
        library.layer("cut")
    assert [broken.folder for broken in library.broken] == [folder]
    with pytest.raises(KeyError):
        library.info("cut")
    (folder / "picture.png").write_bytes(png_bytes())
    library.reload()
    assert library.broken == ()
    assert library.layer("cut").name == "cut"


def test_reload_sees_what_is_new_changed_or_gone(own: Path) -> None:
    library = OverlayLibrary(own)
    folder = write_overlay(own / "mine", toml(*TWO_ANCHORS))
    library.reload()
    layer = library.layer("mine")
    (folder / "overlay.toml").write_text(toml(*TWO_ANCHORS).replace("Test picture", "Another name"))
    os.utime(folder / "overlay.toml", ns=(1, 1))  # a clock may be coarse
    library.reload()
    assert library.info("mine").title == "Another name"
    assert library.layer("mine") is not layer
    (folder / "overlay.toml").unlink()
    library.reload()
    assert [broken.folder for broken in library.broken] == [folder]
    (folder / "picture.png").unlink()
    folder.rmdir()
    library.reload()
    assert library.broken == () and library.infos == OverlayLibrary().infos


# --- saving


def test_what_is_saved_is_there_and_looks_like_it(own: Path) -> None:
    library = OverlayLibrary(own)
    folder = library.free_folder("My Hat")
    assert folder == own / "my-hat"
    save_overlay(folder, described("My Hat"), png_bytes())
    library.reload()
    assert library.info("my-hat").title == "My Hat"
    assert library.description("my-hat") == described("My Hat")
    assert sorted(path.name for path in own.iterdir()) == ["my-hat"], "nothing else is left there"
    result = result_of(face_points(320, 240, 300))
    assert (render(result, [library.layer("my-hat")]) != result.frame_bgr).any()
    assert library.free_folder("My Hat") == own / "my-hat-2"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Hat", "hat-2"),
        ("", "overlay"),
        ("../../etc", "etc"),
        ("Größe 5!", "gr-e-5"),
        ("帽子", "overlay"),
        ("blur", "blur-2"),
        ("x" * 300, "x" * 40),
        ("CON.", "con-2"),
    ],
)
def test_a_free_folder_has_a_plain_name_that_is_not_taken(own: Path, title: str, name: str) -> None:
    assert OverlayLibrary(own).free_folder(title) == own / name


def test_without_a_folder_nothing_can_be_saved() -> None:
    with pytest.raises(OverlayError) as caught:
        OverlayLibrary().free_folder("x")
    assert_one_clear_sentence(caught.value)


def test_an_overlay_that_is_there_stays_unless_it_is_to_give_way(own: Path) -> None:
    save_overlay(own / "mine", described("First"), png_bytes())
    with pytest.raises(OverlayError) as caught:
        save_overlay(own / "mine", described("Second"), png_bytes())
    assert_one_clear_sentence(caught.value, str(own / "mine"))
    assert read_description(own / "mine" / "overlay.toml").name == "First"
    save_overlay(own / "mine", described("Second"), png_bytes(), replace_existing=True)
    assert read_description(own / "mine" / "overlay.toml").name == "Second"
    assert sorted(path.name for path in own.iterdir()) == ["mine"]


@pytest.mark.parametrize(
    ("description", "image"),
    [
        (described(), b"no picture"),
        (described("two\nlines"), png_bytes),
        (OverlayDescription("X", (PictureDescription("../picture.png", described().pictures[0].anchors),)), png_bytes),
        (OverlayDescription("X", (PictureDescription("picture.png", described().pictures[0].anchors[:1]),)), png_bytes),
    ],
    ids=["no picture", "a name of two lines", "outside", "one anchor"],
)
def test_what_makes_no_sense_is_not_saved(own: Path, description: OverlayDescription, image: object) -> None:
    save_overlay(own / "mine", described("Old"), png_bytes())
    with pytest.raises(OverlayError):
        save_overlay(own / "mine", description, image() if callable(image) else image, replace_existing=True)
    assert read_description(own / "mine" / "overlay.toml").name == "Old"
    assert sorted(path.name for path in own.parent.iterdir()) == ["overlays"]
    assert sorted(path.name for path in own.iterdir()) == ["mine"]


def test_a_full_disk_leaves_what_was_there(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_overlay(own / "mine", described("Old"), png_bytes())
    written: list[Path] = []

    def write(path: Path, content: bytes) -> None:
        written.append(path)
        if path.name == "overlay.toml":
            raise OSError(28, "No space left on device")
        path.write_bytes(content)

    monkeypatch.setattr(saving_module, "_write", write)
    with pytest.raises(OverlayError) as caught:
        save_overlay(own / "mine", described("New"), png_bytes(), replace_existing=True)
    assert_one_clear_sentence(caught.value, str(own / "mine"), "No space left")
    assert len(written) == 2
    assert read_description(own / "mine" / "overlay.toml").name == "Old"
    assert sorted(path.name for path in own.iterdir()) == ["mine"]


def test_everything_that_can_be_said_is_written_and_read_again(tmp_path: Path) -> None:
    anchors = tuple(Anchor((k * 1.5, k * k / 3), (k, k + 20)) for k in range(6))
    full = OverlayDescription(
        'Quo"te \\ back \u007f 帽子',
        (
            PictureDescription("a.png", anchors[:2], Fit.SIMILARITY, Blend.SOFT_LIGHT, 0.25, True),
            PictureDescription("b/c.svg", anchors, Fit.AFFINE),
            PictureDescription("d.svg", anchors, Fit.MESH),
        ),
        order=-3,
        key="8",
        names=(("de", "Hut"), ("pt_BR", 'Chap"éu')),
        credit="Me",
    )
    effect = OverlayDescription("Hide", effect=EffectDescription("pixelate", 2.5), order=0)
    for description in (full, effect):
        path = tmp_path / "overlay.toml"
        if "\u007f" in description.name:
            description = OverlayDescription(**{**vars(description), "name": 'Quo"te \\ back 帽子'})  # noqa: PLW2901
        path.write_text(to_toml(description), encoding="utf-8")
        assert read_description(path) == description


# --- removing


def test_own_overlays_can_be_removed_whole_or_broken(own: Path) -> None:
    save_overlay(own / "mine", described(), png_bytes())
    (own / "broken").mkdir()
    library = OverlayLibrary(own)
    library.remove(own / "mine")
    library.remove(own / "broken")
    assert list(own.iterdir()) == [] and library.broken == ()
    with pytest.raises(KeyError):
        library.info("mine")


def test_nothing_else_can_be_removed(own: Path, tmp_path: Path) -> None:
    library = OverlayLibrary(own)
    own.mkdir()
    for folder in (library.info("hat").folder, tmp_path, own, own / "not there"):
        with pytest.raises(OverlayError) as caught:
            library.remove(folder)
        assert_one_clear_sentence(caught.value, str(folder))
    with pytest.raises(OverlayError):
        library.remove(own / "..")
    assert library.info("hat").folder.is_dir() and own.is_dir()


@pytest.fixture(autouse=True)
def _shipped_stay() -> Iterator[None]:
    before = [info.name for info in OverlayLibrary().infos]
    yield
    assert set(before) <= {info.name for info in OverlayLibrary().infos}


def test_saved_pictures_keep_their_pixels(own: Path) -> None:
    save_overlay(own / "mine", described(), png_bytes())
    assert (own / "mine" / "picture.png").read_bytes() == png_bytes()
    assert np.frombuffer(png_bytes(), np.uint8).size > 100
