"""Smoothing the noise of labels with what trained networks see in the same pictures.

Labels made by a machine jump from frame to frame. A network that was trained on thousands of them has averaged that
noise away; the mean of its predictions over turned, shifted and mirrored copies even more so. Part label, part such a
prediction is a better target than either (a form of distillation: Hinton et al., https://arxiv.org/abs/1503.02531).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from trainer import augmentation, metrics
from trainer.core.checkpoint import load_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from trainer.core.models import KeypointNetwork
    from trainer.dataset import FaceCrops

LOOKS: Final = 8
SHIFT: Final = 0.03  # of the box side, either way
ZOOM: Final = 0.05
TURN_RAD: Final = 0.1


def smooth_labels(
    faces: FaceCrops,
    teachers: Sequence[Path | str],
    *,
    share: float,
    device: torch.device,
    seed: int = 0,
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[FaceCrops, float]:
    """Move labels towards what teachers see.

    Parameters
    ----------
    faces
        N cached crops from `trainer.dataset.training_cache`.
    teachers
        Weights files; their predictions are averaged.
    share
        Weight of the teachers, 0 to 1; the rest is the label's.
    device, seed
        Where to compute, and of the looks' small random turns, shifts and zooms.
    should_stop
        Asked between batches; when true the faces come back as they are.

    Returns
    -------
    The faces with moved labels, and the NME of the teachers against the labels as they were.

    Raises
    ------
    CheckpointError
        If a file cannot be used.
    """
    networks = [load_checkpoint(path).network.to(device) for path in teachers]
    generator = torch.Generator(device).manual_seed(seed)
    seen: list[NDArray[np.float32]] = []
    for part in torch.split(torch.from_numpy(faces.crops), 128):
        if should_stop():
            return faces, float("nan")
        cached = part.to(device).float().div_(255)
        looks = [_look(n, cached, generator, mirror=look % 2 == 1) for n in networks for look in range(LOOKS)]
        seen.append(torch.stack(looks).mean(dim=0).cpu().numpy())
    points = np.concatenate(seen)
    smoothed = ((1 - share) * faces.points_unit + share * points).astype(np.float32)
    return replace(faces, points_unit=smoothed), float(metrics.nme(points, faces.points_unit).mean())


@torch.inference_mode()
def _look(network: KeypointNetwork, cached: Tensor, generator: torch.Generator, *, mirror: bool) -> Tensor:
    """(N, 68, 2) unit keypoints of the cached crops, from one randomly placed look at each."""
    count, spec = len(cached), network.input_spec

    def within(limit: float, *shape: int) -> Tensor:
        return (2 * torch.rand(*shape, generator=generator, device=cached.device) - 1) * limit

    placement = augmentation.Placement(
        shift=within(SHIFT, count, 2),
        scale=1 + within(ZOOM, count),
        angle=within(TURN_RAD, count),
        mirror=torch.full((count,), mirror, device=cached.device),
    )
    found = network(augmentation.cut(cached, placement, spec)).points.float()
    return augmentation.points_in_cache(found, placement, spec)
