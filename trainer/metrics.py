"""How good keypoints are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer.core.keypoints import inter_ocular_distance

if TYPE_CHECKING:
    from numpy.typing import NDArray

FAILURE_NME = 0.10
AUC_LIMIT = 0.08


def nme(points: NDArray[np.float32], truth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Normalised mean error of each face: mean point-to-point distance over the true inter-ocular distance.

    The normalisation by the outer eye corners is that of 300-W (Sagonas et al. 2016).

    Parameters
    ----------
    points, truth
        (N, 68, 2) in the same unit.

    Returns
    -------
    (N,) float32; 0.05 is 5 %.
    """
    distance: NDArray[np.floating] = np.linalg.norm(points - truth, axis=-1).mean(axis=-1)
    return (distance / np.maximum(inter_ocular_distance(truth), 1e-6)).astype(np.float32)


@dataclass(frozen=True)
class Score:
    """Figures over a set of faces; all as fractions, not per cent.

    Attributes
    ----------
    count
        Faces judged.
    nme_mean, nme_median
        Over the faces.
    failure_rate
        Share of faces with an NME over 10 %.
    auc
        Area under the cumulative error curve up to an NME of 8 %, over that of a perfect predictor.
    """

    count: int
    nme_mean: float
    nme_median: float
    failure_rate: float
    auc: float


def score(nmes: NDArray[np.float32]) -> Score:
    """Sum up the NME of N faces.

    Raises
    ------
    ValueError
        For no faces at all.
    """
    if len(nmes) == 0:
        raise ValueError("there are no faces to judge")
    # The curve is a step function: its area is the mean of what each face leaves below the limit.
    auc = np.clip(1 - nmes / AUC_LIMIT, 0, 1).mean()
    return Score(
        count=len(nmes),
        nme_mean=float(nmes.mean()),
        nme_median=float(np.median(nmes)),
        failure_rate=float((nmes > FAILURE_NME).mean()),
        auc=float(auc),
    )
