"""What computes the network quickest here: the time of every engine, and how near that is to the core's limit.

python -m benchmarks.engines [--weights FILE] [--rounds N] [--architectures]

Engines take turns within each round, on the same crops, so that whatever else the machine does hits all of them alike;
figures are medians, in wall time and in the process's own. All but "ONNX Runtime, 2 threads" compute on one core.
--architectures compares networks instead: others of the same input, with random weights.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
import torch
from torch import nn

from trainer.core.checkpoint import load_checkpoint
from trainer.core.engines.agreement import sample_crops
from trainer.core.engines.onnx_file import PlainNetwork, onnx_bytes, without_deprecation_warnings
from trainer.core.engines.onnx_runtime import import_onnxruntime
from trainer.core.models import Compact, KeypointNetwork, Large, _ConvNorm, count_parameters
from trainer.core.resources import default_weights_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]

BATCHES: Final = (1, 2, 4, 8)
ROUNDS: Final = 40
CORE_PROGRAM: Final = """
import json, time
import numpy as np
a = np.random.default_rng(0).random((1024, 1024), np.float32)
block = np.zeros(32 * 2**20, np.uint8)
other = np.ones_like(block)
def best(work, repeats):
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)
print(json.dumps({
    "multiply_adds_per_s": a.shape[0] ** 3 / best(lambda: a @ a, 20),
    "copied_bytes_per_s": 2 * block.nbytes / best(lambda: np.copyto(block, other), 20),
}))
"""


def measure(*, quick: bool = False, weights: Path | None = None, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure every engine that is here.

    Parameters
    ----------
    quick
        A few rounds only, to see that it works.
    weights
        A safetensors file; None for the shipped weights.
    rounds
        How often each engine has its turn.

    Returns
    -------
    "ms" and "cpu_ms": engine -> batch size -> median milliseconds of a call (wall time, and the process's own);
    "off_px": engine -> largest difference from PyTorch in
    pixels of the crop; "network": what it takes (see `cost`); "core": what one core can do (see `core`); "share": part
    of the core's multiply-adds that the quickest engine on one core reaches, by batch size.
    """
    path, rounds = weights or default_weights_path(), 3 if quick else rounds
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    network = load_checkpoint(path).network
    engines = all_engines(network)
    size_px = network.input_spec.size_px
    crops = {count: _crops(size_px, count) for count in BATCHES}
    wanted = engines["PyTorch"](crops[4])
    off_px = {name: float(np.abs(run(crops[4]) - wanted).max()) * size_px for name, run in engines.items()}
    ms, cpu_ms = take_turns(engines, crops, rounds=rounds)
    taken, can = cost(load_checkpoint(path).network), core()
    quickest = {
        count: min(times[count] for name, times in cpu_ms.items() if "2 threads" not in name) for count in BATCHES
    }
    share = {
        count: count * taken["multiply_adds"] / (can["multiply_adds_per_s"] * quickest[count] / 1000)
        for count in BATCHES
    }
    return {"ms": ms, "cpu_ms": cpu_ms, "off_px": off_px, "network": taken, "core": can, "share": share}


def all_engines(network: KeypointNetwork) -> dict[str, Run]:
    """Return everything that can compute a network here, by name: float crops (N, 1, S, S) -> points (N, 68, 2)."""
    plain = PlainNetwork(network)
    content = onnx_bytes(plain, {})
    return {
        "PyTorch": partial(_run_torch, plain),
        "TorchScript, frozen": partial(_run_torch, _frozen(plain)),
        "OpenCV dnn": partial(_run_opencv, cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))),
        "ONNX Runtime": _onnx_runtime(content, threads=1),
        "ONNX Runtime, 2 threads": _onnx_runtime(content, threads=2),
    }


