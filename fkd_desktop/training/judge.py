"""A network that judges the faces of a data set, loaded when it is first asked."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from trainer import metrics
from trainer.core.keypoints import NUM_KEYPOINTS
from trainer.dataset import DatasetError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fkd_desktop.training.entries import Entry
    from fkd_desktop.workers.job import Job
    from trainer.core.predictor import Predictor

FACES_AT_ONCE: Final = 64
"""Between two looks at whether to stop, and two reports."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the network says of one face.

    Attributes
    ----------
    points_px
        (68, 2) float32 in pixels of the picture; None where the picture cannot be read.
    nme
        Against the labels; NaN where there are no points.
    """

    points_px: NDArray[np.float32] | None
    nme: float

    @property
    def is_there(self) -> bool:
        """Whether there are points."""
        return self.points_px is not None


class Judge:
    """Predicts from boxes of the true keypoints, as `trainer.evaluate` does. To be called from jobs, never the window.

    Parameters
    ----------
    weights
        A safetensors file; None for the shipped weights.
    device
        See `trainer.core.names.DEVICE_NAMES`.
    """

    def __init__(self, weights: Path | None, device: str) -> None:
        self._weights, self._device = weights, device
        self._lock = threading.Lock()
        self._predictor: Predictor | None = None

    def predict(self, entries: Sequence[Entry], job: Job) -> list[Prediction]:
        """Judge usable entries, a few at a time; fewer than asked for where the job is cancelled.

        The job is told a list of all predictions so far, which grows.

        Raises
        ------
        NetworkError
            If the weights or the device cannot be used.
        """
        done: list[Prediction] = []
        for start in range(0, len(entries), FACES_AT_ONCE):
            if job.should_stop():
                break
            some = entries[start : start + FACES_AT_ONCE]
            with self._lock:  # a predictor serves one thread at a time
                points = self._points(some)
            nmes = metrics.nme(points, np.stack([entry.sample.keypoints_px for entry in some]))
            done.extend(
                Prediction(None, float("nan")) if np.isnan(of_face).any() else Prediction(of_face, float(nme))
                for of_face, nme in zip(points, nmes, strict=True)
            )
            job.tell(done)
        return done

    def _points(self, entries: Sequence[Entry]) -> NDArray[np.float32]:
        """(N, 68, 2), NaN for faces whose pictures cannot be read."""
        from fkd_desktop.live.network import load_predictor  # noqa: PLC0415 (may import torch: off the GUI thread)
        from trainer.evaluate import predict  # noqa: PLC0415 (the same)

        if self._predictor is None:
            self._predictor = load_predictor(self._weights, device=self._device)
        with suppress(DatasetError):
            return predict([self._predictor], [entry.sample for entry in entries]).points_px[0]
        points = np.full((len(entries), NUM_KEYPOINTS, 2), np.nan, np.float32)
        for number, entry in enumerate(entries):
            with suppress(DatasetError):
                points[number] = predict([self._predictor], [entry.sample]).points_px[0][0]
        return points
