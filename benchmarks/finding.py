"""How well faces are found and kept: ``python -m benchmarks.finding CLIP [--data DATA] [--beside] [--json FILE]``.

CLIP is a recording of one face; with the data set, its held-out people are shown too, turned ones apart. All other
scenes are drawn from them (`benchmarks.scenes`). Three figures for the pipeline, and for OpenCV's cascade (1.2, 2) on
every full frame beside it:

- found: the share of faces (at least nine tenths of the box in the picture, in light) with a box on them, and the same
  from each clip's first find on;
- boxes a frame on no face at all, and tracks of over 10 frames on none;
- how many numbers a face had.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import cv2
import numpy as np

from benchmarks import scenes
from benchmarks.clips import ClipFrame, face_boxes, load_reel, read_frames
from benchmarks.figures import save_report
from fkd_desktop.live.pipeline import Pipeline
from fkd_desktop.live.search import SearchAtOnce, SearchBeside
from fkd_desktop.live.tracker import overlaps
from trainer.core.detector import CASCADE_NAME, load_cascade, shipped_cascade
from trainer.core.predictor import Predictor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

LONGEST_FALSE_TRACK: Final = 10
TURNED_DEG: Final = 25.0


class Finder(Protocol):
    """Boxes and numbers of the faces in a clip's next frame."""

    def __call__(self, frame: ClipFrame) -> tuple[NDArray[np.float32], NDArray[np.int64]]: ...


@dataclass
class Score:
    """What was found in one clip."""

    frames: int = 0
    faces: int = 0
    found: int = 0
    faces_after_first: int = 0
    found_boxes: int = 0
    false_boxes: int = 0
    false_tracks: Counter[int] = field(default_factory=Counter)
    numbers: set[int] = field(default_factory=set)

    def add(self, frame: ClipFrame, boxes: NDArray[np.float32], ids: NDArray[np.int64]) -> None:
        """Judge one frame."""
        self.frames += 1
        wanted = frame.boxes_xywh[frame.visible >= 0.9]
        hits = int((overlaps(boxes, wanted) >= 0.3).any(axis=0).sum())
        self.faces += len(wanted)
        self.found += hits
        self.faces_after_first += len(wanted) if self.found else 0
        self.numbers.update(ids.tolist())
        is_on_face = (overlaps(boxes, frame.boxes_xywh) >= 0.1).any(axis=1)
        for is_good, number in zip(is_on_face.tolist(), ids.tolist(), strict=True):
            if is_good:
                self.found_boxes += 1
            else:
                self.false_boxes += 1
                self.false_tracks[number] += 1

    def figures(self) -> dict[str, float]:
        """Sum up."""
        return {
            "frames": self.frames,
            "faces": self.faces,
            "found": self.found / max(self.faces, 1),
            "found_after_first": self.found / max(self.faces_after_first, 1),
            "found_a_frame": self.found / max(self.frames, 1),
            "false_a_frame": self.false_boxes / max(self.frames, 1),
            "false_tracks": sum(n > LONGEST_FALSE_TRACK for n in self.false_tracks.values()),
            "longest_false_track": max(self.false_tracks.values(), default=0),
            "numbers": len(self.numbers),
        }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.finding", description=__doc__.split("\n", 1)[0])
    parser.add_argument("clip", type=Path, help="a recording of one face")
    parser.add_argument("--data", type=Path, help="the data set")
    parser.add_argument(
        "--beside", action="store_true", help="look beside the loop as a live session does, in real time"
    )
    parser.add_argument("--without-haar", action="store_true", help="leave the cascade on every frame out: minutes")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    report = measure(options.clip, data=options.data, beside=options.beside, haar=not options.without_haar, tell=print)
    if options.json:
        save_report(options.json, report)
    return 0


