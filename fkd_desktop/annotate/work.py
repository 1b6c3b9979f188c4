"""Working through one picture or video into files."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from fkd_desktop.annotate.clip import frames_of
from fkd_desktop.annotate.inputs import ANNOTATED
from fkd_desktop.annotate.painting import PaintedVideo
from fkd_desktop.annotate.sound import add_sound, has_sound
from fkd_desktop.errors import OutputError, cannot_write
from fkd_desktop.live.export import PtsWriter, Tables, export_path
from fkd_desktop.live.pipeline import Pipeline
from fkd_desktop.live.reader import FrameReader
from fkd_desktop.live.smoothing import SmoothingLevel
from fkd_desktop.live.sources import VideoSource, read_picture
from fkd_desktop.overlays import render
from trainer.core.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fkd_desktop.annotate.inputs import Input
    from fkd_desktop.live.export import ExportFormat
    from fkd_desktop.overlays import Layer
    from trainer.core.predictor import Predictor

_PICTURE_OPTIONS: Final = {
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".webp": [cv2.IMWRITE_WEBP_QUALITY, 95],
}
_PICTURE_SUFFIXES: Final = frozenset({*_PICTURE_OPTIONS, ".png", ".bmp", ".tif", ".tiff"})
"""What is written as it came; any other picture becomes a PNG."""


@dataclass(frozen=True)
class Wanted:
    """What is to be made of each input.

    Attributes
    ----------
    media
        The painted picture or video.
    tables
        Landmark files.
    overwrite
        Replace files that are there.
    smoothing
        Of the keypoints in videos.
    """

    media: bool = True
    tables: tuple[ExportFormat, ...] = ()
    overwrite: bool = False
    smoothing: SmoothingLevel = SmoothingLevel.LOW


@dataclass(frozen=True)
class Progress:
    """How far an input is.

    Attributes
    ----------
    frames, count
        Frames done, and how many there are; a count of 0 is unknown, and a video's is an estimate.
    faces
        In the last frame.
    """

    frames: int
    count: int
    faces: int


@dataclass(frozen=True)
class Outcome:
    """What was made of an input.

    Attributes
    ----------
    paths
        The files; for the .pts files of a video their folder.
    frames, frames_with_faces, faces
        How many frames were done, how many had faces, and how many faces all of them had together.
    is_whole
        False if it was stopped before its end.
    has_lost_sound
        Whether the painted video could not be given the sound of the other.
    """

    paths: tuple[Path, ...]
    frames: int
    frames_with_faces: int
    faces: int
    is_whole: bool = True
    has_lost_sound: bool = False


class Annotator:
    """Works through inputs one after the other. Needs a QGuiApplication for layers with text.

    Parameters
    ----------
    predictor
        The network.
    layers
        What to paint, back to front.
    out
        The folder that the outputs go to.
    wanted
        Which outputs.

    Raises
    ------
    DetectorError
        If faces cannot be looked for.
    """

    def __init__(self, predictor: Predictor, layers: Sequence[Layer], out: Path, wanted: Wanted) -> None:
        self._predictor, self._layers, self._out, self._wanted = predictor, tuple(layers), out, wanted
        self._stills = Pipeline(predictor)

    def work_through(
        self,
        item: Input,
        *,
        on_progress: Callable[[Progress], None] = lambda _progress: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Outcome:
        """Make the outputs of one input.

        Parameters
        ----------
        item
            The picture or video.
        on_progress
            Told after each frame.
        should_stop
            Asked before each frame; what there is then is finished as whole, shorter files.

        Raises
        ------
        SourceError
            If it cannot be read. What was made of it up to there is kept.
        OutputError
            If an output cannot be written, or is there already.
        """
        if item.kind() == "picture":
            return self._picture(item, on_progress)
        return self._video(item, on_progress, should_stop)

    def _picture(self, item: Input, on_progress: Callable[[Progress], None]) -> Outcome:
        base = self._out / item.stem
        suffix = item.path.suffix.lower()
        painted_path = base.with_name(base.name + ANNOTATED + (suffix if suffix in _PICTURE_SUFFIXES else ".png"))
        tables: dict[ExportFormat, Path] = {
            kind: export_path(base.parent, base.name, kind) for kind in self._wanted.tables if kind != "pts"
        }
        self._check_free([*([painted_path] if self._wanted.media else []), *tables.values()])
        image_bgr = read_picture(item.path)
        result = self._stills.process_still(image_bgr, 0.0)
        result = replace(result, ids=np.arange(1, len(result) + 1))  # each picture is one of its own
        pts = PtsWriter(base.parent, overwrite=self._wanted.overwrite) if "pts" in self._wanted.tables else None
        faces = [base.parent / name for name in pts.names(len(result), frame=1, name=base.name)] if pts else []
        self._check_free(faces)
        if self._wanted.media:
            _write_picture(painted_path, render(result, self._layers))
        with Tables(tables, overwrite=self._wanted.overwrite) as writers:
            writers.write(result, frame=1, timestamp_s=0.0, name=item.path.name)
        if pts:
            pts.write(result, frame=1, timestamp_s=0.0, name=base.name)
        on_progress(Progress(1, 1, len(result)))
        paths = (*([painted_path] if self._wanted.media else []), *tables.values(), *faces)
        return Outcome(paths, frames=1, frames_with_faces=int(len(result) > 0), faces=len(result))

    def _video(self, item: Input, on_progress: Callable[[Progress], None], should_stop: Callable[[], bool]) -> Outcome:
        base = self._out / item.stem
        video_path = base.with_name(f"{base.name}{ANNOTATED}.mp4")
        paths = {kind: export_path(base.parent, base.name, kind) for kind in self._wanted.tables}
        self._check_free([*([video_path] if self._wanted.media else []), *paths.values()])
        pipeline = Pipeline(self._predictor)
        pipeline.smoothing = self._wanted.smoothing
        frames = with_faces = faces = 0
        video: PaintedVideo | None = None
        tables: Tables | None = None
        with ExitStack() as stack:
            reader = stack.enter_context(FrameReader(lambda: VideoSource(item.path), every_frame=True))
            for frame in frames_of(reader, should_stop=should_stop):
                if tables is None:  # not before there is a frame: what cannot be read leaves no files
                    tables = stack.enter_context(Tables(paths, overwrite=self._wanted.overwrite))
                    if self._wanted.media:
                        video = stack.enter_context(PaintedVideo(video_path, self._layers))
                result = pipeline.process(frame.image_bgr, frame.timestamp_s)
                frames, with_faces, faces = frames + 1, with_faces + (len(result) > 0), faces + len(result)
                tables.write(result, frame=frames, timestamp_s=frame.timestamp_s)
                if video is not None:
                    video.add(result)
                on_progress(Progress(frames, frame.position.count if frame.position else 0, len(result)))
            is_whole = reader.ended
        has_lost_sound = video is not None and has_sound(item.path) and not add_sound(video_path, item.path)
        made = (*([video_path] if self._wanted.media else []), *paths.values())
        return Outcome(made, frames, with_faces, faces, is_whole, has_lost_sound)

    def _check_free(self, paths: Collection[Path]) -> None:
        """Say what is in the way before time is spent.

        A folder of .pts files may be there if it is empty.
        """
        for path in paths:
            try:
                is_there = any(path.iterdir()) if path.is_dir() else path.exists()
            except OSError as error:
                raise cannot_write(path, error) from error
            if is_there and not self._wanted.overwrite:
                raise OutputError(
                    "{path} is there already; choose another folder by --out, or give --overwrite", path=path
                )


def _write_picture(path: Path, image_bgr: NDArray[np.uint8]) -> None:
    suffix = path.suffix
    is_encoded, data = cv2.imencode(suffix, image_bgr, _PICTURE_OPTIONS.get(suffix, []))
    try:
        if not is_encoded:  # WebP ends at 16,383 pixels, for one
            raise OSError(0, f"too large for a {suffix} picture")
        write_atomically(path, data.tobytes())
    except OSError as error:
        raise cannot_write(path, error) from error
