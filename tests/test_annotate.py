"""Working through a source without a window: every frame is in the video, and a sheet shows it at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import torch

from fkd_desktop.annotate.choosing import choose_layers
from fkd_desktop.annotate.clip import annotate, once
from fkd_desktop.annotate.sheet import SHEET_COLUMNS, SHEET_ROWS, SHEET_TILE_WIDTH, SHEET_TILES, ContactSheet
from fkd_desktop.errors import SourceError
from fkd_desktop.live.sources import FrameSource, VideoSource, make_source
from fkd_desktop.overlays import OverlayLibrary, render
from tests.live.helpers import assert_one_clear_sentence, write_video
from trainer.core.errors import FkdError
from trainer.core.predictor import Predictor
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from pathlib import Path

    from fkd_desktop.overlays import Layer

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    torch.set_num_threads(1)
    return Predictor.load(device="cpu")


def named(*names: str) -> tuple[Layer, ...]:
    return choose_layers(names, OverlayLibrary())


def decode(path: Path) -> list[np.ndarray]:
    source = VideoSource(path)
    source.open()
    images = []
    while (frame := source.read()) is not None:
        images.append(frame.image_bgr)
    source.close()
    return images


def tiles_of(path: Path) -> list[np.ndarray]:
    sheet = cv2.imread(str(path))
    assert sheet is not None
    height, width = sheet.shape[0] // SHEET_ROWS, SHEET_TILE_WIDTH
    assert sheet.shape == (height * SHEET_ROWS, width * SHEET_COLUMNS, 3)
    return [
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width]
        for row in range(SHEET_ROWS)
        for column in range(SHEET_COLUMNS)
    ]


def test_every_frame_is_annotated(predictor: Predictor, short_clip: Path, tmp_path: Path) -> None:
    told: list[int] = []
    layers = named("sunglasses")
    summary = annotate(make_source(str(short_clip)), predictor, layers, tmp_path / "out", on_frame=told.append)
    assert summary.frames == summary.frames_with_faces == 30
    assert told == list(range(1, 31))
    assert summary.pipeline_ms > 0 and 0 < summary.frames_per_s < 10_000
    assert {summary.video_path, summary.sheet_path} == set((tmp_path / "out").iterdir())
    before, after = decode(short_clip), decode(summary.video_path)
    assert len(after) == 30
    for bare, painted in zip(before, after, strict=True):
        assert painted.shape == bare.shape == (480, 640, 3)
        eyes = (slice(170, 230), slice(260, 380))  # they hardly move in this second
        assert painted[eyes].mean() < bare[eyes].mean() - 40, "there are no sunglasses"
        corner = (slice(0, 60), slice(0, 640))
        assert abs(painted[corner].mean() - bare[corner].mean()) < 4
    assert len(tiles_of(summary.sheet_path)) == SHEET_COLUMNS * SHEET_ROWS


def test_without_layers_there_is_the_plain_video(predictor: Predictor, short_clip: Path, tmp_path: Path) -> None:
    summary = annotate(make_source(str(short_clip)), predictor, [], tmp_path)
    for bare, plain in zip(decode(short_clip), decode(summary.video_path), strict=True):
        assert np.abs(plain.astype(int) - bare).mean() < 3


@pytest.mark.parametrize("frames", [1, 5, 12, 24, 25, 80])
def test_the_sheet_goes_evenly_through_a_source_of_any_length(
    predictor: Predictor, tmp_path: Path, frames: int
) -> None:
    source = make_source(str(write_video(tmp_path / "clip.mp4", frames=frames)))
    summary = annotate(source, predictor, [], tmp_path / "out")
    assert summary.frames == frames and summary.frames_with_faces == 0
    shown = [tile.mean() / 8 for tile in tiles_of(summary.sheet_path)]  # frame i has the grey value 8 i, modulo 256
    wanted = np.linspace(0, frames - 1, SHEET_COLUMNS * SHEET_ROWS)
    assert abs(shown[0]) < 1
    for tile, number in zip(shown, wanted, strict=True):
        # Of a long source every k-th frame is kept, so the tile shows one of the neighbours.
        near = np.arange(max(0, number - 1 - frames / 20), min(frames, number + 2 + frames / 20))
        assert np.abs(near.round() % 32 - tile).min() < 1.2, f"tile {tile} instead of frame {number}"


def test_a_long_source_does_not_fill_the_memory() -> None:
    sheet = ContactSheet()
    frame = np.zeros((48, 64, 3), np.uint8)
    for _ in range(1000):
        sheet.add(frame)
        assert len(sheet) <= 2 * SHEET_TILES
    assert len(sheet) > SHEET_TILES / 2


@pytest.mark.parametrize(("width", "height"), [(161, 121), (48, 300), (300, 48)])
def test_odd_sizes(predictor: Predictor, tmp_path: Path, width: int, height: int) -> None:
    path = write_video(tmp_path / "clip.mkv", frames=3, width=width, height=height, codec="ffv1")
    summary = annotate(
        make_source(str(path)), predictor, named("sunglasses", "boxes", "keypoints", "numbers"), tmp_path / "out"
    )
    assert [image.shape[:2] for image in decode(summary.video_path)] == [(height // 2 * 2, width // 2 * 2)] * 3
    assert len(tiles_of(summary.sheet_path)) == 12


def test_a_folder_of_pictures_of_different_sizes(predictor: Predictor, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    capture = cv2.VideoCapture(str(assets_dir() / "demo" / "demo.mp4"))
    portrait = capture.read()[1]
    capture.release()
    for name, image in {"a.png": portrait, "b.png": portrait[:, 140:500], "c.png": portrait[::2, ::2]}.items():
        assert cv2.imwrite(str(folder / name), image)
    summary = annotate(make_source(str(folder)), predictor, named("keypoints"), tmp_path / "out")
    assert summary.frames == summary.frames_with_faces == 3
    assert [image.shape for image in decode(summary.video_path)] == [(480, 640, 3)] * 3
    tall = tiles_of(summary.sheet_path)[6]
    assert tall[:, :40].max() < 10 and tall[150, 200].max() > 50, "the tall picture is fitted, not stretched"


@pytest.mark.parametrize("name", ["clip.mp4", "Clip.MP4"])
def test_the_source_is_never_overwritten(predictor: Predictor, tmp_path: Path, name: str) -> None:
    path = write_video(tmp_path / "clip.mp4", frames=3).rename(tmp_path / name)
    before = path.read_bytes()
    summary = annotate(make_source(str(path)), predictor, [], tmp_path)
    assert path.read_bytes() == before
    assert summary.video_path.name.lower().startswith("clip")
    assert cv2.imwrite(str(tmp_path / "picture.png"), np.zeros((50, 60, 3), np.uint8))
    before = (tmp_path / "picture.png").read_bytes()
    annotate(make_source(str(tmp_path / "picture.png")), predictor, [], tmp_path)
    assert (tmp_path / "picture.png").read_bytes() == before


@pytest.mark.parametrize(
    ("label", "video"),
    [
        ("Demo clip", "demo-clip-annotated.mp4"),
        ("My clip.MP4", "my-clip-annotated.mp4"),
        ("photos.v2", "photos.v2-annotated.mp4"),
        (".mp4", ".mp4-annotated.mp4"),
        ("a/b\\c", "a-b-c-annotated.mp4"),
    ],
)
def test_files_are_called_after_the_source(predictor: Predictor, tmp_path: Path, label: str, video: str) -> None:
    source = VideoSource(write_video(tmp_path / "x.mp4", frames=2), label=label)
    assert annotate(source, predictor, [], tmp_path).video_path == tmp_path / video


def test_a_looping_source_is_gone_through_once(predictor: Predictor, tmp_path: Path) -> None:
    source = VideoSource(write_video(tmp_path / "clip.mp4", frames=7), loop=True)
    assert once(source) is source
    assert annotate(source, predictor, [], tmp_path / "out").frames == 7


def test_a_source_without_frames_leaves_nothing(predictor: Predictor, tmp_path: Path) -> None:
    class Nothing(FrameSource):
        label = "Nothing"

        def open(self) -> None:
            pass

        def read(self) -> None:
            return None

        def close(self) -> None:
            pass

    summary = annotate(Nothing(), predictor, [], tmp_path / "out")
    assert (summary.frames, summary.frames_with_faces, summary.pipeline_ms) == (0, 0, 0)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_source_that_breaks_leaves_what_there_was(predictor: Predictor, tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", frames=90, options={"movflags": "+faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    source = make_source(str(path))
    with pytest.raises(SourceError, match="cut off"):
        annotate(source, predictor, [], tmp_path / "out")
    assert source.read() is None, "the source was left open"
    assert 5 < len(decode(tmp_path / "out" / "clip-annotated.mp4")) < 90


@pytest.mark.parametrize("in_the_way", ["out", "out/clip-annotated.mp4", "out/clip-sheet.png"])
def test_a_place_that_cannot_be_written_to_is_one_sentence(
    predictor: Predictor, tmp_path: Path, in_the_way: str
) -> None:
    path = write_video(tmp_path / "clip.mp4", frames=3)
    obstacle = tmp_path / in_the_way
    if in_the_way == "out":
        obstacle.write_text("a file where a folder should be")
    else:
        obstacle.mkdir(parents=True)
    with pytest.raises(FkdError) as caught:
        annotate(make_source(str(path)), predictor, [], tmp_path / "out")
    assert_one_clear_sentence(caught.value, str(obstacle))


def test_the_same_painters_as_in_the_window(predictor: Predictor, short_clip: Path, tmp_path: Path) -> None:
    """What is written is what `render` gives for the pipeline's result, up to the video's compression."""
    from fkd_desktop.live.pipeline import Pipeline

    layers = named("sunglasses", "boxes", "keypoints", "numbers")
    summary = annotate(make_source(str(short_clip)), predictor, layers, tmp_path)
    source, pipeline = VideoSource(short_clip), Pipeline(predictor)
    source.open()
    for written in decode(summary.video_path):
        frame = source.read()
        assert frame is not None
        expected = render(pipeline.process(frame.image_bgr, frame.timestamp_s), layers)
        assert np.abs(written.astype(int) - expected).mean() < 4
    source.close()
