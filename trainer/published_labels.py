"""What is systematically off in the labels of the published data set, and its undoing.

The labels of the YouTube Faces course data were made by a machine, are whole pixels, and lie right of and below the
points. Half a pixel and 1.6 % of the inter-ocular distance were fitted to the mean difference between label and the
average of a network's predictions on the picture and on its mirror image (3,141 faces, 11 to 130 px between the eyes):
no sideways shift that a network learns survives that average. What cannot be mirrored, the shift downwards, is taken to
be the same: the machine worked on a grid that grows with the face, alike in both directions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from trainer.core.keypoints import inter_ocular_distance

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHIFT_PX: Final = 0.5
SHIFT_PER_IOD: Final = 0.016


def are_published(keypoints_px: NDArray[np.float32]) -> bool:
    """Tell whether (N, 68, 2) labels in the published layout are the published ones: all of them whole pixels.

    Labels that people or other programs place have fractions, or are left as they are in another layout.
    """
    return bool((keypoints_px == np.round(keypoints_px)).all())


def correct(keypoints_px: NDArray[np.float32]) -> NDArray[np.float32]:
    """Move (N, 68, 2) published labels to where the points are, in pixels of each picture."""
    shift = SHIFT_PX + SHIFT_PER_IOD * inter_ocular_distance(keypoints_px)
    return (keypoints_px - shift[:, None, None]).astype(np.float32)
