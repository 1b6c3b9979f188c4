"""Looking through a data set, without the window: reads it, checks it, has its faces judged and augmented."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, Final

import cv2
from PySide6.QtCore import QObject, Signal, Slot

from fkd_desktop.i18n import translated
from fkd_desktop.training.entries import (
    Catalogue,
    Entry,
    Place,
    checked_catalogue,
    first_catalogue,
    whole_catalogue,
)
from fkd_desktop.training.judge import Judge, Prediction
from fkd_desktop.training.newest import Newest
from fkd_desktop.training.thumbnails import ThumbnailMaker
from fkd_desktop.workers.job import Job
from trainer.core.text import Text
from trainer.dataset import read_image

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from trainer.config import AugmentationName
    from trainer.core.names import NetworkName
    from trainer.preview import Variants

CHECK_WAITS_S: Final = 0.5
"""How long the check waits for thumbnails, every few images."""
HALVED_ABOVE_PX: Final = 1200
"""Pictures with longer sides come in halves of their size too, so that painting them small stays quick and smooth."""


class BrowsingState(Enum):
    """How far a data set is read."""

    EMPTY = auto()
    """None was asked for."""
    READING = auto()
    """Some entries may be there."""
    READY = auto()
    FAILED = auto()


@dataclass(frozen=True)
class VariantsWish:
    """Which variants of a face are wanted; see `trainer.preview.augmented_variants`."""

    network: NetworkName
    augmentation: AugmentationName
    calm: bool
    seed: int


class Browsing(QObject):
    """One data set at a time. Lives in the GUI thread and never blocks it.

    Parameters
    ----------
    weights
        What judges; None for the shipped weights.
    device
        Where.
    """

    state_changed = Signal(object, str)
    """`BrowsingState` and, when it failed, a sentence."""
    catalogue_changed = Signal()
    check_progressed = Signal(int, int)
    """Images done, and of how many."""
    check_ended = Signal(str)
    """A sentence if it could not be done, else empty."""
    judging_progressed = Signal(int, int)
    """Faces done, and of how many."""
    judging_ended = Signal(str)
    """A sentence if not all could be judged, else empty."""
    predicted = Signal()
    """There are new `predictions`."""
    prediction_failed = Signal(str)
    picture_read = Signal(object, object, str)
    """An `Entry`; its picture, once and smaller ones after it, (H, W, 3) BGR each; a sentence where there is none."""
    variants_made = Signal(object, object, str)
    """An `Entry`; its `Variants`; a sentence where there are none."""

    def __init__(self, *, weights: Path | None = None, device: str = "auto") -> None:
        super().__init__()
        self._device = device
        self._judge = Judge(weights, device)
        self._reader: Job | None = None
        self._checker: Job | None = None
        self._judging: Job | None = None
        self._judged: list[Entry] = []
        self._taken = 0
        self._pictures = Newest(Text("reading a picture"))
        self._singles = Newest(Text("judging a face"))
        self._variants = Newest(Text("augmenting a face"))
        self.thumbnails = ThumbnailMaker()
        self.state = BrowsingState.EMPTY
        self.root: Path | None = None
        self.catalogue: Catalogue | None = None
        self.predictions: dict[Place, Prediction] = {}

    # --- reading and checking

    def open(self, root: Path) -> None:
        """Read a data set, in place of the one before."""
        self._cancel()
        self.thumbnails.forget()
        self.root, self.catalogue = root, None
        self.predictions = {}
        self._set_state(BrowsingState.READING)
        self._reader = Job(Text("reading the data set"), partial(_read, root))
        self._reader.progressed.connect(self._take_catalogue)
        self._reader.succeeded.connect(self._on_reader_succeeded)
        self._reader.failed.connect(self._on_reader_failed)
        self._reader.start()

    @property
    def is_checking(self) -> bool:
        """Whether images are still being decoded to find problems."""
        return self._checker is not None

    @property
    def is_judging(self) -> bool:
        """Whether the network is at work on all faces."""
        return self._judging is not None

    def close(self) -> None:
        """End everything and forget; nothing is told until another data set is opened."""
        self._cancel()
        self.thumbnails.close()
        self.thumbnails.forget()
        self.state, self.catalogue, self.predictions = BrowsingState.EMPTY, None, {}

    def set_weights(self, weights: Path | None) -> None:
        """Let another network judge from now on; what the one before said is forgotten."""
        self.stop_judging()
        self._singles.cancel()
        self._judge = Judge(weights, self._device)
        self.predictions = {}
        self.predicted.emit()

    def _cancel(self) -> None:
        for job in (self._reader, self._checker, self._judging):
            if job is not None:
                job.cancel()
        self._reader = self._checker = self._judging = None
        for newest in (self._pictures, self._singles, self._variants):
            newest.cancel()

    @Slot(object)
    def _take_catalogue(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.catalogue_changed.emit()

    @Slot(object)
    def _on_reader_succeeded(self, catalogue: Catalogue) -> None:
        assert self.root is not None
        self._reader = None
        self.predictions = {}  # the first look's labels may have been moved since
        self._take_catalogue(catalogue)
        self._set_state(BrowsingState.READY)
        self._checker = Job(Text("checking the data set"), partial(_check, self.root, self.thumbnails))
        self._checker.progressed.connect(lambda progress: self.check_progressed.emit(*progress))
        self._checker.succeeded.connect(self._on_checker_succeeded)
        self._checker.failed.connect(self._on_checker_failed)
        self._checker.start()

    @Slot(str)
    def _on_reader_failed(self, message: str) -> None:
        self._reader = self.catalogue = None
        self.catalogue_changed.emit()
        self._set_state(BrowsingState.FAILED, message)

    @Slot(object)
    def _on_checker_succeeded(self, catalogue: Catalogue) -> None:
        self._checker = None
        self._take_catalogue(catalogue)
        self.check_ended.emit("")

    @Slot(str)
    def _on_checker_failed(self, message: str) -> None:
        self._checker = None
        self.check_ended.emit(message)

    def _set_state(self, state: BrowsingState, message: str = "") -> None:
        self.state = state
        self.state_changed.emit(state, message)

    # --- the network's opinion

    @property
    def unjudged(self) -> list[Entry]:
        """Faces that the network has not seen."""
        entries = self.catalogue.entries if self.catalogue is not None else ()
        return [entry for entry in entries if entry.is_usable and entry.place not in self.predictions]

    def judge_all(self) -> None:
        """Run the network over all faces that it has not seen; does nothing while it is at it."""
        if self.is_judging or self.catalogue is None:
            return
        self._judged = self.unjudged
        self._taken = 0
        self._judging = Job(Text("judging the data set"), partial(self._judge.predict, tuple(self._judged)))
        self._judging.progressed.connect(self._on_judging_progressed)
        self._judging.succeeded.connect(self._on_judging_succeeded)
        self._judging.failed.connect(self._on_judging_failed)
        self._judging.start()

    def stop_judging(self) -> None:
        """Leave it at what has been judged."""
        if self._judging is not None:
            self._judging.cancel()
            self._judging = None
            self.judging_ended.emit("")

    def judge(self, entry: Entry) -> None:
        """Run the network on one face, if it has not seen it."""
        if entry.is_usable and entry.place not in self.predictions:
            self._singles.ask(
                partial(self._judge.predict, (entry,)),
                partial(self._take_predictions, [entry]),
                self.prediction_failed.emit,
            )

    def prediction(self, entry: Entry) -> Prediction | None:
        """Return what the network said of a face, if it was asked and the picture could be read."""
        prediction = self.predictions.get(entry.place)
        return prediction if prediction is not None and prediction.is_there else None

    @Slot(object)
    def _on_judging_progressed(self, done: list[Prediction]) -> None:
        some = done[self._taken :]
        self._take_predictions(self._judged[self._taken : self._taken + len(some)], some)
        self._taken += len(some)
        self.judging_progressed.emit(self._taken, len(self._judged))

    @Slot(object)
    def _on_judging_succeeded(self, done: list[Prediction]) -> None:
        self._on_judging_progressed(done)
        self._judging = None
        failed = sum(not prediction.is_there for prediction in done)
        self.judging_ended.emit(translated(_what_was_not_judged(failed)))

    @Slot(str)
    def _on_judging_failed(self, message: str) -> None:
        self._judging = None
        self.judging_ended.emit(message)

    def _take_predictions(self, entries: list[Entry], predictions: list[Prediction]) -> None:
        for entry, prediction in zip(entries, predictions, strict=False):
            self.predictions[entry.place] = prediction
        if predictions:
            self.predicted.emit()

    # --- one face

    def read_picture(self, entry: Entry) -> None:
        """Decode an entry's picture; of several that are asked for in a row only the last one surely comes."""
        if entry.image is None:
            self.picture_read.emit(entry, (), "")
            return
        self._pictures.ask(
            partial(_read_picture, entry.image),
            lambda levels: self.picture_read.emit(entry, levels, ""),
            lambda message: self.picture_read.emit(entry, (), message),
        )

    def make_variants(self, entry: Entry, wish: VariantsWish) -> None:
        """Augment a face as training would; of several that are asked for in a row only the last one surely comes."""
        self._variants.ask(
            partial(_make_variants, entry, wish),
            lambda variants: self.variants_made.emit(entry, variants, ""),
            lambda message: self.variants_made.emit(entry, None, message),
        )


