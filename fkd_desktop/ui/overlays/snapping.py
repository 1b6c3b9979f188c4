"""The places of a face that an anchor can be tied to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from trainer.core.keypoints import FACE_PARTS, LEFT_EYE, NUM_KEYPOINTS, RIGHT_EYE

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

CONTEXT: Final = "FacePlaces"
NAMED_PULL: Final = 0.03
"""How much nearer a place with a name of its own seems, in widths of the face: people mean those."""


@dataclass(frozen=True)
class Place:
    """Something on a face: one keypoint, or the middle of several.

    Attributes
    ----------
    keypoints
        Their mean is the place.
    title
        In English; `words` says it in the user's language.
    number
        For a keypoint that has no name of its own.
    """

    keypoints: tuple[int, ...]
    title: str
    number: int | None = None

    @property
    def words(self) -> str:
        """What a user reads."""
        text = QCoreApplication.translate(CONTEXT, self.title)
        return text if self.number is None else text.format(self.number)

    def at(self, keypoints_px: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return where it lies on a face: (2,) for (68, 2)."""
        where: NDArray[np.float32] = keypoints_px[list(self.keypoints)].mean(axis=0)
        return where


_NAMES: Final = (
    (RIGHT_EYE, QT_TRANSLATE_NOOP("FacePlaces", "Right eye")),
    (LEFT_EYE, QT_TRANSLATE_NOOP("FacePlaces", "Left eye")),
    ((39, 42), QT_TRANSLATE_NOOP("FacePlaces", "Between the eyes")),
    ((36,), QT_TRANSLATE_NOOP("FacePlaces", "Outer corner of the right eye")),
    ((45,), QT_TRANSLATE_NOOP("FacePlaces", "Outer corner of the left eye")),
    ((17,), QT_TRANSLATE_NOOP("FacePlaces", "Outer end of the right brow")),
    ((21,), QT_TRANSLATE_NOOP("FacePlaces", "Inner end of the right brow")),
    ((22,), QT_TRANSLATE_NOOP("FacePlaces", "Inner end of the left brow")),
    ((26,), QT_TRANSLATE_NOOP("FacePlaces", "Outer end of the left brow")),
    ((19,), QT_TRANSLATE_NOOP("FacePlaces", "Middle of the right brow")),
    ((24,), QT_TRANSLATE_NOOP("FacePlaces", "Middle of the left brow")),
    ((27,), QT_TRANSLATE_NOOP("FacePlaces", "Top of the nose")),
    ((30,), QT_TRANSLATE_NOOP("FacePlaces", "Tip of the nose")),
    ((33,), QT_TRANSLATE_NOOP("FacePlaces", "Base of the nose")),
    ((31, 48), QT_TRANSLATE_NOOP("FacePlaces", "Right of the upper lip")),
    ((35, 54), QT_TRANSLATE_NOOP("FacePlaces", "Left of the upper lip")),
    ((33, 51), QT_TRANSLATE_NOOP("FacePlaces", "Above the upper lip")),
    ((48,), QT_TRANSLATE_NOOP("FacePlaces", "Right corner of the mouth")),
    ((54,), QT_TRANSLATE_NOOP("FacePlaces", "Left corner of the mouth")),
    ((62, 66), QT_TRANSLATE_NOOP("FacePlaces", "Middle of the mouth")),
    ((8,), QT_TRANSLATE_NOOP("FacePlaces", "Chin")),
    ((0,), QT_TRANSLATE_NOOP("FacePlaces", "Right end of the jaw")),
    ((16,), QT_TRANSLATE_NOOP("FacePlaces", "Left end of the jaw")),
)
_NAMED: Final = tuple(Place(keypoints, str(title)) for keypoints, title in _NAMES)
_PART_POINTS: Final = {
    "jaw": QT_TRANSLATE_NOOP("FacePlaces", "Jaw, keypoint {0}"),
    "right_brow": QT_TRANSLATE_NOOP("FacePlaces", "Right brow, keypoint {0}"),
    "left_brow": QT_TRANSLATE_NOOP("FacePlaces", "Left brow, keypoint {0}"),
    "nose": QT_TRANSLATE_NOOP("FacePlaces", "Nose, keypoint {0}"),
    "right_eye": QT_TRANSLATE_NOOP("FacePlaces", "Right eye, keypoint {0}"),
    "left_eye": QT_TRANSLATE_NOOP("FacePlaces", "Left eye, keypoint {0}"),
    "outer_lips": QT_TRANSLATE_NOOP("FacePlaces", "Lips, keypoint {0}"),
    "inner_lips": QT_TRANSLATE_NOOP("FacePlaces", "Lips, keypoint {0}"),
}
_SEVERAL: Final = QT_TRANSLATE_NOOP("FacePlaces", "Middle of {0} keypoints")


@lru_cache(maxsize=1)
def places() -> tuple[Place, ...]:
    """Return every place an anchor can be dragged to: those with a name first, then the other keypoints."""
    named = {place.keypoints[0] for place in _NAMED if len(place.keypoints) == 1}
    part_of = {index: name for name, part in FACE_PARTS.items() for index in part.indices}
    others = (Place((i,), str(_PART_POINTS[part_of[i]]), i) for i in range(NUM_KEYPOINTS) if i not in named)
    return (*_NAMED, *others)


def place_of(keypoints: tuple[int, ...]) -> Place:
    """Return the place that these keypoints make, also where no anchor can be dragged there."""
    known = next((place for place in places() if set(place.keypoints) == set(keypoints)), None)
    return known or Place(keypoints, str(_SEVERAL), len(keypoints))


def nearest_place(
    keypoints_px: NDArray[np.float32], at_px: tuple[float, float], *, taken: Collection[tuple[int, ...]] = ()
) -> Place:
    """Return the place that somebody means who points at a face.

    Parameters
    ----------
    keypoints_px
        (68, 2) of the face.
    at_px
        Where it is pointed, in the same coordinates.
    taken
        Keypoints of the other anchors: two anchors on one place would leave the picture's size open.
    """
    free = [place for place in places() if all(set(place.keypoints) != set(other) for other in taken)]
    where = np.array([place.at(keypoints_px) for place in free])
    distance = np.linalg.norm(where - at_px, axis=1)
    width = float(np.ptp(keypoints_px[:, 0]))
    pull = np.array([NAMED_PULL * width if place.number is None else 0.0 for place in free])
    return free[int(np.argmin(distance - pull))]


def next_place(
    keypoints_px: NDArray[np.float32], here: Place, step: tuple[int, int], *, taken: Collection[tuple[int, ...]] = ()
) -> Place:
    """Return the nearest place in a direction; the same where there is none.

    Parameters
    ----------
    keypoints_px
        (68, 2) of the face.
    here
        Where to start.
    step
        (1, 0) for rightwards in the picture, (0, 1) for down, and so on.
    taken
        See `nearest_place`.
    """
    free = [place for place in places() if all(set(place.keypoints) != set(other) for other in taken)]
    offsets = np.array([place.at(keypoints_px) for place in free]) - here.at(keypoints_px)
    along = offsets @ np.array(step, np.float32)
    aside = np.abs(offsets @ np.array([-step[1], step[0]], np.float32))
    # What lies straight ahead comes before what is near but to the side.
    cost = np.where((along > 0.5) & (aside <= 1.5 * along), along + 2 * aside, np.inf)
    best = int(np.argmin(cost))
    return free[best] if np.isfinite(cost[best]) else here
