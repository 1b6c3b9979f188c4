"""The data set that a run would train on: chosen or downloaded, looked through, and why it cannot be trained on."""

from __future__ import annotations

import logging
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from fkd_desktop.workers.job import Job
from trainer.check import check, write_good_rows
from trainer.contact_sheet import GAP_PX, SheetFace, contact_sheet
from trainer.core.files import expanded
from trainer.core.preprocess import CROP_PER_BOX, box_from_keypoints, crop_squares
from trainer.core.text import Text
from trainer.dataset import DatasetError, load_crops
from trainer.download import PUBLISHED, Progress, contents, default_folder, download

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from trainer.check import DatasetReport
    from trainer.dataset import Sample
    from trainer.download import DataSource
    from trainer.label_files import Problem

_log = logging.getLogger(__name__)

THUMBNAILS: Final = 24
THUMBNAIL_PX: Final = 160
GOOD_ROWS: Final = "good_rows"
"""Name of the table that leaves the bad rows out; numbered where one is there already."""
_LAST_DOWNLOAD_WAIT_S: Final = 5.0


class DataState(Enum):
    """What is known of the data set."""

    NONE = auto()
    """None was chosen yet."""
    CHECKING = auto()
    READY = auto()
    """Training can start on it."""
    UNUSABLE = auto()
    """Training cannot start on it; there may be a report none the less."""
    DOWNLOADING = auto()

    @property
    def is_busy(self) -> bool:
        """Whether something is under way that `DataController.cancel` ends."""
        return self in (DataState.CHECKING, DataState.DOWNLOADING)


