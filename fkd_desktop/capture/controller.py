"""Owns everything that keeps or passes on what is on the screen: pictures, films, the virtual camera."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QThread, Signal, Slot
from PySide6.QtGui import QGuiApplication, QImage

from fkd_desktop.capture.countdown import COUNTDOWN_CHOICES_S, Countdown
from fkd_desktop.capture.files import default_pictures_folder, default_videos_folder, stem_now
from fkd_desktop.capture.films import film_place, recover_films
from fkd_desktop.capture.look import Look, paint
from fkd_desktop.capture.pictures import BURST_PICTURES, Burst, BurstOutcome, PictureFormat, save_picture
from fkd_desktop.capture.virtual_camera import VirtualCamera
from fkd_desktop.errors import OutputError
from fkd_desktop.i18n import translated
from fkd_desktop.workers.job import Job
from fkd_desktop.workers.recorder_thread import RecorderThread

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from fkd_desktop.live.result import LiveFrame
    from fkd_desktop.live.sinks import SinkSet
    from fkd_desktop.overlays.layer import Layer

_log = logging.getLogger(__name__)

SHUTDOWN_S: Final = 10.0
"""How long the end of the application waits for the film's and the pictures' last bytes: a disk may be slow."""


class CaptureController(QObject):
    """Takes pictures, records, and feeds the virtual camera; outlives sources, reconnects and pauses.

    Parameters
    ----------
    sinks
        Where it gets every result from.
    newest
        Gives what is on the screen.
    layers
        Gives the layers on the screen, back to front; called in other threads too, so it must be quick and safe there,
        as `OverlayStack.layers` is.
    mirrored
        Whether the screen is a mirror; called in other threads too.
    plain_layers
        Gives what stays on a picture without overlays: what hides faces.
    """

    picture_saved = Signal(str)
    """A picture's path."""
    picture_copied = Signal()
    """The clipboard has it."""
    burst_changed = Signal(int, int)
    """Pictures written, and how many there will be; (0, 0) at the end."""
    burst_saved = Signal(str, int)
    """The folder, and how many pictures it got."""
    recording_changed = Signal(bool)
    """A recording began, or was ended: its film is still being finished until `recording_saved`."""
    recording_progressed = Signal(float, object, int)
    """Seconds of film, bytes of file, frames dropped; some times a second."""
    recording_saved = Signal(str)
    """The film's path."""
    recording_recovered = Signal(str)
    """A film that was cut off, when the application ended unexpectedly some other time, is finished: its path."""
    countdown_changed = Signal(int)
    """Seconds left; 0 when it is over or cancelled."""
    failed = Signal(str)
    """A sentence for the user."""

    def __init__(
        self,
        *,
        sinks: SinkSet,
        newest: Callable[[], LiveFrame | None],
        layers: Callable[[], tuple[Layer, ...]],
        mirrored: Callable[[], bool],
        plain_layers: Callable[[], tuple[Layer, ...]] = tuple,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._sinks, self._newest, self._layers, self._mirrored = sinks, newest, layers, mirrored
        self._plain_layers = plain_layers
        self._countdown = Countdown(self)
        self._countdown.changed.connect(self.countdown_changed)
        self._countdown_s = 0
        self._recorder: RecorderThread | None = None
        self._finishing: list[RecorderThread] = []
        self._burst: tuple[Burst, Job] | None = None
        self._saving: list[Job] = []
        self.pictures_folder: Path = default_pictures_folder()
        """Where pictures go."""
        self.videos_folder: Path = default_videos_folder()
        """Where films go."""
        self.picture_format: PictureFormat = "png"
        self.keeps_mirror = True
        """Whether what is kept is mirrored when the screen is: as the user saw it."""
        self.virtual_camera = VirtualCamera(sinks=sinks, newest=newest, layers=layers, parent=self)
        """Off until it is started."""
        self.virtual_camera.failed.connect(self.failed)

    # --- countdown

    @property
    def countdown_s(self) -> int:
        """Seconds between asking for a picture or recording, and taking it; 0 for none."""
        return self._countdown_s

    @countdown_s.setter
    def countdown_s(self, seconds: int) -> None:
        self._countdown_s = seconds if seconds in COUNTDOWN_CHOICES_S else 0

    @property
    def countdown_left_s(self) -> int:
        """Seconds left of a countdown; 0 where none is running."""
        return self._countdown.left_s

    @Slot()
    def cancel_countdown(self) -> bool:
        """Stop counting, and do nothing of what was asked for; whether one was running."""
        return self._countdown.cancel()

    # --- pictures

    def take_snapshot(self, *, with_overlays: bool = True) -> None:
        """Save what is on the screen, at its full resolution; asked for again during the countdown, cancel that."""
        if not self._countdown.cancel():
            self._countdown.start(self._countdown_s, partial(self._save_snapshot, with_overlays=with_overlays))

    def copy_snapshot(self, *, with_overlays: bool = True) -> None:
        """Put what is on the screen into the clipboard, at its full resolution."""
        if (live := self._picture_to_keep()) is not None:
            look = self._look() if with_overlays else replace(self._look(), layers=self._plain_layers())
            job = Job("copying the picture", lambda _: paint(live.result, look))
            job.succeeded.connect(self._on_copy_succeeded)
            self._start(job)

    def take_burst(self) -> None:
        """Save some pictures spread over two seconds, into a folder of their own."""
        if not self._countdown.cancel() and self._burst is None:
            self._countdown.start(self._countdown_s, self._begin_burst)

    @property
    def is_taking_burst(self) -> bool:
        """Whether pictures of a burst are still to come."""
        return self._burst is not None

    def _save_snapshot(self, *, with_overlays: bool) -> None:
        if (live := self._picture_to_keep()) is None:
            return
        look = self._look() if with_overlays else replace(self._look(), layers=self._plain_layers())
        folder, stem, form = self.pictures_folder, stem_now(), self.picture_format
        job = Job("saving the picture", lambda _: save_picture(paint(live.result, look), folder, stem, form))
        job.succeeded.connect(self._on_snapshot_succeeded)
        self._start(job)

    def _begin_burst(self) -> None:
        if (live := self._picture_to_keep()) is None:
            return
        burst = Burst(live, self._look)
        folder, stem, form = self.pictures_folder, f"{stem_now()} burst", self.picture_format

        def work(job: Job) -> BurstOutcome:
            return burst.run(folder, stem, form, on_picture=job.tell, should_stop=job.should_stop)

        job = Job("saving the pictures", work)
        job.progressed.connect(lambda written: self.burst_changed.emit(written, BURST_PICTURES))
        job.succeeded.connect(self._on_burst_succeeded)
        job.failed.connect(self._on_burst_failed)
        self._burst = (burst, job)
        self._sinks.add(burst)
        self._start(job)
        self.burst_changed.emit(0, BURST_PICTURES)

    def _start(self, job: Job) -> None:
        self._saving = [other for other in self._saving if other.is_running]
        self._saving.append(job)
        job.failed.connect(self.failed)
        job.start()

    def _picture_to_keep(self) -> LiveFrame | None:
        live = self._newest()
        if live is None:
            self._tell(OutputError("there is no picture to keep; start the session and retry"))
        return live

    @Slot(object)
    def _on_snapshot_succeeded(self, path: Path) -> None:
        self.picture_saved.emit(str(path))

    @Slot(object)
    def _on_copy_succeeded(self, image_bgr: NDArray[np.uint8]) -> None:
        height, width = image_bgr.shape[:2]
        image = QImage(image_bgr.data, width, height, image_bgr.strides[0], QImage.Format.Format_BGR888)
        # Converted, which copies: the clipboard outlives the array, and some systems cannot paste BGR.
        QGuiApplication.clipboard().setImage(image.convertToFormat(QImage.Format.Format_RGB32))
        self.picture_copied.emit()

    @Slot(object)
    def _on_burst_succeeded(self, outcome: BurstOutcome) -> None:
        self._end_burst()
        self.burst_saved.emit(str(outcome.folder), outcome.pictures)

    @Slot(str)
    def _on_burst_failed(self, _message: str) -> None:
        self._end_burst()

    def _end_burst(self) -> None:
        if self._burst is not None:
            self._sinks.remove(self._burst[0])
            self._burst = None
            self.burst_changed.emit(0, 0)

    # --- recording

    @property
    def is_recording(self) -> bool:
        """Whether frames go into a film."""
        return self._recorder is not None

    def toggle_recording(self) -> None:
        """Start a recording after the countdown; or end it, or the countdown."""
        if self.is_recording:
            self.stop_recording()
        elif not self._countdown.cancel():
            self._countdown.start(self._countdown_s, self.start_recording)

    def start_recording(self) -> None:
        """Record from now on; without the countdown."""
        if self.is_recording:
            return
        recorder = RecorderThread(partial(film_place, self.videos_folder), look=self._look, paint=paint)
        recorder.progressed.connect(partial(self._on_recorder_progressed, recorder))
        recorder.saved.connect(self._on_recorder_saved)
        recorder.failed.connect(self._on_recorder_failed)
        recorder.finished.connect(partial(self._on_recorder_finished, recorder))
        self._recorder = recorder
        if (live := self._newest()) is not None:  # while nothing moves, it is all that there is to record
            recorder.offer(replace(live, captured_s=time.perf_counter()))
        self._sinks.add(recorder)
        recorder.start(QThread.Priority.LowPriority)
        self.recording_changed.emit(True)

    def stop_recording(self) -> None:
        """End the recording; returns at once, `recording_saved` tells when the film is finished."""
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        self._sinks.remove(recorder)
        self._finishing.append(recorder)
        recorder.stop()
        self.recording_changed.emit(False)

    def recover_recordings(self) -> None:
        """Finish films that the application has left behind when it ended unexpectedly; for its next start."""
        folder = self.videos_folder
        job = Job("recovering recordings", lambda _: recover_films(folder))
        job.succeeded.connect(self._on_recovery_succeeded)
        self._start(job)

    @Slot(object)
    def _on_recovery_succeeded(self, films: list[Path]) -> None:
        for film in films:
            self.recording_recovered.emit(str(film))

    def _on_recorder_progressed(self, recorder: RecorderThread, seconds: float, size_bytes: int, dropped: int) -> None:
        if recorder is self._recorder:
            self.recording_progressed.emit(seconds, size_bytes, dropped)

    @Slot(str, float)
    def _on_recorder_saved(self, path: str, _seconds: float) -> None:
        self.recording_saved.emit(path)

    @Slot(str)
    def _on_recorder_failed(self, message: str) -> None:
        _log.error("recording: %s", message)
        self.failed.emit(message)

    def _on_recorder_finished(self, recorder: RecorderThread) -> None:
        if recorder is self._recorder:  # by itself: the disk is full
            self.stop_recording()
        if recorder in self._finishing:
            self._finishing.remove(recorder)
        recorder.deleteLater()  # else its connections, which hold it, would keep it for good

    # --- all of it

    def clear_picture(self) -> None:
        """Show nobody the last picture any more: the user has stopped the session."""
        self.virtual_camera.clear()

    def shut_down(self) -> bool:
        """Finish the film and the pictures, waiting at most `SHUTDOWN_S`; false if that was not enough."""
        self._countdown.cancel()
        self.stop_recording()
        if self._burst is not None:
            self._burst[1].cancel()
            self._end_burst()
        deadline_s = time.perf_counter() + SHUTDOWN_S
        all_ended = self.virtual_camera.shut_down()
        for recorder in tuple(self._finishing):
            all_ended &= recorder.wait(max(0, round(1000 * (deadline_s - time.perf_counter()))))
        for job in self._saving:
            all_ended &= job.wait(max(0.0, deadline_s - time.perf_counter()))
        if not all_ended:
            _log.warning("pictures or a film could not be finished within %.0f s", SHUTDOWN_S)
        return all_ended

    def _look(self) -> Look:
        return Look(self._layers(), self._mirrored() and self.keeps_mirror)

    def _tell(self, error: OutputError) -> None:
        self.failed.emit(translated(error))
