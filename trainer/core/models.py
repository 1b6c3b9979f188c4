"""The networks and their registry.

Every network takes grey crops and gives `NetworkOutput`: keypoints in unit coordinates of the crop and, where the
network has one, a face logit. `simple` and `two_conv` are the published baseline, exactly; `compact` is ours and the
default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainer.core.input_spec import InputSpec
from trainer.core.keypoints import NUM_KEYPOINTS

if TYPE_CHECKING:
    from collections.abc import Mapping


class NetworkOutput(NamedTuple):
    """What a network says of a batch of N crops.

    Attributes
    ----------
    points
        (N, 68, 2) unit keypoints: 0 to 1 across the crop; points outside the crop are allowed.
    face_logit
        (N,) log-odds that the crop holds a well-placed face, or None for a network that cannot tell.
    """

    points: Tensor
    face_logit: Tensor | None


class KeypointNetwork(nn.Module):
    """Base of all networks.

    Subclasses set `input_spec`, `loss_unit` and `heads`, and implement `forward`: (N, 1, S, S) float32 in [0, 1] ->
    `NetworkOutput`.
    """

    input_spec: ClassVar[InputSpec]
    loss_unit: ClassVar[float]
    """Training divides keypoint errors (in units of the crop's side) by this before the loss."""
    memory_format: ClassVar[torch.memory_format] = torch.contiguous_format
    """How the network is laid out where it is fastest; `channels_last` makes `flatten` a copy."""
    heads: ClassVar[tuple[str, ...]] = ()
    """Layers whose results are decoded to keypoints and confidence: in float32 where the rest is in half precision."""

    def fold(self) -> None:
        """Rewrite the network for inference; the results stay the same up to rounding. The default does nothing."""


class _PublishedNetwork(KeypointNetwork):
    """The published baseline's input (224 x 224) and output encoding ((p - 100) / 50, p in crop pixels)."""

    input_spec = InputSpec(size_px=224, crop_per_box=1.4)
    loss_unit = 50 / 224

    @staticmethod
    def _decode(encoded: Tensor) -> NetworkOutput:
        return NetworkOutput((encoded.view(-1, NUM_KEYPOINTS, 2) * 50 + 100) / 224, None)


class Simple(_PublishedNetwork):
    """conv1 - pool1 - fc1: the published first try."""

    heads = ("fc1",)

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 5)
        self.pool1 = nn.MaxPool2d(2, 2)
        self.fc1 = nn.Linear(32 * 110 * 110, 2 * NUM_KEYPOINTS)

    def forward(self, crops: Tensor) -> NetworkOutput:
        """See `KeypointNetwork`."""
        x = self.pool1(functional.relu(self.conv1(crops)))  # (N, 32, 110, 110)
        return self._decode(self.fc1(x.flatten(1)))


class TwoConv(_PublishedNetwork):
    """The published larger network: 540,951,732 parameters, all but 0.01 % of them in its linear layers."""

    heads = ("fc3",)

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 5)
        self.pool1 = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(32, 64, 5)
        self.pool2 = nn.MaxPool2d(2, 2)
        self.fc1 = nn.Linear(64 * 53 * 53, 3000)
        self.fc2 = nn.Linear(3000, 500)
        self.fc3 = nn.Linear(500, 2 * NUM_KEYPOINTS)

    def forward(self, crops: Tensor) -> NetworkOutput:
        """See `KeypointNetwork`."""
        x = self.pool1(functional.relu(self.conv1(crops)))  # (N, 32, 110, 110)
        x = self.pool2(functional.relu(self.conv2(x)))  # (N, 64, 53, 53)
        x = functional.relu(self.fc1(x.flatten(1)))
        x = functional.relu(self.fc2(x))
        return self._decode(self.fc3(x))


class _ConvNorm(nn.Module):
    """Convolution and batch normalisation, which `fold` makes one convolution."""

    def __init__(self, channels_in: int, channels_out: int, *, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))  # type: ignore[no-any-return]

    def fold(self) -> None:
        if isinstance(self.norm, nn.BatchNorm2d):
            self.conv = nn.utils.fusion.fuse_conv_bn_eval(self.conv, self.norm)
            self.norm = nn.Identity()


class _Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al., https://arxiv.org/abs/1512.03385)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = _ConvNorm(channels, channels)
        self.conv2 = _ConvNorm(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.conv1(x), inplace=True)
        return functional.relu(x + self.conv2(y), inplace=True)


