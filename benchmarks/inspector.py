"""The live session with and without the network inspector: frame rate, latency, and maps a second.

python -m benchmarks.inspector [VIDEO] [--size 640x480] [--rate 30] [--seconds 10] [--rounds 3] [--layer NAME]

The real pipeline (capture thread, detector, tracker, network) runs on the video, scaled to the size and sent at the
given rate as a camera would send it. Rounds without and with the inspector's window take turns, so that whatever else
the machine does falls on both. The inspector is live on a layer in the middle of the network, and every page that it
draws is painted.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.figures import heading
from benchmarks.live import ScaledVideo
from benchmarks.window import go_offscreen_without_display, let_run, passing_settings
from fkd_desktop.live.sources import register_source
from trainer.core.resources import assets_dir

WARM_UP_S = 1.0
LOADING_S = 120.0


@dataclass
class Round:
    """What was seen of the session while the inspector's window was open, or was not."""

    with_inspector: bool
    frames_per_s: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    dropped: int = 0
    maps_per_s: float = 0.0
    cpu_of_one_core: float = 0.0


def main() -> int:
    options = parse()
    go_offscreen_without_display()
    rounds = measure(options)
    print_report(options, rounds)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inspector", description=__doc__.split("\n", 1)[0])
    parser.add_argument("video", type=Path, nargs="?", default=assets_dir() / "demo" / "demo.mp4")
    parser.add_argument("--size", default="640x480", help="frame size (default: 640x480)")
    parser.add_argument("--rate", type=float, default=30.0, help="frames a second that the source sends (default: 30)")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long a round is (default: 10)")
    parser.add_argument("--rounds", type=int, default=3, help="how many of each kind (default: 3)")
    parser.add_argument("--layer", default="middle.1.conv2", help="whose maps are drawn (default: middle.1.conv2)")
    parser.add_argument("--weights", type=Path, help="what the inspector looks into (default: the shipped network)")
    return parser.parse_args()


def measure(options: argparse.Namespace) -> list[Round]:
    from PySide6.QtWidgets import QApplication

    from fkd_desktop.app import prepare_process
    from fkd_desktop.controller import Controller

    prepare_process()
    _application = QApplication(sys.argv[:1])  # kept alive
    width, height = (int(v) for v in options.size.split("x"))
    register_source(
        "scaled", lambda path: ScaledVideo(Path(path), width=width, height=height, frames_per_s=options.rate)
    )
    controller = Controller(device="cpu")
    session = Session(controller)
    controller.load_network()
    controller.start(f"scaled:{options.video.resolve()}")
    spin_until(lambda: session.newest is not None and len(session.newest) > 0)
    rounds = []
    for _ in range(options.rounds):
        for with_inspector in (False, True):
            rounds.append(run_round(session, options, with_inspector=with_inspector))
            print(".", end="", flush=True)
    print()
    controller.shut_down()
    return rounds


class Session:
    """The main window's part: takes frames from the session, paints them, and notes when."""

    def __init__(self, controller) -> None:
        from fkd_desktop.overlays import OverlayLibrary
        from fkd_desktop.ui.video_view import VideoView

        self.controller = controller
        self.newest = None
        self.painted: list[tuple[float, float]] = []
        self.view = VideoView()
        library = OverlayLibrary()
        self.view.set_layers([library.layer("keypoints"), library.layer("sunglasses")])
        self.view.resize(960, 720)
        self.view.frame_painted.connect(lambda captured_s, painted_s: self.painted.append((captured_s, painted_s)))
        self.view.show()
        controller.frame_ready.connect(self.on_frame_ready)

    def on_frame_ready(self) -> None:
        if (live := self.controller.take_frame()) is not None:
            self.newest = live.result
            self.view.show_frame(live)


def run_round(session: Session, options: argparse.Namespace, *, with_inspector: bool) -> Round:
    window, pages = None, []
    if with_inspector:
        window = open_inspector(session, options)
        window.controller.page_ready.connect(lambda: pages.append(time.perf_counter()))
    let_run(WARM_UP_S)
    found = Round(with_inspector)
    session.painted.clear()
    pages.clear()
    dropped, cpu_s, start_s = session.controller.dropped, time.process_time(), time.perf_counter()
    let_run(options.seconds)
    elapsed_s = time.perf_counter() - start_s
    found.frames_per_s = len(session.painted) / elapsed_s
    found.latencies_ms = [1000 * (painted_s - captured_s) for captured_s, painted_s in session.painted]
    found.dropped = session.controller.dropped - dropped
    found.maps_per_s = len(pages) / elapsed_s
    found.cpu_of_one_core = (time.process_time() - cpu_s) / elapsed_s
    if window is not None:
        window.close()
        window.deleteLater()
    return found


def open_inspector(session: Session, options: argparse.Namespace):
    from fkd_desktop.training.inspecting import InspectionState
    from fkd_desktop.ui.network_inspector import NetworkInspector

    window = NetworkInspector(
        settings=passing_settings(),
        weights=options.weights,
        device="cpu",
        frame_source=lambda: session.newest,
    )
    window.show()
    not_yet = (InspectionState.LOADING, InspectionState.LARGE)
    spin_until(lambda: window.controller.state is not InspectionState.LOADING)
    if window.controller.state is InspectionState.LARGE:
        window.controller.load_large()
        spin_until(lambda: window.controller.state not in not_yet)
    names = [layer.name for layer in window.table.layer_model.layers]
    if options.layer not in names:
        sys.exit(f"there is no layer {options.layer}; choose one of {', '.join(names)}")
    window.table.setCurrentIndex(window.table.layer_model.index(names.index(options.layer), 0))
    return window


def spin_until(condition) -> None:
    deadline = time.perf_counter() + LOADING_S
    while not condition():
        if time.perf_counter() > deadline:
            sys.exit("the session or the inspector did not start")
        let_run(0.02)


def print_report(options: argparse.Namespace, rounds: list[Round]) -> None:
    print(heading())
    print(
        f"{options.video.name} at {options.size}, {options.rate:g} frames/s sent; {options.rounds} x "
        f"{options.seconds:g} s of each"
    )
    for with_inspector in (False, True):
        some = [r for r in rounds if r.with_inspector is with_inspector]
        rates = [r.frames_per_s for r in some]
        latency = np.concatenate([r.latencies_ms for r in some])
        print(f"  {'with the inspector' if with_inspector else 'without'}")
        print(f"    frames a second  {np.median(rates):6.1f}   (median of {', '.join(f'{r:.1f}' for r in rates)})")
        print(f"    capture to paint {np.median(latency):6.1f} ms p50 {np.percentile(latency, 95):8.1f} ms p95")
        print(f"    dropped          {sum(r.dropped for r in some):6d}")
        print(f"    CPU              {np.mean([r.cpu_of_one_core for r in some]):6.0%} of one core")
        if with_inspector:
            maps = [r.maps_per_s for r in some]
            print(f"    maps a second    {np.median(maps):6.1f}   (median of {', '.join(f'{m:.1f}' for m in maps)})")


if __name__ == "__main__":
    sys.exit(main())