def measure(
    clip: Path,
    *,
    data: Path | None = None,
    beside: bool = False,
    haar: bool = True,
    tell: Callable[[str], object] = lambda _line: None,
) -> dict[str, dict[str, dict[str, float]]]:
    """Look for the faces of all clips.

    Returns
    -------
    By clip and "pipeline" or "haar": see `Score.figures`.
    """
    predictor = Predictor.load(device="cpu")
    report: dict[str, dict[str, dict[str, float]]] = {}
    tell(
        f"{'clip':26} {'':8} {'found':>7} {'after 1st':>9} {'a frame':>8} {'false a frame':>13} {'false tracks':>12}  "
        "numbers"
    )
    for name, frames in clips(clip, data, predictor).items():
        drawn = list(frames)
        report[name] = {"pipeline": judge_pipeline(drawn, predictor, beside=beside)}
        if haar:
            report[name]["haar"] = judge(drawn, haar_finder())
        for finder, figures in report[name].items():
            longest = (
                f"{figures['false_tracks']:.0f} ({figures['longest_false_track']:.0f})" if finder == "pipeline" else ""
            )
            numbers = f"{figures['numbers']:.0f}" if finder == "pipeline" else ""
            tell(
                f"{name if finder == 'pipeline' else '':26} {finder:8} {figures['found']:7.2%} "
                f"{figures['found_after_first']:9.2%} {figures['found_a_frame']:8.3f} {figures['false_a_frame']:13.4f} "
                f"{longest:>12}  {numbers}"
            )
    return report


def clips(clip: Path, data: Path | None, predictor: Predictor) -> dict[str, Iterable[ClipFrame]]:
    """All clips by name; drawn when they are gone through."""
    recording = read_frames(clip)
    boxes = face_boxes(recording, predictor, name=clip.name)
    reel = load_reel(clip, predictor)
    made: dict[str, Iterable[ClipFrame]] = {
        "the recording": (
            ClipFrame(picture, k / 25, boxes[k : k + 1], np.ones(1, np.float32)) for k, picture in enumerate(recording)
        ),
        "leaving and crossing": scenes.crossing(reel),
        "cuts": scenes.cuts(reel),
        "darkness": scenes.darkness(reel),
        "its face painted out": scenes.painted_out(recording[:300], boxes[:300]),
        "noise and textures": scenes.noise_and_textures(),
    }
    if data is not None:
        for name, pictures in _people(data).items():
            made[name] = scenes.slide_show(pictures)
    return made


def _people(data: Path) -> dict[str, list[tuple[NDArray[np.uint8], NDArray[np.float32]]]]:
    """Every third picture of the held-out people, and all of their turned faces."""
    from fkd_desktop.live.head_pose import estimate
    from trainer.dataset import read_image, split_by_identity
    from trainer.readers import read_samples

    held_out = split_by_identity(read_samples(data), validation_share=0.15, seed=1)[1]
    turned = [
        sample
        for sample in held_out
        if (pose := estimate(sample.keypoints_px)) is not None and abs(pose.yaw_deg) >= TURNED_DEG
    ]
    chosen = {"slides": held_out[::3], "slides of turned faces": turned[:150]}
    return {
        name: [
            (cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image, s.keypoints_px)
            for s in samples
            for image in [read_image(s.image_path)]
        ]
        for name, samples in chosen.items()
    }


def judge(frames: list[ClipFrame], finder: Finder) -> dict[str, float]:
    """Go through a clip."""
    score = Score()
    for frame in frames:
        score.add(frame, *finder(frame))
    return score.figures()


def judge_pipeline(frames: list[ClipFrame], predictor: Predictor, *, beside: bool) -> dict[str, float]:
    """Go through a clip with the pipeline; for a search beside it the frames come as a camera would send them."""
    search = SearchBeside() if beside else SearchAtOnce()
    pipeline = Pipeline(predictor, search=search)
    start_s = time.perf_counter()

    def find(frame: ClipFrame) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        if beside:
            time.sleep(max(0.0, start_s + frame.timestamp_s - frames[0].timestamp_s - time.perf_counter()))
        result = pipeline.process(frame.image_bgr, frame.timestamp_s)
        return result.boxes_xywh, result.ids

    try:
        return judge(frames, find)
    finally:
        search.close()


def haar_finder() -> Finder:
    cascade = load_cascade(shipped_cascade(CASCADE_NAME))

    def find(frame: ClipFrame) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        grey = cv2.cvtColor(frame.image_bgr, cv2.COLOR_BGR2GRAY)
        found = np.asarray(cascade.detectMultiScale(grey, 1.2, 2), np.float32).reshape(-1, 4)
        return found, np.zeros(len(found), np.int64)

    return find


if __name__ == "__main__":
    sys.exit(main())
