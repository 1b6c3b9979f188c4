"""What is on: order, opacity, whose face, and that it survives the settings and a broken overlay."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage

from fkd_desktop.overlays import ActiveOverlay, OverlayLibrary, OverlayStack, render
from fkd_desktop.overlays.styled import StyledLayer
from tests.live.helpers import assert_one_clear_sentence
from tests.overlays.folders import TWO_ANCHORS, toml, write_overlay
from tests.overlays.helpers import GREY, face_points, paint_into, painted, result_of

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.usefixtures("qapp")

FACE = face_points(320, 240, 300)
NOSE = (int(FACE[27, 1]), int(FACE[27, 0]))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    for name, order in (("red", 10), ("green", 20), ("blue", 30)):
        write_overlay(
            folder / name, toml(*TWO_ANCHORS, head=f"order = {order}"), colour=name if name != "green" else "lime"
        )
    return folder


@pytest.fixture
def stack(own: Path) -> OverlayStack:
    return OverlayStack(OverlayLibrary(own))


def names(stack: OverlayStack) -> list[str]:
    assert [layer.name for layer in stack.layers()] == [overlay.name for overlay in stack.active]
    return [overlay.name for overlay in stack.active]


def nose_of(stack: OverlayStack) -> list[int]:
    return render(result_of(FACE), stack.layers())[NOSE].tolist()


# --- order


def test_what_comes_on_goes_where_its_order_says(stack: OverlayStack) -> None:
    for name in ("keypoints", "blue", "red", "blur", "green", "numbers", "sunglasses"):
        stack.set_on(name, True)
    assert names(stack) == ["blur", "red", "green", "blue", "sunglasses", "keypoints", "numbers"]
    stack.set_on("green", False)
    assert not stack.is_on("green") and stack.is_on("red")
    stack.toggle("green")
    stack.toggle("blue")
    assert names(stack) == ["blur", "red", "green", "sunglasses", "keypoints", "numbers"]


def test_the_one_in_front_is_seen(stack: OverlayStack) -> None:
    for name in ("blue", "red", "green"):
        stack.set_on(name, True)
    assert nose_of(stack) == [255, 0, 0]
    stack.move("blue", 0)
    assert names(stack) == ["blue", "red", "green"]
    assert nose_of(stack) == [0, 255, 0]
    stack.move("red", 2)
    assert nose_of(stack) == [0, 0, 255]
    stack.move("green", 99)
    stack.move("red", -99)
    assert names(stack) == ["red", "blue", "green"]


def test_where_the_user_moved_one_it_stays(stack: OverlayStack) -> None:
    stack.set_on("red", True)
    stack.set_on("blue", True)
    stack.move("red", 1)
    stack.set_on("keypoints", True)
    assert names(stack) == ["blue", "red", "keypoints"]


def test_clearing_switches_all_off(stack: OverlayStack) -> None:
    stack.set_on("red", True)
    stack.set_on("pose", True)
    stack.clear()
    assert stack.active == () and stack.layers() == ()


# --- signals


def test_it_tells_every_change_and_nothing_else(stack: OverlayStack, qtbot: QtBot) -> None:
    told: list[tuple[ActiveOverlay, ...]] = []
    stack.changed.connect(lambda: told.append(stack.active))
    stack.failed.connect(pytest.fail)
    for change in (
        lambda: stack.set_on("red", True),
        lambda: stack.set_on("blue", True),
        lambda: stack.set_opacity("red", 0.5),
        lambda: stack.set_face("red", 3),
        lambda: stack.move("red", 1),
        lambda: stack.set_face("red", None),
        stack.clear,
    ):
        before = len(told)
        change()
        assert len(told) == before + 1 and told[-1] == stack.active
        for nothing in (
            lambda: stack.set_on("red", stack.is_on("red")),
            lambda: stack.set_on("no such overlay", True),
            lambda: stack.set_opacity("green", 0.5),
            lambda: stack.set_face("green", 1),
            lambda: stack.move("green", 0),
            stack.refresh,
            lambda: stack.restore(stack.to_text()) if all(o.face_id is None for o in stack.active) else None,
        ):
            nothing()
        assert len(told) == before + 1


def test_a_broken_overlay_is_told_and_stays_off(own: Path, qtbot: QtBot) -> None:
    library = OverlayLibrary(own)
    stack = OverlayStack(library)
    stack.set_on("red", True)
    data = (own / "green" / "picture.png").read_bytes()
    (own / "green" / "picture.png").write_bytes(data[: len(data) // 2])
    with qtbot.waitSignal(stack.failed, timeout=1000) as failed:
        stack.set_on("green", True)
    from fkd_desktop.errors import OverlayError

    assert_one_clear_sentence(OverlayError(failed.args[0]), str(own / "green"))
    assert names(stack) == ["red"]
    stack.set_on("green", True)  # the library knows by now
    assert names(stack) == ["red"]


def test_what_vanishes_is_off_and_what_changes_is_painted_anew(own: Path) -> None:
    library = OverlayLibrary(own)
    stack = OverlayStack(library)
    stack.set_on("red", True)
    stack.set_on("green", True)
    layers = stack.layers()
    white = QImage(100, 50, QImage.Format.Format_ARGB32)
    white.fill(QColor("white"))
    assert white.save(str(own / "green" / "picture.png"))
    library.remove(own / "red")
    assert stack.layers() == layers, "what was handed out stays"
    stack.refresh()
    assert names(stack) == ["green"]
    assert nose_of(stack) == [255, 255, 255]


# --- the settings


def test_it_is_as_it_was_after_a_restart(stack: OverlayStack, own: Path) -> None:
    for name in ("red", "blue", "pose"):
        stack.set_on(name, True)
    stack.move("blue", 0)
    stack.set_opacity("red", 0.4)
    stack.set_face("pose", 2)
    other = OverlayStack(OverlayLibrary(own))
    other.restore(stack.to_text())
    assert other.active == (ActiveOverlay("blue"), ActiveOverlay("red", 0.4), ActiveOverlay("pose"))


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "{}", "[", "null", "3", "[" * 100_000, '{"a": 1}', "\x00", '"red"', "[NaN]", '[["red", "x"]]',
     '[["red", NaN]]', '[["red", 7]]', '[["red"]]', '[[["red"], 1]]', '[["no such overlay", 1]]', '[["red", null]]'],
)  # fmt: skip
def test_nonsense_in_the_settings_is_passed_over(stack: OverlayStack, text: str) -> None:
    stack.failed.connect(pytest.fail)
    stack.restore(text)
    assert stack.active == ()


def test_what_makes_sense_among_nonsense_is_taken(stack: OverlayStack) -> None:
    stack.restore('[["red", 0.5], 7, ["red", 1], ["gone", 1], ["blue", 1], {}]')
    assert stack.active == (ActiveOverlay("red", 0.5), ActiveOverlay("blue"))


# --- opacity and faces


@pytest.mark.parametrize(("value", "kept"), [(0.5, 0.5), (-1, 0.0), (7, 1.0)])
def test_opacity_is_kept_in_its_range(stack: OverlayStack, value: float, kept: float) -> None:
    stack.set_on("red", True)
    stack.set_opacity("red", value)
    stack.set_opacity("red", float("nan"))
    assert stack.active == (ActiveOverlay("red", kept),)
    expected = [GREY * (1 - kept), GREY * (1 - kept), GREY * (1 - kept) + 255 * kept]
    np.testing.assert_allclose(nose_of(stack), expected, atol=2)


@pytest.mark.parametrize("name", ["keypoints", "numbers", "boxes", "mesh", "pose", "hat", "sunglasses", "moustache"])
@pytest.mark.parametrize("ratio", [1.0, 1.5])
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_half_opaque_is_half_way_everywhere(name: str, ratio: float, is_mirrored: bool) -> None:
    """Also where marks overlap: the layer is made translucent as a whole."""
    layer = OverlayLibrary().layer(name)
    result = result_of(face_points(300, 250, 200), face_points(420, 300, 150))
    kind = {"width": 640, "height": 480, "ratio": ratio, "mirrored": is_mirrored}
    bare, full = (paint_into(result, layers, **kind).astype(float) for layers in ([], [layer]))
    half = paint_into(result, [StyledLayer(layer, opacity=0.5)], **kind)
    off = np.abs(half - (bare + full) / 2).max(axis=2)
    overlapping_faces = 0.02 if name in ("hat", "sunglasses", "moustache") else 0.0005
    assert (off > 4).mean() <= overlapping_faces
    assert (np.abs(full - bare).max(axis=2) > 8).any()


def test_one_face_can_be_chosen(stack: OverlayStack) -> None:
    result = result_of(face_points(160, 240, 180), face_points(480, 240, 180))
    stack.set_on("red", True)
    stack.set_face("red", 2)
    mask = painted(result, *stack.layers())
    assert mask[:, 320:].any() and not mask[:, :320].any()
    stack.set_face("red", 77)
    assert not painted(result, *stack.layers()).any()
    stack.set_face("red", None)
    mask = painted(result, *stack.layers())
    assert mask[:, 320:].any() and mask[:, :320].any()


def test_hiding_one_face_leaves_the_other(stack: OverlayStack) -> None:
    from dataclasses import replace

    faces = face_points(160, 240, 180), face_points(480, 240, 180)
    frame = np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    result = replace(result_of(*faces), frame_bgr=frame)
    stack.set_on("blur", True)
    stack.set_opacity("blur", 0.2)
    stack.set_face("blur", 1)
    image = render(result, stack.layers())
    np.testing.assert_array_equal(image[:, 320:], frame[:, 320:])
    assert (image[200:280, 120:200] != frame[200:280, 120:200]).any(axis=2).mean() > 0.99


# --- threads


def test_layers_painted_in_many_threads_at_once_give_the_same_pixels(stack: OverlayStack) -> None:
    for name in ("keypoints", "numbers", "boxes", "mesh", "pose", "hat", "sunglasses-heart", "pixelate", "red"):
        stack.set_on(name, True)
        stack.set_opacity(name, 0.8)
    layers = stack.layers()
    results = [result_of(face_points(250 + 20 * k, 250, 150 + 60 * k)) for k in range(4)]
    alone = [render(result, layers) for result in results]
    barrier, wrong = threading.Barrier(4), []

    def work(number: int) -> None:
        fresh = OverlayStack(OverlayLibrary(stack._library.user_folder))
        fresh.restore(stack.to_text())
        barrier.wait()
        for _ in range(5):
            for painted_layers in (layers, fresh.layers()):
                if not np.array_equal(render(results[number], painted_layers), alone[number]):
                    wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == [] and not any(thread.is_alive() for thread in threads)


def test_render_and_the_screen_show_the_same_pixels(stack: OverlayStack) -> None:
    """One implementation paints all: at the frame's own size there is no difference at all."""
    for info in stack._library.infos:
        stack.set_on(info.name, True)
    stack.set_opacity("keypoints", 0.5)
    result = result_of(face_points(250, 250, 200), face_points(450, 200, 120))
    on_screen = paint_into(result, stack.layers(), width=640, height=480)
    np.testing.assert_array_equal(render(result, stack.layers()), on_screen)


def test_what_hides_faces_is_told_apart(qapp) -> None:
    stack = OverlayStack(OverlayLibrary())
    assert stack.privacy_layers() == ()
    for name in ("keypoints", "blur", "hat", "pixelate"):
        stack.set_on(name, True)
    assert [layer.name for layer in stack.privacy_layers()] == ["blur", "pixelate"]
