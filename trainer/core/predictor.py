"""Keypoints for face boxes in a frame: the one way to run a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

from trainer.core import preprocess
from trainer.core.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from trainer.core.errors import FkdError
from trainer.core.keypoints import NUM_KEYPOINTS
from trainer.core.names import DEVICE_NAMES, DeviceName
from trainer.core.resources import default_weights_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    from trainer.core.models import KeypointNetwork


class DeviceError(FkdError, ValueError):
    """The device that was asked for is not there."""


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


def available_devices() -> tuple[DeviceName, ...]:
    """Devices that work here, best first."""
    devices: list[DeviceName] = []
    if torch.cuda.is_available():
        devices.append("cuda")
    if torch.backends.mps.is_available():
        devices.append("mps")
    return (*devices, "cpu")


def resolve_device(device: DeviceName | str) -> torch.device:
    """Turn a device's name into a device; "auto" is the best that works here.

    Raises
    ------
    DeviceError
        For an unknown name or a device that is not there.
    """
    if device not in DEVICE_NAMES:
        raise DeviceError(
            "no device is called {device!r}; choose one of {names}",
            device=device,
            names=", ".join(DEVICE_NAMES),
        )
    available = available_devices()
    if device == "auto":
        return torch.device(available[0])
    if device not in available:
        raise DeviceError(
            "the device {device!r} is not available here; there are {names}",
            device=device,
            names=", ".join(available),
        )
    return torch.device(device)


class Predictor:
    """A network, ready to find the keypoints of all faces of a frame in one batch.

    Use it from one thread at a time. Most callers want `Predictor.load`: this takes the checkpoint's network over and
    rewrites it for inference.
    """

    def __init__(self, checkpoint: Checkpoint, *, device: DeviceName | str = "auto") -> None:
        self.device = resolve_device(device)
        self.network_name = checkpoint.name
        self.info: Mapping[str, Any] = checkpoint.info
        network = checkpoint.network.eval()
        network.fold()
        network.requires_grad_(requires_grad=False)
        self._network: KeypointNetwork = network.to(  # type: ignore[call-overload]
            self.device, memory_format=network.memory_format
        )
        self._spec = network.input_spec

    @classmethod
    def load(cls, weights: Path | str | None = None, *, device: DeviceName | str = "auto") -> Self:
        """Load weights and get ready to predict.

        Parameters
        ----------
        weights
            A safetensors file that the trainer saved; None for the shipped weights.
        device
            "auto" (CUDA, then MPS, then CPU), "cpu", "cuda" or "mps".

        Raises
        ------
        CheckpointError
            If the weights cannot be used.
        DeviceError
            If the device is not there.
        """
        device = resolve_device(device).type  # fail on the device before reading gigabytes
        if weights is None:
            try:
                weights = default_weights_path()
            except FileNotFoundError as error:
                raise CheckpointError("there are no shipped weights: {error}", error=error) from error
        return cls(load_checkpoint(weights), device=device)

    def warm_up(self) -> None:
        """Run once on nothing in particular, so that the first real frame is not the slow one."""
        self.predict(np.zeros((64, 64, 3), np.uint8), [[16, 16, 32, 32]])

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
        with torch.inference_mode():
            batch = torch.from_numpy(crops).to(self.device).float().div_(255)
            output = self._network(batch)
            points = output.points.float().cpu().numpy()
            if output.face_logit is None:
                confidence = np.ones(len(crops), np.float32)
            else:
                confidence = output.face_logit.float().sigmoid().cpu().numpy()
        return Keypoints(preprocess.unit_to_frame(points, squares), confidence)
