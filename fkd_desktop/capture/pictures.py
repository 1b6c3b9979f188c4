"""Writing pictures: one at once, or several one after the other. For threads other than the window's."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import cv2

from fkd_desktop.capture.files import claim_file, claim_folder, not_writable
from fkd_desktop.capture.look import paint
from fkd_desktop.errors import OutputError
from trainer.core.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from fkd_desktop.capture.look import Look
    from fkd_desktop.live.result import LiveFrame

PictureFormat = Literal["png", "jpg"]
JPEG_QUALITY: Final = 95
BURST_PICTURES: Final = 10
BURST_S: Final = 2.0
_PATIENCE_S: Final = 1.0
"""How much longer than `BURST_S` a burst waits for frames."""


def save_picture(image_bgr: NDArray[np.uint8], folder: Path, stem: str, form: PictureFormat) -> Path:
    """Write a picture under a new name; nothing is left half written.

    Parameters
    ----------
    image_bgr
        (H, W, 3) uint8.
    folder, stem
        Where, and the name that gets a number if it is taken.
    form
        PNG keeps every pixel as it is; a JPEG has about a sixth of the size.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    parameters = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if form == "jpg" else []
    try:
        content = cv2.imencode(f".{form}", image_bgr, parameters)[1].tobytes()
    except cv2.error as error:
        raise OutputError(
            "a picture of {width} x {height} cannot be saved as {form}; choose PNG in the preferences",
            width=image_bgr.shape[1],
            height=image_bgr.shape[0],
            form=form.upper(),
        ) from error
    path = claim_file(folder, stem, f".{form}")
    try:
        write_atomically(path, content)
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise not_writable(path, error) from error
    return path


@dataclass(frozen=True)
class BurstOutcome:
    """What a burst gave.

    Attributes
    ----------
    folder
        Where its pictures are: 01, 02 and so on.
    pictures
        How many; fewer than asked for where frames came too slowly.
    """

    folder: Path
    pictures: int


class Burst:
    """A `Sink` that keeps some frames spread over some seconds, and writes them when `run` is called elsewhere.

    Parameters
    ----------
    first
        The picture on the screen, which is the first one.
    look
        Asked once a picture.
    pictures, duration_s
        How many, and over how long.
    """

    def __init__(
        self,
        first: LiveFrame,
        look: Callable[[], Look],
        *,
        pictures: int = BURST_PICTURES,
        duration_s: float = BURST_S,
    ) -> None:
        self._look = look
        self._left = pictures - 1
        self._period_s = duration_s / max(1, pictures - 1)
        self._begin_s = time.perf_counter()
        self._next_s = self._begin_s + self._period_s
        self._deadline_s = self._begin_s + duration_s + _PATIENCE_S
        self._frames = deque([first])
        self._changed = threading.Condition()

    def offer(self, live: LiveFrame) -> None:
        """Keep the frame if it is time for one; see `Sink`."""
        now_s = time.perf_counter()
        with self._changed:
            if self._left > 0 and now_s >= self._next_s:
                self._left -= 1
                # By the plan, not by this frame, so that the whole lasts as long as it should; but never a heap of
                # frames after a gap.
                self._next_s = max(self._next_s + self._period_s, now_s + self._period_s / 2)
                self._frames.append(live)
                self._changed.notify_all()

    def run(
        self,
        folder: Path,
        stem: str,
        form: PictureFormat,
        *,
        on_picture: Callable[[int], None],
        should_stop: Callable[[], bool],
    ) -> BurstOutcome:
        """Write pictures until there are enough, or no more come.

        Parameters
        ----------
        folder, stem
            Where the burst's folder is made, and its name.
        form
            See `save_picture`.
        on_picture
            Told how many are written.
        should_stop
            Asked between two pictures.

        Raises
        ------
        OutputError
            If one cannot be written.
        """
        own = claim_folder(folder, stem)
        written = 0
        while (live := self._next(should_stop)) is not None:
            save_picture(paint(live.result, self._look()), own, f"{written + 1:02}", form)
            written += 1
            on_picture(written)
        return BurstOutcome(own, written)

    def _next(self, should_stop: Callable[[], bool]) -> LiveFrame | None:
        with self._changed:
            while not self._frames:
                left_s = self._deadline_s - time.perf_counter()
                if self._left <= 0 or left_s <= 0 or should_stop():
                    return None
                self._changed.wait(min(left_s, 0.05))
            return self._frames.popleft()
