import time

import cv2
import numpy as np
import pytest

from trainer.core.preprocess import (
    as_grey_or_bgr,
    box_from_keypoints,
    crop_squares,
    extract_crop,
    extract_crops,
    frame_to_unit,
    unit_to_frame,
)


def centres(boxes: np.ndarray) -> np.ndarray:
    return boxes[..., :2] + boxes[..., 2:] / 2


# --- box_from_keypoints ---


def test_a_box_is_square_and_holds_the_face(drawn) -> None:
    points = drawn.points(x=300, y=200, width=100)
    left, top, width, height = box_from_keypoints(points)
    assert width == height
    assert 90 < width < 130
    inner = points[17:]  # the jaw may reach a little beyond, as it does beyond a Haar box
    assert (inner > [left, top]).all()
    assert (inner < [left + width, top + height]).all()


def test_one_face_or_many(drawn) -> None:
    faces = np.stack([drawn.points(x=50, y=60, width=40), drawn.points(x=300, y=200, width=100, angle=0.5)])
    boxes = box_from_keypoints(faces)
    assert boxes.shape == (2, 4)
    assert boxes.dtype == np.float32
    for face, box in zip(faces, boxes, strict=True):
        single = box_from_keypoints(face)
        assert single.shape == (4,)
        np.testing.assert_allclose(single, box, rtol=1e-6)
    assert box_from_keypoints(np.empty((0, 68, 2))).shape == (0, 4)


def test_a_box_moves_with_the_face(drawn) -> None:
    points = drawn.points(width=80, angle=0.3)
    moved = box_from_keypoints(points + np.float32([120, -45])) - box_from_keypoints(points)
    np.testing.assert_allclose(moved, [120, -45, 0, 0], atol=1e-3)


def test_a_box_grows_with_the_face(drawn) -> None:
    box, double = box_from_keypoints(drawn.points(width=80)), box_from_keypoints(drawn.points(width=160))
    np.testing.assert_allclose(double[2:], 2 * box[2:], rtol=1e-5)
    # Keypoints lie on pixel centres, half a pixel into the continuous coordinates of boxes.
    np.testing.assert_allclose(centres(double) - 0.5, 2 * (centres(box) - 0.5), atol=1e-3)


@pytest.mark.parametrize("angle_deg", [-90, -30, 15, 45, 180])
def test_the_crop_of_a_box_is_centred_on_the_face_however_it_is_turned(drawn, angle_deg: float) -> None:
    points = drawn.points(x=300, y=200, width=100, angle=np.radians(angle_deg))
    box = box_from_keypoints(points)
    np.testing.assert_allclose(box[2:], box_from_keypoints(drawn.points(width=100))[2:], rtol=1e-5)
    left, top, side = crop_squares(box)[0]
    centre = np.array([left, top]) + side / 2
    np.testing.assert_allclose(centre, points.mean(axis=0) + 0.5, atol=0.6)  # squares are whole pixels


def test_a_box_is_above_the_keypoints_mean_as_a_detectors_is(drawn) -> None:
    points = drawn.points(x=200, y=200, width=100)
    assert centres(box_from_keypoints(points))[1] < points[:, 1].mean() - 5


def test_keypoints_in_one_place_still_give_a_box() -> None:
    box = box_from_keypoints(np.full((68, 2), 7.0))
    assert np.isfinite(box).all()
    assert box[2] >= 1


