"""`python -m trainer {train,evaluate}`: train a network on labelled faces, and judge weights."""

from __future__ import annotations

import argparse
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tqdm import tqdm

from trainer import events
from trainer.config import ConfigError, TrainConfig, add_arguments
from trainer.core.checkpoint import CheckpointError
from trainer.core.predictor import DeviceError, Predictor
from trainer.dataset import DatasetError, read_samples, split_by_identity
from trainer.evaluate import evaluate
from trainer.loop import TrainingError, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

EXIT_BAD_INPUT: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code: 0 done, 2 bad input (one sentence on stderr)."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except (ConfigError, DatasetError, CheckpointError, DeviceError, TrainingError) as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fkd-train", description="Train and judge face-keypoint networks.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    train = commands.add_parser("train", help="train a network", description="Train a network.")
    add_arguments(train)
    train.add_argument(
        "--events", choices=["bar", "jsonl"], default="bar", help="progress bar, or JSON lines on stdout"
    )
    train.set_defaults(command=_train)
    judge = commands.add_parser("evaluate", help="judge weights", description="Judge weights on a data set.")
    judge.add_argument("--weights", type=Path, help="safetensors file (default: the shipped weights)")
    judge.add_argument("--data", type=Path, required=True, help="folder of the data set")
    judge.add_argument(
        "--split",
        choices=["held-out", "training", "test"],
        default="test",
        help="held-out: the identities of the training split that the weights' run kept aside (default: test)",
    )
    judge.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    judge.set_defaults(command=_evaluate)
    return parser


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


def _evaluate(options: argparse.Namespace) -> int:
    predictor = Predictor.load(options.weights, device=options.device)
    samples = read_samples(options.data, "test" if options.split == "test" else "training")
    if options.split == "held-out":
        try:
            of_run = TrainConfig(**predictor.info["config"])
        except (KeyError, TypeError) as error:
            raise CheckpointError(
                "the weights do not say whom their run kept aside; choose --split training or test"
            ) from error
        samples = split_by_identity(samples, validation_share=of_run.validation_share, seed=of_run.seed)[1]
    for name, value in asdict(evaluate(predictor, samples)).items():
        print(f"{name:14} {value:.4f}" if isinstance(value, float) else f"{name:14} {value}")
    return 0
