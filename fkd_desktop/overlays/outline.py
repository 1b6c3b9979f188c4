"""The outline of a face: the jaw that the keypoints tell, and a forehead that they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from fkd_desktop.live.head_pose import MODEL_MM
from fkd_desktop.overlays.placement import similarity
from trainer.core.keypoints import FACE_PARTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_JAW: Final = FACE_PARTS["jaw"].indices
_BROWS: Final = (*FACE_PARTS["right_brow"].indices, *FACE_PARTS["left_brow"].indices)
_CHIN: Final = 8
FRONT_MM: Final = MODEL_MM[:, :2].copy()
FRONT_MM.setflags(write=False)
"""(68, 2) the mean face as it is seen from its front, in mm from between the eyes."""
FACE_WIDTH_MM: Final = float(np.ptp(FRONT_MM[:, 0]))
_ARC: Final = np.linspace(0, np.pi, 13)[1:-1]


def forehead(keypoints_px: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return an arc over the forehead, from above keypoint 16 to above keypoint 0: half an ellipse.

    From the brows to the hairline it is half as far as from the chin to the brows: the thirds of a face (L. Farkas,
    "Anthropometry of the head and face", 1994, calls them the canon of Leonardo).

    Parameters
    ----------
    keypoints_px
        (68, 2).

    Returns
    -------
    (11, 2) in the same coordinates.
    """
    points = keypoints_px.astype(np.float64)
    right, left = points[_JAW[0]], points[_JAW[-1]]
    brows = points[list(_BROWS)].mean(axis=0)
    up = brows - points[_CHIN]
    height = np.linalg.norm(up)
    # Seen from below, the lower part of a face is short: its width tells how high the forehead is then.
    rise = max(0.5 * height, 0.42 * np.linalg.norm(left - right))
    top = brows + up / max(height, 1e-6) * rise
    middle, half = (left + right) / 2, (left - right) / 2
    arc: NDArray[np.float64] = middle + half * np.cos(_ARC)[:, None] + (top - middle) * np.sin(_ARC)[:, None]
    return arc


def face_outline(keypoints_px: NDArray[np.float32], *, grow: float = 1.0) -> NDArray[np.float64]:
    """Return a convex outline of the whole face, with all of its keypoints inside.

    Parameters
    ----------
    keypoints_px
        (68, 2), finite.
    grow
        Factor of its size about its middle.

    Returns
    -------
    (M, 2) corners in painter coordinates: half a pixel beyond the keypoints' own.
    """
    points = np.concatenate([keypoints_px.astype(np.float64), forehead(keypoints_px)]) + 0.5
    hull = cv2.convexHull(points.astype(np.float32)).reshape(-1, 2).astype(np.float64)
    middle = (hull.min(axis=0) + hull.max(axis=0)) / 2
    outline: NDArray[np.float64] = middle + grow * (hull - middle)
    return outline


def face_from_mm(keypoints_px: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """Return the similarity from `FRONT_MM`'s coordinates to the painter's: what is tied to it keeps its place and size
    on the face.

    Parameters
    ----------
    keypoints_px
        (68, 2), finite.

    Returns
    -------
    (3, 3), or None for keypoints in one place.
    """  # noqa: D205
    points = keypoints_px.astype(np.float64) + 0.5
    matrix = similarity(FRONT_MM, points)
    if matrix is None:
        return None
    # Points in disorder fit no face of any size; the true size is then about that of their outline.
    least = 0.5 * np.ptp(points, axis=0).max() / FACE_WIDTH_MM
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < least:
        matrix[:2, :2] *= least / scale
        matrix[:2, 2] = points.mean(axis=0) - matrix[:2, :2] @ FRONT_MM.mean(axis=0)
    return matrix
