"""How still overlays sit on a still face, and how close they stay to a moving one, at each level of smoothing.

python -m benchmarks.smoothing CLIP [--seconds N]

Jitter is the median, over frames and points, of |p[t-1] - 2 p[t] + p[t+1]| over the distance between the outer corners
of the eyes. Lag is where the correlation of smoothed and unsmoothed trajectories peaks, to a fraction of a frame (a
parabola through three values). The moving pictures are the demo clip's first frame, moved in a known way, with noise of
3 grey levels; their truth is what the network says of the frame at rest, moved likewise.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from fkd_desktop.live.pipeline import Pipeline
from fkd_desktop.live.smoothing import OneEuroFilter, SmoothingLevel
from fkd_desktop.live.sources import VideoSource
from trainer.core.keypoints import LEFT_EYE, RIGHT_EYE, inter_ocular_distance
from trainer.core.predictor import Predictor
from trainer.core.preprocess import box_from_keypoints
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_LAG = 6
UPPER_LIDS, LOWER_LIDS = [37, 38, 43, 44], [41, 40, 47, 46]
LIPS = (62, 66)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.smoothing", description=__doc__.split("\n", 1)[0])
    parser.add_argument("clip", type=Path, help="a recording of one face")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each moving picture (default: 3)")
    options = parser.parse_args()
    predictor = Predictor.load(device="cpu")
    tracks = {level: track(predictor, options.clip, level) for level in SmoothingLevel}
    print_clip(tracks)
    print_moving_pictures(predictor, options.seconds)


def track(predictor: Predictor, clip: Path, level: SmoothingLevel) -> np.ndarray:
    """(T, 68, 2) keypoints of the clip's one face."""
    pipeline = Pipeline(predictor)
    pipeline.smoothing = level
    points = []
    source = VideoSource(clip)
    source.open()
    while (frame := source.read()) is not None:
        result = pipeline.process(frame.image_bgr, frame.timestamp_s)
        if len(result) != 1:
            raise SystemExit(f"{clip} shows {len(result)} faces at {frame.timestamp_s:.2f} s; choose one with one face")
        points.append(result.keypoints_px[0])
    source.close()
    return np.array(points, np.float64)


# --- figures


def jitter(points: np.ndarray) -> float:
    """Share of the inter-ocular distance; see the module."""
    step = np.linalg.norm(points[:-2] - 2 * points[1:-1] + points[2:], axis=-1)
    return float(np.median(step / inter_ocular_distance(points)[1:-1, None]))


def lag_frames(smoothed: np.ndarray, raw: np.ndarray, chosen: np.ndarray | None = None) -> float:
    """Frames by which the (T,) smoothed signal is behind the raw one, at the chosen (T,) frames."""
    frames = np.arange(LARGEST_LAG, len(raw) - LARGEST_LAG)
    if chosen is not None:
        frames = frames[chosen[frames]]
    lags = np.arange(-LARGEST_LAG, LARGEST_LAG + 1)
    peak = np.array([np.corrcoef(smoothed[frames], raw[frames - lag])[0, 1] for lag in lags])
    i = int(np.clip(peak.argmax(), 1, len(lags) - 2))
    bend = peak[i - 1] - 2 * peak[i] + peak[i + 1]
    return float(lags[i] + (peak[i - 1] - peak[i + 1]) / (2 * bend))


