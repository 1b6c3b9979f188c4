"""The engine for CUDA: all faces of a frame in one batch, in half precision, as one recorded graph of kernels.

A small network's kernels are so short that launching them one by one takes longer than running them; a CUDA graph
launches all of them at once. A graph is of one batch size and of fixed addresses, so there are a few sizes (buckets),
each recorded when it is first needed, that read from and write to buffers that stay where they are. A batch fills the
first rows of the next larger bucket; networks treat each row by itself, so what the others hold does not matter. The
large networks are as fast as their weights can be read: half precision halves that time.

What needs a GPU is in `CudaRecorder`, a few lines; all else runs with any `Recorder`.
"""

from __future__ import annotations

import ctypes
import logging
import threading
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import torch
from torch import nn

from trainer.core.keypoints import NUM_KEYPOINTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray
    from torch import Tensor

    from trainer.core.models import KeypointNetwork
    from trainer.core.names import DeviceName

_log = logging.getLogger(__name__)

BUCKETS: Final = (1, 2, 4, 8, 16, 32)
"""Batch sizes that graphs are recorded for; more faces than the last take turns."""
WARM_BUCKETS: Final = (1, 2, 4)
"""Recorded before the first frame; the others when so many faces are first seen, which delays that frame."""
WARM_UPS: Final = 3
"""Runs before recording: libraries choose algorithms and take memory in the first ones, which a recording must not."""
COLUMNS: Final = 2 * NUM_KEYPOINTS + 1
"""Of a row of results: x and y of each keypoint, and the confidence."""


class Recorder(Protocol):
    """Where work is queued, and how it is recorded to be launched again.

    Attributes
    ----------
    device
        Where the work is done.
    suits_half
        Whether half precision is quicker there.
    """

    device: torch.device
    suits_half: bool

    def queue(self) -> AbstractContextManager[object]:
        """Return a context in which torch's work goes to this recorder's own queue."""

    def host_buffer(self, *shape: int, dtype: torch.dtype) -> Tensor:
        """Return memory of the computer's that the device can read and write by itself."""

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        """Run work and record it; what is returned does the same to the same memory again, queued.

        Raises
        ------
        RuntimeError
            If it cannot be recorded.
        """

    def wait(self) -> None:
        """Wait until all that was queued is done."""


