"""Everything but CUDA itself on the processor; the rest where there is a GPU."""

import gc
import logging
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.fx.experimental.proxy_tensor import make_fx

from trainer.core.checkpoint import load_checkpoint
from trainer.core.engines.cuda_graph import (
    BUCKETS,
    WARM_BUCKETS,
    CudaGraphEngine,
    CudaRecorder,
    PlainRecorder,
    batches,
    bucket_of,
    use_half_precision,
)
from trainer.core.models import NETWORKS, Compact, KeypointNetwork, TwoConv, build_network
from trainer.core.resources import default_weights_path
from trainer.dataset import load_crops
from trainer.readers import read_samples

AGREEMENT_PX = 0.05
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
ROOT = Path(__file__).resolve().parents[4]


class Tracing(PlainRecorder):
    """As a CUDA graph does it: keeps the operations and the memory that they read and write, and none of the code."""

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        return make_fx(lambda: work() or ())()


class Counting(PlainRecorder):
    def __init__(self) -> None:
        super().__init__(suits_half=False)
        self.recorded = self.waited = 0

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        self.recorded += 1
        return work

    def wait(self) -> None:
        self.waited += 1


class Breaking(PlainRecorder):
    """Raises an error where a device would notice it."""

    error: type[Exception] | None = None

    def wait(self) -> None:
        if self.error is not None:
            raise self.error("CUDA error: it broke")


class NarrowTwoConv(TwoConv):
    """`two_conv` with fewer columns, that answers anywhere in the crop."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(64 * 53 * 53, 24), nn.Linear(24, 500)
        self.fc3.bias.data.uniform_(-2, 2)
        self.fc3.weight.data *= 8


@pytest.fixture
def shipped() -> KeypointNetwork:
    return load_checkpoint(default_weights_path()).network


@pytest.fixture(scope="module")
def crops(tiny_data: Path) -> np.ndarray:
    """Drawn faces, as the default network sees them."""
    return crops_of(tiny_data, Compact())


def crops_of(data: Path, network: KeypointNetwork, *, every: int = 1) -> np.ndarray:
    spec = network.input_spec
    return load_crops(read_samples(data)[::every], size_px=spec.size_px, crop_per_box=spec.crop_per_box).crops


def noise(count: int, size_px: int = 96) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, 1, size_px, size_px), np.uint8)


def plainly(network: KeypointNetwork, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the network says in float32, as it was trained."""
    with torch.inference_mode():
        output = network.eval()(torch.from_numpy(crops).float() / 255)
    confidence = torch.ones(len(crops)) if output.face_logit is None else output.face_logit.sigmoid()
    return output.points.numpy(), confidence.numpy()


def farthest_px(network: KeypointNetwork, found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected, axis=-1).max() * network.input_spec.size_px)


# --- buckets ---


def test_bucket_is_the_smallest_with_room() -> None:
    assert [bucket_of(count) for count in (1, 2, 3, 4, 5, 8, 9, 17, 32)] == [1, 2, 4, 4, 8, 8, 16, 32, 32]


@pytest.mark.parametrize("count", [1, 31, 32, 33, 64, 70])
def test_batches_cover_all_once(count: int) -> None:
    parts = list(batches(count))
    assert [i for part in parts for i in range(count)[part]] == list(range(count))
    assert max(len(range(count)[part]) for part in parts) <= BUCKETS[-1]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 32, 33, 70])
def test_any_number_of_crops(shipped: KeypointNetwork, count: int) -> None:
    crops = noise(count)
    expected = plainly(shipped, crops)
    points, confidence = CudaGraphEngine(shipped, recorder=PlainRecorder(suits_half=False))(crops)
    assert points.shape == (count, 68, 2)
    assert points.dtype == confidence.dtype == np.float32
    assert np.allclose(points, expected[0], atol=1e-5)
    assert np.allclose(confidence, expected[1], atol=1e-5)


