"""Which way a head is turned, from its 68 keypoints, without knowing the camera.

Signs, all seen by the one who looks at the unmirrored picture:

- yaw is positive when the nose points to the right of the picture (the head is turned to the subject's left),
- pitch is positive when the face looks up,
- roll is positive when the face is turned clockwise in the picture (the head tilts to the subject's left shoulder).

Roll is the outermost turn: turning the picture changes roll and nothing else. The eyes' own direction plays no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from trainer.core.keypoints import FACE_PARTS, FLIP_ORDER, NUM_KEYPOINTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Keypoint: (to the subject's left, down, away from the viewer) in mm of a head that looks straight at the viewer; the
# origin lies between the eyes' corners. The other half of the face is its mirror image.
# Fitted by `python -m benchmarks.head_pose DATA`: a symmetric rigid shape and a scaled orthographic camera for each
# face, alternating (C. Tomasi and T. Kanade, "Shape and motion from image streams under orthography", IJCV 9, 1992), to
# what the shipped network says of 1,571 faces and their mirror images. The distance between the outer corners of the
# eyes is set to 90 mm (adults have 88 to 91: L. Farkas, "Anthropometry of the head and face", 1994). Straight ahead is
# the median pitch of faces turned aside by less than 10 degrees. Jaw points are where outlines are seen: no places on
# the skin.
_HALF_MM: Final = {
    0: (-78, 2, 71),
    1: (-77, 22, 66),
    2: (-74, 40, 65),
    3: (-70, 58, 65),
    4: (-64, 77, 60),
    5: (-52, 94, 49),
    6: (-40, 105, 31),
    7: (-24, 114, 10),
    8: (0, 120, 4),
    17: (-59, -17, 11),
    18: (-50, -23, -5),
    19: (-39, -24, -15),
    20: (-28, -23, -21),
    21: (-19, -21, -23),
    27: (0, 1, -26),
    28: (0, 14, -36),
    29: (0, 27, -48),
    30: (0, 38, -49),
    31: (-13, 46, -23),
    32: (-7, 47, -28),
    33: (0, 49, -30),
    36: (-45, -1, 4),
    37: (-38, -3, -6),
    38: (-28, -3, -7),
    39: (-20, 1, -4),
    40: (-28, 3, -6),
    41: (-38, 3, -3),
    48: (-27, 71, -3),
    49: (-18, 65, -19),
    50: (-6, 62, -28),
    51: (0, 63, -28),
    55: (17, 79, -13),
    56: (9, 83, -19),
    57: (0, 84, -20),
    60: (-25, 70, -3),
    61: (-8, 68, -21),
    62: (0, 68, -23),
    65: (8, 74, -18),
    66: (0, 75, -19),
}


def _model_mm() -> NDArray[np.float64]:
    model = np.empty((NUM_KEYPOINTS, 3))
    for point, (left, down, away) in _HALF_MM.items():
        model[FLIP_ORDER[point]] = -left, down, away
        model[point] = left, down, away
    model.setflags(write=False)
    return model


def _weights() -> NDArray[np.float64]:
    weights = np.ones(NUM_KEYPOINTS)
    weights[list(FACE_PARTS["jaw"].indices)] = 0.3  # it opens, and outlines are not the same skin at every angle
    weights[[*FACE_PARTS["outer_lips"].indices, *FACE_PARTS["inner_lips"].indices]] = 0.5
    weights /= weights.sum()
    weights.setflags(write=False)
    return weights


MODEL_MM: Final = _model_mm()
"""(68, 3) mean face; see the module for its axes."""

_WEIGHTS: Final = _weights()
_CENTRE_MM: Final = (MODEL_MM * _WEIGHTS[:, None]).sum(axis=0)
_OFFSETS_MM: Final = MODEL_MM - _CENTRE_MM
_SOLVE: Final = np.linalg.inv(_OFFSETS_MM.T @ (_OFFSETS_MM * _WEIGHTS[:, None])) @ (_OFFSETS_MM * _WEIGHTS[:, None]).T

DISTANCE_MM: Final = 800.0
"""Assumed distance from the camera: with it the model fits a webcam's faces best, and 30 cm more or less change the
angles by less than 1 degree."""

AXIS_MM: Final = 75.0
"""Length of the axes: half a face's width."""

