"""What several tests of the live pipeline need."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np

from fkd_desktop.live.result import Frame
from fkd_desktop.live.sources import FrameSource
from trainer.core.preprocess import box_from_keypoints

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

WAIT_S = 10.0
"""Longest that a test waits for something that must come; never reached when all is well."""


@dataclass(frozen=True)
class DemoFrame:
    """A frame of the demo clip and the faces in it, as `assets/README.md` describes them."""

    image_bgr: np.ndarray
    faces: list[dict[str, Any]]


def assert_one_clear_sentence(error: BaseException, *names: str) -> None:
    """Check that a message is a single sentence that names the thing and says what to do."""
    message = str(error)
    assert message
    assert "\n" not in message
    assert ". " not in message and not message.endswith("."), "one sentence, without its full stop"
    for name in names:
        assert name in message
    what_to_do = message.rpartition(";")[2].rpartition(" so ")[2]
    verbs = r"\b(choose|check|close|plug|write|give|get|install|mend|put|update|free|see)\b"
    assert re.search(verbs, what_to_do), f"{message!r} does not say what to do"
    assert "Error:" not in message and "Error(" not in message and "object at" not in message


def face_points(cx: float = 320, cy: float = 240, side: float = 150, *, tilt_rad: float = 0.0) -> np.ndarray:
    """(68, 2) float32 keypoints of a schematic face whose box has this centre and side."""
    jaw = [(-0.5 * np.cos(a), 0.65 * np.sin(a)) for a in np.linspace(0, np.pi, 17)]
    brows = [(x, -0.25) for x in (*np.linspace(-0.42, -0.1, 5), *np.linspace(0.1, 0.42, 5))]
    nose = [*((0, y) for y in np.linspace(-0.1, 0.15, 4)), *((x, 0.22) for x in np.linspace(-0.1, 0.1, 5))]
    eye = [(-0.09, 0), (-0.04, -0.04), (0.04, -0.04), (0.09, 0), (0.04, 0.04), (-0.04, 0.04)]
    eyes = [(x + offset, y - 0.1) for offset in (-0.22, 0.22) for x, y in eye]
    mouth = [(0.2 * np.cos(a), 0.38 + 0.09 * np.sin(a)) for a in np.linspace(np.pi, 3 * np.pi, 12, endpoint=False)]
    lips = [(0.15 * np.cos(a), 0.38 + 0.03 * np.sin(a)) for a in np.linspace(np.pi, 3 * np.pi, 8, endpoint=False)]
    points = np.array([*jaw, *brows, *nose, *eyes, *mouth, *lips])
    turn = np.array([[np.cos(tilt_rad), -np.sin(tilt_rad)], [np.sin(tilt_rad), np.cos(tilt_rad)]])
    points = points @ turn.T
    points *= side / box_from_keypoints(points)[2]
    box = box_from_keypoints(points)
    return (points + np.array([cx, cy]) - box[:2] - box[2:] / 2).astype(np.float32)


def write_video(
    path: Path,
    *,
    frames: int = 30,
    width: int = 160,
    height: int = 120,
    codec: str = "libx264",
    times_s: Sequence[float] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Make a video with FFmpeg: 30 frames a second unless times are given; frame i has the grey value 8 i."""
    milliseconds = Fraction(1, 1000)
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = milliseconds
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), 8 * i % 256, np.uint8), format="bgr24")
            frame.pts = round(1000 * (i / 30 if times_s is None else times_s[i]))
            frame.time_base = milliseconds
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


_BITS, _BLOCK_PX = 10, 16


