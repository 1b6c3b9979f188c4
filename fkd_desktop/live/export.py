"""Landmarks as files that other programs read: a CSV table as OpenFace writes it, JSON lines, and .pts files. Qt-free.

docs/manual/formats.md describes the formats for those who read them.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Final, Literal, Protocol, Self, get_args

from fkd_desktop.errors import OutputError
from fkd_desktop.live.line_file import LineFile, exists_already, writing_failed
from fkd_desktop.live.tracker import TrackerSettings
from trainer.core.keypoints import NUM_KEYPOINTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from fkd_desktop.live.result import FrameResult

ExportFormat = Literal["csv", "jsonl", "pts"]
EXPORT_FORMATS: Final[tuple[ExportFormat, ...]] = get_args(ExportFormat)

CSV_COLUMNS: Final = (
    *("frame", "face_id", "timestamp", "confidence", "success"),
    *(f"x_{i}" for i in range(NUM_KEYPOINTS)),
    *(f"y_{i}" for i in range(NUM_KEYPOINTS)),
)
"""As OpenFace 2's FeatureExtraction names them with `-2Dfp` (lib/local/Utilities/src/RecorderCSV.cpp)."""
PTS_FIRST_PIXEL: Final = 1.0
"""Number of the first pixel in a .pts file: the format comes from MATLAB (Menpo, io/output/landmark.py)."""
_FOUND_FROM: Final = TrackerSettings().keep_confidence
_NO_FACE: Final = ",".join(["0"] * (2 * NUM_KEYPOINTS))
_CSV_POINTS: Final = ",".join(["%.2f"] * (2 * NUM_KEYPOINTS))


class LandmarkWriter(Protocol):
    """Writes the faces of one frame after the other.

    Every method raises `OutputError` if the disk is full or the place is gone; what was written before stays readable.
    """

    def write(self, result: FrameResult, *, frame: int, timestamp_s: float, name: str | None = None) -> None:
        """Append a frame.

        Parameters
        ----------
        result
            Its faces; of the picture only the size is used.
        frame
            Its number, from 1.
        timestamp_s
            Its time, from the beginning of the video or session.
        name
            Of the picture, where it has one.
        """
        ...

    def flush(self) -> None:
        """Hand to the system what is still held back; for when no frame comes for a while."""
        ...

    def close(self) -> None:
        """Finish; may be called twice."""
        ...


class CsvWriter:
    """A table with a row for each face of each frame, and for a frame without a face a row of zeros.

    The columns are `CSV_COLUMNS`, separated by commas alone, as the later releases of OpenFace 2 write them; earlier
    ones put a blank after each comma.

    Parameters
    ----------
    path
        Where to.
    overwrite
        Replace a file that is there.

    Raises
    ------
    OutputError
        If it cannot be written, or is there already.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self.path = path
        self._file = LineFile(path, overwrite=overwrite, first_line=",".join(CSV_COLUMNS))

    def write(self, result: FrameResult, *, frame: int, timestamp_s: float, name: str | None = None) -> None:  # noqa: ARG002 (a table of one video)
        """See `LandmarkWriter.write`."""
        if not len(result):
            self._file.append([f"{frame},0,{timestamp_s:.6f},0,0,{_NO_FACE}"])
            return
        self._file.append(
            f"{frame},{face_id},{timestamp_s:.6f},{confidence:.3f},{confidence >= _FOUND_FROM:d},"
            + _CSV_POINTS % (*keypoints[:, 0].tolist(), *keypoints[:, 1].tolist())
            for face_id, confidence, keypoints in zip(result.ids, result.confidences, result.keypoints_px, strict=True)
        )

    def flush(self) -> None:
        """See `LandmarkWriter.flush`."""
        self._file.flush()

    def close(self) -> None:
        """See `LandmarkWriter.close`."""
        self._file.close()


class JsonLinesWriter:
    """One JSON object a line for each frame, also for one without a face.

    Parameters
    ----------
    path, overwrite
        See `CsvWriter`.

    Raises
    ------
    OutputError
        If it cannot be written, or is there already.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self.path = path
        self._file = LineFile(path, overwrite=overwrite)

    def write(self, result: FrameResult, *, frame: int, timestamp_s: float, name: str | None = None) -> None:
        """See `LandmarkWriter.write`."""
        height, width = result.frame_bgr.shape[:2]
        faces = [
            {
                "id": int(face_id),
                "confidence": round(float(confidence), 3),
                "box": _rounded(box),
                "keypoints": _rounded(keypoints),
            }
            for face_id, confidence, box, keypoints in zip(
                result.ids, result.confidences, result.boxes_xywh, result.keypoints_px, strict=True
            )
        ]
        start = {"frame": frame} if name is None else {"frame": frame, "name": _as_text(name)}
        line = start | {"timestamp": round(timestamp_s, 6), "width": width, "height": height, "faces": faces}
        self._file.append([json.dumps(line, ensure_ascii=False)])

    def flush(self) -> None:
        """See `LandmarkWriter.flush`."""
        self._file.flush()

    def close(self) -> None:
        """See `LandmarkWriter.close`."""
        self._file.close()


