"""Judging weights the way they are used: through `Predictor`, from whole images and face boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer import metrics
from trainer.core.preprocess import box_from_keypoints
from trainer.dataset import read_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.core.predictor import Predictor
    from trainer.dataset import Sample


def evaluate(predictor: Predictor, samples: Sequence[Sample]) -> metrics.Score:
    """Score a predictor with boxes from the true keypoints.

    Raises
    ------
    DatasetError
        If an image cannot be read.
    ValueError
        If there are no samples.
    """
    nmes = [
        metrics.nme(
            predictor.predict(read_image(s.image_path), box_from_keypoints(s.keypoints_px[None])).points_px,
            s.keypoints_px[None],
        )
        for s in samples
    ]
    return metrics.score(np.concatenate(nmes) if nmes else np.empty(0, np.float32))
