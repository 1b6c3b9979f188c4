"""The thorough search in still pictures: what it finds, how long it takes, and what tells faces from other things.

python -m benchmarks.stills PICTURE... [--without-faces FOLDER] [--faces DATA]

PICTURE: each is searched; faces and times. FOLDER: pictures without a face, each also turned by 90 degrees and enlarged
2.5 times; every find is false. DATA: a data set in the published layout; every 20th of its pictures is searched for the
labelled face.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from fkd_desktop.live.stills import Seen, examine, find_faces
from fkd_desktop.live.tracker import overlaps
from trainer.core.predictor import Predictor
from trainer.core.preprocess import box_from_keypoints
from trainer.core.thorough import ThoroughDetector

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERY = 20


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stills", description=__doc__.split("\n", 1)[0])
    parser.add_argument("pictures", type=Path, nargs="*")
    parser.add_argument("--without-faces", type=Path, help="folder of pictures that show no face")
    parser.add_argument("--faces", type=Path, help="folder of the published data set's pictures, its table beside it")
    options = parser.parse_args()
    predictor, detector = Predictor.load(device="cpu"), ThoroughDetector()
    predictor.warm_up()
    for path in options.pictures:
        picture = read(path)
        marks = [time.perf_counter()]
        candidates = detector.detect(picture)
        marks.append(time.perf_counter())
        faces = find_faces(picture, candidates, predictor)
        marks.append(time.perf_counter())
        search_s, confirm_s = np.diff(marks)
        print(
            f"{path.name}: {picture.shape[1]} x {picture.shape[0]} px, "
            f"{len(candidates)} candidates in {search_s:.2f} s, "
            f"{len(faces)} face(s) in {confirm_s:.2f} s more"
        )
    if options.without_faces:
        print_without_faces(options.without_faces, predictor, detector)
    if options.faces:
        print_faces(options.faces, predictor, detector)


def read(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f"{path} is no picture; choose another")
    return picture


def print_without_faces(folder: Path, predictor: Predictor, detector: ThoroughDetector) -> None:
    pictures = false = examined = 0
    likely: list[tuple[float, float, str]] = []
    for name, picture in variants(folder):
        candidates = detector.detect(picture)
        seen = examine(picture, candidates, predictor)
        pictures, examined = pictures + 1, examined + len(seen.disagreement)
        false += len(find_faces(picture, candidates, predictor))
        likely += [(float(d), float(c), name) for d, c in zip(seen.disagreement, seen.least_confidence, strict=True)]
    print(f"{pictures} pictures without a face: {examined} settled candidates, {false} taken for faces")
    print("  most alike to a face (least confidence over 0.8), as (disagreement, least confidence):")
    for disagreement, confidence, name in sorted(entry for entry in likely if entry[1] > 0.8)[:8]:
        print(f"    {disagreement:.4f}, {confidence:.3f} in {name}")


def variants(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    for path in sorted(folder.iterdir()):
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is not None:
            yield path.name, picture
            yield f"{path.name}, turned", np.ascontiguousarray(np.rot90(picture))
            yield f"{path.name}, enlarged", cv2.resize(picture, None, fx=2.5, fy=2.5)


def print_faces(folder: Path, predictor: Predictor, detector: ThoroughDetector) -> None:
    table = next(folder.parent.glob(f"{folder.name}*.csv"))
    rows = [line.split(",") for line in table.read_text(encoding="utf-8").splitlines()[1:]][::EVERY]
    found, figures = 0, []
    for name, *numbers in rows:
        picture, label = read(folder / name), np.array(numbers, np.float32).reshape(68, 2)
        candidates, box = detector.detect(picture), box_from_keypoints(label)[None]
        faces = find_faces(picture, candidates, predictor)
        found += bool((overlaps(box_from_keypoints(faces.points_px), box) > 0.5).any())
        seen: Seen = examine(picture, candidates, predictor)
        if len(seen.confidence):
            nearest = int(overlaps(box_from_keypoints(seen.points_px), box).argmax())
            figures.append((seen.least_confidence[nearest], seen.disagreement[nearest]))
    confidence, disagreement = np.array(figures).T
    print(f"{found} of {len(rows)} labelled faces found")
    print(f"  least confidence: lowest {confidence.min():.4f}, 1 % below {np.percentile(confidence, 1):.4f}")
    print(f"  disagreement: median {np.median(disagreement):.4f}, 1 % above {np.percentile(disagreement, 99):.4f}")


if __name__ == "__main__":
    main()
