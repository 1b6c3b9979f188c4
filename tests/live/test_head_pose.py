"""Head poses: known turns of the model come back, portraits look ahead, and mirrors and turns do what they must."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from fkd_desktop.live.head_pose import AXIS_MM, DISTANCE_MM, MODEL_MM, HeadPose, angles_deg, estimate
from tests.live.helpers import face_points
from trainer.core.keypoints import FLIP_ORDER
from trainer.core.preprocess import box_from_keypoints

if TYPE_CHECKING:
    from tests.live.helpers import DemoFrame
    from trainer.core.predictor import Predictor


def rotation(yaw_deg: float = 0.0, pitch_deg: float = 0.0, roll_deg: float = 0.0) -> np.ndarray:
    """(3, 3): roll after pitch after yaw, made with OpenCV's rotation vectors; x right, y down, z away."""
    about = [
        cv2.Rodrigues(np.radians(np.float64(v)))[0] for v in ([0, 0, roll_deg], [-pitch_deg, 0, 0], [0, -yaw_deg, 0])
    ]
    return about[0] @ about[1] @ about[2]


def photograph(
    turn: np.ndarray,
    *,
    distance_mm: float = DISTANCE_MM,
    focal_px: float = 900,
    at_px: tuple[float, float] = (320, 240),
) -> np.ndarray:
    """(68, 2) float32: the model face as a pinhole camera sees it."""
    points = (MODEL_MM - MODEL_MM.mean(axis=0)) @ turn.T + [0, 0, distance_mm]
    return (focal_px * points[:, :2] / points[:, 2:] + (320, 240)).astype(np.float32)


def pose_of(points: np.ndarray) -> HeadPose:
    pose = estimate(points)
    assert pose is not None
    return pose


def angles(points: np.ndarray) -> tuple[float, float, float]:
    pose = pose_of(points)
    return pose.yaw_deg, pose.pitch_deg, pose.roll_deg


TURNS = [
    *[(0, 0, 0), (30, 0, 0), (-45, 0, 0), (0, 25, 0), (0, -25, 0), (0, 0, 40)],
    *[(25, -15, -30), (-35, 20, 120), (5, 3, 178)],
]


@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_known_turns_come_back(turn: tuple[float, float, float]) -> None:
    assert angles_deg(rotation(*turn)) == pytest.approx(turn, abs=1e-6)
    # To within the degree between the lines of sight to the mean of the points and to their weighted mean.
    assert angles(photograph(rotation(*turn))) == pytest.approx(turn, abs=1.5)


@pytest.mark.parametrize("distance_mm", [400, 600, 1500, 10_000])
def test_the_assumed_distance_matters_little(distance_mm: float) -> None:
    points = photograph(rotation(30, -15, 10), distance_mm=distance_mm)
    assert angles(points) == pytest.approx((30, -15, 10), abs=4 if distance_mm < 500 else 2.5)


def test_the_signs_are_those_of_the_picture() -> None:
    """Told without the model: where the nose's tip goes relative to the eyes when a ball with a nose turns."""
    straight = photograph(rotation())
    nose, eyes = 30, [36, 39, 42, 45]

    def nose_from_eyes(points: np.ndarray) -> np.ndarray:
        return points[nose] - points[eyes].mean(axis=0)

    for turn, axis, sign in (((20, 0, 0), 0, 1), ((-20, 0, 0), 0, -1), ((0, 20, 0), 1, -1), ((0, -20, 0), 1, 1)):
        moved = nose_from_eyes(photograph(rotation(*turn))) - nose_from_eyes(straight)
        assert sign * moved[axis] > 5
    clockwise = photograph(rotation(0, 0, 20))
    assert clockwise[45, 1] > clockwise[36, 1]  # the subject's left eye, on the right of the picture, goes down


@pytest.mark.parametrize("scale", [0.05, 1.0, 40.0])
def test_size_and_place_do_not_matter(scale: float) -> None:
    points = photograph(rotation(20, 10, -15))
    pose, other = pose_of(points), pose_of(scale * points + np.float32([1000, -500]))
    assert angles(scale * points + np.float32([1000, -500])) == pytest.approx(angles(points), abs=0.05)
    np.testing.assert_allclose(other.axes_px, scale * pose.axes_px + [1000, -500], atol=0.02 * max(scale, 1))
    assert other.misfit == pytest.approx(pose.misfit, abs=1e-3)


def test_a_mirrored_face_is_turned_to_the_other_side() -> None:
    points = photograph(rotation(25, 12, -20))
    mirrored = points[FLIP_ORDER] * np.float32([-1, 1]) + np.float32([640, 0])
    yaw, pitch, roll = angles(points)
    assert angles(mirrored) == pytest.approx((-yaw, pitch, -roll), abs=1e-3)