LARGEST_MISFIT: Final = 0.35
"""RMS distance of the keypoints from the fitted model, over the model's own RMS size in the picture, from which the
points are not those of a face. Faces have 0.03 to 0.15."""

_ROUNDS: Final = 4
_NOSE_TIP: Final = 30


@dataclass(frozen=True, eq=False)
class HeadPose:
    """How a head is turned.

    Attributes
    ----------
    yaw_deg, pitch_deg, roll_deg
        See the module for the signs.
    origin_px
        (2,) float32: tip of the nose, where the axes start, in frame pixels.
    axes_px
        (3, 2) float32: end points, in frame pixels, of the axes to the subject's left, down, and out of the face
        towards the viewer. Seen from the front they are half a face wide; out of the face it is then a point.
    misfit
        RMS distance of the keypoints from the fitted model, over the model's RMS size in the picture.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    origin_px: NDArray[np.float32]
    axes_px: NDArray[np.float32]
    misfit: float


def estimate(keypoints_px: NDArray[np.float32]) -> HeadPose | None:
    """Estimate the pose of one head.

    The mean face is fitted by scaled orthography, which is linear and has one answer for a shape this deep (nothing can
    flip), and perspective is put right in a few rounds: D. DeMenthon and L. Davis, "Model-based object pose in 25 lines
    of code", IJCV 15, 1995. The camera is assumed to look straight at the face from `DISTANCE_MM`: angles are those to
    the line of sight, and neither the size nor the place of the face matters.

    Parameters
    ----------
    keypoints_px
        (68, 2) in frame pixels, iBUG order.

    Returns
    -------
    None for points that are no face's: not finite, all in one place or in a line, or too far from the model's shape.

    Raises
    ------
    ValueError
        For an array of another shape.
    """
    points = np.asarray(keypoints_px, np.float64)
    if points.shape != (NUM_KEYPOINTS, 2):
        raise ValueError(f"expected keypoints of shape ({NUM_KEYPOINTS}, 2), got {points.shape}")
    if not np.isfinite(points).all():
        return None
    depth = np.ones(NUM_KEYPOINTS)  # of each point, over the distance
    shift = _WEIGHTS @ points
    for _ in range(_ROUNDS):
        across, sizes, turn_2d = np.linalg.svd((_SOLVE @ ((points - shift) * depth[:, None])).T, full_matrices=False)
        scale = float(sizes.mean())
        if sizes[1] < 0.2 * sizes[0] or scale < 1e-6:
            return None
        rows = across @ turn_2d
        rotation = np.vstack([rows, np.cross(rows[0], rows[1])])
        turned = _OFFSETS_MM @ rotation.T
        depth = 1 + turned[:, 2] / DISTANCE_MM
        projected = scale * turned[:, :2] / depth[:, None]
        shift = _WEIGHTS @ (points - projected)
    distance = np.sqrt(_WEIGHTS @ np.square(points - shift - projected).sum(axis=1))
    misfit = float(distance / np.sqrt(_WEIGHTS @ np.square(projected).sum(axis=1)))
    if not misfit < LARGEST_MISFIT:
        return None
    origin_mm = _OFFSETS_MM[_NOSE_TIP]
    ends_mm = origin_mm + AXIS_MM * np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, -1]])
    corners = np.vstack([origin_mm, ends_mm]) @ rotation.T
    corners_px = (shift + scale * corners[:, :2] / (1 + corners[:, 2:] / DISTANCE_MM)).astype(np.float32)
    yaw, pitch, roll = angles_deg(rotation)
    return HeadPose(yaw, pitch, roll, corners_px[0], corners_px[1:], misfit)


def angles_deg(rotation: NDArray[np.float64]) -> tuple[float, float, float]:
    """Yaw, pitch and roll, in degrees, of a (3, 3) rotation from the model's axes to the viewer's.

    The rotation is roll about the line of sight, after pitch, after yaw.
    """
    yaw = np.arctan2(rotation[2, 0], rotation[2, 2])
    pitch = np.arcsin(np.clip(-rotation[2, 1], -1, 1))
    roll = np.arctan2(-rotation[0, 1], rotation[1, 1])
    yaw_deg, pitch_deg, roll_deg = (float(np.degrees(angle)) for angle in (yaw, pitch, roll))
    return yaw_deg, pitch_deg, roll_deg
