"""The training run of this application: starts it, follows it, ends it."""

from __future__ import annotations

import logging
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from fkd_desktop.workers.job import Job
from fkd_desktop.workers.training_process import TrainingProcess
from trainer import events
from trainer.config import TrainConfig
from trainer.core.text import Text
from trainer.programs import trainer_command
from trainer.runs import TrainingError, delete_run, is_free, summarise

if TYPE_CHECKING:
    from collections.abc import Sequence

_log = logging.getLogger(__name__)

CANCEL_PATIENCE_MS: Final = 8000
SILENCE_MS: Final = 180_000
"""Longer than a large network's batch, or its judging, takes on a slow computer."""
LOGS_KEPT: Final = 20


class TrainingState(Enum):
    """What the run is doing, or how the last one ended."""

    IDLE = auto()
    """There was none yet."""
    STARTING = auto()
    """The process starts and reads the data."""
    TRAINING = auto()
    STOPPING = auto()
    """It was asked to stop and keeps what it has."""
    CANCELLING = auto()
    FINISHED = auto()
    STOPPED = auto()
    """Before its end; it can go on."""
    CANCELLED = auto()
    """Nothing is left of it."""
    FAILED = auto()

    @property
    def is_active(self) -> bool:
        """Whether a process is at work."""
        return self in (
            TrainingState.STARTING,
            TrainingState.TRAINING,
            TrainingState.STOPPING,
            TrainingState.CANCELLING,
        )


@dataclass(frozen=True)
class Failure:
    """Why a run ended with an error.

    Attributes
    ----------
    message
        One sentence for the user.
    last_lines
        The last lines that the process wrote, as a developer wants them.
    log_path
        All of them.
    """

    message: str
    last_lines: tuple[str, ...]
    log_path: Path


@dataclass
class RunRecord:
    """Everything that a run has told.

    Attributes
    ----------
    config
        What it was asked to do.
    folder
        Its run folder.
    """

    config: TrainConfig
    folder: Path
    started: events.RunStarted | None = None
    started_s: float = 0.0
    """`time.monotonic` when `started` came."""
    batch: events.BatchDone | None = None
    epochs: list[events.EpochDone] = field(default_factory=list)
    """In their order; a resumed run's begin with those it had before."""
    notices: list[str] = field(default_factory=list)
    finished: events.RunFinished | None = None
    failure: Failure | None = None

    @property
    def best(self) -> events.EpochDone | None:
        """The epoch with the lowest NME; None before there is one."""
        return min(self.epochs, key=lambda epoch: epoch.nme_mean, default=None)

    @property
    def share_done(self) -> float:
        """Share of all batches that were trained, 0 to 1."""
        if self.started is None:
            return 0.0
        judged = self.epochs[-1].epoch if self.epochs else self.started.epochs_done
        done = judged * self.started.batches_per_epoch
        if self.batch is not None:
            done = max(done, (self.batch.epoch - 1) * self.started.batches_per_epoch + self.batch.batch)
        return min(1.0, done / (self.started.epochs * self.started.batches_per_epoch))


