"""The virtual camera's state: what is missing, whether it runs, on which device."""

from __future__ import annotations

import logging
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from fkd_desktop.capture.look import Look, paint
from fkd_desktop.workers.virtual_camera import (
    DEFAULT_SIZE_PX,
    VirtualCameraNeed,
    VirtualCameraThread,
    virtual_camera_needs,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.live.result import LiveFrame
    from fkd_desktop.live.sinks import SinkSet
    from fkd_desktop.overlays.layer import Layer

_log = logging.getLogger(__name__)

STOP_MS: Final = 2000


class VirtualCameraState(Enum):
    """What the virtual camera is doing."""

    OFF = auto()
    OPENING = auto()
    ON = auto()
    FAILED = auto()


class VirtualCamera(QObject):
    """Starts and stops the virtual camera. It never mirrors: calls mirror their preview by themselves.

    Parameters
    ----------
    sinks, newest, layers
        As for `CaptureController`.
    """

    changed = Signal(object, str)
    """`VirtualCameraState`, and the device's name or a sentence on what failed."""
    failed = Signal(str)
    """A sentence for the user."""

    def __init__(
        self,
        *,
        sinks: SinkSet,
        newest: Callable[[], LiveFrame | None],
        layers: Callable[[], tuple[Layer, ...]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._sinks, self._newest, self._layers = sinks, newest, layers
        self._thread: VirtualCameraThread | None = None
        self._retiring: list[VirtualCameraThread] = []
        self.state = VirtualCameraState.OFF
        self.message = ""
        """See `changed`."""
        self.size_px = DEFAULT_SIZE_PX
        """Width and height of what is sent, from the next start on."""

    @property
    def is_on(self) -> bool:
        """Whether it runs, or is about to."""
        return self._thread is not None

    def needs(self) -> frozenset[VirtualCameraNeed]:
        """Say what is missing right now."""
        return virtual_camera_needs()

    def start(self) -> None:
        """Open it; `changed` tells how that went."""
        if self._thread is not None:
            return
        thread = VirtualCameraThread(look=lambda: Look(self._layers()), paint=paint, size_px=self.size_px)
        thread.opened.connect(partial(self._on_thread_opened, thread))
        thread.failed.connect(partial(self._on_thread_failed, thread))
        thread.finished.connect(partial(self._on_thread_finished, thread))
        self._thread = thread
        if (live := self._newest()) is not None:
            thread.offer(live)
        self._sinks.add(thread)
        self._set(VirtualCameraState.OPENING)
        if not self._retiring:  # else it starts when the last one has let go of the device
            thread.start()

    def stop(self) -> None:
        """Close it; returns at once."""
        if self._let_go():
            self._set(VirtualCameraState.OFF)

    def clear(self) -> None:
        """Send an empty picture until the next frame comes."""
        if self._thread is not None:
            self._thread.clear()

    def shut_down(self) -> bool:
        """Close it, and wait for that; false if it takes too long."""
        self.stop()
        return all(thread.wait(STOP_MS) for thread in tuple(self._retiring))

    def _let_go(self) -> bool:
        thread, self._thread = self._thread, None
        if thread is None:
            return False
        self._sinks.remove(thread)
        thread.stop()
        if thread.isRunning():
            self._retiring.append(thread)
        else:
            thread.deleteLater()  # else its connections, which hold it, would keep it for good
        return True

    def _on_thread_opened(self, thread: VirtualCameraThread, device: str) -> None:
        if thread is self._thread:
            self._set(VirtualCameraState.ON, device)

    def _on_thread_failed(self, thread: VirtualCameraThread, message: str) -> None:
        if thread is self._thread:
            _log.error("virtual camera: %s", message)
            self._let_go()
            self._set(VirtualCameraState.FAILED, message)
            self.failed.emit(message)

    def _on_thread_finished(self, thread: VirtualCameraThread) -> None:
        if thread in self._retiring:
            self._retiring.remove(thread)
            thread.deleteLater()
            if not self._retiring and self._thread is not None and not self._thread.isRunning():
                self._thread.start()

    def _set(self, state: VirtualCameraState, message: str = "") -> None:
        self.state, self.message = state, message
        self.changed.emit(state, message)