class DataController(QObject):
    """Holds the data set to train on and looks through it in the background. Lives in the GUI thread.

    Parameters
    ----------
    source
        Where the data set is published.

    Attributes
    ----------
    state
        `DataState`.
    folder
        The folder that was chosen, or the path of a CSV table; None if none was.
    report
        What the check found; None until it is done, or where there is no data set.
    thumbnails
        Some faces of the data set with their keypoints, (`THUMBNAIL_PX`, `THUMBNAIL_PX`, 3) uint8 BGR each.
    message
        A sentence: why the data cannot be used, or what the download said; may be empty.
    """

    changed = Signal()
    """Any of the attributes."""
    progressed = Signal(int, int)
    """Images checked, or bytes downloaded; and of how many. (0, 0) before that is known."""

    def __init__(self, *, source: DataSource = PUBLISHED) -> None:
        super().__init__()
        self._source = source
        self._job: Job | None = None
        self._download_job: Job | None = None
        self._fetched = Progress()
        self._why = ""
        self.state = DataState.NONE
        self.folder: Path | None = None
        self.report: DatasetReport | None = None
        self.thumbnails: tuple[NDArray[np.uint8], ...] = ()
        self.message = ""

    # --- what is known

    @property
    def why_not(self) -> str:
        """What is in the way of training, a sentence; empty when it can start."""
        match self.state:
            case DataState.NONE:
                return Text("choose a data set first")
            case DataState.CHECKING:
                return Text("the data set is still being checked")
            case DataState.DOWNLOADING:
                return Text("the data set is still being downloaded")
            case DataState.UNUSABLE:
                return self._why
        return ""

    @property
    def source(self) -> DataSource:
        """Where `download` fetches from."""
        return self._source

    @property
    def download_folder(self) -> Path:
        """Where `download` puts the data set."""
        return default_folder()

    @property
    def downloaded_folder(self) -> Path | None:
        """Where the data set was downloaded to, whole or in part; None if it was not."""
        folder = self.download_folder
        return folder if (folder / "training_frames_keypoints.csv").is_file() else None

    @property
    def received_bytes(self) -> int:
        """What the download has fetched over the network."""
        return self._fetched.bytes_received

    @property
    def can_leave_out(self) -> bool:
        """Whether the data set could be trained on without what is wrong in its training split."""
        return self.state is DataState.UNUSABLE and _is_good_in_part(self.report)

    # --- what a user does

    def choose(self, path: Path | str) -> None:
        """Take a data set, a folder or a CSV table, and check it; whatever was under way is cancelled."""
        self._choose(Path(path), message="")

    def check_again(self) -> None:
        """Look through the same data set again; does nothing if there is none, or something is under way."""
        if self.folder and not self.state.is_busy:
            self.choose(self.folder)

    def download(self) -> None:
        """Fetch the data set, or what is missing of it, and check it; does nothing while one is fetched."""
        if self.state is DataState.DOWNLOADING:
            return
        if self.state is DataState.CHECKING:
            self.cancel()
        last, self._fetched, self.message = self._download_job, Progress(), ""
        folder, source = self.download_folder, self._source

        def work(job: Job) -> str:
            if last:  # two at once would clean up after each other
                last.wait(_LAST_DOWNLOAD_WAIT_S)
            download(folder, source=source, on_progress=job.tell, should_stop=job.should_stop)
            images = sum(contents(folder, split).images for split in ("training", "test"))
            return Text(
                "{images:,} pictures are in {folder}; they are not part of FKD Desktop and stay under their own terms",
                images=images,
                folder=folder,
            )

        self._download_job = self._start(
            Text("the download"), work, self._on_download_succeeded, self._on_download_failed
        )
        self._download_job.progressed.connect(self._on_download_progressed)
        self._set_state(DataState.DOWNLOADING)

    def leave_out(self) -> None:
        """Write a table of the good training faces beside the data set, and choose that; see `can_leave_out`."""
        report = self.report
        if report is None or not self.can_leave_out:
            return

        def work(_job: Job) -> Path:
            path = _free_name(report.source.root)
            write_good_rows(report, path)
            return path

        self._start(Text("writing the table"), work, self.choose, self._on_leave_out_failed)
        self._set_state(DataState.CHECKING)

    def cancel(self) -> None:
        """Stop the check or the download; what has been fetched stays."""
        state = self.state
        if not state.is_busy:
            return
        self._drop_job()
        if state is DataState.DOWNLOADING:
            done, total = self._fetched.files_done, self._fetched.files_total
            self._end_download(
                Text(
                    "the download was stopped with {done:,} of {total:,} files; the next one goes on from there",
                    done=done,
                    total=total,
                )
                if total
                else Text("the download was stopped at its start; the next one goes on from there")
            )
        else:
            self._refuse(Text("the check was stopped before its end; check the data set again"))

    def shut_down(self) -> None:
        """Let go of what is under way: it ends by itself and tells nothing any more."""
        self._drop_job()

    # --- how it goes

    def _choose(self, path: Path, *, message: str) -> None:
        self.folder = path = expanded(path).absolute()
        self.report, self.thumbnails, self.message, self._why = None, (), message, ""

        def work(job: Job) -> tuple[DatasetReport, tuple[NDArray[np.uint8], ...]]:
            report = check(path, on_progress=lambda done, total: job.tell((done, total)), should_stop=job.should_stop)
            return report, _thumbnails(report, job.should_stop)

        job = self._start(Text("the check of the data set"), work, self._on_check_succeeded, self._refuse)
        job.progressed.connect(self._on_check_progressed)
        self._set_state(DataState.CHECKING)

    def _start(
        self,
        name: str,
        work: Callable[[Job], Any],
        on_succeeded: Callable[[Any], object],
        on_failed: Callable[[str], object],
    ) -> Job:
        self._drop_job()
        job = self._job = Job(name, work)
        job.succeeded.connect(on_succeeded)
        job.failed.connect(on_failed)
        job.start()
        return job

    def _drop_job(self) -> None:
        if self._job:
            self._job.cancel()
        self._job = None

    @Slot(object)
    def _on_check_progressed(self, done_of: tuple[int, int]) -> None:
        self.progressed.emit(*done_of)

    @Slot(object)
    def _on_check_succeeded(self, found: tuple[DatasetReport, tuple[NDArray[np.uint8], ...]]) -> None:
        self.report, self.thumbnails = found
        _log.info("%s: %d faces, %d problems", self.folder, len(self.report.rows), len(self.report.problems))
        if why := self._why_not_on(self.report):
            self._refuse(why)
        else:
            self._set_state(DataState.READY)

    @Slot(str)
    def _refuse(self, why: str) -> None:
        self._why = self.message = why
        self._set_state(DataState.UNUSABLE)

    @Slot(str)
    def _on_leave_out_failed(self, message: str) -> None:
        self.message = message
        self._set_state(DataState.UNUSABLE)

    @Slot(object)
    def _on_download_progressed(self, progress: Progress) -> None:
        self._fetched = progress
        self.progressed.emit(progress.bytes_done, progress.bytes_total)

    @Slot(object)
    def _on_download_succeeded(self, message: str) -> None:
        self._choose(self.download_folder, message=message)

    @Slot(str)
    def _on_download_failed(self, message: str) -> None:
        self._end_download(message)

    def _end_download(self, message: str) -> None:
        """Go back to the data set that was there before."""
        self.message = message
        if self.folder is None:
            self._set_state(DataState.NONE)
        else:
            self._set_state(DataState.UNUSABLE if self._why else DataState.READY)

    def _set_state(self, state: DataState) -> None:
        self.state = state
        self.changed.emit()

    def _why_not_on(self, report: DatasetReport) -> str:
        if report.why_not:
            return Text("the data set cannot be trained on: {reason}", reason=report.why_not)
        count = len(training_problems(report))
        if not count:
            return ""
        if report.source.root == self.download_folder:
            if count == 1:
                return Text(
                    "one training label of the data set cannot be used; download the data set again, which repairs it, "
                    "or leave it out"
                )
            return Text(
                "{count:,} training labels of the data set cannot be used; download the data set again, which repairs "
                "it, or leave them out",
                count=count,
            )
        if count == 1:
            return Text("one training label of the data set cannot be used; repair it, or leave it out")
        return Text(
            "{count:,} training labels of the data set cannot be used; repair them, or leave them out", count=count
        )


