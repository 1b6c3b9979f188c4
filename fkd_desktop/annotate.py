"""Working through a video without a window: the same pipeline and painters, into a file."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from fkd_desktop.live.pipeline import Pipeline
from fkd_desktop.live.sources import IMAGE_SUFFIXES, VIDEO_SUFFIXES, VideoSource
from fkd_desktop.live.video_writer import VideoWriter, letterbox
from fkd_desktop.overlays import render
from trainer.core.errors import FkdError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fkd_desktop.live.sources import FrameSource
    from fkd_desktop.overlays import Layer
    from trainer.core.predictor import Predictor

SHEET_COLUMNS: Final = 4
SHEET_ROWS: Final = 3
SHEET_TILE_WIDTH: Final = 400


@dataclass(frozen=True)
class AnnotationSummary:
    """What working through a source gave.

    Attributes
    ----------
    video_path, sheet_path
        The annotated MP4 and its contact sheet.
    frames, frames_with_faces
        How many there were, and in how many of them at least one face was found.
    pipeline_ms
        Median time of detection, crop, network and smoothing for a frame.
    frames_per_s
        Whole rate: decoding, pipeline, painting and encoding.
    """

    video_path: Path
    sheet_path: Path
    frames: int
    frames_with_faces: int
    pipeline_ms: float
    frames_per_s: float


def annotate(
    source: FrameSource,
    predictor: Predictor,
    layers: Sequence[Layer],
    out_folder: Path,
    *,
    on_frame: Callable[[int], None] = lambda _frames: None,
) -> AnnotationSummary:
    """Write an annotated video and a contact sheet of it.

    Parameters
    ----------
    source
        Read to its end; one that loops is read once.
    predictor
        The network.
    layers
        What to paint.
    out_folder
        Gets ``<label>-annotated.mp4`` and ``<label>-sheet.png``: not the source's own name, for it may lie there.
    on_frame
        Told the number of frames done.

    Raises
    ------
    SourceError, FkdError
        If the source cannot be read or the files cannot be written.
    """
    pipeline = Pipeline(predictor)
    stem = _stem(source.label)
    video_path, sheet_path = out_folder / f"{stem}-annotated.mp4", out_folder / f"{stem}-sheet.png"
    pipeline_ms: list[float] = []
    tiles: list[NDArray[np.uint8]] = []
    with_faces = 0
    start_s = time.perf_counter()
    source.open()
    try:
        tile_every = 1
        with VideoWriter(video_path) as writer:
            while (frame := source.read()) is not None:
                result = pipeline.process(frame.image_bgr, frame.timestamp_s)
                painted = render(result, layers)
                writer.write(painted, frame.timestamp_s)
                pipeline_ms.append(result.times.total_ms)
                with_faces += len(result) > 0
                if (len(pipeline_ms) - 1) % tile_every == 0:
                    tiles.append(_tile(painted))
                    if len(tiles) > 2 * SHEET_COLUMNS * SHEET_ROWS:  # of unknown length: keep every second so far
                        tiles, tile_every = tiles[::2], 2 * tile_every
                on_frame(len(pipeline_ms))
    finally:
        source.close()
    elapsed_s = time.perf_counter() - start_s
    _write_sheet(sheet_path, tiles)
    return AnnotationSummary(
        video_path=video_path,
        sheet_path=sheet_path,
        frames=len(pipeline_ms),
        frames_with_faces=with_faces,
        pipeline_ms=float(np.median(pipeline_ms)) if pipeline_ms else 0.0,
        frames_per_s=len(pipeline_ms) / elapsed_s,
    )


def once(source: FrameSource) -> FrameSource:
    """Return a source that ends: a looping video is read to its end once."""
    if isinstance(source, VideoSource):
        source.loop = False
    return source


def _stem(label: str) -> str:
    """Return a source's label as the start of a file name: without a suffix, in lower case, without blanks."""
    name, dot, suffix = label.rpartition(".")
    has_suffix = bool(name and dot) and f".{suffix.lower()}" in IMAGE_SUFFIXES | VIDEO_SUFFIXES
    return (name if has_suffix else label).lower().replace(" ", "-").replace("/", "-").replace("\\", "-")


def _tile(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    tile_height = min(max(1, round(height * SHEET_TILE_WIDTH / width)), 2 * SHEET_TILE_WIDTH)
    return letterbox(image, SHEET_TILE_WIDTH, tile_height)


def _write_sheet(path: Path, tiles: Sequence[NDArray[np.uint8]]) -> None:
    if not tiles:
        return
    height = tiles[0].shape[0]
    picked = [
        letterbox(tiles[i], SHEET_TILE_WIDTH, height)  # the pictures of a folder differ in size
        for i in np.linspace(0, len(tiles) - 1, SHEET_COLUMNS * SHEET_ROWS).round().astype(int)
    ]
    rows = [np.hstack(picked[i : i + SHEET_COLUMNS]) for i in range(0, len(picked), SHEET_COLUMNS)]
    try:
        path.write_bytes(cv2.imencode(".png", np.vstack(rows))[1].tobytes())
    except OSError as error:
        raise FkdError(f"{path} cannot be written ({error.strerror or error}); choose another place") from error
