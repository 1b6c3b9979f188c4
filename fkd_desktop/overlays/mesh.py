"""A net of triangles over a picture: each anchor lies exactly on its keypoints, and what is between is stretched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtCore import QRectF


def delaunay(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the Delaunay triangulation of points, all triangles turned the same way.

    Points are added one by one (A. Bowyer, "Computing Dirichlet tessellations", and D. Watson, "Computing the
    n-dimensional Delaunay tessellation", The Computer Journal 24 (1981)): quick enough for a hundred points.

    Parameters
    ----------
    points
        (N, 2), not all on one line.

    Returns
    -------
    (T, 3) numbers of points, counter-clockwise where y points up.
    """
    count = len(points)
    centre, size = points.mean(axis=0), float(np.ptp(points, axis=0).max())
    unit = (points - centre) / size
    # Three corners far outside; a point that lies on the hull's edge must not be cut off by too near ones.
    all_points = np.concatenate([unit, [[-3e3, -2e3], [3e3, -2e3], [0.0, 4e3]]])
    triangles = np.array([(count, count + 1, count + 2)])
    for number in range(count):
        is_gone = _has_in_circle(all_points[triangles], all_points[number])
        sides = {(int(t[i]), int(t[(i + 1) % 3])) for t in triangles[is_gone] for i in range(3)}
        rim = [(a, b, number) for a, b in sorted(sides) if (b, a) not in sides]
        triangles = np.concatenate([triangles[~is_gone], np.array(rim, np.int64).reshape(-1, 3)])
    inner = triangles[triangles.max(axis=1) < count]
    result: NDArray[np.int64] = inner[np.lexsort(inner.T[::-1])]
    return result[signed_areas(unit[result]) > 1e-9]


def rim_of(rect: QRectF, out: float) -> NDArray[np.float64]:
    """Return (12, 2) points around a picture, this far outside it."""
    xs = np.linspace(rect.left() - out, rect.right() + out, 4)
    ys = np.linspace(rect.top() - out, rect.bottom() + out, 4)
    return np.array([(x, y) for i, x in enumerate(xs) for j, y in enumerate(ys) if i in (0, 3) or j in (0, 3)])


def follow_weights(anchors: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (P, A) matrix that takes where the anchors are to where other points follow them.

    Each point follows the affine transform that fits the anchors best, nearer ones more: moving least squares
    (S. Schaefer, T. McPhail and J. Warren, "Image deformation using moving least squares", SIGGRAPH 2006), whose
    weights depend on the picture alone.

    Parameters
    ----------
    anchors
        (A, 2) in the picture, not all on one line.
    points
        (P, 2) in the picture.
    """
    rows = []
    size = float(np.ptp(anchors, axis=0).max())
    for point in points:
        near = 1 / (np.square(anchors - point).sum(axis=1) / size**2 + 0.01)
        near /= near.sum()
        offsets = anchors - near @ anchors
        spread = offsets.T @ (offsets * near[:, None])
        rows.append(near + (point - near @ anchors) @ np.linalg.solve(spread, (offsets * near[:, None]).T))
    return np.array(rows)


def signed_areas(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the areas of (T, 3, 2) triangles, negative for those that are turned the other way."""
    (ax, ay), (bx, by) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    areas: NDArray[np.float64] = (ax * by - ay * bx) / 2
    return areas


def _has_in_circle(corners: NDArray[np.float64], point: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a point is within the circles through the corners of (T, 3, 2) counter-clockwise triangles."""
    difference = corners - point
    lifted = np.concatenate([difference, np.square(difference).sum(axis=2, keepdims=True)], axis=2)
    inside: NDArray[np.bool_] = np.linalg.det(lifted) > 1e-12
    return inside