@pytest.mark.parametrize("shape", [(68,), (5, 2), (1, 68, 3), (2, 67, 2)])
def test_other_shapes_are_refused_by_name(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(N, 68, 2\)"):
        box_from_keypoints(np.zeros(shape))


# --- squares and coordinates ---


def test_squares_are_whole_pixels_and_centred_on_an_upright_face(drawn) -> None:
    points = drawn.points(x=201.3, y=155.7, width=90)
    ((left, top, side),) = crop_squares(box_from_keypoints(points[None]), crop_per_box=1.25)
    assert (left, top, side) == (round(left), round(top), round(side))
    np.testing.assert_allclose([left + side / 2, top + side / 2], points.mean(axis=0) + 0.5, atol=1.01)


def test_the_square_grows_with_crop_per_box() -> None:
    assert crop_squares([[10, 20, 100, 100]], crop_per_box=1.4)[0, 2] == 140
    assert crop_squares([[10, 20, 80, 120]], crop_per_box=2)[0, 2] == 200  # the mean side counts
    assert crop_squares([[10, 20, 0, 0]])[0, 2] == 2  # never nothing


def test_unit_and_frame_coordinates_are_inverse() -> None:
    random = np.random.default_rng(5)
    points = random.uniform(-200, 2000, (6, 68, 2)).astype(np.float32)
    squares = np.column_stack([random.integers(-300, 900, (6, 2)), random.integers(2, 700, 6)]).astype(np.float32)
    unit = frame_to_unit(points, squares)
    assert unit.dtype == np.float32
    np.testing.assert_allclose(unit_to_frame(unit, squares), points, atol=0.01)


def test_a_keypoint_is_on_the_centre_of_its_pixel() -> None:
    square = np.float32([[10, 20, 4]])
    points = np.tile(np.float32([[10, 20]]), (1, 68, 1))
    np.testing.assert_allclose(frame_to_unit(points, square)[0, 0], [1 / 8, 1 / 8])


# --- crops ---

SIZE = 96


def dot_in_frame(shape: tuple[int, int], x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return (255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * radius**2))).astype(np.uint8)


def centroid(crop: np.ndarray) -> tuple[float, float]:
    weight = crop.astype(float)
    rows, columns = np.mgrid[: crop.shape[0], : crop.shape[1]]
    return (weight * columns).sum() / weight.sum(), (weight * rows).sum() / weight.sum()


@pytest.mark.parametrize(
    ("square", "dot"),
    [
        pytest.param((100, 80, 200), (171.3, 199.6), id="inside, shrunk"),
        pytest.param((220, 130, 50), (240.0, 151.0), id="inside, enlarged"),
        pytest.param((150, 100, 96), (199.0, 140.0), id="inside, as it is"),
        pytest.param((-40, -30, 150), (60.2, 47.9), id="beyond the upper left corner"),
        pytest.param((330, 250, 200), (370.0, 280.0), id="beyond the lower right corner"),
        pytest.param((-100, -100, 700), (200.0, 150.0), id="all around the frame"),
        pytest.param((-1000, -700, 2300), (210.5, 143.5), id="huge: every k-th pixel"),
        pytest.param((60, -900, 1501), (150.0, 155.0), id="huge, off centre"),
        pytest.param((208, 148, 20), (217.0, 158.0), id="small"),
    ],
)
@pytest.mark.parametrize("size", [96, 224])
def test_a_dot_lands_where_the_coordinates_say(square: tuple[int, ...], dot: tuple[float, ...], size: int) -> None:
    frame = dot_in_frame((300, 400), *dot, radius=max(1.5, 1.5 * square[2] / size))
    crop = extract_crop(frame, np.float32(square), size_px=size)
    points = np.tile(np.float32(dot), (1, 68, 1))
    expected = frame_to_unit(points, np.float32([square]))[0, 0] * size - 0.5
    np.testing.assert_allclose(centroid(crop), expected, atol=0.3)  # a slip of half a pixel shows


