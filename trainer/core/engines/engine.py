"""What a predictor asks of whatever computes its network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trainer.core.names import DeviceName


class Engine(Protocol):
    """A network that is ready to be computed; used from one thread at a time.

    Attributes
    ----------
    name
        What users read: "ONNX Runtime", "PyTorch".
    device
        Where it computes.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 (above)

    @property
    def device(self) -> DeviceName: ...  # noqa: D102

    def warm_up(self) -> None:
        """Do what the first calls would else be slow for.

        Raises
        ------
        RuntimeError
            If it does not work here.
        """

    def __call__(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Compute one batch.

        Parameters
        ----------
        crops
            (N, 1, S, S) grey, S being the network's, N >= 1.

        Returns
        -------
        (N, 68, 2) unit keypoints, and (N,) confidence from 0 to 1, which is 1 for networks that cannot tell.

        Raises
        ------
        RuntimeError
            If it, or its device, breaks.
        """