def test_what_other_rows_hold_does_not_matter(shipped: KeypointNetwork) -> None:
    engine = CudaGraphEngine(shipped, recorder=PlainRecorder())
    crops = noise(3)
    before = engine(crops)
    engine(np.full((32, 1, 96, 96), 255, np.uint8))
    after = engine(crops)
    assert np.array_equal(before[0], after[0])
    assert np.array_equal(before[1], after[1])


def test_results_are_the_callers(shipped: KeypointNetwork) -> None:
    engine = CudaGraphEngine(shipped, recorder=PlainRecorder())
    points, confidence = engine(noise(4))
    kept = points.copy(), confidence.copy()
    engine(noise(4)[::-1])
    engine(noise(32))
    assert np.array_equal(points, kept[0])
    assert np.array_equal(confidence, kept[1])


def test_crops_of_any_layout(shipped: KeypointNetwork) -> None:
    engine = CudaGraphEngine(shipped, recorder=PlainRecorder())
    crops = noise(4)
    expected, _ = engine(crops)
    crops.flags.writeable = False
    assert np.array_equal(engine(crops)[0], expected)
    assert np.array_equal(engine(crops[::-1])[0][::-1], expected)
    with pytest.raises(ValueError, match="broadcast"):
        engine(noise(1, size_px=95))


def test_network_that_cannot_tell_is_sure() -> None:
    engine = CudaGraphEngine(NarrowTwoConv(), recorder=PlainRecorder())
    assert engine(noise(3, 224))[1].tolist() == [1.0, 1.0, 1.0]


# --- recording ---


def test_a_bucket_is_recorded_when_first_needed_and_waited_for_once_a_call(shipped: KeypointNetwork) -> None:
    recorder = Counting()
    engine = CudaGraphEngine(shipped, recorder=recorder)
    engine.warm_up()
    assert recorder.recorded == len(WARM_BUCKETS)
    recorder.waited = 0
    for count in (1, 3, 4, 2):
        engine(noise(count))
    assert (recorder.recorded, recorder.waited) == (len(WARM_BUCKETS), 4)
    engine(noise(9))
    engine(noise(15))
    assert recorder.recorded == len(WARM_BUCKETS) + 1


@pytest.mark.parametrize("make", [*(NETWORKS[name] for name in ("compact", "large")), NarrowTwoConv])
def test_recorded_operations_do_it_all(make: type[KeypointNetwork]) -> None:
    """Nothing is decided in Python, nothing waited for, and each buffer stays where it is."""
    network = make()
    size_px = network.input_spec.size_px
    first, second = noise(3, size_px), noise(4, size_px)
    expected = [plainly(network, first), plainly(network, second)]
    engine = CudaGraphEngine(network, recorder=Tracing(suits_half=False))
    engine(noise(4, size_px)[::-1])
    for crops, (points, confidence) in zip((first, second), expected, strict=True):
        found = engine(crops)
        assert np.allclose(found[0], points, atol=1e-4)
        assert np.allclose(found[1], confidence, atol=1e-4)


def test_without_graphs_it_goes_on(shipped: KeypointNetwork, caplog: pytest.LogCaptureFixture) -> None:
    class Refusing(Counting):
        def record(self, work: Callable[[], None]) -> Callable[[], None]:
            super().record(work)
            raise RuntimeError("operation not permitted when stream is capturing")

    recorder = Refusing()
    expected = plainly(shipped, noise(5))
    engine = CudaGraphEngine(shipped, recorder=recorder)
    assert engine.name == "PyTorch, CUDA graphs"
    with caplog.at_level(logging.ERROR):
        engine.warm_up()
        points, _ = engine(noise(5))
    assert np.allclose(points, expected[0], atol=1e-5)
    assert engine.name == "PyTorch"
    assert recorder.recorded == 1
    assert [record.message for record in caplog.records] == [
        "CUDA graphs cannot be recorded here; going on without them"
    ]


# --- precision ---