@pytest.mark.parametrize("turned_deg", [-150, -60, 15, 90])
def test_turning_the_picture_is_roll_and_nothing_else(turned_deg: float) -> None:
    points = photograph(rotation(25, 12, 5))
    cos, sin = np.cos(np.radians(turned_deg)), np.sin(np.radians(turned_deg))
    turned = (points @ np.float32([[cos, sin], [-sin, cos]])).astype(np.float32)  # clockwise, as y goes down
    yaw, pitch, roll = angles(points)
    assert angles(turned) == pytest.approx((yaw, pitch, roll + turned_deg), abs=1e-2)


def test_axes_start_at_the_nose_and_are_half_a_face_wide() -> None:
    pose = pose_of(photograph(rotation()))
    face_width = np.ptp(photograph(rotation())[:17, 0])
    left, down, out = pose.axes_px - pose.origin_px
    assert left == pytest.approx([face_width / 2, 0], rel=0.15, abs=1)
    assert down == pytest.approx([0, face_width / 2], rel=0.15, abs=1)
    assert np.hypot(*out) < 0.15 * face_width
    np.testing.assert_allclose(pose.origin_px, photograph(rotation())[30], atol=0.5)
    assert pose.axes_px.shape == (3, 2) and pose.axes_px.dtype == pose.origin_px.dtype == np.float32
    turned = pose_of(photograph(rotation(40)))
    left, down, out = turned.axes_px - turned.origin_px
    assert out[0] > 0.2 * face_width and left[0] < 0.45 * face_width
    assert AXIS_MM > 0


def test_no_turn_flips_or_jumps() -> None:
    """A head that looks about, with the noise of a network: each frame's angles are near the last one's."""
    rng = np.random.default_rng(1)
    way = [(50 * np.sin(t), 25 * np.sin(1.7 * t), 15 * np.sin(0.6 * t)) for t in np.linspace(0, 12, 500)]
    seen = np.array(
        [angles(photograph(rotation(*turn)) + rng.normal(0, 0.8, (68, 2)).astype(np.float32)) for turn in way]
    )
    assert np.abs(seen - way).max() < 5
    assert np.abs(np.diff(seen, axis=0) - np.diff(way, axis=0)).max() < 6


def test_an_open_mouth_is_no_nod() -> None:
    points = photograph(rotation())
    chin = [5, 6, 7, 8, 9, 10, 11, 55, 56, 57, 58, 59, 65, 66, 67]
    opened = points.copy()
    opened[chin, 1] += 0.15 * np.ptp(points[:, 1])
    assert abs(angles(opened)[1]) < 6


@pytest.mark.parametrize(
    "points",
    [
        np.full((68, 2), np.nan, np.float32),
        np.full((68, 2), 7, np.float32),
        np.stack([np.arange(68), 2 * np.arange(68)], axis=1).astype(np.float32),
        np.random.default_rng(0).normal(0, 50, (68, 2)).astype(np.float32),
        face_points()[::-1].copy(),
        np.full((68, 2), 1e30, np.float32),
    ],
    ids=["not a number", "one place", "a line", "noise", "wrong order", "huge"],
)
def test_what_is_no_face_has_no_pose(points: np.ndarray) -> None:
    assert estimate(points) is None


def test_another_number_of_points_is_refused() -> None:
    with pytest.raises(ValueError, match="68, 2"):
        estimate(np.zeros((5, 2), np.float32))


def test_the_model_is_a_symmetric_face() -> None:
    np.testing.assert_array_equal(MODEL_MM[FLIP_ORDER], MODEL_MM * [-1, 1, 1])
    assert MODEL_MM[45, 0] - MODEL_MM[36, 0] == 90
    assert MODEL_MM[30, 2] == MODEL_MM[:, 2].min()  # nothing lies in front of the nose


def test_the_portrait_looks_ahead(predictor: Predictor, demo: dict[int, DemoFrame]) -> None:
    """And its mirror image and a turned copy say what they must, through the network too."""
    image, face = demo[0].image_bgr, demo[0].faces[0]
    side = face["width_px"]
    box = np.float32([[face["cx"] - side / 2, face["cy"] - side / 2, side, side]])

    def look(picture: np.ndarray, box: np.ndarray) -> tuple[float, float, float]:
        first = predictor.predict(picture, box)
        return angles(predictor.predict(picture, box_from_keypoints(first.points_px)).points_px[0])

    yaw, pitch, roll = look(image, box)
    assert abs(yaw) < 15 and abs(pitch) < 12 and abs(roll) < 6
    mirrored_box = box.copy()
    mirrored_box[:, 0] = 640 - box[:, 0] - side
    assert look(np.ascontiguousarray(image[:, ::-1]), mirrored_box) == pytest.approx((-yaw, pitch, -roll), abs=4)
    turn = cv2.getRotationMatrix2D((face["cx"], face["cy"]), -15, 1)  # OpenCV counts counter-clockwise
    assert look(cv2.warpAffine(image, turn, (640, 480)), box) == pytest.approx((yaw, pitch, roll + 15), abs=4)