def take_turns(
    engines: Mapping[str, Run], crops: Mapping[int, NDArray[np.float32]], *, rounds: int
) -> tuple[dict[str, dict[int, float]], dict[str, dict[int, float]]]:
    """Return the median milliseconds of a call, in wall time and the process's own: engine -> batch size -> ms."""
    times: dict[str, dict[int, list[tuple[float, float]]]]
    times = {name: {count: [] for count in crops} for name in engines}
    for number in range(rounds + 3):
        for name, run in engines.items():
            for count, batch in crops.items():
                start_s, start_cpu_s = time.perf_counter(), time.process_time()
                run(batch)
                taken = (1000 * (time.perf_counter() - start_s), 1000 * (time.process_time() - start_cpu_s))
                if number >= 3:  # the first ones choose algorithms and take memory
                    times[name][count].append(taken)
    wall, cpu = (
        {
            name: {c: statistics.median(v[kind] for v in values) for c, values in by.items()}
            for name, by in times.items()
        }
        for kind in (0, 1)
    )
    return wall, cpu


def cost(network: KeypointNetwork) -> dict[str, float]:
    """Return what computing one crop takes.

    Returns
    -------
    "multiply_adds" of convolutions and linear layers, "parameters", "weight_bytes" in float32, and "traffic_bytes":
    what these layers read and write in all, each time anew, as if there were no cache.
    """
    plain = PlainNetwork(network)
    counted = {"multiply_adds": 0.0, "traffic_bytes": 0.0}

    def count(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        assert isinstance(layer, nn.Conv2d | nn.Linear)
        per_value = layer.weight[0].numel()  # of its inputs that an output is made of
        counted["multiply_adds"] += output.numel() * per_value
        counted["traffic_bytes"] += 4 * (inputs[0].numel() + output.numel() + layer.weight.numel())

    for layer in plain.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    with torch.inference_mode():
        plain(plain.example()[:1])
    parameters = count_parameters(plain)
    return {**counted, "parameters": parameters, "weight_bytes": 4 * parameters}


def core() -> dict[str, float]:
    """Return what one core can do: the multiply-adds a second of a large product, the bytes a second of a large copy.

    Measured in a process of its own, where NumPy is told to use one thread, and in that process's time.
    """
    one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1")
    command = [sys.executable, "-c", CORE_PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **one})
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure_architectures(*, rounds: int = ROUNDS) -> dict[str, dict[str, Any]]:
    """Measure other networks, with random weights, in PyTorch and ONNX Runtime.

    Returns
    -------
    Network -> "multiply_adds", "parameters", and "ms" and "cpu_ms": engine -> batch size -> median milliseconds.
    """
    torch.set_num_threads(1)
    networks: dict[str, KeypointNetwork] = {"compact": Compact(), "large": Large()}
    for name, factor, expansion in (
        ("depthwise, as wide", 1.0, 1),
        ("depthwise, 1.5 times as wide", 1.5, 1),
        ("depthwise, twice as wide", 2.0, 1),
        ("inverted residuals, as wide, expanded 3 times", 1.0, 3),
    ):
        networks[name] = depthwise(factor, expansion)
    found: dict[str, dict[str, Any]] = {name: cost(network) for name, network in networks.items()}
    engines: dict[str, Run] = {}
    for name, network in networks.items():
        plain = PlainNetwork(network)
        engines[f"{name}|PyTorch"] = partial(_run_torch, plain)
        engines[f"{name}|ONNX Runtime"] = _onnx_runtime(onnx_bytes(plain, {}), threads=1)
    ms, cpu_ms = take_turns(engines, {count: _crops(96, count) for count in (1, 4)}, rounds=rounds)
    for name, figures in found.items():
        for kind, times in (("ms", ms), ("cpu_ms", cpu_ms)):
            figures[kind] = {engine: times[f"{name}|{engine}"] for engine in ("PyTorch", "ONNX Runtime")}
    return found