@pytest.mark.parametrize("name", NETWORKS)
def test_heads_are_layers_and_the_last_ones(name: str) -> None:
    with torch.device("meta"):
        network = build_network(name)
    layers = dict(network.named_modules())
    assert network.heads
    assert all(isinstance(layers[head], nn.Conv2d | nn.Linear) for head in network.heads)
    use_half_precision(network)
    kinds = {name: layer.weight.dtype for name, layer in layers.items() if isinstance(layer, nn.Conv2d | nn.Linear)}
    assert {name for name, kind in kinds.items() if kind == torch.float32} == set(network.heads)


@pytest.mark.parametrize("recorder", [PlainRecorder, Tracing])
def test_half_precision_agrees_on_drawn_faces(shipped: KeypointNetwork, crops: np.ndarray, recorder: type) -> None:
    expected = plainly(shipped, crops)
    engine = CudaGraphEngine(shipped, recorder=recorder())
    points, confidence = engine(crops)
    assert engine.is_half
    assert 0 < farthest_px(shipped, points, expected[0]) < AGREEMENT_PX
    assert np.abs(confidence - expected[1]).max() < 0.01


def test_half_precision_agrees_on_real_faces(shipped: KeypointNetwork, youtube_faces: Path) -> None:
    crops = crops_of(youtube_faces, shipped, every=40)
    expected = plainly(shipped, crops)
    points, confidence = CudaGraphEngine(shipped, recorder=PlainRecorder())(crops)
    assert 0 < farthest_px(shipped, points, expected[0]) < AGREEMENT_PX
    assert np.abs(confidence - expected[1]).max() < 0.01


def test_half_precision_agrees_for_published_networks(tiny_data: Path) -> None:
    torch.manual_seed(0)
    network = NarrowTwoConv()
    crops = crops_of(tiny_data, network)[:4]
    expected = plainly(network, crops)
    points, _ = CudaGraphEngine(network, recorder=PlainRecorder())(crops)
    assert np.ptp(points) > 0.5
    assert 0 < farthest_px(network, points, expected[0]) < AGREEMENT_PX


def test_weights_that_half_precision_is_too_small_for(caplog: pytest.LogCaptureFixture) -> None:
    torch.manual_seed(0)
    network = NarrowTwoConv()
    network.conv1.weight.data *= 1e3
    network.conv2.weight.data *= 1e3
    network.fc3.weight.data /= 1e6
    crops = noise(3, 224)
    expected = plainly(network, crops)
    engine = CudaGraphEngine(network, recorder=PlainRecorder())
    with caplog.at_level(logging.WARNING):
        first, again = engine(crops)[0], engine(crops)[0]
    assert not engine.is_half
    assert len(caplog.records) == 1
    assert np.array_equal(first, again)
    assert farthest_px(network, first, expected[0]) < 1  # the weights were rounded before


# --- a device that breaks ---


def test_broken_device_raises_each_time_and_is_never_freed(shipped: KeypointNetwork) -> None:
    recorder = Breaking()
    engine = CudaGraphEngine(shipped, recorder=recorder)
    engine(noise(2))
    recorder.error = torch.AcceleratorError
    for _ in range(2):
        with pytest.raises(RuntimeError, match="it broke"):
            engine(noise(2))
    kept = weakref.ref(engine)
    del engine
    gc.collect()
    assert kept() is not None


def test_full_memory_raises_and_is_given_back(shipped: KeypointNetwork) -> None:
    recorder = Breaking()
    engine = CudaGraphEngine(shipped, recorder=recorder)
    recorder.error = torch.OutOfMemoryError
    with pytest.raises(RuntimeError, match="it broke"):
        engine(noise(2))
    kept = weakref.ref(engine)
    del engine
    gc.collect()
    assert kept() is None


def test_recording_that_runs_out_of_memory_is_no_refusal(shipped: KeypointNetwork) -> None:
    class Full(PlainRecorder):
        def record(self, work: Callable[[], None]) -> Callable[[], None]:
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        CudaGraphEngine(shipped, recorder=Full()).warm_up()


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA works here")
def test_without_cuda_it_is_a_runtime_error(shipped: KeypointNetwork) -> None:
    with pytest.raises(RuntimeError, match="finds no CUDA device"):
        CudaGraphEngine(shipped)


