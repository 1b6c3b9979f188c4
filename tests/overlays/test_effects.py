"""Hiding faces: nothing of what was inside the outline comes out again, at any size, place or turn."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from fkd_desktop.live.result import FrameResult
from fkd_desktop.overlays.effects import CELLS_ACROSS, BlurLayer, PixelateLayer
from fkd_desktop.overlays.outline import face_outline, forehead
from fkd_desktop.overlays.render import render
from fkd_desktop.overlays.styled import StyledLayer
from tests.overlays.helpers import face_points, paint_into, result_of, turned_face
from trainer.core.preprocess import box_from_keypoints

pytestmark = pytest.mark.usefixtures("qapp")

BLUR, PIXELATE = BlurLayer("blur", "Blur"), PixelateLayer("pixelate", "Pixelate")
BOTH = pytest.mark.parametrize("layer", [BLUR, PIXELATE], ids=lambda layer: layer.name)


def noisy(*faces: np.ndarray, width: int = 640, height: int = 480, seed: int = 3) -> FrameResult:
    """Faces in a frame where no two pixels are alike, and nothing is smooth."""
    frame = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    frame.setflags(write=False)
    return replace(result_of(*faces, width=width, height=height), frame_bgr=frame)


def inside(keypoints: np.ndarray, shape: tuple[int, ...], *, scale: float = 1.0) -> np.ndarray:
    """(H, W) bool: pixels whose centre is within the face's outline, by a way of its own."""
    corners = face_outline(keypoints) * scale
    mask = np.zeros(shape[:2], np.uint8)
    for row in range(shape[0]):
        xs = []
        y = row + 0.5
        for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            if (y0 <= y) != (y1 <= y):
                xs.append(x0 + (y - y0) / (y1 - y0) * (x1 - x0))
        if len(xs) == 2:
            first, last = np.ceil(min(xs) - 0.5), np.floor(max(xs) - 0.5)
            mask[row, max(0, int(first)) : max(0, int(last) + 1)] = 1
    return mask.astype(bool)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return abs(float(np.corrcoef(one.ravel().astype(float), other.ravel().astype(float))[0, 1]))


FACES = {
    "upright": face_points(320, 260, 200),
    "tilted": face_points(320, 240, 180, tilt_rad=0.6),
    "upside down": face_points(320, 240, 200, tilt_rad=np.pi),
    "small": face_points(100, 100, 30),
    "large": face_points(320, 240, 900),
    "turned": turned_face(320, 200, 220, yaw_deg=45),
    "profile": turned_face(320, 200, 220, yaw_deg=88),
    "looking down": turned_face(320, 240, 200, pitch_deg=30),
    "at the left edge": face_points(10, 240, 200),
    "in the corner": face_points(630, 470, 240),
    "above the frame": face_points(320, -40, 200),
}


@BOTH
@pytest.mark.parametrize("name", FACES)
def test_no_pixel_inside_the_outline_survives(layer: BlurLayer, name: str) -> None:
    result = noisy(FACES[name])
    image = render(result, [layer])
    mask = inside(FACES[name], image.shape)
    assert mask.sum() > 100
    same = (image == result.frame_bgr).all(axis=2)
    assert same[mask].mean() < 0.001, "as many as chance gives"
    assert correlation(image[mask], result.frame_bgr[mask]) < 0.2


@BOTH
@pytest.mark.parametrize("name", FACES)
def test_what_is_inside_hardly_matters(layer: BlurLayer, name: str) -> None:
    """Two frames whose cells have the same means give the same picture: nothing finer can come through."""
    face = FACES[name]
    first = noisy(face)
    cell = np.kron(np.indices((240, 320)).sum(axis=0) % 2, np.ones((2, 2))).astype(np.int16)[..., None]
    chequered = np.clip(110 + 60 * (2 * cell - 1), 0, 255).astype(np.uint8).repeat(3, axis=2)
    swapped = np.clip(110 - 60 * (2 * cell - 1), 0, 255).astype(np.uint8).repeat(3, axis=2)
    one, other = (
        render(replace(first, frame_bgr=np.ascontiguousarray(frame)), [layer]).astype(int)
        for frame in (chequered, swapped)
    )
    mask = inside(face, one.shape)
    if name != "small":  # there a square of two pixels is a good part of a cell
        assert np.abs(one[mask] - other[mask]).max() <= 12
    assert np.abs(one[mask] - 110).mean() < 12


