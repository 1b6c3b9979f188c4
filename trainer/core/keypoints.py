"""The 68-point iBUG scheme: which point is what, how points mirror, and which lines join them.

Numbers are 0-based. "Left" and "right" are the subject's own, so the right eye is on the left of an unmirrored picture.
The scheme is that of the 300-W challenge: C. Sagonas et al., "300 faces in-the-wild challenge: database and results",
Image and Vision Computing 47 (2016), https://ibug.doc.ic.ac.uk/resources/facial-point-annotations/.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

NUM_KEYPOINTS: Final = 68


@dataclass(frozen=True)
class FacePart:
    """A run of keypoints that belong together and are joined by lines.

    Attributes
    ----------
    indices
        The part's keypoints, in drawing order.
    closed
        Whether a line joins the last keypoint to the first.
    """

    indices: tuple[int, ...]
    closed: bool = False

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Pairs of keypoint numbers that a line joins."""
        edges = tuple(zip(self.indices[:-1], self.indices[1:], strict=True))
        return (*edges, (self.indices[-1], self.indices[0])) if self.closed else edges


FACE_PARTS: Final[Mapping[str, FacePart]] = MappingProxyType(
    {
        "jaw": FacePart(tuple(range(17))),
        "right_brow": FacePart(tuple(range(17, 22))),
        "left_brow": FacePart(tuple(range(22, 27))),
        "nose": FacePart((*range(27, 36),)),
        "right_eye": FacePart(tuple(range(36, 42)), closed=True),
        "left_eye": FacePart(tuple(range(42, 48)), closed=True),
        "outer_lips": FacePart(tuple(range(48, 60)), closed=True),
        "inner_lips": FacePart(tuple(range(60, 68)), closed=True),
    }
)
"""Every keypoint in exactly one part."""

RIGHT_EYE: Final = FACE_PARTS["right_eye"].indices
LEFT_EYE: Final = FACE_PARTS["left_eye"].indices
OUTER_EYE_CORNERS: Final = (36, 45)
"""The two keypoints whose distance is the inter-ocular distance that the NME is divided by."""

# The nose is a bridge and a base: the line does not run from the tip (30) to the nostril's corner (31).
_NO_LINE: Final = frozenset({(30, 31)})
EDGES: Final[tuple[tuple[int, int], ...]] = tuple(
    edge for part in FACE_PARTS.values() for edge in part.edges if edge not in _NO_LINE
)


def _flip_order() -> NDArray[np.int64]:
    order = np.arange(NUM_KEYPOINTS)
    swaps = [
        *((i, 16 - i) for i in range(8)),
        *((17 + i, 26 - i) for i in range(5)),
        (31, 35),
        (32, 34),
        *((36 + i, 45 - i) for i in range(4)),
        (40, 47),
        (41, 46),
        (48, 54),
        (49, 53),
        (50, 52),
        (55, 59),
        (56, 58),
        (60, 64),
        (61, 63),
        (65, 67),
    ]
    for left, right in swaps:
        order[left], order[right] = right, left
    order.setflags(write=False)
    return order


FLIP_ORDER: Final = _flip_order()
"""(68,) int64: keypoint i of a mirrored face is keypoint ``FLIP_ORDER[i]`` of the face."""


def inter_ocular_distance(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Distance between the outer corners of the eyes.

    Parameters
    ----------
    points
        (..., 68, 2) keypoints, any unit.

    Returns
    -------
    (...) distances in the same unit.
    """
    right, left = OUTER_EYE_CORNERS
    distance: NDArray[np.floating] = np.linalg.norm(points[..., right, :] - points[..., left, :], axis=-1)
    return distance.astype(np.float32)
