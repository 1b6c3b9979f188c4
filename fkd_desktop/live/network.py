"""Loading the network for live use."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import platformdirs

from fkd_desktop import APP_ID
from fkd_desktop.errors import NetworkError
from trainer.core.devices import DeviceError
from trainer.core.predictor import Predictor
from trainer.core.weights_file import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.core.names import EngineName

_log = logging.getLogger(__name__)

TORCH_THREADS: Final = 1


@dataclass(frozen=True)
class LoadedNetwork:
    """A network that is ready.

    Attributes
    ----------
    predictor
        Ready for the first frame.
    fallback
        Why it runs on the CPU and not where it was meant to; None where all is as it was asked for.
    """

    predictor: Predictor
    fallback: NetworkError | None = None


def load_predictor_somewhere(weights: Path | None = None, *, device: str = "auto") -> LoadedNetwork:
    """Load a network on a device, or on the CPU where the device fails.

    Parameters
    ----------
    weights, device
        See `load_predictor`.

    Raises
    ------
    NetworkError
        If the weights cannot be used, or not even the CPU works.
    """
    try:
        return LoadedNetwork(load_predictor(weights, device=device))
    except DeviceFailedError as error:
        _log.warning("%s; going on with the CPU", error)
        return LoadedNetwork(load_predictor(weights, device="cpu"), error)


class DeviceFailedError(NetworkError):
    """The device is not there or does not work; another one may."""


def load_predictor(weights: Path | None = None, *, device: str = "auto", engine: EngineName = "auto") -> Predictor:
    """Load a network and make it ready for the first frame.

    Shipped weights on the CPU are ready in a tenth of a second; torch, whose import takes more than one, is left alone.
    Where torch is used after all it computes in one thread: for a network this small a second one gains little, and as
    soon as another process computes, two threads that wait for each other are several times slower than one.

    Parameters
    ----------
    weights
        A safetensors file; None for the shipped weights.
    device
        See `trainer.core.names.DEVICE_NAMES`.
    engine
        See `trainer.core.names.ENGINE_NAMES`.

    Raises
    ------
    NetworkError
        If the weights or the device cannot be used.
    """
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(TORCH_THREADS)
    try:
        predictor = Predictor.load(
            weights, device=device, engine=engine, converted_dir=converted_dir(), torch_threads=TORCH_THREADS
        )
    except CheckpointError as error:
        raise NetworkError(error.said) from error
    except DeviceError as error:
        raise DeviceFailedError(error.said) from error
    except RuntimeError as error:
        raise _failed(device, error) from error
    try:
        predictor.warm_up()
    except RuntimeError as error:
        raise _failed(predictor.device, error) from error
    _log.info("the %s network is computed by %s on %s", predictor.network_name, predictor.engine_name, predictor.device)
    return predictor


def converted_dir() -> Path:
    """Return the folder for networks that were converted for ONNX Runtime; it may be deleted at any time."""
    return platformdirs.user_cache_path(APP_ID, appauthor=False) / "networks"


def _failed(device: str, error: RuntimeError) -> NetworkError:
    reason = str(error).partition("\n")[0]
    if device == "cpu":
        return NetworkError("the network does not run ({reason}); details are in the log", reason=reason)
    return DeviceFailedError(
        "the network does not run on {device} ({reason}); choose another device", device=device.upper(), reason=reason
    )
