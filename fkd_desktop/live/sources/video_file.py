"""Decoding a video file, and finding any of its frames exactly.

PyAV and not OpenCV: OpenCV guesses a frame's number from its time and the frame rate, so it seeks to wrong frames where
frames come at uneven times, and it has no exact times to check that by.
"""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from fkd_desktop.live.sources.base import as_frame
from fkd_desktop.live.sources.video_index import (
    MAX_VIDEO_PIXELS,
    FrameIndex,
    TooLargeError,
    UselessTimesError,
    open_container,
    packets_of,
    read_index,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_MAX_BAD_PACKETS: Final = 4096
_MAX_THREADS: Final = 4
"""Each one more keeps a frame in the making: more would only make seeking slower."""
_NEAR_S: Final = 1.0
"""Up to this far ahead, decoding on is thought to be quicker than going to a key frame, whose places are unknown."""
_RECENT: Final = 8
_RECENT_PX: Final = 40_000_000
"""So many decoded frames are kept for stepping back, fewer of large ones: a pixel takes 1.5 bytes or more."""
_UNSPECIFIED, _BT470BG, _SMPTE170M = 2, 5, 6  # AVColorSpace; FFmpeg takes the first one for BT.601, as the others are
_FULL_RANGE: Final = 2  # AVColorRange


@dataclass(frozen=True, eq=False)
class VideoPicture:
    """A decoded frame: (H, W, 3) BGR uint8, its time from the start of the video, its number from 0."""

    image_bgr: NDArray[np.uint8]
    time_s: float
    index: int


class VideoFile:
    """The pictures of a video file, in order of presentation, upright.

    Attributes
    ----------
    step_s
        Usual time between two frames.
    count
        Number of frames: by what the file's header says at first, and by the frames themselves after a seek.
    duration_s
        How long it is.

    Raises
    ------
    av.FFmpegError, OSError, ValueError
        If it is no video; `TooLargeError` if it is too large a one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reformatter = VideoReformatter()
        self._index: FrameIndex | None = None
        self._index_failed = False
        self._open()
        rate = float(self._stream.guessed_rate or self._stream.average_rate or 0)
        self.step_s = 1 / rate if 0 < rate <= 1000 else 1 / 30
        container_s = max(0.0, (self._container.duration or 0) / 1_000_000 - self._late_s())
        stream_s = float((self._stream.duration or 0) * (self._stream.time_base or 0))
        self.duration_s = stream_s if stream_s > 0 else container_s or self._stream.frames * self.step_s
        by_time = round(self.duration_s / self.step_s)
        self.count: int = min(self._stream.frames, by_time) if self._stream.frames > 0 else by_time

    def _open(self) -> None:
        self._container: Any = open_container(self._path)
        stream: Any = self._container.streams.best("video")
        if stream is None or stream.codec_context is None:
            self._container.close()
            raise ValueError("there is no video in it, or one of an unknown kind")
        if (stream.width or 0) * (stream.height or 0) > MAX_VIDEO_PIXELS:
            self._container.close()
            raise TooLargeError
        self._stream = stream
        stream.codec_context.options = {"max_pixels": str(MAX_VIDEO_PIXELS)}  # what comes later may be larger
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = min(_MAX_THREADS, os.cpu_count() or 1)
        self._frames: Iterator[Any] = self._decode()
        self._pending: deque[Any] = deque()  # decoded, and to be read before all others
        self._recent: deque[Any] = deque(maxlen=_RECENT)  # the decoder's last frames, without a gap
        self._start_pts: int | None = stream.start_time
        self._size: tuple[int, int] | None = None
        self._last_index, self._last_s, self._last_pts = -1, -1.0, None
        self._wanted_pts: int | None = None
        self._is_elsewhere = False  # moved since the last frame was read
        self._is_counting = True  # from the first frame on; else only times tell the number

    def _late_s(self) -> float:
        """Return how much later than the file's first stream, such as its sound, the pictures begin."""
        start_s = float((self._stream.start_time or 0) * (self._stream.time_base or 0))
        return max(0.0, start_s - float(self._container.start_time or 0) / 1_000_000)

    def close(self) -> None:
        """Let go of the file."""
        self._frames = iter(())  # which holds this object, and it the decoder's threads
        self._pending.clear()
        self._recent.clear()
        self._container.close()

    def rewind(self) -> None:
        """Go to the first frame. Opening anew is quick, and never lands elsewhere."""
        self._container.close()
        self._open()

    def read(self) -> VideoPicture | None:
        """Decode the next picture; None at the end."""
        while (frame := self._next_frame()) is not None:
            time_s, index = self._time_and_index(frame)
            if self._is_elsewhere or time_s > self._last_s:
                break  # in a damaged file one may come again, or too late
        else:
            self.count = self._last_index + 1
            return None
        self.count = max(self.count, index + 1)
        self.duration_s = max(self.duration_s, time_s + self.step_s)
        self._last_s, self._last_index, self._is_elsewhere = time_s, index, False
        return VideoPicture(self._image(frame), time_s, index)

    # --- places

    def seek_time(self, time_s: float) -> None:
        """Make the frame nearest to a time the next one."""
        self._make_index()
        if self._index_failed:
            self._count(lambda frame_s, _: frame_s < time_s - self.step_s / 2)
        else:
            self._seek_pts(self._nearest(self._pts_at(time_s)))

    def seek_index(self, index: int) -> None:
        """Make a frame the next one by its number; the last one if there are not so many."""
        self._make_index()
        if index == self._last_index + 1 and not self._is_elsewhere:
            frame = self._next_frame()
            if frame is not None:
                self._pending.appendleft(frame)
                return
            index = self._last_index
        if self._index_failed:
            self._count(lambda _, number: number < index)
        elif self._index is not None:
            self._seek_pts(self._index.pts[min(max(0, index), len(self._index.pts) - 1)])
        else:  # back from a long frame, the nearest one to that time may be the same one again
            goes_back = index < self._last_index
            self._seek_pts(self._pts_at((index + 0.5 * goes_back) * self.step_s), or_before=goes_back)

    def _make_index(self) -> None:
        """Have the frames' times listed; in a file too large for that, they are estimated."""
        if self._index is not None or self._index_failed or (self._size is None and self._next_is_missing()):
            return
        try:
            index = read_index(self._path, self._stream.index)
        except UselessTimesError:
            self._index_failed = True  # only counting tells the frames
            return
        if index is not None:
            self._index = index
            self.count = len(index.pts)
            self.duration_s = self._seconds(index.pts[-1]) + self.step_s

    def _next_is_missing(self) -> bool:
        """Whether there is nothing to be found; else the first frame was decoded, which tells where times start."""
        frame = self._next_frame()
        if frame is not None:
            self._pending.appendleft(frame)
        return frame is None

    def _nearest(self, pts: int) -> int:
        if self._index is None:
            return pts
        after = bisect_left(self._index.pts, pts)
        near = self._index.pts[max(0, after - 1) : after + 1]
        return min(near, key=lambda candidate: abs(candidate - pts))

    def _seek_pts(self, target: int, *, or_before: bool = False) -> None:
        """Make the frame nearest to a time of the stream the next one, or else the last one before it."""
        self._is_counting, self._is_elsewhere = False, True
        if self._take_back(target) or (self._is_just_ahead(target) and self._decode_until(target, or_before=or_before)):
            return
        for start in self._starts(target):
            try:
                self._container.seek(start, stream=self._stream)
            except av.FFmpegError:
                continue
            self._frames = self._decode()
            self._pending.clear()
            self._recent.clear()
            if self._decode_until(target, or_before=or_before):
                return
        self.rewind()
        self._is_counting, self._is_elsewhere = False, True
        self._decode_until(target, or_before=or_before, is_last_try=True)

    def _take_back(self, target: int) -> bool:
        """Make a frame that was decoded just now the next one once more; false if it is not among them."""
        recent = list(self._recent)
        places = [i for i, frame in enumerate(recent) if frame.pts == target]
        if not places:
            return False
        self._pending = deque(recent[places[0] :])
        return True

    def _is_just_ahead(self, target: int) -> bool:
        here: int | None = self._pending[0].pts if self._pending else self._last_pts
        if here is None or here > target or (here == target and not self._pending):
            return False
        if self._index is not None:
            key = bisect_right(self._index.key_pts, target) - 1
            return key < 0 or self._index.key_pts[key] <= here
        return bool((target - here) * self._stream.time_base < _NEAR_S)

    def _starts(self, target: int) -> Iterator[int]:
        """Give times to seek to, further and further before the target: some containers land behind what is asked."""
        first = self._start_pts or 0
        if self._index is not None:
            key = bisect_right(self._index.key_pts, target) - 1
            while key >= 0:
                yield self._index.key_dts[key]
                key = (key + 1) // 2 - 1
            return
        yield target
        second = 1 / float(self._stream.time_base)
        for back_s in (1, 4, 16, 64):
            if target - back_s * second > first:
                yield round(target - back_s * second)

    def _decode_until(self, target: int, *, or_before: bool, is_last_try: bool = False) -> bool:
        """Decode up to the target, keeping the frame nearest to it; false if decoding started behind it."""
        if self._index is not None:
            place = bisect_left(self._index.pts, target)
            self._wanted_pts = self._index.pts[max(0, place - (self._recent.maxlen or 1) + 1)]
        try:
            return self._find(target, or_before=or_before, is_last_try=is_last_try)
        finally:
            self._wanted_pts = None

    def _find(self, target: int, *, or_before: bool, is_last_try: bool) -> bool:
        before = None
        while (frame := self._next_frame()) is not None:
            if frame.pts is None:
                continue
            if frame.pts >= target:
                if before is None and frame.pts > target and not self._is_first(frame) and not is_last_try:
                    return False
                self._pending.appendleft(frame)
                if before is not None and (target - before.pts < frame.pts - target or or_before):
                    self._pending.appendleft(before)
                return True
            before = frame
        if before is not None:
            self._pending.appendleft(before)
        return before is not None

    def _is_first(self, frame: Any) -> bool:
        return bool(frame.pts <= (self._index.pts[0] if self._index is not None else self._start_pts or 0))

    def _count(self, is_before: Callable[[float, int], bool]) -> None:
        """Decode all frames that are before the wanted one, from the first on: where times tell nothing."""
        self.rewind()
        last, before = None, (self._last_s, self._last_index)
        while (frame := self._next_frame()) is not None:
            time_s, index = self._time_and_index(frame)
            if not is_before(time_s, index):
                break
            last, before = frame, (self._last_s, self._last_index)
            self._last_s, self._last_index = time_s, index
        if frame is None and last is not None:  # beyond the end: the last one
            frame, (self._last_s, self._last_index) = last, before
        if frame is not None:
            self._pending.appendleft(frame)

    # --- frames

    def _decode(self) -> Iterator[Any]:
        """Give the frames; what is damaged is left out, and what cannot even be read is the end."""
        bad = 0
        self._stream.codec_context.skip_frame, skips = "DEFAULT", False
        for packet in packets_of(self._container, self._stream.index, with_end=True):
            # On the way to a frame, those long before it that no other one builds on need not be decoded.
            is_skipped = self._wanted_pts is not None and packet.pts is not None and packet.pts < self._wanted_pts
            if is_skipped != skips:
                self._stream.codec_context.skip_frame = "NONREF" if is_skipped else "DEFAULT"
                skips = is_skipped
            try:
                frames = self._stream.decode(packet)
            except av.FFmpegError:
                bad += 1
                if bad > _MAX_BAD_PACKETS:
                    return
                continue
            yield from frames

    def _next_frame(self) -> Any:
        if self._pending:
            frame = self._pending.popleft()
        else:
            frame = next(self._frames, None)
            if frame is not None and (self._wanted_pts is None or frame.pts is None or frame.pts >= self._wanted_pts):
                self._recent.append(frame)
        if frame is not None:
            if self._start_pts is None:
                self._start_pts = frame.pts
            if self._size is None:
                self._size = (frame.width, frame.height)
                keep = max(2, min(_RECENT, _RECENT_PX // (frame.width * frame.height)))
                self._recent = deque(self._recent, maxlen=keep)
            self._last_pts = frame.pts
        return frame

    def _time_and_index(self, frame: Any) -> tuple[float, int]:
        time_s = 0.0 if frame.pts is None else max(0.0, self._seconds(frame.pts))
        if self._is_counting and (self._index is None or self._index_failed):
            # Some files have no or falling times: then the frame rate is all there is.
            return time_s if time_s > self._last_s else self._last_s + self.step_s, self._last_index + 1
        if self._index is not None:
            return time_s, min(bisect_left(self._index.pts, frame.pts or 0), self.count - 1)
        return time_s, round(time_s / self.step_s)

    def _seconds(self, pts: int) -> float:
        return float((pts - (self._start_pts or 0)) * self._stream.time_base)

    def _pts_at(self, time_s: float) -> int:
        return round(time_s / float(self._stream.time_base)) + (self._start_pts or 0)

    def _image(self, frame: Any) -> NDArray[np.uint8]:
        width, height = self._size or (frame.width, frame.height)
        is_same_size = (frame.width, frame.height) == (width, height)
        is_plain = frame.format.name == "yuv420p" and int(frame.color_range) != _FULL_RANGE
        is_bt601 = int(frame.colorspace) in (_UNSPECIFIED, _BT470BG, _SMPTE170M)
        image: Any
        if is_plain and is_bt601 and is_same_size and width % 2 == height % 2 == 0:
            # Twice as quick as FFmpeg's own conversion, and the same to about one grey level.
            image = cv2.cvtColor(frame.to_ndarray(), cv2.COLOR_YUV2BGR_I420)
        else:
            image = self._reformatter.reformat(frame, width, height, "bgr24").to_ndarray()
        quarters = round(frame.rotation / 90) % 4  # counter-clockwise, as the file says that it is to be shown
        return as_frame(np.rot90(image, quarters))