@BOTH
def test_a_face_has_few_colours_left(layer: BlurLayer) -> None:
    """Of 200 pixels across, as many remain as there are cells: made that small and large again, it is the same."""
    face = FACES["upright"]
    result = noisy(face)
    image = render(result, [layer])
    left, top, side, _ = box_from_keypoints(face).astype(int)
    mask = inside(face, image.shape)[top : top + side, left : left + side]

    def lost(frame: np.ndarray) -> float:
        patch = frame[top : top + side, left : left + side].astype(np.float32)
        small = cv2.resize(patch, (3 * CELLS_ACROSS, 3 * CELLS_ACROSS), interpolation=cv2.INTER_AREA)
        again = cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)
        return float(np.abs(again - patch)[mask].mean())

    assert lost(image) < 0.04 * lost(result.frame_bgr)


@BOTH
@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize(("scale", "ratio"), [(0.5, 1.0), (1.0, 2.0), (2.5, 1.0), (1.3, 1.5)])
def test_it_hides_at_every_size_on_the_screen(layer: BlurLayer, scale: float, ratio: float, is_mirrored: bool) -> None:
    face = FACES["tilted"]
    result = noisy(face)
    size = {"width": round(640 * scale), "height": round(480 * scale)}
    plain = paint_into(result, [], ratio=ratio, mirrored=is_mirrored, **size)
    hidden = paint_into(result, [layer], ratio=ratio, mirrored=is_mirrored, **size)
    if is_mirrored:
        plain, hidden = plain[:, ::-1], hidden[:, ::-1]
    mask = inside(face, hidden.shape, scale=scale * ratio)
    assert correlation(plain[mask], hidden[mask]) < 0.25
    assert (plain == hidden).all(axis=2)[mask].mean() < 0.002
    outside = ~cv2.dilate(mask.astype(np.uint8), np.ones((5, 5)), iterations=round(30 * scale * ratio)).astype(bool)
    np.testing.assert_array_equal(plain[outside], hidden[outside])


@BOTH
def test_a_hidden_face_is_hidden_whatever_the_opacity(layer: BlurLayer) -> None:
    result = noisy(FACES["upright"])
    full = render(result, [layer])
    np.testing.assert_array_equal(render(result, [StyledLayer(layer, opacity=0.1)]), full)
    np.testing.assert_array_equal(render(result, [StyledLayer(layer, opacity=0.0)]), full)


@BOTH
def test_what_lies_under_it_does_not_show(layer: BlurLayer) -> None:
    from fkd_desktop.overlays import KeypointsLayer

    result = noisy(FACES["upright"])
    mask = inside(FACES["upright"], result.frame_bgr.shape)
    with_points, without = render(result, [KeypointsLayer(), layer]), render(result, [layer])
    np.testing.assert_array_equal(with_points[mask], without[mask])


@BOTH
def test_pixels_away_from_the_face_stay(layer: BlurLayer) -> None:
    result = noisy(face_points(200, 240, 150))
    image = render(result, [layer])
    np.testing.assert_array_equal(image[:, 340:], result.frame_bgr[:, 340:])


def test_a_blurred_face_fades_away_outwards() -> None:
    """Its edge is no line: from hidden to bare it takes several pixels, all outside the outline."""
    face = face_points(320, 240, 300)
    on_black = replace(result_of(face, grey=0))
    frame = on_black.frame_bgr.copy()
    mask = inside(face, frame.shape)
    frame[mask] = 255  # the face is white: what is grey outside is the fading edge
    image = render(replace(on_black, frame_bgr=frame), [BLUR])[240, :, 0].astype(int)
    assert np.abs(np.diff(image)).max() < 40


