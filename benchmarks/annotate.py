"""How fast `fkd-annotate` works through a video: frames a second, and how many times real time that is.

python -m benchmarks.annotate [VIDEO] [--rounds 3] [--json FILE]

Each line is the median of some rounds, with the network loaded; "one after the other" decodes, looks, paints and
encodes in one thread, for comparison. The last line is the whole command, from its start to its end.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import ROOT, heading, save_report
from fkd_desktop.annotate.headless import prepare_painting


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", nargs="?", type=Path, help="default: the demo clip")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    from PySide6.QtGui import QGuiApplication

    from fkd_desktop.annotate.choosing import choose_layers
    from fkd_desktop.annotate.inputs import find_inputs
    from fkd_desktop.annotate.work import Annotator, Wanted
    from fkd_desktop.live.network import load_predictor
    from fkd_desktop.live.sources import VideoSource
    from fkd_desktop.overlays import OverlayLibrary

    prepare_painting()
    application = QGuiApplication([])
    predictor, library = load_predictor(device="cpu"), OverlayLibrary()
    video = options.video or find_inputs(["demo"], out=Path()).inputs[0].path
    frames, duration_s = length_of(VideoSource(video))
    print(f"{heading()}\n{video.name}: {frames} frames in {duration_s:.1f} s")
    figures: dict[str, float] = {}

    def measure(name: str, work: Callable[[Path], None]) -> None:
        seconds = []
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory() as folder:
                start_s = time.perf_counter()
                work(Path(folder))
                seconds.append(time.perf_counter() - start_s)
        taken_s = statistics.median(seconds)
        figures[name] = frames / taken_s
        print(f"{name:32} {frames / taken_s:7.1f} frames/s  {duration_s / taken_s:5.1f} x real time", flush=True)

    def annotating(names: list[str], **wanted: object) -> Callable[[Path], None]:
        layers = choose_layers(names, library)

        def work(folder: Path) -> None:
            (item,) = find_inputs([str(video)], out=folder).inputs
            outcome = Annotator(predictor, layers, folder, Wanted(**wanted)).work_through(item)
            assert outcome.frames == frames

        return work

    measure("keypoints", annotating(["keypoints"]))
    measure("one after the other", lambda folder: one_after_the_other(video, folder, predictor, library))
    measure("sunglasses, boxes, numbers", annotating(["sunglasses", "boxes", "numbers"]))
    measure("keypoints, CSV, JSON lines, .pts", annotating(["keypoints"], tables=("csv", "jsonl", "pts")))
    measure("CSV alone", annotating([], media=False, tables=("csv",)))
    measure("the whole command, keypoints", lambda folder: whole_command(video, folder))
    del application
    if options.json:
        save_report(options.json, {"frames": frames, "duration_s": duration_s, "frames_per_s": figures})


def length_of(source) -> tuple[int, float]:
    """Count a video's frames and their time."""
    source.open()
    frames, last_s, step_s = 0, 0.0, 0.0
    while (frame := source.read()) is not None:
        frames, step_s, last_s = frames + 1, frame.timestamp_s - last_s, frame.timestamp_s
    source.close()
    return frames, last_s + step_s


def one_after_the_other(video: Path, folder: Path, predictor, library) -> None:
    """Do what the command does in one thread."""
    from fkd_desktop.live.pipeline import Pipeline
    from fkd_desktop.live.sources import VideoSource
    from fkd_desktop.live.video_writer import VideoWriter
    from fkd_desktop.overlays import render

    source, pipeline, layers = VideoSource(video), Pipeline(predictor), [library.layer("keypoints")]
    source.open()
    with VideoWriter(folder / "a.mp4") as writer:
        while (frame := source.read()) is not None:
            result = pipeline.process(frame.image_bgr, frame.timestamp_s)
            writer.write(render(result, layers), frame.timestamp_s)
    source.close()


def whole_command(video: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "fkd_desktop.annotate", str(video), "--out", str(folder), "--quiet"]
    subprocess.run(command, check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
