"""Owns the workers and the state of the session: the only place that starts or stops one."""

from __future__ import annotations

import logging
import time
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal, Slot

from fkd_desktop.i18n import translated
from fkd_desktop.live import events
from fkd_desktop.live.playback import Playback
from fkd_desktop.live.recovery import Trouble
from fkd_desktop.live.sinks import SinkSet
from fkd_desktop.live.smoothing import SmoothingLevel
from fkd_desktop.live.sources import make_source
from fkd_desktop.workers.capture_thread import CaptureThread
from fkd_desktop.workers.job import Job

if TYPE_CHECKING:
    from pathlib import Path

    from fkd_desktop.live.network import LoadedNetwork
    from fkd_desktop.live.pipeline import Pipeline
    from fkd_desktop.live.result import LiveFrame
    from fkd_desktop.live.sources.modes import CameraMode
    from trainer.core.predictor import Predictor

_log = logging.getLogger(__name__)

SHUTDOWN_S: Final = 2.0


class SessionState(Enum):
    """What the session is doing."""

    STOPPED = auto()
    OPENING = auto()
    LIVE = auto()
    STALLED = auto()
    MISSING = auto()
    BUSY = auto()
    DENIED = auto()
    LOST = auto()
    RECONNECTING = auto()
    ENDED = auto()
    FAILED = auto()

    @property
    def is_running(self) -> bool:
        """Whether there is something to stop."""
        return self not in (SessionState.STOPPED, SessionState.ENDED, SessionState.FAILED)

    @property
    def is_waiting(self) -> bool:
        """Whether the source is tried again and again until it comes."""
        return self in _WAITING


_STATES: Final = {
    Trouble.MISSING: SessionState.MISSING,
    Trouble.BUSY: SessionState.BUSY,
    Trouble.DENIED: SessionState.DENIED,
    Trouble.LOST: SessionState.LOST,
    Trouble.RECONNECTING: SessionState.RECONNECTING,
}
_WAITING: Final = frozenset(_STATES.values())


class NetworkState(Enum):
    """Whether faces can be found yet."""

    LOADING = auto()
    READY = auto()
    FAILED = auto()