def write_numbered_video(
    path: Path,
    *,
    frames: int = 90,
    times_s: Sequence[float] | None = None,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Make a video of 160 x 120 px whose frames carry their numbers, for `number_in`; 30 a second without times.

    Options are the encoder's: ``{"bf": "3", "g": "50"}`` gives B-frames and few key frames.
    """
    milliseconds = Fraction(1, 1000)
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=30, options=options or {})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.time_base = milliseconds
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(numbered_picture(i), format="bgr24")
            frame.pts = round(1000 * (i / 30 if times_s is None else times_s[i]))
            frame.time_base = milliseconds
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def numbered_picture(number: int, *, height: int = 120) -> np.ndarray:
    """Return a picture whose first rows are a number in binary, black and white."""
    image = np.full((height, _BITS * _BLOCK_PX, 3), 90, np.uint8)
    for bit in range(_BITS):
        image[:_BLOCK_PX, bit * _BLOCK_PX : (bit + 1) * _BLOCK_PX] = 255 if number >> bit & 1 else 0
    return image


def number_in(frame: Frame | None) -> int:
    """Return the number that `numbered_picture` put into a frame."""
    assert frame is not None
    middle = _BLOCK_PX // 2
    bits = [int(frame.image_bgr[middle, bit * _BLOCK_PX + middle, 1]) for bit in range(_BITS)]
    assert all(value < 70 or value > 180 for value in bits), f"no number, or a damaged one: {bits}"
    return sum((value > 127) << bit for bit, value in enumerate(bits))


class ScriptedSource(FrameSource):
    """Gives frames at the times of a list; what a list holds besides is called, and may block or raise.

    A frame's top left pixel is its number. Everything that happens to the source is an event that tests can wait for.
    """

    def __init__(self, script: Sequence[float | Callable[[], object]], *, is_live: bool = False) -> None:
        self.label = "Scripted"
        self.is_live = is_live
        self._script = list(script)
        self.frames = 0
        self.opened, self.closed = threading.Event(), threading.Event()

    def open(self) -> None:
        self.opened.set()

    def read(self) -> Frame | None:
        while self._script:
            step = self._script.pop(0)
            if callable(step):
                step()
                continue
            image = np.full((48, 64, 3), self.frames, np.uint8)
            self.frames += 1
            return Frame(image, step, time.perf_counter())
        return None

    def close(self) -> None:
        self.closed.set()


def number_of(frame: Frame) -> int:
    """Return the number of a `ScriptedSource`'s frame."""
    return int(frame.image_bgr[0, 0, 0])


def read_all(source: FrameSource) -> list[Frame]:
    frames = []
    source.open()
    try:
        while (frame := source.read()) is not None:
            frames.append(frame)
    finally:
        source.close()
    return frames


RED = (10, 20, 200)


def picture(height: int = 50, width: int = 60) -> np.ndarray:
    """Left half black, right half red."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, width // 2 :] = RED
    return image


def save(path: Path, image: np.ndarray, *, as_type: str | None = None) -> Path:
    """Encode an image as what its suffix, or another one, says."""
    is_encoded, data = cv2.imencode(as_type or path.suffix, image)
    assert is_encoded
    path.write_bytes(data.tobytes())
    return path


class FakeCapture:
    """What `cv2.VideoCapture` gives for a camera, without one."""

    def __init__(self, images: list[np.ndarray | None], *, is_open: bool = True) -> None:
        self.images, self.is_open = images, is_open
        self.settings: list[tuple[int, float]] = []
        self.released = 0

    def isOpened(self) -> bool:  # noqa: N802
        return self.is_open

    def set(self, key: int, value: float) -> bool:
        self.settings.append((key, value))
        return True

    def get(self, key: int) -> float:
        return dict(self.settings).get(key, 0.0)

    def read(self) -> tuple[bool, np.ndarray | None]:
        """Return the next picture, and whether there is one. For tests to replace; our code calls the two below."""
        image = self.images.pop(0) if self.images else None
        return image is not None, image

    def grab(self) -> bool:
        self._grabbed = self.read()
        return self._grabbed[0]

    def retrieve(self) -> tuple[bool, np.ndarray | None]:
        return self._grabbed

    def release(self) -> None:
        self.released += 1
