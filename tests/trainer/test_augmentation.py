import math

import numpy as np
import pytest
import torch

from trainer import augmentation
from trainer.augmentation import Placement, cut, move_points
from trainer.core.keypoints import FLIP_ORDER
from trainer.core.models import NETWORKS
from trainer.core.preprocess import box_from_keypoints, crop_squares, extract_crop, frame_to_unit
from trainer.dataset import CACHE_PER_BOX, read_image, training_cache
from trainer.readers import read_samples

SPEC = NETWORKS["compact"].input_spec
CACHE_PX = 192
CPU = torch.device("cpu")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def placed(
    count: int, *, dx: float = 0, dy: float = 0, scale: float = 1, degrees: float = 0, mirror: bool = False
) -> Placement:
    return Placement(
        shift=torch.tensor([[dx, dy]]).expand(count, 2),
        scale=torch.full((count,), float(scale)),
        angle=torch.full((count,), math.radians(degrees)),
        mirror=torch.full((count,), mirror),
    )


def dots(points_unit: torch.Tensor) -> torch.Tensor:
    """(68, 1, C, C): one picture a keypoint, with a soft dot on it and nothing else."""
    axis = (torch.arange(CACHE_PX) + 0.5) / CACHE_PX
    dx, dy = axis - points_unit[:, 0, None, None], axis[:, None] - points_unit[:, 1, None, None]
    return torch.exp(-(dx**2 + dy**2) / (2 * (3 / CACHE_PX) ** 2))[:, None]


def found(crops: torch.Tensor) -> torch.Tensor:
    """(N, 2) unit coordinates of the dots' centroids."""
    axis = (torch.arange(crops.shape[-1]) + 0.5) / crops.shape[-1]
    weight = crops[:, 0] / crops[:, 0].sum(dim=(1, 2), keepdim=True)
    return torch.stack([(weight * axis).sum(dim=(1, 2)), (weight * axis[:, None]).sum(dim=(1, 2))], dim=1)


@pytest.fixture(scope="module")
def face(drawn) -> torch.Tensor:
    """(68, 2) unit keypoints in the middle of a cached crop; not symmetric, so that a mirror image shows."""
    points = torch.from_numpy(drawn.points(x=0.49, y=0.46, width=0.3, angle=0.25))
    assert 0.25 < points.min() < points.max() < 0.75
    return points


PLACEMENTS = {
    "as it is": {},
    "shifted": {"dx": 0.11, "dy": -0.07},
    "shrunk": {"scale": 1.4},
    "enlarged": {"scale": 0.95},
    "turned": {"degrees": 25},
    "turned back": {"degrees": -70, "scale": 1.3},
    "mirrored": {"mirror": True},
    "mirrored and shifted": {"mirror": True, "dx": 0.1, "dy": 0.06},
    "mirrored and turned": {"mirror": True, "degrees": 33, "scale": 1.3},
    "everything": {"mirror": True, "dx": -0.09, "dy": 0.12, "scale": 1.5, "degrees": -40},
}


@pytest.mark.parametrize("how", PLACEMENTS.values(), ids=PLACEMENTS.keys())
def test_points_move_with_the_picture(face: torch.Tensor, how: dict) -> None:
    placement = placed(68, **how)
    crops = cut(dots(face), placement, SPEC)
    assert crops.shape == (68, 1, SPEC.size_px, SPEC.size_px)
    moved = move_points(face.expand(68, 68, 2), placement, SPEC)
    assert 0.05 < moved.min() < moved.max() < 0.95, "a dot near the edge would be measured wrongly"
    # Picture i shows keypoint i; in a mirrored face it is the keypoint of the other side.
    index = torch.from_numpy(FLIP_ORDER.copy()) if how.get("mirror") else torch.arange(68)
    expected = moved[torch.arange(68), index]
    torch.testing.assert_close(found(crops) * SPEC.size_px, expected * SPEC.size_px, atol=0.1, rtol=0)


