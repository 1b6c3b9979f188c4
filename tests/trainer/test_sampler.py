import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from trainer.augmentation import OCCLUSION_SHARE
from trainer.core.models import NETWORKS, InputSpec
from trainer.dataset import CACHE_PER_BOX, FaceCrops, training_cache
from trainer.parallel import Team
from trainer.readers import read_samples
from trainer.sampler import CALM_OCCLUSION_SHARE, Sampler

SPEC = NETWORKS["compact"].input_spec
CPU = torch.device("cpu")
Batch = tuple[torch.Tensor, torch.Tensor, int]


@pytest.fixture(scope="module")
def faces(tiny_data: Path) -> FaceCrops:
    return training_cache(read_samples(tiny_data)[:10], SPEC)


def sampler(faces: FaceCrops, *, rank: int = 0, size: int = 1, **changes: Any) -> Sampler:
    settings = {"batch_size": 4, "augmentation": "full", "negative_share": 0.3, "seed": 1} | changes
    return Sampler(faces, SPEC, device=CPU, team=Team(rank, size), **settings)


def are_same(some: list[Batch], others: list[Batch]) -> bool:
    return len(some) == len(others) and all(
        torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) and a[2] == b[2] for a, b in zip(some, others, strict=True)
    )


def faces_shown(points: torch.Tensor, faces: FaceCrops) -> list[int]:
    """Numbers of the faces that unaugmented keypoints are of, in order."""
    # Without augmentation a crop is the middle of the cached one: 2 box sides, of which the network sees 1.25.
    usual = (torch.from_numpy(faces.points_unit) - 0.5) * CACHE_PER_BOX / SPEC.crop_per_box + 0.5
    distance = (points[:, None] - usual).abs().amax(dim=(2, 3))
    assert (distance.min(dim=1).values < 1e-5).all()
    return distance.argmin(dim=1).tolist()


def test_an_epoch_shows_each_face_once_and_some_that_are_none(faces: FaceCrops) -> None:
    made = sampler(faces, augmentation="none")
    epoch = list(made.epoch(1))
    assert made.batches == len(epoch) == 3
    assert [count for _, _, count in epoch] == [4, 4, 2]
    assert [len(points) for _, points, _ in epoch] == [4, 4, 2]
    assert [len(crops) for crops, _, _ in epoch] == [4 + 2, 4 + 2, 2 + 1]  # rounded up: few are better than none
    shown = faces_shown(torch.cat([points for _, points, _ in epoch]), faces)
    assert sorted(shown) == list(range(10))
    assert shown != list(range(10)), "the order was not shuffled"


def test_the_faces_come_first(faces: FaceCrops) -> None:
    plain = list(sampler(faces, augmentation="none", negative_share=0.0).epoch(1))
    mixed = list(sampler(faces, augmentation="none", negative_share=1.0).epoch(1))
    for (crops, points, _), (more, same_points, _) in zip(plain, mixed, strict=True):
        assert len(crops) == len(points)
        assert len(more) == 2 * len(points)
        assert torch.equal(points, same_points)
        assert torch.equal(more[: len(points)], crops)
        assert not torch.equal(more[len(points) :], crops)


@pytest.mark.parametrize("augmentation", ["full", "random_crop", "none"])
@pytest.mark.parametrize("network", ["compact", "simple"])
def test_crops_are_what_a_network_is_fed(faces: FaceCrops, augmentation: str, network: str) -> None:
    spec = NETWORKS[network].input_spec
    made = Sampler(faces, spec, batch_size=4, augmentation=augmentation, negative_share=0.3, seed=1, device=CPU)
    for crops, points, _ in made.epoch(1):
        assert crops.shape == (len(crops), 1, spec.size_px, spec.size_px)
        assert crops.dtype == points.dtype == torch.float32
        assert 0 <= crops.min() < crops.max() <= 1
        assert points.shape == (len(points), 68, 2)


# --- what a batch depends on ---


def test_a_batch_depends_on_what_it_is_alone(faces: FaceCrops) -> None:
    first = list(sampler(faces).epoch(2))
    torch.rand(5)  # draws elsewhere do not matter
    made = sampler(faces)
    list(made.epoch(1))
    assert are_same(list(made.epoch(2)), first)
    assert are_same(list(made.epoch(2)), first)


@pytest.mark.parametrize("change", [{"seed": 2}, {"epoch": 3}, {"rank": 1, "size": 2}])
def test_a_batch_depends_on_seed_epoch_and_process(faces: FaceCrops, change: dict) -> None:
    change = dict(change)
    one = dataclasses.replace(faces, crops=faces.crops[:1].repeat(8, 0), points_unit=faces.points_unit[:1].repeat(8, 0))
    usual = next(iter(sampler(one).epoch(2)))
    epoch = change.pop("epoch", 2)
    other = next(iter(sampler(one, **change).epoch(epoch)))
    count = min(len(usual[1]), len(other[1]))
    assert not torch.equal(usual[1][:count], other[1][:count])


def test_batches_of_an_epoch_differ(faces: FaceCrops) -> None:
    one = dataclasses.replace(faces, crops=faces.crops[:1].repeat(8, 0), points_unit=faces.points_unit[:1].repeat(8, 0))
    a, b = sampler(one).epoch(1)
    assert not torch.equal(a[1], b[1])


