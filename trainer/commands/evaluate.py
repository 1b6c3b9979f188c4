"""`evaluate`: judge weights."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.config import TrainConfig
from trainer.core.checkpoint import CheckpointError
from trainer.core.predictor import Predictor
from trainer.dataset import split_by_identity
from trainer.evaluate import evaluate
from trainer.readers import read_samples

if TYPE_CHECKING:
    import argparse


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
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
    judge.set_defaults(run=_evaluate)


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
