"""A training run that tells what a test says, and what tests ask of its view."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QAbstractButton, QMessageBox

from fkd_desktop.training.run import Failure, RunRecord, TrainingController, TrainingState
from fkd_desktop.ui.training.progress_view import ProgressView
from trainer.config import TrainConfig
from trainer.events import BatchDone, EpochDone, Event, Notice, RunFinished, RunStarted
from trainer.runs import SHEET

BATCHES = 84
EPOCHS = 60
COLOURS = (QColor(), QColor("red"), QColor("green"), QColor("blue"))
"""Of the pages of faces, by epoch."""


class Training(TrainingController):
    """Tells what a test says, as the real one does, and notes what it is asked to do."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "logs")
        self.folder = folder / "a run"
        self.folder.mkdir()
        self.asked: list[object] = []

    def begin(self, *, epochs: list[EpochDone] | None = None) -> RunRecord:
        self.record = RunRecord(TrainConfig(batch_size=32), self.folder, epochs=epochs or [])
        self.become(TrainingState.STARTING)
        return self.record

    def tell(self, event: Event) -> None:
        record = self.record
        match event:
            case RunStarted():
                record.started, record.started_s = event, time.monotonic()
                record.epochs = [epoch for epoch in record.epochs if epoch.epoch <= event.epochs_done]
                self.become(TrainingState.TRAINING)
            case BatchDone():
                record.batch = event
            case EpochDone():
                record.epochs.append(event)
            case Notice():
                record.notices.append(event.message)
            case RunFinished():
                record.finished = event
        self.event_received.emit(event)

    def tell_started(self, *, epochs_done: int = 0) -> None:
        self.tell(
            RunStarted(str(self.folder), "compact (12 parameters)", "cpu", EPOCHS, BATCHES, 2693, 475, epochs_done)
        )

    def tell_epoch(self, number: int, *, nme: float = 0.05) -> None:
        write_sheet(self.folder, COLOURS[number])
        self.tell(epoch(number, nme=nme))

    def become(self, state: TrainingState) -> None:
        self.state = state
        self.state_changed.emit(state)

    def fail(self, *lines: str) -> None:
        self.record.failure = Failure("the training process crashed", lines, self.folder.parent / "a run.log")
        self.become(TrainingState.FAILED)

    def stop(self) -> None:
        self.asked.append("stop")
        self.become(TrainingState.STOPPING)

    def cancel(self) -> None:
        self.asked.append("cancel")
        self.become(TrainingState.CANCELLING)

    def resume(self, folder: Path) -> None:
        self.asked.append(folder)


def epoch(number: int, *, nme: float = 0.05) -> EpochDone:
    return EpochDone(number, 3.0, nme, 0.1, 0.5, 0.9, 40.0, False)


def write_sheet(folder: Path, colour: QColor) -> None:
    image = QImage(1200, 900, QImage.Format.Format_RGB32)
    image.fill(colour)
    assert image.save(str(folder / SHEET))


def question_of(view: ProgressView) -> QMessageBox | None:
    return next((box for box in view.findChildren(QMessageBox) if box.isVisible()), None)


def button_of(box: QMessageBox, words: str) -> QAbstractButton:
    return next(button for button in box.buttons() if button.text().replace("&", "") == words)


def wait_for_sheet(qtbot, view: ProgressView, number: int) -> None:
    qtbot.waitUntil(lambda: view.sheet.caption == f"Validation faces after epoch {number}")