def _stage(channels_in: int, channels_out: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(
        _ConvNorm(channels_in, channels_out, stride=2),
        nn.ReLU(inplace=True),
        *(_Residual(channels_out) for _ in range(blocks)),
    )


class Compact(KeypointNetwork):
    """Plain residual blocks at strides 8 and 16, and a cell-wise head: the default network.

    The head works on a coarse 12 x 12 grid. For each keypoint every cell gives a score and the keypoint's offset from
    that cell; the keypoint is the mean of the cells' proposals, weighted by the softmax of the scores. This is integral
    regression (Sun et al., https://arxiv.org/abs/1711.08229) with the per-cell offsets of PIPNet (Jin et al.,
    https://arxiv.org/abs/2003.03771): a fine position without fine maps.
    """

    input_spec = InputSpec(size_px=96, crop_per_box=1.25)
    loss_unit = 1 / 96
    memory_format = torch.channels_last
    heads = ("cells", "face")

    GRID: ClassVar[int] = 12
    _WIDTHS: ClassVar[tuple[int, int, int, int]] = (16, 32, 64, 96)
    _BLOCKS: ClassVar[tuple[int, int, int]] = (0, 2, 2)
    _MERGED: ClassVar[int] = 64

    def __init__(self) -> None:
        super().__init__()
        stem, fine, middle, coarse = self._WIDTHS
        self.stem = nn.Sequential(_ConvNorm(1, stem, kernel=5, stride=2), nn.ReLU(inplace=True))  # 48 x 48
        self.fine = _stage(stem, fine, self._BLOCKS[0])  # 24 x 24
        self.middle = _stage(fine, middle, self._BLOCKS[1])  # 12 x 12
        self.coarse = _stage(middle, coarse, self._BLOCKS[2])  # 6 x 6
        self.top = _ConvNorm(coarse, self._MERGED, kernel=1)
        self.lateral = _ConvNorm(middle, self._MERGED, kernel=1)
        self.merge = nn.Sequential(_ConvNorm(self._MERGED, self._MERGED), nn.ReLU(inplace=True))
        self.cells = nn.Conv2d(self._MERGED, 3 * NUM_KEYPOINTS, 1)
        self.face = nn.Linear(coarse, 1)
        centres = (torch.arange(self.GRID) + 0.5) / self.GRID
        grid = torch.stack(torch.meshgrid(centres, centres, indexing="xy"))  # (2, GRID, GRID): x, y
        self.register_buffer("grid", grid.flatten(1))
        self.grid: Tensor

    def forward(self, crops: Tensor) -> NetworkOutput:
        """See `KeypointNetwork`."""
        mean = crops.mean(dim=(1, 2, 3), keepdim=True)
        deviation = crops.var(dim=(1, 2, 3), keepdim=True, unbiased=False).sqrt()
        x = (crops - mean) / (deviation + 0.02)  # lighting out; a flat crop stays flat
        middle = self.middle(self.fine(self.stem(x)))  # (N, 64, 12, 12)
        coarse = self.coarse(middle)  # (N, 96, 6, 6)
        top = functional.interpolate(self.top(coarse), scale_factor=2.0, mode="nearest")
        merged = top + self.lateral(middle)  # (N, 64, 12, 12)
        merged = self.merge(functional.relu(merged))
        cells = self.cells(merged).view(-1, 3 * NUM_KEYPOINTS, self.GRID * self.GRID)
        # Splits and sums where indexing and a transpose would do: OpenCV's engine knows how to run these.
        scores, right, down = cells.split(NUM_KEYPOINTS, dim=1)
        weight = scores.softmax(dim=-1)  # (N, 68, 144)
        offset = torch.cat([(weight * axis).sum(dim=-1, keepdim=True) for axis in (right, down)], dim=-1)
        points = weight @ self.grid.t() + offset / self.GRID  # (N, 68, 2)
        return NetworkOutput(points, self.face(coarse.mean(dim=(2, 3))).squeeze(1))

    def fold(self) -> None:
        """Merge each batch normalisation into the convolution before it."""
        self.eval()
        for module in self.modules():
            if isinstance(module, _ConvNorm):
                module.fold()


class Large(Compact):
    """`Compact` with almost twice the multiply-adds: to teach it, and for machines with power to spare."""

    _WIDTHS = (24, 32, 64, 128)
    _BLOCKS = (2, 2, 2)
    _MERGED = 96


NETWORKS: Final[Mapping[str, type[KeypointNetwork]]] = {
    "simple": Simple,
    "two_conv": TwoConv,
    "compact": Compact,
    "large": Large,
}
"""Name -> network class; the names, those of `trainer.core.names.NETWORK_NAMES`, are stored in checkpoints."""


def build_network(name: str) -> KeypointNetwork:
    """Make a network with fresh weights.

    Raises
    ------
    ValueError
        For a name that is not in `NETWORKS`.
    """
    if name not in NETWORKS:
        raise ValueError(f"no network is called {name!r}; there are {', '.join(NETWORKS)}")
    return NETWORKS[name]()


def count_parameters(network: nn.Module) -> int:
    """Count a network's trainable numbers."""
    return sum(p.numel() for p in network.parameters())