@pytest.mark.parametrize("side", [2, 3, 5, 8, 11])
def test_a_tiny_square_is_enlarged_without_a_shift(side: int) -> None:
    slope = 18  # grey levels a pixel
    left, top = 2, 1
    ramp = np.tile(np.arange(14, dtype=np.uint8) * slope, (20, 1))
    for frame, axis in ((ramp, 0), (np.ascontiguousarray(ramp.T), 1)):
        crop = extract_crop(frame, np.float32([left, top, side]), size_px=SIZE).astype(float)
        along = crop[SIZE // 2] if axis == 0 else crop[:, SIZE // 2]
        position = (left, top)[axis] + (np.arange(SIZE) + 0.5) * side / SIZE - 0.5
        inner = slice(SIZE // side, SIZE - SIZE // side)  # the resize knows nothing beyond the square
        tolerance = 0.5 * side / SIZE * slope + 0.8  # half a crop pixel, and OpenCV's rounding to a grey level
        np.testing.assert_allclose(along[inner], slope * position[inner], atol=tolerance)


def test_outside_the_frame_its_edge_is_repeated() -> None:
    frame = np.tile(np.linspace(10, 250, 100, dtype=np.uint8), (100, 1))
    crop = extract_crop(frame, np.float32([-100, 0, 200]), size_px=SIZE)
    assert (crop[:, : SIZE // 2 - 1] == 10).all()
    assert crop[SIZE // 2, -1] > 240


@pytest.mark.parametrize(
    ("left", "top", "value"), [(-50, -50, 1), (500, -50, 2), (-50, 500, 3), (500, 500, 4), (-9000, -20, 1)]
)
@pytest.mark.parametrize("side", [2, 30, 4000])
def test_a_square_wholly_outside_shows_the_nearest_pixel(left: int, top: int, value: int, side: int) -> None:
    frame = np.repeat(np.repeat(np.uint8([[1, 2], [3, 4]]), 50, axis=0), 50, axis=1)
    square = np.float32([left - side if left < 0 else left, top - side if top < 0 else top, side])
    crop = extract_crop(frame, square, size_px=SIZE)
    assert crop.shape == (SIZE, SIZE)
    assert (crop == value).all()


def test_the_cost_of_a_huge_square_is_bounded() -> None:
    frame = np.full((1080, 1920, 3), 77, np.uint8)
    cv2.circle(frame, (960, 540), 400, (200, 200, 200), -1)
    extract_crop(frame, np.float32([0, 0, 10]), size_px=SIZE)
    began = time.perf_counter()
    for left in (-500_000, 0, -999_000, 5_000):
        crop = extract_crop(frame, np.float32([left, -300_000, 1_000_000]), size_px=SIZE)
        assert crop.shape == (SIZE, SIZE)
    assert time.perf_counter() - began < 1


def test_grey_and_bgr_frames_give_the_same_crop(drawn) -> None:
    grey = np.full((200, 200), 60, np.uint8)
    drawn.paint(grey, drawn.points(x=100, y=90, width=100))
    square = np.float32([20, 15, 160])
    from_grey = extract_crop(grey, square, size_px=SIZE)
    from_bgr = extract_crop(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), square, size_px=SIZE)
    assert np.abs(from_grey.astype(int) - from_bgr.astype(int)).max() <= 1
    assert from_grey.std() > 20


def test_a_frame_that_is_a_view_is_cropped_as_its_copy() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    flipped = frame[:, ::-1]
    for square in (np.float32([20, 30, 60]), np.float32([-20, -30, 90])):
        expected = extract_crop(np.ascontiguousarray(flipped), square, size_px=SIZE)
        assert (extract_crop(flipped, square, size_px=SIZE) == expected).all()


def test_cropping_leaves_the_frame_alone() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    before = frame.copy()
    frame.setflags(write=False)
    crops = extract_crops(frame, np.float32([[20, 30, 60], [-30, -30, 60], [0, 0, 5000]]), size_px=SIZE)
    assert crops.shape == (3, 1, SIZE, SIZE)
    assert crops.dtype == np.uint8
    assert (frame == before).all()
    assert extract_crops(frame, np.empty((0, 3), np.float32), size_px=SIZE).shape == (0, 1, SIZE, SIZE)


# --- frames ---


def test_frames_of_all_kinds_are_taken() -> None:
    bgra = np.random.default_rng(0).integers(0, 256, (5, 7, 4), dtype=np.uint8)
    assert (as_grey_or_bgr(bgra) == bgra[..., :3]).all()
    assert as_grey_or_bgr(bgra[..., :3]).shape == (5, 7, 3)
    assert (as_grey_or_bgr(bgra[..., :1]) == bgra[..., 0]).all()
    assert as_grey_or_bgr(bgra[..., 0]).shape == (5, 7)


@pytest.mark.parametrize(
    ("frame", "named"),
    [
        (np.zeros((4, 4, 3), np.float32), "float32"),
        (np.zeros((4, 4), np.uint16), "uint16"),
        (np.zeros((4, 4, 3), bool), "bool"),
        (np.zeros((4, 4, 2), np.uint8), "2"),
        (np.zeros((4, 4, 5), np.uint8), "5"),
        (np.zeros((2, 4, 4, 3), np.uint8), r"\(2, 4, 4, 3\)"),
        (np.zeros(4, np.uint8), r"\(4,\)"),
        (np.zeros((0, 4, 3), np.uint8), r"\(0, 4, 3\)"),
    ],
)
def test_anything_else_is_refused_by_name(frame: np.ndarray, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        as_grey_or_bgr(frame)
