"""Weights as ONNX or TorchScript, for programs without this one; checked against the network before they are kept."""

from __future__ import annotations

import json
import os
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Literal, get_args

import torch

from trainer import parity
from trainer.core.checkpoint import load_checkpoint
from trainer.core.engines import agreement
from trainer.core.engines.onnx_file import (
    DEFAULT_OPSET,
    LIMIT_BYTES,
    PlainNetwork,
    onnx_bytes,
    without_deprecation_warnings,
)
from trainer.core.errors import FkdError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

ExportFormat = Literal["onnx", "torchscript"]
FORMATS: Final[tuple[ExportFormat, ...]] = get_args(ExportFormat)
SUFFIXES: Final[dict[ExportFormat, str]] = {"onnx": ".onnx", "torchscript": ".pt"}
OPSETS: Final = range(11, 21)
EXTRA_FILE: Final = "fkd.json"


class ExportError(FkdError):
    """Weights cannot be exported as asked; the message says why."""


@dataclass(frozen=True)
class Exported:
    """A file that was written and checked.

    Attributes
    ----------
    path, size_bytes
        The file.
    network, size_px
        Name of the network and side of its crops.
    outputs
        Names of what it returns.
    checks
        What the programs say that ran it; the first one's word counts.
    """

    path: Path
    size_bytes: int
    network: str
    size_px: int
    outputs: tuple[str, ...]
    checks: tuple[parity.Check, ...]


def export(
    weights: Path | str, path: Path, *, file_format: ExportFormat = "onnx", opset: int = DEFAULT_OPSET
) -> Exported:
    """Write weights as a network for other programs, and keep the file only if it says what the network says.

    Its input ``crops`` is (N, 1, S, S) float32 in [0, 1], N being free; its outputs are ``points``, (N, 68, 2) from 0
    to 1 across the crop, and, of networks that have one, ``face_logit``, (N,). How to cut the crop and to map the
    points back is told in the file: in ONNX by its metadata, in TorchScript by the extra file ``fkd.json``.

    Parameters
    ----------
    weights
        A safetensors file that the trainer saved.
    path
        Where to; replaced, in one step, if it exists.
    file_format
        What to write.
    opset
        Version of ONNX's operator set, in `OPSETS`.

    Raises
    ------
    CheckpointError
        If the weights cannot be used.
    ExportError
        If the format cannot hold the network, a package is missing, the file cannot be written, or its keypoints are
        more than `agreement.TOLERANCE_PX` off.
    """
    if opset not in OPSETS:
        raise ExportError(
            "operator set {opset} cannot be written; choose one from {first} to {last}",
            opset=opset,
            first=OPSETS[0],
            last=OPSETS[-1],
        )
    if file_format == "onnx" and not find_spec("onnx"):
        raise ExportError("writing ONNX takes the package onnx; install it with: pip install onnx")
    checkpoint = load_checkpoint(weights)
    plain = PlainNetwork(checkpoint.network)
    names, story = plain.output_names, plain.story(checkpoint.name)
    with _replacing(path) as temporary:
        if file_format == "onnx":
            _write_onnx(plain, temporary, opset=opset, story=story)
        else:
            _write_torchscript(plain, temporary, story=story)
        checks = parity.check(plain, temporary, names, size_px=plain.size_px, is_onnx=file_format == "onnx")
        _refuse_what_differs(checks, path)
        size_bytes = temporary.stat().st_size
    return Exported(path, size_bytes, checkpoint.name, plain.size_px, names, checks)


def _write_onnx(plain: PlainNetwork, path: Path, *, opset: int, story: Mapping[str, str]) -> None:
    if plain.size_bytes() > LIMIT_BYTES:
        raise ExportError(
            "the {network} network takes {size_gb:.2f} GB, and a file of ONNX cannot hold more "
            "than {limit_gb:.2f} GB; choose --format torchscript",
            network=story["network"],
            size_gb=plain.size_bytes() / 1e9,
            limit_gb=LIMIT_BYTES / 1e9,
        )
    path.write_bytes(onnx_bytes(plain, story, opset=opset))


def _write_torchscript(plain: PlainNetwork, path: Path, *, story: Mapping[str, str]) -> None:
    with without_deprecation_warnings():
        traced = torch.jit.trace(plain, (plain.example(),), check_trace=False)  # type: ignore[no-untyped-call]
        extra = {EXTRA_FILE: json.dumps(dict(story), indent=2).encode()}
        try:
            torch.jit.save(traced, str(path), _extra_files=extra)
        except RuntimeError as error:  # what PyTorch says of a full disk, in C++
            raise OSError(0, str(error).split("\n", 1)[0][:200]) from error


def _refuse_what_differs(checks: Sequence[parity.Check], path: Path) -> None:
    first = checks[0]
    if first.difference_px is None:
        raise ExportError(
            "{path} was not written, because nothing here can check it: {runtime} cannot run it, "
            "and onnxruntime is missing or broken; install it with: pip install onnxruntime",
            path=path,
            runtime=first.runtime,
        )
    if not first.is_close:
        raise ExportError(
            "{path} was not written: run by {runtime} its keypoints are {difference_px:.3g} px "
            "off (and its face logit {difference_logit:.3g}), where {tolerance_px} px are allowed",
            path=path,
            runtime=first.runtime,
            difference_px=first.difference_px,
            difference_logit=first.difference_logit,
            tolerance_px=agreement.TOLERANCE_PX,
        )


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give the path of a new file beside another, which it replaces in the end unless something goes wrong."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        if path.is_dir():
            raise ExportError("{path} is a folder; choose a file for --out", path=path)
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise ExportError(
            "{path} cannot be written ({reason}); choose another --out", path=path, reason=error.strerror
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
