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

    def _run(self, weights: Path | None, device: str) -> None:
        try:
            from fkd_desktop.live.network import load_predictor  # noqa: PLC0415 (imports torch)

            predictor = load_predictor(weights, device=device)
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