# --- on a GPU ---


@needs_cuda
@pytest.mark.parametrize("count", [1, 3, 4, 7, 33])
def test_cuda_agrees_with_the_processor(shipped: KeypointNetwork, crops: np.ndarray, count: int) -> None:
    crops = np.resize(crops, (count, *crops.shape[1:]))
    expected = plainly(shipped, crops)
    engine = CudaGraphEngine(shipped)
    engine.warm_up()
    for _ in range(3):
        points, confidence = engine(crops)
        assert farthest_px(shipped, points, expected[0]) < AGREEMENT_PX
        assert np.abs(confidence - expected[1]).max() < 0.01
    assert engine.name == "PyTorch, CUDA graphs"  # recorded, not without them


@needs_cuda
@pytest.mark.slow
def test_cuda_agrees_for_two_conv() -> None:
    torch.manual_seed(0)
    network = build_network("two_conv")
    crops = noise(4, 224)
    expected = plainly(network, crops)
    engine = CudaGraphEngine(network)
    engine.warm_up()
    assert farthest_px(network, engine(crops)[0], expected[0]) < AGREEMENT_PX
    assert engine.name == "PyTorch, CUDA graphs"


@needs_cuda
def test_cuda_records_while_other_threads_use_the_device(shipped: KeypointNetwork) -> None:
    """A network is loaded and recorded while the session goes on with another, in its own thread."""
    running = CudaGraphEngine(load_checkpoint(default_weights_path()).network)
    running.warm_up()
    expected = running(noise(4))[0]
    stop, results = threading.Event(), []

    def go_on() -> None:
        while not stop.is_set():
            _ = torch.zeros(1000, 1000, device="cuda") @ torch.ones(1000, 1000, device="cuda")
            results.append(running(noise(4))[0])

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        engine = CudaGraphEngine(shipped)
        engine.warm_up()
        engine(noise(20))
    finally:
        stop.set()
        thread.join()
    assert engine.name == "PyTorch, CUDA graphs"
    assert results
    assert all(np.allclose(result, expected, atol=1e-4) for result in results)


@needs_cuda
def test_cuda_does_not_grow_with_use(shipped: KeypointNetwork) -> None:
    engine = CudaGraphEngine(shipped)
    for count in BUCKETS:
        engine(noise(count))
    before = torch.cuda.memory_allocated()
    for count in range(1, 33):
        engine(noise(count))
    assert torch.cuda.memory_allocated() == before


@needs_cuda
def test_lost_cuda_device_is_an_error_and_not_the_process_end() -> None:
    """In a process of its own, since its CUDA is unusable from then on; the processor's results still come."""
    script = """
import gc, numpy as np, torch
from trainer.core.checkpoint import load_checkpoint
from trainer.core.engines.cuda_graph import CudaGraphEngine, PlainRecorder
from trainer.core.predictor import Predictor
from trainer.core.resources import default_weights_path

engine = CudaGraphEngine(load_checkpoint(default_weights_path()).network)
engine.warm_up()
crops = np.zeros((2, 1, 96, 96), np.uint8)
torch.zeros(1, device="cuda")[torch.tensor([5], device="cuda")]  # a kernel that fails
try:
    engine(crops)
except RuntimeError as error:
    print("raised", type(error).__name__)
del engine
gc.collect()
frame = np.zeros((100, 100, 3), np.uint8)
print("cpu", Predictor.load(device="cpu").predict(frame, [[10, 10, 80, 80]]).points_px.shape)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, cwd=ROOT, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert "raised" in done.stdout
    assert "cpu (1, 68, 2)" in done.stdout


@needs_cuda
def test_cuda_buffers_are_pinned() -> None:
    recorder = CudaRecorder()
    assert recorder.host_buffer(2, 3, dtype=torch.uint8).is_pinned()
