"""What training makes of one face: the very batches of `trainer.sampler`, made of that face alone, to be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from trainer.core.models import NETWORKS
from trainer.dataset import FaceCrops, training_cache
from trainer.sampler import Sampler

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trainer.config import AugmentationName
    from trainer.core.names import NetworkName
    from trainer.dataset import Sample

VARIANTS: Final = 16
NOT_FACES: Final = 8


@dataclass(frozen=True, eq=False)
class Variants:
    """Crops of one face as a network is fed them.

    Attributes
    ----------
    crops
        (N, S, S) uint8, grey.
    points_unit
        (N, 68, 2) float32, the labels that go with them: 0 to 1 across the crop.
    not_faces
        (K, S, S) uint8: crops of the same face, and textures, that the network learns to tell from faces.
    """

    crops: NDArray[np.uint8]
    points_unit: NDArray[np.float32]
    not_faces: NDArray[np.uint8]


def augmented_variants(
    sample: Sample,
    network: NetworkName,
    *,
    augmentation: AugmentationName,
    seed: int,
    calm: bool = False,
    count: int = VARIANTS,
    not_faces: int = NOT_FACES,
) -> Variants:
    """Make a batch of one face, as training makes its batches.

    Parameters
    ----------
    sample
        The face, with the labels that training would use.
    network
        Whose input it is for.
    augmentation, calm
        As for `Sampler` and its epochs.
    seed
        The same seed gives the same variants.
    count, not_faces
        How many crops of the face, and how many without a well-placed face.

    Raises
    ------
    DatasetError
        If the image cannot be decoded.
    """
    spec = NETWORKS[network].input_spec
    cached = training_cache([sample], spec)
    faces = FaceCrops(np.repeat(cached.crops, count, axis=0), np.repeat(cached.points_unit, count, axis=0))
    sampler = Sampler(
        faces,
        spec,
        batch_size=count,
        augmentation=augmentation,
        negative_share=not_faces / count,
        seed=seed,
        device=torch.device("cpu"),
    )
    crops, points, _ = next(sampler.epoch(1, calm=calm))
    pixels = (crops[:, 0] * 255).round().to(torch.uint8).numpy()
    return Variants(pixels[:count], points.numpy(), pixels[count:])
