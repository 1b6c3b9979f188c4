"""PyTorch as it is: the engine that there is for every network and device, and that others are measured by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trainer.core.models import KeypointNetwork
    from trainer.core.names import DeviceName


class PyTorchEngine:
    """A network, computed call by call. It takes the network over and rewrites it for inference.

    Parameters
    ----------
    network
        The network.
    device
        Where to compute: one that is there.
    """

    name: Final = "PyTorch"

    def __init__(self, network: KeypointNetwork, *, device: DeviceName) -> None:
        self.device: DeviceName = device
        network.eval()
        network.fold()
        network.requires_grad_(requires_grad=False)
        self._network: KeypointNetwork = network.to(  # type: ignore[call-overload]
            torch.device(device), memory_format=network.memory_format
        )

    def warm_up(self) -> None:
        """See `Engine`."""
        size_px = self._network.input_spec.size_px
        self(np.zeros((1, 1, size_px, size_px), np.uint8))

    def __call__(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See `Engine`."""
        with torch.inference_mode():
            batch = torch.from_numpy(crops).to(self.device).float().div_(255)
            output = self._network(batch)
            points = output.points.float().cpu().numpy()
            if output.face_logit is None:
                return points, np.ones(len(crops), np.float32)
            return points, output.face_logit.float().sigmoid().cpu().numpy()
