from pathlib import Path

import cv2
import numpy as np
import pytest

from trainer.contact_sheet import PREDICTED_BGR, TRUE_BGR, SheetFace, contact_sheet, write_png

TILE = 96


@pytest.fixture
def points(drawn) -> np.ndarray:
    """(68, 2) of a face in the middle of its crop."""
    return drawn.points(x=0.5, y=0.45, width=0.7)


def grey(shade: int = 120, side: int = 32) -> np.ndarray:
    return np.full((side, side), shade, np.uint8)


def is_like(pixels: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (np.abs(pixels.astype(int) - colour) < 60).all(axis=-1)


@pytest.mark.parametrize(
    ("faces", "columns", "shape"), [(1, 6, (1, 1)), (6, 6, (1, 6)), (7, 6, (2, 6)), (4, 1, (4, 1))]
)
def test_tiles_stand_in_rows(faces: int, columns: int, shape: tuple[int, int]) -> None:
    page = contact_sheet([SheetFace(grey(), None)] * faces, columns=columns, tile_px=TILE)
    assert page.shape == (8 + shape[0] * (TILE + 8), 8 + shape[1] * (TILE + 8), 3)
    assert page.dtype == np.uint8
    assert (page == 120).all(axis=-1).sum() == faces * TILE * TILE


@pytest.mark.parametrize("crop", [grey(side=32), grey(side=500), np.full((32, 32, 3), 120, np.uint8)])
def test_a_keypoint_is_drawn_where_it_is(crop: np.ndarray) -> None:
    points = np.tile(np.array([0.25, 0.75], np.float32), (68, 1))
    page = contact_sheet([SheetFace(crop, points)], tile_px=TILE)
    rows, columns = np.nonzero(is_like(page, TRUE_BGR))
    assert rows.mean() - 8 + 0.5 == pytest.approx(0.75 * TILE, abs=0.8)
    assert columns.mean() - 8 + 0.5 == pytest.approx(0.25 * TILE, abs=0.8)


def test_truth_and_prediction_are_told_apart(points: np.ndarray) -> None:
    only_truth = contact_sheet([SheetFace(grey(), points)], tile_px=288)
    assert is_like(only_truth, TRUE_BGR).sum() > 300
    assert not is_like(only_truth, PREDICTED_BGR).any()
    only_predicted = contact_sheet([SheetFace(grey(), None, points)], tile_px=288)
    tile = only_predicted[-288 - 8 :]
    assert is_like(tile, PREDICTED_BGR).sum() > 100
    assert not is_like(tile, TRUE_BGR).any()
    both = contact_sheet([SheetFace(grey(), points, points + np.float32(0.03))], tile_px=288)
    assert both.shape == only_predicted.shape  # with a legend above
    assert both.shape[0] > only_truth.shape[0]
    assert is_like(both[-288 - 8 :], PREDICTED_BGR).sum() > 100


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, -5.0])
def test_points_of_a_network_gone_wrong_are_left_out(points: np.ndarray, value: float) -> None:
    wrong = np.full((68, 2), value, np.float32)
    page = contact_sheet([SheetFace(grey(), None, wrong)], tile_px=TILE)
    assert (page[-TILE - 8 : -8, 8:-8] == 120).all()


def test_a_caption_is_below_its_tile() -> None:
    with_one = contact_sheet([SheetFace(grey(), None, caption="NME 4.1 %"), SheetFace(grey(), None)], tile_px=TILE)
    strip = with_one[8 + TILE : -8]
    assert strip.shape[0] >= 16
    assert strip[:, 8 : 8 + TILE].max() > 180
    assert strip[:, 16 + TILE : -8].max() < 40
    long = contact_sheet([SheetFace(grey(), None, caption="x" * 500)], tile_px=TILE)
    assert long[8 + TILE : -8, -8:].max() < 40  # cut at the tile's side


def test_a_legend_wider_than_the_page_is_cut() -> None:
    assert contact_sheet([SheetFace(grey(), None, np.zeros((68, 2), np.float32))], tile_px=8).shape[1] == 24


def test_without_a_face_there_is_no_sheet() -> None:
    with pytest.raises(ValueError, match="0 faces"):
        contact_sheet([])
    with pytest.raises(ValueError, match="8-bit"):
        contact_sheet([SheetFace(np.zeros((8, 8), np.float32), None)])  # type: ignore[arg-type]


def test_the_file_is_the_image(tmp_path: Path, points: np.ndarray) -> None:
    page = contact_sheet([SheetFace(grey(), points, points, "NME 0.0 %")] * 3)
    path = tmp_path / "new folder" / "façade.png"
    write_png(path, page)
    assert (cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED) == page).all()
    assert list(path.parent.iterdir()) == [path]
    with pytest.raises(FileExistsError):
        write_png(path / "x.png", page)
