"""What a source is, and what all sources share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import cv2
import numpy as np

from fkd_desktop.errors import SourceError, cannot_read

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from fkd_desktop.live.result import Frame
    from fkd_desktop.live.sources.modes import CameraMode


class FrameSource(ABC):
    """Gives frames one after the other.

    Attributes
    ----------
    label
        What the user calls it.
    is_live
        Whether frames come when they come (a camera); else the reader paces them by their timestamps.
    mode
        What was agreed on with a camera, once it is open; None for all else.
    can_seek
        Whether one can move in it: its frames then have a `position`.
    loop
        Whether it starts again at its end; may be changed while it is read, and means nothing where one cannot move.
    damaged
        Pictures that came and could not be decoded, so far.
    """

    label: str
    is_live: bool = False
    mode: CameraMode | None = None
    can_seek: bool = False
    loop: bool = False
    damaged: int = 0

    @abstractmethod
    def open(self) -> None:
        """Get ready; may take seconds.

        Raises
        ------
        SourceError
            If it cannot be opened.
        """

    @abstractmethod
    def read(self) -> Frame | None:
        """Wait for the next frame; None when there are no more.

        Raises
        ------
        SourceError
            If it broke.
        """

    def seek(self, *, time_s: float | None = None, index: int | None = None) -> None:
        """Make a frame the next one to be read; the limits are the first and the last one.

        Parameters
        ----------
        time_s
            The frame nearest to this time of the video. Pictures have no times.
        index
            The frame or picture with this number, from 0.

        Raises
        ------
        SourceError
            If it broke.
        NotImplementedError
            If one cannot move in this kind of source.
        """
        raise NotImplementedError(f"one cannot move in {self.label}")

    @abstractmethod
    def close(self) -> None:
        """Let go of it; may be called at any time, also twice."""


def as_frame(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return whatever OpenCV decoded as (H, W, 3) BGR uint8, C-contiguous.

    Raises
    ------
    ValueError
        If it is no grey, BGR or BGRA picture of 8 or 16 bits.
    """
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    channels = image.shape[2] if image.ndim == 3 else 1
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or channels not in (1, 3, 4) or not image.size:
        raise ValueError(f"no picture: {image.dtype} of shape {image.shape}")
    if channels == 1:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)  # type: ignore[return-value]
    return np.ascontiguousarray(image[:, :, :3])


def check_file(path: Path) -> None:
    """Say what is wrong with a path before a decoder is asked.

    Raises
    ------
    SourceError
        If it is missing, no file, not readable or empty.
    """
    try:
        if not path.exists():
            raise SourceError("there is no file {path}; check the path or choose another file", path=path)
        if not path.is_file():
            raise SourceError("{path} is not a file; choose a video or a picture", path=path)
        with path.open("rb") as file:
            if not file.read(1):
                raise SourceError("{path} is empty; choose another file", path=path)
    except OSError as error:
        raise cannot_read(path, error) from error
