"""Working through any source into a video and a contact sheet: what the application does where there is no display."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fkd_desktop.annotate.painting import PaintedVideo
from fkd_desktop.annotate.sheet import ContactSheet
from fkd_desktop.live.pipeline import Pipeline
from fkd_desktop.live.reader import FrameReader
from fkd_desktop.live.sources import IMAGE_SUFFIXES, VIDEO_SUFFIXES, VideoSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from fkd_desktop.live.result import Frame
    from fkd_desktop.live.sources import FrameSource
    from fkd_desktop.overlays import Layer
    from trainer.core.predictor import Predictor

_POLL_S = 0.1


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
    SourceError, OutputError
        If the source cannot be read or the files cannot be written.
    """
    pipeline, sheet = Pipeline(predictor), ContactSheet()
    stem = _stem(source.label)
    video_path, sheet_path = out_folder / f"{stem}-annotated.mp4", out_folder / f"{stem}-sheet.png"
    pipeline_ms: list[float] = []
    with_faces = 0
    start_s = time.perf_counter()
    with ExitStack() as stack:
        reader = stack.enter_context(FrameReader(lambda: source, every_frame=True))
        video = stack.enter_context(PaintedVideo(video_path, layers, on_painted=sheet.add))
        for frame in frames_of(reader):
            process = pipeline.process_still if frame.is_still else pipeline.process
            result = process(frame.image_bgr, frame.timestamp_s)
            video.add(result)
            pipeline_ms.append(result.times.total_ms)
            with_faces += len(result) > 0
            on_frame(len(pipeline_ms))
    elapsed_s = time.perf_counter() - start_s
    sheet.write(sheet_path)
    return AnnotationSummary(
        video_path=video_path,
        sheet_path=sheet_path,
        frames=len(pipeline_ms),
        frames_with_faces=with_faces,
        pipeline_ms=float(np.median(pipeline_ms)) if pipeline_ms else 0.0,
        frames_per_s=len(pipeline_ms) / elapsed_s,
    )


def frames_of(reader: FrameReader, *, should_stop: Callable[[], bool] = lambda: False) -> Iterator[Frame]:
    """Yield every frame of a reader until its source ends.

    Raises
    ------
    SourceError
        If it cannot be opened or breaks.
    """
    while not should_stop():
        frame = reader.get(timeout_s=_POLL_S)
        if frame is not None:
            yield frame
        elif reader.ended:
            return


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