class CudaRecorder:
    """Records CUDA graphs, on a stream and in a memory pool of its own. See `Recorder`.

    Raises
    ------
    RuntimeError
        If CUDA does not work here.
    """

    _one_at_a_time: Final = threading.Lock()
    """PyTorch can record one graph at a time in a process."""

    def __init__(self) -> None:
        if not torch.cuda.is_available():
            raise RuntimeError("PyTorch finds no CUDA device that works")
        self.device = torch.device("cuda", torch.cuda.current_device())
        self.suits_half = torch.cuda.get_device_capability(self.device) >= (7, 0)
        self._stream = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
        # Graphs that never run at the same time may compute in the same memory.
        self._pool = torch.cuda.graph_pool_handle()

    def queue(self) -> AbstractContextManager[object]:
        """See `Recorder`."""
        return torch.cuda.stream(self._stream)

    def host_buffer(self, *shape: int, dtype: torch.dtype) -> Tensor:
        """See `Recorder`."""
        return torch.zeros(shape, dtype=dtype, pin_memory=True)

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        """See `Recorder`; `work` must not wait for the device."""
        for _ in range(WARM_UPS):
            work()
        self.wait()
        graph = torch.cuda.CUDAGraph()
        # "thread_local": other threads may go on using CUDA meanwhile, a running session or a network being loaded.
        with (
            self._one_at_a_time,
            torch.cuda.graph(graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"),
        ):
            work()
        return graph.replay

    def wait(self) -> None:
        """See `Recorder`."""
        self._stream.synchronize()


class PlainRecorder:
    """Records nothing: work is done anew each time, where torch does it at once. See `Recorder`.

    Parameters
    ----------
    device
        Any.
    suits_half
        What it says of itself.
    """

    def __init__(self, device: DeviceName = "cpu", *, suits_half: bool = True) -> None:
        self.device, self.suits_half = torch.device(device), suits_half

    def queue(self) -> AbstractContextManager[object]:
        """See `Recorder`."""
        return nullcontext()

    def host_buffer(self, *shape: int, dtype: torch.dtype) -> Tensor:
        """See `Recorder`."""
        return torch.zeros(shape, dtype=dtype)

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        """See `Recorder`."""
        return work

    def wait(self) -> None:
        """See `Recorder`."""


class CudaGraphEngine:
    """A network on CUDA; see `trainer.core.engines.engine.Engine`.

    It takes the network over: folds it, gives it half precision where the device is quicker so, and moves it. If
    graphs cannot be recorded, it does without them.

    Parameters
    ----------
    network
        In the computer's memory.
    recorder
        What records; None for CUDA graphs.

    Raises
    ------
    RuntimeError
        If CUDA does not work, or has not the memory.
    """

    device: Final[DeviceName] = "cuda"

    def __init__(self, network: KeypointNetwork, *, recorder: Recorder | None = None) -> None:
        self.name = "PyTorch, CUDA graphs"
        self._recorder = recorder or CudaRecorder()
        self._is_half = self._recorder.suits_half
        self._launchers: dict[int, Callable[[], None]] = {}
        self._does_record = True
        network.eval()
        network.fold()
        network.requires_grad_(requires_grad=False)
        if self._is_half:
            use_half_precision(network)
        size, most, device = network.input_spec.size_px, BUCKETS[-1], self._recorder.device
        with self._recorder.queue():
            self._network: KeypointNetwork = network.to(device, memory_format=network.memory_format)  # type: ignore[call-overload]
            self._crops = torch.zeros(most, 1, size, size, dtype=torch.uint8, device=device)
            self._found = torch.ones(most, COLUMNS, device=device)
            self._host_crops = self._recorder.host_buffer(most, 1, size, size, dtype=torch.uint8)
            self._host_found = self._recorder.host_buffer(most, COLUMNS, dtype=torch.float32)
            self._recorder.wait()
        # NumPy's views of the same memory.
        self._crops_in, self._found_out = self._host_crops.numpy(), self._host_found.numpy()

    @property
    def is_half(self) -> bool:
        """Whether it computes in half precision."""
        return self._is_half

    def warm_up(self) -> None:
        """Record the usual batch sizes.

        Raises
        ------
        RuntimeError
            If the device breaks.
        """
        for size in WARM_BUCKETS:
            self(np.zeros((size, *self._crops_in.shape[1:]), np.uint8))

    def __call__(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See `Engine`. What is returned is the caller's."""
        found = self._compute_all(crops)
        if self._is_half and not np.isfinite(found).all():
            _log.warning("half precision is too small for these weights; going on in float32")
            self._is_half = False
            self._launchers.clear()
            with self._recorder.queue():
                self._network.float()
            found = self._compute_all(crops)
        return found[:, :-1].reshape(-1, NUM_KEYPOINTS, 2), found[:, -1].copy()

    def _compute_all(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, COLUMNS) results of N crops."""
        found = np.empty((len(crops), COLUMNS), np.float32)
        try:
            with torch.inference_mode(), self._recorder.queue():
                for part in batches(len(crops)):
                    self._compute(crops[part], found[part])
        except torch.OutOfMemoryError:
            raise
        except RuntimeError:
            # A device that broke cannot even take memory back: PyTorch raises that error where C++ allows none, which
            # ends the process. So what this engine holds stays, to the process's end.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))
            raise
        return found

    def _compute(self, crops: NDArray[np.uint8], found: NDArray[np.float32]) -> None:
        """Fill the results of at most as many crops as the largest bucket has rows."""
        count = len(crops)
        bucket = bucket_of(count)
        if bucket not in self._launchers:
            self._launchers[bucket] = self._recorded(partial(self._run_network, bucket))
        np.copyto(self._crops_in[:count], crops)
        self._crops[:count].copy_(self._host_crops[:count], non_blocking=True)
        self._launchers[bucket]()
        self._host_found[:count].copy_(self._found[:count], non_blocking=True)
        self._recorder.wait()
        np.copyto(found, self._found_out[:count])

    def _recorded(self, work: Callable[[], None]) -> Callable[[], None]:
        if self._does_record:
            try:
                return self._recorder.record(work)
            except torch.OutOfMemoryError:
                raise
            except RuntimeError:  # if it is the device that broke, the work itself will say so
                _log.exception("CUDA graphs cannot be recorded here; going on without them")
                self._does_record = False
                self.name = "PyTorch"
        return work

    def _run_network(self, rows: int) -> None:
        """Compute the first rows of the device's buffers: what is recorded, without a glance at values."""
        output = self._network(self._crops[:rows].float().div_(255))
        self._found[:rows, :-1].copy_(output.points.flatten(1))
        if output.face_logit is not None:  # the confidence is 1 without
            self._found[:rows, -1].copy_(output.face_logit.float().sigmoid())


def bucket_of(count: int) -> int:
    """Return the smallest bucket that has room for `count` rows, 1 to `BUCKETS[-1]`."""
    return next(size for size in BUCKETS if size >= count)


def batches(count: int) -> Iterator[slice]:
    """Divide `count` crops into batches that the largest bucket has room for."""
    most = BUCKETS[-1]
    return (slice(start, min(start + most, count)) for start in range(0, count, most))


def use_half_precision(network: KeypointNetwork) -> None:
    """Give convolutions and linear layers half-precision weights, and have their inputs converted.

    The heads (`KeypointNetwork.heads`) stay in float32, and so does what is done outside of layers, before the first
    and after the heads: normalisation and decoding. float16 has 11 bits; positions across a crop need more.

    Parameters
    ----------
    network
        Folded: batch normalisation is not converted.
    """
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            if name not in network.heads:
                layer.half()
            layer.register_forward_pre_hook(_convert_input)


def _convert_input(layer: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
    """Give a layer that is about to run an input of the type that its weights have at that time."""
    weight: Tensor = layer.weight  # type: ignore[assignment]
    return (inputs[0].to(weight.dtype),)