def depthwise(factor: float, expansion: int) -> KeypointNetwork:
    """Make `Compact` with each 3x3 convolution replaced as MobileNets do it, without normalisation, as if folded.

    Parameters
    ----------
    factor
        Width of its layers over `Compact`'s.
    expansion
        1 for a depthwise and a 1x1 convolution (https://arxiv.org/abs/1704.04861); more for a 1x1 convolution to as
        many times the channels before them (https://arxiv.org/abs/1801.04381).
    """
    widths = tuple(int(width * factor) for width in Compact._WIDTHS)
    network = type("Depthwise", (Compact,), {"_WIDTHS": widths, "_MERGED": int(Compact._MERGED * factor)})()
    for module in network.modules():
        if isinstance(module, _ConvNorm) and module.conv.kernel_size == (3, 3):
            old = module.conv
            inner = old.in_channels * expansion
            widen = [nn.Conv2d(old.in_channels, inner, 1), nn.ReLU()] if expansion > 1 else []
            each = nn.Conv2d(inner, inner, 3, old.stride, 1, groups=inner)
            module.conv = nn.Sequential(*widen, each, nn.ReLU(), nn.Conv2d(inner, old.out_channels, 1))
            module.norm = nn.Identity()
    assert isinstance(network, KeypointNetwork)
    return network


def _crops(size_px: int, count: int) -> NDArray[np.float32]:
    samples = sample_crops(size_px)
    return np.divide(samples[np.arange(count) % len(samples)], 255, dtype=np.float32)


def _run_torch(network: Callable[[torch.Tensor], Any], crops: NDArray[np.float32]) -> NDArray[np.float32]:
    with torch.inference_mode():
        points: NDArray[np.float32] = network(torch.from_numpy(crops))[0].numpy()
        return points


def _frozen(plain: PlainNetwork) -> Any:
    with without_deprecation_warnings():
        traced = torch.jit.trace(plain, (plain.example(),), check_trace=False)
        return torch.jit.optimize_for_inference(torch.jit.freeze(traced.eval()))


def _run_opencv(network: Any, crops: NDArray[np.float32]) -> NDArray[np.float32]:
    network.setInput(crops, "crops")
    points: NDArray[np.float32] = network.forward(["points"])[0]
    return points


def _onnx_runtime(content: bytes, *, threads: int) -> Run:
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda crops: session.run(["points"], {"crops": crops})[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--weights", type=Path, help="safetensors file (default: the shipped weights)")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--architectures", action="store_true")
    options = parser.parse_args()
    if options.architectures:
        print("milliseconds of a call, and of the processor's time")
        for name, figures in measure_architectures(rounds=options.rounds).items():
            millions, thousands = figures["multiply_adds"] / 1e6, figures["parameters"] / 1e3
            print(f"{name}: {millions:.1f} M multiply-adds, {thousands:.0f} k parameters")
            for engine, times in figures["ms"].items():
                print(
                    f"    {engine:22}",
                    *(f"{c} face(s): {ms:.2f} {figures['cpu_ms'][engine][c]:.2f}  " for c, ms in times.items()),
                )
        return 0
    found = measure(weights=options.weights, rounds=options.rounds)
    for title, kind in (("milliseconds of a call", "ms"), ("of the processor's time", "cpu_ms")):
        print(f"{title:26}" + "".join(f"{f'{count} faces':>9}" for count in BATCHES) + "   px off")
        for name, times in found[kind].items():
            print(f"{name:26}" + "".join(f"{times[c]:9.2f}" for c in BATCHES) + f"{found['off_px'][name]:9.4f}")
    taken, can = found["network"], found["core"]
    print(
        f"the network: {taken['multiply_adds'] / 1e6:.1f} M multiply-adds a face, {taken['weight_bytes'] / 1e6:.1f} MB "
        f"of weights; its layers read and write {taken['traffic_bytes'] / 1e6:.1f} MB"
    )
    print(f"one core: {can['multiply_adds_per_s'] / 1e9:.1f} G multiply-adds/s,", end=" ")
    print(f"copies {can['copied_bytes_per_s'] / 1e9:.1f} GB/s; of its multiply-adds, the quickest engine reaches")
    print("  " + ", ".join(f"{share:.0%} with {count} face(s)" for count, share in found["share"].items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