class Controller(QObject):
    """Starts and stops sessions and loads networks. Lives in the GUI thread and never blocks it.

    Parameters
    ----------
    device
        Where networks run; see `trainer.core.names.DEVICE_NAMES`.
    """

    session_changed = Signal(object, str)
    """`SessionState` and a sentence for the user (empty where the state says it all)."""
    network_changed = Signal(object, str)
    """`NetworkState` and, when it failed, a sentence."""
    frame_ready = Signal()
    """There is a frame to `take_frame`."""
    noticed = Signal(str)
    """A sentence that the user should see; the session goes on."""
    darkened = Signal(str)
    """A sentence while a camera's picture is black; empty once it is not."""

    def __init__(self, *, device: str = "auto") -> None:
        super().__init__()
        self.device = device
        self._predictor: Predictor | None = None
        self._loader: Job | None = None
        self._thread: CaptureThread | None = None
        self._retiring: list[CaptureThread] = []
        self._dropped_before = 0
        self.weights: Path | None = None
        """Where the network in use comes from; None for the shipped one."""
        self.asked_weights: Path | None = None
        """Where the one that was asked for last comes from."""
        self.sinks = SinkSet()
        """Who gets every result of every session."""
        self.playback = Playback()
        """Moves and paces the session's source, where that can be moved in."""
        self.smoothing = SmoothingLevel.LOW
        """How strongly keypoints are smoothed; may be set at any time."""
        self.source_name = ""
        self.source_label = ""
        self.source_mode: CameraMode | None = None
        """What was agreed on with the camera in use."""
        self.session_state = SessionState.STOPPED
        self.network_state = NetworkState.LOADING

    # --- network

    def load_network(self, weights: Path | None = None) -> None:
        """Load weights (None: the shipped ones) behind the running session, which keeps the old network until then."""
        if self._loader is not None:
            self._loader.cancel()
        self.asked_weights = weights
        loader = Job("loading the network", partial(_load_predictor, weights, self.device))
        loader.succeeded.connect(partial(self._on_loader_succeeded, weights))
        loader.failed.connect(self._on_loader_failed)
        self._loader = loader
        self._set_network_state(NetworkState.LOADING)
        loader.start()

    @property
    def predictor(self) -> Predictor | None:
        """The network in use; None until one is loaded."""
        return self._predictor

    def set_device(self, device: str) -> None:
        """Run the network somewhere else; the session keeps the old one until then."""
        if device != self.device:
            self.device = device
            self.load_network(self.weights)

    def _on_loader_succeeded(self, weights: Path | None, loaded: LoadedNetwork) -> None:
        self._predictor, self.weights = loaded.predictor, weights
        self._set_network_state(NetworkState.READY)
        if loaded.fallback is not None:
            self.noticed.emit(
                self.tr("{0}. The network runs on the CPU instead.").format(translated(loaded.fallback).rstrip("."))
            )

    @Slot(str)
    def _on_loader_failed(self, message: str) -> None:
        self._set_network_state(NetworkState.FAILED, message)

    def _set_network_state(self, state: NetworkState, message: str = "") -> None:
        self.network_state = state
        self.network_changed.emit(state, message)

    # --- session

    def start(self, source_name: str, *, loop: bool = False) -> None:
        """Start a session in place of any running one.

        Parameters
        ----------
        source_name
            See `fkd_desktop.live.sources.make_source`.
        loop
            Play a video again and again.
        """
        self._retire()
        self.source_name = source_name
        self.source_label = source_name
        self.source_mode = None
        self._dropped_before = 0
        self.playback = Playback(loop=loop)
        thread = CaptureThread(
            partial(make_source, source_name, with_neighbours=True),
            predictor=lambda: self._predictor,
            playback=self.playback,
            sinks=self.sinks,
            prepare=self._prepare,
        )
        thread.frame_ready.connect(partial(self._on_thread_frame_ready, thread))
        thread.session_event.connect(partial(self._on_thread_event, thread))
        thread.failed.connect(partial(self._on_thread_failed, thread))
        thread.finished.connect(partial(self._on_thread_finished, thread))
        self._thread = thread
        self._set_session_state(SessionState.OPENING)
        if not self._retiring:  # else it starts when the last one is gone: the camera may be the same
            thread.start()

    def stop(self) -> None:
        """Stop the session; returns at once, the thread ends by itself."""
        self._retire()
        self._set_session_state(SessionState.STOPPED)

    def take_frame(self) -> LiveFrame | None:
        """Take the newest frame, if there is one that was not taken yet."""
        return self._thread.slot.take() if self._thread else None

    @Slot()
    def retry_now(self) -> None:
        """Try a source that is waited for at once: something was plugged in."""
        if self._thread is not None and self.session_state.is_waiting:
            self._thread.retry_now()

    @property
    def dropped(self) -> int:
        """Frames of this session that came and were never painted."""
        return self._thread.dropped if self._thread else self._dropped_before

    def shut_down(self) -> bool:
        """Stop everything, waiting at most `SHUTDOWN_S`; false if a thread is stuck in a call that does not return."""
        self._retire()
        if self._loader is not None:
            self._loader.cancel()
        deadline = time.perf_counter() + SHUTDOWN_S
        all_ended = True
        for thread in self._retiring:
            left_ms = max(0, round(1000 * (deadline - time.perf_counter())))
            if not thread.wait(left_ms):
                _log.warning("the capture thread did not end within %.0f s", SHUTDOWN_S)
                all_ended = False
        if all_ended:
            self._retiring.clear()
        return all_ended

    def _retire(self) -> None:
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._dropped_before = thread.dropped
        if thread.isRunning():
            thread.requestInterruption()
            self._retiring.append(thread)
        else:
            thread.deleteLater()  # else its connections, which hold it, would keep it and its session for good

    def _on_thread_frame_ready(self, thread: CaptureThread) -> None:
        if thread is self._thread:
            self.frame_ready.emit()

    def _prepare(self, pipeline: Pipeline) -> None:
        pipeline.smoothing = self.smoothing

    def _on_thread_event(self, thread: CaptureThread, event: events.SessionEvent) -> None:
        if thread is not self._thread:
            return
        self.source_label = event.label or self.source_label
        match event:
            case events.SourceOpened():
                self.source_mode = event.mode
                self._set_session_state(SessionState.LIVE)
            case events.SourceResumed():
                self._set_session_state(SessionState.LIVE)
            case events.SourceStalled():
                self._set_session_state(
                    SessionState.STALLED,
                    self.tr("{0} sends no pictures at the moment; waiting for it").format(event.label),
                )
            case events.SourceTroubled():
                self._set_session_state(_STATES[event.trouble], translated(event.error))
            case events.SourceDarkened():
                self.darkened.emit(
                    self.tr(
                        "{0} sends a black picture; open the cover of its lens, make more light, or choose another "
                        "camera"
                    ).format(event.label)
                    if event.is_dark
                    else ""
                )
            case events.SourceEnded():
                self._set_session_state(SessionState.ENDED)
            case events.DeviceFailed():
                self._on_device_failed(event)

    def _on_device_failed(self, event: events.DeviceFailed) -> None:
        """Go on with the CPU: the same network, loaded behind the session."""
        self.device = "cpu"
        self.load_network(self.weights)
        self.noticed.emit(
            self.tr("{0} failed ({1}). The network runs on the CPU from now on.").format(
                event.device.upper(), event.reason
            )
        )

    def _on_thread_failed(self, thread: CaptureThread, message: str) -> None:
        if thread is self._thread:
            _log.error("session on %s: %s", self.source_name, message)
            self._set_session_state(SessionState.FAILED, message)

    def _on_thread_finished(self, thread: CaptureThread) -> None:
        if thread in self._retiring:
            self._retiring.remove(thread)
            thread.deleteLater()  # see `_retire`
            if not self._retiring and self._thread is not None and not self._thread.isRunning():
                self._thread.start()

    def _set_session_state(self, state: SessionState, message: str = "") -> None:
        self.session_state = state
        self.session_changed.emit(state, message)


def _load_predictor(weights: Path | None, device: str, _job: Job) -> LoadedNetwork:
    from fkd_desktop.live.network import load_predictor_somewhere  # noqa: PLC0415 (may import torch: off the GUI thread)

    return load_predictor_somewhere(weights, device=device)
