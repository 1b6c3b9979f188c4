"""What a network wants to be fed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InputSpec:
    """What a network wants to be fed.

    Attributes
    ----------
    size_px
        Side of the square grey crop.
    crop_per_box
        Side of the crop over the side of the face box.
    """

    size_px: int
    crop_per_box: float