def training_problems(report: DatasetReport) -> list[Problem]:
    """Return what is wrong in the training split: the trainer refuses a split that has any problem."""
    test = report.source.parts["test"][0] if "test" in report.source.parts else None
    return [problem for problem in report.problems if problem.file != test]


def _is_good_in_part(report: DatasetReport | None) -> bool:
    return report is not None and report.can_train and bool(training_problems(report))


def _free_name(folder: Path) -> Path:
    number = 1
    while (path := folder / f"{GOOD_ROWS}{f'_{number}' if number > 1 else ''}.csv").exists():
        number += 1
    return path


def _thumbnails(report: DatasetReport, should_stop: Callable[[], bool]) -> tuple[NDArray[np.uint8], ...]:
    """Draw some faces, the same each time; those whose image has gone since are left out."""
    thumbnails: list[NDArray[np.uint8]] = []
    for index in np.random.default_rng(0).permutation(len(report.rows))[:THUMBNAILS]:
        if should_stop():
            break
        with suppress(DatasetError):
            thumbnails.append(_thumbnail(report.rows[index].sample))
    return tuple(thumbnails)


def _thumbnail(sample: Sample) -> NDArray[np.uint8]:
    side_px = int(crop_squares(box_from_keypoints(sample.keypoints_px), crop_per_box=CROP_PER_BOX)[0, 2])
    crop = load_crops([sample], size_px=min(side_px, THUMBNAIL_PX), crop_per_box=CROP_PER_BOX)
    sheet = contact_sheet([SheetFace(crop.crops[0, 0], crop.points_unit[0])], tile_px=THUMBNAIL_PX)
    return np.ascontiguousarray(sheet[GAP_PX : GAP_PX + THUMBNAIL_PX, GAP_PX : GAP_PX + THUMBNAIL_PX])