def point_lags(smoothed: np.ndarray, raw: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(136,) lags of all points and both axes."""
    return np.array([lag_frames(smoothed[:, k, a], raw[:, k, a], chosen) for k in range(68) for a in (0, 1)])


def quick_frames(points: np.ndarray) -> np.ndarray:
    """(T,) bool: the quarter of the frames in which the face moves most, with their neighbours."""
    speed = np.linalg.norm(np.gradient(points.mean(axis=1), axis=0), axis=1)
    around = np.convolve(speed, np.ones(9) / 9, "same")
    return around > np.percentile(around, 75)


def eye_opening(points: np.ndarray) -> np.ndarray:
    height = np.linalg.norm(points[:, UPPER_LIDS] - points[:, LOWER_LIDS], axis=-1)
    return height.mean(axis=1) / inter_ocular_distance(points)


def mouth_opening(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, LIPS[0]] - points[:, LIPS[1]], axis=-1) / inter_ocular_distance(points)


def blink_kept(raw: np.ndarray, level: SmoothingLevel, *, frames_per_s: float = 25.0) -> float:
    """Share that is left of blinks of 0.2 s, one a second, that are added to a recording of eyes that do not blink."""
    times_s = np.arange(len(raw)) / frames_per_s
    sides = box_from_keypoints(raw)[:, 2]
    closing = np.interp(times_s % 1.0, [0.4, 0.5, 0.6], [0, 1, 0]) * 0.035 * sides
    blinking = raw.copy()
    blinking[:, UPPER_LIDS, 1] += closing[:, None]
    lids = []
    for points in (blinking, raw):
        one_euro = OneEuroFilter(level.settings)
        measured = zip(points.astype(np.float32), times_s, sides, strict=True)
        lids.append(
            np.array([one_euro(p[None], timestamp_s=float(t), faces_px=np.float32([s]))[0] for p, t, s in measured])
        )
    depth = (lids[0] - lids[1])[:, UPPER_LIDS, 1].mean(axis=1)
    each_s = round(frames_per_s)
    count = len(raw) // each_s
    blinks = slice(0, count * each_s)
    return float(
        np.median(depth[blinks].reshape(count, -1).max(axis=1) / closing[blinks].reshape(count, -1).max(axis=1))
    )


# --- the clip


def print_clip(tracks: dict[SmoothingLevel, np.ndarray]) -> None:
    raw = tracks[SmoothingLevel.OFF]
    quick = quick_frames(raw)
    print(f"{len(raw)} frames, {inter_ocular_distance(raw).mean():.0f} px between the eyes")
    print("level  jitter   lower  lag: face  face, quick  points, quick (p95)  eyes   mouth  blinks kept  mouth kept")
    for level, points in tracks.items():
        centre, raw_centre = points.mean(axis=1), raw.mean(axis=1)
        face, face_quick = (
            np.mean([lag_frames(centre[:, axis], raw_centre[:, axis], some) for axis in (0, 1)])
            for some in (None, quick)
        )
        lags = point_lags(points, raw, quick)
        eyes = lag_frames(eye_opening(points), eye_opening(raw))
        mouth = lag_frames(mouth_opening(points), mouth_opening(raw))
        speech = mouth_opening(points).std() / mouth_opening(raw).std()
        print(
            f"{level.name:5}  {100 * jitter(points):5.3f} %  {jitter(raw) / jitter(points):4.1f} x  {face:9.2f}  "
            f"{face_quick:11.2f}  {np.median(lags):13.2f} ({np.percentile(lags, 95):.2f})  {eyes:5.2f}  {mouth:5.2f}  "
            f"{blink_kept(raw, level):11.2f}  {speech:10.2f}"
        )


# --- moving pictures


def sway(amount: float, period_s: float) -> Callable[[float], float]:
    return lambda t: amount * np.sin(2 * np.pi * t / period_s)


def motions(width_px: float) -> dict[str, Callable[[float], tuple[float, float, float]]]:
    """By name: from a time to a shift to the right in pixels, a turn in degrees and a scale."""
    moves: dict[str, Callable[[float], tuple[float, float, float]]] = {"still": lambda _: (0.0, 0.0, 1.0)}
    for speed in (0.05, 0.1, 0.25, 0.5, 1.0):  # at its highest, in face widths a second
        way = sway(speed * width_px / np.pi, 2.0)
        moves[f"sideways, {speed:g} widths/s"] = lambda t, way=way: (way(t), 0.0, 1.0)
    turn, zoom = sway(15, 2.0), sway(0.15, 2.0)
    moves["tilting, 47 degrees/s"] = lambda t: (0.0, turn(t), 1.0)
    moves["nearer and farther, 47 %/s"] = lambda t: (0.0, 0.0, 1 + zoom(t))
    return moves


def print_moving_pictures(predictor: Predictor, seconds: float) -> None:
    capture = cv2.VideoCapture(str(assets_dir() / "demo" / "demo.mp4"))
    picture = capture.read()[1]
    capture.release()
    rest = Pipeline(predictor).process_still(picture, 0.0)
    points, width_px = rest.keypoints_px[0].astype(np.float64), float(rest.boxes_xywh[0, 2])
    centre = points[[*RIGHT_EYE, *LEFT_EYE]].mean(axis=0)
    rng = np.random.default_rng(0)
    print(f"\na {width_px:.0f} px face; error: mean distance from the truth, less what the network has at rest, as")
    print("standard deviation over frames where still; all in % of the distance between the eyes")
    print(f"{'motion':28} rate  " + "  ".join(f"{level.name + ': jitter lag error':24}" for level in SmoothingLevel))
    for name, move in motions(width_px).items():
        for rate in (15, 30, 60) if name == "sideways, 0.5 widths/s" else (30,):
            times_s = np.arange(round(seconds * rate)) / rate
            ways = [affine(centre, *move(t)) for t in times_s]
            frames = [
                noisy(cv2.warpAffine(picture, way, (640, 480), borderMode=cv2.BORDER_REPLICATE), rng) for way in ways
            ]
            truth = np.array([points @ way[:, :2].T + way[:, 2] for way in ways])
            cells = []
            for level in SmoothingLevel:
                pipeline = Pipeline(predictor)
                pipeline.smoothing = level
                seen = np.array([pipeline.process(f, t).keypoints_px[0] for f, t in zip(frames, times_s, strict=True)])
                cells.append(compare(seen.astype(np.float64)[rate // 2 :], truth[rate // 2 :]))
            print(f"{name:28} {rate:4}  " + "  ".join(f"{cell:24}" for cell in cells), flush=True)


def affine(centre: np.ndarray, right_px: float, turn_deg: float, scale: float) -> np.ndarray:
    way = cv2.getRotationMatrix2D(tuple(map(float, centre)), turn_deg, scale)
    way[0, 2] += right_px
    return way


def noisy(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)


def compare(seen: np.ndarray, truth: np.ndarray) -> str:
    iod = float(inter_ocular_distance(truth).mean())
    away = seen - truth
    error = np.linalg.norm(away - away.mean(axis=0), axis=-1).mean() / iod
    signal = truth.std(axis=0).max(axis=1)  # points that hardly move have no lag
    moving = [(k, int(truth[:, k].std(axis=0).argmax())) for k in np.flatnonzero(signal > 1.0)]
    lags = [lag_frames(seen[:, k, a], truth[:, k, a]) for k, a in moving]
    lag = f"{np.median(lags):.2f}" if lags else "-"
    return f"{100 * jitter(seen):5.3f} {lag:>5} {100 * error:5.2f}"


if __name__ == "__main__":
    main()
