"""What a GPU makes of it: latencies of the network, a session that loses its GPU, and training.

python -m benchmarks.cuda [--data DATA] [--target NME] [--rounds N] [--json FILE]

Latencies are of a batch, from crops in the computer's memory to keypoints there, copies included; the ways to compute
take turns within each round, figures are medians. `two_conv` has random weights. The loss of a GPU in mid-session is
simulated by a network that raises what a GPU raises; its time is that to the first face found by the processor, loading
included. With --data, the published `two_conv` is trained for its 7 epochs, and `compact` until its validation NME is
--target; all that a user waits for is counted. Needs no Qt. Without CUDA it says so and measures the loss alone.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
import torch

from benchmarks import figures as fig
from fkd_desktop.live.events import DeviceFailed, SessionEvent
from fkd_desktop.live.latest import LatestSlot
from fkd_desktop.live.network import load_predictor
from fkd_desktop.live.pipeline import Pipeline
from fkd_desktop.live.session import LiveSession
from fkd_desktop.live.sources import make_source
from trainer import events
from trainer.config import TrainConfig
from trainer.core.checkpoint import load_checkpoint
from trainer.core.engines.cuda_graph import CudaGraphEngine, CudaRecorder
from trainer.core.engines.eager import PyTorchEngine
from trainer.core.models import build_network
from trainer.core.predictor import Predictor
from trainer.core.resources import default_weights_path
from trainer.loop import fit

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fkd_desktop.live.result import LiveFrame
    from trainer.core.engines.engine import Engine
    from trainer.core.models import KeypointNetwork
    from trainer.core.names import DeviceName

BATCHES: Final = (1, 2, 4, 8, 16)
ROUNDS: Final = 200
WARM_ROUNDS: Final = 10
FRAMES: Final = 200
FRAMES_BEFORE_LOSS: Final = 10
GIVE_UP_S: Final = 60.0
GRAPHS: Final = "graph, half"
BASELINE: Final[dict[str, Any]] = {
    "model": "two_conv", "batch_size": 10, "epochs": 7, "optimizer": "adam", "learning_rate": 1e-3,
    "schedule": "constant", "loss": "smooth_l1", "augmentation": "random_crop", "negative_share": 0.0,
}  # fmt: skip
"""The published training: docs/manual/training-commands.md."""


class Unrecorded(CudaRecorder):
    """Everything as on a GPU, but kernel by kernel."""

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        work()
        return work


class DyingEngine:
    """The processor's results under a GPU's name, until it is lost."""

    name = "simulated"
    device: DeviceName = "cuda"

    def __init__(self, engine: Engine) -> None:
        self._engine, self._left = engine, FRAMES_BEFORE_LOSS
        self.lost_s: float | None = None

    def warm_up(self) -> None:
        self._engine.warm_up()

    def __call__(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self._left -= 1
        if self._left < 0:
            self.lost_s = self.lost_s or time.perf_counter()
            raise torch.AcceleratorError("CUDA error: unspecified launch failure")
        return self._engine(crops)


def measure(
    *, quick: bool = False, data: str | None = None, target: float = 0.041, rounds: int | None = None
) -> dict[str, Any]:
    """Measure all that this machine allows.

    Parameters
    ----------
    quick
        A tenth of the rounds.
    data
        Data set to train on; None for no training.
    target
        Validation NME that `compact` is trained to.
    rounds
        Of the latencies; None for the usual.

    Returns
    -------
    Machine; "cuda", the GPU's name or None; "device_loss"; on CUDA "latency", "pipeline" and, with data, "training".
    Times are in the unit that their name ends with.
    """
    has_cuda = torch.cuda.is_available()
    figures: dict[str, Any] = {"machine": machine(), "cuda": torch.cuda.get_device_name() if has_cuda else None}
    figures["device_loss"] = measure_loss()
    if not has_cuda:
        return figures
    count = rounds or (ROUNDS // 10 if quick else ROUNDS)
    figures["latency"] = {
        "compact": measure_latency(_shipped_network, rounds=count),
        "two_conv": measure_latency(partial(_random_network, "two_conv"), rounds=max(10, count // 4)),
    }
    figures["pipeline"] = measure_pipeline(frames=FRAMES // 10 if quick else FRAMES)
    if data:
        figures["training"] = {
            "two_conv": measure_training(TrainConfig(data=data, **BASELINE)),
            "compact": measure_training(TrainConfig(data=data, epochs=210), target=target),
        }
    return figures


def machine() -> dict[str, Any]:
    """Return what `benchmarks.figures` says of this machine, and its GPU."""
    found = {**fig.machine(), **fig.versions(fig.ROOT), "cuda_version": torch.version.cuda}
    if torch.cuda.is_available():
        found |= {
            "gpu": torch.cuda.get_device_name(),
            "gpu_memory_gb": round(torch.cuda.get_device_properties(0).total_memory / 2**30, 1),
            "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
            "driver": _driver(),
        }
    return found


def _driver() -> str:
    try:
        asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        return subprocess.run(asked, capture_output=True, text=True, check=True, timeout=10).stdout.split("\n")[0]
    except (OSError, subprocess.SubprocessError):
        return "unknown"


# --- the network ---


def _shipped_network() -> KeypointNetwork:
    return load_checkpoint(default_weights_path()).network


def _random_network(name: str) -> KeypointNetwork:
    torch.manual_seed(0)
    return build_network(name)


def measure_latency(make: Callable[[], KeypointNetwork], *, rounds: int) -> dict[str, dict[str, Any]]:
    """Return, by batch size, the median milliseconds of each way, and how far half precision is off."""
    engines: dict[str, Engine] = {
        "eager, single": PyTorchEngine(make(), device="cuda"),
        "eager, half": CudaGraphEngine(make(), recorder=Unrecorded()),
        GRAPHS: CudaGraphEngine(make()),
    }
    size_px = make().input_spec.size_px
    random = np.random.default_rng(0)
    figures: dict[str, dict[str, Any]] = {}
    for batch in BATCHES:
        small = random.integers(0, 256, (batch, size_px // 8, size_px // 8), np.uint8)
        crops = np.stack([cv2.resize(crop, (size_px, size_px), interpolation=cv2.INTER_CUBIC)[None] for crop in small])
        times: dict[str, list[float]] = {name: [] for name in engines}
        for number in range(rounds + WARM_ROUNDS):
            for name, engine in engines.items():
                start = time.perf_counter()
                engine(crops)
                if number >= WARM_ROUNDS:
                    times[name].append(1e3 * (time.perf_counter() - start))
        exact, rough = engines["eager, single"](crops)[0], engines[GRAPHS](crops)[0]
        figures[str(batch)] = {
            "ms": {name: statistics.median(values) for name, values in times.items()},
            "p90_ms": {name: float(np.percentile(values, 90)) for name, values in times.items()},
            "half_off_px": float(np.linalg.norm(rough - exact, axis=-1).max() * size_px),
        }
    figures["uses"] = {name: engine.name for name, engine in engines.items()}
    return figures


def measure_pipeline(*, frames: int) -> dict[str, float]:
    """Return the median milliseconds of a frame of the demo clip: detection, crops, network and smoothing."""
    pipeline, source = Pipeline(load_predictor(device="cuda")), make_source("demo")
    times, network = [], []
    source.open()
    try:
        for _ in range(frames):
            frame = source.read()
            if frame is None:
                break
            start = time.perf_counter()
            result = pipeline.process(frame.image_bgr, frame.timestamp_s)
            times.append(1e3 * (time.perf_counter() - start))
            if len(result.keypoints_px):
                network.append(result.times.network_ms)
    finally:
        source.close()
    return {"frames": len(times), "ms": statistics.median(times), "network_ms": statistics.median(network or [0.0])}


# --- a GPU that is lost ---


def measure_loss() -> dict[str, Any]:
    """Return the seconds from a GPU's loss, in mid-session, to the first face that the processor finds.

    The first time is with everything to be imported, the second as in a session that had the processor before.
    """
    logging.disable(logging.ERROR)  # the loss is logged, as it should be
    try:
        return {name: _lose_once() for name in ("first_s", "again_s")}
    finally:
        logging.disable(logging.NOTSET)


def _lose_once() -> float | None:
    network = load_checkpoint(default_weights_path())
    engine = DyingEngine(PyTorchEngine(network.network, device="cpu"))
    found: dict[str, Any] = {
        "predictor": Predictor(engine, network.network.input_spec, network_name=network.name, info=network.info)
    }
    slot: LatestSlot[LiveFrame] = LatestSlot()
    done, annotated_s = threading.Event(), 0.0
    loaders: list[threading.Thread] = []

    def load() -> None:
        found["predictor"] = load_predictor(device="cpu")

    def on_event(event: SessionEvent) -> None:
        if isinstance(event, DeviceFailed):  # as the application's controller does
            loaders.append(threading.Thread(target=load))
            loaders[-1].start()

    def on_result() -> None:
        nonlocal annotated_s
        live = slot.take()
        if live is not None and live.annotated and engine.lost_s is not None and len(live.result.keypoints_px):
            annotated_s = time.perf_counter()
            done.set()

    session = LiveSession(
        partial(make_source, "demo"), predictor=lambda: found["predictor"], slot=slot, on_result=on_result,
        on_event=on_event,
    )  # fmt: skip
    began = time.perf_counter()
    session.run(should_stop=lambda: done.is_set() or time.perf_counter() - began > GIVE_UP_S)
    for loader in loaders:
        loader.join()
    return annotated_s - engine.lost_s if done.is_set() and engine.lost_s else None


# --- training ---


def measure_training(config: TrainConfig, *, target: float = 0.0) -> dict[str, Any]:
    """Train on CUDA, to the end or until an epoch's validation NME is as low as `target`; everything counts."""
    epochs: list[events.EpochDone] = []
    reached = threading.Event()

    def on_event(event: events.Event) -> None:
        if isinstance(event, events.EpochDone):
            epochs.append(event)
            if event.nme_mean <= target:
                reached.set()

    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        config = TrainConfig(**{**vars(config), "out": str(Path(folder) / "run"), "device": "cuda"})
        fit(config, on_event=on_event, should_stop=reached.is_set)
        seconds = time.perf_counter() - began
    return {
        "seconds": seconds, "epochs": len(epochs), "of": config.epochs, "nme": min(e.nme_mean for e in epochs),
        "epoch_s": statistics.median(e.seconds for e in epochs), "reached_target": reached.is_set() if target else None,
        "peak_gpu_gb": torch.cuda.max_memory_allocated() / 2**30,
    }  # fmt: skip


