"""Loads the network behind the window."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from fkd_desktop.errors import NetworkError

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.core.predictor import Predictor

_log = logging.getLogger(__name__)


class NetworkLoader(QObject):
    """Imports torch and loads weights in a thread of its own.

    The import cannot be interrupted, so the thread is a daemon, not a QThread: an application that is closed meanwhile
    does not wait for it.
    """

    loaded = Signal(object)
    failed = Signal(str)

    def __init__(self, *, weights: Path | None, device: str) -> None:
        super().__init__()
        self._thread = threading.Thread(target=self._run, args=(weights, device), name="network-loader", daemon=True)

    def start(self) -> None:
        """Begin; `loaded` (with the `Predictor`) or `failed` (with a sentence) follows."""
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether it is still at it."""
        return self._thread.is_alive()

    def _run(self, weights: Path | None, device: str) -> None:
        try:
            predictor = _load(weights, device)
        except NetworkError as error:
            _log.error("loading the network: %s", error)
            self._tell(self.failed, str(error))
        except Exception as error:
            _log.exception("loading the network failed")
            self._tell(self.failed, f"the network cannot be loaded ({error}); details are in the log")
        else:
            self._tell(self.loaded, predictor)

    @staticmethod
    def _tell(signal: object, argument: object) -> None:
        with suppress(RuntimeError):  # the application was closed meanwhile, and the signal's owner with it
            signal.emit(argument)  # type: ignore[attr-defined]


def _load(weights: Path | None, device: str) -> Predictor:
    import torch  # noqa: PLC0415 (takes seconds: not before there is a thread to take them)

    from trainer.core.checkpoint import CheckpointError  # noqa: PLC0415
    from trainer.core.predictor import DeviceError, Predictor  # noqa: PLC0415

    # One thread: for a network this small a second one gains little, and as soon as another process computes, two
    # threads that wait for each other are several times slower than one.
    torch.set_num_threads(1)
    try:
        predictor = Predictor.load(weights, device=device)
    except (CheckpointError, DeviceError) as error:
        raise NetworkError(str(error)) from error
    predictor.warm_up()
    return predictor
