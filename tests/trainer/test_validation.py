import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from tests.trainer.tiny import Tiny
from trainer.core.checkpoint import load_checkpoint
from trainer.core.models import KeypointNetwork, NetworkOutput
from trainer.dataset import FaceCrops, load_crops
from trainer.readers import read_samples
from trainer.validation import SHEET_FACES, validate, validation_sheet


class Told(KeypointNetwork):
    """Says the points that it was told, whatever it sees; that all is a face, or that none is."""

    input_spec = Tiny.input_spec
    loss_unit = Tiny.loss_unit

    def __init__(self, points: np.ndarray, logit: float | None = None) -> None:
        super().__init__()
        self.points = nn.Parameter(torch.from_numpy(points))
        self.logit = logit

    def forward(self, crops: torch.Tensor) -> NetworkOutput:
        logit = None if self.logit is None else torch.full((len(crops),), self.logit)
        return NetworkOutput(self.points.expand(len(crops), 68, 2), logit)


@pytest.fixture
def points(drawn) -> np.ndarray:
    return drawn.points(x=0.5, y=0.5, width=0.4)


@pytest.fixture
def alike(points: np.ndarray) -> FaceCrops:
    """Three faces with their keypoints at the same place."""
    return FaceCrops(np.full((3, 1, 32, 32), 90, np.uint8), np.stack([points] * 3))


@pytest.fixture(scope="module")
def faces(tiny_data: Path) -> FaceCrops:
    return load_crops(read_samples(tiny_data)[:7], size_px=96, crop_per_box=1.25)


def test_perfect_points_have_no_error(alike: FaceCrops, points: np.ndarray) -> None:
    network = Told(points)
    result = validate(network, alike)
    assert result.score.nme_mean == pytest.approx(0, abs=1e-6)
    assert result.score.auc == pytest.approx(1)
    assert result.score.count == 3
    assert np.array_equal(result.points_unit, alike.points_unit)
    assert not network.training


def test_an_error_is_measured_by_the_distance_between_the_eyes(alike: FaceCrops, points: np.ndarray) -> None:
    eyes = np.linalg.norm(points[45] - points[36])
    result = validate(Told(points + np.float32([0.2 * eyes, 0])), alike)
    assert result.score.nme_mean == pytest.approx(0.2, rel=1e-4)
    assert result.score.failure_rate == 1


@pytest.mark.parametrize(("logit", "accuracy"), [(None, 1.0), (9.0, 0.5), (-9.0, 0.5)])
def test_who_says_the_same_of_all_is_right_half_of_the_time(alike, points, logit, accuracy: float) -> None:
    assert validate(Told(points, logit), alike).face_accuracy == accuracy


def test_validation_does_not_depend_on_the_batch_size(trained_run, faces: FaceCrops) -> None:
    network = load_checkpoint(trained_run.folder / "best.safetensors").network
    whole, parts = validate(network, faces), validate(network, faces, batch_size=3)
    assert parts.score.nme_mean == pytest.approx(whole.score.nme_mean, rel=1e-5)
    assert parts.points_unit == pytest.approx(whole.points_unit, abs=1e-5)
    assert whole.score.count == parts.score.count == 7


def test_validation_gives_the_same_again_and_leaves_no_trace(trained_run, faces: FaceCrops) -> None:
    network = load_checkpoint(trained_run.folder / "best.safetensors").network
    before = {key: value.clone() for key, value in network.state_dict().items()}
    torch.manual_seed(3)
    first = validate(network, faces)
    draw = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(torch.rand(1), draw), "it drew from the generator of all"
    again = validate(network, faces)
    assert again.score == first.score
    assert again.face_accuracy == first.face_accuracy
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_broken_points_are_told_as_no_number(alike: FaceCrops, points: np.ndarray) -> None:
    broken = points.copy()
    broken[3, 0] = np.nan
    assert np.isnan(validate(Told(broken), alike).score.nme_mean)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_sheet_shows_some_faces(faces: FaceCrops, count: int) -> None:
    few = FaceCrops(faces.crops[:count], faces.points_unit[:count])
    sheet = validation_sheet(few, few.points_unit + np.float32(0.02))
    assert sheet.dtype == np.uint8
    assert sheet.ndim == 3
    assert sheet.std() > 10


def test_a_sheet_shows_the_same_faces_every_time_and_not_too_many(faces: FaceCrops, monkeypatch) -> None:
    many = FaceCrops(np.tile(faces.crops[:1], (40, 1, 1, 1)), np.tile(faces.points_unit[:1], (40, 1, 1)))
    many.crops[:, 0, 0, 0] = np.arange(40)
    shown = []
    monkeypatch.setattr("trainer.validation.contact_sheet", lambda tiles, **_: shown.append(tiles))
    for shift in (0.0, 0.1):
        validation_sheet(many, many.points_unit + np.float32(shift))
    first, second = ([int(tile.crop[0, 0]) for tile in tiles] for tiles in shown)
    assert first == second
    assert len(set(first)) == SHEET_FACES
    assert (first[0], first[-1]) == (0, 39)
    assert shown[0][0].caption == "NME 0.0%"


def test_a_network_that_says_nonsense_can_be_drawn(faces: FaceCrops) -> None:
    few = FaceCrops(faces.crops[:2], faces.points_unit[:2])
    sheet = validation_sheet(few, np.full_like(few.points_unit, 1e9))
    assert cv2.imencode(".png", sheet)[0]


def test_a_validation_is_frozen(alike: FaceCrops, points: np.ndarray) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        validate(Told(points), alike).face_accuracy = 1.0
