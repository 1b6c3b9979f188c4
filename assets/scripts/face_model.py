"""The face on which all overlays and the editor's model face are drawn: 68 keypoints and the outline of the head.

Unit: 1/64 of the distance between the centres of the eyes, about a millimetre; origin midway between them, x to the
picture's right, y down. The proportions are those of an average frontal face, made symmetric and rounded.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# The half on the picture's left (the subject's right) and the middle, by iBUG index.
_LEFT_AND_MIDDLE: dict[int, tuple[float, float]] = {
    **{0: (-73.5, 1), 1: (-72.5, 19), 2: (-70, 37), 3: (-66, 55), 4: (-59.5, 72), 5: (-50, 87.5), 6: (-38, 100)},
    **{7: (-21.5, 109.5), 8: (0, 113)},
    **{17: (-58, -16.5), 18: (-49, -22), 19: (-38.5, -24), 20: (-28, -23), 21: (-18.5, -20)},
    **{27: (0, 0.5), 28: (0, 13), 29: (0, 25.5), 30: (0, 37)},
    **{31: (-12.5, 43.5), 32: (-6.5, 45.8), 33: (0, 47)},
    **{36: (-44.4, 0), 37: (-37, -4), 38: (-27.4, -4), 39: (-19.6, 1.2), 40: (-27.2, 3.4), 41: (-36.4, 3.4)},
    **{48: (-26.5, 65.8), 49: (-16.8, 61.9), 50: (-6, 59.2), 51: (0, 60.6)},
    **{57: (0, 79.4), 58: (-8.5, 78.6), 59: (-17, 74.8)},
    **{60: (-24, 66.2), 61: (-8, 66), 62: (0, 66.6), 66: (0, 68.2), 67: (-8, 67.8)},
}
_MIRROR_OF: dict[int, int] = {
    **{16 - i: i for i in range(8)},
    **{26 - i: 17 + i for i in range(5)},
    **{35: 31, 34: 32, 45: 36, 44: 37, 43: 38, 42: 39, 47: 40, 46: 41},
    **{54: 48, 53: 49, 52: 50, 55: 59, 56: 58, 64: 60, 63: 61, 65: 67},
}

CROWN_Y = -112.0
"""Top of the hair."""


def keypoints() -> NDArray[np.float64]:
    """Return the (68, 2) keypoints, iBUG order."""
    points = np.empty((68, 2))
    for index, point in _LEFT_AND_MIDDLE.items():
        points[index] = point
    for index, source in _MIRROR_OF.items():
        x, y = _LEFT_AND_MIDDLE[source]
        points[index] = (-x, y)
    return points


KEYPOINTS = keypoints()


def mean_of(*indices: int) -> tuple[float, float]:
    """Return the mean of some keypoints."""
    x, y = KEYPOINTS[list(indices)].mean(axis=0)
    return float(x), float(y)
