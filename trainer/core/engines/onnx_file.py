"""Networks as ONNX.

Written by PyTorch's older, tracing exporter. For these networks it takes 0.4 s where the newer one (``dynamo=True``)
takes 7 s, needs no package but onnx, writes every version of the operator set that is asked for, and a graph that
OpenCV can run; on the newer one's graph of `compact` OpenCV 4.14 dies with a division by zero.
"""

from __future__ import annotations

import io
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import torch
from torch import nn

from trainer.core.engines import agreement
from trainer.core.engines.onnx_runtime import PROOF, proof_of
from trainer.core.keypoints import NUM_KEYPOINTS
from trainer.core.preprocess import BOX_UP_PER_SIDE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from trainer.core.models import KeypointNetwork

DEFAULT_OPSET: Final = 17
LIMIT_BYTES: Final = 2**31 - 1
"""A file of ONNX cannot be larger."""
_GRAPH_BYTES: Final = 2**20


class PlainNetwork(nn.Module):
    """A network made ready for a file: folded, its outputs a plain tuple without None. It takes the network over.

    Attributes
    ----------
    output_names
        "points" and, of networks that have one, "face_logit".
    size_px
        Side of its crops.
    """

    def __init__(self, network: KeypointNetwork) -> None:
        super().__init__()
        network.eval()
        network.fold()
        network.requires_grad_(requires_grad=False)
        network.to(memory_format=network.memory_format)  # type: ignore[call-overload]
        self.network = network
        self.size_px = network.input_spec.size_px
        self.output_names: tuple[str, ...] = ("points", "face_logit")
        with torch.inference_mode():
            if network(self.example()).face_logit is None:
                self.output_names = ("points",)

    def example(self) -> Tensor:
        """(2, 1, S, S) float32: crops to trace it with."""
        return torch.from_numpy(agreement.sample_crops(self.size_px)[:2]).float().div_(255)

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """(N, 1, S, S) float32 in [0, 1] -> the outputs of `output_names`."""
        return tuple(self.network(crops)[: len(self.output_names)])

    def size_bytes(self) -> int:
        """Size of a file of it, or a little less."""
        weights: Mapping[str, Tensor] = self.state_dict()
        return _GRAPH_BYTES + sum(t.numel() * t.element_size() for t in weights.values())

    def story(self, name: str) -> dict[str, str]:
        """Tell those who use a file of it how to crop, and how to map the points back.

        Parameters
        ----------
        name
            Of the network.
        """
        size, per_box = self.size_px, self.network.input_spec.crop_per_box
        told = {
            "network": name,
            "input_size_px": str(size),
            "crop_per_box": str(per_box),
            "box_up_per_side": str(BOX_UP_PER_SIDE),
            "crops": f"(N, 1, {size}, {size}) float32: grey crops, 0 black to 1 white",
            "points": "(N, 68, 2) float32: x and y of the 68 iBUG keypoints, 0 to 1 across the crop",
            "how_to_crop": f"for a face box left, top, width, height with b = (width + height) / 2: the square of "
            f"side s = round({per_box} b) whose left is round(left + width / 2 - s / 2) and whose top is "
            f"round(top + height / 2 + {BOX_UP_PER_SIDE} b - s / 2); beyond the picture its edge is repeated",
            "how_to_map_back": "x in the picture = left of the square + s x - 0.5, y likewise; a pixel's centre has "
            "whole numbers",
        }
        if "face_logit" in self.output_names:
            told["face_logit"] = "(N) float32: log-odds that the crop holds a well-placed face"
        return told

    def proof(self) -> dict[str, str]:
        """Return what `OnnxRuntimeEngine` checks a file by: the network's own answers."""
        with torch.inference_mode():
            crops = torch.from_numpy(agreement.sample_crops(self.size_px)).float().div_(255)
            points, *logit = (output.numpy() for output in self(crops))
        return {PROOF: proof_of(points, logit[0] if logit else None)}


def onnx_bytes(plain: PlainNetwork, told: Mapping[str, str], *, opset: int = DEFAULT_OPSET) -> bytes:
    """Write a network as ONNX.

    Parameters
    ----------
    plain
        The network; no larger than `LIMIT_BYTES`.
    told
        What the file's metadata tell.
    opset
        Version of ONNX's operator set.
    """
    import onnx  # noqa: PLC0415 (for those who write such files)

    written = io.BytesIO()
    names = plain.output_names
    with without_deprecation_warnings():
        torch.onnx.export(
            plain,
            (plain.example(),),
            written,  # type: ignore[arg-type]  # which it takes
            dynamo=False,
            opset_version=opset,
            input_names=["crops"],
            output_names=list(names),
            dynamic_axes={name: {0: "N"} for name in ("crops", *names)},
        )
    model = onnx.load_model_from_string(written.getvalue())
    onnx.helper.set_model_props(model, dict(told))
    for dimension, size in zip(model.graph.output[0].type.tensor_type.shape.dim[1:], (NUM_KEYPOINTS, 2), strict=True):
        dimension.dim_value = size  # which tracing does not see
    content: bytes = model.SerializeToString()
    return content


@contextmanager
def without_deprecation_warnings() -> Iterator[None]:
    """Silence what PyTorch says of TorchScript and of the exporter that stands on it: they are used on purpose."""
    with warnings.catch_warnings():
        for message in (
            r"`torch\.jit\.\w+` is deprecated",
            "You are using the legacy TorchScript-based ONNX export",
            "The feature will be removed",
        ):
            warnings.filterwarnings("ignore", message, DeprecationWarning)
        yield
