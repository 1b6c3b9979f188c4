"""Looking into a network while the live session goes on: loading, drawing in a thread, pictures from and to files."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from fkd_desktop.errors import cannot_write
from fkd_desktop.live.sources import read_picture
from fkd_desktop.training.inspection_worker import InspectionWorker, Page, Picture, Wish
from fkd_desktop.workers.job import Job
from trainer.contact_sheet import write_png
from trainer.core.detector import HaarDetector
from trainer.core.text import Text
from trainer.feature_maps import draw_all

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from fkd_desktop.live.result import FrameResult
    from trainer.inspection import Inspection, LayerInfo

_log = logging.getLogger(__name__)

LARGE_BYTES: Final = 1_000_000_000
"""A network that takes more memory than this is loaded only when the user wants it."""
SHUTDOWN_S: Final = 1.0


class InspectionState(Enum):
    """How far the network is."""

    LOADING = auto()
    LARGE = auto()
    """It needs much memory: `load` it again with `even_if_large`."""
    READY = auto()
    FAILED = auto()


@dataclass(frozen=True)
class Overview:
    """What is known of a network once it is loaded.

    Attributes
    ----------
    network_name
        Such as "compact".
    device
        Where it runs, such as "cpu".
    layers
        The rows of the architecture table.
    parameters
        Trainable numbers in all.
    total_ms
        What one face takes.
    """

    network_name: str
    device: str
    layers: tuple[LayerInfo, ...]
    parameters: int
    total_ms: float


class InspectionController(QObject):
    """Owns the inspected network and its thread. Lives in the GUI thread and never blocks it.

    Parameters
    ----------
    device
        See `trainer.core.names.DEVICE_NAMES`.
    frame_source
        Gives the live session's newest result, or None. Called in the drawing thread.
    """

    state_changed = Signal(object, str)
    """`InspectionState` and, when it failed, a sentence; when it is large, its bytes as a number."""
    page_ready = Signal()
    """There is a page to `take_page`."""
    picture_opened = Signal(object)
    """A `Picture` is looked at from now on."""
    picture_failed = Signal(str)
    saved = Signal(str)
    """The path that was written."""
    saving_failed = Signal(str)

    def __init__(self, *, device: str = "auto", frame_source: Callable[[], FrameResult | None]) -> None:
        super().__init__()
        self._device, self._frame_source = device, frame_source
        self.state = InspectionState.LOADING
        self.overview: Overview | None = None
        self._weights: Path | None = None
        self._wish = Wish()
        self._picture: Picture | None = None
        self._paused = self._resting = False
        self._worker: InspectionWorker | None = None
        self._loader: Job | None = None
        self._drawer: Job | None = None
        self._opener: Job | None = None
        self._saver: Job | None = None

    # --- network

    def load(self, weights: Path | None, *, even_if_large: bool = False) -> None:
        """Load weights (None: the shipped ones), measure the network, and begin to draw."""
        self._let_go()
        self._weights = weights
        self.overview = None
        loader = Job(Text("loading the network to look into"), partial(_load, weights, self._device, even_if_large))
        loader.succeeded.connect(self._on_loader_succeeded)
        loader.failed.connect(self._on_loader_failed)
        self._loader = loader
        self._set_state(InspectionState.LOADING)
        loader.start()

    def load_large(self) -> None:
        """Load the network that was held back because of its size."""
        self.load(self._weights, even_if_large=True)

    @Slot(object)
    def _on_loader_succeeded(self, loaded: tuple[Inspection, Overview] | int) -> None:
        self._loader = None
        if isinstance(loaded, int):
            self._set_state(InspectionState.LARGE, str(loaded))
            return
        inspection, self.overview = loaded
        worker = InspectionWorker(inspection, frame_source=self._frame_source, on_page=partial(_emit, self.page_ready))
        drawer = Job(Text("drawing what is inside the network"), partial(_draw, worker))
        drawer.failed.connect(self._on_drawer_failed)
        self._worker, self._drawer = worker, drawer
        self._set_state(InspectionState.READY)  # the window wishes for a layer of this network now
        self._order()
        drawer.start()

    @Slot(str)
    def _on_loader_failed(self, message: str) -> None:
        self._loader = None
        self._set_state(InspectionState.FAILED, message)

    @Slot(str)
    def _on_drawer_failed(self, message: str) -> None:
        self._let_go()
        self._set_state(InspectionState.FAILED, message)

    def _set_state(self, state: InspectionState, message: str = "") -> None:
        self.state = state
        self.state_changed.emit(state, message)

    # --- what is drawn

    @property
    def wish(self) -> Wish:
        """What is wanted now."""
        return self._wish

    def ask(self, wish: Wish) -> None:
        """Ask for other pages from now on."""
        if wish != self._wish:
            self._wish = wish
            self._order()

    def take_page(self) -> Page | None:
        """Take the newest page, if there is one that was not taken yet."""
        return self._worker.take() if self._worker else None

    @property
    def picture(self) -> Picture | None:
        """The picture that is looked at; None for the live one."""
        return self._picture

    @property
    def is_paused(self) -> bool:
        """Whether the live picture stands still."""
        return self._paused

    def set_paused(self, paused: bool) -> None:
        """Let the live picture stand still, or go on."""
        self._paused = paused
        self._order()

    def set_resting(self, resting: bool) -> None:
        """Draw nothing new while nobody can see it."""
        if resting != self._resting:
            self._resting = resting
            self._order()

    def show_live(self) -> None:
        """Look at the live picture."""
        self._forget_opener()
        self._picture = None
        self._order()

    def open_picture(self, path: Path) -> None:
        """Look at a picture from a file; until it is read, what was looked at stays."""
        self._forget_opener()
        opener = Job(Text("opening the picture"), partial(_open_picture, path))
        opener.succeeded.connect(self._on_opener_succeeded)
        opener.failed.connect(self.picture_failed)
        self._opener = opener
        opener.start()

    @Slot(object)
    def _on_opener_succeeded(self, picture: Picture) -> None:
        self._opener = None
        self._picture = picture
        self._order()
        self.picture_opened.emit(picture)

    def _forget_opener(self) -> None:
        if self._opener is not None:
            self._opener.cancel()
            self._opener = None

    def _order(self) -> None:
        if self._worker is not None:
            self._worker.order(wish=self._wish, picture=self._picture, paused=self._paused or self._resting)

    # --- files

    def save_image(self, path: Path, image_bgr: NDArray[np.uint8]) -> None:
        """Write an image as PNG."""
        self._save(path, lambda: image_bgr)

    def save_layer(self, path: Path, page: Page) -> None:
        """Write all maps of a page's layer at their full resolution as PNG."""
        values, wish = page.values, page.wish
        if values is not None:
            self._save(path, lambda: draw_all(values, colours=wish.colours, contrast=wish.contrast))

    def _save(self, path: Path, make_image: Callable[[], NDArray[np.uint8]]) -> None:
        saver = Job(Text("saving the picture"), partial(_write, path, make_image))
        saver.succeeded.connect(self._on_saver_succeeded)
        saver.failed.connect(self.saving_failed)
        self._saver = saver
        saver.start()

    @Slot(object)
    def _on_saver_succeeded(self, path: str) -> None:
        self.saved.emit(path)

    # --- end

    def shut_down(self) -> bool:
        """Stop everything, waiting at most `SHUTDOWN_S` for the drawing thread; whether it has ended.

        A network that is still being loaded cannot be interrupted: it is forgotten as soon as it is there.
        """
        drawer = self._drawer
        self._forget_opener()
        self._let_go()
        if drawer is None or drawer.wait(SHUTDOWN_S):
            return True
        _log.warning("the network inspector's thread did not end within %.0f s", SHUTDOWN_S)
        return False

    def _let_go(self) -> None:
        """Forget the network, so that two large ones never are in memory at the same time for long."""
        if self._loader is not None:
            self._loader.cancel()
        if self._drawer is not None:
            self._drawer.cancel()
        if self._worker is not None:
            self._worker.end()
        self._loader = self._drawer = self._worker = None


