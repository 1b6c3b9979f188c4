"""Batched augmentation on the training device: place, size, angle, mirror, light, sharpness, occlusion, and non-faces.

One seeded generator makes every draw, so a run can be repeated. Nothing here waits for a GPU: what decides shapes is
drawn on the processor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor
from torch.nn import functional

from trainer.core.keypoints import FLIP_ORDER
from trainer.dataset import CACHE_PER_BOX

if TYPE_CHECKING:
    from trainer.core.input_spec import InputSpec

SHIFT_STD: Final = 0.05  # of the box side; a Haar box is off by 0.03
LOG_SCALE_STD: Final = 0.13  # a Haar box is off by 0.09
ROTATION_STD_DEG: Final = 12.0
LARGE_ROTATION_DEG: Final = 45.0
LARGE_ROTATION_SHARE: Final = 0.3
OCCLUSION_SHARE: Final = 0.4
RANDOM_CROP: Final = (250, 224)
"""The published project's: pictures scaled to the first, a random square of the second cut out."""
TILES: Final = 4


@dataclass(frozen=True)
class Placement:
    """Where N crops are cut from the cached ones.

    Attributes
    ----------
    shift
        (N, 2) of the crop's centre from the box's, in box sides.
    scale
        (N,) of the crop's side over the network's usual one.
    angle
        (N,) radians; the face appears turned by its negative.
    mirror
        (N,) bool.
    """

    shift: Tensor
    scale: Tensor
    angle: Tensor
    mirror: Tensor

    def affine(self, spec: InputSpec) -> Tensor:
        """(N, 2, 3) map from crop to cached-crop coordinates, both -1 to 1, as `affine_grid` takes it."""
        size = self.scale * (spec.crop_per_box / CACHE_PER_BOX)
        cos, sin = size * self.angle.cos(), size * self.angle.sin()
        flip = 1 - 2 * self.mirror.to(size.dtype)
        dx, dy = (self.shift * 2 / CACHE_PER_BOX).unbind(dim=1)
        return torch.stack([cos * flip, -sin, dx, sin * flip, cos, dy], dim=1).view(-1, 2, 3)


def neutral_placement(count: int, device: torch.device) -> Placement:
    """Place `count` faces as the predictor does with perfect boxes."""
    zeros = torch.zeros(count, device=device)
    return Placement(zeros.new_zeros(count, 2), zeros + 1, zeros, zeros > 0)


def random_crop_placement(count: int, spec: InputSpec, generator: torch.Generator, device: torch.device) -> Placement:
    """Shift `count` faces as the published project's random crop does, up to 13 of 224 px; nothing else."""
    full, part = RANDOM_CROP
    neutral = neutral_placement(count, device)
    shift = (torch.rand(count, 2, generator=generator, device=device) - 0.5) * ((full - part) / part)
    return replace(neutral, shift=shift * spec.crop_per_box)


def usual_placement(count: int, generator: torch.Generator, device: torch.device, *, turn: float = 1.0) -> Placement:
    """Draw how a detector or a tracker would place `count` faces, in-plane rotation included, `turn` times as far."""

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, device=device)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, device=device)

    angle = normal(count) * math.radians(ROTATION_STD_DEG)
    large = (2 * uniform(count) - 1) * math.radians(LARGE_ROTATION_DEG)
    return Placement(
        shift=normal(count, 2) * SHIFT_STD,
        scale=(normal(count) * LOG_SCALE_STD).exp(),
        angle=turn * torch.where(uniform(count) < LARGE_ROTATION_SHARE, large, angle),
        mirror=uniform(count) < 0.5,
    )


def bad_placement(count: int, generator: torch.Generator, device: torch.device) -> Placement:
    """Draw `count` crops that hold no well-placed face: beside it, a part of it, tiny in the middle, or far turned."""

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, device=device) * (high - low) + low

    kind = torch.randint(4, (count,), generator=generator, device=device)
    direction, distance = uniform(0, 2 * math.pi, count), uniform(0.45, 0.8, count)
    beside = torch.stack([direction.cos(), direction.sin()], dim=1) * distance[:, None]
    anywhere = uniform(-0.5, 0.5, count, 2)
    shift = torch.where((kind == 0)[:, None], beside, torch.where((kind == 1)[:, None], anywhere, 0.1 * anywhere))
    scale = uniform(0.8, 1.25, count)
    scale = torch.where(kind == 1, uniform(0.2, 0.45, count), scale)
    scale = torch.where(kind == 2, uniform(2.0, 3.0, count), scale)
    turned = uniform(math.radians(75), math.radians(285), count)
    angle = torch.where(kind == 3, turned, uniform(-0.3, 0.3, count))
    return Placement(shift, scale, angle, mirror=uniform(0, 1, count) < 0.5)


