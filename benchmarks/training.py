"""What a training step costs: ``python -m benchmarks.training [--model NAME] [--threads N] [--device D] [--data DIR]``.

Real steps of the real loop's parts on crops in memory: making a batch (augmentation) and learning from it, timed apart.
With ``--data`` the data set is read too and its real crops are used; without, noise of the same size.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time

import numpy as np
import torch

from trainer.config import TrainConfig
from trainer.core.devices import resolve_device
from trainer.core.keypoints import NUM_KEYPOINTS
from trainer.core.models import NETWORKS, build_network, count_parameters
from trainer.core.names import DEVICE_NAMES
from trainer.dataset import CACHE_PER_BOX, FaceCrops, training_cache
from trainer.learner import Learner
from trainer.readers import read_samples
from trainer.sampler import Sampler


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--model", choices=NETWORKS, default="compact")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=DEVICE_NAMES, default="auto")
    parser.add_argument("--data", help="data set, to time reading it too")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = torch.device(resolve_device(options.device))
    network = build_network(options.model)
    network.to(device, memory_format=network.memory_format)
    faces = read(options.data, network) if options.data else noise(network, max(64, options.batch_size))
    config = TrainConfig(model=options.model, batch_size=options.batch_size)
    if options.model != "compact":
        config = TrainConfig(
            model=options.model, batch_size=options.batch_size, optimizer="adam", loss="smooth_l1",
            schedule="constant", augmentation="random_crop", negative_share=0.0,
        )  # fmt: skip
    sampler = Sampler(
        faces, network.input_spec, batch_size=config.batch_size, augmentation=config.augmentation,
        negative_share=config.negative_share, seed=1, device=device,
    )  # fmt: skip
    learner = Learner(network, config, total_steps=10**6)
    network.train()
    making, learning = time_steps(sampler, learner, options.steps)
    total = making + learning
    print(
        f"{options.model}, {count_parameters(network):,} parameters, {options.threads} threads on {device}: "
        f"{config.batch_size / total:.1f} images/s ({1e3 * total:.0f} ms a step of {config.batch_size})"
    )
    print(f"  making the batch {making / total:6.1%}\n  learning from it {learning / total:6.1%}")
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB")
    if learner.runs_ahead:
        ahead = time_ahead(sampler, learner, options.steps)
        print(
            f"  without waiting for each step, as a run does it: {config.batch_size / ahead:.1f} images/s "
            f"({1e3 * ahead:.2f} ms a step), peak GPU memory {torch.cuda.max_memory_allocated() / 1e9:.1f} GB"
        )
    return 0


def time_steps(sampler: Sampler, learner: Learner, steps: int) -> tuple[float, float]:
    """Return the median seconds of making a batch and of learning from it; the first steps do not count."""
    making, learning, epoch = [], [], 0
    while len(learning) < steps + 3:
        epoch += 1
        batches = sampler.epoch(epoch)
        for _ in range(sampler.batches):
            began = time.perf_counter()
            crops, points, count = next(batches)
            if learner.device.type == "cuda":
                torch.cuda.synchronize()
            made = time.perf_counter()
            learner.step(crops, points, count)
            learner.losses()  # waits for it
            learning.append(time.perf_counter() - made)
            making.append(made - began)
    return statistics.median(making[3:]), statistics.median(learning[3:])


def time_ahead(sampler: Sampler, learner: Learner, steps: int) -> float:
    """Return the mean seconds of a step, when losses are asked for at the end only."""
    learner.losses()
    began, taken, epoch = time.perf_counter(), 0, 0
    while taken < steps:
        epoch += 1
        for batch in sampler.epoch(epoch):
            learner.step(*batch)
            taken += 1
    learner.losses()
    return (time.perf_counter() - began) / taken


def read(data: str, network: torch.nn.Module) -> FaceCrops:
    began = time.perf_counter()
    samples = read_samples(data)
    listed = time.perf_counter()
    faces = training_cache(samples, network.input_spec)
    seconds = time.perf_counter() - listed
    print(
        f"reading {len(samples)} rows {listed - began:.1f} s, decoding and cropping {seconds:.1f} s "
        f"({len(samples) / seconds:.0f} images/s, once a run), {faces.crops.nbytes / 1e6:.0f} MB of crops"
    )
    return faces


def noise(network: torch.nn.Module, count: int) -> FaceCrops:
    spec = network.input_spec
    size = round(1.25 * spec.size_px * CACHE_PER_BOX / spec.crop_per_box)
    random = np.random.default_rng(0)
    crops = random.integers(0, 256, (count, 1, size, size), dtype=np.uint8)
    return FaceCrops(crops, random.random((count, NUM_KEYPOINTS, 2), dtype=np.float32))


if __name__ == "__main__":
    sys.exit(main())
