"""Weights on disk: safetensors with the network's name and the story of its training in the header.

Loading trusts nothing: the header, the network's name, every tensor's name, shape and type, and every number are
checked before a network is handed out. No pickle is ever opened.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from safetensors import SafetensorError, safe_open
from torch import nn
from torch.overrides import TorchFunctionMode

from trainer.core.models import NETWORKS, KeypointNetwork
from trainer.core.tensor_file import write_tensors
from trainer.core.weights_file import (
    FORMAT,
    FORMAT_VERSION,
    CheckpointError,
    damaged,
    read_metadata,
    refuse_what_is_no_safetensors_file,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_FLOATS: Final = (torch.float16, torch.bfloat16, torch.float32)


@dataclass(frozen=True)
class Checkpoint:
    """A network read from a file.

    Attributes
    ----------
    network
        The network in evaluation mode, float32, on the CPU.
    name
        Its name in `trainer.core.models.NETWORKS`.
    info
        What training wrote about it: epoch, figures, configuration.
    """

    network: KeypointNetwork
    name: str
    info: Mapping[str, Any] = field(default_factory=dict)


def save_checkpoint(
    path: Path, network: KeypointNetwork, *, name: str, info: Mapping[str, Any] | None = None, half: bool = False
) -> None:
    """Save a network atomically.

    Parameters
    ----------
    path
        Where to; replaced if it exists.
    network, name
        The network and its name in `NETWORKS`.
    info
        JSON-serialisable facts to keep with it.
    half
        Store float16: half the size, keypoints within 0.05 px of the full ones for `compact`.
    """
    state = {
        key: value.half() if half and value.dtype == torch.float32 else value
        for key, value in network.state_dict().items()
    }
    metadata = {
        "format": FORMAT,
        "format_version": str(FORMAT_VERSION),
        "network": name,
        "info": json.dumps(dict(info or {}), sort_keys=True),
    }
    write_tensors(path, state, metadata)


def load_checkpoint(path: Path | str) -> Checkpoint:
    """Read and check a weights file.

    Raises
    ------
    CheckpointError
        If the file is missing, truncated, a pickle, of an unknown network, or does not fit that network exactly.
    """
    path = Path(path)
    refuse_what_is_no_safetensors_file(path)
    try:
        with safe_open(str(path), framework="pt") as file:
            name, info = read_metadata(path, file.metadata())
            network = _blank_network(name)
            expected = network.state_dict()
            shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118 (not a dict)
            _compare_shapes(path, name, expected, shapes)
            state = {key: _read_tensor(path, key, file.get_tensor(key), expected[key].dtype) for key in expected}
    except (SafetensorError, OSError) as error:
        raise damaged(path, error) from error
    network.load_state_dict(state, strict=True, assign=True)
    return Checkpoint(network.eval(), name, info)


class _SkipInitialisation(TorchFunctionMode):
    """Leaves the tensors that are made in its context unfilled: no time, and no memory until their pages are touched.

    The meta device would do the same, but its first use imports a compiler and takes seconds.
    """

    def __torch_function__(
        self, func: Any, _types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        # A function that is called from here no longer comes through here: so the outer ones are named.
        if func in (nn.init.kaiming_uniform_, nn.init.uniform_):
            return args[0] if args else (kwargs or {})["tensor"]
        if func is torch.Tensor.uniform_:
            return args[0]
        return func(*args, **(kwargs or {}))


def _blank_network(name: str) -> KeypointNetwork:
    with _SkipInitialisation():
        return NETWORKS[name]()


def _compare_shapes(
    path: Path, name: str, expected: Mapping[str, torch.Tensor], shapes: Mapping[str, tuple[int, ...]]
) -> None:
    if missing := sorted(expected.keys() - shapes.keys()):
        raise CheckpointError(
            "{path} lacks {missing} of the {name} network; it is of another version or damaged",
            path=path,
            missing=missing[0],
            name=name,
        )
    if unknown := sorted(shapes.keys() - expected.keys()):
        raise CheckpointError(
            "{path} has {unknown}, which the {name} network does not; it is of another version",
            path=path,
            unknown=unknown[0],
            name=name,
        )
    for key, tensor in expected.items():
        if shapes[key] != tuple(tensor.shape):
            raise CheckpointError(
                "{path} has {key} of shape {shape_there} where the {name} network has {shape}",
                path=path,
                key=key,
                shape_there=shapes[key],
                name=name,
                shape=tuple(tensor.shape),
            )


def _read_tensor(path: Path, key: str, tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    if dtype == torch.float32:
        if tensor.dtype not in _FLOATS:
            raise CheckpointError(
                "{path} stores {key} as {dtype}, not as floating point; choose another file",
                path=path,
                key=key,
                dtype=tensor.dtype,
            )
        if not torch.isfinite(tensor).all():
            raise CheckpointError(
                "{path} holds values that are not numbers (in {key}); training went wrong there", path=path, key=key
            )
    elif tensor.dtype != dtype:
        raise CheckpointError(
            "{path} stores {key} as {dtype}, expected {expected}; choose another file",
            path=path,
            key=key,
            dtype=tensor.dtype,
            expected=dtype,
        )
    # A copy: what safetensors returns is the file itself, mapped, and would change with it (or crash when it is cut).
    return tensor.to(dtype, copy=True)
