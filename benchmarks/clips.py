"""Clips that are made at run time, of faces that are known: what the benchmarks look at.

A one-face recording is cut into a reel of pictures of that face. Copies of it, shifted, scaled and mirrored, move
across a larger picture on prescribed ways, and so the true boxes are known in every frame. Drawing a frame takes some
milliseconds: draw what is to be timed beforehand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

import cv2
import numpy as np

from benchmarks.driving import there_and_back
from fkd_desktop.live.sources import VideoSource
from trainer.core.detector import HaarDetector
from trainer.core.preprocess import box_from_keypoints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from trainer.core.predictor import Predictor

CUT_PER_BOX: Final = 1.9
"""Side of a reel's pictures over the side of the face's box."""

Way: TypeAlias = "Callable[[float], tuple[float, float, float]]"


@dataclass(frozen=True, eq=False)
class ClipFrame:
    """A frame whose faces are known.

    Attributes
    ----------
    image_bgr
        (H, W, 3) uint8.
    timestamp_s
        Its time.
    boxes_xywh
        (N, 4) float32: all faces, as `box_from_keypoints` frames them, also those that are hardly seen.
    visible
        (N,) float32 in [0, 1]: the share of each box that is in the picture and not covered; 0 where it is dark.
    """

    image_bgr: NDArray[np.uint8]
    timestamp_s: float
    boxes_xywh: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 4), np.float32))
    visible: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))


@dataclass(frozen=True, eq=False)
class Reel:
    """Pictures of one face, in their order.

    Attributes
    ----------
    pictures_bgr
        (S, S, 3) uint8 each; S differs from reel to reel, not within one.
    boxes_xywh
        (T, 4) float32: the face's box in each.
    """

    pictures_bgr: list[NDArray[np.uint8]]
    boxes_xywh: NDArray[np.float32]

    def at(self, number: int) -> int:
        """Play to and fro: a number within the reel, without a jump."""
        return there_and_back(number, len(self.pictures_bgr))


@dataclass(frozen=True)
class Actor:
    """A face that moves through a clip.

    Attributes
    ----------
    way
        From a time to the centre's x and y and the side of the face's box, in pixels.
    start_s, stop_s
        When it is there.
    mirrored
        Whether its picture is.
    offset
        Number of the reel's picture that it begins with.
    """

    way: Way
    start_s: float = 0.0
    stop_s: float = math.inf
    mirrored: bool = False
    offset: int = 0


def read_frames(path: Path, frames: int | None = None) -> list[NDArray[np.uint8]]:
    """Read (the first) frames of a video."""
    pictures = []
    source = VideoSource(path)
    source.open()
    try:
        while (frames is None or len(pictures) < frames) and (frame := source.read()) is not None:
            pictures.append(frame.image_bgr)
    finally:
        source.close()
    return pictures


def face_boxes(frames_bgr: Sequence[NDArray[np.uint8]], predictor: Predictor, *, name: str) -> NDArray[np.float32]:
    """(T, 4) float32: where a recording's one face is, from a detection in the first frame and keypoints from there.

    Raises
    ------
    SystemExit
        If there is no face, or it is lost.
    """
    box = HaarDetector().detect(frames_bgr[0], fine=True)[:1]
    if len(box) == 0:
        raise SystemExit(f"{name} shows no face in its first frame; choose a recording of one face")
    boxes = []
    for picture in frames_bgr:
        found = predictor.predict(picture, box)
        if found.confidence[0] < 0.5:
            raise SystemExit(f"{name} loses its face; choose a recording of one face")
        box = box_from_keypoints(found.points_px)
        boxes.append(box[0])
    return np.array(boxes, np.float32)


def load_reel(path: Path, predictor: Predictor, *, frames: int = 100) -> Reel:
    """Cut the face out of the first frames of a recording of one face; see `face_boxes`."""
    pictures = read_frames(path, frames)
    boxes = face_boxes(pictures, predictor, name=path.name)
    side = round(CUT_PER_BOX * float(np.median(boxes[:, 2])))
    corners = np.round(boxes[:, :2] + boxes[:, 2:] / 2 - side / 2).astype(int)
    cuts = [_cut(picture, int(x), int(y), side) for picture, (x, y) in zip(pictures, corners, strict=True)]
    return Reel(cuts, np.hstack([boxes[:, :2] - corners, boxes[:, 2:]], dtype=np.float32))


def _cut(picture: NDArray[np.uint8], left: int, top: int, side: int) -> NDArray[np.uint8]:
    """Cut out a square; what lies outside repeats the edge."""
    height, width = picture.shape[:2]
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    return np.ascontiguousarray(picture[rows][:, columns])


def background(width: int, height: int, *, seed: int = 0) -> NDArray[np.uint8]:
    """Draw a room out of focus: soft blots and a few straight edges."""
    random = np.random.default_rng(seed)
    blots = random.uniform(70, 170, (8, 12, 3)).astype(np.float32)
    picture = cv2.resize(blots, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(6):
        x, y = random.integers(0, width), random.integers(0, height)
        w, h = random.integers(width // 20 + 1, width // 4 + 2), random.integers(height // 20 + 1, height // 2 + 2)
        picture[y : y + h, x : x + w] += random.uniform(-45, 45)
    picture += random.normal(0, 3, (height, width, 1))
    return np.clip(picture, 0, 255).astype(np.uint8)


def compose(
    reel: Reel,
    actors: Sequence[Actor],
    *,
    size: tuple[int, int],
    frames: int,
    frames_per_s: float = 30.0,
    start_s: float = 0.0,
    seed: int = 0,
    light: Callable[[float], float] = lambda _: 1.0,
) -> Iterator[ClipFrame]:
    """Draw a clip: later actors stand before earlier ones.

    Parameters
    ----------
    size
        Width and height.
    light
        From a time to the share of light; below a tenth no face can be seen.
    """
    width, height = size
    room = background(width, height, seed=seed)
    for k in range(frames):
        time_s = start_s + k / frames_per_s
        picture, boxes = room.copy(), []
        for actor in actors:
            if actor.start_s <= time_s < actor.stop_s:
                boxes.append(_draw(picture, reel, actor, time_s, reel.at(actor.offset + k)))
        lit = light(time_s)
        if lit < 1:
            picture = cv2.convertScaleAbs(picture, alpha=lit)
        truth = np.array(boxes, np.float32).reshape(-1, 4)
        visible = _visible(truth, width, height) if lit >= 0.1 else np.zeros(len(truth), np.float32)
        yield ClipFrame(picture, time_s, truth, visible)


def _draw(canvas: NDArray[np.uint8], reel: Reel, actor: Actor, time_s: float, number: int) -> NDArray[np.float32]:
    """Draw a reel's picture with a soft edge so that the face lies on the actor's way; its box."""
    picture, box = reel.pictures_bgr[number], reel.boxes_xywh[number].copy()
    if actor.mirrored:
        picture = picture[:, ::-1]
        box[0] = picture.shape[1] - box[0] - box[2]
    x, y, side = actor.way(time_s)
    scale = side / float(box[2])
    to_canvas = np.array(
        [[scale, 0, x - scale * (box[0] + box[2] / 2)], [0, scale, y - scale * (box[1] + box[3] / 2)]], np.float64
    )
    height, width = canvas.shape[:2]
    corners = np.array([to_canvas[:, 2], to_canvas[:, 2] + scale * picture.shape[0]])
    x0, y0 = np.maximum(np.floor(corners[0]).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(corners[1]).astype(int), [width, height])
    if x1 > x0 and y1 > y0:
        if scale < 1:  # areas are averaged first, as a lens does
            size = max(2, round(scale * picture.shape[0]))
            to_canvas[:, :2] *= picture.shape[0] / size
            picture = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
        to_region = to_canvas - np.array([[0, 0, x0], [0, 0, y0]])
        # warpAffine places pixel centres: (i + 0.5) * scale + shift - 0.5
        to_region[:, 2] += 0.5 * to_region.diagonal() - 0.5
        region = (int(x1 - x0), int(y1 - y0))
        warped = cv2.warpAffine(np.ascontiguousarray(picture), to_region, region, borderMode=cv2.BORDER_REPLICATE)
        mask = cv2.warpAffine(_soft_mask(picture.shape[0]), to_region, region)[:, :, None]
        under = canvas[y0:y1, x0:x1]
        canvas[y0:y1, x0:x1] = (under + mask * (warped.astype(np.float32) - under)).astype(np.uint8)
    return np.array([x - side / 2, y - side / 2, side, side], np.float32)


def _soft_mask(side: int) -> NDArray[np.float32]:
    """(side, side) float32: 1 in the middle, 0 at the edge."""
    across = np.minimum(np.arange(side) + 0.5, side - np.arange(side) - 0.5) / side
    ramp = np.clip(across / 0.06, 0, 1).astype(np.float32)
    return np.outer(ramp, ramp)


def _visible(boxes: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Share of each box that is in the picture and before which no later one stands, at least."""
    start, stop = np.maximum(boxes[:, :2], 0), np.minimum(boxes[:, :2] + boxes[:, 2:], [width, height])
    inside = np.maximum(stop - start, 0).prod(axis=1) / boxes[:, 2:].prod(axis=1)
    covered = np.zeros(len(boxes), np.float32)
    for i in range(len(boxes)):
        # The picture of a face is larger than its box.
        middle, half = boxes[i + 1 :, :2] + boxes[i + 1 :, 2:] / 2, boxes[i + 1 :, 2:] * CUT_PER_BOX / 2
        overlap = np.minimum(middle + half, boxes[i, :2] + boxes[i, 2:]) - np.maximum(middle - half, boxes[i, :2])
        covered[i] = np.maximum(overlap, 0).prod(axis=1).sum() / boxes[i, 2:].prod()
    return np.maximum(inside - covered, 0).astype(np.float32)


