"""Where a picture goes: transforms from its own pixels to the frame that follow its anchors.

All take and give points as (N, 2) float64, return a (3, 3) matrix that acts on columns (x, y, 1), or None where the
points tie nothing down: keypoints that coincide, or that are no numbers. Such a face is passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtGui import QTransform

from fkd_desktop.overlays.description import Fit
from trainer.core.keypoints import FLIP_ORDER, NUM_KEYPOINTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fkd_desktop.overlays.description import Anchor

    Points = NDArray[np.float64]
    Matrix = NDArray[np.float64]

_LEAST_SIZE_PX: Final = 0.05
_MOST_SQUEEZED: Final = 25.0
_LEAST_DEPTH: Final = 0.15
"""Of a plane in perspective: how much nearer than its middle its nearest corner may be, at most."""


def anchor_weights(anchors: Sequence[Anchor], *, flipped: bool = False) -> NDArray[np.float64]:
    """Return the (A, 68) matrix that takes keypoints to where the anchors belong.

    Parameters
    ----------
    anchors
        A of them.
    flipped
        Take each keypoint's partner on the other half of the face.
    """
    weights = np.zeros((len(anchors), NUM_KEYPOINTS))
    for row, anchor in zip(weights, anchors, strict=True):
        keypoints = FLIP_ORDER[list(anchor.keypoints)] if flipped else list(anchor.keypoints)
        row[keypoints] = 1 / len(anchor.keypoints)
    return weights


def targets(weights: NDArray[np.float64], keypoints_px: NDArray[np.float32]) -> Points | None:
    """Return where the anchors belong in frame coordinates, or None if that is nowhere.

    Parameters
    ----------
    weights
        From `anchor_weights`.
    keypoints_px
        (68, 2); a keypoint lies on the centre of its pixel, half a pixel beyond the pixel's corner.
    """
    if not np.isfinite(keypoints_px).all() or np.abs(keypoints_px).max() > 1e6:
        return None
    points: Points = weights @ keypoints_px.astype(np.float64) + 0.5
    return points if np.ptp(points, axis=0).max() >= _LEAST_SIZE_PX else None


def fitted(fit: Fit, source: Points, target: Points) -> Matrix | None:
    """Return the best transform of a kind; of a mesh, the affine one that carries on outside it.

    Where the points contradict a plane that is seen from its front, a simpler kind is taken.
    """
    if fit is Fit.PERSPECTIVE:
        matrix = homography(source, target)
        if matrix is not None:
            return matrix
    if fit is not Fit.SIMILARITY:
        matrix = affine(source, target)
        if matrix is not None:
            return matrix
    return similarity(source, target)


def similarity(source: Points, target: Points) -> Matrix | None:
    """Return the similarity that fits best, without reflection.

    Least squares in the complex plane: w = a z + b (S. Umeyama, IEEE PAMI 13 (1991), in two dimensions).
    """
    z, w = (points[:, 0] + 1j * points[:, 1] for points in (source, target))
    z_mean, w_mean = z.mean(), w.mean()
    spread = np.square(np.abs(z - z_mean)).sum()
    if not spread > 0:
        return None
    a = (np.conj(z - z_mean) * (w - w_mean)).sum() / spread
    b = w_mean - a * z_mean
    if not np.isfinite([a, b]).all() or abs(a) ** 2 * spread < _LEAST_SIZE_PX**2:
        return None
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag], [0, 0, 1]])


def affine(source: Points, target: Points) -> Matrix | None:
    """Return the affine transform that fits best; None if it would turn the picture over or flatten it to a line."""
    centre, aim = source.mean(axis=0), target.mean(axis=0)
    solution, _, rank, _ = np.linalg.lstsq(source - centre, target - aim, rcond=1e-9)
    linear = solution.T
    if rank < 2 or not _is_seen_from_front(linear):
        return None
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = linear, aim - linear @ centre
    return matrix


def homography(source: Points, target: Points) -> Matrix | None:
    """Return the perspective transform that fits best; None if the points do not look like a plane from its front.

    The direct linear transform with normalised points: R. Hartley, "In defense of the eight-point algorithm", IEEE
    PAMI 19 (1997).
    """
    to_unit, source_1 = _normalised(source)
    to_target, target_1 = _normalised(target)
    if to_unit is None or to_target is None:
        return None
    x, y = source_1.T
    u, v = target_1.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    system = np.concatenate(
        [
            np.stack([x, y, one, zero, zero, zero, -u * x, -u * y, -u], axis=1),
            np.stack([zero, zero, zero, x, y, one, -v * x, -v * y, -v], axis=1),
        ]
    )
    _, sizes, rows = np.linalg.svd(system)
    if len(sizes) < 8 or sizes[7] < 1e-6 * sizes[0]:
        return None
    matrix: Matrix = np.linalg.inv(to_target) @ rows[-1].reshape(3, 3) @ to_unit
    middle = matrix[2] @ [*source.mean(axis=0), 1]
    if not np.isfinite(matrix).all() or abs(middle) < 1e-12:
        return None
    matrix /= middle
    depths = source @ matrix[2, :2] + matrix[2, 2]
    # How the picture is stretched about its middle, where the depth is 1.
    at_middle = matrix[:2, :2] - np.outer(matrix[:2] @ [*source.mean(axis=0), 1], matrix[2, :2])
    if depths.min() < _LEAST_DEPTH or not _is_seen_from_front(at_middle):
        return None
    return matrix


def is_in_front(matrix: Matrix, corners: Points) -> bool:
    """Whether a perspective shows all these points of its picture in front of the viewer, not on the horizon."""
    return bool((corners @ matrix[2, :2] + matrix[2, 2]).min() >= _LEAST_DEPTH)


def mapped(matrix: Matrix, points: Points) -> Points:
    """Return points after a transform."""
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    result: Points = moved[:, :2] / moved[:, 2:]
    return result


def to_qt(matrix: Matrix) -> QTransform:
    """Return a matrix in the form of Qt, which acts on rows."""
    return QTransform(*(float(value) for value in matrix.T.ravel()))


def _is_seen_from_front(linear: NDArray[np.float64]) -> bool:
    """Whether a transform neither turns a picture over nor squeezes it to a line."""
    if not np.isfinite(linear).all() or np.linalg.det(linear) <= 0:
        return False
    stretch = np.linalg.svd(linear, compute_uv=False)
    return bool(stretch[0] <= _MOST_SQUEEZED * stretch[1])


def _normalised(points: Points) -> tuple[Matrix | None, Points]:
    """Return points with their mean at 0 and a mean distance of sqrt(2) from it, and the matrix that did it."""
    mean = points.mean(axis=0)
    distance = np.linalg.norm(points - mean, axis=1).mean()
    if not distance > 1e-9:
        return None, points
    scale = np.sqrt(2) / distance
    matrix = np.array([[scale, 0, -scale * mean[0]], [0, scale, -scale * mean[1]], [0, 0, 1]])
    return matrix, (points - mean) * scale
