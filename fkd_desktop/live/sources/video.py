"""Video files."""

from __future__ import annotations

import codecs
import time
import unicodedata
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from fkd_desktop.errors import SourceError
from fkd_desktop.live.result import Frame, Position
from fkd_desktop.live.sources.base import FrameSource, check_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fkd_desktop.live.sources.video_file import VideoFile, VideoPicture

VIDEO_SUFFIXES: Final = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"})
_COMPLETE_SHARE: Final = 0.9
"""A video that gives this share of what its header says counts as whole: headers are often estimates."""

_LOOK_S: Final = 2.0
"""Longest that looking for the end of a file may take."""


class VideoSource(FrameSource):
    """A video file, at its own pace.

    Parameters
    ----------
    path
        The file.
    label
        What to call it; None for the file's name.
    loop
        Start again at the end.
    """

    can_seek = True

    def __init__(self, path: Path, *, label: str | None = None, loop: bool = False) -> None:
        self.label = label or path.name
        self.loop = loop
        self._path = path
        self._file: VideoFile | None = None
        self._expected = 0
        self._last: VideoPicture | None = None
        self._offset_s = 0.0
        self._last_s = 0.0

    def open(self) -> None:
        """See `FrameSource.open`."""
        from fkd_desktop.live.sources.video_file import VideoFile  # noqa: PLC0415 (PyAV: not for a camera's session)

        check_file(self._path)
        with self._one_sentence():
            if is_text(self._path):  # some texts FFmpeg would read, as pictures of the text
                raise ValueError("it is a text")
            self._file = VideoFile(self._path)
        self._expected = self._file.count
        self._last = None
        self._offset_s = self._last_s = 0.0

    def read(self) -> Frame | None:
        """See `FrameSource.read`."""
        if self._file is None:
            return None
        picture = self._file.read()
        if picture is None and self._last is not None and self.loop:
            self._offset_s = self._last_s + self._file.step_s
            with self._one_sentence():
                self._file.rewind()
            picture = self._file.read()
        if picture is None:
            self._complain_if_it_ended_early()
            return None
        self._last = picture
        self._last_s = self._offset_s + picture.time_s
        position = Position("video", picture.index, self._file.count, picture.time_s, self._file.duration_s)
        return Frame(picture.image_bgr, self._last_s, time.perf_counter(), position=position)

    def seek(self, *, time_s: float | None = None, index: int | None = None) -> None:
        """See `FrameSource.seek`."""
        if self._file is None:
            return
        self._offset_s = 0.0
        with self._one_sentence():
            if time_s is not None:
                self._file.seek_time(max(0.0, time_s))
            elif index is not None:
                self._file.seek_index(max(0, index))

    @contextmanager
    def _one_sentence(self) -> Iterator[None]:
        """Say in a sentence what FFmpeg complains about."""
        import av  # noqa: PLC0415 (see `open`)

        from fkd_desktop.live.sources.video_index import MAX_VIDEO_PIXELS, TooLargeError  # noqa: PLC0415

        try:
            yield
        except TooLargeError as error:
            raise SourceError(
                "the pictures of {path} are too large; choose a video of at most {limit} megapixels a picture",
                path=self._path,
                limit=MAX_VIDEO_PIXELS // 1_000_000,
            ) from error
        except (OSError, ValueError, av.FFmpegError) as error:
            check_file(self._path)  # perhaps it is only gone
            raise SourceError(
                "{path} is not a video or picture that can be read, or is damaged; choose another file",
                path=self._path,
            ) from error

    def _complain_if_it_ended_early(self) -> None:
        if self._file is None:
            return
        if self._last is None:
            raise SourceError(
                "{path} has no picture that can be read; it is empty, damaged or too large, choose another file",
                path=self._path,
            )
        # A container without an index says how long it is, and the number of frames is guessed from that: where frames
        # come at uneven times, only the time tells that the video is whole.
        step_s = self._file.step_s
        is_short = max(self._last.index + 1, self._last.time_s / step_s + 1) < _COMPLETE_SHARE * self._expected
        if is_short and not _is_whole(self._path):  # the pictures may end before the sound
            raise SourceError(
                "{path} is cut off after {there} of its {expected} seconds; the rest is lost, so get the file again "
                "for all of it",
                path=self._path,
                there=f"{self._last.time_s + step_s:.1f}",
                expected=f"{self._expected * step_s:.1f}",
            )

    def close(self) -> None:
        """See `FrameSource.close`."""
        file, self._file = self._file, None
        if file is not None:
            file.close()


def _is_whole(path: Path) -> bool:
    """Whether any stream of a file, such as its sound, goes on for as long as the header says; reads the file."""
    import av  # noqa: PLC0415 (see `VideoSource.open`)

    from fkd_desktop.live.sources.video_index import open_container  # noqa: PLC0415

    stop_s = time.perf_counter() + _LOOK_S
    try:
        with open_container(path) as container:
            length_s, first_s = (container.duration or 0) / 1_000_000, (container.start_time or 0) / 1_000_000
            for packet in container.demux():
                end_s = float(((packet.pts or 0) + (packet.duration or 0)) * (packet.time_base or 0))
                if end_s - first_s >= _COMPLETE_SHARE * length_s > 0:
                    return True
                if time.perf_counter() > stop_s:
                    return False
    except (OSError, av.FFmpegError):
        pass
    return False


def is_text(path: Path) -> bool:
    """Whether a file begins with nothing but characters of a text."""
    with path.open("rb") as file:
        start = file.read(1024)
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return not any(unicodedata.category(c) == "Cc" and c not in "\t\n\f\r\x1b" for c in text)