class PtsWriter:
    """A .pts file, version 1 of the iBUG 300-W format, for each picture with a face.

    A file holds one face. It is called after the picture (``photo.pts``), or after the frame's number as in 300-VW
    (``000001.pts``); where a picture has several faces, they are told apart by a number (``photo_0.pts``,
    ``photo_1.pts``). A picture without a face has no file.

    Parameters
    ----------
    folder
        Where to; made if needed.
    overwrite
        See `CsvWriter`.
    """

    def __init__(self, folder: Path, *, overwrite: bool = False) -> None:
        self.path = folder
        self._overwrite = overwrite
        self._is_made = False
        self._own: set[str] = set()

    def names(self, faces: int, *, frame: int, name: str | None = None) -> list[str]:
        """Return what the files of a picture with so many faces are called."""
        stem = f"{frame:06d}" if name is None else name
        return [f"{stem}.pts"] if faces == 1 else [f"{stem}_{i}.pts" for i in range(faces)]

    def write(self, result: FrameResult, *, frame: int, timestamp_s: float, name: str | None = None) -> None:  # noqa: ARG002 (the format knows no time)
        """See `LandmarkWriter.write`."""
        names = self.names(len(result), frame=frame, name=name)
        for file_name, keypoints in zip(names, result.keypoints_px, strict=True):
            self._write_file(self.path / file_name, pts_text(keypoints).encode())

    def flush(self) -> None:
        """Do nothing: each file is whole as soon as it is there."""

    def close(self) -> None:
        """Do nothing, for the same reason."""

    def _write_file(self, path: Path, content: bytes) -> None:
        # Not `write_atomically`: to wait for the disk after each of thirty files a second would take too long.
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            if not self._is_made:  # once: a folder that is removed meanwhile is not made anew behind its owner's back
                self.path.mkdir(parents=True, exist_ok=True)
                self._is_made = True
            if not self._overwrite and path.name not in self._own and path.exists():
                raise exists_already(path)
            self._own.add(path.name)  # a video that starts again writes the same frames again
            try:
                temporary.write_bytes(content)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise writing_failed(path, error) from error


def pts_text(keypoints_px: NDArray[np.float32]) -> str:
    """Return a face as the text of a .pts file.

    Parameters
    ----------
    keypoints_px
        (68, 2), counted from 0 at the centre of the first pixel; the file counts from 1.
    """
    points = "".join(f"{x:.3f} {y:.3f}\n" for x, y in (keypoints_px + PTS_FIRST_PIXEL).tolist())
    return f"version: 1\nn_points: {len(keypoints_px)}\n{{\n{points}}}\n"


def export_path(folder: Path, stem: str, kind: ExportFormat) -> Path:
    """Return where the landmarks of a video or session go: a file, or for .pts a folder of its own."""
    return folder / (f"{stem}-pts" if kind == "pts" else f"{stem}.{kind}")


def make_writer(kind: ExportFormat, path: Path, *, overwrite: bool = False) -> LandmarkWriter:
    """Make the writer of a format.

    Raises
    ------
    OutputError
        See `CsvWriter`.
    """
    writers: dict[ExportFormat, Callable[..., LandmarkWriter]] = {
        "csv": CsvWriter,
        "jsonl": JsonLinesWriter,
        "pts": PtsWriter,
    }
    return writers[kind](path, overwrite=overwrite)


class Tables:
    """Several writers as one; use as a context manager.

    Parameters
    ----------
    paths
        Where each format goes.
    overwrite
        See `CsvWriter`.

    Raises
    ------
    OutputError
        If one of them cannot be written; the others are closed then.
    """

    def __init__(self, paths: dict[ExportFormat, Path], *, overwrite: bool = False) -> None:
        self._writers: list[LandmarkWriter] = []
        try:
            for kind, path in paths.items():
                self._writers.append(make_writer(kind, path, overwrite=overwrite))
        except OutputError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, result: FrameResult, *, frame: int, timestamp_s: float, name: str | None = None) -> None:
        """See `LandmarkWriter.write`."""
        for writer in self._writers:
            writer.write(result, frame=frame, timestamp_s=timestamp_s, name=name)

    def flush(self) -> None:
        """See `LandmarkWriter.flush`."""
        for writer in self._writers:
            writer.flush()

    def close(self) -> None:
        """See `LandmarkWriter.close`; all are closed also if one fails."""
        first: OutputError | None = None
        for writer in self._writers:
            try:
                writer.close()
            except OutputError as error:
                first = first or error
        if first is not None:
            raise first


def _as_text(name: str) -> str:
    """Return a file's name, which need not be text on POSIX systems, as text."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _rounded(pixels: NDArray[np.float32]) -> list[object]:
    rounded: list[object] = pixels.astype(float).round(2).tolist()
    return rounded