@pytest.mark.parametrize("skip", [0, 1, 2, 3, 7])
@pytest.mark.parametrize("size", [1, 2])
def test_skipping_gives_exactly_the_later_batches(faces: FaceCrops, skip: int, size: int) -> None:
    whole = list(sampler(faces, rank=size - 1, size=size).epoch(4, calm=True))
    assert are_same(list(sampler(faces, rank=size - 1, size=size).epoch(4, skip=skip, calm=True)), whole[skip:])


def test_the_seed_may_be_any(faces: FaceCrops) -> None:
    for seed in (0, 2**31 - 1):
        assert len(list(sampler(faces, seed=seed).epoch(100_000))) == 3


# --- several processes ---


@pytest.mark.parametrize("size", [2, 3, 4])
def test_processes_share_out_each_batch(faces: FaceCrops, size: int) -> None:
    alone = list(sampler(faces, augmentation="none", batch_size=7).epoch(1))
    shared = [
        list(sampler(faces, rank=rank, size=size, augmentation="none", batch_size=7).epoch(1)) for rank in range(size)
    ]
    assert {len(epoch) for epoch in shared} == {len(alone)} == {2}
    for number, (_, points, count) in enumerate(alone):
        assert {epoch[number][2] for epoch in shared} == {count}
        parts = [faces_shown(epoch[number][1], faces) for epoch in shared]
        assert sorted(face for part in parts for face in part) == sorted(faces_shown(points, faces))
        assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_process_without_a_face_still_has_something_to_do(faces: FaceCrops) -> None:
    """A last batch of one face, for three processes: each takes part in the step, but one has the face."""
    parts = [list(sampler(faces, rank=rank, size=3, batch_size=9).epoch(1))[-1] for rank in range(3)]
    assert [len(points) for _, points, _ in parts] == [1, 0, 0]
    assert [count for _, _, count in parts] == [1, 1, 1]
    for crops, _, _ in parts:
        assert len(crops) >= 1
        assert torch.isfinite(crops).all()
    plain = [list(sampler(faces, rank=2, size=3, batch_size=9, negative_share=0.0).epoch(1))[-1]]
    assert len(plain[0][0]) == 1


# --- augmentation ---


@pytest.fixture(scope="module")
def one_face(faces: FaceCrops) -> FaceCrops:
    """The same face 150 times."""
    return FaceCrops(faces.crops[:1].repeat(150, 0), faces.points_unit[:1].repeat(150, 0))


def placed(faces: FaceCrops, spec: InputSpec = SPEC, *, calm: bool = False, augmentation: str = "full") -> np.ndarray:
    """(N, 68, 2) keypoints in pixels of the crops."""
    made = Sampler(
        faces, spec, batch_size=len(faces), augmentation=augmentation, negative_share=0.0, seed=1, device=CPU
    )
    ((_, points, _),) = made.epoch(1, calm=calm)
    return points.numpy() * spec.size_px


@pytest.mark.parametrize("network", ["simple", "compact"])
def test_a_random_crop_shifts_by_no_more_than_published(one_face: FaceCrops, network: str) -> None:
    spec = NETWORKS[network].input_spec
    still = placed(one_face, spec, augmentation="none")
    moved = placed(one_face, spec, augmentation="random_crop")
    shift = moved - still
    assert np.ptp(shift, axis=1).max() < 1e-3, "it did more than shift"
    limit = 13 * spec.size_px / 224
    assert 0.9 * limit < np.abs(shift).max() <= limit + 1e-3
    assert abs(shift.mean()) < 0.2 * limit


def turns(points: np.ndarray) -> np.ndarray:
    """(N,) degrees by which faces are turned from the first one's usual place."""
    across = points[:, 45] - points[:, 36]
    return np.degrees(np.arctan2(across[:, 1], across[:, 0]))


def test_faces_turn_half_as_far_when_calm(one_face: FaceCrops) -> None:
    usual = turns(placed(one_face, augmentation="none"))[0]
    wild, calm = (turns(placed(one_face, calm=calm)) - usual for calm in (False, True))
    # A mirrored face turns the other way from where it was.
    assert np.abs(wild).max() > 40
    assert np.abs(calm).max() < 45 / 2 + 2 * abs(usual) + 15
    assert calm.std() < 0.7 * wild.std()


def test_fewer_faces_are_covered_when_calm(monkeypatch, one_face: FaceCrops) -> None:
    shares = []
    monkeypatch.setattr(
        "trainer.augmentation.occlude", lambda crops, generator, *, share: shares.append(share) or crops
    )
    placed(one_face)
    placed(one_face, calm=True)
    assert shares == [OCCLUSION_SHARE, CALM_OCCLUSION_SHARE]
    assert CALM_OCCLUSION_SHARE < OCCLUSION_SHARE


def test_full_augmentation_changes_places_and_light(one_face: FaceCrops) -> None:
    made = sampler(one_face, batch_size=50, negative_share=0.0)
    crops, points, _ = next(iter(made.epoch(1)))
    assert points.std(dim=0).min() > 0.01
    assert crops.mean(dim=(1, 2, 3)).std() > 0.02


def test_the_cache_is_left_alone(faces: FaceCrops) -> None:
    before = faces.crops.copy(), faces.points_unit.copy()
    list(sampler(faces).epoch(1))
    assert np.array_equal(faces.crops, before[0])
    assert np.array_equal(faces.points_unit, before[1])
