from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.trainer.tiny import Tiny
from trainer import augmentation
from trainer.core.checkpoint import CheckpointError, save_checkpoint
from trainer.core.models import NETWORKS, NetworkOutput
from trainer.dataset import FaceCrops
from trainer.metrics import nme
from trainer.teacher import LOOKS, smooth_labels

CPU = torch.device("cpu")
CACHE_PX = 114  # as `training_cache` makes it for such a network: 1.25 * 32 * 2 / 1.4, doubled to see more


class Seer(Tiny):
    """Sees a face by where its brightest spot is: in the middle of a face of a known size, upright.

    Two weights say how far it is off, in crops' sides.
    """

    def __init__(self) -> None:
        super().__init__()
        self.off = torch.nn.Parameter(torch.zeros(2))

    def forward(self, crops: torch.Tensor) -> NetworkOutput:
        size = crops.shape[-1]
        axis = (torch.arange(size) + 0.5) / size
        weight = crops[:, 0] / crops[:, 0].sum(dim=(1, 2), keepdim=True)
        centre = torch.stack([(weight * axis).sum(dim=(1, 2)), (weight * axis[:, None]).sum(dim=(1, 2))], dim=1)
        return NetworkOutput((centre + self.off)[:, None].expand(len(crops), 68, 2), None)


@pytest.fixture(autouse=True)
def _seer(monkeypatch) -> Iterator[None]:
    monkeypatch.setitem(NETWORKS, "simple", Seer)
    return


def teacher(folder: Path, name: str = "teacher", *, off: tuple[float, float] = (0, 0)) -> Path:
    network = Seer()
    with torch.no_grad():
        network.off.copy_(torch.tensor(off))
    path = folder / f"{name}.safetensors"
    save_checkpoint(path, network, name="simple")
    return path


@pytest.fixture
def spots() -> tuple[FaceCrops, np.ndarray]:
    """Pictures of a soft spot each, with labels somewhere else; and (N, 2) where the spots are."""
    random = np.random.default_rng(0)
    at = random.uniform(0.45, 0.55, (9, 2)).astype(np.float32)
    axis = (np.arange(CACHE_PX) + 0.5) / CACHE_PX
    dx, dy = axis - at[:, 0, None, None], axis[:, None] - at[:, 1, None, None]
    crops = 255 * np.exp(-(dx**2 + dy**2) / (2 * 0.03**2))
    labels = random.uniform(0.3, 0.7, (9, 68, 2)).astype(np.float32)
    return FaceCrops(crops.round().astype(np.uint8)[:, None], labels), at


def smoothed(faces: FaceCrops, *teachers: Path, share: float, **more: object) -> tuple[FaceCrops, float]:
    return smooth_labels(faces, teachers, share=share, device=CPU, **more)


def test_a_teacher_without_a_share_leaves_the_labels(spots, tmp_path: Path) -> None:
    faces, _ = spots
    moved, apart = smoothed(faces, teacher(tmp_path), share=0.0)
    assert np.array_equal(moved.points_unit, faces.points_unit)
    assert moved.crops is faces.crops
    assert apart > 0


def test_a_perfect_teacher_is_right_however_it_looks(spots, tmp_path: Path) -> None:
    """Its looks are turned, shifted, zoomed and mirrored: what it sees comes back to where it is."""
    faces, at = spots
    moved, apart = smoothed(faces, teacher(tmp_path), share=1.0)
    np.testing.assert_allclose(moved.points_unit, np.broadcast_to(at[:, None], (9, 68, 2)), atol=2e-3)
    assert moved.points_unit.dtype == np.float32
    truth = np.broadcast_to(at[:, None], (9, 68, 2)).astype(np.float32)
    assert apart == pytest.approx(nme(truth, faces.points_unit).mean(), rel=0.01)


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_share_is_a_way_between(spots, tmp_path: Path, share: float) -> None:
    faces, at = spots
    moved, _ = smoothed(faces, teacher(tmp_path), share=share)
    expected = (1 - share) * faces.points_unit + share * at[:, None]
    np.testing.assert_allclose(moved.points_unit, expected, atol=2e-3)


def test_mirror_images_take_out_a_teachers_slant(spots, tmp_path: Path) -> None:
    """Half of the looks are mirrored: who sees everything too far right is right on average."""
    faces, at = spots
    aside, _ = smoothed(faces, teacher(tmp_path, off=(0.1, 0)), share=1.0)
    np.testing.assert_allclose(aside.points_unit[:, 0], at, atol=0.012)
    below, _ = smoothed(faces, teacher(tmp_path, "below", off=(0, 0.1)), share=1.0)
    # A crop's side is 1.4 of the cache's 2 box sides.
    np.testing.assert_allclose(below.points_unit[:, 0] - at, np.tile([0, 0.07], (9, 1)), atol=0.012)


def test_several_teachers_are_averaged(spots, tmp_path: Path) -> None:
    faces, at = spots
    up, down = teacher(tmp_path, "up", off=(0, -0.1)), teacher(tmp_path, "down", off=(0, 0.1))
    moved, _ = smoothed(faces, up, down, share=1.0)
    np.testing.assert_allclose(moved.points_unit[:, 0], at, atol=0.012)


def test_a_seed_says_everything(spots, tmp_path: Path) -> None:
    faces, _ = spots
    path = teacher(tmp_path, off=(0.05, 0.05))
    first = smoothed(faces, path, share=1.0)[0].points_unit
    torch.rand(3)
    assert np.array_equal(smoothed(faces, path, share=1.0)[0].points_unit, first)
    assert not np.array_equal(smoothed(faces, path, share=1.0, seed=1)[0].points_unit, first)


def test_each_look_is_another(spots, tmp_path: Path, monkeypatch) -> None:
    placements: list[augmentation.Placement] = []
    cut = augmentation.cut

    def looking(cached: torch.Tensor, placement: augmentation.Placement, spec) -> torch.Tensor:
        placements.append(placement)
        return cut(cached, placement, spec)

    monkeypatch.setattr(augmentation, "cut", looking)
    smoothed(spots[0], teacher(tmp_path), share=1.0)
    assert len(placements) == LOOKS
    assert [bool(placement.mirror[0]) for placement in placements] == [False, True] * (LOOKS // 2)
    assert len({float(placement.angle[0]) for placement in placements}) == LOOKS
    assert all(placement.angle.abs().max() <= 0.1 for placement in placements)


def test_a_stop_is_obeyed_between_batches(spots, tmp_path: Path) -> None:
    faces, _ = spots
    same, apart = smoothed(faces, teacher(tmp_path), share=1.0, should_stop=lambda: True)
    assert same is faces
    assert np.isnan(apart)


def test_many_faces_are_looked_at_in_parts(spots, tmp_path: Path) -> None:
    faces, at = spots
    many = FaceCrops(np.tile(faces.crops, (15, 1, 1, 1)), np.tile(faces.points_unit, (15, 1, 1)))
    moved, _ = smoothed(many, teacher(tmp_path), share=1.0)
    np.testing.assert_allclose(moved.points_unit[:, 5], np.tile(at, (15, 1)), atol=2e-3)


def test_a_file_that_cannot_be_used_is_named(spots, tmp_path: Path) -> None:
    good, bad = teacher(tmp_path), tmp_path / "bad.safetensors"
    bad.write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match=r"bad\.safetensors"):
        smoothed(spots[0], good, bad, share=0.5)
