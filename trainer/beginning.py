"""What a run begins with, and what is said of an error that ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.core.checkpoint import load_checkpoint
from trainer.core.errors import FkdError
from trainer.core.models import build_network, count_parameters
from trainer.core.text import Text
from trainer.core.weights_file import CheckpointError

if TYPE_CHECKING:
    from trainer.config import TrainConfig
    from trainer.core.models import KeypointNetwork


def in_a_sentence(error: Exception) -> Text:
    """Return what the user is told of an error that ends a run."""
    if isinstance(error, FkdError):
        return error.said
    return Text("training ended with an unexpected error ({name}: {error})", name=type(error).__name__, error=error)


def described(model: str, network: KeypointNetwork) -> Text:
    """Return a network's name with its size."""
    return Text("{model} ({parameters:,} parameters)", model=model, parameters=count_parameters(network))


def initial_network(config: TrainConfig) -> KeypointNetwork:
    """Return the network to train: fresh, or with the weights of `TrainConfig.finetune`.

    Raises
    ------
    CheckpointError
        If those cannot be used, or are of another network.
    """
    if not config.finetune:
        return build_network(config.model)
    checkpoint = load_checkpoint(config.finetune)
    if checkpoint.name != config.model:
        raise CheckpointError(
            "{finetune} holds a {name} network, not {model}; choose --model {name}",
            finetune=config.finetune,
            name=checkpoint.name,
            model=config.model,
        )
    return checkpoint.network
