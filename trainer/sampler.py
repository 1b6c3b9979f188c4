"""Augmented batches from crops in memory, the same ones for the same seed, epoch, batch and process."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from trainer import augmentation
from trainer.parallel import ALONE, Team

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from trainer.core.input_spec import InputSpec
    from trainer.dataset import FaceCrops

AugmentationName = Literal["full", "random_crop", "none"]

CALM_TURN = 0.5
CALM_OCCLUSION_SHARE = 0.15


class Sampler:
    """Batches of faces and of crops that are none.

    No generator's state outlives a batch: each batch is seeded anew from what it is, so a run can go on at any batch as
    if it had never stopped.

    Parameters
    ----------
    faces
        From `training_cache`.
    spec
        What the network is fed.
    batch_size
        Faces a step, of all processes together.
    augmentation
        "full", "random_crop" (a shift alone, as in the published project) or "none".
    negative_share
        Crops without a well-placed face, a face.
    seed
        Of the order and all draws.
    device
        Where the crops live and batches are made.
    team
        The processes that share the run: each makes its own part of every batch.
    """

    def __init__(
        self,
        faces: FaceCrops,
        spec: InputSpec,
        *,
        batch_size: int,
        augmentation: AugmentationName,
        negative_share: float,
        seed: int,
        device: torch.device,
        team: Team = ALONE,
    ) -> None:
        self._crops = torch.from_numpy(faces.crops).to(device)
        self._points = torch.from_numpy(faces.points_unit).to(device)
        self._spec, self._device, self._team = spec, device, team
        self._batch_size, self._augmentation = batch_size, augmentation
        self._negative_share, self._seed = negative_share, seed
        self.batches = math.ceil(len(faces) / batch_size)

    def epoch(self, epoch: int, *, skip: int = 0, calm: bool = False) -> Iterator[tuple[Tensor, Tensor, int]]:
        """Show each face once.

        Parameters
        ----------
        epoch
            Its number: another order and other draws in each.
        skip
            Batches to leave out at the start, done before an interruption.
        calm
            Turn faces half as far and cover fewer of them.

        Yields
        ------
        This process's (B + K, 1, S, S) crops, the last K of them no faces, its (B, 68, 2) unit keypoints, and the
        number of faces in the batch over all processes. B is 0 on processes that a short last batch leaves none.
        """
        order = torch.from_numpy(np.random.default_rng([self._seed, epoch]).permutation(len(self._crops)))
        for number, chosen in enumerate(torch.split(order.to(self._device), self._batch_size)):
            if number < skip:
                continue
            seed = np.random.SeedSequence([self._seed, epoch, number, self._team.rank]).generate_state(1, np.uint64)[0]
            generator = torch.Generator(self._device).manual_seed(int(seed >> 1))
            own = chosen[self._team.rank :: self._team.size]
            # All take every step together: a process that is left without a face looks at another's, unheard.
            cached = self._crops[own if len(own) else chosen[:1]].float().div_(255)
            crops, points = self._make(cached, self._points[own if len(own) else chosen[:1]], generator, calm=calm)
            yield crops, points[: len(own)], len(chosen)

    def _make(self, cached: Tensor, points: Tensor, generator: torch.Generator, *, calm: bool) -> tuple[Tensor, Tensor]:
        spec, count, device = self._spec, len(cached), self._device
        match self._augmentation:
            case "full":
                turn = CALM_TURN if calm else 1.0
                placement = augmentation.usual_placement(count, generator, device, turn=turn)
            case "random_crop":
                placement = augmentation.random_crop_placement(count, spec, generator, device)
            case "none":
                placement = augmentation.neutral_placement(count, device)
        crops = augmentation.cut(cached, placement, spec)
        if self._augmentation == "full":
            share = CALM_OCCLUSION_SHARE if calm else augmentation.OCCLUSION_SHARE
            crops = augmentation.occlude(crops, generator, share=share)
        if others := math.ceil(self._negative_share * count):
            picked = torch.randint(count, (others,), generator=generator, device=device)
            crops = torch.cat([crops, augmentation.not_faces(cached[picked], spec, generator)])
        if self._augmentation == "full":
            crops = augmentation.vary_light(crops, generator)
        return crops, augmentation.move_points(points, placement, spec)