def cut(cached: Tensor, placement: Placement, spec: InputSpec) -> Tensor:
    """Cut (N, 1, S, S) float crops out of (N, 1, C, C) cached float crops; outside repeats the edge."""
    size = [len(cached), 1, spec.size_px, spec.size_px]
    grid = functional.affine_grid(placement.affine(spec), size, align_corners=False)
    return functional.grid_sample(cached, grid, mode="bilinear", padding_mode="border", align_corners=False)


def move_points(points_unit: Tensor, placement: Placement, spec: InputSpec) -> Tensor:
    """Say where keypoints lie in the crops that `cut` makes; mirrored faces swap sides.

    Parameters
    ----------
    points_unit
        (N, 68, 2) unit keypoints of the cached crops.
    placement, spec
        As for `cut`.

    Returns
    -------
    (N, 68, 2) unit keypoints of the crops.
    """
    affine = placement.affine(spec)
    # Not `inverse`: that would wait for the device, to see whether there is one.
    back = torch.linalg.inv_ex(affine[:, :, :2]).inverse
    moved = (2 * points_unit - 1 - affine[:, None, :, 2]) @ back.transpose(1, 2)
    return (_swap_sides(moved, placement.mirror) + 1) / 2


def points_in_cache(points_unit: Tensor, placement: Placement, spec: InputSpec) -> Tensor:
    """Undo `move_points`: (N, 68, 2) unit keypoints of the crops become those of the cached crops."""
    affine = placement.affine(spec)
    unmirrored = _swap_sides(2 * points_unit - 1, placement.mirror)
    return (unmirrored @ affine[:, :, :2].transpose(1, 2) + affine[:, None, :, 2] + 1) / 2


def _swap_sides(points: Tensor, mirror: Tensor) -> Tensor:
    return torch.where(mirror[:, None, None], points[:, _flip_order(points.device)], points)


@cache
@torch.inference_mode(mode=False)
def _flip_order(device: torch.device) -> Tensor:
    """`FLIP_ORDER` on a device: sent there once, since sending waits for it."""
    return torch.from_numpy(FLIP_ORDER.copy()).to(device)


def _host_generator(generator: torch.Generator, purpose: int) -> torch.Generator:
    """Return a generator on the processor: the same one if it is there, else one with a seed of its seed and purpose.

    To get one number from a GPU is to wait for everything that it has to do.
    """
    if generator.device.type == "cpu":
        return generator
    return torch.Generator().manual_seed((generator.initial_seed() + purpose) % 2**63)


def vary_light(crops: Tensor, generator: torch.Generator) -> Tensor:
    """Vary exposure, contrast, gamma and side light, blur, coarsen, and add sensor noise; all in [0, 1]."""
    count, device = len(crops), crops.device

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, device=device) * (high - low) + low

    def per_crop(low: float, high: float) -> Tensor:
        return uniform(low, high, count, 1, 1, 1)

    crops = _soften(crops, generator)
    crops = crops.clamp(0, 1) ** uniform(math.log(0.6), math.log(1.7), count, 1, 1, 1).exp()
    slope = torch.linspace(-0.5, 0.5, crops.shape[-1], device=device)
    side_light = 1 + slope * per_crop(-0.8, 0.8) + slope[:, None] * per_crop(-0.5, 0.5)
    exposure = per_crop(0.6, 1.3)
    dark = uniform(0, 1, count, 1, 1, 1) < 0.1
    exposure = torch.where(dark, exposure * 0.25, exposure)
    noise = torch.randn(crops.shape, generator=generator, device=device) * per_crop(0.0, 1.0) ** 3 * 0.06
    return (crops * side_light * exposure + per_crop(-0.1, 0.1) * (~dark) + noise).clamp(0, 1)


