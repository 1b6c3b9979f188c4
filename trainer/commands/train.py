"""`train`: train a network, with a progress bar or JSON lines."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil
from tqdm import tqdm

from trainer import events
from trainer.config import ConfigError, TrainConfig, add_arguments, given_settings
from trainer.loop import fit, resume

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable
    from types import FrameType

MAY_CHANGE: Final = {"data", "device", "threads"}
"""Settings that a resumed run may have other values for: the weights come out the same, but for rounding."""

NICENESS: Final = 10
"""Of a low-priority run: with 10 a thread gets about a tenth of a processor that another one wants whole."""

BROKEN_PIPE: Final = {errno.EPIPE, errno.EINVAL}
"""What writing to a pipe without a reader gives; the second on Windows."""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    train = commands.add_parser(
        "train",
        help="train a network",
        description="Train a network. Ctrl-C stops after the batch and keeps everything; --resume goes on.",
    )
    train.add_argument("--resume", type=Path, metavar="RUN", help="go on with the run in this folder")
    add_arguments(train)
    train.add_argument(
        "--events", choices=["bar", "jsonl"], default="bar", help="progress bar, or JSON lines on stdout"
    )
    train.add_argument(
        "--commands",
        action="store_true",
        help="obey lines on standard input: stop (keep what there is) or cancel (remove the run); its end is a stop",
    )
    train.add_argument(
        "--low-priority", action="store_true", help="let other programs go first: training in the background"
    )
    train.set_defaults(run=_train)


class _Wishes:
    """What the user asked for while the run goes on: by Ctrl-C, or by lines on standard input."""

    def __init__(self) -> None:
        self.stop = self.discard = False

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stop = True

    def obey(self, lines: Iterable[bytes]) -> None:
        """Read commands until there are no more: then whoever started the run is gone."""
        for line in lines:
            match line.strip():
                case b"stop":
                    self.stop = True
                case b"cancel":
                    self.discard = self.stop = True
        self.stop = True


class _LinePrinter:
    """Prints events as JSON lines; wishes for a stop when nobody reads them any more."""

    def __init__(self, wishes: _Wishes) -> None:
        self._wishes = wishes

    def __call__(self, event: events.Event) -> None:
        try:
            print(events.to_json_line(event), flush=True)
        except OSError as error:
            if error.errno not in BROKEN_PIPE:
                raise
            self._wishes.stop = True
            # What could not be written is in the buffer still, and would be tried again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _train(options: argparse.Namespace) -> int:
    if options.low_priority:
        _let_others_go_first()
    wishes = _Wishes()
    if options.commands:
        # Unbuffered: the thread may sit in a read while the interpreter ends, and must not hold a lock then.
        lines = open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)  # noqa: SIM115 (nothing to close)
        threading.Thread(target=wishes.obey, args=(lines,), name="commands", daemon=True).start()
    handlers_before = {number: signal.signal(number, wishes.on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        if options.events == "jsonl":
            _go(options, wishes, _LinePrinter(wishes))
        else:
            with _ProgressPrinter() as printer:
                _go(options, wishes, printer)
    finally:
        for number, handler in handlers_before.items():
            signal.signal(number, handler)
    return 0


def _let_others_go_first() -> None:
    process = psutil.Process()
    with suppress(psutil.Error, OSError):  # not allowed: then it trains as others do
        process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else NICENESS)


def _go(options: argparse.Namespace, wishes: _Wishes, on_event: Callable[[events.Event], None]) -> None:
    settings = given_settings(options)
    if not options.resume:
        if "data" not in settings:
            raise ConfigError("there is no --data; give the folder of the data set, or a run to --resume")
        fit(
            TrainConfig(**settings),
            on_event=on_event,
            should_stop=lambda: wishes.stop,
            should_discard=lambda: wishes.discard,
        )
        return
    if fixed := sorted(settings.keys() - MAY_CHANGE):
        raise ConfigError(
            f"a resumed run keeps its settings; leave out --{fixed[0].replace('_', '-')}, or start a new run from its "
            "weights with --finetune"
        )
    resume(options.resume, on_event=on_event, should_stop=lambda: wishes.stop, **settings)


class _ProgressPrinter:
    """Shows events as a progress bar with one line an epoch."""

    def __init__(self) -> None:
        self._bar = tqdm(disable=True)  # until the run has started: an error before is told without a bar
        self._batches_per_epoch = 0

    def __enter__(self) -> Callable[[events.Event], None]:
        return self._show

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def _show(self, event: events.Event) -> None:
        match event:
            case events.RunStarted():
                self._batches_per_epoch = event.batches_per_epoch
                tqdm.write(
                    f"{event.network} on {event.device}: {event.training_faces} faces to train on, "
                    f"{event.validation_faces} of other people to judge on; writing {event.run}"
                )
                done = event.epochs_done * event.batches_per_epoch
                if event.epochs_done:
                    tqdm.write(f"going on after epoch {event.epochs_done}")
                total = event.epochs * event.batches_per_epoch
                self._bar = tqdm(total=total, initial=done, unit="batch", dynamic_ncols=True, mininterval=1.0)
            case events.BatchDone():
                self._bar.set_postfix_str(f"loss {event.loss:.3f}, {event.images_per_s:.0f} images/s", refresh=False)
                self._bar.update((event.epoch - 1) * self._batches_per_epoch + event.batch - self._bar.n)
            case events.EpochDone():
                self._bar.update(event.epoch * self._batches_per_epoch - self._bar.n)
                tqdm.write(
                    f"epoch {event.epoch:4d}  loss {event.training_loss:7.3f}  NME {event.nme_mean:6.2%}  "
                    f"over 10 % {event.failure_rate:5.1%}  face told {event.face_accuracy:6.1%}  {event.seconds:5.1f} s"
                    + ("  best" if event.is_best else "")
                )
            case events.Notice():
                tqdm.write(event.message)
            case events.RunFinished(discarded=True):
                tqdm.write("cancelled: the run is removed")
            case events.RunFinished(best_nme_mean=None):
                tqdm.write("stopped before the first step: there are no weights to keep")
            case events.RunFinished():
                tqdm.write(
                    f"{'stopped' if event.stopped else 'done'} after {event.epochs_done} epochs: "
                    f"best NME {event.best_nme_mean:.2%}, weights in {Path(event.run) / 'best.safetensors'}"
                    + (f"; go on with --resume {event.run}" if event.stopped else "")
                )
