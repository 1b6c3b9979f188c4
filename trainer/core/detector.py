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
PROFILE_CASCADE_NAME: Final = "haarcascade_profileface.xml"


class DetectorError(FkdError):
    """The face detector cannot work."""


class Detector(Protocol):
    """Anything that finds face boxes."""

    def detect(
        self, frame_bgr: NDArray[np.uint8], *, fine: bool = False, known_xywh: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Find faces.

        Parameters
        ----------
        frame_bgr
            (H, W, 3) uint8.
        fine
            Look for smaller faces too, for more time.
        known_xywh
            (M, 4) boxes of faces that are known already and need not be found again.

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
    """One of OpenCV's Haar cascades on a small grey copy of the frame: the frontal-face one unless another is given.

    P. Viola and M. Jones, "Rapid object detection using a boosted cascade of simple features", CVPR 2001. The cost goes
    with the copy's size, not the frame's.

    Parameters
    ----------
    cascade_path
        A cascade file; None for the frontal-face one that OpenCV brings.
    long_side_px, fine_long_side_px
        Longer side of the copy, as a rule and for a fine look.
    scale_factor, min_neighbors, min_face_px
        See `cv2.CascadeClassifier.detectMultiScale`; the least face is in pixels of the copy.
    equalise_below
        The copy's grey levels are spread out where their standard deviation is below this.

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
        equalise_below: float = np.inf,
    ) -> None:
        self._cascade = load_cascade(cascade_path or shipped_cascade(CASCADE_NAME))
        self._long_side_px, self._fine_long_side_px = long_side_px, fine_long_side_px
        self._scale_factor, self._min_neighbors, self._min_face_px = scale_factor, min_neighbors, min_face_px
        self._equalise_below = equalise_below

    def detect(
        self,
        frame_bgr: NDArray[np.uint8],
        *,
        fine: bool = False,
        known_xywh: NDArray[np.float32] | None = None,
        mirrored: bool = False,
    ) -> NDArray[np.float32]:
        """See `Detector.detect`.

        Where faces are known the copy is flat, which most of the cascade's windows are done with at its first stage.
        `mirrored` looks at the mirror image: the profile cascade knows one side of the face only.
        """
        height, width = frame_bgr.shape[:2]
        wanted = self._fine_long_side_px if fine else self._long_side_px
        shrink = min(1.0, wanted / max(height, width))
        size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
        to_frame = np.array([width / size[0], height / size[1]] * 2, np.float32)
        grey = small_grey(frame_bgr, size)
        if float(grey.std()) < self._equalise_below:
            grey = cv2.equalizeHist(grey)  # type: ignore[assignment]
        elif known_xywh is not None and np.may_share_memory(grey, frame_bgr):
            grey = grey.copy()  # it is written below
        if known_xywh is not None:
            _flatten(grey, known_xywh / to_frame)
        found = self._cascade.detectMultiScale(
            np.ascontiguousarray(grey[:, ::-1]) if mirrored else grey,
            scaleFactor=self._scale_factor,
            minNeighbors=self._min_neighbors,
            minSize=(self._min_face_px, self._min_face_px),
        )
        boxes = np.asarray(found, dtype=np.float32).reshape(-1, 4)
        if mirrored:
            boxes[:, 0] = size[0] - boxes[:, 0] - boxes[:, 2]
        boxes *= to_frame
        return boxes[np.argsort(-boxes[:, 2], kind="stable")]


def small_grey(frame: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Make a grey copy of another size; of a frame much larger only every k-th pixel of every k-th row is read.

    Parameters
    ----------
    frame
        (H, W, 3) BGR or (H, W) grey, uint8.
    size
        Width and height of the copy.
    """
    height, width = frame.shape[:2]
    stride = max(1, min(height // (2 * size[1]), width // (2 * size[0])))
    if stride > 1:
        frame = np.ascontiguousarray(frame[::stride, ::stride])
    if frame.shape[1::-1] != size:
        is_smaller = frame.shape[1] > size[0] or frame.shape[0] > size[1]
        interpolation = cv2.INTER_AREA if is_smaller else cv2.INTER_LINEAR
        frame = cv2.resize(frame, size, interpolation=interpolation)  # type: ignore[assignment]
    return frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)  # type: ignore[return-value]


def _flatten(grey: NDArray[np.uint8], boxes_xywh: NDArray[np.float32]) -> None:
    """Fill (M, 4) boxes with their mean grey level."""
    corners = np.concatenate([np.floor(boxes_xywh[:, :2]), np.ceil(boxes_xywh[:, :2] + boxes_xywh[:, 2:])], axis=1)
    for x0, y0, x1, y1 in np.maximum(corners, 0).astype(int):
        region = grey[y0:y1, x0:x1]
        if region.size:
            region[:] = round(float(region.mean()))
