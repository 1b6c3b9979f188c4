"""Keypoints for face boxes in a frame: the one way to run a network."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar

import numpy as np

from trainer.core import preprocess
from trainer.core.devices import DeviceError, resolve_device
from trainer.core.engines.converted import WEIGHTS_DIGEST, ConvertedFolder, converted_engine, is_ready
from trainer.core.engines.onnx_runtime import OnnxRuntimeError
from trainer.core.keypoints import NUM_KEYPOINTS
from trainer.core.names import ENGINE_NAMES, DeviceName, EngineName
from trainer.core.resources import default_weights_path
from trainer.core.weights_file import CheckpointError, digest, read_header

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike, NDArray

    from trainer.core.checkpoint import Checkpoint
    from trainer.core.engines.engine import Engine
    from trainer.core.input_spec import InputSpec

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Keypoints:
    """Keypoints of N faces in one frame.

    Attributes
    ----------
    points_px
        (N, 68, 2) float32, x and y in frame pixels, iBUG order.
    confidence
        (N,) float32 in [0, 1]: how likely the box holds a well-placed face. 1 for networks that cannot tell.
    """

    points_px: NDArray[np.float32]
    confidence: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.points_px)


class Predictor:
    """A network, ready to find the keypoints of all faces of a frame in one batch.

    Use it from one thread at a time. Most callers want `Predictor.load`.

    Parameters
    ----------
    engine
        What computes the network.
    spec
        The network's input.
    network_name
        Its name in `trainer.core.names.NETWORK_NAMES`.
    info
        What training wrote about it.
    fall_back
        Makes the engine that takes over when the first one breaks; None for none.
    """

    def __init__(
        self,
        engine: Engine,
        spec: InputSpec,
        *,
        network_name: str,
        info: Mapping[str, Any],
        fall_back: Callable[[], Engine] | None = None,
    ) -> None:
        self._engine, self._spec, self._fall_back = engine, spec, fall_back
        self.network_name = network_name
        self.info = info

    @property
    def device(self) -> DeviceName:
        """Where the network is computed."""
        return self._engine.device

    @property
    def engine_name(self) -> str:
        """What computes it, as users read it."""
        return self._engine.name

    @classmethod
    def of(cls, checkpoint: Checkpoint, *, device: DeviceName | str = "auto") -> Self:
        """Compute a checkpoint's network with PyTorch; takes the network over and rewrites it.

        Raises
        ------
        DeviceError
            If the device is not there.
        """
        from trainer.core.engines.eager import PyTorchEngine  # noqa: PLC0415 (torch)

        engine = PyTorchEngine(checkpoint.network, device=resolve_device(device))
        return cls(engine, checkpoint.network.input_spec, network_name=checkpoint.name, info=checkpoint.info)

    @classmethod
    def load(
        cls,
        weights: Path | str | None = None,
        *,
        device: DeviceName | str = "auto",
        engine: EngineName = "auto",
        converted_dir: Path | None = None,
        torch_threads: int | None = None,
    ) -> Self:
        """Load weights and get ready to predict.

        On the CPU, "auto" is ONNX Runtime for the shipped weights, and for others whose conversion can be kept; torch
        is then not even imported, unless there is something to convert. On CUDA it is recorded graphs of PyTorch in
        half precision. Whatever does not work gives way to plain PyTorch, with a line in the log.

        Parameters
        ----------
        weights
            A safetensors file that the trainer saved; None for the shipped weights.
        device
            "auto" (CUDA, then MPS, then CPU), "cpu", "cuda" or "mps".
        engine
            "auto" (the quickest on the device), "onnxruntime" (CPU only) or "pytorch" (in single precision, for results
            that stay the same).
        converted_dir
            Where networks that were converted for ONNX Runtime are kept.
        torch_threads
            Threads that PyTorch computes in, if it comes to that; None leaves them as they are.

        Raises
        ------
        CheckpointError
            If the weights cannot be used.
        DeviceError
            If the device is not there, or the engine does not know it.
        """
        device = _device_for(engine, device)  # fail on the device before reading gigabytes
        if weights is None:
            try:
                weights = default_weights_path()
            except FileNotFoundError as error:
                raise CheckpointError("there are no shipped weights: {error}", error=error) from error
        path = Path(weights)
        plain = partial(_plain_engine, path, device, torch_threads)
        if engine != "pytorch" and device == "cpu":
            name, info = read_header(path)
            folder = ConvertedFolder(converted_dir) if converted_dir is not None else None
            if engine == "onnxruntime" or is_ready(path, name, folder):
                _limit_torch(torch_threads)
                try:
                    onnx = converted_engine(path, name, folder)
                except OnnxRuntimeError as error:
                    _log.warning("PyTorch is used for %s, not ONNX Runtime: %s", path, error)
                else:
                    _limit_torch(torch_threads)  # which was imported if there was something to convert
                    fall_back = partial(_engine_of_same_weights, path, onnx.told[WEIGHTS_DIGEST], torch_threads)
                    return cls(onnx, onnx.spec, network_name=name, info=info, fall_back=fall_back)
        if engine == "auto" and device == "cuda":
            try:
                graphs, checkpoint = _graph_engine(path)
            except RuntimeError:
                _log.warning("plain PyTorch is used for %s, without CUDA graphs", path, exc_info=True)
            else:
                return cls(
                    graphs,
                    checkpoint.network.input_spec,
                    network_name=checkpoint.name,
                    info=checkpoint.info,
                    fall_back=lambda: plain()[0],
                )
        eager, checkpoint = plain()
        return cls(eager, checkpoint.network.input_spec, network_name=checkpoint.name, info=checkpoint.info)

    def warm_up(self) -> None:
        """Compute nothing in particular, so that the first real frame is not the slow one.

        Raises
        ------
        RuntimeError
            If neither the engine nor the one that it falls back to works.
        """
        self._have_computed(lambda engine: engine.warm_up())
        self.predict(np.zeros((64, 64, 3), np.uint8), [[16, 16, 32, 32]])
        if self.device != "cpu":
            self._fall_back = None  # a GPU that breaks from now on is lost for PyTorch too

    def predict(self, frame_bgr: NDArray[np.uint8], boxes_xywh: ArrayLike) -> Keypoints:
        """Find the keypoints of every boxed face, in one batch.

        Parameters
        ----------
        frame_bgr
            (H, W, 3) BGR, (H, W, 4) BGRA or (H, W) grey frame, uint8.
        boxes_xywh
            (N, 4) face boxes in frame pixels; N may be 0, and boxes may reach beyond the frame.

        Raises
        ------
        ValueError
            For a frame of another shape or type, or boxes that are not (N, 4) finite numbers.
        """
        return self.predict_squares(frame_bgr, self.squares(boxes_xywh))

    def squares(self, boxes_xywh: ArrayLike) -> NDArray[np.float32]:
        """(N, 3) crop squares of this network for (N, 4) face boxes; see `preprocess.crop_squares`."""
        boxes = np.asarray(boxes_xywh, dtype=np.float32)
        if boxes.size == 0:
            boxes = boxes.reshape(0, 4)
        if boxes.ndim != 2 or boxes.shape[1] != 4 or not np.isfinite(boxes).all():
            raise ValueError(f"expected boxes of shape (N, 4) with finite numbers, got shape {boxes.shape}")
        return preprocess.crop_squares(boxes, crop_per_box=self._spec.crop_per_box)

    def crops(self, frame_bgr: NDArray[np.uint8], squares: NDArray[np.float32]) -> NDArray[np.uint8]:
        """(N, 1, S, S) uint8: what the network will see of a frame; the first half of `predict`."""
        frame = preprocess.as_grey_or_bgr(frame_bgr)
        return preprocess.extract_crops(frame, squares, size_px=self._spec.size_px)

    def predict_squares(self, frame_bgr: NDArray[np.uint8], squares: NDArray[np.float32]) -> Keypoints:
        """`predict` for crop squares instead of face boxes."""
        return self.predict_crops(self.crops(frame_bgr, squares), squares)

    def predict_crops(self, crops: NDArray[np.uint8], squares: NDArray[np.float32]) -> Keypoints:
        """Run the network on crops; the second half of `predict`, apart so that each can be timed."""
        if len(crops) == 0:
            return Keypoints(np.empty((0, NUM_KEYPOINTS, 2), np.float32), np.empty(0, np.float32))
        points, confidence = self._have_computed(lambda engine: engine(crops))
        return Keypoints(preprocess.unit_to_frame(points, squares), confidence)

    def _have_computed(self, work: Callable[[Engine], _Result]) -> _Result:
        """Have the engine do some work; if it breaks, the one that takes over, or raise what it raised."""
        try:
            return work(self._engine)
        except RuntimeError as error:
            if self._fall_back is None:
                raise
            make, self._fall_back = self._fall_back, None
            _log.warning("%s failed on %s; PyTorch takes over", self.engine_name, self.device.upper(), exc_info=True)
            self._engine = _BrokenEngine(self.engine_name, self.device, str(error))
        # Not above: as long as its error is handled, the engine that broke holds memory that the other one may need.
        try:
            self._engine = make()
        except CheckpointError as error:
            raise RuntimeError(str(error)) from error
        return work(self._engine)


@dataclass(frozen=True)
class _BrokenEngine:
    """What stays of an engine that broke, if no other one can take over; see `Engine`."""

    name: str
    device: DeviceName
    reason: str

    def warm_up(self) -> NoReturn:
        raise RuntimeError(self.reason)

    def __call__(self, crops: NDArray[np.uint8]) -> NoReturn:  # noqa: ARG002 (the protocol's)
        raise RuntimeError(self.reason)


def _device_for(engine: str, device: str) -> DeviceName:
    if engine not in ENGINE_NAMES:
        raise DeviceError(
            "no engine is called {engine!r}; choose one of {names}", engine=engine, names=", ".join(ENGINE_NAMES)
        )
    if engine == "onnxruntime" and device == "auto":
        return "cpu"
    resolved = resolve_device(device)
    if engine == "onnxruntime" and resolved != "cpu":
        raise DeviceError("ONNX Runtime computes on the CPU only, not on {device!r}; choose cpu", device=device)
    return resolved


def _plain_engine(path: Path, device: DeviceName, torch_threads: int | None) -> tuple[Engine, Checkpoint]:
    from trainer.core.checkpoint import load_checkpoint  # noqa: PLC0415 (torch, here and below)
    from trainer.core.engines.eager import PyTorchEngine  # noqa: PLC0415

    _limit_torch(torch_threads)
    checkpoint = load_checkpoint(path)
    return PyTorchEngine(checkpoint.network, device=device), checkpoint


def _engine_of_same_weights(path: Path, weights_digest: str, torch_threads: int | None) -> Engine:
    """Compute on the CPU what another engine computed until now, unless the file is another one since."""
    try:
        is_same = digest(path) == weights_digest
    except OSError as error:
        raise RuntimeError(f"{path} cannot be read again ({error})") from error
    if not is_same:
        raise RuntimeError(f"{path} was replaced since it was loaded")
    return _plain_engine(path, "cpu", torch_threads)[0]


def _graph_engine(path: Path) -> tuple[Engine, Checkpoint]:
    from trainer.core.checkpoint import load_checkpoint  # noqa: PLC0415 (torch, here and below)
    from trainer.core.engines.cuda_graph import CudaGraphEngine  # noqa: PLC0415

    checkpoint = load_checkpoint(path)
    return CudaGraphEngine(checkpoint.network), checkpoint


def _limit_torch(threads: int | None) -> None:
    if threads is not None and (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(threads)