def _what_was_not_judged(failed: int) -> str:
    if failed == 1:
        return Text("one face was not judged: its image cannot be read")
    if failed:
        return Text("{failed:,} faces were not judged: their images cannot be read", failed=failed)
    return ""


def _read(root: Path, job: Job) -> Catalogue:
    job.tell(first_catalogue(root))
    return whole_catalogue(root)


def _check(root: Path, thumbnails: ThumbnailMaker, job: Job) -> Catalogue:
    def should_stop() -> bool:
        # What is in sight comes first; but the check goes on while somebody scrolls for ever.
        patience_s = time.monotonic() + CHECK_WAITS_S
        while thumbnails.is_urgent and time.monotonic() < patience_s and not job.should_stop():
            time.sleep(0.02)
        return job.should_stop()

    return checked_catalogue(root, on_progress=lambda done, total: job.tell((done, total)), should_stop=should_stop)


def _read_picture(path: Path, _job: Job) -> tuple[NDArray[np.uint8], ...]:
    levels = [read_image(path)]
    while max(levels[-1].shape[:2]) > HALVED_ABOVE_PX:
        height, width = levels[-1].shape[:2]
        half = cv2.resize(levels[-1], (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA)
        levels.append(half)  # type: ignore[arg-type]
    return tuple(levels)


def _make_variants(entry: Entry, wish: VariantsWish, _job: Job) -> Variants:
    import torch  # noqa: PLC0415 (imports torch: off the GUI thread)

    from trainer.preview import augmented_variants  # noqa: PLC0415 (the same)

    torch.set_num_threads(1)  # see `fkd_desktop.live.network.load_predictor`
    return augmented_variants(
        entry.sample, wish.network, augmentation=wish.augmentation, calm=wish.calm, seed=wish.seed
    )
