"""Writing tensors to a safetensors file piece by piece: its own library makes it in memory first, several times over.

The format: the length of a header in 8 bytes, the header (JSON, padded to a multiple of 8), then the tensors' bytes
(https://huggingface.co/docs/safetensors, "Format").
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import torch

from trainer.core.files import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAMES: Final = {torch.int64: "I64", torch.float32: "F32", torch.float16: "F16"}
"""In the order that tensors lie in a file, so that each is aligned."""


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file atomically; the same bytes as `safetensors.torch.save` makes, and always the same.

    Parameters
    ----------
    path
        Where to; replaced if it exists.
    tensors
        By their names; int64, float32 or float16, on any device.
    metadata
        Of the file.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    order = list(_NAMES)
    names = sorted(tensors, key=lambda name: (order.index(tensors[name].dtype), name))
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    end = 0
    for name in names:
        tensor = tensors[name]
        start, end = end, end + tensor.nbytes
        header[name] = {"dtype": _NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with replacing(path) as temporary, temporary.open("xb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in names:
            flat = tensors[name].detach().cpu().contiguous().view(-1)
            file.write(flat.view(torch.uint8).numpy().data)
