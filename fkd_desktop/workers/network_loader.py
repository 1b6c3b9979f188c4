"""Loads the network behind the window."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from pathlib import Path

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
            import torch  # noqa: PLC0415 (takes seconds: not in the GUI thread)

            from trainer.core.checkpoint import CheckpointError  # noqa: PLC0415
            from trainer.core.predictor import DeviceError, Predictor  # noqa: PLC0415

            # One thread: for a network this small a second one gains little, and as soon as another process computes,
            # two threads that wait for each other are several times slower than one.
            torch.set_num_threads(1)
            predictor = Predictor.load(weights, device=device)
            predictor.warm_up()
        except Exception as error:
            message = f"the network cannot be loaded ({error}); see the log"
            with suppress(UnboundLocalError):
                if isinstance(error, CheckpointError | DeviceError):
                    message = str(error)
            _log.exception("loading the network failed")
            self._tell(self.failed, message)
        else:
            self._tell(self.loaded, predictor)

    @staticmethod
    def _tell(signal: object, argument: object) -> None:
        with suppress(RuntimeError):  # the application was closed meanwhile, and the signal's owner with it
            signal.emit(argument)  # type: ignore[attr-defined]
