"""Whether an exported network says what the network itself says, asked of the programs that would run it."""

from __future__ import annotations

import io
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
import torch

from trainer.core.engines import agreement
from trainer.core.engines.onnx_file import without_deprecation_warnings
from trainer.core.engines.onnx_runtime import OnnxRuntimeError, import_onnxruntime
from trainer.programs import opencv_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    Crops = NDArray[np.float32]
    Outputs = Mapping[str, NDArray[np.float32]]

OPENCV_LIMIT_S: Final = 120.0


@dataclass(frozen=True)
class Check:
    """What came of running an exported network.

    Attributes
    ----------
    runtime
        The program that ran it, with its version.
    difference_px
        Largest difference of a keypoint from the network's own, in pixels of the crop; None if it could not be run.
    difference_logit
        Likewise of the face logit; 0 for networks without one.
    """

    runtime: str
    difference_px: float | None
    difference_logit: float = 0.0

    @property
    def is_close(self) -> bool:
        """Whether the results are the network's, but for rounding."""
        if self.difference_px is None:
            return False
        return agreement.is_close(self.difference_px, self.difference_logit)


def sample_crops(size_px: int) -> list[Crops]:
    """Make crops to compare on: a batch of five (see `agreement.sample_crops`), and each of two alone.

    Returns
    -------
    (N, 1, S, S) float32 in [0, 1], whole numbers of 255ths, as they come from pictures.
    """
    batch: Crops = np.divide(agreement.sample_crops(size_px), 255, dtype=np.float32)  # (5, 1, S, S)
    return [batch, batch[2:3], batch[4:5]]


def check(
    network: nn.Module, path: Path, output_names: Sequence[str], *, size_px: int, is_onnx: bool
) -> tuple[Check, ...]:
    """Run an exported network on sample crops and compare it with the network itself.

    Parameters
    ----------
    network
        Crops (N, 1, S, S) -> a tuple of tensors.
    path
        The exported file.
    output_names
        Of those tensors.
    size_px
        Side of the crops.
    is_onnx
        ONNX, not TorchScript.

    Returns
    -------
    For ONNX: onnxruntime's result, where it is installed, then OpenCV's; else that of TorchScript.
    """
    batches = sample_crops(size_px)
    with torch.inference_mode():
        wanted = [_named(output_names, network(torch.from_numpy(crops))) for crops in batches]
    results: list[tuple[str, Sequence[Outputs] | None]] = []
    if not is_onnx:
        results.append((f"TorchScript of PyTorch {torch.__version__}", _run_torchscript(path, output_names, batches)))
    else:
        with suppress(OnnxRuntimeError):
            results.append(_run_onnxruntime(path, output_names, batches))
        results.append((f"OpenCV {cv2.__version__} (dnn)", _run_opencv(path, output_names, batches)))
    return tuple(_compare(runtime, wanted, got, size_px=size_px) for runtime, got in results)


def _compare(runtime: str, wanted: Sequence[Outputs], got: Sequence[Outputs] | None, *, size_px: int) -> Check:
    if got is None:
        return Check(runtime, None)
    points = max(agreement.largest_difference(w["points"], g["points"]) for w, g in zip(wanted, got, strict=True))
    logits = [
        agreement.largest_difference(w["face_logit"], g["face_logit"].reshape(-1))  # (N, 1) from OpenCV
        for w, g in zip(wanted, got, strict=True)
        if "face_logit" in w
    ]
    return Check(runtime, points * size_px, max(logits, default=0.0))


def _named(names: Sequence[str], outputs: Sequence[Any]) -> Outputs:
    return {name: np.asarray(values) for name, values in zip(names, outputs, strict=True)}


def _run_torchscript(path: Path, names: Sequence[str], batches: Sequence[Crops]) -> list[Outputs]:
    with without_deprecation_warnings(), torch.inference_mode():
        exported = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
        return [_named(names, exported(torch.from_numpy(crops))) for crops in batches]


def _run_onnxruntime(path: Path, names: Sequence[str], batches: Sequence[Crops]) -> tuple[str, list[Outputs]]:
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    results = [_named(names, session.run(list(names), {"crops": crops})) for crops in batches]
    return f"onnxruntime {onnxruntime.__version__}", results


def _run_opencv(path: Path, names: Sequence[str], batches: Sequence[Crops]) -> list[Outputs] | None:
    """Run OpenCV's dnn module in a process of its own: on a graph that it does not take to, it can crash."""
    request = io.BytesIO()
    np.savez(request, **{str(number): crops for number, crops in enumerate(batches)})  # type: ignore[arg-type]
    command = [*opencv_command(), str(path), *names]
    try:
        run = subprocess.run(
            command, input=request.getvalue(), capture_output=True, check=False, timeout=OPENCV_LIMIT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if run.returncode:
        return None
    with np.load(io.BytesIO(run.stdout)) as answer:
        return [{name: answer[f"{number} {name}"] for name in names} for number in range(len(batches))]