def test_mirroring_swaps_the_sides(drawn) -> None:
    symmetric = torch.from_numpy(drawn.points(x=0.5, y=0.5, width=0.3))[None]
    plain = move_points(symmetric, placed(1), SPEC)
    mirrored = move_points(symmetric, placed(1, mirror=True), SPEC)
    torch.testing.assert_close(mirrored, plain, atol=1e-5, rtol=0)  # its right eye is still on the left
    aside = move_points(symmetric + torch.tensor([0.1, 0.0]), placed(1, mirror=True), SPEC)
    assert (aside[..., 0] < plain[..., 0]).all()


def test_the_neutral_placement_is_the_live_crop(tiny_data) -> None:
    """Training looks through the cache at what the predictor would cut from the frame itself."""
    samples = read_samples(tiny_data)[:6]
    cache = training_cache(samples, SPEC)
    crops = 255 * cut(torch.from_numpy(cache.crops).float() / 255, placed(6), SPEC)
    points = move_points(torch.from_numpy(cache.points_unit), placed(6), SPEC).numpy()
    for i, sample in enumerate(samples):
        square = crop_squares(box_from_keypoints(sample.keypoints_px), crop_per_box=SPEC.crop_per_box)
        live = extract_crop(read_image(sample.image_path), square[0], size_px=SPEC.size_px).astype(np.float32)
        live_points = frame_to_unit(sample.keypoints_px[None], square)[0]
        side = square[0, 2]
        # Both squares have whole pixels in the frame, so their centres may be off by one, and their sides too.
        np.testing.assert_allclose(points[i] * side, live_points * side, atol=1.3)
        shift = (points[i] - live_points).mean(axis=0) * SPEC.size_px
        aligned = np.roll(live, np.round(shift[::-1]).astype(int), axis=(0, 1))
        assert np.abs(crops[i, 0].numpy() - aligned)[4:-4, 4:-4].mean() < 6


def test_the_cache_has_room_for_what_is_usual() -> None:
    """The corners of a crop turned and shifted as usual stay within the cached crop, or a little beyond."""
    placement = augmentation.usual_placement(2000, seeded(), CPU)
    corners = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]).expand(2000, 4, 2)
    affine = placement.affine(SPEC)
    in_cache = (2 * corners - 1) @ affine[:, :, :2].transpose(1, 2) + affine[:, None, :, 2]
    assert (in_cache.abs().amax(dim=(1, 2)) > 1).float().mean() < 0.25


def test_usual_placements_are_drawn_as_described() -> None:
    placement = augmentation.usual_placement(20_000, seeded(), CPU)
    assert placement.shift.mean().item() == pytest.approx(0, abs=0.002)
    assert placement.shift.std().item() == pytest.approx(augmentation.SHIFT_STD, rel=0.03)
    assert placement.scale.log().std().item() == pytest.approx(augmentation.LOG_SCALE_STD, rel=0.03)
    assert placement.mirror.float().mean().item() == pytest.approx(0.5, abs=0.02)
    assert placement.angle.mean().item() == pytest.approx(0, abs=0.01)
    beyond_normal = (placement.angle.abs() > math.radians(36)).float().mean().item()
    assert beyond_normal == pytest.approx(0.3 * 9 / 45, abs=0.01)


def test_a_smaller_turn_is_the_same_draw_turned_less() -> None:
    whole = augmentation.usual_placement(500, seeded(), CPU)
    half = augmentation.usual_placement(500, seeded(), CPU, turn=0.5)
    torch.testing.assert_close(half.angle, whole.angle / 2)
    for name in ("shift", "scale", "mirror"):
        assert torch.equal(getattr(half, name), getattr(whole, name))


