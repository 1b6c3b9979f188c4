"""A frame's way through the live session: ms, processor time and stages, with one face and with more.

python -m benchmarks.pipeline [CLIP] [--quick] [--repeats 3]

The recording of one face as it is, and clips drawn of it with 2, 4 and 8 faces at 1280x720 (benchmarks/clips.py), go
through the live session, with its search beside the loop: as fast as they can be processed, and at 30 a second. Beside
it, OpenCV's cascade (1.2, 2) on the full frames: how many faces that finds, and what it takes.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from benchmarks.clips import Reel, load_reel, many_faces, read_frames
from benchmarks.driving import STAGES, WARM_UP_FRAMES, Drive, drive, to_and_fro
from benchmarks.figures import Figure, Value, figures_table, heading
from fkd_desktop.live.network import load_predictor
from trainer.core.detector import CASCADE_NAME, load_cascade, shipped_cascade
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from trainer.core.predictor import Predictor

MORE_FACES: Final = (2, 4, 8)
SIZE: Final = (1280, 720)
HAAR_EVERY: Final = 10
CAMERA_RATE: Final = 30.0


@dataclass(frozen=True)
class Scene:
    """Pictures with a number of faces in each, None where that is not known."""

    name: str
    pictures: Sequence[NDArray[np.uint8]]
    faces: int | None


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__.split("\n", 1)[0])
    parser.add_argument("clip", type=Path, nargs="?", default=assets_dir() / "demo" / "demo.mp4")
    parser.add_argument("--quick", action="store_true", help="few frames")
    parser.add_argument("--repeats", type=int, default=3, help="(default: %(default)s)")
    options = parser.parse_args()
    print(heading())
    repeats = [measure(options.clip, quick=options.quick) for _ in range(options.repeats)]
    print(figures_table({name: Figure.of([each[name] for each in repeats]) for name in repeats[0]}))
    return 0


def measure(clip: Path, *, quick: bool = False) -> dict[str, Value]:
    """Return the figures of one repeat."""
    predictor = load_predictor(device="cpu")
    figures: dict[str, Value] = {}
    cpu: dict[int, float] = {}
    wall: dict[int, float] = {}
    for scene in scenes(clip, predictor, quick=quick):
        frames = WARM_UP_FRAMES + (20 if quick else 300)
        fast = drive(to_and_fro(scene.pictures, frames), predictor)
        count = scene.faces or 1
        wall[count], cpu[count] = float(np.median(fast.wall_ms)), float(np.median(fast.cpu_ms))
        figures |= figures_of(scene, fast, count)
        if count in (1, 4):
            paced = drive(
                to_and_fro(scene.pictures, frames // (1 if quick else 2)), predictor, frames_per_s=CAMERA_RATE
            )
            figures |= paced_figures(scene, paced)
        figures |= haar_figures(scene)
    for name, by_faces in (("ms more a face", wall), ("ms of the processor more a face", cpu)):
        slope = float(np.polyfit(list(by_faces), list(by_faces.values()), 1)[0])
        figures[name] = Value(slope, "ms", goal=1.2 if by_faces is wall else None)
    return figures


def scenes(clip: Path, predictor: Predictor, *, quick: bool) -> list[Scene]:
    """Make the pictures: the recording, then clips of more and more faces."""
    recording = read_frames(clip, 40 if quick else 300)
    made = [Scene("one face", recording, 1)]
    reel: Reel = load_reel(clip, predictor, frames=10 if quick else 100)
    for faces in MORE_FACES[:1] if quick else MORE_FACES:
        drawn = many_faces(reel, faces=faces, size=SIZE, frames=10 if quick else 60, frames_per_s=CAMERA_RATE)
        made.append(Scene(f"{faces} faces", [frame.image_bgr for frame in drawn], faces))
    return made


def figures_of(scene: Scene, fast: Drive, count: int) -> dict[str, Value]:
    """Return what was seen at full speed."""
    p50, p90 = np.percentile(fast.wall_ms, [50, 90])
    frames = len(fast.faces)
    seen = np.minimum(fast.faces, count)
    first = int(np.argmax(np.array(fast.faces) > 0))
    stages = np.array(fast.stages_ms)
    figures = {
        "ms a frame": Value(float(p50), "ms", goal=3.1 if count == 1 else None),
        "ms a frame, p90": Value(float(p90), "ms"),
        "frames a second": Value(frames / fast.seconds, "frames/s", more_is_better=True),
        "processor, loop, median": Value(float(np.median(fast.cpu_ms)), "ms"),
        "processor, loop, mean": Value(float(np.mean(fast.cpu_ms)), "ms"),
        "processor, search, a frame": Value(1000 * fast.search_cpu_s / frames, "ms"),
        "found, of all faces": Value(
            float(seen[first:].sum()) / (count * (frames - first)), "share", True, 0.99 if count == 1 else None
        ),
        "found a frame": Value(float(np.mean(fast.faces)), "faces", more_is_better=True),
    }
    for i, stage in enumerate(STAGES):
        figures[f"stage {stage}, mean"] = Value(float(stages[:, i].mean()), "ms")
    return {f"{scene.name}, {name}": value for name, value in figures.items()}


def paced_figures(scene: Scene, paced: Drive) -> dict[str, Value]:
    """Return what was seen at a camera's rate, where the processor is cold between frames."""
    p50, p90 = np.percentile(paced.wall_ms, [50, 90])
    loop = float(np.sum(paced.cpu_ms)) / 1000
    return {
        f"{scene.name}, 30 a second, ms a frame": Value(float(p50), "ms"),
        f"{scene.name}, 30 a second, ms a frame, p90": Value(float(p90), "ms"),
        f"{scene.name}, 30 a second, of a core": Value((loop + paced.search_cpu_s) / paced.seconds, "share"),
    }


def haar_figures(scene: Scene) -> dict[str, Value]:
    """Return what OpenCV's cascade finds and takes on full frames, looked at one by one."""
    cascade = load_cascade(shipped_cascade(CASCADE_NAME))
    found, taken = [], []
    for picture in scene.pictures[::HAAR_EVERY]:
        start_s = time.perf_counter()
        found.append(len(cascade.detectMultiScale(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), 1.2, 2)))
        taken.append(1000 * (time.perf_counter() - start_s))
    return {
        f"{scene.name}, Haar on every frame, ms": Value(float(np.median(taken)), "ms"),
        f"{scene.name}, Haar on every frame, found a frame": Value(float(np.mean(found)), "faces", more_is_better=True),
    }


if __name__ == "__main__":
    sys.exit(main())
