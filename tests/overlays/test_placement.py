"""Where pictures go: known transforms are found again, and keypoints that make no sense never move a picture there."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fkd_desktop.overlays.description import Anchor, Fit
from fkd_desktop.overlays.mesh import delaunay, follow_weights, signed_areas
from fkd_desktop.overlays.placement import (
    affine,
    anchor_weights,
    fitted,
    homography,
    is_in_front,
    mapped,
    similarity,
    targets,
    to_qt,
)
from trainer.core.keypoints import FLIP_ORDER

CORNERS = np.array([[0.0, 0.0], [100, 0], [100, 60], [0, 60]])
SIX = np.concatenate([CORNERS, [[50.0, 20], [30, 44]]])


def turn(angle_deg: float, scale: float = 1.0) -> np.ndarray:
    angle = np.radians(angle_deg)
    return scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def matrix(linear: np.ndarray, shift: tuple[float, float], lean: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    result = np.eye(3)
    result[:2, :2], result[:2, 2], result[2, :2] = linear, shift, lean
    return result


@pytest.mark.parametrize("angle_deg", [0, 37, 180, -90])
@pytest.mark.parametrize("scale", [0.02, 1, 30])
@pytest.mark.parametrize("count", [2, 3, 6])
def test_a_similarity_is_found_again(angle_deg: float, scale: float, count: int) -> None:
    true = matrix(turn(angle_deg, scale), (400, -30))
    found = similarity(SIX[:count], mapped(true, SIX[:count]))
    np.testing.assert_allclose(found, true, atol=1e-9 * scale + 1e-9)


@pytest.mark.parametrize("count", [3, 4, 6])
def test_an_affine_transform_is_found_again(count: int) -> None:
    true = matrix(np.array([[1.5, 0.4], [-0.3, 0.8]]), (20, 300))
    np.testing.assert_allclose(affine(SIX[:count], mapped(true, SIX[:count])), true, atol=1e-9)


@pytest.mark.parametrize("count", [4, 6])
@pytest.mark.parametrize("lean", [(0.0, 0.0), (0.002, 0.0), (-0.003, 0.002)])
def test_a_perspective_is_found_again(count: int, lean: tuple[float, float]) -> None:
    true = matrix(turn(20, 1.3), (100, 200), lean)
    found = homography(SIX[:count], mapped(true, SIX[:count]))
    assert found is not None
    np.testing.assert_allclose(found / found[2, 2], true, atol=1e-8)
    x, y = to_qt(found).map(33.0, 12.0)
    np.testing.assert_allclose([[x, y]], mapped(true, np.array([[33.0, 12.0]])))


@pytest.mark.parametrize("fit", [Fit.SIMILARITY, Fit.AFFINE])
def test_points_that_contradict_each_other_get_the_best_compromise(fit: Fit) -> None:
    rng = np.random.default_rng(1)
    target = SIX + rng.normal(0, 5, SIX.shape)
    best = fitted(fit, SIX, target)
    least = np.square(mapped(best, SIX) - target).sum()
    assert least > 1
    for _ in range(200):
        linear = best[:2, :2] + (turn(rng.normal(0, 1), 1 + rng.normal(0, 0.01)) - np.eye(2)) @ best[:2, :2]
        other = matrix(linear, best[:2, 2] + rng.normal(0, 0.3, 2))
        assert np.square(mapped(other, SIX) - target).sum() >= least


def test_a_picture_is_never_turned_over_or_flattened() -> None:
    mirror = CORNERS * (-1, 1)
    assert affine(CORNERS, mirror) is None and homography(CORNERS, mirror) is None
    assert affine(CORNERS, CORNERS * (1, 0.001)) is None
    for fit in Fit:
        for target in (mirror, CORNERS * (1, 1e-4), CORNERS[::-1]):
            found = fitted(fit, CORNERS, target)
            assert found is None or (np.isfinite(found).all() and np.linalg.det(found[:2, :2]) > 0)


def test_a_plane_that_folds_back_is_no_perspective() -> None:
    crossed = CORNERS[[0, 1, 3, 2]]
    dented = CORNERS.copy()
    dented[2] = (20, 20)
    for target in (crossed, dented):
        assert homography(CORNERS, target) is None
        assert fitted(Fit.PERSPECTIVE, CORNERS, target) is not None


def test_what_lies_on_the_horizon_is_noticed() -> None:
    lean = matrix(np.eye(2), (0, 0), (0.002, 0))
    assert is_in_front(lean, CORNERS)
    assert not is_in_front(lean, CORNERS - (480, 0))


@pytest.mark.parametrize("fit", list(Fit))
@pytest.mark.parametrize(
    "target",
    [np.full((6, 2), 7.0), np.full((6, 2), 7.0) + 1e-9 * SIX, np.column_stack([SIX[:, 0], SIX[:, 0]]), SIX * 1e-12],
    ids=["one place", "nearly one place", "a line", "nothing"],
)
def test_points_that_coincide_give_no_nonsense(fit: Fit, target: np.ndarray) -> None:
    found = fitted(fit, SIX, target)
    if found is not None:
        assert np.isfinite(found).all()
        stretch = np.linalg.svd(found[:2, :2], compute_uv=False)
        assert stretch[0] < 50 * stretch[1]


def test_targets_are_the_means_of_the_keypoints_centres() -> None:
    keypoints = np.arange(136, dtype=np.float32).reshape(68, 2)
    weights = anchor_weights([Anchor((0, 0), (3,)), Anchor((1, 0), (10, 20, 30))])
    found = targets(weights, keypoints)
    np.testing.assert_allclose(found, [keypoints[3] + 0.5, keypoints[[10, 20, 30]].mean(axis=0) + 0.5])
    flipped = anchor_weights([Anchor((0, 0), (3,)), Anchor((1, 0), (36, 48))], flipped=True)
    found = targets(flipped, keypoints)
    np.testing.assert_allclose(found[0], keypoints[FLIP_ORDER[3]] + 0.5)
    np.testing.assert_allclose(found[1], keypoints[[45, 54]].mean(axis=0) + 0.5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_keypoints_that_are_no_places_have_no_targets(bad: float) -> None:
    keypoints = np.zeros((68, 2), np.float32)
    keypoints[:, 0] = np.arange(68)
    weights = anchor_weights([Anchor((0, 0), (3,)), Anchor((1, 0), (4,))])
    assert targets(weights, keypoints) is not None
    keypoints[50, 1] = bad
    assert targets(weights, keypoints) is None
    assert targets(weights, np.zeros((68, 2), np.float32)) is None


# --- nets of triangles


def is_delaunay(points: np.ndarray, triangles: np.ndarray) -> bool:
    """Whether no point is well within the circle through the corners of any triangle."""
    for triangle in triangles:
        a, b, c = points[triangle]
        centre = np.linalg.solve(2 * np.array([b - a, c - a]), [b @ b - a @ a, c @ c - a @ a])
        radius = np.linalg.norm(a - centre)
        if (np.linalg.norm(points - centre, axis=1) < radius - 1e-6).any():
            return False
    return True


def hull_area(points: np.ndarray) -> float:
    import cv2

    return float(cv2.contourArea(cv2.convexHull(points.astype(np.float32))))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("count", [3, 4, 7, 30, 80])
def test_the_triangles_fill_the_hull_once_and_are_well_shaped(seed: int, count: int) -> None:
    points = np.random.default_rng(seed).uniform(-50, 900, (count, 2))
    triangles = delaunay(points)
    areas = signed_areas(points[triangles])
    assert (areas > 0).all()
    assert areas.sum() == pytest.approx(hull_area(points), rel=1e-4)
    assert set(triangles.ravel()) == set(range(count))
    assert is_delaunay(points, triangles)
    sides = [frozenset(side) for t in triangles.tolist() for side in itertools.combinations(t, 2)]
    assert max(sides.count(side) for side in set(sides)) <= 2


def test_points_on_a_grid_are_no_problem() -> None:
    points = np.array([(x, y) for x in range(6) for y in range(5)], float)
    triangles = delaunay(points)
    assert len(triangles) == 2 * 5 * 4
    assert signed_areas(points[triangles]).sum() == pytest.approx(20)


def test_points_around_follow_the_transform_of_the_anchors() -> None:
    outside = np.array([[-20.0, -20], [140, 30], [50, 200]])
    weights = follow_weights(SIX, outside)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    true = matrix(np.array([[1.5, 0.4], [-0.3, 0.8]]), (20, 300))
    np.testing.assert_allclose(weights @ mapped(true, SIX), mapped(true, outside), atol=1e-8)


def test_points_around_follow_the_near_anchors_more() -> None:
    weights = follow_weights(SIX, np.array([[-10.0, -10.0]]))
    moved = SIX.copy()
    moved[0] += (0, 10)  # the nearest
    near = (weights @ moved - weights @ SIX)[0, 1]
    moved = SIX.copy()
    moved[2] += (0, 10)  # the farthest
    far = (weights @ moved - weights @ SIX)[0, 1]
    assert near > 5 > 2 * abs(far)
