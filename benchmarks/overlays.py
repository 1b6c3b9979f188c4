"""What every overlay costs: milliseconds a layer for one face and for each further one, in a frame of 1280 x 720.

python -m benchmarks.overlays [--overlay NAME ...] [--size 1280x720] [--side 300] [--repeat 40] [--json FILE]

The frame itself is painted beforehand and not counted. Medians; needs no display.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np

from benchmarks.figures import save_report
from fkd_desktop.live.head_pose import MODEL_MM
from fkd_desktop.live.result import FrameResult
from trainer.core.preprocess import box_from_keypoints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fkd_desktop.overlays import Layer

FACES = 4


def result_of(faces: int, *, width: int, height: int, side: float) -> FrameResult:
    """Return a noisy frame with upright faces beside each other, each turned a little."""
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    points = np.empty((faces, 68, 2), np.float32)
    for number in range(faces):
        scaled = MODEL_MM[:, :2] * np.array([0.95, 1.0]) * side / 160
        face = scaled + rng.normal(0, 0.5, (68, 2))
        points[number] = face + np.array([width * (number + 1) / (faces + 1), height * 0.45])
    return FrameResult(
        frame,
        0.0,
        boxes_xywh=box_from_keypoints(points),
        ids=np.arange(faces) + 1,
        keypoints_px=points,
        confidences=np.full(faces, 0.97, np.float32),
    )


def milliseconds(layers: Sequence[Layer], result: FrameResult, repeat: int) -> float:
    """Return the median time of painting layers over a frame that is there already."""
    from PySide6.QtCore import QRectF
    from PySide6.QtGui import QImage, QPainter

    from fkd_desktop.overlays.layer import PaintContext

    height, width = result.frame_bgr.shape[:2]
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(0)
    times = []
    for _ in range(repeat + 3):
        painter = QPainter(image)
        painter.setClipRect(QRectF(0, 0, width, height))
        start_s = time.perf_counter()
        for layer in layers:
            painter.save()
            layer.paint(painter, result, PaintContext())
            painter.restore()
        painter.end()
        times.append(1000 * (time.perf_counter() - start_s))
    return statistics.median(times[3:])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--overlay", action="append", metavar="NAME", help="only this one; may be given several times")
    parser.add_argument("--size", default="1280x720", help="of the frame (default: %(default)s)")
    parser.add_argument("--side", type=float, default=300, help="of a face's box in pixels (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=40, help="(default: %(default)s)")
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args(arguments)
    width, height = (int(value) for value in options.size.split("x"))

    from PySide6.QtGui import QGuiApplication

    from fkd_desktop.overlays import OverlayLibrary
    from fkd_desktop.overlays.styled import StyledLayer

    application = QGuiApplication.instance() or QGuiApplication(sys.argv[:1])
    start_s = time.perf_counter()
    library = OverlayLibrary()
    figures: dict[str, object] = {"size": options.size, "side": options.side, "layers": {}}
    print(
        f"{options.size}, faces of {options.side:g} px; library read in {1000 * (time.perf_counter() - start_s):.0f} ms"
    )
    print(f"{'overlay':18} {'load':>7} {'one face':>9} {'each more':>10} {'half opaque':>12}  ms")
    one, many = (result_of(n, width=width, height=height, side=options.side) for n in (1, FACES))
    for name in options.overlay or [info.name for info in library.infos]:
        start_s = time.perf_counter()
        layer = library.layer(name)
        load_ms = 1000 * (time.perf_counter() - start_s)
        first = milliseconds([layer], one, options.repeat)
        more = (milliseconds([layer], many, options.repeat) - first) / (FACES - 1)
        half = milliseconds([StyledLayer(layer, opacity=0.5)], one, options.repeat)
        print(f"{name:18} {load_ms:7.1f} {first:9.2f} {more:10.2f} {half:12.2f}")
        figures["layers"][name] = {"load_ms": load_ms, "one_face_ms": first, "each_more_ms": more, "half_ms": half}
    if options.json:
        save_report(options.json, figures)
    del application
    return 0


if __name__ == "__main__":
    sys.exit(main())