def many_faces(
    reel: Reel, *, faces: int, size: tuple[int, int], frames: int, frames_per_s: float = 30.0, seed: int = 0
) -> Iterator[ClipFrame]:
    """Draw faces side by side that sway a little and stay in the picture, half of them mirrored.

    Faces are as large as they can be beside one another, up to 0.45 of the picture's height.
    """
    width, height = size
    columns = min(range(1, faces + 1), key=lambda n: -min(width / n, height / math.ceil(faces / n)))
    rows = math.ceil(faces / columns)
    cell = min(width / columns, height / rows)
    side = min(0.45 * height, cell / CUT_PER_BOX / 1.08)
    random = np.random.default_rng(seed)
    actors = []
    for i in range(faces):
        middle = ((i % columns + 0.5) * width / columns, (i // columns + 0.5) * height / rows)
        phase, period = random.uniform(0, 2 * np.pi), random.uniform(3, 5)
        actors.append(Actor(sway(middle, side, phase, period), mirrored=bool(i % 2), offset=7 * i))
    return compose(reel, actors, size=size, frames=frames, frames_per_s=frames_per_s, seed=seed)


def sway(middle: tuple[float, float], side: float, phase: float, period_s: float) -> Way:
    """Sway about a place by a twelfth of the face, and breathe."""

    def way(time_s: float) -> tuple[float, float, float]:
        turn = 2 * np.pi * time_s / period_s + phase
        breath = 1 + 0.02 * np.sin(0.7 * turn)
        return middle[0] + 0.08 * side * np.sin(turn), middle[1] + 0.04 * side * np.cos(0.9 * turn), side * breath

    return way
