"""Finding faces in a frame."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import cv2
import numpy as np

from trainer.core.errors import FkdError

if TYPE_CHECKING:
    from numpy.typing import NDArray

CASCADE_NAME: Final = "haarcascade_frontalface_default.xml"


class DetectorError(FkdError):
    """The face detector cannot work."""


class Detector(Protocol):
    """Anything that finds face boxes."""

    def detect(self, frame_bgr: NDArray[np.uint8], *, fine: bool = False) -> NDArray[np.float32]:
        """Find faces.

        Parameters
        ----------
        frame_bgr
            (H, W, 3) uint8.
        fine
            Look for smaller faces too, for more time.

        Returns
        -------
        (N, 4) float32 boxes in frame pixels, largest first.
        """
        ...


def shipped_cascade(name: str) -> Path:
    """Return the path of a cascade that OpenCV brings."""
    return Path(cv2.data.haarcascades) / name  # type: ignore[attr-defined]


def load_cascade(path: Path | str) -> cv2.CascadeClassifier:
    """Load a cascade.

    Raises
    ------
    DetectorError
        If it does not load.
    """
    path = Path(path)
    cascade = cv2.CascadeClassifier()
    try:
        loaded = path.is_file() and cascade.load(str(path))
    except (cv2.error, SystemError) as error:
        raise DetectorError(
            "the face detector's file {path} is damaged; install opencv-python again", path=path
        ) from error
    if not loaded:
        raise DetectorError(
            "the face detector's file {path} is missing or damaged; install opencv-python again", path=path
        )
    return cascade


class HaarDetector:
    """OpenCV's frontal-face Haar cascade on a small grey copy of the frame.

    P. Viola and M. Jones, "Rapid object detection using a boosted cascade of simple features", CVPR 2001. The cost goes
    with the copy's size, not the frame's.

    Parameters
    ----------
    cascade_path
        A cascade file; None for the one that OpenCV brings.
    long_side_px, fine_long_side_px
        Longer side of the copy, as a rule and for a fine look.
    scale_factor, min_neighbors, min_face_px
        See `cv2.CascadeClassifier.detectMultiScale`; the least face is in pixels of the copy.

    Raises
    ------
    DetectorError
        If the cascade does not load.
    """

    def __init__(
        self,
        cascade_path: Path | str | None = None,
        *,
        long_side_px: int = 320,
        fine_long_side_px: int = 640,
        scale_factor: float = 1.2,
        min_neighbors: int = 3,
        min_face_px: int = 24,
    ) -> None:
        self._cascade = load_cascade(cascade_path or shipped_cascade(CASCADE_NAME))
        self._long_side_px, self._fine_long_side_px = long_side_px, fine_long_side_px
        self._scale_factor, self._min_neighbors, self._min_face_px = scale_factor, min_neighbors, min_face_px

    def detect(self, frame_bgr: NDArray[np.uint8], *, fine: bool = False) -> NDArray[np.float32]:
        """See `Detector.detect`."""
        height, width = frame_bgr.shape[:2]
        wanted = self._fine_long_side_px if fine else self._long_side_px
        shrink = min(1.0, wanted / max(height, width))
        size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
        small = frame_bgr if shrink == 1 else cv2.resize(frame_bgr, size, interpolation=cv2.INTER_AREA)
        grey = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY))
        found = self._cascade.detectMultiScale(
            grey,
            scaleFactor=self._scale_factor,
            minNeighbors=self._min_neighbors,
            minSize=(self._min_face_px, self._min_face_px),
        )
        boxes = np.asarray(found, dtype=np.float32).reshape(-1, 4)
        boxes *= np.array([width / size[0], height / size[1]] * 2, np.float32)
        return boxes[np.argsort(-boxes[:, 2], kind="stable")]
