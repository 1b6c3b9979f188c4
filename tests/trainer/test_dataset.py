from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pytest

from trainer.dataset import (
    DatasetError,
    Sample,
    identity_of,
    load_crops,
    read_image,
    split_by_identity,
    training_cache,
)
from trainer.readers import read_samples


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("Some_Person_21.jpg", "Some_Person"),
        ("Person_00.jpg", "Person"),
        ("alone.jpg", "alone"),
        ("a.b_1.jpg", "a.b"),
        ("alice/001.jpg", "alice"),
        ("clips/alice/001.jpg", "clips/alice"),
        ("training/alice_001.jpg", "alice"),
    ],
)
def test_the_identity_is_in_the_name(name: str, identity: str) -> None:
    assert identity_of(PurePosixPath(name)) == identity


# --- images ---


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no image",
        b"\xff\xd8\xff\xe0" + bytes(100),
        b"\x89PNG\r\n\x1a\n",
    ],
    ids=["empty", "text", "broken JPEG", "broken PNG"],
)
def test_an_image_that_cannot_be_decoded(data_copy: Path, is_one_sentence, content: bytes, capfd) -> None:
    samples = read_samples(data_copy)[:2]
    samples[1].image_path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"Person_00_1\.jpg is not an image") as caught:
        load_crops(samples, size_px=32, crop_per_box=1.25)
    assert is_one_sentence(caught.value)


def test_an_image_that_went_away(data_copy: Path, is_one_sentence) -> None:
    samples = read_samples(data_copy)[:1]
    samples[0].image_path.unlink()
    with pytest.raises(DatasetError, match="cannot be read") as caught:
        load_crops(samples, size_px=32, crop_per_box=1.25)
    assert is_one_sentence(caught.value)


@pytest.mark.parametrize("extension", [".jpg", ".png", ".bmp", ".webp"])
@pytest.mark.parametrize("shape", [(40, 30, 3), (40, 30), (40, 30, 4)])
def test_an_image_is_read_by_its_content_not_its_name(tmp_path: Path, extension: str, shape: tuple[int, ...]) -> None:
    image = np.full(shape, 200, np.uint8)
    image[10:30, 10:20] = 60
    path = tmp_path / "façade 顔.jpg"
    path.write_bytes(cv2.imencode(extension, image)[1].tobytes())
    read = read_image(path)
    assert read.shape == (40, 30, 3)
    assert read.dtype == np.uint8
    assert abs(int(read[20, 15, 0]) - 60) < 15
    assert abs(int(read[2, 2, 2]) - 200) < 15


def test_png_with_alpha_under_a_jpg_name_trains_as_its_jpeg(data_copy: Path) -> None:
    """30 files of the published data set are so."""
    sample = read_samples(data_copy)[0]
    before = load_crops([sample], size_px=96, crop_per_box=1.25).crops
    bgra = cv2.cvtColor(read_image(sample.image_path), cv2.COLOR_BGR2BGRA)
    bgra[..., 3] = 255
    sample.image_path.write_bytes(cv2.imencode(".png", bgra)[1].tobytes())
    assert (load_crops([sample], size_px=96, crop_per_box=1.25).crops == before).all()


# --- split ---


def test_the_split_is_disjoint_and_complete(tiny_data: Path) -> None:
    samples = read_samples(tiny_data)
    training, validation = split_by_identity(samples, validation_share=0.25, seed=3)
    kept_aside = {sample.identity for sample in validation}
    assert len(kept_aside) == 2
    assert kept_aside.isdisjoint(sample.identity for sample in training)
    together = sorted(sample.image_path for sample in (*training, *validation))
    assert together == sorted(sample.image_path for sample in samples)


def test_a_seed_gives_one_split(tiny_data: Path) -> None:
    samples = read_samples(tiny_data)

    def names(seed: int, of: list) -> set[str]:
        return {s.identity for s in split_by_identity(of, validation_share=0.25, seed=seed)[1]}

    assert names(3, samples) == names(3, samples)
    assert names(3, samples) == names(3, samples[::-1])
    assert len({frozenset(names(seed, samples)) for seed in range(8)}) > 2


def test_the_split_is_the_same_in_every_process() -> None:
    """Whom weights kept aside is known by the seed alone, so this must never change."""
    samples = [Sample(Path("x.jpg"), np.zeros((68, 2), np.float32), f"Person_{i:02d}") for i in range(20)]
    kept_aside = split_by_identity(samples, validation_share=0.15, seed=1)[1]
    assert [sample.identity for sample in kept_aside] == ["Person_01", "Person_10", "Person_18"]


@pytest.mark.parametrize(("share", "identities"), [(0.01, 1), (0.15, 1), (0.5, 4), (0.9, 7), (1.0, 7)])
def test_both_sides_have_somebody(tiny_data: Path, share: float, identities: int) -> None:
    training, validation = split_by_identity(read_samples(tiny_data), validation_share=share, seed=1)
    assert len({sample.identity for sample in validation}) == identities
    assert training


def test_one_identity_cannot_be_split(tiny_data: Path, is_one_sentence) -> None:
    with pytest.raises(DatasetError, match="identity") as caught:
        split_by_identity(read_samples(tiny_data)[:4], validation_share=0.5, seed=1)
    assert is_one_sentence(caught.value)


# --- crops ---


def test_crops_show_the_face_where_the_keypoints_are(tiny_data: Path) -> None:
    samples = read_samples(tiny_data)[:8]
    faces = load_crops(samples, size_px=96, crop_per_box=1.25)
    assert len(faces) == 8
    assert faces.crops.shape == (8, 1, 96, 96)
    assert faces.crops.dtype == np.uint8
    assert faces.points_unit.shape == (8, 68, 2)
    assert faces.points_unit.dtype == np.float32
    for crop, points in zip(faces.crops[:, 0], faces.points_unit, strict=True):
        for eye in (points[36:42].mean(axis=0), points[42:48].mean(axis=0)):
            x, y = np.round(eye * 96 - 0.5).astype(int)
            cheek = crop[y + 14, x]
            assert crop[y, x] < cheek - 60  # the drawn eyes are dark, the skin is not


def test_loading_can_be_stopped(tiny_data: Path) -> None:
    answers = iter([False, False, True])
    faces = load_crops(read_samples(tiny_data), size_px=32, crop_per_box=1.25, should_stop=lambda: next(answers))
    assert len(faces) == 2
    assert faces.points_unit.shape == (2, 68, 2)


def test_the_cache_is_finer_than_the_networks_crop(tiny_data: Path) -> None:
    from trainer.core.models import NETWORKS

    spec = NETWORKS["compact"].input_spec
    cache = training_cache(read_samples(tiny_data)[:1], spec)
    network_px = cache.crops.shape[-1] * spec.crop_per_box / 2.0
    assert network_px == pytest.approx(1.25 * spec.size_px, rel=0.01)


@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (20_000, 5_001), (2**21, 2**21)])
def test_a_picture_that_would_unpack_to_gigabytes_is_refused(
    width: int, height: int, tmp_path: Path, is_one_sentence
) -> None:
    path = tmp_path / "bomb.ppm"
    path.write_bytes(b"P6\n%d %d\n255\n" % (width, height))
    with pytest.raises(DatasetError, match=r"bomb.ppm is too large a picture; .* 100 megapixels") as caught:
        read_image(path)
    assert is_one_sentence(caught.value)