@pytest.mark.parametrize("network", ["compact", "simple"])
def test_a_random_crop_is_the_published_one(network: str) -> None:
    """A picture of 250 x 250, a square of 224 x 224 anywhere in it: its centre is off by up to 13 px either way."""
    spec = NETWORKS[network].input_spec
    placement = augmentation.random_crop_placement(4000, spec, seeded(), CPU)
    off_px = placement.shift / spec.crop_per_box * 224
    assert off_px.abs().max() <= 13
    assert off_px.min() < -12.9
    assert off_px.max() > 12.9
    assert off_px.std().item() == pytest.approx(26 / math.sqrt(12), rel=0.03)
    assert (placement.scale == 1).all()
    assert (placement.angle == 0).all()
    assert not placement.mirror.any()


def any_placement(count: int, generator: torch.Generator) -> Placement:
    """Any place, size, turn and side at all."""
    return Placement(
        shift=torch.randn(count, 2, generator=generator),
        scale=torch.rand(count, generator=generator) * 3 + 0.1,
        angle=torch.rand(count, generator=generator) * 2 * math.pi,
        mirror=torch.rand(count, generator=generator) < 0.5,
    )


@pytest.mark.parametrize("network", ["compact", "simple"])
@pytest.mark.parametrize("seed", range(3))
def test_points_come_back_to_the_cache(network: str, seed: int) -> None:
    spec = NETWORKS[network].input_spec
    placement = any_placement(300, seeded(seed))
    points = torch.rand(300, 68, 2, generator=seeded(seed + 10))
    there = move_points(points, placement, spec)
    torch.testing.assert_close(augmentation.points_in_cache(there, placement, spec), points, atol=2e-5, rtol=0)
    back = augmentation.points_in_cache(points, placement, spec)
    torch.testing.assert_close(move_points(back, placement, spec), points, atol=1e-3, rtol=1e-3)
    assert not torch.allclose(there, points, atol=0.1)


def test_bad_placements_hold_no_well_placed_face() -> None:
    placement = augmentation.bad_placement(4000, seeded(), CPU)
    aside = placement.shift.norm(dim=1) > 0.44
    part_or_far = (placement.scale < 0.5) | (placement.scale > 1.9)
    turned = (placement.angle.abs() > math.radians(74)) & (placement.angle < math.radians(286))
    assert (aside | part_or_far | turned).all()
    for share in (aside.float().mean(), part_or_far.float().mean(), turned.float().mean()):
        assert 0.2 < share < 0.6


# --- light ---


def test_light_stays_in_range_and_changes_the_picture() -> None:
    crops = torch.rand(64, 1, 96, 96, generator=seeded())
    varied = augmentation.vary_light(crops, seeded(1))
    assert varied.shape == crops.shape
    assert varied.min() >= 0
    assert varied.max() <= 1
    assert torch.isfinite(varied).all()
    assert ((varied - crops).abs().mean(dim=(1, 2, 3)) > 0.005).all()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_light_bears_black_and_white(value: float) -> None:
    varied = augmentation.vary_light(torch.full((8, 1, 96, 96), value), seeded())
    assert torch.isfinite(varied).all()
    assert varied.min() >= 0
    assert varied.max() <= 1


@pytest.mark.parametrize("count", [1, 3, 4])
def test_light_bears_small_batches(count: int) -> None:
    assert augmentation.vary_light(torch.rand(count, 1, 96, 96), seeded()).shape == (count, 1, 96, 96)


def test_softening_does_not_move_the_picture(face: torch.Tensor) -> None:
    crops = cut(dots(face), placed(68, scale=1.2), SPEC)
    softened = augmentation._soften(crops, seeded(4))
    changed = (softened - crops).abs().amax(dim=(1, 2, 3)) > 1e-3
    assert changed.sum() == 34
    torch.testing.assert_close(found(softened) * 96, found(crops) * 96, atol=0.35, rtol=0)


def test_functions_leave_their_input_alone() -> None:
    crops = torch.rand(8, 1, 96, 96)
    before = crops.clone()
    augmentation.vary_light(crops, seeded())
    augmentation.occlude(crops, seeded())
    augmentation.not_faces(crops, SPEC, seeded())
    assert torch.equal(crops, before)


