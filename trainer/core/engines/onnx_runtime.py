"""ONNX Runtime: on a processor, half of PyTorch's time for networks this small, and a fiftieth of its import's."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from trainer.core.engines import agreement
from trainer.core.input_spec import InputSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from trainer.core.names import DeviceName

MOST_AT_ONCE: Final = 8
"""More crops are computed in parts: it keeps the memory of the largest batch that it ever had, and more at once are no
quicker."""
PROOF: Final = "proof"
"""Name of what a file tells of the network's own answers to `agreement.sample_crops`; see `proof_of`."""
_SILENT: Final = 4  # its log, of which only what is fatal is left: the rest is raised as well


class OnnxRuntimeError(Exception):
    """ONNX Runtime is not there, cannot run a file, or says something else than the network."""


def import_onnxruntime() -> Any:
    """Import ONNX Runtime with its usage reports off and its log silent.

    Raises
    ------
    OnnxRuntimeError
        If it is missing or broken.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the import: it sends usage data from 1.29 on
    try:
        import onnxruntime  # noqa: PLC0415 (the variable above comes first; what does not need it does not load it)

        onnxruntime.set_default_logger_severity(_SILENT)
    except Exception as error:  # ImportError, or what a library that does not fit raises while it is loaded
        raise OnnxRuntimeError(f"it cannot be imported ({error})") from error
    return onnxruntime


def proof_of(points: NDArray[np.float32], face_logit: NDArray[np.float32] | None) -> str:
    """Write down what a network says of `agreement.sample_crops`: (5, 68, 2) unit points, (5,) logits if any."""
    told = {"points": np.round(points.astype(np.float64), 6).tolist()}
    if face_logit is not None:
        told["face_logit"] = np.round(face_logit.astype(np.float64), 5).tolist()
    return json.dumps(told, separators=(",", ":"))


class OnnxRuntimeEngine:
    """A network in an ONNX file that `trainer.core.engines.onnx_file` wrote, computed on one core.

    One thread: a second one gains little on a network this small, and as soon as another process computes, two that
    wait for each other are several times slower than one.

    Parameters
    ----------
    content
        The file.

    Attributes
    ----------
    told
        What the file tells of itself.
    spec
        The network's input.

    Raises
    ------
    OnnxRuntimeError
        If ONNX Runtime is missing, cannot run the file, or its answers are not those that the file tells of.
    """

    name: Final = "ONNX Runtime"
    device: Final[DeviceName] = "cpu"

    def __init__(self, content: bytes) -> None:
        onnxruntime = import_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _SILENT
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            self.told: Mapping[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
            self.spec = InputSpec(int(self.told["input_size_px"]), float(self.told["crop_per_box"]))
            self._prove()
        except OnnxRuntimeError:
            raise
        except Exception as error:  # its own errors are plain exceptions
            raise OnnxRuntimeError(f"the file cannot be used ({_short(error)})") from error

    def warm_up(self) -> None:
        """See `Engine`; it was computed when it was proved."""

    def __call__(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See `Engine`."""
        parts = [self._run(crops[start : start + MOST_AT_ONCE]) for start in range(0, len(crops), MOST_AT_ONCE)]
        points = np.concatenate([part for part, _ in parts])
        logits = [part for _, part in parts if part is not None]
        if not logits:
            return points, np.ones(len(crops), np.float32)
        face_logit = np.concatenate(logits)
        return points, 0.5 + 0.5 * np.tanh(0.5 * face_logit)  # the logistic function, which cannot overflow so

    def _run(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        try:
            outputs = self._session.run(None, {"crops": np.divide(crops, 255, dtype=np.float32)})
        except Exception as error:
            raise RuntimeError(f"ONNX Runtime failed: {_short(error)}") from error
        return outputs[0], outputs[1] if len(outputs) > 1 else None

    def _prove(self) -> None:
        wanted = {name: np.asarray(values, np.float32) for name, values in json.loads(self.told[PROOF]).items()}
        points, face_logit = self._run(agreement.sample_crops(self.spec.size_px))
        difference_px = agreement.largest_difference(wanted["points"], points) * self.spec.size_px
        if face_logit is None:
            difference_logit = 0.0 if "face_logit" not in wanted else float("inf")
        else:
            difference_logit = agreement.largest_difference(wanted["face_logit"], face_logit)
        if not agreement.is_close(difference_px, difference_logit):
            raise OnnxRuntimeError(
                f"its keypoints are {difference_px:.3g} px off the network's, its face logit {difference_logit:.3g}"
            )


def _short(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
