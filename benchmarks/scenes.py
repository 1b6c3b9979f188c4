"""Scenes that faces are looked for in: people who come, go and cross, cuts, darkness, turned faces, no face at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from benchmarks.clips import Actor, ClipFrame, background, compose, sway
from trainer.core.preprocess import box_from_keypoints

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from benchmarks.clips import Reel, Way


def _walk(*stations: tuple[float, float, float, float]) -> Way:
    """Go through (time, x, y, side), evenly from one to the next."""
    times_s, xs, ys, sides = zip(*stations, strict=True)

    def way(time_s: float) -> tuple[float, float, float]:
        return tuple(float(np.interp(time_s, times_s, values)) for values in (xs, ys, sides))  # type: ignore[return-value]

    return way


def crossing(reel: Reel) -> Iterator[ClipFrame]:
    """Three people at 1280x720: one leaves and comes back, two cross."""
    actors = [
        Actor(_walk((0, 300, 250, 150), (4, 1450, 300, 150), (6, 1450, 300, 150), (11, 200, 280, 190))),
        Actor(_walk((0, 1000, 500, 170), (5, 250, 480, 150), (11, 1000, 520, 160)), mirrored=True, offset=30),
        Actor(_walk((0, 640, 180, 90), (3, 640, 180, 90), (7, 640, 420, 230), (11, 640, -200, 230)), offset=60),
    ]
    return compose(reel, actors, size=(1280, 720), frames=330, seed=1)


def cuts(reel: Reel, *, scenes: int = 10, frames_each: int = 40) -> Iterator[ClipFrame]:
    """Scenes of none to three people at 640x360 that follow one another without a transition."""
    random = np.random.default_rng(3)
    for scene in range(scenes):
        people = (1, 2, 0, 3, 1)[scene % 5]
        actors = []
        for i in range(people):
            side = random.uniform(50, 110)
            middle = ((i + random.uniform(0.4, 0.6)) * 640 / people, random.uniform(0.4, 0.6) * 360)
            way = sway(middle, side, random.uniform(0, 6), 3.0)
            actors.append(Actor(way, mirrored=bool(random.integers(2)), offset=int(random.integers(100))))
        start_s = scene * frames_each / 30
        yield from compose(reel, actors, size=(640, 360), frames=frames_each, start_s=start_s, seed=10 + scene)


def darkness(reel: Reel) -> Iterator[ClipFrame]:
    """Two people at 640x480, and the light goes out twice: for a second, and for a moment."""
    actors = [
        Actor(sway((190, 230), 110, 0, 3)),
        Actor(sway((470, 250), 120, 2, 4), mirrored=True, offset=40),
    ]
    return compose(
        reel,
        actors,
        size=(640, 480),
        frames=180,
        seed=2,
        light=lambda t: 0.02 if 2 <= t < 3 or 4.5 <= t < 4.6 else 1.0,
    )


def slide_show(
    pictures: Sequence[tuple[NDArray[np.uint8], NDArray[np.float32]]],
    *,
    size: tuple[int, int] = (640, 360),
    frames_each: int = 12,
    frames_per_s: float = 30.0,
) -> Iterator[ClipFrame]:
    """Show pictures of one labelled face each, one after the other, drifting a little.

    Parameters
    ----------
    pictures
        (H, W, 3) uint8 with its (68, 2) keypoints.
    """
    width, height = size
    random = np.random.default_rng(4)
    for number, (picture, points) in enumerate(pictures):
        canvas = background(width, height, seed=100 + number)
        fit = random.uniform(0.6, 0.95) * min(width / picture.shape[1], height / picture.shape[0])
        shown = cv2.resize(picture, None, fx=fit, fy=fit, interpolation=cv2.INTER_AREA if fit < 1 else cv2.INTER_LINEAR)
        free = np.array([width - shown.shape[1], height - shown.shape[0]])
        corner = random.uniform(0.1, 0.9, 2) * free
        drift = random.uniform(-1, 1, 2) * 0.04 * min(size)
        box = box_from_keypoints((points + 0.5) * fit - 0.5)
        for k in range(frames_each):
            x, y = np.clip(corner + drift * k / frames_each, 0, free).round().astype(int)
            frame = canvas.copy()
            frame[y : y + shown.shape[0], x : x + shown.shape[1]] = shown
            boxes = (box + np.float32([x, y, 0, 0]))[None]
            time_s = (number * frames_each + k) / frames_per_s
            yield ClipFrame(frame, time_s, boxes, np.ones(1, np.float32))


def painted_out(frames_bgr: Sequence[NDArray[np.uint8]], boxes_xywh: NDArray[np.float32]) -> Iterator[ClipFrame]:
    """Replace the one face of a recording by the colours around it."""
    for k, (picture, (left, top, side, _)) in enumerate(zip(frames_bgr, boxes_xywh, strict=True)):
        mask = np.zeros(picture.shape[:2], np.float32)
        centre = (round(float(left + side / 2)), round(float(top + 0.6 * side)))
        cv2.ellipse(mask, centre, (round(0.62 * float(side)), round(0.8 * float(side))), 0, 0, 360, 1.0, -1)
        mask = cv2.GaussianBlur(mask, (0, 0), 4)[:, :, None]
        soft = cv2.GaussianBlur(picture, (0, 0), 0.5 * float(side))
        yield ClipFrame((picture * (1 - mask) + soft * mask).astype(np.uint8), k / 25)


def noise_and_textures(*, size: tuple[int, int] = (640, 360), frames_each: int = 60) -> Iterator[ClipFrame]:
    """Show no face at all: noise, leaves of many sizes, a chequerboard, stripes, moving blobs with spots."""
    width, height = size
    random = np.random.default_rng(5)
    leaves = sum(
        cv2.resize(random.uniform(-1, 1, (height // step, width // step, 3)), (width, height)) * step
        for step in (4, 12, 40)
    )
    leaves = np.clip(128 + 2.5 * np.asarray(leaves), 0, 255).astype(np.uint8)
    board = (np.add.outer(np.arange(height) // 24, np.arange(width) // 24) % 2 * 200 + 25).astype(np.uint8)
    stripes = np.broadcast_to((128 + 100 * np.sin(np.arange(width) / 9)).astype(np.uint8), (height, width))
    blobs = [(random.uniform(0, 1, 4), random.uniform(20, 90), random.uniform(30, 220, 3)) for _ in range(14)]

    def drawn(kind: int, k: int) -> NDArray[np.uint8]:
        if kind == 0:
            return np.clip(random.normal(120, 50, (height, width, 3)), 0, 255).astype(np.uint8)
        if kind == 4:
            picture = background(width, height, seed=6)
            for (x, y, phase, speed), radius, colour in blobs:
                centre = (
                    round(width * (x + 0.1 * np.sin(0.1 * speed * k + 6 * phase))),
                    round(height * (y + 0.1 * np.cos(0.13 * speed * k + 6 * phase))),
                )
                cv2.ellipse(picture, centre, (round(0.8 * radius), round(radius)), 0, 0, 360, colour.tolist(), -1)
            return cv2.GaussianBlur(picture, (0, 0), 1.5)
        still = (leaves, cv2.merge([board] * 3), cv2.merge([np.ascontiguousarray(stripes)] * 3))[kind - 1]
        return np.roll(still, (k // 2, 2 * k), axis=(0, 1))

    for kind in range(5):
        for k in range(frames_each):
            yield ClipFrame(drawn(kind, k), (kind * frames_each + k) / 30)