def test_occlusion_covers_a_part_of_some() -> None:
    crops = torch.full((400, 1, 96, 96), 2.0)  # no occluder has this value
    covered = (augmentation.occlude(crops, seeded()) != 2.0).float().mean(dim=(1, 2, 3))
    assert 0.3 < (covered > 0).float().mean() < 0.5
    assert covered.max() < 0.25
    occluded = augmentation.occlude(torch.rand(50, 1, 96, 96), seeded(), share=1.0)
    assert occluded.min() >= 0
    assert occluded.max() <= 1


# --- no faces ---


@pytest.mark.parametrize("count", [1, 3, 8, 21])
@pytest.mark.parametrize("network", ["compact", "simple"])
def test_not_faces_have_the_shape_of_faces(count: int, network: str) -> None:
    spec = NETWORKS[network].input_spec
    crops = augmentation.not_faces(torch.rand(count, 1, 200, 200), spec, seeded())
    assert crops.shape == (count, 1, spec.size_px, spec.size_px)
    assert crops.min() >= 0
    assert crops.max() <= 1


def test_shuffled_tiles_are_the_same_tiles() -> None:
    tile_numbers = torch.arange(16.0).view(4, 4).repeat_interleave(24, 0).repeat_interleave(24, 1)
    crops = tile_numbers.expand(3, 1, 96, 96)
    shuffled = augmentation._shuffle_tiles(crops, seeded(2))
    assert not torch.equal(shuffled, crops)
    for crop in shuffled[:, 0]:
        tiles = crop.view(4, 24, 4, 24).transpose(1, 2).reshape(16, -1)
        assert (tiles == tiles[:, :1]).all(), "a tile was torn apart"
        assert sorted(tiles[:, 0].tolist()) == list(range(16))


# --- one seed, one result ---


@pytest.mark.parametrize(
    "make",
    [
        lambda g: augmentation.vary_light(torch.full((16, 1, 96, 96), 0.5), g),
        lambda g: augmentation.occlude(torch.full((16, 1, 96, 96), 0.5), g, share=1.0),
        lambda g: augmentation.not_faces(torch.linspace(0, 1, 9 * 192 * 192).view(9, 1, 192, 192), SPEC, g),
        lambda g: augmentation.usual_placement(9, g, CPU).affine(SPEC),
        lambda g: augmentation.bad_placement(9, g, CPU).affine(SPEC),
    ],
    ids=["vary_light", "occlude", "not_faces", "usual_placement", "bad_placement"],
)
def test_a_seed_says_everything(make) -> None:
    first = make(seeded(1))
    torch.rand(7)  # draws elsewhere do not matter
    assert torch.equal(make(seeded(1)), first)
    assert not torch.equal(make(seeded(2)), first)


def test_a_cached_crop_is_twice_the_box() -> None:
    assert CACHE_PER_BOX == 2.0
    full = placed(1, scale=CACHE_PER_BOX / SPEC.crop_per_box).affine(SPEC)[0]
    torch.testing.assert_close(full, torch.tensor([[1.0, 0, 0], [0, 1, 0]]))


def test_textures_go_from_flat_to_noise_in_every_pixel() -> None:
    generator = seeded(3)
    textures = torch.cat([augmentation._textures(8, SPEC.size_px, generator) for _ in range(20)])
    assert textures.shape == (160, 1, SPEC.size_px, SPEC.size_px)
    assert 0 <= textures.min() < textures.max() <= 1
    contrast = textures.std(dim=(1, 2, 3))
    assert contrast.min() < 0.02
    assert contrast.max() > 0.15
    roughness = (textures[..., 1:] - textures[..., :-1]).std(dim=(1, 2, 3)) / contrast.clamp(min=1e-3)
    assert roughness.min() < 0.2  # blotches
    assert roughness.max() > 1.2  # neighbours have nothing in common
