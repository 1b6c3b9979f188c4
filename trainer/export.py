"""Weights as ONNX or TorchScript, for programs without this one; checked against the network before they are kept.

ONNX is written by PyTorch's older, tracing exporter. For these networks it takes 0.4 s where the newer one
(``dynamo=True``) takes 7 s, needs no package but onnx, writes every version of the operator set that is asked for, and
a graph that OpenCV can run; on the newer one's graph of `compact` OpenCV 4.14 dies with a division by zero.
"""

from __future__ import annotations

import json
import os
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Literal, get_args

import torch
from torch import nn

from trainer import parity
from trainer.core.checkpoint import load_checkpoint
from trainer.core.errors import FkdError
from trainer.core.keypoints import NUM_KEYPOINTS
from trainer.core.preprocess import BOX_UP_PER_SIDE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from torch import Tensor

    from trainer.core.models import InputSpec, KeypointNetwork

ExportFormat = Literal["onnx", "torchscript"]
FORMATS: Final[tuple[ExportFormat, ...]] = get_args(ExportFormat)
SUFFIXES: Final[dict[ExportFormat, str]] = {"onnx": ".onnx", "torchscript": ".pt"}
OPSETS: Final = range(11, 21)
DEFAULT_OPSET: Final = 17
EXTRA_FILE: Final = "fkd.json"
_ONNX_LIMIT_BYTES: Final = 2**31 - 1
_GRAPH_BYTES: Final = 2**20
_HOW_TO_INSTALL: Final = "install them with: pip install 'fkd-desktop[export]'"


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
        more than `parity.TOLERANCE_PX` off.
    """
    if opset not in OPSETS:
        raise ExportError(
            "operator set {opset} cannot be written; choose one from {first} to {last}",
            opset=opset,
            first=OPSETS[0],
            last=OPSETS[-1],
        )
    if file_format == "onnx" and not find_spec("onnx"):
        raise ExportError(
            "writing ONNX takes the packages onnx and onnxruntime; {how_to_install}", how_to_install=_HOW_TO_INSTALL
        )
    checkpoint = load_checkpoint(weights)
    network = checkpoint.network
    network.fold()
    network.requires_grad_(requires_grad=False)
    network.to(memory_format=network.memory_format)  # type: ignore[call-overload]
    spec = network.input_spec
    example = torch.from_numpy(parity.sample_crops(spec.size_px)[0][:2])
    with torch.inference_mode():
        names = ("points", "face_logit") if network(example).face_logit is not None else ("points",)
    plain = _Plain(network, len(names))
    story = _story(checkpoint.name, spec, names)
    with _replacing(path) as temporary:
        if file_format == "onnx":
            _write_onnx(plain, example, temporary, names=names, opset=opset, story=story)
        else:
            _write_torchscript(plain, example, temporary, story=story)
        checks = parity.check(plain, temporary, names, size_px=spec.size_px, is_onnx=file_format == "onnx")
        _refuse_what_differs(checks, path)
        size_bytes = temporary.stat().st_size
    return Exported(path, size_bytes, checkpoint.name, spec.size_px, names, checks)


class _Plain(nn.Module):
    """A network whose outputs are a plain tuple without None, as files of both formats need it."""

    def __init__(self, network: KeypointNetwork, outputs: int) -> None:
        super().__init__()
        self.network = network
        self._outputs = outputs

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network(crops)[: self._outputs])


def _story(name: str, spec: InputSpec, outputs: Sequence[str]) -> dict[str, str]:
    size, per_box = spec.size_px, spec.crop_per_box
    told = {
        "network": name,
        "input_size_px": str(size),
        "crop_per_box": str(per_box),
        "box_up_per_side": str(BOX_UP_PER_SIDE),
        "crops": f"(N, 1, {size}, {size}) float32: grey crops, 0 black to 1 white",
        "points": "(N, 68, 2) float32: x and y of the 68 iBUG keypoints, 0 to 1 across the crop",
        "how_to_crop": f"for a face box left, top, width, height with b = (width + height) / 2: the square of side "
        f"s = round({per_box} b) whose left is round(left + width / 2 - s / 2) and whose top is "
        f"round(top + height / 2 + {BOX_UP_PER_SIDE} b - s / 2); beyond the picture its edge is repeated",
        "how_to_map_back": "x in the picture = left of the square + s x - 0.5, y likewise; a pixel's centre has whole "
        "numbers",
    }
    if "face_logit" in outputs:
        told["face_logit"] = "(N) float32: log-odds that the crop holds a well-placed face"
    return told


def _write_onnx(
    plain: _Plain, example: Tensor, path: Path, *, names: Sequence[str], opset: int, story: Mapping[str, str]
) -> None:
    import onnx  # noqa: PLC0415 (optional)

    size_bytes = sum(tensor.numel() * tensor.element_size() for tensor in plain.state_dict().values())
    if size_bytes + _GRAPH_BYTES > _ONNX_LIMIT_BYTES:
        raise ExportError(
            "the {network} network takes {size_gb:.2f} GB, and a file of ONNX cannot hold more "
            "than {limit_gb:.2f} GB; choose --format torchscript",
            network=story["network"],
            size_gb=size_bytes / 1e9,
            limit_gb=_ONNX_LIMIT_BYTES / 1e9,
        )
    with parity.without_deprecation_warnings():
        torch.onnx.export(
            plain,
            (example,),
            path,
            dynamo=False,
            opset_version=opset,
            input_names=["crops"],
            output_names=list(names),
            dynamic_axes={name: {0: "N"} for name in ("crops", *names)},
        )
    model = onnx.load_model(path)
    onnx.helper.set_model_props(model, dict(story))
    for dimension, size in zip(model.graph.output[0].type.tensor_type.shape.dim[1:], (NUM_KEYPOINTS, 2), strict=True):
        dimension.dim_value = size  # which tracing does not see
    path.write_bytes(model.SerializeToString())


def _write_torchscript(plain: _Plain, example: Tensor, path: Path, *, story: Mapping[str, str]) -> None:
    with parity.without_deprecation_warnings():
        traced = torch.jit.trace(plain, (example,), check_trace=False)  # type: ignore[no-untyped-call]
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
            "and onnxruntime is missing; {how_to_install}",
            path=path,
            runtime=first.runtime,
            how_to_install=_HOW_TO_INSTALL,
        )
    if not first.is_close:
        raise ExportError(
            "{path} was not written: run by {runtime} its keypoints are {difference_px:.3g} px "
            "off (and its face logit {difference_logit:.3g}), where {tolerance_px} px are allowed",
            path=path,
            runtime=first.runtime,
            difference_px=first.difference_px,
            difference_logit=first.difference_logit,
            tolerance_px=parity.TOLERANCE_PX,
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