# --- the command ---


def table(figures: dict[str, Any]) -> str:
    lines = []
    for network, by_batch in figures.get("latency", {}).items():
        lines.append(f"{network}: ms a batch, copies included (median); half precision off by at most")
        for batch in map(str, BATCHES):
            row = by_batch[batch]
            ways = ", ".join(f"{name} {ms:.3f}" for name, ms in row["ms"].items())
            lines.append(f"  {batch:>2}: {ways}; {row['half_off_px']:.4f} px")
    if pipeline := figures.get("pipeline"):
        lines.append(
            f"pipeline on the demo clip: {pipeline['ms']:.2f} ms a frame, "
            f"{pipeline['network_ms']:.2f} of them the network's"
        )
    for name, training in figures.get("training", {}).items():
        lines.append(
            f"training {name}: {training['seconds']:.0f} s for {training['epochs']} epochs of {training['of']} "
            f"({training['epoch_s']:.2f} s an epoch), NME {training['nme']:.2%}, {training['peak_gpu_gb']:.1f} GB"
        )
    loss = figures["device_loss"]
    said = [f"{loss[name]:.2f} s" if loss[name] is not None else "none" for name in ("first_s", "again_s")]
    lines.append(f"from a lost GPU (simulated) to the processor's first face: {said[0]}, once loaded {said[1]}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cuda", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", help="data set to train on")
    parser.add_argument("--target", type=float, default=0.041, help="validation NME to train compact to")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each latency")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    options = parser.parse_args()
    if options.data and not torch.cuda.is_available():
        print("PyTorch finds no CUDA device here, so nothing can be trained on one; leave --data out", file=sys.stderr)
        return 2
    figures = measure(data=options.data, target=options.target, rounds=options.rounds)
    print(fig.heading())
    if figures["cuda"]:
        print(", ".join(f"{name} {figures['machine'][name]}" for name in ("gpu", "driver", "cuda_version", "cudnn")))
    if figures["cuda"] is None:
        print("PyTorch finds no CUDA device here: no figures but that of a simulated loss.")
    print(table(figures))
    if options.json:
        fig.save_report(options.json, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
