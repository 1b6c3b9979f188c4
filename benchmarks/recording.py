"""What a recording costs: the encoder alone, and a live pipeline with and without a recording beside it.

python -m benchmarks.recording VIDEO [--size 1280x720] [--rate 30] [--seconds 8] [--rounds 3]

The video is scaled to the size. The pipeline runs at the given rate in the main thread, as the capture thread does, and
keypoints are painted into the film; rounds with and without a recording alternate.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import cv2
import numpy as np
from PySide6.QtGui import QGuiApplication

from fkd_desktop.capture.look import Look, paint
from fkd_desktop.live.network import load_predictor
from fkd_desktop.live.pipeline import Pipeline
from fkd_desktop.live.result import LiveFrame
from fkd_desktop.live.video_writer import VideoWriter
from fkd_desktop.overlays.layers import KeypointsLayer
from fkd_desktop.workers.recorder_thread import RecorderThread

FRAMES = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--rate", type=float, default=30)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    application = QGuiApplication([])
    frames = read(arguments.video, tuple(int(side) for side in arguments.size.split("x")))
    with tempfile.TemporaryDirectory() as folder:
        for effort in ("live", "small"):
            for threads in (1, 2):
                encode(frames, Path(folder) / "film.mp4", effort, threads)
        pipeline = Pipeline(load_predictor(None, device="cpu"))
        for _ in range(arguments.rounds):
            for recorded in (False, True):
                live(pipeline, frames, arguments, Path(folder) / "film.mp4" if recorded else None)
    del application


def read(path: Path, size: tuple[int, ...]) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(path))
    frames = []
    while len(frames) < FRAMES:
        is_there, image = capture.read()
        if not is_there:
            break
        frames.append(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR))
    return frames


def encode(frames: list[np.ndarray], path: Path, effort: str, threads: int) -> None:
    times_ms = []
    cpu_s = time.process_time()
    with VideoWriter(path, effort=effort, threads=threads) as writer:
        for i, frame in enumerate(frames):
            begin_s = time.perf_counter()
            writer.write(frame, i / 30)
            times_ms.append(1000 * (time.perf_counter() - begin_s))
    cpu_ms = 1000 * (time.process_time() - cpu_s) / len(frames)
    megabits = path.stat().st_size * 8 / 1e6 / (len(frames) / 30)
    print(
        f"encode {effort:5} {threads} thread(s): median {statistics.median(times_ms):.1f} ms a frame, worst "
        f"{max(times_ms):.0f}, CPU {cpu_ms:.1f} ms, {megabits:.2f} Mbit/s"
    )


def live(pipeline: Pipeline, frames: list[np.ndarray], arguments: argparse.Namespace, path: Path | None) -> None:
    recorder = None
    if path is not None:
        look = Look((KeypointsLayer(),))
        recorder = RecorderThread(lambda: nullcontext(path), look=lambda: look, paint=paint)
        recorder.start()
    process_ms, offer_ms = [], []
    begin_s, cpu_s, done, late = time.perf_counter(), time.process_time(), 0, 0
    while (now_s := time.perf_counter()) - begin_s < arguments.seconds:
        due = int((now_s - begin_s) * arguments.rate)
        if due < done:
            time.sleep(max(0.0, begin_s + done / arguments.rate - now_s))
            continue
        late += due - done
        done = due + 1
        frame = frames[due % len(frames)]
        captured_s = time.perf_counter()
        result = pipeline.process(frame, captured_s)
        process_ms.append(1000 * (time.perf_counter() - captured_s))
        if recorder is not None:
            offer_s = time.perf_counter()
            recorder.offer(LiveFrame(result, captured_s, annotated=True))
            offer_ms.append(1000 * (time.perf_counter() - offer_s))
    seconds = time.perf_counter() - begin_s
    cpu = (time.process_time() - cpu_s) / seconds
    text = (
        f"live {'with a recording' if recorder else 'without         '}: {len(process_ms) / seconds:.1f} frames/s, "
        f"{late} skipped, pipeline median {statistics.median(process_ms):.1f} ms, p95 "
        f"{statistics.quantiles(process_ms, n=20)[-1]:.1f} ms, CPU {cpu:.0%}"
    )
    if recorder is not None:
        stop_s = time.perf_counter()
        recorder.stop()
        recorder.wait(10_000)
        outcome = recorder.outcome
        assert outcome is not None
        text += (
            f", offer worst {max(offer_ms):.2f} ms, {outcome.frames} frames recorded, {outcome.dropped} dropped, "
            f"stop {1000 * (time.perf_counter() - stop_s):.0f} ms"
        )
    print(text)


if __name__ == "__main__":
    main()
