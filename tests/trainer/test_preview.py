"""What training makes of one face, to be looked at."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainer.core.models import NETWORKS
from trainer.core.preprocess import box_from_keypoints, crop_squares, frame_to_unit
from trainer.dataset import DatasetError, Sample, training_cache
from trainer.preview import augmented_variants
from trainer.readers import read_samples
from trainer.sampler import Sampler


@pytest.fixture
def sample(tiny_data) -> Sample:
    return read_samples(tiny_data)[5]


@pytest.mark.parametrize("augmentation", ["full", "random_crop", "none"])
@pytest.mark.parametrize("calm", [False, True])
def test_the_variants_are_what_the_sampler_feeds_the_network_for_the_same_seed(sample, augmentation, calm):
    spec = NETWORKS["compact"].input_spec
    sampler = Sampler(
        training_cache([sample] * 16, spec),
        spec,
        batch_size=16,
        augmentation=augmentation,
        negative_share=0.5,
        seed=7,
        device=torch.device("cpu"),
    )
    crops, points, _ = next(sampler.epoch(1, calm=calm))
    shown = augmented_variants(sample, "compact", augmentation=augmentation, seed=7, calm=calm)
    fed = (crops[:, 0] * 255).round().to(torch.uint8).numpy()
    np.testing.assert_array_equal(shown.crops, fed[:16])
    np.testing.assert_array_equal(shown.not_faces, fed[16:])
    np.testing.assert_array_equal(shown.points_unit, points.numpy())
    assert len(shown.not_faces) == 8


def test_without_augmentation_labels_and_crop_are_as_the_network_sees_the_face_in_use(sample):
    shown = augmented_variants(sample, "compact", augmentation="none", seed=1)
    spec = NETWORKS["compact"].input_spec
    square = crop_squares(box_from_keypoints(sample.keypoints_px), crop_per_box=spec.crop_per_box)
    in_use = frame_to_unit(sample.keypoints_px[None], square)[0]
    assert np.abs(shown.points_unit - in_use).max() < 1.5 / square[0, 2], "more than squares of whole pixels differ"
    assert (shown.crops == shown.crops[0]).all()


def test_labels_move_with_the_crop(sample):
    """The drawn mouth is the darkest thing about it, wherever augmentation puts it."""
    shown = augmented_variants(sample, "compact", augmentation="random_crop", seed=3)
    size = shown.crops.shape[1]
    eyes = shown.points_unit[:, 36:42].mean(axis=1)
    assert np.ptp(eyes[:, 0]) > 0.01, "nothing was shifted"
    for crop, (x, y) in zip(shown.crops, eyes, strict=True):
        column, row = int(x * size), int(y * size)
        assert crop[row - 1 : row + 2, column - 1 : column + 2].mean() < 100 < crop[row + 12, column]


def test_another_seed_gives_other_variants(sample):
    first, again, other = (
        augmented_variants(sample, "compact", augmentation="full", seed=seed).crops for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any(axis=(1, 2)).all()


@pytest.mark.parametrize(("network", "size"), [("simple", 224), ("two_conv", 224), ("compact", 96), ("large", 96)])
def test_crops_have_the_size_of_the_network(sample, network, size):
    shown = augmented_variants(sample, network, augmentation="full", seed=1)
    assert shown.crops.shape == (16, size, size)
    assert shown.crops.dtype == shown.not_faces.dtype == np.uint8


def test_an_image_that_has_gone_is_named(sample, tmp_path, is_one_sentence):
    gone = Sample(tmp_path / "gone.jpg", sample.keypoints_px, sample.identity)
    with pytest.raises(DatasetError, match=r"gone\.jpg") as refusal:
        augmented_variants(gone, "compact", augmentation="full", seed=1)
    assert is_one_sentence(refusal.value)
