"""The real window on a video: frame rate, latency, stages, drops, memory and the GUI's longest stall.

python -m benchmarks.live [VIDEO] [--size 640x480] [--rate 30] [--seconds 20] [--overlay NAME ...] [--json FILE]

Runs under the display there is, else offscreen. The video is scaled to the size and played in a loop at the given rate,
as a camera would: what comes too fast is dropped. Figures start with the first annotated frame plus one second.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import cv2

from benchmarks.figures import heading, save_report
from benchmarks.window import watch_window
from fkd_desktop.live.sources import FrameSource, VideoSource
from trainer.core.resources import assets_dir


class ScaledVideo(FrameSource):
    """A looping video at another size and frame rate."""

    def __init__(self, path: Path, *, width: int, height: int, frames_per_s: float) -> None:
        self.label = path.name
        self._video = VideoSource(path, loop=True)
        self._size, self._step_s = (width, height), 1 / frames_per_s
        self._frames = 0

    def open(self) -> None:
        self._video.open()

    def read(self):
        frame = self._video.read()
        if frame is None:
            return None
        image = cv2.resize(frame.image_bgr, self._size, interpolation=cv2.INTER_LINEAR)
        self._frames += 1
        return replace(frame, image_bgr=image, timestamp_s=self._frames * self._step_s)

    def close(self) -> None:
        self._video.close()


def main() -> int:
    options = parse()
    report = measure(options)
    print_report(report)
    if options.json:
        save_report(options.json, report)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__.split("\n", 1)[0])
    parser.add_argument("video", type=Path, nargs="?", default=assets_dir() / "demo" / "demo.mp4")
    parser.add_argument("--size", default="640x480", help="frame size (default: 640x480)")
    parser.add_argument("--rate", type=float, default=30.0, help="frames a second that the source sends (default: 30)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long to measure (default: 20)")
    parser.add_argument("--overlay", action="append", help="layers (default: keypoints and sunglasses)")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


def measure(options: argparse.Namespace) -> dict[str, object]:
    width, height = (int(v) for v in options.size.split("x"))
    seen = watch_window(
        lambda: ScaledVideo(options.video.resolve(), width=width, height=height, frames_per_s=options.rate),
        seconds=options.seconds,
        overlays=options.overlay or ("keypoints", "sunglasses"),
        device=options.device,
    )
    given = {"video": options.video.name, "size": options.size, "source_rate": options.rate}
    return given | seen.report() | {"machine": heading()}


def print_report(report: dict[str, object]) -> None:
    print(report["machine"])
    print(f"{report['video']} at {report['size']}, {report['source_rate']:g} frames/s sent")
    print(
        f"  frames a second   {report['frames_per_s']:8.1f}   ({report['frames']} painted, {report['dropped']} dropped)"
    )
    print(f"  capture to paint  {report['latency_ms_p50']:8.1f} ms p50   {report['latency_ms_p95']:8.1f} ms p95")
    for name, median in report["stages_ms_median"].items():
        high, mean = report["stages_ms_p95"][name], report["stages_ms_mean"][name]
        print(f"  {name:16}  {median:8.2f} ms median {high:8.2f} ms p95 {mean:8.2f} ms mean")
    print(f"  faces found in    {report['frames_with_faces']:8d} frames")
    print(f"  GUI longest stall {report['gui_longest_stall_ms']:8.1f} ms")
    print(
        f"  CPU               {report['cpu_of_one_core']:8.0%} of one core, all threads, decoding and scaling included"
    )
    print(f"  peak RSS          {report['peak_rss_mb']:8.0f} MB")


if __name__ == "__main__":
    sys.exit(main())
