"""A thorough search for faces in one picture: several cascades, scales and tilts, in a second or two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from trainer.core.detector import CASCADE_NAME, PROFILE_CASCADE_NAME, load_cascade, shipped_cascade, small_grey
from trainer.core.preprocess import as_grey_or_bgr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FRONTAL: Final = CASCADE_NAME
FRONTAL_2: Final = "haarcascade_frontalface_alt2.xml"
PROFILE: Final = PROFILE_CASCADE_NAME


@dataclass(frozen=True)
class Look:
    """One pass of one cascade over one copy of the picture.

    Attributes
    ----------
    cascade_name
        A cascade that OpenCV brings.
    side_px
        Square root of the copy's number of pixels, so that a panorama costs as much as a square. A picture is enlarged
        for it up to `MAX_ENLARGEMENT` times.
    scale_factor, min_neighbors
        See `cv2.CascadeClassifier.detectMultiScale`.
    largest_face_px
        In pixels of the copy; 0 for any size. Other looks see the larger ones, so a look with a limit is left out
        where the picture has no more pixels than they used.
    is_equalised
        Whether the copy's grey levels are spread out first.
    is_mirrored
        Whether the copy is mirrored: the profile cascade knows one side of the face only.
    tilt_deg
        The copy is turned by this much, counter-clockwise, so that a face tilted clockwise stands upright.
    """

    cascade_name: str
    side_px: int
    scale_factor: float = 1.1
    min_neighbors: int = 2
    largest_face_px: int = 0
    is_equalised: bool = False
    is_mirrored: bool = False
    tilt_deg: float = 0.0


LOOKS: Final = (
    Look(FRONTAL, 550, is_equalised=True),
    Look(FRONTAL, 280, min_neighbors=1),
    Look(FRONTAL_2, 550),
    Look(FRONTAL_2, 280, min_neighbors=1, is_equalised=True),
    Look(FRONTAL_2, 350, tilt_deg=28),
    Look(FRONTAL_2, 350, tilt_deg=-28),
    Look(PROFILE, 420, min_neighbors=1),
    Look(PROFILE, 420, min_neighbors=1, is_mirrored=True),
    Look(FRONTAL, 1100, scale_factor=1.2, largest_face_px=64),
    Look(FRONTAL_2, 1650, scale_factor=1.2, largest_face_px=64),
)

MIN_FACE_PX: Final = 24
MAX_ENLARGEMENT: Final = 2.0
WORTH_A_FINE_LOOK_PX: Final = 600


class ThoroughDetector:
    """Gives every box that may hold a face, with many that do not and several for one face.

    Whoever uses it confirms the boxes with a network (`fkd_desktop.live.stills`). Cost and memory are bounded by the
    copies, whatever the picture's size.

    Raises
    ------
    DetectorError
        If a cascade does not load.
    """

    def __init__(self, looks: Sequence[Look] = LOOKS) -> None:
        self._looks = tuple(looks)
        self._cascades = {
            name: load_cascade(shipped_cascade(name)) for name in sorted({look.cascade_name for look in looks})
        }

    def detect(self, frame_bgr: NDArray[np.uint8], *, fine: bool = True) -> NDArray[np.float32]:
        """Find boxes.

        Parameters
        ----------
        frame_bgr
            (H, W, 3) BGR or (H, W) grey, uint8; not written.
        fine
            False leaves out the looks that are for small faces.

        Returns
        -------
        (N, 4) float32 boxes in frame pixels; looks in their order, the largest face of a look first.
        """
        looks = [look for look in self._looks if fine or not look.largest_face_px]
        copies = _Copies(as_grey_or_bgr(frame_bgr))
        boxes = [self._look(copies, look) for look in looks if copies.is_worth(look)]
        return np.concatenate([np.empty((0, 4), np.float32), *boxes])

    def _look(self, copies: _Copies, look: Look) -> NDArray[np.float32]:
        grey = copies.grey(look.side_px)
        height, width = grey.shape
        if min(height, width) < MIN_FACE_PX:
            return np.empty((0, 4), np.float32)
        to_copy = np.eye(3)
        if look.is_equalised:
            grey = cv2.equalizeHist(grey)  # type: ignore[assignment]
        if look.is_mirrored:
            grey = np.ascontiguousarray(grey[:, ::-1])
            to_copy[0] = -1, 0, width
        if look.tilt_deg:
            grey, to_copy = _turned(grey, look.tilt_deg)
        largest_px = look.largest_face_px or max(grey.shape)
        found = self._cascades[look.cascade_name].detectMultiScale(
            grey,
            scaleFactor=look.scale_factor,
            minNeighbors=look.min_neighbors,
            minSize=(MIN_FACE_PX, MIN_FACE_PX),
            maxSize=(largest_px, largest_px),
        )
        boxes = np.asarray(found, np.float64).reshape(-1, 4)
        boxes = boxes[np.argsort(-boxes[:, 2], kind="stable")]
        centres = np.c_[boxes[:, :2] + boxes[:, 2:] / 2, np.ones(len(boxes))] @ np.linalg.inv(to_copy).T
        scale = np.array([copies.width / width, copies.height / height])
        sides = boxes[:, 2:] * scale.mean()
        return np.hstack([centres[:, :2] * scale - sides / 2, sides]).astype(np.float32)


class _Copies:
    """Grey copies of a picture by their number of pixels, each made once."""

    def __init__(self, frame: NDArray[np.uint8]) -> None:
        self._frame = frame
        self.height, self.width = frame.shape[:2]
        self._side_px = float(np.sqrt(self.height * self.width))
        self._greys: dict[tuple[int, int], NDArray[np.uint8]] = {}

    def is_worth(self, look: Look) -> bool:
        """Whether the picture has pixels for this look that the looks for faces of any size left out."""
        return not look.largest_face_px or self._side_px > WORTH_A_FINE_LOOK_PX

    def grey(self, side_px: int) -> NDArray[np.uint8]:
        scale = min(MAX_ENLARGEMENT, side_px / self._side_px)
        size = max(1, round(self.width * scale)), max(1, round(self.height * scale))
        if size not in self._greys:
            self._greys[size] = small_grey(self._frame, size)
        return self._greys[size]


def _turned(grey: NDArray[np.uint8], degrees: float) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Turn a picture about its centre, and enlarge it so that nothing is cut off: picture, and (3, 3) way into it."""
    height, width = grey.shape
    turn = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0), [0.0, 0.0, 1.0]])
    sin, cos = abs(np.sin(np.radians(degrees))), abs(np.cos(np.radians(degrees)))
    new_width, new_height = round(width * cos + height * sin), round(width * sin + height * cos)
    turn[:2, 2] += (new_width - width) / 2, (new_height - height) / 2
    turned = cv2.warpAffine(grey, turn[:2], (new_width, new_height), borderMode=cv2.BORDER_REPLICATE)
    return turned, turn  # type: ignore[return-value]