def _load(weights: Path | None, device: str, even_if_large: bool, job: Job) -> tuple[Inspection, Overview] | int | None:
    import torch  # noqa: PLC0415 (off the GUI thread)

    from trainer.inspection import Inspection, memory_of  # noqa: PLC0415

    torch.set_num_threads(1)  # as in the live session: two collapse when something else computes
    needed = memory_of(weights)
    if needed > LARGE_BYTES and not even_if_large:
        return needed
    if job.should_stop():
        return None
    inspection = Inspection(weights, device=device)
    if job.should_stop():
        return None
    return inspection, Overview(
        network_name=inspection.network_name,
        device=inspection.device.type,
        layers=inspection.layers(),
        parameters=inspection.parameters,
        total_ms=inspection.total_ms,
    )


def _draw(worker: InspectionWorker, _job: Job) -> None:
    import torch  # noqa: PLC0415 (off the GUI thread)

    torch.set_num_threads(1)
    worker.run()


def _open_picture(path: Path, _job: Job) -> Picture:
    image = read_picture(path)
    boxes = HaarDetector().detect(image, fine=True)
    return Picture(path.name, image, boxes[np.argsort(boxes[:, 0], kind="stable")])


def _write(path: Path, make_image: Callable[[], NDArray[np.uint8]], _job: Job) -> str:
    try:
        write_png(path, make_image())
    except OSError as error:
        raise cannot_write(path, error) from error
    return str(path)


def _emit(signal: Any) -> None:
    with suppress(RuntimeError):  # the window was closed meanwhile, and the signal's owner with it
        signal.emit()