def _soften(crops: Tensor, generator: torch.Generator) -> Tensor:
    """Take resolution from a quarter of the batch (a small or far face), blur a quarter by motion or focus."""
    count, size, device = len(crops), crops.shape[-1], crops.device
    quarter = count // 4
    if quarter == 0:
        return crops
    order = torch.randperm(count, generator=generator, device=device)
    coarsened, blurred = order[:quarter], order[quarter : 2 * quarter]
    crops = crops.clone()
    host = _host_generator(generator, 1)
    coarse = int(torch.randint(size // 5, size * 2 // 3, (1,), generator=host))
    small = functional.interpolate(crops[coarsened], size=(coarse, coarse), mode="area")
    crops[coarsened] = functional.interpolate(small, size=(size, size), mode="bilinear", align_corners=False)
    half = int(torch.randint(2, 5, (1,), generator=host))
    horizontal = bool(torch.rand((), generator=host) < 0.5)
    kernel, pad = ((1, 2 * half + 1), (half, half, 0, 0)) if horizontal else ((2 * half + 1, 1), (0, 0, half, half))
    padded = functional.pad(crops[blurred], pad, mode="replicate")
    crops[blurred] = functional.avg_pool2d(padded, kernel, stride=1)
    return crops


def occlude(crops: Tensor, generator: torch.Generator, *, share: float = OCCLUSION_SHARE) -> Tensor:
    """Cover a part of some crops with a flat or noisy rectangle, as a hand, a cup or hair would."""
    count, size, device = len(crops), crops.shape[-1], crops.device

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(count, 1, 1, 1, generator=generator, device=device) * (high - low) + low

    axis = (torch.arange(size, device=device) + 0.5) / size
    inside_x = (axis - uniform(0, 1)).abs() < uniform(0.05, 0.22)
    inside_y = (axis[:, None] - uniform(0, 1)).abs() < uniform(0.05, 0.22)
    covered = inside_x & inside_y & (uniform(0, 1) < share)
    noise = torch.rand(crops.shape, generator=generator, device=device) - 0.5
    return torch.where(covered, (uniform(0, 1) + noise * uniform(0, 0.5)).clamp(0, 1), crops)


def not_faces(cached: Tensor, spec: InputSpec, generator: torch.Generator) -> Tensor:
    """Make one crop without a well-placed face from each (1, C, C) cached one.

    Five in eight are badly placed (`bad_placement`), two are textures, of one the tiles of a face are shuffled.
    """
    count, device = len(cached), cached.device
    crops = cut(cached, bad_placement(count, generator, device), spec)
    textures, shuffled = count // 4, count // 8
    if shuffled:
        whole = cut(cached[:shuffled], usual_placement(shuffled, generator, device), spec)
        crops[:shuffled] = _shuffle_tiles(whole, generator)
    if textures:
        crops[shuffled : shuffled + textures] = _textures(textures, spec.size_px, generator)
    return crops


def _textures(count: int, size_px: int, generator: torch.Generator) -> Tensor:
    """Random blotches of one coarseness, from a few to noise in every pixel; of any contrast, flat ones included."""
    device = generator.device
    exponent = torch.rand((), generator=_host_generator(generator, 2)) * 1.3
    cells = min(size_px, round(2 * (size_px / 2) ** exponent.item()))
    noise = torch.rand(count, 1, cells, cells, generator=generator, device=device)
    blotches = functional.interpolate(noise, size=(size_px, size_px), mode="bilinear")
    brightness, contrast = torch.rand(2, count, 1, 1, 1, generator=generator, device=device)
    textures: Tensor = brightness + (blotches - 0.5) * contrast
    return textures.clamp(0, 1)


def _shuffle_tiles(crops: Tensor, generator: torch.Generator) -> Tensor:
    count, _, size, _ = crops.shape
    tile = size // TILES
    order = torch.randperm(TILES * TILES, generator=generator, device=crops.device)
    tiles = crops[:, 0].view(count, TILES, tile, TILES, tile).transpose(2, 3).reshape(count, TILES * TILES, tile, tile)
    tiles = tiles[:, order].view(count, TILES, TILES, tile, tile).transpose(2, 3)
    return tiles.reshape(count, 1, size, size)
