"""Whether something that computes a network says what the network itself says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERANCE_PX: Final = 0.05
"""Of the crop: a twentieth of the noise of the labels that networks are trained on."""
TOLERANCE_LOGIT: Final = 0.01


def sample_crops(size_px: int) -> NDArray[np.uint8]:
    """Make crops to compare on.

    Noise, blotches as large as the parts of a face, a slope of light, and a flat grey, which is where a normalisation
    divides by nothing. Whole numbers all the way, so that they are the same on every machine: what a network says of
    them can be written down.

    Returns
    -------
    (5, 1, S, S).
    """
    index = np.arange(size_px * size_px, dtype=np.uint32).reshape(size_px, size_px)
    hashed: NDArray[np.uint32] = (index + np.uint32(1)) * np.uint32(2654435761)  # Knuth's multiplicative hash, twice
    hashed = (hashed ^ (hashed >> np.uint32(15))) * np.uint32(2246822519)
    noise = (hashed >> np.uint32(24)).astype(np.uint8)
    blotches = [_stretched(np.asarray(cv2.GaussianBlur(noise, (0, 0), size_px * part))) for part in (0.02, 0.06)]
    across = np.arange(size_px) * 255 // (size_px - 1)
    slope = ((7 * across[None] + 3 * noise.astype(np.int64)) // 10).astype(np.uint8)
    return np.stack([noise, *blotches, slope, np.full_like(noise, 128)])[:, None]


def _stretched(image: NDArray[Any]) -> NDArray[np.uint8]:
    values = image.astype(np.int64)
    stretched: NDArray[np.int64] = (values - values.min()) * 255 // (values.max() - values.min())
    return stretched.astype(np.uint8)


def largest_difference(wanted: NDArray[np.float32], got: NDArray[np.float32]) -> float:
    """Largest difference of two arrays; infinite where their shapes differ or there are values that are no numbers."""
    if wanted.shape != got.shape or not np.isfinite(got).all():
        return float("inf")
    return float(np.abs(wanted - got).max())


def is_close(difference_px: float, difference_logit: float) -> bool:
    """Whether results are the network's, but for rounding; never for what is not a number."""
    return difference_px <= TOLERANCE_PX and difference_logit <= TOLERANCE_LOGIT