class TrainingController(QObject):
    """Runs the trainer as a child process, one run at a time. Lives in the GUI thread and never blocks it.

    Parameters
    ----------
    log_folder
        Where each run's log goes.
    command
        Runs the trainer's command line.
    """

    state_changed = Signal(object)
    """`TrainingState`."""
    event_received = Signal(object)
    """A `trainer.events.Event`; `record` has it already."""

    def __init__(self, log_folder: Path, *, command: Sequence[str] | None = None) -> None:
        super().__init__()
        self._log_folder = log_folder
        self._command = tuple(command or trainer_command())
        self._process: TrainingProcess | None = None
        self._told_failure = ""
        self._patience = QTimer(self, singleShot=True, interval=CANCEL_PATIENCE_MS)
        self._patience.timeout.connect(self._on_patience_timeout)
        self._silence = QTimer(self, singleShot=True, interval=SILENCE_MS)
        self._silence.timeout.connect(self._on_silence_timeout)
        self.is_silent = False
        """Whether nothing was heard from the process for so long that it may be stuck."""
        self._silence_notice = ""
        self.state = TrainingState.IDLE
        self.record: RunRecord | None = None

    def start(self, config: TrainConfig) -> None:
        """Start a run in ``config.out``; does nothing while another is active.

        It trains at low priority and, unless told how many threads to use, leaves one processor core to the rest.
        """
        if self.state.is_active:
            return
        record = RunRecord(replace(config, threads=config.threads or spare_cores()), Path(config.out))
        if not is_free(record.folder):  # and its cancel would delete what is there
            self._fail(record, Text("{folder} is there already; choose another name for the run", folder=record.folder))
        else:
            self._launch(record, record.config.to_arguments())

    def resume(self, folder: Path) -> None:
        """Go on with a run; does nothing while another is active."""
        if self.state.is_active:
            return
        try:
            run = summarise(folder)
        except TrainingError as error:
            self._fail(RunRecord(self.record.config if self.record else TrainConfig(), folder), error.said)
            return
        record = RunRecord(run.config, folder, epochs=list(run.epochs))
        self._launch(record, ["--resume", str(folder), f"--threads={run.config.threads or spare_cores()}"])

    def stop(self) -> None:
        """Ask the run to end after the batch under way and keep what it has; asked again, end one that is silent."""
        if self._process and self.state in (TrainingState.STARTING, TrainingState.TRAINING):
            self._process.send("stop")
            self._set_state(TrainingState.STOPPING)
        elif self._process and self.state is TrainingState.STOPPING and self.is_silent:
            self._process.kill()

    def cancel(self) -> None:
        """Ask the run to end and remove everything it wrote; one that does not listen is killed."""
        if self._process and self.state.is_active and self.state is not TrainingState.CANCELLING:
            self._process.send("cancel")
            self._patience.start()
            self._set_state(TrainingState.CANCELLING)

    def shut_down(self) -> None:
        """Let go of the process: it stops by itself and keeps what it has; one that is silent is killed."""
        self._patience.stop()
        if self._process and self.is_silent:
            self._process.kill()
        elif self._process:
            if self.state is TrainingState.CANCELLING:
                self._process.send("cancel")
            self._process.let_go()

    def _log_path(self, folder: Path) -> Path:
        return self._log_folder / f"{folder.name}.log"

    def _launch(self, record: RunRecord, arguments: Sequence[str]) -> None:
        command = (*self._command, "train", "--events=jsonl", "--commands", "--low-priority", *arguments)
        process = TrainingProcess(command, self._log_path(record.folder))
        process.event_received.connect(self._on_process_event)
        process.ended.connect(self._on_process_ended)
        self.record, self._told_failure = record, ""
        try:
            _forget_old_logs(self._log_folder)
            process.start()
        except OSError as error:
            self._fail(
                record,
                Text(
                    "the trainer cannot be started ({reason}); free some space or memory first", reason=error.strerror
                ),
            )
            return
        _log.info("training %s, process %d", record.folder, process.pid)
        self._process = process
        self._listen()
        self._set_state(TrainingState.STARTING)

    def _listen(self) -> None:
        self._forget_silence()
        self._silence.start()

    def _forget_silence(self) -> None:
        if self.is_silent and self.record is not None:
            self.record.notices.remove(self._silence_notice)
        self.is_silent = False

    @Slot(object)
    def _on_process_event(self, event: events.Event) -> None:
        record = self.record
        assert record is not None
        self._listen()
        match event:
            case events.RunStarted():
                record.started, record.started_s = event, time.monotonic()
                # What was measured of an epoch that is trained again does not count any more.
                record.epochs = [epoch for epoch in record.epochs if epoch.epoch <= event.epochs_done]
                if self.state is TrainingState.STARTING:
                    self._set_state(TrainingState.TRAINING)
            case events.BatchDone():
                record.batch = event
            case events.EpochDone():
                record.epochs.append(event)
            case events.Notice():
                record.notices.append(event.message)
            case events.RunFinished():
                record.finished = event
            case events.RunFailed():
                self._told_failure = event.message
        self.event_received.emit(event)

    @Slot(int)
    def _on_process_ended(self, code: int) -> None:
        record, process = self.record, self._process
        assert record is not None and process is not None
        self._process = None
        self._patience.stop()
        self._silence.stop()
        was_silent = self.is_silent
        self._forget_silence()
        finished = record.finished
        _log.info("training %s ended with exit code %d", record.folder, code)
        if self.state is TrainingState.CANCELLING:
            self._remove(record.folder)
        elif finished is not None:
            self._set_state(TrainingState.STOPPED if finished.stopped else TrainingState.FINISHED)
        elif was_silent and self.state is TrainingState.STOPPING:  # ended by `stop`, with what its last epoch left
            self._set_state(TrainingState.STOPPED)
        else:
            last_lines = process.last_lines()
            self._fail(record, self._told_failure or _why_it_died(code, last_lines), last_lines)

    @Slot()
    def _on_patience_timeout(self) -> None:
        if self._process:
            self._process.kill()

    @Slot()
    def _on_silence_timeout(self) -> None:
        if self.record is None or self._process is None:
            return
        from fkd_desktop.training.eta import describe_duration  # noqa: PLC0415 (statistics: a part of the start)

        duration = describe_duration(self._silence.interval() / 1000)
        if self.state is TrainingState.STARTING and not self.record.epochs:
            notice = Text(
                "nothing was heard from the training process for {duration}: it may be stuck, or the data may be large "
                "or on a slow disk; “Cancel” ends it",
                duration=duration,
            )
        else:
            notice = Text(
                "nothing was heard from the training process for {duration}: it may be stuck, or the computer very "
                "busy; “Stop and keep”, and then “End now”, keep what the last epoch learned",
                duration=duration,
            )
        self.is_silent, self._silence_notice = True, notice
        _log.warning("training %s: %s", self.record.folder, notice)
        self.record.notices.append(notice)
        self.event_received.emit(events.Notice(notice))

    def _remove(self, folder: Path) -> None:
        """Delete what a run that was killed, or had been resumed, has left."""
        job = Job(Text("deleting {name}", name=folder.name), lambda _: delete_run(folder))
        job.succeeded.connect(lambda _: self._set_state(TrainingState.CANCELLED))
        job.failed.connect(self._on_remove_failed)
        job.start()

    @Slot(str)
    def _on_remove_failed(self, message: str) -> None:
        assert self.record is not None
        self._fail(self.record, message)

    def _fail(self, record: RunRecord, message: str, last_lines: tuple[str, ...] = ()) -> None:
        _log.error("training %s: %s", record.folder, message)
        record.failure = Failure(message, last_lines, self._log_path(record.folder))
        self.record = record
        self._set_state(TrainingState.FAILED)

    def _set_state(self, state: TrainingState) -> None:
        self.state = state
        self.state_changed.emit(state)


def spare_cores() -> int:
    """Return how many threads training may use beside a live session: all cores but one."""
    return max(1, (os.cpu_count() or 2) - 1)


def _why_it_died(code: int, last_lines: Sequence[str]) -> str:
    if any("MemoryError" in line or "out of memory" in line.lower() for line in last_lines):
        return Text("the memory is full; choose a smaller batch size or network, or close other programs")
    if code < 0 and _signal_name(-code) == "SIGKILL":
        return Text(
            "the training process was killed from outside; when nobody did that, the computer "
            "ran out of memory: choose a smaller batch size or network"
        )
    if code < 0:
        return Text(
            "the training process crashed ({signal_name}); its last lines and the log say more",
            signal_name=_signal_name(-code),
        )
    return Text(
        "the training process ended unexpectedly (exit code {code}); its last lines and the log say more", code=code
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _forget_old_logs(folder: Path) -> None:
    """Keep the logs of the last runs."""
    with suppress(OSError):
        logs = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime)
        for path in logs[: max(0, len(logs) - LOGS_KEPT + 1)]:
            path.unlink(missing_ok=True)