def test_pixels_keep_to_the_face_when_it_moves() -> None:
    """The squares move and turn with the face: they do not crawl over it."""
    rng = np.random.default_rng(8)
    texture = cv2.GaussianBlur(rng.integers(0, 256, (480, 640, 3), dtype=np.uint8), (0, 0), 9)
    texture = cv2.normalize(texture, None, 0, 255, cv2.NORM_MINMAX)
    face = face_points(280, 240, 200)
    still = render(replace(result_of(face), frame_bgr=texture), [PIXELATE]).astype(int)
    moved_frame = np.ascontiguousarray(np.roll(texture, (9, 23), axis=(0, 1)))
    moved = render(replace(result_of(face + np.float32([23, 9])), frame_bgr=moved_frame), [PIXELATE]).astype(int)
    mask = inside(face, still.shape)
    back = np.roll(moved, (-9, -23), axis=(0, 1))
    assert np.abs(back - still)[mask].mean() < 1.0
    assert np.abs(moved - still)[mask].mean() > 10


@BOTH
def test_a_still_face_gives_the_same_pixels_each_time(layer: BlurLayer) -> None:
    result = noisy(FACES["tilted"], FACES["small"])
    first = render(result, [layer])
    for _ in range(3):
        np.testing.assert_array_equal(render(result, [layer]), first)


@BOTH
@pytest.mark.parametrize("strength", [2.0, 4.0])
def test_strength_leaves_less(layer: BlurLayer, strength: float) -> None:
    stronger = type(layer)("x", "X", strength=strength)
    rng = np.random.default_rng(8)
    texture = cv2.normalize(
        cv2.GaussianBlur(rng.integers(0, 256, (480, 640, 3), dtype=np.uint8), (0, 0), 12), None, 0, 255, cv2.NORM_MINMAX
    )
    result = replace(result_of(FACES["upright"]), frame_bgr=texture)
    mask = inside(FACES["upright"], texture.shape)
    spread = [render(result, [kind])[mask].astype(float).std(axis=0).mean() for kind in (layer, stronger)]
    assert spread[1] < 0.85 * spread[0]


@BOTH
@pytest.mark.parametrize(
    "face",
    [
        np.full((68, 2), np.nan, np.float32),
        np.full((68, 2), 100, np.float32),
        np.column_stack([np.arange(68), np.full(68, 50)]).astype(np.float32),
        (face_points() * 1e8).astype(np.float32),
        np.random.default_rng(0).uniform(0, 400, (68, 2)).astype(np.float32),
        face_points(2000, 2000, 100),
        face_points(320, 240, 0.01),
        face_points(320, 240, 30_000),
    ],
    ids=["nowhere", "one place", "a line", "far away", "disorder", "outside", "a dot", "huge"],
)
def test_it_minds_no_keypoints_and_hides_the_next_face(layer: BlurLayer, face: np.ndarray) -> None:
    good = face_points(450, 300, 150)
    result = noisy(good, good)
    result.keypoints_px[0] = face
    image = render(result, [layer])
    mask = inside(good, image.shape)
    assert (image == result.frame_bgr).all(axis=2)[mask].mean() < 0.002


def test_keypoints_in_disorder_are_hidden_all_the_same() -> None:
    face = np.random.default_rng(0).uniform(100, 400, (68, 2)).astype(np.float32)
    result = noisy(face)
    mask = inside(face, result.frame_bgr.shape)
    for layer in (BLUR, PIXELATE):
        image = render(result, [layer])
        assert (image == result.frame_bgr).all(axis=2)[mask].mean() < 0.002
        assert correlation(image[mask], result.frame_bgr[mask]) < 0.25


@pytest.mark.parametrize("name", FACES)
def test_the_outline_holds_all_keypoints_and_a_forehead(name: str) -> None:
    face = FACES[name]
    outline = face_outline(face).astype(np.float32)
    for x, y in (*(face + 0.5), *(forehead(face) + 0.5)):
        assert cv2.pointPolygonTest(outline, (float(x), float(y)), True) > -0.01 * np.ptp(face)
    up = face[17:27].mean(axis=0) - face[8]
    along = forehead(face) @ up
    assert along.max() > (face[17:27] @ up).max() + 0.3 * up @ up, "the forehead rises above the brows"
