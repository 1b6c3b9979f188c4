"""Thumbnails made behind a window: those in sight first, those out of sight not at all."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from PySide6.QtCore import QObject, QPointF, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QImage, QPainter

from fkd_desktop.i18n import translated
from fkd_desktop.workers.job import Job
from trainer.contact_sheet import PAGE_BGR, TRUE_BGR
from trainer.core.preprocess import CROP_PER_BOX, box_from_keypoints, crop_squares, frame_to_unit
from trainer.dataset import DatasetError, read_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fkd_desktop.training.entries import Entry

Key = tuple[object, int, int]

THREADS: Final = 2
CACHE_BYTES: Final = 128 * 2**20
TELL_EVERY_MS: Final = 33
_UNITS_PER_DOT: Final = 70
"""Side of a thumbnail over the radius of its dots."""


class ThumbnailMaker(QObject):
    """Makes the thumbnails that are wanted now, on a few threads, and keeps as many as fit.

    Lives in the GUI thread. What was wanted before and is not wanted now is forgotten.
    """

    made = Signal()
    """Some are there that were not; at most 30 times a second."""
    _woken = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Condition()
        self._wanted: list[tuple[Key, Entry]] = []  # the next one last
        self._in_work: set[Key] = set()
        self._fresh: list[tuple[Key, QImage | str]] = []
        self._kept: OrderedDict[Key, QImage | str] = OrderedDict()
        self._kept_bytes = 0
        self._woken.connect(self._on_woken)
        self._timer = QTimer(self, singleShot=True, interval=TELL_EVERY_MS)
        self._timer.timeout.connect(self._on_timer_timeout)
        self._jobs: list[Job] = []

    def want(self, entries: Sequence[Entry], side_px: int) -> None:
        """Say what is in sight, most urgent first; entries that cannot be used are left out.

        Parameters
        ----------
        entries
            In sight, or soon.
        side_px
            Of each thumbnail, in device pixels.
        """
        missing = []
        for entry in entries:
            key = _key(entry, side_px)
            if not entry.is_usable:
                continue
            if key in self._kept:
                self._kept.move_to_end(key)
            else:
                missing.append((key, entry))
        with self._lock:
            done = {key for key, _ in self._fresh} | self._in_work
            self._wanted = [wanted for wanted in reversed(missing) if wanted[0] not in done]
            self._lock.notify_all()
        if not self._jobs and missing:
            self._jobs = [Job(f"thumbnails-{number}", self._work) for number in range(THREADS)]
            for job in self._jobs:
                job.start()

    def get(self, entry: Entry, side_px: int) -> QImage | str | None:
        """Return the thumbnail, the reason why there is none, or None where it is not made yet."""
        return self._kept.get(_key(entry, side_px))

    @property
    def is_idle(self) -> bool:
        """Whether everything wanted is there."""
        with self._lock:
            return not (self._wanted or self._in_work or self._fresh)

    @property
    def is_urgent(self) -> bool:
        """Whether somebody waits for thumbnails; for any thread to ask."""
        with self._lock:
            return bool(self._wanted)

    @property
    def kept_bytes(self) -> int:
        """Memory that the thumbnails take."""
        return self._kept_bytes

    def forget(self) -> None:
        """Forget all thumbnails: the files may have changed."""
        with self._lock:
            self._wanted.clear()
            self._fresh.clear()
        self._kept.clear()
        self._kept_bytes = 0

    def close(self) -> None:
        """End the threads, each after the thumbnail under way; what is wanted later starts others."""
        jobs, self._jobs = self._jobs, []
        with self._lock:
            for job in jobs:
                job.cancel()
            self._wanted.clear()
            self._lock.notify_all()
        self._timer.stop()

    def _work(self, job: Job) -> None:
        while True:
            with self._lock:
                while not (self._wanted or job.should_stop()):
                    self._lock.wait()
                if job.should_stop():
                    return
                key, entry = self._wanted.pop()
                self._in_work.add(key)
            result: QImage | str
            try:
                result = thumbnail(entry, key[2])
            except DatasetError as error:
                result = translated(error)
            with self._lock:
                self._in_work.discard(key)
                self._fresh.append((key, result))
                wakes = len(self._fresh) == 1
            if wakes:
                with suppress(RuntimeError):  # the application was closed meanwhile
                    self._woken.emit()

    @Slot()
    def _on_woken(self) -> None:
        if self._jobs and not self._timer.isActive():
            self._timer.start()

    @Slot()
    def _on_timer_timeout(self) -> None:
        with self._lock:
            fresh, self._fresh = self._fresh, []
        for key, image in fresh:
            self._kept_bytes += _bytes(image) - _bytes(self._kept.pop(key, None))
            self._kept[key] = image
        while self._kept_bytes > CACHE_BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= _bytes(oldest)
        if fresh:
            self.made.emit()


def thumbnail(entry: Entry, side_px: int) -> QImage:
    """Draw a face as the network sees it placed, with its keypoints; what is beyond the picture's border stays dark.

    Raises
    ------
    DatasetError
        If the image cannot be decoded.
    """
    sample = entry.sample
    square = crop_squares(box_from_keypoints(sample.keypoints_px), crop_per_box=CROP_PER_BOX)
    crop = cut_square(read_image(sample.image_path), square[0], side_px)
    # A copy, for the array goes; without a fourth channel painting has to convert each time.
    image = QImage(crop.data, side_px, side_px, 3 * side_px, QImage.Format.Format_BGR888)
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    dot = _dot(side_px)
    half = dot.width() / 2
    painter = QPainter(image)
    for x, y in (frame_to_unit(sample.keypoints_px[None], square)[0] * side_px).tolist():
        painter.drawImage(QPointF(x - half, y - half), dot)
    painter.end()
    return image


def cut_square(image_bgr: NDArray[np.uint8], square: NDArray[np.float32], side_px: int) -> NDArray[np.uint8]:
    """Cut a square out of a picture in its colours; beyond the border it is dark.

    Parameters
    ----------
    image_bgr
        (H, W, 3).
    square
        (3,) left, top and side in whole pixels.
    side_px
        Side of the result.

    Returns
    -------
    (side_px, side_px, 3) uint8 BGR.
    """
    height, width = image_bgr.shape[:2]
    left, top, side = (int(v) for v in square)
    result = np.empty((side_px, side_px, 3), np.uint8)
    result[:] = PAGE_BGR
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, width), min(top + side, height)
    # Only what is there is scaled, so that labels far outside of a picture cost no memory.
    scale = side_px / side
    u0, v0, u1, v1 = (round((edge - start) * scale) for edge, start in ((x0, left), (y0, top), (x1, left), (y1, top)))
    if u1 > u0 and v1 > v0:
        how = cv2.INTER_AREA if side > side_px else cv2.INTER_LINEAR
        result[v0:v1, u0:u1] = cv2.resize(image_bgr[y0:y1, x0:x1], (u1 - u0, v1 - v0), interpolation=how)
    return result


@cache
def _dot(side_px: int) -> QImage:
    """One dot: painted once, for circles are slow."""
    radius = max(1.1, side_px / _UNITS_PER_DOT)
    size = 2 * int(np.ceil(radius + 1))
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    blue, green, red = TRUE_BGR
    for colour, part in ((QColor(16, 16, 16, 140), radius + 0.7), (QColor(red, green, blue), radius)):
        painter.setBrush(colour)
        painter.drawEllipse(QRectF(size / 2 - part, size / 2 - part, 2 * part, 2 * part))
    painter.end()
    return image


def _key(entry: Entry, side_px: int) -> Key:
    return (*entry.thumbnail_key, side_px)


def _bytes(image: QImage | str | None) -> int:
    return image.sizeInBytes() if isinstance(image, QImage) else len(image or "")
