"""`train`: train a network, with a progress bar or JSON lines."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from trainer import events
from trainer.config import TrainConfig, add_arguments
from trainer.loop import fit

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from types import FrameType


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    train = commands.add_parser("train", help="train a network", description="Train a network.")
    add_arguments(train)
    train.add_argument(
        "--events", choices=["bar", "jsonl"], default="bar", help="progress bar, or JSON lines on stdout"
    )
    train.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> int:
    config = TrainConfig.from_arguments(options)
    stop_asked = False

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stop_asked
        stop_asked = True

    handler_before = signal.signal(signal.SIGINT, ask_to_stop)
    try:
        if options.events == "jsonl":
            fit(config, on_event=lambda e: print(events.to_json_line(e), flush=True), should_stop=lambda: stop_asked)
        else:
            with _ProgressPrinter() as printer:
                fit(config, on_event=printer, should_stop=lambda: stop_asked)
    finally:
        signal.signal(signal.SIGINT, handler_before)
    return 0


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
                total = event.epochs * event.batches_per_epoch
                self._bar = tqdm(total=total, unit="batch", dynamic_ncols=True, mininterval=1.0)
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
            case events.RunFinished(best_nme_mean=None):
                tqdm.write("stopped before the first step: there are no weights to keep")
            case events.RunFinished():
                tqdm.write(
                    f"{'stopped' if event.stopped else 'done'} after {event.epochs_done} epochs: "
                    f"best NME {event.best_nme_mean:.2%}, weights in {Path(event.run) / 'best.safetensors'}"
                )
