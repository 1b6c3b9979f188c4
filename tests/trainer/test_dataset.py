import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from trainer.dataset import (
    DatasetError,
    Sample,
    identity_of,
    load_crops,
    read_image,
    read_samples,
    split_by_identity,
    training_cache,
)


@pytest.fixture
def data(tiny_data: Path, tmp_path: Path) -> Path:
    """A copy of the tiny data set, to damage."""
    return Path(shutil.copytree(tiny_data, tmp_path / "data"))


@pytest.fixture
def edit(data: Path) -> Callable[[Callable[[list[str]], object]], Path]:
    """Change the lines of the training table (line 0 is the header); return its path."""

    def change(by: Callable[[list[str]], object]) -> Path:
        table = data / "training_frames_keypoints.csv"
        lines = table.read_text(encoding="utf-8").splitlines()
        by(lines)
        table.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return table

    return change


@pytest.fixture
def refuses(is_one_sentence) -> Callable[[Path], str]:
    def check(root: Path) -> str:
        with pytest.raises(DatasetError) as caught:
            read_samples(root)
        assert is_one_sentence(caught.value)
        assert str(root) in str(caught.value)
        return str(caught.value)

    return check


def replace_cell(line: str, column: int, value: str) -> str:
    cells = line.split(",")
    cells[column] = value
    return ",".join(cells)


# --- reading ---


def test_samples_are_read_as_written(tiny_data: Path) -> None:
    samples = read_samples(tiny_data, "training")
    assert len(samples) == 32
    first = samples[0]
    assert first.image_path == tiny_data / "training" / "Person_00_0.jpg"
    assert first.identity == "Person_00"
    assert first.keypoints_px.shape == (68, 2)
    assert first.keypoints_px.dtype == np.float32
    line = (tiny_data / "training_frames_keypoints.csv").read_text(encoding="utf-8").splitlines()[1].split(",")
    assert first.keypoints_px[0].tolist() == pytest.approx([float(line[1]), float(line[2])])
    assert first.keypoints_px[67].tolist() == pytest.approx([float(line[135]), float(line[136])])
    assert len(read_samples(tiny_data, "test")) == 3


def test_an_empty_last_line_is_no_row(data: Path, edit) -> None:
    edit(lambda lines: lines.append(""))
    assert len(read_samples(data)) == 32


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("Luis_Fonsi_21.jpg", "Luis_Fonsi"),
        ("Albert_Brooks_00.jpg", "Albert_Brooks"),
        ("Cher_7.jpg", "Cher"),
        ("alone.jpg", "alone"),
        ("a.b_1.jpg", "a.b"),
    ],
)
def test_the_identity_is_the_name_up_to_the_last_underscore(name: str, identity: str) -> None:
    assert identity_of(Path("somewhere_else") / name) == identity


# --- faults ---


def test_a_missing_folder(tmp_path: Path, refuses) -> None:
    assert "no folder" in refuses(tmp_path / "nowhere")


def test_a_file_in_place_of_the_folder(data: Path, refuses) -> None:
    assert "no folder" in refuses(data / "training_frames_keypoints.csv")


def test_no_table(data: Path, refuses) -> None:
    (data / "training_frames_keypoints.csv").unlink()
    assert "training_frames_keypoints.csv" in refuses(data)


def test_an_empty_table(data: Path, edit, refuses) -> None:
    edit(lambda lines: lines.__delitem__(slice(1, None)))
    assert "no rows" in refuses(data)
    edit(lambda lines: lines.clear())
    assert "no rows" in refuses(data)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00\x01" * 50, b'head\n"' + b"x" * 200_000, b"\x89PNG\r\n\x1a\n" * 9])
def test_a_table_that_is_none(data: Path, refuses, content: bytes) -> None:
    (data / "training_frames_keypoints.csv").write_bytes(content)
    assert "cannot be read" in refuses(data)


@pytest.mark.parametrize("columns", [1, 136, 138])
def test_a_row_with_another_number_of_columns(data: Path, edit, refuses, columns: int) -> None:
    edit(lambda lines: lines.__setitem__(4, ",".join((lines[4] + ",0").split(",")[:columns])))
    sentence = refuses(data)
    assert "line 5" in sentence
    assert f"{columns} columns" in sentence


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e20", "-1e99"])
def test_a_coordinate_that_is_no_number(data: Path, edit, refuses, value: str) -> None:
    edit(lambda lines: lines.__setitem__(2, replace_cell(lines[2], 7, value)))
    sentence = refuses(data)
    assert "line 3" in sentence
    assert "not a number of pixels" in sentence


@pytest.mark.parametrize("value", ["", "abc", "1;2"])
def test_a_coordinate_that_is_text(data: Path, edit, refuses, value: str) -> None:
    edit(lambda lines: lines.__setitem__(2, replace_cell(lines[2], 7, value)))
    sentence = refuses(data)
    assert "line 3" in sentence
    assert repr(value) in sentence


def test_a_missing_image(data: Path, refuses) -> None:
    (data / "training" / "Person_03_1.jpg").unlink()
    sentence = refuses(data)
    assert "Person_03_1.jpg" in sentence
    assert "line 15" in sentence


@pytest.mark.parametrize("name", ["", "../training", "a" * 5000, "nul\0byte"])
def test_a_name_that_is_no_image(data: Path, edit, refuses, name: str) -> None:
    edit(lambda lines: lines.__setitem__(2, replace_cell(lines[2], 0, name)))
    with pytest.raises(DatasetError, match="line 3"):
        read_samples(data)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no image",
        b"\xff\xd8\xff\xe0" + bytes(100),
        b"\x89PNG\r\n\x1a\n",
        b"P6 2000000 2000000 255\n" + bytes(100),
    ],
    ids=["empty", "text", "broken JPEG", "broken PNG", "4 Tpixel"],
)
def test_an_image_that_cannot_be_decoded(data: Path, is_one_sentence, content: bytes, capfd) -> None:
    samples = read_samples(data)[:2]
    samples[1].image_path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"Person_00_1\.jpg is not an image") as caught:
        load_crops(samples, size_px=32, crop_per_box=1.25)
    assert is_one_sentence(caught.value)


def test_an_image_that_went_away(data: Path, is_one_sentence) -> None:
    samples = read_samples(data)[:1]
    samples[0].image_path.unlink()
    with pytest.raises(DatasetError, match="cannot be read") as caught:
        load_crops(samples, size_px=32, crop_per_box=1.25)
    assert is_one_sentence(caught.value)


# --- images ---


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


def test_png_with_alpha_under_a_jpg_name_trains_as_its_jpeg(data: Path) -> None:
    """30 files of the published data set are so."""
    sample = read_samples(data)[0]
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


# --- the published data set ---


def test_the_published_data_set_is_read_whole(youtube_faces: Path) -> None:
    training, test = read_samples(youtube_faces, "training"), read_samples(youtube_faces, "test")
    assert (len(training), len(test)) == (3141, 697)
    identities = {sample.identity for sample in training}
    assert len(identities) == 315
    assert {sample.identity for sample in test} <= identities  # the leak that the split by identity is for
