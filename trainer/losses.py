"""Losses on keypoint errors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, assert_never

from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from trainer.config import LossName

SOFTENING = 0.1
"""Of the Euclidean loss, in the network's loss unit."""
WING_WIDTH = 5.0
WING_CURVATURE = 1.0


def keypoint_loss(name: LossName, errors: Tensor) -> Tensor:
    """Mean loss of keypoint errors.

    Parameters
    ----------
    name
        "euclidean", "wing", "smooth_l1" or "mse".
    errors
        (..., 2) prediction minus truth, in the network's loss unit (`KeypointNetwork.loss_unit`).

    Returns
    -------
    () scalar.
    """
    match name:
        case "euclidean":
            return euclidean(errors)
        case "wing":
            return wing(errors)
        case "smooth_l1":
            return functional.smooth_l1_loss(errors, errors.new_zeros(()).expand_as(errors))
        case "mse":
            return errors.square().mean()
        case _:
            assert_never(name)


def euclidean(errors: Tensor) -> Tensor:
    """Mean distance, which is what the NME measures, rounded off at zero so that its gradient has no jump there."""
    return (errors.square().sum(dim=-1) + SOFTENING**2).sqrt().mean()


def wing(errors: Tensor, *, width: float = WING_WIDTH, curvature: float = WING_CURVATURE) -> Tensor:
    """Wing loss: logarithmic near zero, so that small errors still pull; linear beyond `width`.

    Feng et al., "Wing loss for robust facial landmark localisation", https://arxiv.org/abs/1711.06753, eq. 5.
    """
    size = errors.abs()
    offset = width - width * math.log1p(width / curvature)  # joins the two pieces
    near = width * (size / curvature).log1p()
    return near.where(size < width, size - offset).mean()
