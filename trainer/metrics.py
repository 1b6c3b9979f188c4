"""How good keypoints are."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from trainer.core.keypoints import FACE_PARTS, inter_ocular_distance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

FAILURE_NME: Final = 0.10
AUC_LIMIT: Final = 0.08


def _indices(*parts: str) -> NDArray[np.int64]:
    return np.array([index for part in parts for index in FACE_PARTS[part].indices])


JUDGED_PARTS: Final[Mapping[str, NDArray[np.int64]]] = MappingProxyType(
    {
        "jaw": _indices("jaw"),
        "brows": _indices("right_brow", "left_brow"),
        "nose": _indices("nose"),
        "eyes": _indices("right_eye", "left_eye"),
        "mouth": _indices("outer_lips", "inner_lips"),
    }
)
"""The parts that errors are told for, and their keypoints; left and right together."""


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
    nmes: NDArray[np.float32] = _distances(points, truth).mean(axis=-1)
    return nmes.astype(np.float32, copy=False)


def nme_by_part(points: NDArray[np.float32], truth: NDArray[np.float32]) -> dict[str, float]:
    """Mean of `nme` over N faces, for each of `JUDGED_PARTS` alone; the normalisation is the whole face's."""
    distances = _distances(points, truth)
    return {part: float(distances[:, indices].mean()) for part, indices in JUDGED_PARTS.items()}


def bias(points: NDArray[np.float32], truth: NDArray[np.float32]) -> tuple[float, float]:
    """Mean offset of the points from the true ones over N faces, to the right and downwards.

    Noise averages out of it: what stays is a shift of all predictions, or of all labels.

    Parameters
    ----------
    points, truth
        (N, 68, 2) in the same unit.

    Returns
    -------
    x and y as fractions of the inter-ocular distance.
    """
    offsets = (points - truth).mean(axis=1) / _scale(truth)[:, None]
    x, y = offsets.mean(axis=0)
    return float(x), float(y)


def _distances(points: NDArray[np.float32], truth: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 68) point-to-point distances over the true inter-ocular distance."""
    distances: NDArray[np.float32] = np.linalg.norm(points - truth, axis=-1) / _scale(truth)[:, None]
    return distances


def _scale(truth: NDArray[np.float32]) -> NDArray[np.float32]:
    scale: NDArray[np.float32] = np.maximum(inter_ocular_distance(truth), np.float32(1e-6))
    return scale


@dataclass(frozen=True)
class Score:
    """Figures over a set of faces; all as fractions, not per cent.

    Attributes
    ----------
    count
        Faces judged, with those that were missed.
    nme_mean, nme_median
        Over the faces that were found; NaN where none was.
    failure_rate
        Share of faces with an NME over 10 %, or missed.
    auc
        Area under the cumulative error curve up to an NME of 8 %, over that of a perfect predictor; a missed face
        never comes below any error.
    """

    count: int
    nme_mean: float
    nme_median: float
    failure_rate: float
    auc: float


def score(nmes: NDArray[np.float32], *, missed: int = 0) -> Score:
    """Sum up the NME of N faces, and a number of others that were missed altogether.

    Raises
    ------
    ValueError
        For no faces at all.
    """
    count = len(nmes) + missed
    if count == 0:
        raise ValueError("there are no faces to judge")
    # The curve is a step function: its area is the mean of what each face leaves below the limit.
    auc = np.clip(1 - nmes / AUC_LIMIT, 0, 1).sum() / count
    return Score(
        count=count,
        nme_mean=float(nmes.mean()) if len(nmes) else float("nan"),
        nme_median=float(np.median(nmes)) if len(nmes) else float("nan"),
        failure_rate=float(((nmes > FAILURE_NME).sum() + missed) / count),
        auc=float(auc),
    )
